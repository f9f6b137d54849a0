package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/generate"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

type generateFlags struct {
	environment, dir, state string
	json, stdout            bool
	options                 generate.Options
}

func newGenerateCommand(version string) *cobra.Command {
	flags := generateFlags{options: generate.Options{Version: version}}
	cmd := &cobra.Command{
		Use:   "generate",
		Short: "Write Terraform configuration for a sender that is there already",
		Long: "Reads a tenant and an account in which somebody has set up Amazon SNS as SMS sender, by hand, with\n" +
			"auth0/auth0 or with hashicorp/aws, and writes a configuration that takes it over: main.tf with import blocks,\n" +
			"and the sender's own code beside it. A plan of it imports, and changes nothing but what the output announces.\n\n" +
			"It needs the IAM user whose key the sender holds, since Auth0 shows no secret. In this order: --iam-user; the one\n" +
			"that has an aws_iam_access_key in --state; the one of the account that has a key and a policy about SNS.\n\n" +
			"It changes neither the tenant nor the account, and never a file that is there already.",
		Example: "  auth0sns generate --iam-user auth0-mfa-sms --dir sms-mfa\n" +
			"  auth0sns generate --env production --stdout\n" +
			"  terraform show -json | auth0sns generate --state - --dir ../sms-mfa",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := output{stdout: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(), json: flags.json}
			return runGenerate(cmd.Context(), version, flags, cmd.InOrStdin(), out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&flags.environment, "env", "", "environment whose variables are read, such as STAGING_AUTH0_DOMAIN; the files go to environments/NAME below --dir")
	f.StringVar(&flags.dir, "dir", ".", "folder to write to")
	f.StringVar(&flags.options.IAMUser, "iam-user", "", "IAM user whose key the sender holds")
	f.StringVar(&flags.options.AccessKeyID, "access-key-id", "", "the key that the sender holds, where the user has two")
	f.StringVar(&flags.options.Region, "region", "", "region that the sender sends from (default: where its key was last used)")
	f.BoolVar(&flags.options.Hook, "hook", false, "take over the Send Phone Message hook, also where something else sends")
	f.StringVar(&flags.state, "state", "", "what terraform show -json prints where another configuration manages the set-up; - reads stdin")
	f.BoolVar(&flags.stdout, "stdout", false, "print the files and write none")
	f.BoolVar(&flags.json, "json", false, "print one JSON document")
	return cmd
}

// generateResult is the document generate/1.
type generateResult struct {
	Schema      string              `json:"schema"`
	Environment string              `json:"environment,omitempty"`
	Tenant      string              `json:"tenant"`
	AccountID   string              `json:"aws_account"`
	Region      string              `json:"aws_region"`
	Path        string              `json:"path"`
	Files       []generatedFile     `json:"files"`
	Imports     []generate.Import   `json:"imports"`
	Remarks     []generate.Remark   `json:"remarks"`
	HandOver    []generate.HandOver `json:"hand_over"`
}

type generatedFile struct {
	Path    string `json:"path"`
	Content string `json:"content,omitempty"` // with --stdout
}

func runGenerate(ctx context.Context, version string, flags generateFlags, stdin io.Reader, out output) error {
	dir := flags.dir
	pinned := pins{Environment: flags.environment, Region: flags.options.Region}
	if flags.environment != "" {
		if err := workspace.ValidateName(flags.environment); err != nil {
			return usageError(err)
		}
		dir = filepath.Join(dir, "environments", flags.environment)
		existing, err := workspace.Open(flags.dir).Read(flags.environment)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		pinned.Domain, pinned.AccountID = existing.Settings.Domain, existing.Settings.AccountID
	}
	if !flags.stdout {
		if err := refuseOverwriting(filepath.Join(dir, "main.tf")); err != nil {
			return err
		}
	}
	options := flags.options
	var err error
	if options.State, err = readStateFlag(flags.state, stdin); err != nil {
		return err
	}
	at, err := connect(ctx, version, pinned)
	if err != nil {
		return err
	}
	identity, err := at.identify(ctx)
	if err != nil {
		return err
	}
	out.progress("Reading tenant %s and AWS account %s. Nothing there is changed.", at.auth0.Domain(), identity.AccountID)
	setup, err := generate.Read(ctx, at.auth0, at.aws, options)
	if user := (*generate.UserError)(nil); errors.As(err, &user) {
		return usageError(err)
	}
	if err != nil {
		return err
	}
	handOver, err := setup.HandOvers(options.State)
	if err != nil {
		return refuse("%w", err)
	}
	result := generateResult{
		Schema: "generate/1", Environment: flags.environment,
		Tenant: setup.Domain, AccountID: setup.AccountID, Region: setup.Region, Path: string(setup.Path),
		Imports: setup.Imports(), Remarks: append([]generate.Remark{}, setup.Remarks...), HandOver: append([]generate.HandOver{}, handOver...),
	}
	if flags.stdout {
		return printGenerated(out, result, setup, options.State != nil)
	}
	if err := writeGenerated(dir, setup.Files(), &result); err != nil {
		return err
	}
	return out.result(result, func(w io.Writer) error {
		p := page{w}
		for _, file := range result.Files {
			p.line("Wrote %s", file.Path)
		}
		p.generated(result, setup, options.State != nil)
		p.heading("Next:")
		p.line("  terraform -chdir=%s init", dir)
		p.line("  terraform -chdir=%s plan", dir)
		return nil
	})
}

// printGenerated prints the files as the result, and what is to be said of them
// as progress. Several files are told apart as head does it.
func printGenerated(out output, result generateResult, setup *generate.Setup, stateKnown bool) error {
	files := setup.Files()
	for _, file := range files {
		result.Files = append(result.Files, generatedFile{Path: file.Name, Content: string(file.Content)})
	}
	if !out.json {
		page{out.stderr}.generated(result, setup, stateKnown)
	}
	return out.result(result, func(w io.Writer) error {
		for _, file := range files {
			if len(files) > 1 {
				fmt.Fprintf(w, "==> %s <==\n", file.Name)
			}
			fmt.Fprintf(w, "%s\n", strings.TrimSuffix(string(file.Content), "\n"))
		}
		return nil
	})
}

// refuseOverwriting names what a person has there already.
func refuseOverwriting(path string) error {
	_, err := os.Lstat(path)
	if err == nil {
		return refuse("%s is there already, and generate overwrites nothing. Name another folder with --dir, or print the files with --stdout", path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readStateFlag reads the state that --state names, nil without one.
func readStateFlag(name string, stdin io.Reader) (*tfjson.State, error) {
	switch name {
	case "":
		return nil, nil //nolint:nilnil // No state is a state that nobody gave.
	case "-":
	default:
		file, err := os.Open(name) //nolint:gosec // The person's own file.
		if err != nil {
			return nil, usageError(err)
		}
		defer func() { _ = file.Close() }()
		stdin = file
	}
	state, err := generate.ReadState(stdin)
	if err != nil {
		return nil, usageError(fmt.Errorf("--state %s: %w", name, err))
	}
	return state, nil
}

func writeGenerated(dir string, files []generate.File, result *generateResult) error {
	var changes []workspace.Change
	for _, file := range files {
		path := filepath.Join(dir, file.Name)
		if err := refuseOverwriting(path); err != nil {
			return err
		}
		changes = append(changes, workspace.Change{Path: path, After: file.Content})
		result.Files = append(result.Files, generatedFile{Path: path})
	}
	return workspace.Open(dir).Write(changes)
}

// generated says what the configuration takes over and what a plan of it will show.
func (p page) generated(result generateResult, setup *generate.Setup, stateKnown bool) {
	p.heading(fmt.Sprintf("Taken over from tenant %s and AWS account %s, path %s:", result.Tenant, result.AccountID, result.Path))
	for _, i := range result.Imports {
		p.line("  %s", i.To)
		p.line("    %s", i.ID)
	}
	changes := setup.Of(generate.Change)
	if len(changes) == 0 {
		p.heading("The plan imports these and changes nothing.")
	}
	p.remarks("The plan imports these, and changes:", changes)
	p.remarks("Taken on trust:", setup.Of(generate.Unproven))
	p.remarks("Left out:", setup.Of(generate.LeftOut))
	p.handOver(result.HandOver, stateKnown)
}

func (p page) remarks(title string, remarks []generate.Remark) {
	if len(remarks) == 0 {
		return
	}
	p.heading(title)
	for _, r := range remarks {
		p.line("  %s", r.Address)
		p.paragraph("    ", r.Text)
	}
}

// handOver prints how another configuration lets go of what it has.
func (p page) handOver(list []generate.HandOver, stateKnown bool) {
	p.heading("Other Terraform configurations:")
	switch {
	case !stateKnown:
		p.paragraph("  ", "Where another one manages these objects, let it go of them first, or both would change them. This says how, for each of them:")
		p.line("  terraform show -json | auth0sns generate --state - --stdout")
		return
	case len(list) == 0:
		p.paragraph("  ", "The state that you gave has none of these objects.")
		return
	}
	p.paragraph("  ", "There, put the removed block in the place of the resource, and apply; or run the command, and delete the resource from the files.")
	for _, h := range list {
		p.line("")
		p.line("  # %s", h.Address)
		if h.Advice != "" {
			p.paragraph("  # ", h.Advice)
		}
		for line := range strings.Lines(h.Removed) {
			p.line("  %s", strings.TrimSuffix(line, "\n"))
		}
		switch {
		case h.Removed != "":
			p.line("  # or: %s", h.Command)
		case h.Command != "":
			p.line("  %s", h.Command)
		}
	}
}
