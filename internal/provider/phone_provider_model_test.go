package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
)

func testPhoneProvider() auth0api.PhoneProvider {
	return auth0api.PhoneProvider{ID: "pro_1", Name: "custom", DeliveryMethods: []string{"text"}}
}

func TestPhoneProviderModelAndProviderAgree(t *testing.T) {
	var m phoneProviderModel
	m.read(testPhoneProvider())
	want := testPhoneProvider()
	want.ID = "" // Auth0's to give.
	if diff := cmp.Diff(want, m.provider()); diff != "" {
		t.Errorf("what is read is not what is written, so no plan would ever be empty (-want +got):\n%s", diff)
	}
}

// TestPhoneProviderPatch proves that nothing is sent that is so already: a PATCH
// with a name drops the credentials of the provider that is there.
func TestPhoneProviderPatch(t *testing.T) {
	want := testPhoneProvider()
	name, on, methods := "custom", false, []string{"text"}
	for what, tt := range map[string]struct {
		change func(now *auth0api.PhoneProvider)
		want   auth0api.PhoneProviderPatch
	}{
		"nothing":          {func(*auth0api.PhoneProvider) {}, auth0api.PhoneProviderPatch{}},
		"switched off":     {func(p *auth0api.PhoneProvider) { p.Disabled = true }, auth0api.PhoneProviderPatch{Disabled: &on}},
		"delivery methods": {func(p *auth0api.PhoneProvider) { p.DeliveryMethods = []string{"text", "voice"} }, auth0api.PhoneProviderPatch{DeliveryMethods: &methods}},
		"another provider": {func(p *auth0api.PhoneProvider) { p.Name = "twilio" }, auth0api.PhoneProviderPatch{Name: &name, DeliveryMethods: &methods}},
	} {
		t.Run(what, func(t *testing.T) {
			now := testPhoneProvider()
			tt.change(&now)
			patch, differs := phoneProviderPatch(now, want)
			if diff := cmp.Diff(tt.want, patch); diff != "" || differs == (what == "nothing") {
				t.Errorf("differs %t (-want +got):\n%s", differs, diff)
			}
		})
	}
}

func TestPhoneProviderMoves(t *testing.T) {
	for _, unified := range []bool{false, true} {
		if (phoneProviderModel{Unified: types.BoolNull()}).moves(unified) || (phoneProviderModel{Unified: types.BoolValue(unified)}).moves(unified) {
			t.Errorf("a tenant with the flag %t would be written to unasked", unified)
		}
		if !(phoneProviderModel{Unified: types.BoolValue(!unified)}).moves(unified) {
			t.Errorf("a tenant with the flag %t would not move", unified)
		}
	}
}

func TestPhoneProviderKnown(t *testing.T) {
	m := phoneProviderModel{Disabled: types.BoolValue(false), TakeOver: types.BoolValue(false), DeliveryMethods: setValue([]string{"text"})}
	if !m.known() {
		t.Error("a provider that is there would pass unseen")
	}
	for name, change := range map[string]func(*phoneProviderModel){
		"disabled":         func(m *phoneProviderModel) { m.Disabled = types.BoolUnknown() },
		"take_over":        func(m *phoneProviderModel) { m.TakeOver = types.BoolUnknown() },
		"delivery_methods": func(m *phoneProviderModel) { m.DeliveryMethods = types.SetUnknown(types.StringType) },
	} {
		open := m
		change(&open)
		if open.known() {
			t.Errorf("%s is not known, and the plan would be refused for it", name)
		}
	}
}

func TestValidatePhoneProviderID(t *testing.T) {
	if err := validatePhoneProviderID("pro_8hUQmxBKpXMRPsk5dm1eKb"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"", "pro_", "twilio", "pro_a/../b", "pro_a?x"} {
		if validatePhoneProviderID(id) == nil {
			t.Errorf("%q was accepted: Auth0 would be asked for something else", id)
		}
	}
}
