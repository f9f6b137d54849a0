//go:build unix

package main_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

// TestAccDemo runs what a person runs first, and holds the README to what it prints.
func TestAccDemo(t *testing.T) {
	t.Parallel()
	output := demo(t, "hook")
	root := acctest.ModuleRoot(t)
	printed := "\n" + withoutChance(output)
	for line := range strings.Lines(transcript(t, filepath.Join(root, "README.md"))) {
		if !strings.Contains(printed, "\n"+withoutChance(line)) {
			t.Errorf("the README shows a line that the demo does not print:\n%s", line)
		}
	}
	if t.Failed() {
		t.Logf("the demo printed:\n%s", output)
	}
}

// TestAccDemoPaths is the same on the paths that a tenant has today.
func TestAccDemoPaths(t *testing.T) {
	t.Parallel()
	for path, lines := range map[string][]string{
		"action":  {"auth0sns_action.sms: Creation complete", "the deployed action sends the code", "No changes.", "no action, no user, no key"},
		"unified": {"auth0sns_phone_provider.sms: Creation complete", "the deployed action sends the code", "No changes.", "no phone provider, no action, no user, no key"},
	} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			output := demo(t, path)
			for _, line := range lines {
				if !strings.Contains(output, line) {
					t.Errorf("the demo does not print %q:\n%s", line, output)
				}
			}
		})
	}
}

// demo runs the demo and returns what it printed.
func demo(t *testing.T, path string) string {
	t.Helper()
	needAcc(t)
	_, err := exec.LookPath("npm")
	acctest.NeedTool(t, err == nil, "npm", "it comes with Node, https://nodejs.org/en/download")
	cache := filepath.Join(acctest.ModuleRoot(t), ".cache", "sandbox")
	cmd := exec.CommandContext(t.Context(), binary(t), "sandbox", "demo", "--path", path, "--cache-dir", cache)
	var failure bytes.Buffer
	cmd.Stderr = &failure
	output, err := cmd.Output()
	if err != nil {
		t.Fatalf("the demo failed: %v\n%s\n%s", err, output, failure.String())
	}
	return string(output)
}

// transcript is the first console block of the README without its command.
func transcript(t *testing.T, readme string) string {
	t.Helper()
	text, err := os.ReadFile(readme) //nolint:gosec // The README of this module.
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```console\n\\$ make demo\n(.*?)```").FindSubmatch(text)
	if block == nil {
		t.Fatal("the README has no transcript of make demo any more")
	}
	return string(block[1])
}

// withoutChance blanks ids, codes, ports and times.
func withoutChance(text string) string {
	text = regexp.MustCompile(`[0-9A-Z]{16,}`).ReplaceAllString(text, "ID")
	text = regexp.MustCompile(`\.\.\. \[\d+s elapsed\]`).ReplaceAllString(text, "... [Ns elapsed]")
	return regexp.MustCompile(`\d+`).ReplaceAllString(text, "N")
}
