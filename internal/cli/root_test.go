package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// execute runs a command line as main does.
func execute(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = Execute(ctx, "1.2.3", args, strings.NewReader(""), &out, &errs)
	return code, out.String(), errs.String()
}

// TestExitCodes keeps the contract with scripts: 0 done, 1 error, 3 usage,
// 130 interrupted; results on stdout, complaints on stderr.
func TestExitCodes(t *testing.T) {
	version := fmt.Sprintf("auth0sns 1.2.3 (%s, %s/%s)\n", runtime.Version(), runtime.GOOS, runtime.GOARCH)
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	for name, test := range map[string]struct {
		ctx    context.Context
		args   []string
		code   int
		stdout string // exact, or the start of it where it ends in …
		stderr string
	}{
		"version":                    {nil, []string{"version"}, exitOK, version, ""},
		"--version":                  {nil, []string{"--version"}, exitOK, version, ""},
		"nothing is a call for help": {nil, nil, exitOK, "auth0sns is a Terraform provider…", ""},
		"--help":                     {nil, []string{"--help"}, exitOK, "auth0sns is a Terraform provider…", ""},
		"help of a command":          {nil, []string{"version", "--help"}, exitOK, "Prints the version…", ""},
		"unknown command":            {nil, []string{"sandbocks"}, exitUsage, "", `auth0sns: unknown command "sandbocks" for "auth0sns"` + "\nTry: auth0sns --help\n"},
		"mistyped command":           {nil, []string{"chekc"}, exitUsage, "", `auth0sns: unknown command "chekc" for "auth0sns". Did you mean check?` + "\nTry: auth0sns --help\n"},
		"unknown flag":               {nil, []string{"--colour"}, exitUsage, "", "auth0sns: unknown flag: --colour\nTry: auth0sns --help\n"},
		"unknown flag of a command":  {nil, []string{"version", "--yaml"}, exitUsage, "", "auth0sns: unknown flag: --yaml\nTry: auth0sns version --help\n"},
		"argument too many":          {nil, []string{"version", "now"}, exitUsage, "", `auth0sns: unknown command "now" for "auth0sns version"` + "\nTry: auth0sns version --help\n"},
		"argument of a subcommand":   {nil, []string{"sandbox", "demo", "now"}, exitUsage, "", `auth0sns: unknown command "now" for "auth0sns sandbox demo"` + "\nTry: auth0sns sandbox demo --help\n"},
		"flag value of a wrong type": {nil, []string{"sandbox", "--key-delay", "soon"}, exitUsage, "", "auth0sns: invalid argument…"},
		"flag value refused":         {nil, []string{"sandbox", "--hooks-mode", "open"}, exitUsage, "", `auth0sns: --hooks-mode "open": want one of…`},
		"failure":                    {nil, []string{"sandbox", "--instances", "Staging"}, exitError, "", `auth0sns: sandbox: instance "Staging"…`},
		"done despite interruption":  {interrupted, []string{"version"}, exitOK, version, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_CACHE_HOME", t.TempDir())
			if test.ctx == nil {
				test.ctx = t.Context()
			}
			code, stdout, stderr := execute(test.ctx, test.args...)
			if code != test.code {
				t.Errorf("exit code %d, want %d; stderr: %s", code, test.code, stderr)
			}
			requireText(t, "stdout", stdout, test.stdout)
			requireText(t, "stderr", stderr, test.stderr)
		})
	}
}

// requireText compares a text, or its start where want ends in an ellipsis.
func requireText(t *testing.T, what, got, want string) {
	t.Helper()
	start, open := strings.CutSuffix(want, "…")
	if got != want && (!open || !strings.HasPrefix(got, start)) {
		t.Errorf("%s is %q, want %q", what, got, want)
	}
}

// TestInterruptionIsTheContextsOnly keeps a time-out somewhere inside from
// being reported as if a person had pressed Ctrl-C, and the reverse.
func TestInterruptionIsTheContextsOnly(t *testing.T) {
	interrupted, interrupt := context.WithCancel(t.Context())
	interrupt()
	inner := fmt.Errorf("read settings: %w", context.Canceled)
	var stderr bytes.Buffer
	if report(t.Context(), "auth0sns", exitCodeOf(t.Context(), inner), inner, &stderr); exitCodeOf(t.Context(), inner) != exitError || !strings.Contains(stderr.String(), "read settings") {
		t.Errorf("a cancellation inside ends with %d and says %q", exitCodeOf(t.Context(), inner), stderr.String())
	}
	if code := exitCodeOf(interrupted, errors.New("signal: killed")); code != exitInterrupted {
		t.Errorf("an interrupted command ends with %d, whatever its error", code)
	}
}

// TestEveryCommandRefusesWhatItDoesNotTake finds the command that is added
// without a rule for its arguments: a mistyped one would be ignored.
func TestEveryCommandRefusesWhatItDoesNotTake(t *testing.T) {
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Args == nil && cmd.Runnable() {
			t.Errorf("%q has no Args", cmd.CommandPath())
		}
		if cmd.Short == "" {
			t.Errorf("%q says nothing in the list of commands", cmd.CommandPath())
		}
		for _, below := range cmd.Commands() {
			visit(below)
		}
	}
	visit(newRootCommand("1.2.3"))
}

// TestAFailureIsADocumentHoweverJSONWasAskedFor keeps a program from parsing
// nothing, which some parsers take for an empty answer.
func TestAFailureIsADocumentHoweverJSONWasAskedFor(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{"check", "--env", "staging", "--json=true"},
		{"review", "--format=json", "no-such-plan"},
		{"review", "--format", "json", "no-such-plan"},
		{"status", "--no-such-flag", "--json"},
	} {
		if _, stdout, _ := execute(t.Context(), args...); !strings.Contains(stdout, `"schema": "error/1"`) {
			t.Errorf("%q prints %q", args, stdout)
		}
	}
	if _, stdout, _ := execute(t.Context(), "check", "--env", "staging", "--json=false"); stdout != "" {
		t.Errorf("a person gets %q", stdout)
	}
}

// TestNoNameOfAnEnvironmentIsUsage gives a mistyped name the exit code of one.
func TestNoNameOfAnEnvironmentIsUsage(t *testing.T) {
	for _, command := range []string{"bootstrap", "check", "status", "diff --env ../Other", "send-test --to +15005550001", "review plan", "generate"} {
		args := append(strings.Fields(command), "--env", "../Staging")
		if code, _, stderr := execute(t.Context(), args...); code != exitUsage || !strings.Contains(stderr, "is no name of an environment") {
			t.Errorf("%q ends with %d: %s", args, code, stderr)
		}
	}
}
