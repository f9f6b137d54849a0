package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/textwrap"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

type diffFlags struct {
	environments           []string
	dir                    string
	json, detailedExitcode bool
}

func newDiffCommand() *cobra.Command {
	var flags diffFlags
	cmd := &cobra.Command{
		Use:   "diff --env NAME --env NAME",
		Short: "Show two environments side by side",
		Long: "Compares what the files of two environments say, and what was applied of them. It begins with what people\n" +
			"who log in notice: who sends, whether they are asked, what they read; and ends with names.\n\n" +
			"Tenant, account, region, ids and dates differ between environments by nature. They are the head, not differences.\n\n" +
			"It reads files, and the states by terraform show: neither Auth0 nor AWS is asked, and only a remote backend needs\n" +
			"credentials. What was changed by hand since the last apply it cannot see; that shows a plan, or auth0sns check.",
		Example: "  auth0sns diff --env staging --env production\n" +
			"  auth0sns diff --env staging --env production --detailed-exitcode",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if len(flags.environments) != 2 || flags.environments[0] == flags.environments[1] {
				return usageError(errors.New("name the two environments to compare: --env staging --env production"))
			}
			return runDiff(cmd.Context(), flags, output{stdout: cmd.OutOrStdout(), stderr: cmd.ErrOrStderr(), json: flags.json})
		},
	}
	cmd.Flags().StringArrayVar(&flags.environments, "env", nil, "an environment; give two")
	cmd.Flags().StringVar(&flags.dir, "dir", ".", "the folder that holds environments/")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print one JSON document")
	cmd.Flags().BoolVar(&flags.detailedExitcode, "detailed-exitcode", false, "end with 2 where they differ")
	return cmd
}

// diffResult is the document diff/1.
type diffResult struct {
	Schema       string            `json:"schema"`
	Environments []diffEnvironment `json:"environments"` // two, as they were named
	Differences  []difference      `json:"differences"`  // what matters most comes first
	// StatesCompared is false where one of the two was not applied or not read.
	StatesCompared bool `json:"states_compared"`
}

// diffEnvironment is what differs by nature.
type diffEnvironment struct {
	Name        string `json:"name"`
	Tenant      string `json:"tenant"`
	AWSAccount  string `json:"aws_account"`
	AWSRegion   string `json:"aws_region"`
	State       string `json:"state"` // "read", "not applied", or why it could not be read
	SenderID    string `json:"sender_id,omitempty"`
	AccessKeyID string `json:"access_key_id,omitempty"`
	RotationDue string `json:"rotation_due,omitempty"`
}

func runDiff(ctx context.Context, flags diffFlags, out output) error {
	result := diffResult{Schema: "diff/1", StatesCompared: true}
	var sides [2]diffSide
	for i, name := range flags.environments {
		environment, err := readEnvironment(inspectFlags{env: name, dir: flags.dir}, false)
		if err != nil {
			return err
		}
		out.progress("State of %s: terraform show in %s", name, environment.Dir)
		state, err := appliedState(ctx, environment)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		head := diffEnvironment{
			Name: name, Tenant: environment.Settings.Domain, AWSAccount: environment.Settings.AccountID, AWSRegion: environment.Settings.Region,
		}
		live := workspace.LiveOf(state)
		head.SenderID, head.AccessKeyID, head.RotationDue = live.SenderID, live.AccessKeyID, live.RotationDue
		sides[i] = diffSide{files: fileValues(environment.Settings), state: stateValues(state)}
		switch {
		case err != nil:
			head.State = err.Error()
			page{out.stderr}.paragraph("  ", "The state could not be read, so only the files are compared. Has terraform init run there? "+err.Error())
		case len(sides[i].state) == 0:
			head.State = stateNotApplied
		default:
			head.State = stateRead
			sides[i].state["path"] = live.Path
		}
		result.StatesCompared = result.StatesCompared && head.State == stateRead
		result.Environments = append(result.Environments, head)
	}
	result.Differences = compareSides(flags.environments, sides, result.StatesCompared)
	if err := out.result(result, func(w io.Writer) error { page{w}.diff(result); return nil }); err != nil {
		return err
	}
	if flags.detailedExitcode && len(result.Differences) > 0 {
		return codedError{exitChanges, fmt.Errorf("%s and %s differ", flags.environments[0], flags.environments[1])}
	}
	return nil
}

func appliedState(ctx context.Context, environment workspace.Environment) (*tfjson.State, error) {
	terraform, err := workspace.NewTerraform(environment.Dir, config.ForEnvironment(environment.Name))
	if err != nil {
		return nil, err
	}
	return terraform.State(ctx)
}

func (p page) diff(result diffResult) {
	a, b := result.Environments[0], result.Environments[1]
	p.columns(a.Name, b.Name)
	for _, head := range []struct{ name, a, b string }{
		{"Tenant", a.Tenant, b.Tenant},
		{"AWS account", a.AWSAccount, b.AWSAccount},
		{"Region", a.AWSRegion, b.AWSRegion},
		{"State", stateInWords(a.State), stateInWords(b.State)},
		{"Sender", a.SenderID, b.SenderID},
		{"Access key", a.AccessKeyID, b.AccessKeyID},
		{"Rotation due", a.RotationDue, b.RotationDue},
	} {
		if head.a+head.b != "" {
			p.line("%s", head.name)
			p.columns(cmp.Or(head.a, "-"), cmp.Or(head.b, "-"))
		}
	}
	compared := "files and states"
	if !result.StatesCompared {
		compared = "files; the states could not be compared"
	}
	switch count := len(result.Differences); count {
	case 0:
		p.heading("No differences in " + compared + ".")
		return
	case 1:
		p.heading("1 difference in " + compared + ":")
	default:
		p.heading(fmt.Sprintf("%d differences in %s. What matters most to people who log in comes first:", count, compared))
	}
	for _, d := range result.Differences {
		p.line("")
		p.line("%s (%s)", d.Name, d.Where)
		p.columns(cmp.Or(d.Values[a.Name], "not set"), cmp.Or(d.Values[b.Name], "not set"))
	}
}

func stateInWords(state string) string {
	switch state {
	case stateRead:
		return "applied"
	case stateNotApplied:
		return "never applied"
	}
	return "could not be read"
}

// columnWidth leaves room for two columns, an indent and a gap on a page.
const columnWidth = (pageWidth - 4) / 2

// columns prints two values beside each other, each wrapped in its column.
func (p page) columns(left, right string) {
	a, b := wrapColumn(left), wrapColumn(right)
	for i := range max(len(a), len(b)) {
		var l, r string
		if i < len(a) {
			l = a[i]
		}
		if i < len(b) {
			r = b[i]
		}
		p.line("%s", strings.TrimRight(fmt.Sprintf("  %-*s  %s", columnWidth, l, r), " "))
	}
}

// wrapColumn breaks a value into lines, and words that are longer than a line.
func wrapColumn(value string) []string {
	var lines []string
	for _, line := range textwrap.Lines(value, columnWidth) {
		runes := []rune(line)
		for len(runes) > columnWidth {
			lines = append(lines, string(runes[:columnWidth]))
			runes = runes[columnWidth:]
		}
		lines = append(lines, string(runes))
	}
	return lines
}
