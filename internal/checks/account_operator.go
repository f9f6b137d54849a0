package checks

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// What the operator's policy allows. Terraform needs the first list alone; the
// documentation shows it, and the examples are tested with it.
var (
	manageUser = []string{
		"iam:CreateAccessKey", "iam:CreateUser", "iam:DeleteAccessKey", "iam:DeleteUser", "iam:DeleteUserPermissionsBoundary",
		"iam:DeleteUserPolicy", "iam:GetAccessKeyLastUsed", "iam:GetUser", "iam:GetUserPolicy", "iam:ListAccessKeys",
		"iam:PutUserPermissionsBoundary", "iam:PutUserPolicy", "iam:TagUser", "iam:UntagUser", "iam:UpdateAccessKey", "iam:UpdateUser",
	}
	lookAtUser    = []string{"iam:ListAttachedUserPolicies", "iam:ListGroupsForUser", "iam:ListUserPolicies"}
	lookAtAccount = []string{
		"cloudwatch:GetMetricStatistics", "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:SimulatePrincipalPolicy",
		"sns:GetSMSAttributes", "sns:GetSMSSandboxAccountStatus", "sns:ListOriginationNumbers", "sns:ListSMSSandboxPhoneNumbers",
	}
	// lookAtNumber is for a test message, and for no check.
	lookAtNumber = []string{"sns:CheckIfPhoneNumberIsOptedOut"}
	// SNS asks the service behind it in the caller's name. The five are those of
	// AWS's own AmazonSNSReadOnlyAccess.
	// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSNSReadOnlyAccess.html
	lookThroughSNS = []string{
		"sms-voice:DescribeAccountAttributes", "sms-voice:DescribeOptedOutNumbers", "sms-voice:DescribePhoneNumbers",
		"sms-voice:DescribeSpendLimits", "sms-voice:DescribeVerifiedDestinationNumbers",
	}
)

// grant is a statement of an identity policy.
type grant struct {
	Sid       string `json:",omitempty"`
	Effect    string
	Action    []string
	Resource  []string
	Condition map[string]map[string]string `json:",omitempty"`
}

// OperatorPolicy is the JSON of the least that an operator needs in AWS: for
// Terraform, and for the checks, which only read. The user is a name, or a
// pattern such as "auth0-mfa-*"; one whose path is not "/" begins with that.
func OperatorPolicy(partition, account, user string) string {
	users := usersOf("arn:" + partition + ":iam::" + account + ":user/" + user)
	document, err := json.MarshalIndent(struct {
		Version   string
		Statement []grant
	}{"2012-10-17", []grant{
		{Sid: "ManageSMSUser", Effect: "Allow", Action: manageUser, Resource: users},
		{Sid: "LookAtSMSUser", Effect: "Allow", Action: lookAtUser, Resource: users},
		{Sid: "LookAtAccount", Effect: "Allow", Action: slices.Concat(lookAtAccount, lookAtNumber), Resource: []string{"*"}},
		{
			Sid: "LookAtSMSThroughSNS", Effect: "Allow", Action: lookThroughSNS, Resource: []string{"*"},
			Condition: map[string]map[string]string{"StringEquals": {"aws:CalledViaLast": "sns.amazonaws.com"}},
		},
	}}, "", "  ")
	if err != nil {
		panic("checks: the operator's policy has no JSON: " + err.Error())
	}
	return string(document)
}

// usersOf adds the user that an apply makes for the time of a repair.
func usersOf(arn string) []string {
	if strings.Contains(arn, "*") {
		return []string{arn}
	}
	path, name := arn[:strings.LastIndex(arn, "/")+1], arn[strings.LastIndex(arn, "/")+1:]
	return []string{arn, path + handover.BridgeName(name)}
}

// checkAccountReachable fails whatever the reason: nothing else can be looked at.
func checkAccountReachable(ctx context.Context, s *Subject) (Verdict, error) {
	caller, err := s.AWS.Identity(ctx)
	if err != nil {
		cause, remedy := explain(err)
		return fail(remedy, "%s", cause), nil
	}
	return pass("%s, in account %s.", caller.ARN, caller.AccountID), nil
}

// checkPermissions asks AWS's own simulator. Actions that only these checks need
// stop no apply.
func checkPermissions(ctx context.Context, s *Subject) (Verdict, error) {
	caller, err := s.AWS.Identity(ctx)
	if err != nil {
		return Verdict{}, err
	}
	principal, err := s.AWS.Principal(ctx, caller)
	if err != nil {
		return Verdict{}, err
	}
	if principal == "" {
		return unknown("Use the credentials of an IAM user or role that has the policy which auth0sns check --pre --print-iam-policy prints.",
			"%s is no IAM user or role, and AWS simulates the policies of these alone.", caller.ARN), nil
	}
	user := fmt.Sprintf("arn:%s:iam::%s:user/%s", caller.Partition, caller.AccountID, s.Expect.IAMUser)
	if found, err := s.iamUser(ctx); err == nil {
		user = found.ARN
	}
	var setUp, look permissions
	for _, question := range []struct {
		into      *permissions
		actions   []string
		resources []string
	}{{&setUp, manageUser, usersOf(user)}, {&look, lookAtUser, []string{user}}, {&look, lookAtAccount, []string{"*"}}} {
		for _, resource := range question.resources {
			answers, err := s.AWS.SimulatePrincipalPolicy(ctx, principal, question.actions, resource)
			if err != nil {
				return Verdict{}, err
			}
			question.into.add(question.actions, resource, answers)
		}
	}
	switch {
	case len(setUp.missing)+len(setUp.denied) > 0:
		return fail(setUp.remedy(look), "%s may not: %s.", principal, setUp.list()), nil
	case len(setUp.open) > 0:
		return unknown("Look at the conditions of the policies of "+principal+".",
			"Whether %s may %s depends on conditions that a simulation cannot know.", principal, strings.Join(setUp.open, ", ")), nil
	case len(look.missing)+len(look.denied)+len(look.open) > 0:
		return unknown(look.remedy(permissions{}), "%s may do what an apply needs. Checks that need these will be unknown: %s.", principal, look.list()), nil
	default:
		return pass("%s may do all %d actions, as AWS's policy simulator says.", principal, len(manageUser)+len(lookAtUser)+len(lookAtAccount)), nil
	}
}

// permissions are the actions that a principal lacks, each once.
type permissions struct {
	missing, denied, open []string
	grants                []grant // what would allow the missing ones
}

// add takes the simulator's answers; an action that it did not answer is open.
func (p *permissions) add(actions []string, resource string, answers []awsapi.Simulated) {
	var missing []string
	for _, action := range actions {
		i := slices.IndexFunc(answers, func(a awsapi.Simulated) bool { return a.Action == action })
		switch {
		case i < 0 || !answers[i].Allowed && len(answers[i].MissingContext) > 0:
			p.open = adding(p.open, action)
		case answers[i].Denied:
			p.denied = adding(p.denied, action)
		case !answers[i].Allowed:
			missing = append(missing, action)
			p.missing = adding(p.missing, action)
		}
	}
	if len(missing) > 0 {
		p.grants = append(p.grants, grant{Effect: "Allow", Action: missing, Resource: []string{resource}})
	}
}

func adding(list []string, value string) []string {
	if slices.Contains(list, value) {
		return list
	}
	return append(list, value)
}

func (p *permissions) list() string {
	return strings.Join(slices.Concat(p.missing, p.denied, p.open), ", ")
}

// remedy is what to grant and what not to deny, a statement for all resources
// that lack the same actions.
func (p *permissions) remedy(more permissions) string {
	var grants []grant
	for _, g := range slices.Concat(p.grants, more.grants) {
		i := slices.IndexFunc(grants, func(other grant) bool { return slices.Equal(other.Action, g.Action) })
		if i < 0 {
			grants = append(grants, g)
		} else {
			grants[i].Resource = slices.Concat(grants[i].Resource, g.Resource)
		}
	}
	var sentences []string
	for _, g := range grants {
		statement, err := json.Marshal(g)
		if err != nil {
			panic("checks: a statement has no JSON: " + err.Error())
		}
		sentences = append(sentences, "Add to a policy of the operator: "+string(statement))
	}
	if denied := slices.Concat(p.denied, more.denied); len(denied) > 0 {
		sentences = append(sentences, "Change the policy that denies "+strings.Join(denied, ", ")+".")
	}
	return strings.Join(append(sentences, "All of it: auth0sns check --pre --print-iam-policy."), " ")
}

// checkUserFree tells a user that an apply would refuse to take over from one
// that it makes, has, or takes over. The last is for the plan to decide; here it
// is enough that the user bears our mark and has no key.
func checkUserFree(ctx context.Context, s *Subject) (Verdict, error) {
	user, err := s.iamUser(ctx)
	switch {
	case awsapi.IsNotFound(err):
		return pass("There is no IAM user %s yet.", s.Expect.IAMUser), nil
	case err != nil:
		return Verdict{}, err
	case s.Expect.AccessKeyID != "":
		return pass("%s is in Terraform's state.", user.ARN), nil
	}
	keys, err := s.iamKeys(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if _, ours := user.Tags[handover.TagCreated]; ours && len(keys) == 0 {
		return pass("%s was made by an apply that did not end, and has no key: the next one takes it over.", user.ARN), nil
	}
	return fail(
		importBlock("auth0sns_iam_user", user.Name)+" auth0sns bootstrap writes the block. Or name another user.",
		"%s exists, made at %s, with %s, and is not in Terraform's state.", user.ARN, minute(user.CreatedAt), counted(len(keys), "access key")), nil
}
