// Package cli is a person's face of auth0sns: one file for each command.
// Progress and errors go to stderr, results to stdout.
package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Execute runs the command line tool and returns its exit code.
func Execute(ctx context.Context, version string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	printed := &counter{Writer: stdout}
	root := newRootCommand(version)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(printed)
	root.SetErr(stderr)
	root.InitDefaultCompletionCmd() // which asks where the output goes
	markUsage(root)
	cmd, err := root.ExecuteContextC(ctx)
	code := exitCodeOf(ctx, err)
	report(ctx, cmd.CommandPath(), code, err, stderr)
	if err != nil && printed.bytes == 0 && wantsDocument(cmd, args) {
		out := output{stdout: stdout, json: true}
		_ = out.result(failure{Schema: "error/1", Error: err.Error(), ExitCode: code}, nil)
	}
	return code
}

// wantsDocument tells whether a command was asked for JSON, however it was spelt;
// of flags that were not read because one before them is wrong, by the usual way.
func wantsDocument(cmd *cobra.Command, args []string) bool {
	for flag, value := range map[string]string{"json": "true", "format": formatJSON} {
		if f := cmd.Flags().Lookup(flag); f != nil && f.Value.String() == value {
			return true
		}
	}
	return slices.Contains(args, "--json")
}

// counter tells whether a result was printed before an error came.
type counter struct {
	io.Writer
	bytes int
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.bytes += n
	return n, err
}

func newRootCommand(version string) *cobra.Command {
	var printVersion bool
	root := &cobra.Command{
		Use:   "auth0sns",
		Short: "Amazon SNS as the SMS sender of an Auth0 tenant's MFA",
		Long: "auth0sns is a Terraform provider, and this command line tool in the same binary.\n" +
			"Started by Terraform it serves the provider; started by a person it does what is listed below.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Args:          knownCommand,
		// As many letters may be wrong in a command that is suggested.
		SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !printVersion {
				return cmd.Help()
			}
			_, err := io.WriteString(cmd.OutOrStdout(), versionText(version))
			return err
		},
	}
	// cobra's own flag prints through text/template.
	root.Flags().BoolVarP(&printVersion, "version", "v", false, "version for auth0sns")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError(err) })
	sandboxCommand := newSandboxCommand()
	sandboxCommand.AddCommand(newDemoCommand())
	root.AddCommand(
		newBootstrapCommand(version), newCheckCommand(version), newDiffCommand(), newGenerateCommand(version), newReviewCommand(version),
		newSendTestCommand(version), newStatusCommand(version), newVersionCommand(version), sandboxCommand,
	)
	addCompletions(root)
	return root
}

// knownCommand is [cobra.NoArgs] that says what may have been meant.
func knownCommand(cmd *cobra.Command, args []string) error {
	err := cobra.NoArgs(cmd, args)
	if err == nil {
		return nil
	}
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return fmt.Errorf("%w. Did you mean %s?", err, strings.Join(near, ", "))
	}
	return err
}

// markUsage makes what cobra says about the arguments of a command, and of those
// beneath it, a usage error: cobra's own errors have no type.
func markUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError(err)
			}
			return nil
		}
	}
	for _, below := range cmd.Commands() {
		markUsage(below)
	}
}

// report says on stderr why a command failed, and where its usage is.
func report(ctx context.Context, command string, code int, err error, stderr io.Writer) {
	switch {
	case err == nil:
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "auth0sns: interrupted")
	case code == exitUsage:
		fmt.Fprintf(stderr, "auth0sns: %v\nTry: %s --help\n", err, command)
	default:
		fmt.Fprintf(stderr, "auth0sns: %v\n", err)
	}
}
