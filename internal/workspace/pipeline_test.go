package workspace

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// team is a workspace in a repository's folder with environments on a backend.
func team(t *testing.T, b Backend, environments ...string) *Workspace {
	t.Helper()
	top := t.TempDir()
	if err := os.Mkdir(filepath.Join(top, ".git"), 0o755); err != nil {
		t.Fatal(err)
	}
	w := Open(filepath.Join(top, "infra", "sms"))
	for i, name := range environments {
		requireWrite(t, w, name, settings(func(s *Settings) {
			s.Domain, s.AccountID = name+".eu.auth0.com", strings.Repeat(string(rune('1'+i)), 12)
			s.Backend = b
		}), nil)
	}
	return w
}

func s3Backend() Backend {
	return Backend{"s3", map[string]string{"bucket": "states", "region": "eu-west-1"}}
}

// pipeline renders one, writes it, and reads it as YAML.
func pipeline[T any](t *testing.T, kind string, b Backend) (path, text string, parsed T) {
	t.Helper()
	environments := []string{"staging", "production", "asia"}
	w := team(t, b, environments...)
	changes, err := w.Pipeline(kind, environments)
	if err != nil {
		t.Fatal(err)
	}
	if len(changes) != 1 {
		t.Fatalf("%d files", len(changes))
	}
	if err := w.Write(changes); err != nil {
		t.Fatal(err)
	}
	if again, err := w.Pipeline(kind, environments); err != nil || len(again) > 0 {
		t.Errorf("a second run would write it again: %v", err)
	}
	source, err := os.ReadFile(changes[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(source, &parsed); err != nil {
		t.Fatalf("no YAML: %v\n%s", err, source)
	}
	if left := regexp.MustCompile(`@[A-Z_]+@`).Find(source); left != nil {
		t.Errorf("%s was not filled in", left)
	}
	path, err = filepath.Rel(filepath.Join(w.dir, "..", ".."), changes[0].Path)
	if err != nil {
		t.Fatal(err)
	}
	return filepath.ToSlash(path), string(source), parsed
}

// requireShell asks a shell whether it understands a script.
func requireShell(t *testing.T, shell, name, script string) {
	t.Helper()
	check := exec.CommandContext(t.Context(), shell, "-n")
	check.Stdin = strings.NewReader(script)
	if out, err := check.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s\n%s", name, err, out, script)
	}
}

type githubWorkflow struct {
	On          map[string]any
	Permissions map[string]string
	Jobs        map[string]githubJob
}

type githubJob struct {
	Needs       []string
	If          string
	Environment string
	Permissions map[string]string
	Concurrency struct {
		Group  string
		Cancel bool `yaml:"cancel-in-progress"`
	}
	Env      map[string]string
	Defaults struct {
		Run struct {
			Shell     string
			Directory string `yaml:"working-directory"`
		}
	}
	Steps []struct {
		Name, Uses, Run string
		With            map[string]any
		Env             map[string]string
	}
}

func (j githubJob) script(name string) string {
	for _, s := range j.Steps {
		if s.Name == name {
			return s.Run
		}
	}
	return ""
}

// requireHead: whoever finds the file learns from it what else has to be there.
func requireHead(t *testing.T, text string) {
	t.Helper()
	var head strings.Builder
	for line := range strings.Lines(text) {
		head.WriteString(strings.TrimPrefix(strings.TrimSpace(line), "#"))
	}
	for _, what := range []string{"identity provider", "check --pre --print-iam-policy", "make install", "never passes here", "bootstrap with --ci"} {
		if !strings.Contains(head.String(), what) {
			t.Errorf("the head does not speak of %q", what)
		}
	}
}

// TestGitHubPipeline holds the pipeline to what a team relies on: nothing is
// applied from a pull request or without a review, nothing reaches the second
// environment before the first is checked, and no key of AWS is stored.
func TestGitHubPipeline(t *testing.T) {
	path, text, workflow := pipeline[githubWorkflow](t, "github", s3Backend())
	if path != ".github/workflows/sms-mfa.yml" {
		t.Errorf("it is at %s", path)
	}
	requireHead(t, text)
	if len(workflow.Permissions) != 0 || workflow.Permissions == nil {
		t.Errorf("permissions of every job: %v", workflow.Permissions)
	}
	wantPaths := []any{"infra/sms/modules/sms_mfa/**/*", "infra/sms/environments/**/*", ".github/workflows/sms-mfa.yml"}
	for _, event := range []string{"pull_request", "push"} {
		trigger, _ := workflow.On[event].(map[string]any)
		if diff := cmp.Diff(wantPaths, trigger["paths"]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", event, diff)
		}
	}
	if strings.Contains(text, "AWS_ACCESS_KEY") || strings.Contains(text, "AWS_SECRET") {
		t.Error("it stores a key of AWS")
	}
	needs := map[string][]string{
		"plan-staging": nil, "apply-staging": nil,
		"plan-production": {"apply-staging"}, "apply-production": {"plan-production"},
		"plan-asia": {"apply-production", "plan-production"}, "apply-asia": {"plan-asia"},
	}
	if len(workflow.Jobs) != len(needs) {
		t.Errorf("%d jobs", len(workflow.Jobs))
	}
	for name, job := range workflow.Jobs {
		if diff := cmp.Diff(needs[name], job.Needs); diff != "" {
			t.Errorf("%s needs (-want +got):\n%s", name, diff)
		}
		kind, environment, _ := strings.Cut(name, "-")
		permissions := map[string]string{"contents": "read", "id-token": "write"}
		wantEnvironment := environment
		if kind == "plan" {
			permissions["pull-requests"] = "write"
			wantEnvironment += "-plan"
		}
		if diff := cmp.Diff(permissions, job.Permissions); diff != "" {
			t.Errorf("%s may (-want +got):\n%s", name, diff)
		}
		if job.Environment != wantEnvironment {
			t.Errorf("%s has the credentials of %s", name, job.Environment)
		}
		if job.Concurrency.Cancel != (kind == "plan") {
			t.Errorf("%s is cancelled by the next run: %t", name, job.Concurrency.Cancel)
		}
		if run := job.Defaults.Run; run.Shell != "bash" || run.Directory != "infra/sms/environments/"+environment {
			t.Errorf("%s runs in %+v", name, run)
		}
		for _, step := range job.Steps {
			if step.Uses != "" && !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(step.Uses) {
				t.Errorf("%s: %s is not pinned", name, step.Uses)
			}
			requireShell(t, "bash", name+": "+step.Name, step.Run)
			if strings.Contains(step.Run, "${{") {
				t.Errorf("%s: an expression is put into a script: %s", name, step.Run)
			}
		}
		requireOrder(t, name, text, job, kind)
		if run := job.script("Review"); !strings.Contains(run, fmt.Sprintf(`auth0sns review --env %s --dir "$GITHUB_WORKSPACE/infra/sms/" `, environment)) {
			t.Errorf("%s does not look for another tenant or account in its plan: %q", name, run)
		}
	}
	if !strings.Contains(workflow.Jobs["apply-staging"].If, "github.ref_name == github.event.repository.default_branch") {
		t.Error("another branch is applied")
	}
	if run := workflow.Jobs["apply-production"].script("Check"); run != `auth0sns check --env production --dir "$GITHUB_WORKSPACE/infra/sms/" --accept "$CHECK_ACCEPT"` {
		t.Errorf("it checks with %q", run)
	}
}

// requireOrder: a plan job applies nothing; an apply job applies what it reviewed.
func requireOrder(t *testing.T, name, text string, job githubJob, kind string) {
	t.Helper()
	var runs []string
	for _, step := range job.Steps {
		runs = append(runs, step.Run)
	}
	all := strings.Join(runs, "\n")
	if kind == "plan" {
		if strings.Contains(all, "terraform apply") {
			t.Errorf("%s applies", name)
		}
		return
	}
	for _, pair := range [][2]string{{"terraform plan", "auth0sns review"}, {"auth0sns review", "terraform apply"}, {"terraform apply", "auth0sns check"}} {
		if a, b := strings.Index(all, pair[0]), strings.Index(all, pair[1]); a < 0 || b < a {
			t.Errorf("%s: %s does not come before %s\n%s", name, pair[0], pair[1], text)
		}
	}
	if !strings.Contains(all, `terraform apply -lock-timeout=5m "$RUNNER_TEMP/plan"`) {
		t.Errorf("%s does not apply the plan that it reviewed", name)
	}
}

// TestGitLabPipeline is the same for GitLab.
func TestGitLabPipeline(t *testing.T) {
	path, text, jobs := pipeline[map[string]map[string]any](t, "gitlab", s3Backend())
	if path != ".gitlab/sms-mfa.yml" {
		t.Errorf("it is at %s", path)
	}
	requireHead(t, text)
	var names []string
	for name, job := range jobs {
		names = append(names, name)
		for _, key := range []string{"before_script", "script"} {
			lines, _ := job[key].([]any)
			for _, line := range lines {
				script, _ := line.(string)
				requireShell(t, "sh", name, script)
			}
		}
	}
	slices.Sort(names)
	want := []string{
		".sms-mfa", ".sms-mfa-apply", ".sms-mfa-plan",
		"sms-mfa-apply-asia", "sms-mfa-apply-production", "sms-mfa-apply-staging", "sms-mfa-plan-asia", "sms-mfa-plan-production", "sms-mfa-plan-staging",
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Fatalf("jobs (-want +got):\n%s", diff)
	}
	if strings.Contains(text, "AWS_ACCESS_KEY") || strings.Contains(text, "AWS_SECRET") {
		t.Error("it stores a key of AWS")
	}
	if n := strings.Count(text, `auth0sns review --env "$SMS_MFA_ENV" --dir "$CI_PROJECT_DIR/infra/sms/" `); n != 2 {
		t.Errorf("%d of 2 reviews look for another tenant or account in their plan", n)
	}
	paths := []any{"infra/sms/modules/sms_mfa/**/*", "infra/sms/environments/**/*", ".gitlab/sms-mfa.yml"}
	onDefault := map[string]any{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "changes": paths}
	approved := map[string]any{"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH", "changes": paths, "when": "manual"}
	for job, rule := range map[string]map[string]any{"sms-mfa-apply-staging": onDefault, "sms-mfa-apply-production": approved, "sms-mfa-apply-asia": approved} {
		if diff := cmp.Diff([]any{rule}, jobs[job]["rules"]); diff != "" {
			t.Errorf("%s runs (-want +got):\n%s", job, diff)
		}
		if jobs[job]["resource_group"] == nil {
			t.Errorf("%s may run twice at once", job)
		}
	}
	if diff := cmp.Diff([]any{map[string]any{"job": "sms-mfa-apply-staging", "optional": true}}, jobs["sms-mfa-plan-production"]["needs"]); diff != "" {
		t.Errorf("what production's plan waits for (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"sms-mfa-plan-production"}, jobs["sms-mfa-apply-production"]["needs"]); diff != "" {
		t.Errorf("what production waits for (-want +got):\n%s", diff)
	}
}

// TestPipelineReachesTheState gives each backend what it needs, and refuses what
// a pipeline cannot reach.
func TestPipelineReachesTheState(t *testing.T) {
	azure := Backend{"azurerm", map[string]string{"storage_account_name": "a", "container_name": "c"}}
	remote := Backend{"remote", map[string]string{"organization": "o", "hostname": "tfe.my-team.example"}}
	gcs := Backend{"gcs", map[string]string{"bucket": "b"}}
	for name, test := range map[string]struct {
		kind string
		b    Backend
		want string
		says string
	}{
		"azurerm at GitHub": {"github", azure, "\n      ARM_CLIENT_ID: ${{ vars.ARM_CLIENT_ID }}\n", ""},
		"azurerm at GitLab": {"gitlab", azure, "\n    ARM_OIDC_TOKEN:\n      aud: api://AzureADTokenExchange\n", ""},
		"remote at GitHub":  {"github", remote, "\n      TF_TOKEN_tfe_my__team_example: ${{ secrets.TF_API_TOKEN }}\n", ""},
		"remote at GitLab":  {"gitlab", remote, "for the state TF_TOKEN_tfe_my__team_example (masked)", ""},
		"gcs at GitHub":     {"github", gcs, "\n      - uses: google-github-actions/auth@", ""},
		"gcs at GitLab":     {"gitlab", gcs, "", "is not written"},
		"local":             {"github", Backend{}, "", "the state of staging is a file on one machine"},
		"unknown service":   {"jenkins", s3Backend(), "", `"jenkins" is none of github, gitlab`},
	} {
		t.Run(name, func(t *testing.T) {
			w := team(t, test.b, "staging")
			changes, err := w.Pipeline(test.kind, []string{"staging"})
			if test.says != "" {
				requireError(t, err, test.says)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(changes[0].After), test.want) {
				t.Errorf("no %q in\n%s", test.want, changes[0].After)
			}
			if err := yaml.Unmarshal(changes[0].After, new(any)); err != nil {
				t.Errorf("no YAML: %v", err)
			}
		})
	}
	if _, err := Open(t.TempDir()).Pipeline("github", []string{"staging"}); err == nil {
		t.Error("a pipeline for an environment that is not there")
	}
}
