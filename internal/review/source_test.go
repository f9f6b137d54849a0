package review_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
)

// TestSource leads a reviewer to the block, in a module too, and finds the factor
// whose next replacement would take people's codes away.
func TestSource(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "environments", "staging", "main.tf"), "module \"sms_mfa\" {\n  source = \"../../modules/sms_mfa\"\n}\n")
	factor := func(lifecycle string) {
		write(t, filepath.Join(dir, "modules", "sms_mfa", "main.tf"), "# The factor.\n\nresource \"auth0sns_sms_factor\" \"sms\" {\n"+lifecycle+"\n}\n")
	}
	plan := read(t, []byte(`{"format_version": "1.2", "resource_changes": [
		{"address": "module.sms_mfa.auth0sns_sms_factor.sms", "module_address": "module.sms_mfa", "type": "auth0sns_sms_factor", "name": "sms", "change": {"actions": ["update"], "before": {"enabled": true}, "after": {"enabled": false}}}],
		"configuration": {"root_module": {"module_calls": {"sms_mfa": {"source": "../../modules/sms_mfa", "module": {}}, "gone": {"source": "./gone", "module": {}}, "registry": {"source": "a/b/c", "module": {}}}}}}`))
	for lifecycle, missing := range map[string]int{
		"":                                       1,
		"lifecycle {}":                           1,
		"lifecycle {\nprevent_destroy = true\n}": 1,
		"lifecycle {\ncreate_before_destroy = false\n}":    1,
		"lifecycle {\ncreate_before_destroy = true\n}":     0,
		"lifecycle {\ncreate_before_destroy = \"true\"\n}": 0,
	} {
		factor(lifecycle)
		source, err := review.ReadSource(plan, filepath.Join(dir, "environments", "staging"))
		if err != nil {
			t.Fatal(err)
		}
		if got := source.Findings(plan); len(got) != missing {
			t.Errorf("with %q the findings are %v, want %d", lifecycle, got, missing)
		}
		findings := review.Plan(plan)
		source.Locate(findings)
		want := filepath.ToSlash(filepath.Join(dir, "modules", "sms_mfa", "main.tf"))
		if p := findings[0].Position; p == nil || p.File != want || p.Line != 3 {
			t.Errorf("the factor is at %v, want %s:3", p, want)
		}
	}
	factor("}")
	if _, err := review.ReadSource(plan, filepath.Join(dir, "environments", "staging")); err == nil {
		t.Error("a configuration that is none is no error")
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
