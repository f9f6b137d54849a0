package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// stdinName is the PLAN that stands for the standard input.
const stdinName = "-"

// Formats of review.
const (
	formatText     = "text"
	formatMarkdown = "markdown"
	formatJSON     = "json"
	formatSARIF    = "sarif"
)

type reviewFlags struct {
	failOn, format, dir, environment string
	json                             bool
}

func newReviewCommand(version string) *cobra.Command {
	var flags reviewFlags
	cmd := &cobra.Command{
		Use:   "review [PLAN]",
		Short: "Look for what in a Terraform plan puts people's codes at risk",
		Long: "Reads a plan before anybody applies it, and says what it means for people who log in: the factor\n" +
			"or the policy switched off, what sends the codes destroyed, a key replaced outside its rotation, a policy\n" +
			"widened, the code that sends changed, and more. Resources of auth0/auth0 and hashicorp/aws for the same\n" +
			"things are looked at too.\n\n" +
			"PLAN is what \"terraform show -json\" prints, or - for the standard input, or a plan file of\n" +
			"\"terraform plan -out\", which Terraform then reads in --dir; without --dir, in the file's own folder if it is\n" +
			"initialized there, else in this one. Nothing else is started, no network and no credentials are used, and\n" +
			"nothing is changed.\n\n" +
			"With --dir, findings have the file and the line of their block. With --env, --dir is the folder that holds\n" +
			"environments/, and a plan of another tenant or AWS account than the environment's is a finding.\n\n" +
			"It ends with 5 where a finding is at least as bad as --fail-on.",
		Example: "  terraform -chdir=environments/staging plan -out=tfplan\n" +
			"  auth0sns review --env staging environments/staging/tfplan\n" +
			"  terraform show -json tfplan | auth0sns review\n" +
			"  auth0sns review --format markdown --fail-on critical plan.json > comment.md",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runReview(cmd, version, flags, slices.Concat(args, []string{stdinName})[0])
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.failOn, "fail-on", review.High.String(), "severity from which on it ends with 5: critical, high, medium or low")
	f.StringVar(&flags.format, "format", formatText, "text, markdown, json or sarif")
	f.BoolVar(&flags.json, "json", false, "the same as --format json")
	f.StringVar(&flags.dir, "dir", "", "folder of the plan's configuration")
	f.StringVar(&flags.environment, "env", "", "environment that the plan has to be of")
	return cmd
}

// reviewDocument is review/1.
type reviewDocument struct {
	Schema    string           `json:"schema"`
	Terraform string           `json:"terraform_version,omitempty"`
	FailOn    review.Severity  `json:"fail_on"`
	Failed    bool             `json:"failed"` // a finding is at least as bad as fail_on
	Findings  []review.Finding `json:"findings"`
}

func runReview(cmd *cobra.Command, version string, flags reviewFlags, name string) error {
	failOn, err := flags.validate(cmd)
	if err != nil {
		return usageError(err)
	}
	folder, pins, err := flags.configuration()
	if err != nil {
		return err
	}
	plan, err := readPlan(cmd.Context(), name, cmd.InOrStdin(), folder, flags.environment)
	if err != nil {
		return err
	}
	findings := review.Plan(plan)
	if flags.environment != "" {
		findings = append(findings, review.Against(plan, pins)...)
	}
	if folder != "" {
		source, err := review.ReadSource(plan, folder)
		if err != nil {
			return err
		}
		findings = append(findings, source.Findings(plan)...)
		source.Locate(findings)
	}
	findings = review.Sorted(findings)
	failing := review.Count(findings, failOn)
	out := output{cmd.OutOrStdout(), cmd.ErrOrStderr(), flags.format == formatJSON}
	document := reviewDocument{"review/1", plan.TerraformVersion, failOn, failing > 0, append([]review.Finding{}, findings...)}
	err = out.result(document, func(w io.Writer) error {
		switch flags.format {
		case formatMarkdown:
			return review.Markdown(w, findings)
		case formatSARIF:
			return review.SARIF(w, findings, version)
		default:
			return review.Text(w, findings)
		}
	})
	if err == nil && failing > 0 {
		err = found("findings of severity %s or worse: %d. Do not apply this plan unless this is intended", failOn, failing)
	}
	return err
}

// validate reads the words of the flags.
func (f *reviewFlags) validate(cmd *cobra.Command) (review.Severity, error) {
	failOn, err := review.ParseSeverity(f.failOn)
	if err != nil || failOn == review.Info {
		return 0, fmt.Errorf("--fail-on %q: want one of critical, high, medium, low", f.failOn)
	}
	if f.json {
		if cmd.Flags().Changed("format") && f.format != formatJSON {
			return 0, fmt.Errorf("--json and --format %s exclude each other", f.format)
		}
		f.format = formatJSON
	}
	formats := []string{formatText, formatMarkdown, formatJSON, formatSARIF}
	if !slices.Contains(formats, f.format) {
		return 0, fmt.Errorf("--format %q: want one of %s", f.format, strings.Join(formats, ", "))
	}
	return failOn, nil
}

// configuration is the folder of the root module, "" where none is named, and
// what the environment pins.
func (f *reviewFlags) configuration() (folder string, pins review.Pins, err error) {
	if f.environment == "" {
		return f.dir, review.Pins{}, nil
	}
	if err := workspace.ValidateName(f.environment); err != nil {
		return "", review.Pins{}, usageError(err)
	}
	environment, err := workspace.Open(folderOf(f.dir)).Read(f.environment)
	if errors.Is(err, fs.ErrNotExist) {
		return "", review.Pins{}, usageError(fmt.Errorf("--env %s: no such environment below %s", f.environment, filepath.Join(folderOf(f.dir), "environments")))
	}
	settings := environment.Settings
	return environment.Dir, review.Pins{Environment: f.environment, Domain: settings.Domain, AccountID: settings.AccountID}, err
}

// folderOf is the folder that --dir means.
func folderOf(dir string) string { return cmp.Or(dir, ".") }

// readPlan reads JSON, or has Terraform read a plan file.
func readPlan(ctx context.Context, name string, stdin io.Reader, folder, environment string) (*tfjson.Plan, error) {
	data, err := readInput(name, stdin)
	if err != nil {
		return nil, err
	}
	if !review.IsSaved(data) {
		plan, err := review.Read(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return plan, nil
	}
	if name == stdinName {
		return nil, usageError(errors.New("a plan file cannot be read from the standard input: name it, or pipe what \"terraform show -json\" prints"))
	}
	if folder == "" && isInitialized(filepath.Dir(name)) {
		folder = filepath.Dir(name)
	}
	terraform, err := workspace.NewTerraform(folderOf(folder), config.ForEnvironment(environment))
	if err != nil {
		return nil, err
	}
	plan, err := terraform.ShowPlan(ctx, name)
	if err != nil && !isInitialized(folderOf(folder)) {
		return nil, usageError(fmt.Errorf("terraform reads a plan file only in the folder where it was made, and %q is not initialized: name that folder, as in --dir environments/staging", folderOf(folder)))
	}
	return plan, err
}

// isInitialized tells whether terraform init has run in a folder.
func isInitialized(folder string) bool {
	_, err := os.Stat(filepath.Join(folder, ".terraform"))
	return err == nil
}

func readInput(name string, stdin io.Reader) ([]byte, error) {
	if name == stdinName {
		return io.ReadAll(stdin)
	}
	return os.ReadFile(name) //nolint:gosec // The file is what the person names.
}
