package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// AWS is the part of IAM, STS, SNS and CloudWatch that the checks read.
type AWS interface {
	Identity(ctx context.Context) (awsapi.Identity, error)
	Region() string
	Principal(ctx context.Context, caller awsapi.Identity) (string, error)
	SimulatePrincipalPolicy(ctx context.Context, principal string, actions []string, resource string) ([]awsapi.Simulated, error)

	User(ctx context.Context, name string) (awsapi.User, error)
	AccessKeys(ctx context.Context, user string) ([]awsapi.AccessKey, error)
	AccessKeyLastUsed(ctx context.Context, id string) (awsapi.LastUsed, error)
	UserPolicies(ctx context.Context, user string) ([]string, error)
	UserPolicy(ctx context.Context, user, policy string) (string, error)
	AttachedPolicies(ctx context.Context, user string) ([]string, error)
	ManagedPolicy(ctx context.Context, arn string) (string, error)
	Groups(ctx context.Context, user string) ([]string, error)

	SMSAttributes(ctx context.Context, region string) (awsapi.SMSAttributes, error)
	SMSSandbox(ctx context.Context, region string) (bool, error)
	SandboxNumbers(ctx context.Context, region string) ([]awsapi.SandboxNumber, error)
	OriginationNumbers(ctx context.Context, region string) ([]awsapi.OriginationNumber, error)
	SMSMonthToDateSpentUSD(ctx context.Context, region string, now time.Time) (usd float64, known bool, err error)
}

func accountChecks() []Check {
	return []Check{
		{reachableAWS, "AWS knows the operator's credentials", Always, checkAccountReachable},
		{"aws-permissions", "The operator may do in AWS what an apply and these checks need", Before, checkPermissions},
		{"iam-user-free", "The IAM user is this configuration's to make", Before, checkUserFree},
		{"sms-region", "SNS sends SMS from the region", Always, checkRegion},
		{"sns-sandbox", "The account may send to every number", Always, checkSandbox},
		{"spend-limit", "The account may spend something on SMS", Always, checkSpendLimit},
		{"key-active", "The sender's access key exists and is active", After, checkKeyActive},
		{"key-is-the-states", "The sender holds the key that Terraform's state names", After, checkKeyIsTheStates},
		{"key-last-used", "The key was last used to send, if at all", After, checkKeyLastUsed},
		{"key-age", "The key is not due for rotation", After, checkKeyAge},
		{"key-slot", "The IAM user has a free slot for the next key", After, checkKeySlot},
		{"policy-allows-sms", "The key may send an SMS to any number", After, checkPolicyAllows},
		{"policy-no-more", "The key may do nothing else", After, checkPolicyNoMore},
		{"month-spend", "The month's spending leaves room for codes", After, checkMonthSpend},
		{"sms-type", "Codes go as Transactional", After, checkSMSType},
		{"origination-identity", "The account has what the allowed countries ask of a sender", After, checkOrigination},
	}
}

// account is what several checks ask the account, each asked once.
type account struct {
	user     once[awsapi.User]
	keys     once[[]awsapi.AccessKey]
	policies once[policies]
	settings once[awsapi.SMSAttributes]
	numbers  once[[]awsapi.OriginationNumber]
}

func (s *Subject) iamUser(ctx context.Context) (awsapi.User, error) {
	return s.account.user.get(func() (awsapi.User, error) { return s.AWS.User(ctx, s.Expect.IAMUser) })
}

func (s *Subject) iamKeys(ctx context.Context) ([]awsapi.AccessKey, error) {
	return s.account.keys.get(func() ([]awsapi.AccessKey, error) { return s.AWS.AccessKeys(ctx, s.Expect.IAMUser) })
}

func (s *Subject) smsSettings(ctx context.Context) (awsapi.SMSAttributes, error) {
	return s.account.settings.get(func() (awsapi.SMSAttributes, error) { return s.AWS.SMSAttributes(ctx, s.region()) })
}

// originationNumbers may be asked for once a second.
func (s *Subject) originationNumbers(ctx context.Context) ([]awsapi.OriginationNumber, error) {
	return s.account.numbers.get(func() ([]awsapi.OriginationNumber, error) { return s.AWS.OriginationNumbers(ctx, s.region()) })
}

// keyRecord is what the IAM user's tag says about the sender's keys; zero where
// no sender is known, or nothing is said.
func (s *Subject) keyRecord(ctx context.Context) (handover.Record, error) {
	user, err := s.iamUser(ctx)
	if err != nil || s.Expect.SenderID == "" {
		return handover.Record{}, err
	}
	return handover.RecordOf(user, s.Expect.SenderID)
}

// region is where SNS sends from: "" where nothing says so.
func (s *Subject) region() string { return cmp.Or(s.Expect.Region, s.AWS.Region()) }

// regions are that one and those that the sender falls back to: as configured, or
// else as the code that runs does.
func (s *Subject) regions(ctx context.Context) []string {
	options := s.Expect.SMS
	if options == nil {
		options = s.smsOptions(ctx)
	}
	if options == nil {
		return []string{s.region()}
	}
	return append([]string{s.region()}, options.FallbackRegions...)
}

// inRegion is the region in a sentence.
func (s *Subject) inRegion() string { return in(s.region()) }

func in(regions ...string) string {
	if slices.Contains(regions, "") {
		return "in the region of the AWS settings"
	}
	return "in " + strings.Join(regions, ", ")
}

func dollars(usd float64) string { return fmt.Sprintf("%.2f USD", usd) }

// minute is the one form in which a time is told.
func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// counted is a number of things: "1 day", "2 days".
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
