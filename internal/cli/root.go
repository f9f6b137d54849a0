// Package cli is a person's face of auth0sns: one file for each command.
// Progress and errors go to stderr, results to stdout.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// Exit codes, part of the contract with scripts.
const (
	exitOK          = 0
	exitError       = 1
	exitUsage       = 3
	exitInterrupted = 130
)

// usageError is a command line that cannot be carried out.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Execute runs the command line tool and returns its exit code.
func Execute(ctx context.Context, version string, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRootCommand(version)
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	return exitCode(ctx, root.ExecuteContext(ctx), stderr)
}

func newRootCommand(version string) *cobra.Command {
	root := &cobra.Command{
		Use:   "auth0sns",
		Short: "Amazon SNS as the SMS sender of an Auth0 tenant's MFA",
		Long: "auth0sns is a Terraform provider, and this command line tool in the same binary.\n" +
			"Started by Terraform it serves the provider; started by a person it does what is listed below.",
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetVersionTemplate(versionText(version))
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	sandboxCommand := newSandboxCommand()
	sandboxCommand.AddCommand(newDemoCommand())
	root.AddCommand(sandboxCommand, newVersionCommand(version))
	markUsage(root)
	return root
}

// markUsage makes what cobra says about the arguments of a command, and of those
// beneath it, a usage error: cobra's own errors have no type.
func markUsage(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usageError{err}
			}
			return nil
		}
	}
	for _, below := range cmd.Commands() {
		markUsage(below)
	}
}

// exitCode reports a failure and tells what the process ends with. After an
// interruption it does not matter which error the interrupted command gave.
func exitCode(ctx context.Context, err error, stderr io.Writer) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "auth0sns: interrupted")
		return exitInterrupted
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "auth0sns: %v\nTry: auth0sns --help\n", err)
		return exitUsage
	default:
		fmt.Fprintf(stderr, "auth0sns: %v\n", err)
		return exitError
	}
}
