package awsapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// Simulated is what AWS's policy simulator says of one action.
type Simulated struct {
	Action  string
	Allowed bool
	// Denied is set where a statement denies it, and not only none allows it.
	Denied bool
	// MissingContext are the keys that a condition asks for and that only the
	// real request would have. Where there are some the answer is none.
	MissingContext []string
}

// Principal is the user or role whose policies decide what a caller may do: for
// a session that of its role. It is "" where there is none: for the account's
// root and for a federated user.
func (c *Client) Principal(ctx context.Context, caller Identity) (string, error) {
	parsed, err := arn.Parse(caller.ARN)
	if err != nil {
		return "", fmt.Errorf("the caller's ARN %q: %w", caller.ARN, err)
	}
	kind, rest, _ := strings.Cut(parsed.Resource, "/")
	switch kind {
	case "user", "role":
		return caller.ARN, nil
	case "assumed-role":
		// The ARN of a session leaves the role's path out, which those of IAM
		// Identity Center have.
		name, _, _ := strings.Cut(rest, "/")
		out, err := guarded(ctx, c, c.iam.GetRole, &iam.GetRoleInput{RoleName: &name})
		if err == nil && (out.Role == nil || aws.ToString(out.Role.Arn) == "") {
			err = emptyAnswer("iam:GetRole")
		}
		if err != nil {
			return "", err
		}
		return *out.Role.Arn, nil
	default:
		return "", nil
	}
}

// SimulatePrincipalPolicy asks AWS's policy simulator whether the policies of a
// user or role (an ARN) allow actions on a resource, an ARN or "*". It counts
// the policies of groups and a permissions boundary in, and no session policy.
func (c *Client) SimulatePrincipalPolicy(ctx context.Context, principal string, actions []string, resource string) ([]Simulated, error) {
	return allPages(func(token *string) ([]Simulated, *string, error) {
		out, err := guarded(ctx, c, c.iam.SimulatePrincipalPolicy, &iam.SimulatePrincipalPolicyInput{
			PolicySourceArn: &principal, ActionNames: actions, ResourceArns: []string{resource}, Marker: token,
		})
		if err != nil {
			return nil, nil, err
		}
		results := make([]Simulated, len(out.EvaluationResults))
		for i, r := range out.EvaluationResults {
			results[i] = Simulated{
				Action:         aws.ToString(r.EvalActionName),
				Allowed:        r.EvalDecision == types.PolicyEvaluationDecisionTypeAllowed,
				Denied:         r.EvalDecision == types.PolicyEvaluationDecisionTypeExplicitDeny,
				MissingContext: r.MissingContextValues,
			}
		}
		return results, out.Marker, nil
	})
}
