package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	// factorOff is a plan that switches the factor off, and quietPlan one that does nothing.
	factorOff = `{"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [{"address": "auth0sns_sms_factor.sms", "type": "auth0sns_sms_factor", "name": "sms",
		"change": {"actions": ["update"], "before": {"enabled": true}, "after": {"enabled": false}}}],
		"configuration": {"provider_config": {"auth0sns": {"name": "auth0sns", "expressions": {"auth0": {"constant_value": {"domain": "production.eu.auth0.com"}}}}}, "root_module": {}}}`
	quietPlan = `{"format_version": "1.2", "planned_values": {"root_module": {}}}`
	// forgets is a plan with nothing worse than medium.
	forgets = `{"format_version": "1.2", "resource_changes": [{"address": "auth0sns_mfa_policy.sms", "type": "auth0sns_mfa_policy", "name": "sms",
		"change": {"actions": ["forget"], "before": {"policy": "never"}, "after": null}}]}`
)

// reviewed runs review on a plan on the standard input.
func reviewed(t *testing.T, plan string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Execute(t.Context(), "1.2.3", append([]string{"review"}, args...), strings.NewReader(plan), &out, &errs)
	return code, out.String(), errs.String()
}

// TestReview is the gate of a pipeline: what it lets pass is applied.
func TestReview(t *testing.T) {
	for name, test := range map[string]struct {
		plan           string
		args           []string
		code           int
		stdout, stderr string // parts
	}{
		"nothing":                   {quietPlan, nil, exitOK, "Nothing in this plan", ""},
		"from a dash":               {quietPlan, []string{"-"}, exitOK, "Nothing in this plan", ""},
		"the factor goes off":       {factorOff, nil, exitFindings, "factor-off  auth0sns_sms_factor.sms", "high or worse"},
		"for critical only":         {factorOff, []string{"--fail-on", "critical"}, exitFindings, "CRITICAL", "critical or worse"},
		"below the limit":           {forgets, nil, exitOK, "forgotten", ""},
		"at the limit":              {forgets, []string{"--fail-on", "medium"}, exitFindings, "forgotten", "severity medium or worse: 1"},
		"for a pull request":        {factorOff, []string{"--format", "markdown"}, exitFindings, "`factor-off` `auth0sns_sms_factor.sms`", ""},
		"for code scanning":         {factorOff, []string{"--format", "sarif"}, exitFindings, `"ruleId": "factor-off"`, ""},
		"a state":                   {`{"format_version": "1.0", "values": {}}`, nil, exitError, "", "this is no plan"},
		"no JSON":                   {"Terraform will", nil, exitError, "", "terraform show -json"},
		"a plan file on stdin":      {"PK\x03\x04", nil, exitUsage, "", "cannot be read from the standard input"},
		"a file that is not there":  {"", []string{"gone.json"}, exitError, "", "gone.json"},
		"an unknown severity":       {quietPlan, []string{"--fail-on", "awful"}, exitUsage, "", `--fail-on "awful": want one of`},
		"a severity that is none":   {quietPlan, []string{"--fail-on", "info"}, exitUsage, "", "want one of"},
		"an unknown format":         {quietPlan, []string{"--format", "xml"}, exitUsage, "", `--format "xml": want one of`},
		"two formats":               {quietPlan, []string{"--json", "--format", "sarif"}, exitUsage, "", "exclude each other"},
		"an environment that is no": {quietPlan, []string{"--env", "staging", "--dir", "gone"}, exitUsage, "", "no such environment"},
	} {
		t.Run(name, func(t *testing.T) {
			code, stdout, stderr := reviewed(t, test.plan, test.args...)
			if code != test.code || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
				t.Errorf("exit code %d, want %d\nstdout: %s\nstderr: %s", code, test.code, stdout, stderr)
			}
			if test.code == exitOK && stderr != "" {
				t.Errorf("a plan that is all right complains: %s", stderr)
			}
		})
	}
}

// TestReviewJSON is what a script reads.
func TestReviewJSON(t *testing.T) {
	for _, flags := range [][]string{{"--json"}, {"--format", "json"}} {
		code, stdout, _ := reviewed(t, factorOff, flags...)
		var document struct {
			Schema   string
			FailOn   string `json:"fail_on"`
			Failed   bool
			Findings []struct{ ID, Severity, Address string }
		}
		if err := json.Unmarshal([]byte(stdout), &document); err != nil {
			t.Fatal(err)
		}
		if code != exitFindings || document.Schema != "review/1" || !document.Failed || document.FailOn != "high" ||
			len(document.Findings) != 1 || document.Findings[0].ID != "factor-off" || document.Findings[0].Severity != "critical" {
			t.Errorf("exit code %d, document %s", code, stdout)
		}
	}
	if _, stdout, _ := reviewed(t, quietPlan, "--json"); !strings.Contains(stdout, `"findings": []`) {
		t.Errorf("no findings are not an empty list: %s", stdout)
	}
}

// TestReviewLeadsToTheBlock gives the place in the configuration, and finds there
// what no plan shows.
func TestReviewLeadsToTheBlock(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "main.tf")
	if err := os.WriteFile(file, []byte("\nresource \"auth0sns_sms_factor\" \"sms\" {\n}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stdout, _ := reviewed(t, factorOff, "--dir", dir)
	for _, want := range []string{"factor-off  auth0sns_sms_factor.sms (" + filepath.ToSlash(file) + ":2)", "create-before-destroy-missing"} {
		if !strings.Contains(stdout, want) {
			t.Errorf("no %q in:\n%s", want, stdout)
		}
	}
}
