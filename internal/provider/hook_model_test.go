package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

func renderedHook(t *testing.T, o sender.Options) sender.Code {
	t.Helper()
	code, err := sender.Render(sender.Hook, o)
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestHookModelCode(t *testing.T) {
	block, diags := writeSMS(t.Context(), sender.Options{Client: sender.Builtin}, smsTypes(t))
	requireNone(t, diags)
	none := types.ObjectNull(smsTypes(t))
	for name, tt := range map[string]struct {
		model hookModel
		want  sender.Code
		known bool
	}{
		"defaults":       {hookModel{SMS: none}, renderedHook(t, sender.Options{}), true},
		"options":        {hookModel{SMS: block}, renderedHook(t, sender.Options{Client: sender.Builtin}), true},
		"script":         {hookModel{SMS: none, Script: types.StringValue("x")}, sender.Code{Script: "x", Dependencies: map[string]string{}, SHA256: sender.SHA256("x")}, true},
		"sms unknown":    {hookModel{SMS: types.ObjectUnknown(smsTypes(t))}, sender.Code{}, false},
		"script unknown": {hookModel{SMS: none, Script: types.StringUnknown()}, sender.Code{}, false},
		"both possible":  {hookModel{SMS: types.ObjectUnknown(smsTypes(t)), Script: types.StringValue("x")}, sender.Code{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			code, known, diags := tt.model.code(t.Context())
			requireNone(t, diags)
			if known != tt.known {
				t.Errorf("known = %t", known)
			}
			if diff := cmp.Diff(tt.want, code); diff != "" {
				t.Errorf("code (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHookModelRead proves that code edited at Auth0 shows: always by its
// digest, and in full where the configuration wrote it down.
func TestHookModelRead(t *testing.T) {
	hook := auth0api.Hook{ID: "1", Name: "SNS", Script: "edited", Enabled: true}
	m := hookModel{Script: types.StringNull()}
	m.read(hook)
	want := hookModel{
		ID: types.StringValue("1"), Name: types.StringValue("SNS"), Enabled: types.BoolValue(true), Script: types.StringNull(),
		Dependencies: mapValue(nil), ScriptSHA256: types.StringValue(sender.SHA256("edited")), ForceDestroy: types.BoolValue(false),
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("model (-want +got):\n%s", diff)
	}
	m = hookModel{Script: types.StringValue("ours"), ForceDestroy: types.BoolValue(true)}
	m.read(hook)
	if m.Script.ValueString() != "edited" || !m.ForceDestroy.ValueBool() {
		t.Errorf("script %s, force_destroy %s", m.Script, m.ForceDestroy)
	}
}

// TestHookModelImportCode proves that an import tells the sender from code that
// the next apply would replace.
func TestHookModelImportCode(t *testing.T) {
	none := types.ObjectNull(smsTypes(t))
	options := sender.Options{Client: sender.Builtin, AllowedCountryCodes: []string{"+49"}}
	block, diags := writeSMS(t.Context(), options, smsTypes(t))
	requireNone(t, diags)
	for name, tt := range map[string]struct {
		script     string
		wantSMS    types.Object
		wantScript types.String
	}{
		"the sender":             {renderedHook(t, sender.Options{}).Script, none, types.StringNull()},
		"the sender, options":    {renderedHook(t, options).Script, block, types.StringNull()},
		"somebody else's":        {"module.exports = 1;", none, types.StringValue("module.exports = 1;")},
		"the sender, but edited": {renderedHook(t, options).Script + ";", none, types.StringValue(renderedHook(t, options).Script + ";")},
	} {
		t.Run(name, func(t *testing.T) {
			m := hookModel{SMS: none}
			requireNone(t, m.importCode(t.Context(), tt.script))
			if !m.SMS.Equal(tt.wantSMS) || !m.Script.Equal(tt.wantScript) {
				t.Errorf("sms %s, script %s", m.SMS, m.Script)
			}
		})
	}
}

// TestHookModelPatch proves that an update writes what differs and nothing
// else: a tenant whose hooks are read-only takes no other field beside enabled.
func TestHookModelPatch(t *testing.T) {
	from := hookModel{
		Name: types.StringValue("SNS"), Enabled: types.BoolValue(true), ScriptSHA256: types.StringValue("1"),
		Dependencies: mapValue(map[string]string{"a": "1"}), ForceDestroy: types.BoolValue(false),
	}
	name, off, script, none := "New", false, "code", map[string]string{}
	for what, tt := range map[string]struct {
		change func(*hookModel)
		want   auth0api.HookPatch
	}{
		"nothing":       {func(*hookModel) {}, auth0api.HookPatch{}},
		"force_destroy": {func(m *hookModel) { m.ForceDestroy = types.BoolValue(true) }, auth0api.HookPatch{}},
		"name":          {func(m *hookModel) { m.Name = types.StringValue(name) }, auth0api.HookPatch{Name: &name}},
		"enabled":       {func(m *hookModel) { m.Enabled = types.BoolValue(off) }, auth0api.HookPatch{Enabled: &off}},
		"code":          {func(m *hookModel) { m.ScriptSHA256 = types.StringValue("2") }, auth0api.HookPatch{Script: &script}},
		"dependencies":  {func(m *hookModel) { m.Dependencies = mapValue(none) }, auth0api.HookPatch{Dependencies: &none}},
	} {
		t.Run(what, func(t *testing.T) {
			to := from
			tt.change(&to)
			patch, ok := to.patch(from, script)
			if ok != (tt.want != auth0api.HookPatch{}) {
				t.Errorf("a request is sent: %t", ok)
			}
			if diff := cmp.Diff(tt.want, patch); diff != "" {
				t.Errorf("patch (-want +got):\n%s", diff)
			}
		})
	}
}

func TestHookModelHook(t *testing.T) {
	m := hookModel{Name: types.StringValue("SNS"), Enabled: types.BoolValue(true), Dependencies: mapValue(map[string]string{"a": "1"})}
	want := auth0api.Hook{Name: "SNS", Script: "code", TriggerID: "send-phone-message", Enabled: true, Dependencies: map[string]string{"a": "1"}}
	if diff := cmp.Diff(want, m.hook("code")); diff != "" {
		t.Errorf("hook to create (-want +got):\n%s", diff)
	}
}
