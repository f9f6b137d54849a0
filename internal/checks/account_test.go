package checks_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// accountIDs are the checks of the AWS side, as scripts name them.
func accountIDs(stage checks.Stage) []string {
	if stage == checks.Before {
		return []string{"aws-reachable", "aws-permissions", "iam-user-free", "sms-region", "sns-sandbox", "spend-limit"}
	}
	return []string{
		"aws-reachable", "sms-region", "sns-sandbox", "spend-limit", "key-active", "key-is-the-states", "key-last-used", "key-age",
		"key-slot", "policy-allows-sms", "policy-no-more", "month-spend", "sms-type", "origination-identity",
	}
}

const (
	accountUser   = "auth0-mfa-sms"
	accountPolicy = "auth0-mfa-sms"
	accountSender = "0d2ba2a0-4ac2-4c5e-8b0a-6a3f0d1f5e11"
)

// accountWorld is a sandbox with an IAM user whose key was handed over.
type accountWorld struct {
	*acctest.Env
	t      *testing.T
	aws    *awsapi.Client
	sender *accountSenderFake
	expect checks.Expect
}

// accountSenderFake takes every key, unless it is told to answer nothing.
type accountSenderFake struct{ lost bool }

func (f *accountSenderFake) Deliver(context.Context, handover.Secrets) error {
	if f.lost {
		return accountLostError{}
	}
	return nil
}

func (f *accountSenderFake) Withdraw(context.Context) error { return nil }

type accountLostError struct{}

func (accountLostError) Error() string   { return "no answer" }
func (accountLostError) Ambiguous() bool { return true }

func newAccountWorld(t *testing.T) *accountWorld {
	t.Helper()
	env := acctest.New(t)
	w := &accountWorld{Env: env, t: t, aws: env.AWS(t), sender: &accountSenderFake{}}
	user, err := w.aws.CreateUser(t.Context(), awsapi.User{Name: accountUser, Path: "/", Tags: map[string]string{handover.TagCreated: "example.auth0.com"}})
	w.ok(err)
	w.ok(w.aws.PutUserPolicy(t.Context(), accountUser, accountPolicy, awsapi.PublishPolicy(user.Partition())))
	w.expect = checks.Expect{
		IAMUser: accountUser, PolicyName: accountPolicy, SenderID: accountSender, Region: "eu-west-1",
		SMS: &sender.Options{AllowedCountryCodes: []string{"+49"}},
	}
	w.ok(w.rotate())
	return w
}

func (w *accountWorld) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// rotate hands a key over as an apply does, and takes it into the state.
func (w *accountWorld) rotate() error {
	machine := &handover.Machine{IAM: w.aws, Sender: w.sender, SenderID: accountSender, Clock: w.Clock}
	outcome, err := machine.Rotate(w.t.Context(), handover.Rotation{
		User: accountUser, Region: "eu-west-1", Current: handover.Key{User: accountUser, ID: w.expect.AccessKeyID},
	})
	if outcome.Delivered.ID != "" {
		w.expect.AccessKeyID = outcome.Delivered.ID
	}
	return err
}

// look asks the checks of a stage.
func (w *accountWorld) look(stage checks.Stage) map[string]checks.Finding {
	w.t.Helper()
	return w.lookAt(accountIDs(stage)...)
}

func (w *accountWorld) lookAt(ids ...string) map[string]checks.Finding {
	w.t.Helper()
	selected, err := checks.Select(checks.After, ids...)
	w.ok(err)
	findings, err := checks.Run(w.t.Context(), &checks.Subject{Auth0: w.Auth0(w.t), AWS: w.aws, Expect: w.expect, Now: w.Clock.Now}, selected)
	w.ok(err)
	byID := map[string]checks.Finding{}
	for _, f := range findings {
		if f.Result != checks.Pass && (f.Cause == "" || f.Remedy == "") || strings.Contains(f.Cause+f.Remedy, "%!") {
			w.t.Errorf("%s is %s without saying why and what to do: %q, %q", f.ID, f.Result, f.Cause, f.Remedy)
		}
		byID[f.ID] = f
	}
	return byID
}

// notPassed lists what did not pass, "id: result".
func notPassed(findings map[string]checks.Finding) []string {
	var ids []string
	for id, f := range findings {
		if f.Result != checks.Pass {
			ids = append(ids, id+": "+string(f.Result))
		}
	}
	slices.Sort(ids)
	return ids
}

// TestEachStageHasItsAccountChecks: a script selects by id, and a person by stage.
func TestEachStageHasItsAccountChecks(t *testing.T) {
	for _, stage := range []checks.Stage{checks.Before, checks.After} {
		selected, err := checks.Select(stage)
		if err != nil {
			t.Fatal(err)
		}
		var ids []string
		for _, c := range selected {
			if !slices.Contains(tenantIDs(stage), c.ID) {
				ids = append(ids, c.ID)
			}
		}
		if diff := cmp.Diff(accountIDs(stage), ids); diff != "" {
			t.Errorf("%s (-want +got):\n%s", stage, diff)
		}
	}
}

func TestAGoodAccountPassesEveryCheck(t *testing.T) {
	w := newAccountWorld(t)
	// With what an operator is told to grant, and no more.
	w.ok(w.Account.SetOperatorPolicy(checks.OperatorPolicy("aws", w.Account.Snapshot().AccountID, accountUser)))
	if got := notPassed(w.look(checks.After)); len(got) > 0 {
		t.Errorf("a sender that works is said to have %v: %v", got, w.look(checks.After))
	}
	before := newAccountWorld(t)
	before.expect.IAMUser = "auth0-mfa-new"
	if got := notPassed(before.look(checks.Before)); len(got) > 0 {
		t.Errorf("an account that is ready is said to have %v", got)
	}
}

// TestEachDefectOfAnAccountHasItsCheck breaks one thing at a time. What else
// than its check changes sends a person looking in the wrong place.
func TestEachDefectOfAnAccountHasItsCheck(t *testing.T) {
	const fullAccess = "arn:aws:iam::aws:policy/AmazonSNSFullAccess"
	for name, c := range map[string]struct {
		brk  func(*accountWorld)
		want []string
		says string // in the cause or remedy of the first
	}{
		"key inactive": {
			func(w *accountWorld) {
				w.ok(w.aws.SetAccessKeyActive(w.t.Context(), accountUser, w.expect.AccessKeyID, false))
			},
			[]string{"key-active: fail"},
			"--status Active",
		},
		"key deleted": {
			func(w *accountWorld) {
				w.ok(w.aws.DeleteAccessKey(w.t.Context(), accountUser, w.expect.AccessKeyID))
			},
			[]string{"key-active: fail", "key-age: unknown", "key-last-used: unknown"},
			"does not exist any more",
		},
		"user deleted": {
			func(w *accountWorld) {
				w.ok(w.aws.DeleteAccessKey(w.t.Context(), accountUser, w.expect.AccessKeyID))
				w.ok(w.aws.DeleteUserPolicy(w.t.Context(), accountUser, accountPolicy))
				w.ok(w.aws.DeleteUser(w.t.Context(), accountUser))
			},
			[]string{
				"key-active: fail", "key-age: unknown", "key-is-the-states: unknown", "key-last-used: unknown", "key-slot: unknown",
				"policy-allows-sms: unknown", "policy-no-more: unknown",
			},
			"no IAM user",
		},
		"a key that nobody knows": {
			func(w *accountWorld) {
				_, err := w.aws.CreateAccessKey(w.t.Context(), accountUser)
				w.ok(err)
			},
			[]string{"key-slot: fail"},
			"delete-access-key",
		},
		"the state is behind": {
			func(w *accountWorld) {
				old := w.expect.AccessKeyID
				w.ok(w.rotate())
				w.expect.AccessKeyID = old
			},
			[]string{"key-is-the-states: fail"},
			"the state names",
		},
		"a delivery without an answer": {
			func(w *accountWorld) {
				w.sender.lost = true
				if err := w.rotate(); err == nil {
					w.t.Fatal("the delivery was answered")
				}
			},
			[]string{"key-is-the-states: fail"},
			"may hold",
		},
		"key used for something else": {
			(*accountWorld).useKey,
			[]string{"key-last-used: fail"},
			"which no sender does",
		},
		"key too old": {
			func(w *accountWorld) { w.ok(w.Clock.Sleep(w.t.Context(), 91*24*time.Hour)) },
			[]string{"key-age: fail"},
			"terraform apply",
		},
		"rotation due as configured": {
			func(w *accountWorld) { w.expect.RotationDue = w.Clock.Now().Add(-time.Hour) },
			[]string{"key-age: fail"},
			"as configured",
		},
		"policy gone": {
			func(w *accountWorld) { w.ok(w.aws.DeleteUserPolicy(w.t.Context(), accountUser, accountPolicy)) },
			[]string{"policy-allows-sms: fail"},
			"no inline policy auth0-mfa-sms",
		},
		"policy for topics": {
			func(w *accountWorld) {
				w.ok(w.aws.PutUserPolicy(w.t.Context(), accountUser, accountPolicy, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*"}}`))
			},
			[]string{"policy-allows-sms: fail", "policy-no-more: fail"},
			"phone number",
		},
		"policy of the guide": {
			func(w *accountWorld) {
				w.ok(w.aws.PutUserPolicy(w.t.Context(), accountUser, accountPolicy, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}}`))
			},
			[]string{"policy-no-more: fail"},
			"any topic",
		},
		"AmazonSNSFullAccess": {
			func(w *accountWorld) { w.attach(fullAccess) },
			[]string{"policy-no-more: fail"},
			"raise the spend limit",
		},
		"another policy denies": {
			func(w *accountWorld) {
				w.ok(w.aws.PutUserPolicy(w.t.Context(), accountUser, "stop", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sns:*","Resource":"*"}}`))
			},
			[]string{"policy-allows-sms: fail"},
			"do not allow an SMS",
		},
		"a condition": {
			func(w *accountWorld) {
				w.ok(w.aws.PutUserPolicy(w.t.Context(), accountUser, "office", `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"sns:Publish","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}}}`))
			},
			[]string{"policy-allows-sms: unknown", "policy-no-more: unknown"},
			"conditions",
		},
		"boundary in the way": {
			func(w *accountWorld) {
				w.ok(w.aws.SetPermissionsBoundary(w.t.Context(), accountUser, "arn:aws:iam::aws:policy/IAMFullAccess"))
			},
			[]string{"policy-allows-sms: fail"},
			"boundary",
		},
		"SMS sandbox": {
			func(w *accountWorld) { w.Account.SetSMSSandbox(true, []string{"+15005550001"}) },
			[]string{"sns-sandbox: fail"},
			"the verified numbers (1)",
		},
		"no spend limit": {
			func(w *accountWorld) { w.Account.SetMonthlySpend(0, 0) },
			[]string{"spend-limit: fail"},
			"sends nothing",
		},
		"spending near the limit": {
			func(w *accountWorld) { w.Account.SetMonthlySpend(5, 4) },
			[]string{"month-spend: fail"},
			"4.00 USD of 5.00 USD",
		},
		"spending at the limit": {
			func(w *accountWorld) { w.Account.SetMonthlySpend(5, 5) },
			[]string{"month-spend: fail"},
			"drops them",
		},
		"promotional": {
			func(w *accountWorld) { w.expect.SMS.SMSType = "Promotional" },
			[]string{"sms-type: fail"},
			"Transactional",
		},
		"type unknown": {
			func(w *accountWorld) { w.expect.SMS = nil },
			[]string{"sms-type: unknown"},
			"Promotional",
		},
		"no such region": {
			func(w *accountWorld) { w.expect.Region = "eu-nowhere" },
			[]string{"sms-region: fail"},
			"no region",
		},
		"a fallback region without SMS": {
			func(w *accountWorld) { w.expect.SMS.FallbackRegions = []string{"eu-central-1", "ap-east-1"} },
			[]string{"sms-region: unknown"},
			"ap-east-1 is not",
		},
		"a region without SMS": {
			func(w *accountWorld) { w.expect.Region = "ap-east-1" },
			[]string{"sms-region: unknown"},
			"sns-supported-regions-countries",
		},
		"United States without a number": {
			func(w *accountWorld) {
				w.expect.SMS.AllowedCountryCodes = []string{"+49", "+1"}
				w.Account.SetOriginationNumbers([]aws.OriginationNumber{{Number: "+12065550100", Country: "US", VoiceOnly: true}, {Number: "+12065550101", Country: "US", Status: "PENDING"}})
			},
			[]string{"origination-identity: fail"},
			"toll-free",
		},
		"a part of +1": {
			func(w *accountWorld) { w.expect.SMS.AllowedCountryCodes = []string{"+1416"} },
			[]string{"origination-identity: unknown"},
			"+1416",
		},
		"India without a template": {
			func(w *accountWorld) {
				w.expect.SMS.AllowedCountryCodes, w.expect.SMS.EntityID = []string{"+91"}, "1101"
			},
			[]string{"origination-identity: fail"},
			"template_id",
		},
		"sends from another region": {
			func(w *accountWorld) { w.sendFrom("us-west-2") },
			[]string{"key-last-used: unknown"},
			"us-west-2",
		},
		"a country with a registration": {
			func(w *accountWorld) { w.expect.SMS.AllowedCountryCodes = []string{"+65"} },
			[]string{"origination-identity: unknown"},
			"AWS has a registration of senders for Singapore (+65)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newAccountWorld(t)
			c.brk(w)
			findings := w.look(checks.After)
			if diff := cmp.Diff(c.want, notPassed(findings)); diff != "" {
				t.Errorf("(-want +got):\n%s\n%v", diff, findings)
			}
			id, _, _ := strings.Cut(c.want[0], ":")
			if f := findings[id]; !strings.Contains(f.Cause+" "+f.Remedy, c.says) {
				t.Errorf("%s says %q, %q, and not %q", id, f.Cause, f.Remedy, c.says)
			}
		})
	}
}

// clientOf is the client of somebody with this key in the environment.
func clientOf(t *testing.T, region, url, id, secret string) (*awsapi.Client, error) {
	t.Helper()
	t.Setenv("AWS_ACCESS_KEY_ID", id)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secret)
	return awsapi.New(t.Context(), awsapi.Config{Region: region, EndpointURL: url})
}

// useKey makes the sender's key call IAM, signed with the secret that only the
// account knows.
func (w *accountWorld) useKey() {
	w.t.Helper()
	secrets := w.Account.Secrets()
	for _, secret := range secrets {
		client, err := clientOf(w.t, "eu-west-1", w.AccountURL, w.expect.AccessKeyID, secret)
		w.ok(err)
		// It may not, which counts as a use all the same.
		if _, err := client.AccessKeys(w.t.Context(), accountUser); awsapi.KindOf(err) == awsapi.AccessDenied {
			return
		}
	}
	w.t.Fatal("no secret fits the key")
}

// sendFrom makes the sender's key send a message from a region.
func (w *accountWorld) sendFrom(region string) {
	w.t.Helper()
	for _, secret := range w.Account.Secrets() {
		client, err := clientOf(w.t, region, w.AccountURL, w.expect.AccessKeyID, secret)
		w.ok(err)
		if _, err := client.PublishSMS(w.t.Context(), region, awsapi.SMS{To: "+15005550006", Text: "hi"}); err == nil {
			return
		}
	}
	w.t.Fatal("no secret fits the key")
}

// attach gives the user a managed policy, which no client of ours can do.
func (w *accountWorld) attach(arn string) {
	w.t.Helper()
	w.ok(w.Account.AttachUserPolicy(accountUser, arn))
}

// TestPassesSayWhatWasSeen: a pass is read too, by whoever wants to know how far
// it is to the next failure.
func TestPassesSayWhatWasSeen(t *testing.T) {
	w := newAccountWorld(t)
	// The guide's own policy is left beside ours, which denies what it allows too much.
	w.ok(w.aws.PutUserPolicy(t.Context(), accountUser, "guide", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}}`))
	w.Account.SetMonthlySpend(50, 12.345)
	w.Account.SetOriginationNumbers([]aws.OriginationNumber{{Number: "+12065550100", Country: "US"}, {Number: "+447700900100", Country: "GB"}})
	w.expect.SMS = &sender.Options{AllowedCountryCodes: []string{"+1", "+91", "+44"}, EntityID: "1", TemplateID: "2"}
	findings := w.look(checks.After)
	if got := notPassed(findings); len(got) > 0 {
		t.Errorf("not passed: %v", got)
	}
	for id, want := range map[string]string{
		"aws-reachable": "user/operator, in account " + w.Account.Snapshot().AccountID, "spend-limit": "50.00 USD a month in eu-west-1",
		"month-spend": "12.35 USD of 50.00 USD", "key-active": w.expect.AccessKeyID, "key-last-used": "has sent nothing yet",
		"key-age": "0 days old", "origination-identity": "+1, +91, +44",
	} {
		if !strings.Contains(findings[id].Cause, want) {
			t.Errorf("%s says %q, and not %q", id, findings[id].Cause, want)
		}
	}
}

// TestWithoutAStateTheOneKeyIsTheSenders: by hand there is no state and no
// record, and yet most can be told.
func TestWithoutAStateTheOneKeyIsTheSenders(t *testing.T) {
	w := newAccountWorld(t)
	w.expect.SenderID, w.expect.AccessKeyID, w.expect.SMS = "", "", nil
	if diff := cmp.Diff([]string{"key-is-the-states: unknown", "sms-type: unknown"}, notPassed(w.look(checks.After))); diff != "" {
		t.Errorf("one key (-want +got):\n%s", diff)
	}
	_, err := w.aws.CreateAccessKey(t.Context(), accountUser)
	w.ok(err)
	want := []string{"key-active: unknown", "key-age: unknown", "key-is-the-states: unknown", "key-last-used: unknown", "key-slot: unknown", "sms-type: unknown"}
	if diff := cmp.Diff(want, notPassed(w.look(checks.After))); diff != "" {
		t.Errorf("two keys (-want +got):\n%s", diff)
	}
	// The record on the user knows which it is.
	w.expect.SenderID = accountSender
	if diff := cmp.Diff([]string{"key-is-the-states: unknown", "key-slot: fail", "sms-type: unknown"}, notPassed(w.look(checks.After))); diff != "" {
		t.Errorf("two keys and a record (-want +got):\n%s", diff)
	}
}

// allows is a policy of an operator that may do everything but some.
func allowsBut(actions ...string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["%s"],"Resource":"*"}]}`, strings.Join(actions, `","`))
}

// TestWhatMayNotBeReadIsUnknown: a pass nobody looked for is worse than none.
func TestWhatMayNotBeReadIsUnknown(t *testing.T) {
	for action, want := range map[string][]string{
		"sns:GetSMSSandboxAccountStatus": {"sns-sandbox: unknown"},
		"sns:GetSMSAttributes":           {"month-spend: unknown", "spend-limit: unknown"},
		"cloudwatch:GetMetricStatistics": {"month-spend: unknown"},
		"sns:ListOriginationNumbers":     {"origination-identity: unknown"},
		"iam:GetAccessKeyLastUsed":       {"key-last-used: unknown"},
		"iam:ListAccessKeys":             {"key-active: unknown", "key-age: unknown", "key-last-used: unknown", "key-slot: unknown"},
		"iam:GetUserPolicy":              {"policy-allows-sms: unknown", "policy-no-more: unknown"},
		"iam:ListAttachedUserPolicies":   {"policy-allows-sms: unknown", "policy-no-more: unknown"},
		"iam:ListGroupsForUser":          {"policy-allows-sms: unknown", "policy-no-more: unknown"},
		"iam:GetUser": {
			"key-active: unknown", "key-age: unknown", "key-is-the-states: unknown", "key-last-used: unknown", "key-slot: unknown",
			"policy-allows-sms: unknown", "policy-no-more: unknown",
		},
	} {
		t.Run(action, func(t *testing.T) {
			w := newAccountWorld(t)
			w.expect.SMS.AllowedCountryCodes = []string{"+1"}
			w.Account.SetOriginationNumbers([]aws.OriginationNumber{{Number: "+12065550100", Country: "US"}})
			w.ok(w.Account.SetOperatorPolicy(allowsBut(action)))
			findings := w.look(checks.After)
			if diff := cmp.Diff(want, notPassed(findings)); diff != "" {
				t.Fatalf("(-want +got):\n%s", diff)
			}
			id, _, _ := strings.Cut(want[0], ":")
			if !strings.Contains(strings.ToLower(findings[id].Remedy), strings.ToLower(action)) {
				t.Errorf("the remedy %q does not name %s", findings[id].Remedy, action)
			}
		})
	}
}

func TestPermissionsAreNamedWithTheLineToGrantThem(t *testing.T) {
	for name, c := range map[string]struct {
		policy string
		result checks.Result
		says   []string
		not    string
	}{
		"one of an apply": {
			allowsBut("iam:TagUser"), checks.Fail,
			[]string{"iam:TagUser", `{"Effect":"Allow","Action":["iam:TagUser"],"Resource":["arn:aws:iam::`, `:user/auth0-mfa-new-bridge"]}`},
			"iam:CreateUser",
		},
		"one of a check": {allowsBut("cloudwatch:GetMetricStatistics"), checks.Unknown, []string{`"Action":["cloudwatch:GetMetricStatistics"],"Resource":["*"]`, "may do what an apply needs"}, "iam:TagUser"},
		"denied": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"iam:CreateAccessKey","Resource":"*"}]}`,
			checks.Fail,
			[]string{"Change the policy that denies iam:CreateAccessKey"},
			"Add to a policy",
		},
		"a condition": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":"iam:CreateUser","Resource":"*"},{"Effect":"Allow","Action":"iam:CreateUser","Resource":"*","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"true"}}}]}`,
			checks.Unknown,
			[]string{"iam:CreateUser", "conditions"},
			"iam:TagUser",
		},
		"another user's only": {
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","NotAction":["iam:CreateUser"],"Resource":"*"},{"Effect":"Allow","Action":"iam:CreateUser","Resource":"arn:aws:iam::*:user/other-*"}]}`,
			checks.Fail,
			[]string{"iam:CreateUser"},
			"iam:TagUser",
		},
		"the simulator":                {allowsBut("iam:SimulatePrincipalPolicy"), checks.Unknown, []string{"iam:SimulatePrincipalPolicy"}, ""},
		"the printed policy":           {"printed", checks.Pass, []string{"28 actions"}, ""},
		"the policy of the docs alone": {"documented", checks.Unknown, []string{"iam:SimulatePrincipalPolicy"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newAccountWorld(t)
			w.expect.IAMUser = "auth0-mfa-new"
			switch c.policy {
			case "printed":
				c.policy = checks.OperatorPolicy("aws", w.Account.Snapshot().AccountID, w.expect.IAMUser)
			case "documented":
				c.policy = documentedPolicy(t)
			}
			w.ok(w.Account.SetOperatorPolicy(c.policy))
			f := w.look(checks.Before)["aws-permissions"]
			if f.Result != c.result {
				t.Errorf("result %s, want %s: %+v", f.Result, c.result, f)
			}
			for _, says := range c.says {
				if !strings.Contains(f.Cause+" "+f.Remedy, says) {
					t.Errorf("%q, %q does not say %q", f.Cause, f.Remedy, says)
				}
			}
			if c.not != "" && strings.Contains(f.Cause+" "+f.Remedy, c.not) {
				t.Errorf("%q, %q says %q", f.Cause, f.Remedy, c.not)
			}
		})
	}
}

// TestARoleAndARootAreLookedUpAsWhatTheyAre: an operator is a role as often as a
// user, and the simulator takes no session.
func TestARoleAndARootAreLookedUpAsWhatTheyAre(t *testing.T) {
	w := newAccountWorld(t)
	account := w.Account.Snapshot().AccountID
	role, err := awsapi.New(t.Context(), awsapi.Config{Region: "eu-west-1", EndpointURL: w.AccountURL, AssumeRoleARN: "arn:aws:iam::" + account + ":role/operator"})
	w.ok(err)
	w.aws = role
	if f := w.look(checks.Before)["aws-permissions"]; f.Result != checks.Pass || !strings.Contains(f.Cause, ":role/operator may do all") {
		t.Errorf("a role that may do everything: %+v", f)
	}
	principal, err := role.Principal(t.Context(), awsapi.Identity{ARN: "arn:aws:iam::" + account + ":root"})
	if err != nil || principal != "" {
		t.Errorf("the root user has the policies of %q (%v)", principal, err)
	}
}

func TestUsersThatExistAreNamedWithTheirImport(t *testing.T) {
	w := newAccountWorld(t)
	if f := w.look(checks.Before)["iam-user-free"]; f.Result != checks.Pass || !strings.Contains(f.Cause, "in Terraform's state") {
		t.Errorf("a user of the state: %+v", f)
	}
	w.expect.AccessKeyID = ""
	f := w.look(checks.Before)["iam-user-free"]
	if f.Result != checks.Fail || !strings.Contains(f.Remedy, `to = module.sms_mfa.auth0sns_iam_user.sms, id = "auth0-mfa-sms"`) || !strings.Contains(f.Cause, "with 1 access key") {
		t.Errorf("a user in use that the state does not know: %+v", f)
	}
	_, err := w.aws.CreateUser(t.Context(), awsapi.User{Name: "auth0-mfa-left", Path: "/", Tags: map[string]string{handover.TagCreated: "example.auth0.com"}})
	w.ok(err)
	w.expect.IAMUser = "auth0-mfa-left"
	if f := w.look(checks.Before)["iam-user-free"]; f.Result != checks.Pass || !strings.Contains(f.Cause, "takes it over") {
		t.Errorf("a user of an apply that died: %+v", f)
	}
}

func TestUnreachableAWSFails(t *testing.T) {
	w := newAccountWorld(t)
	wrong, err := clientOf(t, "eu-west-1", w.AccountURL, "AKIANOBODY", "wrong")
	w.ok(err)
	w.aws = wrong
	found := w.look(checks.Before)
	if f := found["aws-reachable"]; f.Result != checks.Fail || !strings.Contains(f.Cause, "InvalidClientTokenId") || !strings.Contains(f.Remedy, "access key") {
		t.Errorf("credentials that AWS does not know: %+v", f)
	}
	if f := found["spend-limit"]; f.Result != checks.Unknown || f.Cause != "It could not be looked at." || f.Remedy != "See aws-reachable." {
		t.Errorf("what was said is said again: %+v", f)
	}
}

func documentedPolicy(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(acctest.ModuleRoot(t), "examples", "permissions", "aws-operator-policy.json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestThePolicyOfTheDocsIsTheFirstPartOfTheOnePrinted: the page and the command
// would otherwise grant different things.
func TestThePolicyOfTheDocsIsTheFirstPartOfTheOnePrinted(t *testing.T) {
	first := func(text string) string {
		var policy struct {
			Version   string
			Statement []map[string]any
		}
		if err := json.Unmarshal([]byte(text), &policy); err != nil {
			t.Fatal(err)
		}
		policy.Statement = policy.Statement[:1]
		out, err := json.Marshal(policy)
		if err != nil {
			t.Fatal(err)
		}
		return string(out)
	}
	if printed := first(checks.OperatorPolicy("aws", "111122223333", "auth0-mfa-*")); !awsapi.PoliciesEqual(first(documentedPolicy(t)), printed) {
		t.Errorf("examples/permissions/aws-operator-policy.json is not the first statement of %s", printed)
	}
}

// TestEveryPrintedActionIsOnThePage: who reads the policy before granting it finds
// what each action is for.
func TestEveryPrintedActionIsOnThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(acctest.ModuleRoot(t), "templates", "index.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	said := string(page) + documentedPolicy(t)
	var policy struct{ Statement []struct{ Action []string } }
	if err := json.Unmarshal([]byte(checks.OperatorPolicy("aws", "111122223333", accountUser)), &policy); err != nil {
		t.Fatal(err)
	}
	for _, statement := range policy.Statement {
		for _, action := range statement.Action {
			if !strings.Contains(said, action) {
				t.Errorf("templates/index.md.tmpl does not say what %s is for", action)
			}
		}
	}
}
