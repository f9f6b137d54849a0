package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

func event(kind, message string) workspace.Event {
	return workspace.Event{Kind: kind, Message: message}
}

// TestProgressOfAFileIsLines keeps a CI log readable: one line for each
// resource, no sequence that only a terminal understands, and of drift only what
// the plan acts on: the rest is what Terraform computes.
func TestProgressOfAFileIsLines(t *testing.T) {
	var out bytes.Buffer
	d := newDisplay(&out, config.LookupIn(map[string]string{"TERM": "xterm"}))
	d.planning(event("refresh_start", "module.sms_mfa.auth0sns_action.sms: Refreshing state..."))
	d.planning(workspace.Event{Kind: "resource_drift", Address: "a", Message: "module.sms_mfa.auth0sns_iam_user.sms: Drift detected (update)"})
	d.planning(workspace.Event{Kind: "resource_drift", Address: "b", Message: "module.sms_mfa.auth0sns_mfa_policy.sms: Drift detected (update)"})
	d.planning(event("planned_change", "module.sms_mfa.auth0sns_action.sms: Plan to create"))
	d.planning(workspace.Event{Kind: "planned_change", Address: "b", Message: "module.sms_mfa.auth0sns_mfa_policy.sms: Plan to update"})
	d.planning(workspace.Event{Kind: "diagnostic", Diagnostic: &tfjson.Diagnostic{Severity: "warning", Summary: "The tenant moves", Detail: "All of it."}})
	d.planning(workspace.Event{Kind: "diagnostic", Diagnostic: &tfjson.Diagnostic{Severity: "error", Summary: "No."}})
	d.applying(event("planned_change", "module.sms_mfa.auth0sns_action.sms: Plan to create"))
	d.applying(event("apply_start", "module.sms_mfa.auth0sns_action.sms: Creating..."))
	d.applying(event("apply_complete", "module.sms_mfa.auth0sns_action.sms: Creation complete after 2s"))
	d.clear()
	want := "  auth0sns_action.sms: Plan to create\n  auth0sns_mfa_policy.sms: Drift detected (update)\n  auth0sns_mfa_policy.sms: Plan to update\n  Warning: The tenant moves. All of it.\n  auth0sns_action.sms: Creation complete after 2s\n"
	if out.String() != want {
		t.Errorf("shown\n%q, want\n%q", out.String(), want)
	}
}

// TestProgressOfATerminalStaysInItsLine is about a narrow one: a live line that
// wraps cannot be taken back, and fills the screen.
func TestProgressOfATerminalStaysInItsLine(t *testing.T) {
	var out bytes.Buffer
	d := &display{w: &out, width: 20}
	d.applying(event("apply_progress", "auth0sns_credentials.sms: Still creating... [10s elapsed]"))
	d.applying(event("apply_complete", "auth0sns_credentials.sms: done"))
	d.clear()
	live, after, ok := strings.Cut(strings.TrimPrefix(out.String(), eraseLine), eraseLine)
	if width := len([]rune(live)); width >= 20 || !strings.HasSuffix(live, "…") {
		t.Errorf("a live line of %d characters on a terminal of 20: %q", width, live)
	}
	if !ok || after != "  auth0sns_credentials.sms: done\n" {
		t.Errorf("after the live line: %q, want it erased and the line of what is done", after)
	}
}

// TestDumbTerminalGetsNoSequences keeps editors' shells and logs clean.
func TestDumbTerminalGetsNoSequences(t *testing.T) {
	for _, term := range []string{"", "dumb"} {
		if d := newDisplay(os.Stderr, config.LookupIn(map[string]string{"TERM": term})); d.width != 0 {
			t.Errorf("TERM=%q gets a live line", term)
		}
	}
}
