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
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
)

// TestAccDemo runs what a person runs first, and holds the README to what it prints.
func TestAccDemo(t *testing.T) {
	t.Parallel()
	requireTranscript(t, "make demo", demo(t, "hook"))
}

// TestAccReadmeBootstrap is the same for the recording of a whole bootstrap.
func TestAccReadmeBootstrap(t *testing.T) {
	t.Parallel()
	needAcc(t)
	world, err := sandbox.Start(t.Context(), sandbox.Options{KeyDelay: keyDelay})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = world.Close() })
	command := "auth0sns bootstrap --env staging --yes"
	cmd := exec.CommandContext(t.Context(), binary(t), strings.Fields(command)[1:]...)
	cmd.Dir = t.TempDir()
	home := t.TempDir()
	mirror := filepath.Join(home, "terraform.rc")
	if err := os.WriteFile(mirror, []byte(acctest.Mirror(t, binary(t))), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "TF_CLI_CONFIG_FILE=" + mirror, "CHECKPOINT_DISABLE=1", "AWS_EC2_METADATA_DISABLED=true"}
	for name, value := range world.Describe().Instances[0].Env {
		cmd.Env = append(cmd.Env, "STAGING_"+name+"="+value)
	}
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	requireTranscript(t, command, string(output))
}

// requireTranscript wants every line that the README shows of a command.
func requireTranscript(t *testing.T, command, output string) {
	t.Helper()
	printed := "\n" + withoutChance(output)
	for line := range strings.Lines(transcript(t, filepath.Join(acctest.ModuleRoot(t), "README.md"), command)) {
		if !strings.Contains(printed, "\n"+withoutChance(line)) {
			t.Errorf("the README shows a line that %s does not print:\n%s", command, line)
		}
	}
	if t.Failed() {
		t.Logf("%s printed:\n%s", command, output)
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

// transcript is the README's console block of a command, without the command.
func transcript(t *testing.T, readme, command string) string {
	t.Helper()
	text, err := os.ReadFile(readme) //nolint:gosec // The README of this module.
	if err != nil {
		t.Fatal(err)
	}
	_, block, ok := strings.Cut(string(text), "```console\n$ "+command+"\n")
	if !ok {
		t.Fatalf("the README has no transcript of %s any more", command)
	}
	block, _, _ = strings.Cut(block, "```")
	return block
}

// withoutChance blanks ids, codes, ports and times.
func withoutChance(text string) string {
	text = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|pro_\w+`).ReplaceAllString(text, "ID")
	text = regexp.MustCompile(`[0-9A-Z]{16,}`).ReplaceAllString(text, "ID")
	text = regexp.MustCompile(`\.\.\. \[\d+s elapsed\]`).ReplaceAllString(text, "... [Ns elapsed]")
	return regexp.MustCompile(`\d+`).ReplaceAllString(text, "N")
}
