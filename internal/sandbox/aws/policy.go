package aws

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// document is a parsed IAM policy document.
// Grammar: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html.
type document struct {
	Version   string
	ID        string `json:"Id"`
	Statement oneOrMany[statement]
}

type statement struct {
	SID          string `json:"Sid"`
	Effect       string
	Principal    json.RawMessage
	NotPrincipal json.RawMessage
	Action       oneOrMany[string]
	NotAction    oneOrMany[string]
	Resource     oneOrMany[string]
	NotResource  oneOrMany[string]
	Condition    json.RawMessage
}

// oneOrMany is IAM's "a value or a list of values".
type oneOrMany[T any] []T

func (list *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	if data[0] == '[' {
		var many []T
		if err := strictJSON(data, &many); err != nil {
			return err
		}
		*list = many
		return nil
	}
	var one T
	if err := strictJSON(data, &one); err != nil {
		return err
	}
	*list = oneOrMany[T]{one}
	return nil
}

// strictJSON refuses unknown elements, as IAM does. A decoder's strictness does
// not reach into UnmarshalJSON, so every level has to ask for it.
func strictJSON(data []byte, into any) error {
	decoder := json.NewDecoder(strings.NewReader(string(data)))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return fmt.Errorf("policy: %w", err)
	}
	if decoder.More() {
		return errors.New("policy: text after the document")
	}
	return nil
}

// parseDocument reads an identity policy and refuses what IAM refuses in an
// account of partition.
func parseDocument(text, partition string) (document, error) {
	var doc document
	if err := strictJSON([]byte(text), &doc); err != nil {
		return document{}, malformed("Syntax errors in policy.")
	}
	if doc.Version != "" && doc.Version != "2012-10-17" && doc.Version != "2008-10-17" {
		return document{}, malformed("The policy must contain a valid version string")
	}
	if len(doc.Statement) == 0 {
		return document{}, malformed("Syntax errors in policy.")
	}
	seen := map[string]bool{}
	for _, s := range doc.Statement {
		if err := s.validate(partition); err != nil {
			return document{}, err
		}
		if s.SID != "" && seen[s.SID] {
			return document{}, malformed("Statement IDs (SID) in a single policy must be unique.")
		}
		seen[s.SID] = true
	}
	return doc, nil
}

func (s statement) validate(partition string) error {
	switch {
	case s.Effect != "Allow" && s.Effect != "Deny":
		return malformed("Syntax errors in policy.")
	case s.Principal != nil || s.NotPrincipal != nil:
		return malformed("Policy document should not specify a principal.")
	case !sidPattern.MatchString(s.SID):
		return malformed("Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*")
	case len(s.Action) == 0 && len(s.NotAction) == 0:
		return malformed("Policy statement must contain actions.")
	case len(s.Resource) == 0 && len(s.NotResource) == 0:
		return malformed("Policy statement must contain resources.")
	case len(s.Action) > 0 && len(s.NotAction) > 0, len(s.Resource) > 0 && len(s.NotResource) > 0:
		return malformed("Syntax errors in policy.")
	}
	for _, action := range slices.Concat(s.Action, s.NotAction) {
		if !actionPattern.MatchString(action) {
			return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		}
	}
	for _, resource := range slices.Concat(s.Resource, s.NotResource) {
		if err := validateResource(resource, partition); err != nil {
			return err
		}
	}
	return nil
}

func validateResource(resource, partition string) error {
	if resource == "*" {
		return nil
	}
	parts := resourcePattern.FindStringSubmatch(resource)
	switch {
	case parts == nil:
		return malformed("Resource %s must be in ARN format or \"*\".", resource)
	case !glob(parts[1], partition):
		return malformed("Partition \"%s\" is not valid for resource \"%s\".", parts[1], resource)
	default:
		return nil
	}
}

var (
	sidPattern      = lazyregexp.New(`^[0-9A-Za-z]*$`)
	actionPattern   = lazyregexp.New(`^(\*|[A-Za-z0-9-]+:[A-Za-z0-9*?]+)$`)
	resourcePattern = lazyregexp.New(`^arn:([^:]+):[^:]+:[^:]*:[^:]*:.+$`)
	variablePattern = lazyregexp.New(`\$\{[^}]*\}`)
)

func malformed(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "MalformedPolicyDocument", format, args...)
}

// verdict is what a set of policies says about one request.
type verdict int

const (
	silent verdict = iota // no statement matches: an implicit deny
	allowed
	denied
)

// evaluate applies IAM's order: an explicit deny wins over any allow.
func evaluate(docs []document, action, resource string) verdict {
	result := silent
	for _, doc := range docs {
		for _, s := range doc.Statement {
			if !s.matches(action, resource) {
				continue
			}
			if s.Effect == "Deny" {
				return denied
			}
			result = allowed
		}
	}
	return result
}

func (s statement) matches(action, resource string) bool {
	// Conditions and policy variables are not emulated. The safe side is the one
	// that refuses: an Allow that carries one never matches, a Deny always does.
	if s.unsupported() && s.Effect == "Allow" {
		return false
	}
	return s.selects(action, resource)
}

// selects tells whether a statement is about an action on a resource, whatever
// its condition.
func (s statement) selects(action, resource string) bool {
	return selects(s.Action, s.NotAction, strings.ToLower(action), strings.ToLower) &&
		selects(s.Resource, s.NotResource, resource, openVariables)
}

func (s statement) unsupported() bool {
	if s.Condition != nil {
		return true
	}
	return strings.Contains(strings.Join(s.Resource, "")+strings.Join(s.NotResource, ""), "${")
}

// selects tells whether value is in the patterns, or outside the excluded ones.
func selects(patterns, excluded []string, value string, normalize func(string) string) bool {
	if len(excluded) > 0 {
		return !contains(excluded, value, normalize)
	}
	return contains(patterns, value, normalize)
}

func contains(patterns []string, value string, normalize func(string) string) bool {
	for _, pattern := range patterns {
		if glob(normalize(pattern), value) {
			return true
		}
	}
	return false
}

// openVariables makes a policy variable stand for anything; see [statement.matches].
func openVariables(pattern string) string {
	return variablePattern.ReplaceAllString(pattern, "*")
}

// glob matches IAM's wildcards: * is any run of characters, colons and slashes
// included, and ? is any one character.
func glob(pattern, value string) bool {
	for pattern != "" {
		switch {
		case pattern[0] == '*':
			for i := 0; i <= len(value); i++ {
				if glob(pattern[1:], value[i:]) {
					return true
				}
			}
			return false
		case value == "" || pattern[0] != '?' && pattern[0] != value[0]:
			return false
		}
		pattern, value = pattern[1:], value[1:]
	}
	return value == ""
}

// managedPolicies are the AWS managed policies the account knows, by ARN, cut
// down to the three services that are emulated.
// Texts: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html.
func managedPolicies(partition string) map[string]document {
	everything := oneOrMany[string]{"*"}
	prefix := "arn:" + partition + ":iam::aws:policy/"
	return map[string]document{
		prefix + administratorAccess: {Statement: []statement{
			{Effect: "Allow", Action: everything, Resource: everything},
		}},
		prefix + "PowerUserAccess": {Statement: []statement{
			{Effect: "Allow", NotAction: []string{"iam:*", "organizations:*", "account:*"}, Resource: everything},
		}},
		prefix + "AmazonSNSFullAccess": {Statement: []statement{
			{Effect: "Allow", Action: []string{"sns:*"}, Resource: everything},
		}},
		prefix + "IAMFullAccess": {Statement: []statement{
			{Effect: "Allow", Action: []string{"iam:*"}, Resource: everything},
		}},
	}
}

const administratorAccess = "AdministratorAccess"
