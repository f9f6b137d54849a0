package cli

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// inspectWorld is a sandbox with a sender on the unified path that was set up by
// hand, and the variables of its environment exported.
func inspectWorld(t *testing.T) *acctest.Env {
	t.Helper()
	env := acctest.New(t)
	ctx, api, aws := t.Context(), env.Auth0(t), env.AWS(t)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	code, err := sender.Render(sender.CustomPhoneProvider, sender.Options{})
	ok(err)
	_, err = aws.CreateUser(ctx, awsapi.User{Name: workspace.DefaultIAMUser, Path: "/"})
	ok(err)
	key, err := aws.CreateAccessKey(ctx, workspace.DefaultIAMUser)
	ok(err)
	ok(aws.PutUserPolicy(ctx, workspace.DefaultIAMUser, "sns", awsapi.PublishPolicy(aws.Partition())))
	action, err := api.CreateAction(ctx, auth0api.Action{
		Name: "Amazon SNS", Code: code.Script, Runtime: "node22", Trigger: auth0api.ActionTrigger{ID: delivery.TriggerCustomPhoneProvider, Version: "v1"},
	})
	ok(err)
	_, err = api.SetActionSecrets(ctx, action.ID, map[string]string{handover.SecretAccessKeyID: key.ID, handover.SecretSecretAccessKey: key.Secret.Reveal(), handover.SecretRegion: aws.Region()})
	ok(err)
	_, err = delivery.Deploy(ctx, api, env.Clock, action.ID)
	ok(err)
	ok(delivery.Bind(ctx, api, delivery.TriggerCustomPhoneProvider, action.ID, action.Name))
	_, err = api.CreatePhoneProvider(ctx, auth0api.PhoneProvider{Name: delivery.PhoneProviderCustom, DeliveryMethods: []string{"text"}})
	ok(err)
	ok(api.SetPhoneConsolidatedExperience(ctx, true))
	ok(api.SetFactor(ctx, delivery.FactorSMS, true))
	ok(api.SetMessageTypes(ctx, []string{"sms"}))
	ok(api.SetPolicies(ctx, []string{"all-applications"}))
	env.Challenge(t)
	return env
}

// document decodes the one JSON document of a command.
func document(t *testing.T, stdout string) map[string]any {
	t.Helper()
	var d map[string]any
	if err := json.Unmarshal([]byte(stdout), &d); err != nil {
		t.Fatalf("not one JSON document: %v\n%s", err, stdout)
	}
	return d
}

// TestCheckListNeedsNothing lets a person read what would be asked, without
// credentials.
func TestCheckListNeedsNothing(t *testing.T) {
	for _, name := range []string{"AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_API_TOKEN"} {
		t.Setenv(name, "")
	}
	code, stdout, _ := execute(t.Context(), "check", "--list")
	for _, c := range checks.All() {
		if !regexp.MustCompile(`(?m)^` + string(c.Stage) + ` +` + c.ID + `$`).MatchString(stdout) {
			t.Errorf("%s is not listed", c.ID)
		}
	}
	if code != exitOK {
		t.Errorf("exit code %d", code)
	}
	code, stdout, _ = execute(t.Context(), "check", "--list", "--pre", "--json")
	if d := document(t, stdout); code != exitOK || d["schema"] != "check-list/1" || strings.Contains(stdout, "factor-custom") {
		t.Errorf("exit code %d, %v", code, d)
	}
}

// TestCheckResult keeps what scripts and people get: the exit code, one document
// with these fields, and the tenant named before anything else.
func TestCheckResult(t *testing.T) {
	env := inspectWorld(t)
	passing := []string{"auth0-reachable", "sender-deployed", "sender-code", "secrets-present", "factor-custom", "message-types", "texts", "mfa-policy", "recent-failures", "phone-format"}

	code, stdout, stderr := execute(t.Context(), "check", "--only", strings.Join(passing, ","), "--json")
	if code != exitOK {
		t.Fatalf("a sender that works: exit code %d\n%s%s", code, stdout, stderr)
	}
	d := document(t, stdout)
	if diff := cmp.Diff([]string{"aws_account", "aws_caller", "aws_region", "checks", "result", "schema", "tenant"}, slices.Sorted(maps.Keys(d))); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if d["schema"] != "check/1" || d["result"] != "pass" || d["tenant"] != env.TenantURL {
		t.Errorf("%v", d)
	}
	for _, want := range []string{"Tenant       " + env.TenantURL, "AWS account  111122223333", "Region       us-east-1"} {
		if !strings.Contains(stderr, want) {
			t.Errorf("stderr does not say %q:\n%s", want, stderr)
		}
	}

	if err := env.Auth0(t).SetMessageTypes(t.Context(), []string{}); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr = execute(t.Context(), "check", "--only", strings.Join(passing, ","), "--json")
	d = document(t, stdout)
	if code != exitFindings || d["result"] != "fail" || !strings.Contains(stderr, "9 pass, 1 fail of 10 checks") {
		t.Errorf("a sender without SMS: exit code %d, result %v, stderr %s", code, d["result"], stderr)
	}
	list, _ := d["checks"].([]any)
	for _, entry := range list {
		f, _ := entry.(map[string]any)
		want := []string{"cause", "id", "result", "title"}
		if f["result"] == "fail" {
			want = []string{"cause", "id", "remedy", "result", "title"}
		}
		if diff := cmp.Diff(want, slices.Sorted(maps.Keys(f))); diff != "" || f["cause"] == "" {
			t.Errorf("%v: fields (-want +got):\n%s", f["id"], diff)
		}
	}
}

// TestCheckAccepts lets a pipeline go on past what a team knows of, and nothing
// else: without it an account that stays in the SMS sandbox never gets further.
func TestCheckAccepts(t *testing.T) {
	env := inspectWorld(t)
	env.Account.SetSMSSandbox(true, nil)
	for accept, want := range map[string]int{"": exitFindings, "sns-sandbox": exitOK, "factor-custom": exitFindings, "no-such-check": exitUsage} {
		code, stdout, stderr := execute(t.Context(), "check", "--only", "sns-sandbox,factor-custom", "--accept", accept)
		if code != want {
			t.Errorf("--accept %q: exit code %d, want %d\n%s%s", accept, code, want, stdout, stderr)
		}
		if want == exitOK && !strings.Contains(stdout, "fail     sns-sandbox (accepted)\n") {
			t.Errorf("what is accepted has to be seen:\n%s", stdout)
		}
	}
}

// TestCheckText keeps all of it readable on half a screen.
func TestCheckText(t *testing.T) {
	env := inspectWorld(t)
	code, stdout, stderr := execute(t.Context(), "check")
	if code != exitFindings && code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	selected, err := checks.Select(checks.After)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range selected {
		if !regexp.MustCompile(`(?m)^(pass   |fail   |unknown)  ` + c.ID + `$`).MatchString(stdout) {
			t.Errorf("no line for %s:\n%s", c.ID, stdout)
		}
	}
	requireNarrow(t, stdout)

	_, stdout, _ = execute(t.Context(), "status")
	requireNarrow(t, stdout)
	for _, want := range []string{
		`Path         unified`, `Sender       Action "Amazon SNS"`, "live, deployed at 20", `Key          AKIA`, "0 days old", "SMS factor   on", "MFA policy   all-applications", "Last sent    20",
	} {
		if !strings.Contains(strings.Join(strings.Fields(stdout), " "), strings.Join(strings.Fields(want), " ")) {
			t.Errorf("status does not say %q:\n%s", want, stdout)
		}
	}
	if strings.Contains(stdout, "null") || strings.Contains(stdout, env.Variables["AUTH0_CLIENT_SECRET"]) {
		t.Errorf("status says too much:\n%s", stdout)
	}
}

// requireNarrow finds lines over sixty columns that could have been broken.
func requireNarrow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if len([]rune(line)) > pageWidth && len(strings.Fields(line)) > 2 {
			t.Errorf("%d columns: %s", len([]rune(line)), line)
		}
	}
}

// TestStatusDocument keeps the fields of status/1, and reasons for what is null.
func TestStatusDocument(t *testing.T) {
	env := inspectWorld(t)
	env.Tenant.SetGrantScopes(env.Tenant.Client().ClientID, slices.DeleteFunc(checks.Scopes(delivery.PathUnified), func(s string) bool {
		return s == "read:logs" || s == "read:mfa_policies"
	}))
	code, stdout, stderr := execute(t.Context(), "status", "--json")
	if code != exitOK {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	d := document(t, stdout)
	want := []string{
		"aws_account", "aws_caller", "aws_region", "factor_on", "failures", "key", "last_sent", "mfa_policy", "month_to_date_spent_usd", "monthly_spend_limit_usd",
		"path", "schema", "sender", "tenant", "unknown",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(d))); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	unknown, _ := d["unknown"].(map[string]any)
	for _, field := range []string{"failures", "mfa_policy"} {
		if reason := fmt.Sprint(unknown[field]); !strings.Contains(reason, "scope") {
			t.Errorf("why %s is not known: %s", field, reason)
		}
	}
	if d["mfa_policy"] != nil || d["path"] != "unified" || d["factor_on"] != true {
		t.Errorf("%s", stdout)
	}
}

// TestInspectRefusals is what goes wrong before anything is asked.
func TestInspectRefusals(t *testing.T) {
	env := acctest.New(t)
	dir := t.TempDir()
	files := workspace.Open(dir)
	settings := workspace.Settings{Domain: "other.eu.auth0.com", AccountID: "111122223333", Region: "us-east-1", Path: workspace.PathUnified}
	writeEnvironment(t, files, "other", settings)
	settings.Domain, settings.AccountID = env.TenantURL, "999988887777"
	writeEnvironment(t, files, "elsewhere", settings)
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a check that is not there":          {[]string{"check", "--only", "factor"}, exitUsage, `there is no check "factor"`},
		"an environment that is not there":   {[]string{"check", "--env", "nowhere", "--dir", dir}, exitUsage, "auth0sns bootstrap --env nowhere"},
		"status of it":                       {[]string{"status", "--env", "nowhere", "--dir", dir}, exitUsage, "auth0sns bootstrap --env nowhere"},
		"another tenant":                     {[]string{"check", "--env", "other", "--dir", dir}, exitRefused, "wrong tenant"},
		"another account":                    {[]string{"status", "--env", "elsewhere", "--dir", dir}, exitRefused, "wrong AWS account: the files of environment elsewhere name 999988887777, and these credentials lead to 111122223333"},
		"what to set for it":                 {[]string{"check", "--env", "elsewhere", "--dir", dir}, exitRefused, "Nothing was done. Set ELSEWHERE_AWS_… to credentials of 999988887777, or name the other environment"},
		"the environments that there are":    {[]string{"status", "--env", "nowhere", "--dir", dir}, exitUsage, "There is elsewhere, other."},
		"the usage of the command":           {[]string{"status", "--env", "nowhere", "--dir", dir}, exitUsage, "Try: auth0sns status --help"},
		"a policy of nothing":                {[]string{"check", "--print-iam-policy"}, exitUsage, "--pre"},
		"a policy that is two documents":     {[]string{"check", "--pre", "--print-iam-policy", "--json"}, exitUsage, "--json"},
		"an argument":                        {[]string{"status", "staging"}, exitUsage, "unknown command"},
		"an environment that is not yet one": {[]string{"check", "--pre", "--env", "nowhere", "--dir", dir, "--only", "auth0-reachable"}, exitOK, "Environment  nowhere"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := execute(t.Context(), test.args...)
			if code != test.code || !strings.Contains(strings.Join(strings.Fields(stderr), " "), strings.Join(strings.Fields(test.says), " ")) {
				t.Errorf("exit code %d, want %d: %s", code, test.code, stderr)
			}
		})
	}
	t.Run("another tenant in a variable of its own", func(t *testing.T) {
		t.Setenv("OTHER_AUTH0_DOMAIN", "third.eu.auth0.com")
		if code, _, stderr := execute(t.Context(), "check", "--env", "other", "--dir", dir); code != exitRefused || !strings.Contains(stderr, "and OTHER_AUTH0_DOMAIN names third.eu.auth0.com") {
			t.Errorf("exit code %d: %s", code, stderr)
		}
	})
	t.Run("no credentials", func(t *testing.T) {
		t.Setenv("AUTH0_CLIENT_SECRET", "")
		code, stdout, _ := execute(t.Context(), "status", "--json")
		if code != exitPermission || document(t, stdout)["schema"] != "error/1" {
			t.Errorf("exit code %d: %s", code, stdout)
		}
	})
	t.Run("wrong credentials", func(t *testing.T) {
		t.Setenv("AUTH0_CLIENT_SECRET", "wrong")
		if code, _, stderr := execute(t.Context(), "status"); code != exitPermission {
			t.Errorf("status: exit code %d: %s", code, stderr)
		}
		if code, stdout, stderr := execute(t.Context(), "check", "--only", "auth0-reachable,factor-custom"); code != exitFindings || !strings.Contains(stdout, "fail     auth0-reachable") ||
			!strings.Contains(stdout, "unknown  factor-custom\n         It could not be looked at.\n         -> See auth0-reachable.\n") {
			t.Errorf("check: exit code %d: %s%s", code, stdout, stderr)
		}
	})
	t.Run("AWS does not know the caller", func(t *testing.T) {
		t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
		code, stdout, stderr := execute(t.Context(), "check", "--only", "aws-reachable,message-types")
		if code != exitFindings || !strings.Contains(stderr, "AWS account  unknown") || !strings.Contains(stdout, "aws-reachable") {
			t.Errorf("check: exit code %d: %s%s", code, stdout, stderr)
		}
	})
}

// writeEnvironment writes the files of an environment.
func writeEnvironment(t *testing.T, files *workspace.Workspace, name string, settings workspace.Settings) {
	t.Helper()
	changes, err := files.Render(name, settings, nil)
	if err == nil {
		err = files.Write(changes)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestUnreadableState keeps a state that cannot be read from looking like one
// that was compared.
func TestUnreadableState(t *testing.T) {
	env := acctest.New(t)
	dir := t.TempDir()
	settings := workspace.Settings{Domain: env.TenantURL, AccountID: "111122223333", Region: "us-east-1", Path: workspace.PathUnified}
	writeEnvironment(t, workspace.Open(dir), "staging", settings)
	t.Setenv("PATH", t.TempDir()) // no terraform
	code, stdout, stderr := execute(t.Context(), "check", "--env", "staging", "--dir", dir, "--only", "key-is-the-states", "--json")
	d := document(t, stdout)
	if code != exitFindings || d["result"] != "unknown" || d["environment"] != "staging" || !strings.Contains(fmt.Sprint(d["state"]), "terraform") {
		t.Errorf("exit code %d: %s", code, stdout)
	}
	if !strings.Contains(strings.Join(strings.Fields(stderr), " "), "The state could not be read") {
		t.Errorf("stderr: %s", stderr)
	}
}

// TestNeverApplied keeps people from being asked for codes that cannot come, by
// remedies that turn MFA on; and the environment that was named from being asked for.
func TestNeverApplied(t *testing.T) {
	env := acctest.New(t)
	dir := t.TempDir()
	settings := workspace.Settings{Domain: env.TenantURL, AccountID: "111122223333", Region: "us-east-1", Path: workspace.PathUnified}
	writeEnvironment(t, workspace.Open(dir), "staging", settings)
	stateOfTerraform(t, &tfjson.State{FormatVersion: "1.0"})
	code, stdout, stderr := execute(t.Context(), "check", "--env", "staging", "--dir", dir, "--json")
	if code != exitFindings || !strings.Contains(stderr, "staging was never applied: auth0sns bootstrap --env staging\n") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	for _, forbidden := range []string{"Switch it on", "Require Multi-factor Auth", "(--env)", "Enable it", "Choose Custom", "could not be read"} {
		if strings.Contains(stdout, forbidden) {
			t.Errorf("of a tenant without a sender it says %q:\n%s", forbidden, stdout)
		}
	}
	_, stdout, _ = execute(t.Context(), "status", "--env", "staging", "--dir", dir)
	if !strings.Contains(stdout, "Rotation due none: never applied\n") {
		t.Errorf("status:\n%s", stdout)
	}
}

// TestPrintIAMPolicyNeedsNothing is for whoever is to get the policy, and has no
// access to anything before.
func TestPrintIAMPolicyNeedsNothing(t *testing.T) {
	acctest.New(t)
	t.Setenv("AUTH0_CLIENT_SECRET", "")
	code, stdout, stderr := execute(t.Context(), "check", "--pre", "--print-iam-policy", "--iam-user", "sms")
	if code != exitOK || !strings.Contains(stdout, "arn:aws:iam::111122223333:user/sms") || stderr != "" {
		t.Errorf("without Auth0: exit code %d: %s%s", code, stdout, stderr)
	}
	t.Setenv("AWS_SECRET_ACCESS_KEY", "wrong")
	code, stdout, stderr = execute(t.Context(), "check", "--pre", "--print-iam-policy")
	if d := document(t, stdout); code != exitOK || d["Version"] != "2012-10-17" || !strings.Contains(stderr, "in the place of 111122223333") {
		t.Errorf("without AWS: exit code %d: %s%s", code, stdout, stderr)
	}
	dir := t.TempDir()
	writeEnvironment(t, workspace.Open(dir), "staging", workspace.Settings{Domain: "a.eu.auth0.com", AccountID: "999988887777", Region: "us-east-1", Path: workspace.PathUnified})
	code, stdout, stderr = execute(t.Context(), "check", "--pre", "--print-iam-policy", "--env", "staging", "--dir", dir)
	if code != exitOK || !strings.Contains(stdout, "arn:aws:iam::999988887777:user/"+workspace.DefaultIAMUser) || stderr != "" {
		t.Errorf("the account that the files name: exit code %d: %s%s", code, stdout, stderr)
	}
}

// TestPrintIAMPolicy prints a document that can be piped into the AWS CLI.
func TestPrintIAMPolicy(t *testing.T) {
	acctest.New(t)
	code, stdout, stderr := execute(t.Context(), "check", "--pre", "--print-iam-policy")
	d := document(t, stdout)
	if code != exitOK || d["Version"] != "2012-10-17" || !strings.Contains(stdout, "111122223333") {
		t.Errorf("exit code %d: %s%s", code, stdout, stderr)
	}
}

// TestChecksGuide holds the page to the checks that there are.
func TestChecksGuide(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(acctest.ModuleRoot(t), "templates", "guides", "checks.md.tmpl"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range regexp.MustCompile("(?m)^### `([a-z0-9-]+)`$").FindAllSubmatch(page, -1) {
		got = append(got, string(m[1]))
	}
	var want []string
	for _, c := range checks.All() {
		want = append(want, c.ID)
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the guide (-want +got):\n%s", diff)
	}
}

// TestCheckComparesTheCodeWithTheState: own code in the place of what was applied
// sends nobody's codes, or sends them elsewhere, and all else looks well.
func TestCheckComparesTheCodeWithTheState(t *testing.T) {
	env := inspectWorld(t)
	dir := t.TempDir()
	settings := workspace.Settings{Domain: env.TenantURL, AccountID: "111122223333", Region: "us-east-1", Path: workspace.PathUnified}
	writeEnvironment(t, workspace.Open(dir), "staging", settings)
	actions, err := env.Auth0(t).Actions(t.Context(), delivery.TriggerCustomPhoneProvider)
	if err != nil {
		t.Fatal(err)
	}
	for applied, want := range map[string]int{sender.SHA256(actions[0].Code): exitOK, strings.Repeat("a", 64): exitFindings} {
		stateOfTerraform(t, diffState(t, map[string]map[string]any{
			"auth0sns_action": {"id": actions[0].ID, "code_sha256": applied}, "auth0sns_credentials": {"action_id": actions[0].ID, "sender_id": actions[0].ID},
			"auth0sns_phone_provider": {"action_id": actions[0].ID},
		}))
		code, stdout, stderr := execute(t.Context(), "check", "--env", "staging", "--dir", dir, "--only", "sender-code")
		if code != want {
			t.Errorf("applied was %s: exit code %d\n%s%s", applied, code, stdout, stderr)
		}
	}
}

// stateOfTerraform puts a program in the place of Terraform that knows this state.
func stateOfTerraform(t *testing.T, state *tfjson.State) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("SKIPPED, there is no shell to stand in for Terraform")
	}
	shown, err := json.Marshal(state)
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "terraform")
	script := "#!/bin/sh\ncase \"$1\" in\nversion) echo '{\"terraform_version\": \"1.11.4\"}';;\nshow) cat <<'END'\n" + string(shown) + "\nEND\n;;\nesac\n"
	if err := os.WriteFile(program, []byte(script), 0o700); err != nil { //nolint:gosec // A program has to be executable.
		t.Fatal(err)
	}
	t.Setenv("AUTH0SNS_TERRAFORM", program)
}
