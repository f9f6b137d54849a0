package provider

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// smsTypes are the attributes of the sms block.
func smsTypes(t *testing.T) map[string]attr.Type {
	t.Helper()
	block, ok := smsAttribute(sender.AWSSDK).GetType().(types.ObjectType)
	if !ok {
		t.Fatal("sms is no object")
	}
	return block.AttrTypes
}

// requireNone fails on any diagnostic.
func requireNone(t *testing.T, diags diag.Diagnostics) {
	t.Helper()
	if len(diags) > 0 {
		t.Fatal(diags)
	}
}

func stringValues(values ...string) []attr.Value {
	elements := make([]attr.Value, len(values))
	for i, v := range values {
		elements[i] = types.StringValue(v)
	}
	return elements
}

// TestSMSRoundTrip proves that no option is lost between configuration and
// sender, either way: a lost allowed_country_codes costs money.
func TestSMSRoundTrip(t *testing.T) {
	for name, options := range map[string]sender.Options{
		"defaults": {},
		"one":      {SenderID: "Auth0"},
		"lists":    {AllowedCountryCodes: []string{"+1", "+49"}, FallbackRegions: []string{"eu-west-1", "eu-central-1"}},
		"everything": {
			Client: sender.Builtin, SMSType: "Promotional", SenderID: "Auth0", OriginationNumber: "+12065550100", MaxPriceUSD: "0.10",
			EntityID: "1101", TemplateID: "1107", AllowedCountryCodes: []string{"+49"}, FallbackRegions: []string{"eu-west-1"}, Timeout: 2500 * time.Millisecond,
		},
	} {
		t.Run(name, func(t *testing.T) {
			block, diags := writeSMS(t.Context(), options, smsTypes(t))
			requireNone(t, diags)
			if block.IsNull() != (name == "defaults") {
				t.Errorf("block %s: an import of the defaults must leave it out, any other must not", block)
			}
			sms, diags := readSMS(t.Context(), block)
			requireNone(t, diags)
			if !sms.known() {
				t.Error("what was read from Auth0 counts as unknown")
			}
			got, diags := sms.options()
			requireNone(t, diags)
			if diff := cmp.Diff(options, got); diff != "" {
				t.Errorf("options (-before +after):\n%s", diff)
			}
		})
	}
}

// TestSMSOptionsOrder proves that a set gives the same code in any order, and a
// list keeps the order in which regions are tried.
func TestSMSOptionsOrder(t *testing.T) {
	m := &smsModel{
		AllowedCountryCodes: types.SetValueMust(types.StringType, stringValues("+49", "+1")),
		FallbackRegions:     types.ListValueMust(types.StringType, stringValues("us-west-2", "eu-west-1")),
	}
	got, diags := m.options()
	requireNone(t, diags)
	want := sender.Options{AllowedCountryCodes: []string{"+1", "+49"}, FallbackRegions: []string{"us-west-2", "eu-west-1"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSMSUnknown proves that what is not known yet delays the code and breaks
// nothing, and that a mistake beside it is still found in plan.
func TestSMSUnknown(t *testing.T) {
	unknownList := types.ListUnknown(types.StringType)
	unknownSet := types.SetUnknown(types.StringType)
	element := []attr.Value{types.StringUnknown()}
	for name, m := range map[string]*smsModel{
		"string":      {SenderID: types.StringUnknown()},
		"timeout":     {Timeout: types.StringUnknown()},
		"set":         {AllowedCountryCodes: unknownSet},
		"list":        {FallbackRegions: unknownList},
		"set element": {AllowedCountryCodes: types.SetValueMust(types.StringType, element)},
		"in the list": {FallbackRegions: types.ListValueMust(types.StringType, element)},
	} {
		t.Run(name, func(t *testing.T) {
			if m.known() {
				t.Error("code would be rendered without the option")
			}
			requireNone(t, m.validate())
			m.MaxPriceUSD = types.StringValue("free")
			if diags := m.validate(); len(diags) != 1 || diags[0].Detail() != `sms.max_price_usd: "free" must be a decimal number greater than 0, such as "0.50".` {
				t.Errorf("a mistake beside an unknown value: %v", diags)
			}
		})
	}
	for name, block := range map[string]types.Object{"unknown": types.ObjectUnknown(smsTypes(t)), "null": types.ObjectNull(smsTypes(t)), "zero": {}} {
		m, diags := readSMS(t.Context(), block)
		requireNone(t, diags)
		if m != nil || !m.known() || len(m.validate()) > 0 {
			t.Errorf("%s block: %+v", name, m)
		}
	}
}

func TestSMSTimeout(t *testing.T) {
	for value, ok := range map[string]bool{
		"": true, "1s": true, "8s": true, "2500ms": true,
		"0": false, "0s": false, "5": false, "-1s": false, "999ms": false, "8001ms": false, "soon": false,
	} {
		diags := (&smsModel{Timeout: types.StringValue(value)}).validate()
		if diags.HasError() == ok {
			t.Errorf("timeout %q: %v", value, diags)
		}
		if len(diags) > 1 {
			t.Errorf("timeout %q is reported twice: %v", value, diags)
		}
	}
}
