package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

const bootstrapLong = `Takes a tenant and an account to working SMS MFA, through Terraform.

It looks at both sides, writes modules/sms_mfa and environments/<env>, runs terraform init and plan, says in words what
will change, asks, applies that very plan, and checks what came of it. Repeating it is safe: what is done is "up to
date", what was interrupted is finished. A file that a person edited is never overwritten unasked.

Credentials come from the environment: AUTH0_DOMAIN, AUTH0_CLIENT_ID, AUTH0_CLIENT_SECRET or another of Auth0's
ways, and AWS's own chain. For --env staging the variables STAGING_AUTH0_… and STAGING_AWS_… come before the plain ones,
so that one shell can hold two environments. What is missing is asked for on a terminal, secrets without echo; they are
held in memory and are in no file. Tenant and account are pinned in the environment's files, and another one is refused.

Nothing is changed but by terraform apply, after a yes; --create-client alone is an exception, and says so. The state of
Terraform is where --backend puts it.`

const bootstrapExample = `  auth0sns bootstrap --env staging
  auth0sns bootstrap --env staging --region eu-central-1 --allowed-country-codes +49,+41 --yes --send-test-to +4915112345678
  auth0sns bootstrap --env production --from staging --plan-only`

// bootstrapFlags are the flags as they were given.
type bootstrapFlags struct {
	environment, dir, from string
	given                  workspace.Settings
	backendConfig          []string
	planOnly, yes, noInput bool
	json, force            bool
	detailedExitcode       bool
	sendTestTo, ci         string
	client                 createClientFlags
	changed                func(flag string) bool
}

func newBootstrapCommand(version string) *cobra.Command {
	var flags bootstrapFlags
	cmd := &cobra.Command{
		Use:     "bootstrap",
		Short:   "Set up SMS MFA through Terraform: staging first, then production",
		Long:    bootstrapLong,
		Example: bootstrapExample,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			flags.changed = cmd.Flags().Changed
			out := output{cmd.OutOrStdout(), cmd.ErrOrStderr(), flags.json}
			environment := config.Environment()
			b := &bootstrap{flags: flags, version: version, out: out, display: newDisplay(out.stderr, environment), files: workspace.Open(flags.dir)}
			b.files.Version = version
			if !flags.noInput && !flags.json {
				b.terminal = openTerminal(cmd.InOrStdin())
				defer b.terminal.close()
			}
			return b.run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.environment, "env", "", `name of the environment: "staging"`)
	f.StringVar(&flags.dir, "dir", ".", "folder that holds modules/ and environments/")
	f.StringVar(&flags.from, "from", "", "take over the settings of this environment, which has to be applied and has to have sent a message")
	for _, s := range settingFlags() {
		f.StringVar(s.of(&flags.given), s.flag, "", s.usage)
	}
	f.StringSliceVar(&flags.given.SMS.AllowedCountryCodes, "allowed-country-codes", nil, `calling codes that messages go to, "+1,+44" (default: all)`)
	f.StringSliceVar(&flags.given.SMS.FallbackRegions, "fallback-regions", nil, "AWS regions to send from where the first one does not take a message")
	f.StringArrayVar(&flags.backendConfig, "backend-config", nil, "a setting of the backend, as in bucket=my-state; repeatable")
	f.BoolVar(&flags.planOnly, "plan-only", false, "write the files and plan, and change nothing else")
	f.BoolVar(&flags.detailedExitcode, "detailed-exitcode", false, "with --plan-only: exit 2 where something would change")
	f.BoolVar(&flags.yes, "yes", false, "apply without asking")
	f.BoolVar(&flags.noInput, "no-input", false, "never ask, also on a terminal")
	f.BoolVar(&flags.json, "json", false, "print the result as one JSON document; never asks")
	f.BoolVar(&flags.force, "force", false, "go on where --from, a region, an account that two environments share, or a risk in the plan stops it")
	f.StringVar(&flags.sendTestTo, "send-test-to", "", "after the checks, send one SMS to this number: +4915112345678")
	f.StringVar(&flags.ci, "ci", "", "write a pipeline as well: github or gitlab")
	flags.client.register(cmd)
	return cmd
}

// bootstrap is one run of the command, step after step.
type bootstrap struct {
	flags    bootstrapFlags
	version  string
	out      output
	display  *display
	terminal *terminal // nil where nobody can be asked
	files    *workspace.Workspace

	known     workspace.Environment // what its files say; zero before the first run
	isNew     bool
	variables map[string]string // of the environment, with what was typed
	settings  workspace.Settings
	imports   []workspace.Import

	from   workspace.Environment // whose settings are taken over; zero without --from
	target target
	tenant delivery.Tenant

	private   string // a directory for the plan, which may hold values nobody else should read
	terraform *workspace.Terraform
	plan      *tfjson.Plan
	result    bootstrapResult
}

// run prints the result once there is a plan, whatever comes after it.
func (b *bootstrap) run(ctx context.Context) (err error) {
	b.private, err = os.MkdirTemp("", "auth0sns-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.private)) }()
	for _, step := range []func(context.Context) error{b.read, b.signIn, b.begin, b.preflight, b.prove, b.settle, b.write, b.makePlan} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	err = b.carryOut(ctx)
	if err != nil && exitCodeOf(ctx, err) != exitChanges {
		b.result.Error = err.Error()
	}
	b.result.interrupted = err != nil && ctx.Err() != nil
	return errors.Join(err, b.out.result(b.result, b.result.text))
}

// planFile is in a directory that is private and ends with the run.
func (b *bootstrap) planFile() string { return filepath.Join(b.private, "tfplan") }

// read reads what is there already: files, and which tenants and accounts are
// those of other environments.
func (b *bootstrap) read(ctx context.Context) error {
	if err := b.validateFlags(ctx); err != nil {
		return err
	}
	var err error
	b.known, err = b.files.Read(b.flags.environment)
	if b.isNew = errors.Is(err, fs.ErrNotExist); err != nil && !b.isNew {
		return err
	}
	b.variables = config.ForEnvironment(b.flags.environment)
	if _, err := workspace.TerraformVersion(ctx, b.variables); err != nil {
		return err
	}
	b.result = bootstrapResult{
		Schema: "bootstrap/1", Environment: b.flags.environment,
		Files: []fileResult{}, Findings: []review.Finding{}, Checks: []checks.Finding{},
	}
	return nil
}

func (b *bootstrap) validateFlags(ctx context.Context) error {
	if b.flags.environment == "" && b.terminal != nil {
		b.flags.environment = "staging"
		if err := b.terminal.ask(ctx, question{title: "Environment", help: "Each environment has a tenant and an AWS account of its own. Begin with staging.", value: &b.flags.environment, check: required}); err != nil {
			return err
		}
	}
	if b.flags.environment == "" {
		return usageError(errors.New("name the environment with --env, for example --env staging"))
	}
	if err := workspace.ValidateName(b.flags.environment); err != nil {
		return usageError(err)
	}
	switch f := b.flags; {
	case f.from == f.environment:
		return usageError(fmt.Errorf("--from %s is the environment itself", f.from))
	case f.detailedExitcode && !f.planOnly:
		return usageError(errors.New("--detailed-exitcode tells what --plan-only would change: add --plan-only"))
	case f.planOnly && f.sendTestTo != "":
		return usageError(errors.New("--send-test-to sends after an apply, and --plan-only applies nothing: leave one of them out"))
	case f.planOnly && f.client.create:
		return usageError(errors.New("--create-client makes an application, and --plan-only changes nothing: leave one of them out"))
	case f.given.Path != "" && !slices.Contains([]string{workspace.PathUnified, workspace.PathAction}, f.given.Path):
		return usageError(fmt.Errorf("--path %q: want %s or %s", f.given.Path, workspace.PathUnified, workspace.PathAction))
	case f.ci != "" && !slices.Contains(workspace.PipelineKinds(), f.ci):
		return usageError(fmt.Errorf("--ci %q: want one of %s", f.ci, strings.Join(workspace.PipelineKinds(), ", ")))
	}
	if b.flags.sendTestTo != "" {
		if _, err := parseNumber(b.flags.sendTestTo); err != nil {
			return err
		}
	}
	return b.flags.client.validate()
}

// begin takes the settings from where they are: what the files say, or what
// another environment gives, and over it what flags say.
func (b *bootstrap) begin(context.Context) error {
	if b.flags.from != "" {
		if err := b.takeOver(); err != nil {
			return err
		}
	}
	return b.overlay()
}

// settle decides what is still open, and what of the tenant and the account
// comes into Terraform's care.
func (b *bootstrap) settle(ctx context.Context) error {
	if err := b.choosePath(); err != nil {
		return err
	}
	if b.isNew && b.flags.from == "" && b.terminal != nil {
		if err := b.askForSettings(ctx); err != nil {
			return err
		}
	}
	if err := b.validate(); err != nil {
		return err
	}
	if err := b.nameSender(ctx); err != nil {
		return err
	}
	b.result.Path = b.settings.Path
	b.imports = b.known.Imports
	if b.isNew {
		var err error
		b.imports, err = b.existing(ctx)
		return err
	}
	return nil
}

// carryOut is everything after the plan.
func (b *bootstrap) carryOut(ctx context.Context) error {
	switch {
	case !b.result.Plan.Changes:
		b.result.UpToDate = !b.filesChanged()
	case b.flags.planOnly:
		if b.flags.detailedExitcode {
			return codedError{exitChanges, errors.New("there are changes to apply")}
		}
		return nil
	default:
		if err := b.agree(ctx); err != nil {
			return err
		}
		if err := b.apply(ctx); err != nil {
			return err
		}
	}
	if b.flags.planOnly {
		return nil
	}
	return b.verify(ctx)
}

// verify asks every check and, last, a phone.
func (b *bootstrap) verify(ctx context.Context) error {
	state, err := b.terraform.State(ctx)
	if err != nil {
		return b.terraformFailed(ctx, "The state could not be read, so nothing was checked", err)
	}
	selected, err := checks.Select(checks.After)
	if err != nil {
		return err
	}
	b.out.progress("\nChecks")
	b.result.Checks, err = checks.Run(ctx, b.newSubject(workspace.LiveOf(state)), selected)
	if err != nil {
		return err
	}
	b.showFindings(b.result.Checks)
	if err := b.sendTest(ctx); err != nil {
		return err
	}
	if open := notPassed(b.result.Checks); len(open) > 0 {
		var ids []string
		for _, f := range open {
			ids = append(ids, f.ID)
		}
		return found("these checks did not pass: %s. auth0sns check --env %s repeats them", strings.Join(ids, ", "), b.flags.environment)
	}
	return nil
}

// sendTest sends a real message, which --send-test-to is the consent to.
func (b *bootstrap) sendTest(ctx context.Context) error {
	if b.flags.sendTestTo == "" {
		return nil
	}
	b.out.progress("\nTest message")
	result, err := sendTest(ctx, b.target, b.out, sendTestRequest{
		To: b.flags.sendTestTo, Region: b.settings.Region, SMS: b.settings.SMS, Wait: outcomeWait, UserAgent: "auth0sns/" + b.version,
	})
	if err != nil {
		return err
	}
	b.result.SendTest = &result
	if result.Outcome == outcomeFailed {
		return found("the test message was not sent: %s", result.Reason)
	}
	return nil
}

// say tells a person something longer than a line.
func (b *bootstrap) say(indent, text string) { page{b.out.stderr}.paragraph(indent, text) }

// newSubject is what the checks look at.
func (b *bootstrap) newSubject(live workspace.Live) *checks.Subject {
	return &checks.Subject{Auth0: b.target.auth0, AWS: b.target.aws, Now: time.Now, Expect: expectation(b.settings, live)}
}
