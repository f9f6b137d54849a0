package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

const checkLong = `Asks tenant and account every question of the guide's troubleshooting list, and what else has stopped codes: one named
check each, which passes, fails, or is unknown where it could not look or nobody can tell. What fails comes with its cause
and what to do. The exit code is 0 when all pass, and 5 otherwise: unknown is not taken for a pass.

With --env it compares with the files of that environment and with its Terraform state, for which terraform init has to
have run there. With --pre it asks what a first apply needs, before there is anything.

It reads: the tenant's settings, senders, factor, policy and log, the IAM user with its keys and policies, SNS's settings
of the region, and the bill of SNS where the credentials may. It changes nothing, sends no message, and cannot read a
secret.`

const checkExample = `  auth0sns check --env staging
  auth0sns check --pre --region eu-central-1
  auth0sns check --only factor-custom,recent-failures --json
  auth0sns check --env staging --accept sns-sandbox
  auth0sns check --pre --print-iam-policy > operator-policy.json`

type checkFlags struct {
	inspectFlags
	pre, list, printPolicy bool
	only, accept           []string
}

func newCheckCommand(version string) *cobra.Command {
	var flags checkFlags
	cmd := &cobra.Command{
		Use:     "check",
		Short:   "Ask tenant and account whether people get their codes",
		Long:    checkLong,
		Example: checkExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runCheck(cmd.Context(), version, flags, output{cmd.OutOrStdout(), cmd.ErrOrStderr(), flags.json})
		},
	}
	flags.register(cmd)
	cmd.Flags().BoolVar(&flags.pre, "pre", false, "ask what a first apply needs, instead of whether the sender works")
	cmd.Flags().StringSliceVar(&flags.only, "only", nil, "ask these checks and no others, whenever they are of use")
	cmd.Flags().StringSliceVar(&flags.accept, "accept", nil, "checks that may fail or be unknown: they are shown, and do not count for the exit code")
	cmd.Flags().BoolVar(&flags.list, "list", false, "print the checks, and ask nothing")
	cmd.Flags().BoolVar(&flags.printPolicy, "print-iam-policy", false, "with --pre: print the IAM policy that whoever applies and checks needs, and ask nothing else")
	return cmd
}

func runCheck(ctx context.Context, version string, flags checkFlags, out output) error {
	if flags.printPolicy && (!flags.pre || flags.list || flags.json || len(flags.only) > 0) {
		return usageError(errors.New("--print-iam-policy goes with --pre, and without --list, --only and --json: it prints a policy document"))
	}
	selected, err := selectChecks(flags)
	if err != nil {
		return err
	}
	if flags.list {
		return listChecks(selected, out)
	}
	if flags.printPolicy {
		return printPolicy(ctx, version, flags.inspectFlags, out)
	}
	i, err := inspect(ctx, version, flags.inspectFlags, out, flags.pre)
	if err != nil {
		return err
	}
	findings, err := checks.Run(ctx, i.subject, selected)
	if err != nil {
		return err
	}
	checks.Accept(findings, flags.accept)
	return reportChecks(i.inspected, findings, out)
}

func selectChecks(flags checkFlags) ([]checks.Check, error) {
	stage := checks.After
	if flags.pre {
		stage = checks.Before
	}
	if flags.list && !flags.pre && len(flags.only) == 0 {
		return checks.All(), nil
	}
	if _, err := checks.Select(stage, flags.accept...); err != nil {
		return nil, usageError(fmt.Errorf("--accept: %w", err))
	}
	selected, err := checks.Select(stage, flags.only...)
	if err != nil {
		return nil, usageError(fmt.Errorf("--only: %w", err))
	}
	return selected, nil
}

// checkList is the document of --list.
type checkList struct {
	Schema string      `json:"schema"` // "check-list/1"
	Checks []listEntry `json:"checks"`
}

type listEntry struct {
	ID    string       `json:"id"`
	Title string       `json:"title"`
	Stage checks.Stage `json:"stage"` // before the first apply, after it, or always
}

func listChecks(selected []checks.Check, out output) error {
	list := checkList{Schema: "check-list/1", Checks: []listEntry{}}
	for _, c := range selected {
		list.Checks = append(list.Checks, listEntry{c.ID, c.Title, c.Stage})
	}
	return out.result(list, func(w io.Writer) error {
		p := page{w}
		for _, c := range list.Checks {
			p.line("%-8s %s", c.Stage, c.ID)
			p.paragraph("         ", c.Title)
		}
		return nil
	})
}

// checkResult is the document of the command.
type checkResult struct {
	Schema string `json:"schema"` // "check/1"
	inspected
	Result checks.Result    `json:"result"` // the worst of all
	Checks []checks.Finding `json:"checks"`
}

func reportChecks(head inspected, findings []checks.Finding, out output) error {
	result := checkResult{"check/1", head, checks.Worst(findings), findings}
	if err := out.result(result, func(w io.Writer) error {
		page{w}.findings(findings)
		return nil
	}); err != nil {
		return err
	}
	if result.Result == checks.Pass {
		return nil // also where something is accepted
	}
	return found("%s of %d checks", tally(findings), len(findings))
}

// findings are what was found, in the order in which it was asked. A remedy comes
// after an arrow.
func (p page) findings(findings []checks.Finding) {
	for _, f := range findings {
		accepted := ""
		if f.Accepted {
			accepted = " (accepted)"
		}
		p.line("%-8s %s%s", f.Result, f.ID, accepted)
		p.paragraph("         ", f.Cause)
		if f.Remedy != "" {
			p.hanging("         -> ", f.Remedy)
		}
	}
}

// placeholderAccount is the account of AWS's own examples.
const placeholderAccount = "111122223333"

// printPolicy needs the account alone: that of the files, or else of the
// credentials. Without either it prints what somebody can complete, for whoever
// needs the policy may have no access yet.
func printPolicy(ctx context.Context, version string, flags inspectFlags, out output) error {
	environment, err := readEnvironment(flags, true)
	if err != nil {
		return err
	}
	settings := environment.Settings
	partition, account := "aws", settings.AccountID
	aws, err := newAWS(ctx, version, config.ForEnvironment(flags.env), pins{Region: cmp.Or(flags.region, settings.Region)})
	if err == nil {
		partition = aws.Partition()
	}
	if err == nil && account == "" {
		var identity awsapi.Identity
		identity, err = target{aws: aws, pinned: pins{Environment: flags.env}}.identify(ctx)
		account = identity.AccountID
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if account == "" {
		account = placeholderAccount
		out.progress("Put your account's id in the place of %s: AWS does not tell it. %v", account, err)
	}
	_, err = fmt.Fprintln(out.stdout, checks.OperatorPolicy(partition, account, cmp.Or(flags.iamUser, settings.IAMUser, workspace.DefaultIAMUser)))
	return err
}
