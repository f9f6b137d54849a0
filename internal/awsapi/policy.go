package awsapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The versions of AWS's policy language. A document that names none is of the
// older one.
const (
	policyVersion      = "2012-10-17"
	olderPolicyVersion = "2008-10-17"
)

// PublishPolicy is the inline policy of the sending user: it may publish an
// SMS and nothing else. The resource of an SMS is the phone number, which is no
// ARN, so the Allow must name "*"; the Deny takes topics, subscriptions and
// mobile push endpoints back out, and holds when a broader policy is attached.
func PublishPolicy(partition string) string {
	document, err := json.MarshalIndent(policy{
		Version: policyVersion,
		Statement: oneOrMore[statement]{
			{
				Sid: "PublishSMS", Effect: effectAllow,
				Action: oneOrMore[scalar]{"sns:Publish"}, Resource: oneOrMore[scalar]{"*"},
			},
			{
				Sid: "DenyTopicsAndEndpoints", Effect: effectDeny,
				Action: oneOrMore[scalar]{"sns:Publish"}, Resource: oneOrMore[scalar]{scalar("arn:" + partition + ":sns:*:*:*")},
			},
		},
	}, "", "  ")
	if err != nil {
		panic("awsapi: the publish policy has no JSON: " + err.Error())
	}
	return string(document)
}

// PoliciesEqual tells whether two identity policies mean the same to AWS. The
// order of keys, statements, actions and resources, the case of actions, and
// "x" against ["x"] make no difference; a Sid does, because a person set it. A
// document that is no identity policy equals only itself, byte for byte.
func PoliciesEqual(a, b string) bool {
	if a == b {
		return true
	}
	left, err := parsePolicy(a)
	if err != nil {
		return false
	}
	right, err := parsePolicy(b)
	if err != nil {
		return false
	}
	return left.canonical() == right.canonical()
}

// Allows tells whether an identity policy, alone, allows an action on a
// resource (an ARN or a phone number). It knows what the statements of this
// package use, and says so with an error where a document goes beyond:
// conditions and policy variables.
func Allows(document, action, resource string) (bool, error) {
	return AllowTogether([]string{document}, action, resource)
}

// AllowTogether is [Allows] for all policies that a user has: one has to allow
// it, and none may deny it.
func AllowTogether(documents []string, action, resource string) (bool, error) {
	allowed, denied := false, false
	for _, document := range documents {
		p, err := parsePolicy(document)
		if err != nil {
			return false, err
		}
		for i, s := range p.Statement {
			applies, err := s.applies(action, resource)
			switch {
			case err != nil:
				return false, fmt.Errorf("statement %d: %w", i, err)
			case !applies:
			case s.Effect == effectDeny:
				denied = true
			default:
				allowed = true
			}
		}
	}
	return allowed && !denied, nil
}

// BeyondSMS lists what an identity policy allows besides an SMS: actions as it
// names them, and "sns:Publish to …" for topics and endpoints, unless one of the
// user's others denies that. Like [Allows] it gives an error where a document goes
// beyond what it knows.
func BeyondSMS(document, partition string, others ...string) ([]string, error) {
	p, err := parsePolicy(document)
	if err != nil {
		return nil, err
	}
	var beyond []string
	// Two, since a Deny may be of one region.
	anyTopic := []string{"arn:" + partition + ":sns:us-east-1:111122223333:topic", "arn:" + partition + ":sns:eu-west-1:111122223333:topic"}
	var resources []string
	for _, s := range p.Statement {
		if s.Effect == effectDeny {
			continue
		}
		for _, action := range s.Action {
			if !strings.EqualFold(string(action), "sns:Publish") {
				beyond = append(beyond, string(action))
			}
		}
		for _, action := range s.NotAction {
			beyond = append(beyond, "everything but "+string(action))
		}
		for _, resource := range s.Resource {
			if strings.HasPrefix(string(resource), "arn:") {
				// A resource that the pattern stands for.
				resources = append(resources, strings.NewReplacer("*", "x", "?", "x").Replace(string(resource)))
			}
		}
	}
	for i, resource := range slices.Concat(anyTopic, resources) {
		allowed, err := Allows(document, "sns:Publish", resource)
		if err == nil && allowed && len(others) > 0 {
			allowed, err = AllowTogether(append(slices.Clone(others), document), "sns:Publish", resource)
		}
		switch {
		case err != nil:
			return nil, err
		case allowed && i < len(anyTopic):
			return append(slices.Compact(beyond), "sns:Publish to any topic and endpoint"), nil
		case allowed:
			beyond = append(beyond, "sns:Publish to "+resource)
		}
	}
	return slices.Compact(beyond), nil
}

const (
	effectAllow = "Allow"
	effectDeny  = "Deny"
)

// policy is an identity policy. It has no Principal: AWS refuses one in a
// user's policy.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
type policy struct {
	Version   string `json:",omitempty"`
	ID        string `json:"Id,omitempty"`
	Statement oneOrMore[statement]
}

type statement struct {
	Sid         string                                  `json:",omitempty"`
	Effect      string                                  `json:",omitempty"`
	Action      oneOrMore[scalar]                       `json:",omitempty"`
	NotAction   oneOrMore[scalar]                       `json:",omitempty"`
	Resource    oneOrMore[scalar]                       `json:",omitempty"`
	NotResource oneOrMore[scalar]                       `json:",omitempty"`
	Condition   map[string]map[string]oneOrMore[scalar] `json:",omitempty"`
}

// oneOrMore is a list that AWS lets a single element stand for.
type oneOrMore[T any] []T

func (l *oneOrMore[T]) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(data, []byte("[")) {
		return strictUnmarshal(data, (*[]T)(l))
	}
	var one T
	if err := strictUnmarshal(data, &one); err != nil {
		return err
	}
	*l = oneOrMore[T]{one}
	return nil
}

func (l oneOrMore[T]) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]T(l))
}

// scalar is a string. AWS takes true and 5 for "true" and "5" in conditions.
type scalar string

func (s *scalar) UnmarshalJSON(data []byte) error {
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		return err
	}
	switch value := value.(type) {
	case string:
		*s = scalar(value)
	case bool, float64:
		*s = scalar(data)
	default:
		return fmt.Errorf("a policy has a string here, not %s", data)
	}
	return nil
}

// strictUnmarshal refuses what is no element of a policy: a document must not
// pass for equal because of something this code does not know.
func strictUnmarshal(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text after the end of the policy")
	}
	return nil
}

func parsePolicy(document string) (policy, error) {
	var p policy
	if err := strictUnmarshal([]byte(document), &p); err != nil {
		return policy{}, fmt.Errorf("not an identity policy: %w", err)
	}
	return p, nil
}

// canonical gives one text for all ways to write the same policy.
func (p policy) canonical() string {
	if p.Version == "" {
		p.Version = olderPolicyVersion
	}
	statements := make([]string, len(p.Statement))
	for i, s := range p.Statement {
		statements[i] = s.canonical()
	}
	slices.Sort(statements)
	return fmt.Sprintf("%q %q %q", p.Version, p.ID, slices.Compact(statements))
}

func (s statement) canonical() string {
	s.Action, s.NotAction = sorted(lower(s.Action)), sorted(lower(s.NotAction))
	s.Resource, s.NotResource = sorted(s.Resource), sorted(s.NotResource)
	for _, keys := range s.Condition {
		for key, values := range keys {
			keys[key] = sorted(values)
		}
	}
	return fmt.Sprintf("%q", []any{s.Sid, s.Effect, s.Action, s.NotAction, s.Resource, s.NotResource, s.Condition})
}

func sorted(values []scalar) []scalar {
	return slices.Compact(slices.Sorted(slices.Values(values)))
}

func lower(values []scalar) []scalar {
	lowered := make([]scalar, len(values))
	for i, value := range values {
		lowered[i] = scalar(strings.ToLower(string(value)))
	}
	return lowered
}

// applies tells whether a statement speaks about an action on a resource.
func (s statement) applies(action, resource string) (bool, error) {
	if len(s.Condition) > 0 {
		return false, errors.New("conditions are not evaluated here")
	}
	if s.Effect != effectAllow && s.Effect != effectDeny {
		return false, fmt.Errorf("effect %q is neither Allow nor Deny", s.Effect)
	}
	if (len(s.Action) > 0) == (len(s.NotAction) > 0) {
		return false, errors.New("needs one of Action and NotAction")
	}
	if (len(s.Resource) > 0) == (len(s.NotResource) > 0) {
		return false, errors.New("needs one of Resource and NotResource")
	}
	for _, pattern := range slices.Concat(s.Resource, s.NotResource) {
		if strings.Contains(string(pattern), "${") {
			return false, fmt.Errorf("policy variables are not evaluated here: %q", pattern)
		}
	}
	action = strings.ToLower(action)
	matchesAction := func(pattern scalar) bool { return glob(strings.ToLower(string(pattern)), action) }
	matchesResource := func(pattern scalar) bool { return globResource(string(pattern), resource) }
	actionApplies := slices.ContainsFunc(s.Action, matchesAction) ||
		len(s.NotAction) > 0 && !slices.ContainsFunc(s.NotAction, matchesAction)
	resourceApplies := slices.ContainsFunc(s.Resource, matchesResource) ||
		len(s.NotResource) > 0 && !slices.ContainsFunc(s.NotResource, matchesResource)
	return actionApplies && resourceApplies, nil
}

// globResource matches ARNs segment by segment, as AWS does: a wildcard does
// not reach past a colon, except in the last of an ARN's six segments.
func globResource(pattern, resource string) bool {
	const arnSegments = 6
	segments := strings.SplitN(pattern, ":", arnSegments)
	if segments[0] != "arn" {
		return glob(pattern, resource)
	}
	of := strings.SplitN(resource, ":", arnSegments)
	return len(segments) == len(of) && !slices.ContainsFunc(segments, func(segment string) bool {
		matched := glob(segment, of[0])
		of = of[1:]
		return !matched
	})
}

// glob matches * (any run) and ? (any one byte).
func glob(pattern, text string) bool {
	star, mark := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p++
			t++
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
