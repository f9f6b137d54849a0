// Package checks asks, one named question after another, whether people who log
// in get their codes: every line of the troubleshooting list of Auth0's guide,
// and what else has stopped codes. A check looks and changes nothing.
package checks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// Result is what a check found. Unknown is never taken for a pass.
type Result string

// The results.
const (
	Pass    Result = "pass"
	Fail    Result = "fail"
	Unknown Result = "unknown" // it could not look, or nobody can tell
)

// Stage is when a check is of use.
type Stage string

// The stages.
const (
	// Before the first apply: can this operator set it up here?
	Before Stage = "before"
	// After it: does it work?
	After Stage = "after"
	// Always is both.
	Always Stage = "always"
)

// Check is one named question to a tenant and an account.
type Check struct {
	ID    string // "factor-custom": kept from release to release, scripts select by it
	Title string // what is true when it passes, "The SMS factor sends through the tenant's own code"
	Stage Stage
	look  func(ctx context.Context, s *Subject) (Verdict, error)
}

// Verdict is the answer of one check.
type Verdict struct {
	Result Result
	// Cause says what was seen, also of a pass: one or two sentences.
	Cause string
	// Remedy says what to do, with the command or the place; empty for a pass.
	Remedy string
}

// Finding is a check with its answer, in the form in which it is printed.
type Finding struct {
	ID     string `json:"id"`
	Title  string `json:"title"`
	Result Result `json:"result"`
	Cause  string `json:"cause"`
	Remedy string `json:"remedy,omitempty"`
	// Accepted says that somebody knows of it, and that it does not count.
	Accepted bool `json:"accepted,omitempty"`
}

// The checks without which nothing else of their side can be looked at.
const (
	reachableAuth0 = "auth0-reachable"
	reachableAWS   = "aws-reachable"
)

// All lists every check in the order in which a person would look: first what
// the later ones need.
func All() []Check { return slices.Concat(tenantChecks(), accountChecks()) }

// Select returns the checks of a stage, or, with ids, exactly those whatever
// their stage. An id that no check has is an error that lists them.
func Select(stage Stage, ids ...string) ([]Check, error) {
	all := All()
	if len(ids) == 0 {
		return slices.DeleteFunc(all, func(c Check) bool { return c.Stage != stage && c.Stage != Always }), nil
	}
	var selected []Check
	for _, id := range ids {
		i := slices.IndexFunc(all, func(c Check) bool { return c.ID == id })
		if i < 0 {
			return nil, fmt.Errorf("there is no check %q; there are %s", id, strings.Join(idsOf(all), ", "))
		}
		selected = append(selected, all[i])
	}
	return selected, nil
}

func idsOf(list []Check) []string {
	ids := make([]string, len(list))
	for i, c := range list {
		ids[i] = c.ID
	}
	return ids
}

// Run asks the checks one after the other. A check that could not look is
// Unknown, with the error as its cause; only the end of ctx ends the run.
func Run(ctx context.Context, s *Subject, selected []Check) ([]Finding, error) {
	findings := make([]Finding, 0, len(selected))
	for _, c := range selected {
		verdict, err := c.look(ctx, s)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			verdict = couldNotLook(err, findings)
		}
		findings = append(findings, Finding{ID: c.ID, Title: c.Title, Result: verdict.Result, Cause: verdict.Cause, Remedy: verdict.Remedy})
	}
	return findings, nil
}

// Accept marks what somebody knows of: a number that a country may not ask for,
// an account that stays in the SMS sandbox.
func Accept(findings []Finding, ids []string) {
	for i := range findings {
		findings[i].Accepted = findings[i].Result != Pass && slices.Contains(ids, findings[i].ID)
	}
}

// Worst is Fail before Unknown before Pass, which is that of no findings. What
// is accepted does not count.
func Worst(findings []Finding) Result {
	for _, result := range []Result{Fail, Unknown} {
		if slices.ContainsFunc(findings, func(f Finding) bool { return f.Result == result && !f.Accepted }) {
			return result
		}
	}
	return Pass
}

// hinter is an error that knows its remedy, as those of auth0api and awsapi do.
type hinter interface{ Hint() string }

// couldNotLook leaves it to the check that failed already, for a whole side, to
// say why.
func couldNotLook(err error, before []Finding) Verdict {
	for _, f := range before {
		if f.Result == Fail && f.ID == reachableOf(err) {
			return unknown("See "+f.ID+".", "It could not be looked at.")
		}
	}
	cause, remedy := explain(err)
	return Verdict{Result: Unknown, Cause: "It could not be looked at: " + cause, Remedy: remedy}
}

// reachableOf is the check of the side that an error comes from; "" for neither.
func reachableOf(err error) string {
	var auth0 *auth0api.Error
	var aws *awsapi.Error
	switch {
	case errors.As(err, &auth0):
		return reachableAuth0
	case errors.As(err, &aws):
		return reachableAWS
	default:
		return ""
	}
}

// explain parts what went wrong from what to do about it.
func explain(err error) (cause, remedy string) {
	var h hinter
	if errors.As(err, &h) {
		remedy = h.Hint()
	}
	return strings.TrimSpace(strings.TrimSuffix(err.Error(), remedy)), remedy
}

func pass(format string, args ...any) Verdict {
	return Verdict{Result: Pass, Cause: fmt.Sprintf(format, args...)}
}

func fail(remedy, format string, args ...any) Verdict {
	return Verdict{Result: Fail, Cause: fmt.Sprintf(format, args...), Remedy: remedy}
}

func unknown(remedy, format string, args ...any) Verdict {
	return Verdict{Result: Unknown, Cause: fmt.Sprintf(format, args...), Remedy: remedy}
}
