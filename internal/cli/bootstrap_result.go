package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
)

// bootstrapResult is the document of bootstrap --json. It is printed once there
// is a plan, also where the run failed after it.
type bootstrapResult struct {
	Schema      string `json:"schema"` // "bootstrap/1"
	Environment string `json:"environment"`
	Directory   string `json:"directory"` // of the root module
	Tenant      string `json:"tenant"`
	AccountID   string `json:"aws_account"`
	Region      string `json:"aws_region"`
	Caller      string `json:"aws_caller"` // ARN of the AWS identity that did it
	Path        string `json:"path"`

	Client   *createdClient   `json:"client"` // of --create-client, null without
	Files    []fileResult     `json:"files"`
	Plan     *planCounts      `json:"plan"`
	Findings []review.Finding `json:"findings"` // of the plan
	UpToDate bool             `json:"up_to_date"`
	Applied  bool             `json:"applied"`
	Checks   []checks.Finding `json:"checks"`
	SendTest *sendTestResult  `json:"send_test"` // null where none was asked for
	Error    string           `json:"error,omitempty"`

	stopped     bool // the apply began, and ended with an error
	interrupted bool
}

// text is the same for a person, who has read the progress.
func (r bootstrapResult) text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Environment, r.outcome())
	fmt.Fprintf(&b, "  Auth0 tenant  %s\n  AWS account   %s, %s\n  Path          %s\n  Files         %s\n", r.Tenant, r.AccountID, r.Region, r.Path, r.Directory)
	if len(r.Checks) > 0 {
		fmt.Fprintf(&b, "  Checks        %s\n", tally(r.Checks))
	}
	if r.SendTest != nil {
		fmt.Fprintf(&b, "  Test message  %s\n", r.SendTest.Outcome)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r bootstrapResult) outcome() string {
	switch {
	case r.stopped && r.interrupted:
		return "interrupted, applied in part (of " + r.Plan.String() + ")"
	case r.interrupted && !r.Applied && r.Plan.Changes:
		return "interrupted, nothing applied (planned: " + r.Plan.String() + ")"
	case r.stopped:
		return "applied in part (of " + r.Plan.String() + ")"
	case r.Applied:
		return "applied (" + r.Plan.done() + ")"
	case r.UpToDate:
		return "up to date"
	case !r.Plan.Changes:
		return "files written, nothing to apply"
	default:
		return "planned (" + r.Plan.String() + ")"
	}
}

// tally is "14 pass, 1 unknown".
func tally(findings []checks.Finding) string {
	var parts []string
	for _, result := range []checks.Result{checks.Pass, checks.Fail, checks.Unknown} {
		n := 0
		for _, f := range findings {
			if f.Result == result {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, result))
		}
	}
	return strings.Join(parts, ", ")
}

// notPassed are the checks that failed or could not look.
func notPassed(findings []checks.Finding) []checks.Finding {
	return slices.DeleteFunc(slices.Clone(findings), func(f checks.Finding) bool { return f.Result == checks.Pass })
}
