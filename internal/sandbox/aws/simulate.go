package aws

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

func simulatorOperations() map[string]operation {
	iam := iamService()
	return map[string]operation{
		"SimulatePrincipalPolicy": {iam, (*call).onPolicySource, (*call).simulatePrincipalPolicy},
		"GetRole":                 {iam, (*call).onRole, (*call).getRole},
	}
}

func (c *call) onPolicySource() string { return c.form.Get("PolicySourceArn") }

func (c *call) onRole() string { return c.account.iamARN("role/" + c.form.Get("RoleName")) }

type roleResult struct {
	Role struct {
		Path, RoleName, Arn, CreateDate string
		RoleID                          string `xml:"RoleId"`
	}
}

func (c *call) getRole() (any, error) {
	if _, err := c.parameter("RoleName", existingName); err != nil {
		return nil, err
	}
	found, ok := c.account.roles[c.onRole()]
	if !ok {
		return nil, missing("The role with name %s cannot be found.", c.form.Get("RoleName"))
	}
	var result roleResult
	result.Role.Path, result.Role.RoleName, result.Role.Arn = "/", found.name, c.onRole()
	result.Role.RoleID, result.Role.CreateDate = found.id, timestamp(found.created)
	return result, nil
}

var simulatedAction = lazyregexp.New(`^[A-Za-z0-9-]+:[A-Za-z0-9]+$`)

type evaluationResult struct {
	EvalActionName, EvalResourceName, EvalDecision string
	MatchedStatements                              list[struct{}]
	MissingContextValues                           list[string]
}

type simulationResult struct {
	EvaluationResults list[evaluationResult]
	page
}

// simulatePrincipalPolicy asks the policies of a user or role, by the evaluator
// that decides about requests too. What a condition needs is never given, so a
// statement that has one counts as in [statement.matches] and its keys are named.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html.
func (c *call) simulatePrincipalPolicy() (any, error) {
	source, err := c.parameter("PolicySourceArn", arnRule)
	if err != nil {
		return nil, err
	}
	simulated, ok := c.account.principalNamed(source)
	if !ok {
		return nil, missing("The entity %s cannot be found.", source)
	}
	for parameter := range c.form {
		if !slices.Contains([]string{"Action", "Version", "PolicySourceArn", "Marker", "MaxItems"}, parameter) &&
			!strings.HasPrefix(parameter, "ActionNames.member.") && parameter != "ResourceArns.member.1" {
			return nil, invalidInput("%s is not emulated", parameter)
		}
	}
	resource := firstOf(c.form.Get("ResourceArns.member.1"), "*")
	if resource != "*" && !strings.HasPrefix(resource, "arn:") {
		return nil, invalidInput("Invalid Resource Arn: %s", resource)
	}
	actions := c.members("ActionNames")
	if len(actions) == 0 {
		return nil, invalid("1 validation error detected: Value null at 'actionNames' failed to satisfy constraint: Member must not be null")
	}
	results := make([]evaluationResult, len(actions))
	for i, action := range actions {
		if !simulatedAction.MatchString(action) {
			return nil, invalidInput("Invalid Action Name: %s", action)
		}
		results[i] = evaluationResult{
			EvalActionName: action, EvalResourceName: resource,
			EvalDecision:         simulated.decision(action, resource),
			MissingContextValues: listOf(simulated.missingContext(action, resource)),
		}
	}
	results, tail, err := paginate(c, results)
	return simulationResult{listOf(results), tail}, err
}

// principalNamed is the user or role of an ARN, as it would make a request.
func (a *Account) principalNamed(arn string) (principal, bool) {
	for _, u := range a.users {
		if a.userARN(u) == arn {
			return a.principalOf(&accessKey{owner: u}), true
		}
	}
	if r, ok := a.roles[arn]; ok {
		return principal{arn: arn, identity: r.policies}, true
	}
	return principal{}, false
}

// decision is the simulator's word for what [principal.refusal] says.
func (p principal) decision(action, resource string) string {
	policies := []verdict{evaluate(p.identity, action, resource)}
	if p.boundary != nil {
		policies = append(policies, evaluate([]document{*p.boundary}, action, resource))
	}
	switch {
	case slices.Contains(policies, denied):
		return "explicitDeny"
	case slices.Contains(policies, silent):
		return "implicitDeny"
	default:
		return "allowed"
	}
}

// missingContext are the keys of the conditions that would decide.
func (p principal) missingContext(action, resource string) []string {
	keys := map[string]bool{}
	docs := slices.Clone(p.identity)
	if p.boundary != nil {
		docs = append(docs, *p.boundary)
	}
	for _, doc := range docs {
		for _, s := range doc.Statement {
			var condition map[string]map[string]json.RawMessage
			if s.Condition == nil || !s.selects(action, resource) || json.Unmarshal(s.Condition, &condition) != nil {
				continue
			}
			for _, operator := range condition {
				for key := range operator {
					keys[key] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(keys))
}
