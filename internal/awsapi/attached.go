package awsapi

import (
	"context"
	"fmt"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// UserPolicies lists the names of a user's inline policies.
func (c *Client) UserPolicies(ctx context.Context, user string) ([]string, error) {
	return allPages(func(token *string) ([]string, *string, error) {
		out, err := guarded(ctx, c, c.iam.ListUserPolicies, &iam.ListUserPoliciesInput{UserName: &user, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		return out.PolicyNames, out.Marker, nil
	})
}

// AttachedPolicies lists the ARNs of the managed policies attached to a user.
func (c *Client) AttachedPolicies(ctx context.Context, user string) ([]string, error) {
	return allPages(func(token *string) ([]string, *string, error) {
		out, err := guarded(ctx, c, c.iam.ListAttachedUserPolicies, &iam.ListAttachedUserPoliciesInput{UserName: &user, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		arns := make([]string, len(out.AttachedPolicies))
		for i, policy := range out.AttachedPolicies {
			arns[i] = aws.ToString(policy.PolicyArn)
		}
		return arns, out.Marker, nil
	})
}

// Groups lists the names of the groups that a user is in.
func (c *Client) Groups(ctx context.Context, user string) ([]string, error) {
	return allPages(func(token *string) ([]string, *string, error) {
		out, err := guarded(ctx, c, c.iam.ListGroupsForUser, &iam.ListGroupsForUserInput{UserName: &user, Marker: token})
		if err != nil {
			return nil, nil, err
		}
		names := make([]string, len(out.Groups))
		for i, group := range out.Groups {
			names[i] = aws.ToString(group.GroupName)
		}
		return names, out.Marker, nil
	})
}

// ManagedPolicy reads the default version of a managed policy, AWS's own or the
// account's: its JSON document.
func (c *Client) ManagedPolicy(ctx context.Context, policyARN string) (document string, err error) {
	policy, err := guarded(ctx, c, c.iam.GetPolicy, &iam.GetPolicyInput{PolicyArn: &policyARN})
	if err == nil && policy.Policy == nil {
		err = emptyAnswer("iam:GetPolicy")
	}
	if err != nil {
		return "", err
	}
	version, err := guarded(ctx, c, c.iam.GetPolicyVersion,
		&iam.GetPolicyVersionInput{PolicyArn: &policyARN, VersionId: policy.Policy.DefaultVersionId})
	if err == nil && (version.PolicyVersion == nil || version.PolicyVersion.Document == nil) {
		err = emptyAnswer("iam:GetPolicyVersion")
	}
	if err != nil {
		return "", err
	}
	// URL-encoded, as in [Client.UserPolicy].
	if document, err = url.QueryUnescape(*version.PolicyVersion.Document); err != nil {
		return "", fmt.Errorf("iam:GetPolicyVersion: policy %s: %w", policyARN, err)
	}
	return document, nil
}

// allPages asks for one page after the other; the token of the next is empty
// after the last.
func allPages[T any](ask func(token *string) (items []T, next *string, err error)) ([]T, error) {
	var all []T
	var token *string
	for {
		items, next, err := ask(token)
		if err != nil {
			return nil, err
		}
		all = append(all, items...)
		if token = next; aws.ToString(token) == "" {
			return all, nil
		}
	}
}
