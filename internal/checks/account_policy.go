package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// anyNumber stands for the numbers of all people: a policy that lets a key send
// to this one and to no other is none that anybody writes.
const anyNumber = "+15005550006"

const publish = "sns:Publish"

// policies are what decides what a user may do, but for its groups' policies and
// those of an organization, which the checks do not read.
type policies struct {
	all      []namedPolicy // inline, then attached
	groups   []string
	boundary string // the document; "" without one
}

type namedPolicy struct{ name, document string }

func (p policies) documents() []string {
	documents := make([]string, len(p.all))
	for i, policy := range p.all {
		documents[i] = policy.document
	}
	return documents
}

// permissionsOf reads the user's policies once.
func (s *Subject) permissionsOf(ctx context.Context, user awsapi.User) (policies, error) {
	return s.account.policies.get(func() (policies, error) { return readPolicies(ctx, s.AWS, user) })
}

func readPolicies(ctx context.Context, aws AWS, user awsapi.User) (policies, error) {
	var p policies
	inline, err := aws.UserPolicies(ctx, user.Name)
	if err != nil {
		return policies{}, err
	}
	for _, name := range inline {
		document, err := aws.UserPolicy(ctx, user.Name, name)
		if err != nil {
			return policies{}, err
		}
		p.all = append(p.all, namedPolicy{"inline policy " + name, document})
	}
	attached, err := aws.AttachedPolicies(ctx, user.Name)
	if err != nil {
		return policies{}, err
	}
	for _, arn := range attached {
		document, err := aws.ManagedPolicy(ctx, arn)
		if err != nil {
			return policies{}, err
		}
		p.all = append(p.all, namedPolicy{"attached policy " + arn, document})
	}
	if user.PermissionsBoundary != "" {
		if p.boundary, err = aws.ManagedPolicy(ctx, user.PermissionsBoundary); err != nil {
			return policies{}, err
		}
	}
	p.groups, err = aws.Groups(ctx, user.Name)
	return p, err
}

// userPolicies is what both checks begin with. The verdict is set where there is
// no user.
func (s *Subject) userPolicies(ctx context.Context) (awsapi.User, policies, *Verdict, error) {
	user, err := s.iamUser(ctx)
	if awsapi.IsNotFound(err) {
		v := elsewhere(s.noUser())
		return user, policies{}, &v, nil
	}
	if err != nil {
		return user, policies{}, nil, err
	}
	p, err := s.permissionsOf(ctx, user)
	return user, p, nil, err
}

func checkPolicyAllows(ctx context.Context, s *Subject) (Verdict, error) {
	user, p, none, err := s.userPolicies(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if none != nil {
		return *none, nil
	}
	allowed, err := awsapi.AllowTogether(p.documents(), publish, anyNumber)
	if err != nil {
		return cannotEvaluate(user, err), nil
	}
	bounded := true
	if p.boundary != "" {
		if bounded, err = awsapi.Allows(p.boundary, publish, anyNumber); err != nil {
			return cannotEvaluate(user, err), nil
		}
	}
	switch {
	case allowed && !bounded:
		return fail("Allow sns:Publish on * in that policy, or take the boundary away.",
			"The permissions boundary %s of %s does not allow an SMS.", user.PermissionsBoundary, user.Name), nil
	case !allowed && len(p.groups) == 0:
		return fail(applyIt+" It puts the policy back: sns:Publish on *, since the resource of an SMS is the phone number.",
			"The policies of %s do not allow an SMS, and AWS refuses every message.%s", user.Name, s.missingPolicy(p)), nil
	case len(p.groups) > 0:
		return unknown(fmt.Sprintf("Take the user out of its groups: aws iam remove-user-from-group --user-name %s --group-name %s", user.Name, p.groups[0]),
			"%s is in the groups %s, whose policies count and are not read here.", user.Name, strings.Join(p.groups, ", ")), nil
	default:
		return pass("The policies of %s allow an SMS to any number.", user.Name), nil
	}
}

// missingPolicy says that the policy we write is not there.
func (s *Subject) missingPolicy(p policies) string {
	ours := "inline policy " + s.Expect.PolicyName
	if s.Expect.PolicyName == "" || slices.ContainsFunc(p.all, func(n namedPolicy) bool { return n.name == ours }) {
		return ""
	}
	return " It has no " + ours + "."
}

func cannotEvaluate(user awsapi.User, err error) Verdict {
	return unknown("Look at the policies of "+user.Name+" in the IAM console, or replace them by what auth0sns_iam_user writes.",
		"A policy of %s is more than can be evaluated here: %v.", user.Name, err)
}

// checkPolicyNoMore wants nothing beyond an SMS: who finds the key must not get
// more than that.
func checkPolicyNoMore(ctx context.Context, s *Subject) (Verdict, error) {
	user, p, none, err := s.userPolicies(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if none != nil {
		return *none, nil
	}
	var beyond []string
	var unread error
	for _, policy := range p.all {
		more, err := awsapi.BeyondSMS(policy.document, user.Partition(), p.documents()...)
		switch {
		case err != nil:
			unread = fmt.Errorf("%s: %w", policy.name, err)
		case len(more) > 0:
			beyond = append(beyond, fmt.Sprintf("%s allows %s%s", policy.name, strings.Join(more, ", "), knownDanger(policy.name)))
		}
	}
	for _, group := range p.groups {
		beyond = append(beyond, "group "+group+" gives what its policies allow")
	}
	switch {
	case len(beyond) > 0:
		return fail("Detach what is not of auth0sns_iam_user (aws iam detach-user-policy, remove-user-from-group, delete-user-policy); terraform apply writes its own policy back.",
			"%s.", strings.Join(beyond, "; ")), nil
	case unread != nil:
		return cannotEvaluate(user, unread), nil
	default:
		return pass("%s may send SMS, and nothing else.", user.Name), nil
	}
}

// knownDanger says what is not plain from the name of the policy that Auth0's
// older guide asked for.
// https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSNSFullAccess.html
func knownDanger(policy string) string {
	if !strings.HasSuffix(policy, "policy/AmazonSNSFullAccess") {
		return ""
	}
	return " (whoever finds the key could raise the spend limit and take opt-outs back)"
}
