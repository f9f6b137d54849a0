// Package review reads a Terraform plan as somebody does who has to log in
// tomorrow: what of it takes people's codes away, what lets others send at our
// cost, and what a reviewer cannot see. It looks at the plan alone: no network,
// no credentials.
package review

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
)

// Severity is how bad it is if the plan is applied and nobody meant it. A higher
// one is worse.
type Severity int

const (
	// Info is worth knowing, and no risk.
	Info Severity = iota
	// Low is a risk that is small, or that only few people notice.
	Low
	// Medium is to be looked at by a second person.
	Medium
	// High lets codes be lost or money be spent.
	High
	// Critical means that people who log in get no code, or are not asked for one.
	Critical
)

// Severities are all of them, the worst first.
func Severities() []Severity { return []Severity{Critical, High, Medium, Low, Info} }

func (s Severity) String() string {
	return [...]string{"info", "low", "medium", "high", "critical"}[s]
}

// MarshalText gives the word that [ParseSeverity] takes.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// ParseSeverity reads a severity's word.
func ParseSeverity(word string) (Severity, error) {
	for _, s := range Severities() {
		if s.String() == word {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is no severity: use critical, high, medium, low or info", word)
}

// Finding is one thing in a plan that a reviewer should know.
type Finding struct {
	// ID names the rule, one of [Rules]: "factor-off".
	ID       string   `json:"id"`
	Severity Severity `json:"severity"`
	// Address is the resource's in the plan; "" for the plan as a whole.
	Address string `json:"address,omitempty"`
	// Message says in one sentence what it means for people.
	Message string `json:"message"`
	// Detail says what the plan does, and what to do about it.
	Detail string `json:"detail,omitempty"`
	// Diff is a unified diff, of code as a rule.
	Diff string `json:"diff,omitempty"`
	// Position is the block in the configuration; nil where nobody looked or found it.
	Position *Position `json:"position,omitempty"`
}

// Position is a place in a file of the configuration.
type Position struct {
	File string `json:"file"` // with slashes, relative where the folder was
	Line int    `json:"line"` // from 1
}

// Plan gives the findings of a plan, the worst first; none for a plan that
// changes nothing or that rotates a key because it is due, and none above [Info]
// for one that sets everything up for the first time.
func Plan(plan *tfjson.Plan) []Finding {
	p := newPlanned(plan)
	findings := p.wholePlan()
	for _, c := range p.changes {
		for _, rule := range rulesOf(c) {
			findings = append(findings, rule(c)...)
		}
	}
	return Sorted(findings)
}

// Sorted gives findings in the order in which they are shown, each once.
func Sorted(findings []Finding) []Finding {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(b.Severity, a.Severity), strings.Compare(a.Address, b.Address), strings.Compare(a.ID, b.ID), strings.Compare(a.Message, b.Message))
	})
	return slices.CompactFunc(findings, func(a, b Finding) bool {
		return a.ID == b.ID && a.Address == b.Address && a.Message == b.Message
	})
}

// Count tells how many findings are at least as bad as a severity.
func Count(findings []Finding, atLeast Severity) int {
	n := 0
	for _, f := range findings {
		if f.Severity >= atLeast {
			n++
		}
	}
	return n
}

// rulesOf are the rules for a change of a resource. What is set up, kept, taken
// away and forgotten goes through all rules of its type: each looks for itself.
func rulesOf(c change) []func(change) []Finding {
	return map[string][]func(change) []Finding{
		typeFactor:        {forgotten, imported, gap, hiddenValues, factorTakenAway, factorSwitched, factorTexts},
		typePolicy:        {forgotten, imported, gap, hiddenValues, policyTakenAway, policySwitched},
		typeHook:          {forgotten, imported, gap, hiddenValues, senderTakenAway, senderSwitched, senderCode, senderOptions, forced},
		typeAction:        {forgotten, imported, gap, hiddenValues, senderTakenAway, senderCode, senderOptions, forced},
		typePhoneProvider: {forgotten, imported, gap, hiddenValues, senderTakenAway, phoneProviderSwitched, unifiedSwitched, forced},
		typeCredentials:   {forgotten, imported, gap, senderTakenAway, keyReplaced, rotationOff, forced},
		typeUser:          {forgotten, imported, gap, userTakenAway, userPolicy},

		"aws_iam_user_policy":                       {grantedInline},
		"aws_iam_user_policy_attachment":            {grantedManaged},
		"aws_iam_policy_attachment":                 {grantedManaged},
		"aws_iam_user_policy_attachments_exclusive": {grantedManaged},
		"aws_iam_user_policies_exclusive":           {exclusivePolicies},
		"aws_iam_user_group_membership":             {grantedGroup},
		"aws_iam_group_membership":                  {grantedGroup},
		"aws_iam_access_key":                        {secondKey},
		"aws_sns_sms_preferences":                   {smsPreferences},

		"auth0_guardian":                    {guardian},
		"auth0_phone_provider":              {peerPhoneProvider},
		"auth0_phone_notification_template": {peerTemplate},
		"auth0_action":                      {peerAction},
		"auth0_hook":                        {peerHook},
		"auth0_trigger_action":              {peerTrigger},
		"auth0_trigger_actions":             {peerTrigger},
		"auth0_tenant":                      {peerTenant},
	}[c.Type]
}
