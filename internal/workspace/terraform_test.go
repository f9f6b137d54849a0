//go:build unix

package workspace

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
)

// mirrored is the version under which the tests offer the provider.
const mirrored = "0.0.1"

// mirror builds the provider and returns the variables that let Terraform find
// it, and nothing else.
func mirror(t *testing.T) map[string]string {
	t.Helper()
	_, err := exec.LookPath("terraform")
	acctest.NeedTool(t, err == nil, "terraform", "https://developer.hashicorp.com/terraform/install")
	dir := t.TempDir()
	binary := filepath.Join(dir, acctest.ProviderHost(), "auth0sns", "auth0sns", mirrored, runtime.GOOS+"_"+runtime.GOARCH, "terraform-provider-auth0sns_v"+mirrored)
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, ".")
	build.Dir = acctest.ModuleRoot(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the provider does not build: %v\n%s", err, out)
	}
	rc := filepath.Join(dir, "terraform.rc")
	write(t, rc, fmt.Sprintf("provider_installation {\n  filesystem_mirror {\n    path = %q\n  }\n}\n", dir))
	return map[string]string{
		"PATH": os.Getenv("PATH"), "HOME": dir, "TMPDIR": acctest.ShortTempDir(t),
		"TF_CLI_CONFIG_FILE": rc, "CHECKPOINT_DISABLE": "1",
	}
}

// TestRealTerraform takes both modules through the real Terraform: what is
// written is formatted and valid, applies on the sandbox, plans empty after it,
// and its state says who sends.
func TestRealTerraform(t *testing.T) {
	environ := mirror(t)
	world := acctest.New(t, func(o *sandbox.Options) { o.KeyDelay = 100 * time.Millisecond })
	for name, value := range world.Variables {
		environ[name] = value
	}
	ctx := t.Context()

	valid := Open(t.TempDir())
	requireWrite(t, valid, "staging", settings(func(s *Settings) { s.Path = PathAction }), nil)
	open(t, valid, environ).validate(t)

	w := Open(t.TempDir())
	s := settings(func(s *Settings) {
		s.Domain, s.AccountID, s.Region = world.TenantURL, world.World.Describe().Instances[0].AWS.AccountID, "us-east-1"
		s.EnrollmentMessage, s.VerificationMessage = "{{code}} enrolls you at {{tenant.friendly_name}}.", "{{ code }} is your \"code\" ${yes}."
		s.SMS = SMS{MaxPriceUSD: "0.20", AllowedCountryCodes: []string{"+44", "+1"}, FallbackRegions: []string{"us-west-2"}}
	})
	requireWrite(t, w, "staging", s, nil)
	format := exec.CommandContext(ctx, "terraform", "fmt", "-check", "-recursive", "-diff", w.dir)
	format.Env = []string{"PATH=" + environ["PATH"], "TF_CLI_CONFIG_FILE=" + os.DevNull}
	if out, err := format.CombinedOutput(); err != nil {
		t.Errorf("what is written is not as terraform fmt wants it: %v\n%s", err, out)
	}

	tf := open(t, w, environ)
	tf.validate(t)
	planFile := filepath.Join(t.TempDir(), "plan")
	var seen []string
	changes, err := tf.Plan(ctx, planFile, func(e Event) { seen = append(seen, e.Kind+" "+e.Address) })
	if err != nil || !changes {
		t.Fatalf("the first plan: changes %t, %v", changes, err)
	}
	if want := "planned_change module.sms_mfa.auth0sns_credentials.sms"; !slices.Contains(seen, want) {
		t.Errorf("no progress tells of %q: %q", want, seen)
	}
	if info, err := os.Stat(planFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read the plan: %v %v", info.Mode(), err)
	}
	plan, err := tf.ShowPlan(ctx, planFile)
	if err != nil || len(plan.ResourceChanges) != 6 {
		t.Fatalf("the plan has not the six resources of the guide: %+v, %v", plan, err)
	}
	if err := tf.Apply(ctx, planFile, nil); err != nil {
		t.Fatal(err)
	}
	state, err := tf.State(ctx)
	if err != nil {
		t.Fatal(err)
	}
	live := LiveOf(state)
	if live.SenderID == "" || !strings.HasPrefix(live.AccessKeyID, "AKIA") || len(live.CodeSHA256) != 64 {
		t.Errorf("the state does not say who sends: %+v", live)
	}
	live.SenderID, live.AccessKeyID, live.CodeSHA256, live.RotationDue = "", "", "", ""
	if diff := cmp.Diff(Live{Path: PathUnified, IAMUser: "auth0-mfa-sms", PolicyName: "auth0sns-publish-sms", Region: "us-east-1", Enabled: true}, live); diff != "" {
		t.Errorf("what the state says (-want +got):\n%s", diff)
	}
	if changes, err = tf.Plan(ctx, planFile, nil); err != nil || changes {
		t.Errorf("a second run would change something: %t, %v", changes, err)
	}

	// The pin: another account's credentials change nothing.
	s.AccountID = "999999999999"
	requireWrite(t, w, "staging", s, nil)
	_, err = tf.Plan(ctx, planFile, nil)
	var failed *TerraformError
	if !errors.As(err, &failed) || len(failed.Diagnostics) == 0 || !strings.Contains(err.Error(), "999999999999") {
		t.Errorf("a plan for the wrong account does not say so: %v", err)
	}
}

// open initializes the root module of staging.
func open(t *testing.T, w *Workspace, environ map[string]string) *Terraform {
	t.Helper()
	tf, err := NewTerraform(filepath.Join(w.dir, "environments", "staging"), environ)
	if err != nil {
		t.Fatal(err)
	}
	if err := tf.Init(t.Context()); err != nil {
		t.Fatal(err)
	}
	return tf
}

func (t *Terraform) validate(tb testing.TB) {
	tb.Helper()
	result, err := t.cli.Validate(tb.Context())
	if err != nil || !result.Valid {
		tb.Fatalf("what is written is not valid: %v %+v", err, result)
	}
}

// fake is a program in terraform's place: a shell script, which gets the
// command as $1.
func fake(t *testing.T, script string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "terraform")
	const version = `[ "$1" = version ] && { echo '{"terraform_version":"1.11.4"}'; exit; }` + "\n"
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+version+script), 0o755); err != nil {
		t.Fatal(err)
	}
	return map[string]string{"AUTH0SNS_TERRAFORM": path, "PATH": os.Getenv("PATH")}
}

// TestTerraformSaysAll keeps every word of Terraform's errors: a person can do
// nothing with "exit status 1".
func TestTerraformSaysAll(t *testing.T) {
	environ := fake(t, `
printf '%s\n' '{"@level":"info","@message":"Terraform 1.11.4","type":"version"}'
printf '%s\n' '{"@message":"Error: Wrong tenant","type":"diagnostic","diagnostic":{"severity":"error","summary":"Wrong tenant","detail":"The token is for production.\nNothing was done.","address":"auth0sns_action.sms","range":{"filename":"main.tf","start":{"line":7}},"snippet":{"context":"resource \"auth0sns_action\" \"sms\"","code":"  name = 1","start_line":7}}}'
printf '%s\n' '{"@message":"Warning: Odd","type":"diagnostic","diagnostic":{"severity":"warning","summary":"Odd"}}'
echo 'panic: not JSON'
echo 'and on stderr' >&2
exit 1`)
	tf, err := NewTerraform(t.TempDir(), environ)
	if err != nil {
		t.Fatal(err)
	}
	var warned bool
	_, err = tf.Plan(t.Context(), "plan", func(e Event) { warned = warned || e.Diagnostic != nil && e.Diagnostic.Summary == "Odd" })
	want := `terraform plan failed

Error: Wrong tenant

  with auth0sns_action.sms,
  on main.tf line 7, in resource "auth0sns_action" "sms":
     7:   name = 1

The token is for production.
Nothing was done.

panic: not JSON
and on stderr`
	if err == nil || cmp.Diff(want, err.Error()) != "" {
		t.Errorf("the error (-want +got):\n%s", cmp.Diff(want, fmt.Sprint(err)))
	}
	if !warned {
		t.Error("a warning did not reach the progress display")
	}
}

// TestInterruptedApplyEndsItsHandOver gives an apply that is interrupted the
// time to write what it has done.
func TestInterruptedApplyEndsItsHandOver(t *testing.T) {
	done := filepath.Join(t.TempDir(), "done")
	environ := fake(t, `
halted='{"@message":"Error: execution halted","type":"diagnostic","diagnostic":{"severity":"error","summary":"execution halted"}}'
trap 'sleep 0.3; echo state > `+done+`; echo "$halted"; exit 1' INT
echo '{"@message":"started","type":"apply_start","hook":{"resource":{"addr":"a.b"}}}'
while :; do sleep 0.05; done`)
	tf, err := NewTerraform(t.TempDir(), environ)
	if err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	err = tf.Apply(ctx, "plan", func(e Event) {
		if e.Kind == "apply_start" && e.Address != "a.b" {
			t.Errorf("the event has lost its resource: %+v", e)
		}
		interrupt()
	})
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "execution halted") {
		t.Errorf("the interruption is not told as one: %v", err)
	}
	if _, err := os.Stat(done); err != nil {
		t.Errorf("the apply was killed before it had written its state: %v", err)
	}
}

// TestApplyOutlivesItsReader is "auth0sns bootstrap | tee log" and Ctrl-C, which
// ends tee first: what is written after that must not take Terraform along.
func TestApplyOutlivesItsReader(t *testing.T) {
	if terraform := os.Getenv("TEST_TERRAFORM"); terraform != "" {
		tf, err := NewTerraform(t.TempDir(), map[string]string{"AUTH0SNS_TERRAFORM": terraform, "PATH": os.Getenv("PATH")})
		if err == nil {
			err = tf.Apply(t.Context(), "plan", func(Event) { fmt.Fprintln(os.Stderr, "progress") })
		}
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	done := filepath.Join(t.TempDir(), "done")
	environ := fake(t, `
echo '{"@message":"started","type":"apply_start"}'
sleep 0.3
echo state > `+done)
	ours, theirs, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := ours.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "TEST_TERRAFORM="+environ["AUTH0SNS_TERRAFORM"])
	cmd.Stderr = theirs
	if err := cmd.Run(); err != nil {
		t.Errorf("it was ended by a reader that went: %v", err)
	}
	if _, err := os.Stat(done); err != nil {
		t.Errorf("the apply was killed before it had written its state: %v", err)
	}
}

// TestNothingFromOutsideChangesAPlan keeps variables of the shell from taking the
// place of what the files say, and lets through what Terraform needs.
func TestNothingFromOutsideChangesAPlan(t *testing.T) {
	environ := fake(t, `env | grep -E '^(TF_|AUTH0_|AWS_)' | sort >&2; exit 1`)
	for _, name := range []string{"TF_VAR_auth0_domain", "TF_CLI_ARGS", "TF_CLI_ARGS_plan", "TF_WORKSPACE", "TF_LOG", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR", "TF_TOKEN_app_terraform_io", "AUTH0_CLIENT_ID", "AWS_REGION"} {
		environ[name] = "set"
	}
	t.Setenv("TF_VAR_auth0_domain", "of the process")
	t.Setenv("AUTH0_CLIENT_SECRET", "of the process")
	tf, err := NewTerraform(t.TempDir(), environ)
	if err != nil {
		t.Fatal(err)
	}
	err = tf.Init(t.Context())
	var got []string
	for line := range strings.Lines(err.Error()) {
		if name, value, ok := strings.Cut(line, "="); ok && value != "\n" && !strings.HasPrefix(name, "TF_APPEND") {
			got = append(got, name)
		}
	}
	want := []string{"AUTH0_CLIENT_ID", "AWS_REGION", "TF_CLI_CONFIG_FILE", "TF_IN_AUTOMATION", "TF_PLUGIN_CACHE_DIR", "TF_TOKEN_app_terraform_io"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what Terraform gets (-want +got):\n%s", diff)
	}
}

// TestNoTerraformToUse says where to get one.
func TestNoTerraformToUse(t *testing.T) {
	old := fake(t, "")
	write(t, old["AUTH0SNS_TERRAFORM"], "#!/bin/sh\necho '{\"terraform_version\":\"1.10.5\"}'\n")
	for name, test := range map[string]struct {
		environ map[string]string
		says    string
	}{
		"too old": {old, "is version 1.10.5: get Terraform 1.11 or newer from https://developer.hashicorp.com/terraform/install"},
		"none":    {map[string]string{"AUTH0SNS_TERRAFORM": "no-such-terraform"}, "no-such-terraform is not on PATH"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewTerraform(t.TempDir(), test.environ)
			requireError(t, err, test.says)
			_, err = TerraformVersion(t.Context(), test.environ)
			requireError(t, err, test.says)
		})
	}
	if got, err := TerraformVersion(t.Context(), fake(t, "")); err != nil || got != "1.11.4" {
		t.Errorf("version %q, %v", got, err)
	}
}

// TestSelectedWorkspaceIsRefused keeps the state of another Terraform workspace
// from being taken for the environment's.
func TestSelectedWorkspaceIsRefused(t *testing.T) {
	environ, dir := fake(t, ""), t.TempDir()
	write(t, filepath.Join(dir, ".terraform", "environment"), "experiment")
	_, err := NewTerraform(dir, environ)
	requireError(t, err, "terraform workspace select default")
	write(t, filepath.Join(dir, "backend.tf"), "terraform {\n  cloud {\n    workspaces {\n      name = \"experiment\"\n    }\n  }\n}\n")
	if _, err = NewTerraform(dir, environ); err != nil {
		t.Errorf("HCP Terraform's workspace is refused: %v", err)
	}
}
