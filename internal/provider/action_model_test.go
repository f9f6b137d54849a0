package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// testAction is an Action that runs "live" and whose draft is the same.
func testAction() auth0api.Action {
	return auth0api.Action{
		ID: "1", Name: "SNS", Code: "live", Runtime: "node22", Status: "built", AllChangesDeployed: true,
		Trigger: auth0api.ActionTrigger{ID: delivery.TriggerSendPhoneMessage, Version: "v2"}, Dependencies: map[string]string{"a": "1"},
		Deployed: &auth0api.ActionVersion{ID: "v1", Deployed: true, Code: "live", Runtime: "node22", Dependencies: map[string]string{"a": "1"}},
	}
}

func actionOf(t *testing.T, a auth0api.Action) actionModel {
	t.Helper()
	m := actionModel{SMS: types.ObjectNull(smsTypes(t))}
	m.read(a, false)
	return m
}

func TestActionModelCode(t *testing.T) {
	none := types.ObjectNull(smsTypes(t))
	trigger := types.StringValue(delivery.TriggerSendPhoneMessage)
	rendered, err := sender.Render(sender.SendPhoneMessage, sender.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		model actionModel
		want  sender.Code
		known bool
	}{
		"defaults":        {actionModel{Trigger: trigger, SMS: none}, rendered, true},
		"own code":        {actionModel{Trigger: trigger, SMS: none, Code: types.StringValue("x")}, sender.Code{Script: "x", Dependencies: map[string]string{}, SHA256: sender.SHA256("x")}, true},
		"trigger unknown": {actionModel{Trigger: types.StringUnknown(), SMS: none}, sender.Code{}, false},
		"sms unknown":     {actionModel{Trigger: trigger, SMS: types.ObjectUnknown(smsTypes(t))}, sender.Code{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			code, known, diags := tt.model.code(t.Context())
			requireNone(t, diags)
			if diff := cmp.Diff(tt.want, code); diff != "" || known != tt.known {
				t.Errorf("known = %t, code (-want +got):\n%s", known, diff)
			}
		})
	}
}

// TestActionModelShows proves that a plan shows whatever is not as it was
// applied: a version that somebody deployed, and a draft that somebody edited.
func TestActionModelShows(t *testing.T) {
	applied := actionOf(t, testAction())
	for name, tt := range map[string]struct {
		change     func(a *auth0api.Action)
		code       string
		runtime    string
		undeployed bool
	}{
		"nothing changed":          {func(*auth0api.Action) {}, "live", "node22", false},
		"draft edited":             {func(a *auth0api.Action) { a.Code = "edited" }, "edited", "node22", true},
		"draft of another runtime": {func(a *auth0api.Action) { a.Runtime = "node18" }, "live", "node18", true},
		"another version deployed": {func(a *auth0api.Action) { a.Deployed.Code = "other" }, "other", "node22", true},
		"both":                     {func(a *auth0api.Action) { a.Code, a.Deployed.Code = "edited", "other" }, "other", "node22", true},
		"edited and deployed":      {func(a *auth0api.Action) { a.Code, a.Deployed.Code = "edited", "edited" }, "edited", "node22", false},
		"never deployed":           {func(a *auth0api.Action) { a.Deployed = nil }, "live", "node22", true},
	} {
		t.Run(name, func(t *testing.T) {
			a := testAction()
			tt.change(&a)
			m := applied
			m.read(a, true)
			if size := m.CodeSize.ValueInt64(); size != int64(len(tt.code)) {
				t.Errorf("the size shown is %d, want %d: nobody sees how far the limit is", size, len(tt.code))
			}
			if m.CodeSHA256.ValueString() != sender.SHA256(tt.code) || m.Runtime.ValueString() != tt.runtime {
				t.Errorf("shown are the code of %s and %s", m.CodeSHA256, m.Runtime)
			}
			if isUndeployed(a) != tt.undeployed {
				t.Errorf("taken for not deployed: %t", isUndeployed(a))
			}
			if !m.Bound.ValueBool() || m.VersionID.IsNull() != (a.Deployed == nil) {
				t.Errorf("bound %s, version %s", m.Bound, m.VersionID)
			}
		})
	}
}

// TestActionModelImport proves that an import shows what runs, in a form that
// tells the sender from code that the next apply would replace.
func TestActionModelImport(t *testing.T) {
	options := sender.Options{Client: sender.AWSSDK, AllowedCountryCodes: []string{"+49"}}
	ours, err := sender.Render(sender.SendPhoneMessage, options)
	if err != nil {
		t.Fatal(err)
	}
	block, diags := writeSMS(t.Context(), options, smsTypes(t))
	requireNone(t, diags)
	a := testAction()
	m := actionModel{SMS: types.ObjectNull(smsTypes(t))}
	a.Code = "edited"
	requireNone(t, m.importCode(t.Context(), a))
	if m.Code.ValueString() != "live" || !m.SMS.IsNull() {
		t.Errorf("sms %s, code %s", m.SMS, m.Code)
	}
	a.Deployed.Code = ours.Script
	m = actionModel{SMS: types.ObjectNull(smsTypes(t))}
	requireNone(t, m.importCode(t.Context(), a))
	if !m.Code.IsNull() || !m.SMS.Equal(block) {
		t.Errorf("sms %s, code %s", m.SMS, m.Code)
	}
}

// TestActionModelPatch proves that an update writes what the draft lacks, which
// may be more than what the state lacks.
func TestActionModelPatch(t *testing.T) {
	want := testAction()
	name, code, runtime, packages := want.Name, want.Code, want.Runtime, want.Dependencies
	for what, tt := range map[string]struct {
		change func(draft *auth0api.Action)
		want   auth0api.ActionPatch
	}{
		"nothing":             {func(*auth0api.Action) {}, auth0api.ActionPatch{}},
		"name":                {func(a *auth0api.Action) { a.Name = "x" }, auth0api.ActionPatch{Name: &name}},
		"code":                {func(a *auth0api.Action) { a.Code = "x" }, auth0api.ActionPatch{Code: &code}},
		"runtime":             {func(a *auth0api.Action) { a.Runtime = "x" }, auth0api.ActionPatch{Runtime: &runtime}},
		"dependencies":        {func(a *auth0api.Action) { a.Dependencies = nil }, auth0api.ActionPatch{Dependencies: &packages}},
		"a build that failed": {func(a *auth0api.Action) { a.Status = "failed" }, auth0api.ActionPatch{Code: &code}},
	} {
		t.Run(what, func(t *testing.T) {
			draft := testAction()
			tt.change(&draft)
			patch, ok := patchOf(draft, want)
			if diff := cmp.Diff(tt.want, patch); diff != "" || ok != (tt.want != auth0api.ActionPatch{}) {
				t.Errorf("a request is sent: %t; patch (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestActionModelAction(t *testing.T) {
	m := actionOf(t, testAction())
	want := auth0api.Action{Name: "SNS", Code: "code", Runtime: "node22", Trigger: auth0api.ActionTrigger{ID: "send-phone-message", Version: "v2"}, Dependencies: map[string]string{"a": "1"}}
	if diff := cmp.Diff(want, m.action("code")); diff != "" {
		t.Errorf("Action to create (-want +got):\n%s", diff)
	}
}
