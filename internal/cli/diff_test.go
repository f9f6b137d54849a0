package cli

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// diffState is a state as bootstrap applies it, with attributes of some types
// changed; nil takes the resource away.
func diffState(t *testing.T, changes map[string]map[string]any) *tfjson.State {
	t.Helper()
	resources := map[string]map[string]any{
		"auth0sns_iam_user": {"name": "auth0-mfa-sms", "arn": "arn:aws:iam::1:user/x", "unique_id": "AIDA", "policy_name": "auth0sns-publish-sms", "path": "/"},
		"auth0sns_action": {
			"id": "11111111-1111-1111-1111-111111111111", "name": "Amazon SNS", "trigger": "custom-phone-provider", "runtime": "node22",
			"code_sha256": "aa", "code_size": 1.0, "version_id": "v", "bound": true, "sms": nil, "code": nil, "dependencies": map[string]any{},
		},
		"auth0sns_credentials": {
			"iam_user": "auth0-mfa-sms", "action_id": "11111111-1111-1111-1111-111111111111", "sender_id": "11111111-1111-1111-1111-111111111111",
			"access_key_id": "AKIA1", "region": "eu-central-1", "created_at": "2026-11-23T00:00:00Z", "rotate_after": "90d", "status": "delivered", "keepers": map[string]any{"rotation": "1"},
		},
		"auth0sns_phone_provider": {"id": "pro_1", "action_id": "11111111-1111-1111-1111-111111111111", "disabled": false, "unified_phone_experience": true, "delivery_methods": []any{"text"}},
		"auth0sns_sms_factor":     {"sender_id": "pro_1", "enabled": true, "selected_provider": "custom", "message_types": []any{"sms"}, "prior": map[string]any{"enabled": false}},
		"auth0sns_mfa_policy":     {"policy": "all-applications", "prior": "never"},
	}
	state := &tfjson.State{FormatVersion: "1.0", Values: &tfjson.StateValues{RootModule: &tfjson.StateModule{}}}
	module := &tfjson.StateModule{Address: "module.sms_mfa"}
	for kind, attributes := range resources {
		change, changed := changes[kind]
		if changed && change == nil {
			continue
		}
		for name, value := range change {
			attributes[name] = value
		}
		module.Resources = append(module.Resources, &tfjson.StateResource{Mode: tfjson.ManagedResourceMode, Type: kind, Name: "sms", AttributeValues: attributes})
	}
	state.Values.RootModule.ChildModules = []*tfjson.StateModule{module}
	return state
}

// TestCompareSides says what a person is shown who asks whether production is
// like staging: a missing line is a difference that nobody sees, one too many
// hides the others.
func TestCompareSides(t *testing.T) {
	names := []string{"staging", "production"}
	for name, test := range map[string]struct {
		state    map[string]map[string]any // of production
		settings func(*workspace.Settings) // of production
		want     []string                  // name, where, staging's, production's
	}{
		"the same": {},
		"ids, dates, region and rotations": {state: map[string]map[string]any{
			"auth0sns_iam_user":    {"arn": "arn:aws:iam::2:user/x", "unique_id": "AIDB"},
			"auth0sns_action":      {"id": "2", "version_id": "w", "code_size": 2.0},
			"auth0sns_credentials": {"action_id": "2", "sender_id": "2", "access_key_id": "AKIA2", "region": "us-east-1", "created_at": "x", "rotation_due_at": "y", "record_owner": "z", "keepers": map[string]any{"rotation": "7"}},
			"auth0sns_sms_factor":  {"sender_id": "pro_2", "prior": map[string]any{"enabled": true}},
		}},
		"applied as the files say": {
			state:    map[string]map[string]any{"auth0sns_mfa_policy": {"policy": "never"}},
			settings: func(s *workspace.Settings) { s.MFAPolicy = "never" },
			want:     []string{"mfa_policy|files and state|all-applications|never"},
		},
		"not applied yet": {
			settings: func(s *workspace.Settings) { s.VerificationMessage = "{{code}} neu" },
			want:     []string{"verification_message|files||{{code}} neu"},
		},
		"who logs in first, names last": {
			state: map[string]map[string]any{
				"auth0sns_action":     {"name": "SNS", "runtime": "node18", "code_sha256": "bb", "sms": map[string]any{"allowed_country_codes": []any{"+1", "+49"}, "sender_id": nil, "sms_type": "Promotional"}},
				"auth0sns_sms_factor": {"enabled": false},
			},
			want: []string{
				"sms_factor.enabled|state|true|false", "sms_allowed_country_codes|state||+1, +49", "sender.sms.sms_type|state||Promotional",
				"sender.runtime|state|node22|node18", "sender_name|state|Amazon SNS|SNS",
			},
		},
		"other code": {
			state: map[string]map[string]any{"auth0sns_action": {"code_sha256": "bb", "code": "own();"}},
			want:  []string{"sender.code_sha256|state|aa|bb"},
		},
		"a resource less": {
			state: map[string]map[string]any{"auth0sns_phone_provider": nil},
			want:  []string{"resource phone_provider|state|managed|"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			settings := workspace.Settings{Path: "unified", IAMUser: "auth0-mfa-sms", SenderName: "Amazon SNS", RotateAfter: "90d", MFAPolicy: "all-applications"}
			other := settings
			other.Domain, other.AccountID, other.Region = "p", "2", "us-east-1"
			if test.settings != nil {
				test.settings(&other)
			}
			var got []string
			for _, d := range compareSides(names, [2]diffSide{
				{fileValues(settings), stateValues(diffState(t, nil))},
				{fileValues(other), stateValues(diffState(t, test.state))},
			}, true) {
				got = append(got, strings.Join([]string{d.Name, d.Where, d.Values["staging"], d.Values["production"]}, "|"))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// diffWorkspace has two environments, of which production differs as it is told.
func diffWorkspace(t *testing.T, change func(*workspace.Settings)) string {
	t.Helper()
	if _, err := exec.LookPath("terraform"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("terraform is missing: https://developer.hashicorp.com/terraform/install")
		}
		t.Skip("SKIPPED, terraform is missing: https://developer.hashicorp.com/terraform/install")
	}
	dir := t.TempDir()
	w := workspace.Open(dir)
	for i, name := range []string{"staging", "production"} {
		settings := workspace.Settings{Domain: name + ".eu.auth0.com", AccountID: strings.Repeat(string(rune('1'+i)), 12), Region: "eu-central-1", Path: workspace.PathUnified}
		if name == "production" && change != nil {
			change(&settings)
		}
		changes, err := w.Render(name, settings, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(changes); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// TestDiff holds the command to its contract: environments side by side in 60
// columns, one document, and 2 only where it was asked for.
func TestDiff(t *testing.T) {
	t.Setenv("TF_CLI_CONFIG_FILE", os.DevNull)
	t.Setenv("CHECKPOINT_DISABLE", "1")
	same := diffWorkspace(t, nil)
	other := diffWorkspace(t, func(s *workspace.Settings) {
		s.MFAPolicy = "never"
		s.EnrollmentMessage = "{{code}} ist Ihr Code für das neue Telefon, das Sie eben angemeldet haben."
		s.VerificationMessage = "{{code}}"
	})
	both := []string{"diff", "--env", "staging", "--env", "production", "--detailed-exitcode", "--dir"}

	code, stdout, stderr := execute(t.Context(), append(both, same)...)
	if code != exitOK || !strings.Contains(stdout, "No differences in files") || !strings.Contains(stdout, "staging.eu.auth0.com") {
		t.Errorf("the same: exit %d\n%s%s", code, stdout, stderr)
	}
	if !strings.Contains(stdout, "the states could not be compared") || !strings.Contains(stderr, "terraform init") {
		t.Errorf("nothing says that terraform init has not run:\n%s%s", stdout, stderr)
	}
	code, stdout, stderr = execute(t.Context(), append(both, other)...)
	if code != exitChanges || !strings.Contains(stdout, "mfa_policy (files)\n  all-applications              never\n") {
		t.Errorf("another policy: exit %d\n%s%s", code, stdout, stderr)
	}
	for line := range strings.Lines(stdout) {
		if len([]rune(strings.TrimSuffix(line, "\n"))) > pageWidth {
			t.Errorf("too wide for %d columns: %q", pageWidth, line)
		}
	}
	code, stdout, _ = execute(t.Context(), "diff", "--env", "staging", "--env", "production", "--json", "--dir", other)
	var document diffResult
	if err := json.Unmarshal([]byte(stdout), &document); err != nil || code != exitOK || document.Schema != "diff/1" || len(document.Differences) != 3 || document.StatesCompared {
		t.Errorf("--json: exit %d, %v\n%s", code, err, stdout)
	}
}

// TestDiffUsage keeps a script from comparing an environment with nothing.
func TestDiffUsage(t *testing.T) {
	for name, args := range map[string][]string{
		"none": {}, "one": {"--env", "staging"}, "twice the same": {"--env", "staging", "--env", "staging"},
		"not there": {"--env", "staging", "--env", "nowhere"}, "no name": {"--env", "staging", "--env", "../x"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := execute(t.Context(), append([]string{"diff", "--dir", t.TempDir()}, args...)...)
			if code != exitUsage || stdout != "" {
				t.Errorf("exit %d, stdout %q, stderr %q: want usage", code, stdout, stderr)
			}
		})
	}
}
