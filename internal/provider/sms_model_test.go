package provider

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
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
			Texts: []sender.Text{{ClientID: "c", Language: "de", EnrollmentMessage: "a {{code}}", VerificationMessage: "b {{code}}"}, {VerificationMessage: "c {{code}}"}},
		},
		"texts": {Texts: []sender.Text{{Language: "pt-BR", EnrollmentMessage: "{{code}}"}}},
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

// TestSMSTextsUnknown: an application of the same apply has no id yet. Its text
// must neither fail in plan nor hide a mistake in another one.
func TestSMSTextsUnknown(t *testing.T) {
	text := func(client, language, enrollment, verification types.String) attr.Value {
		return types.ObjectValueMust(textTypes().AttrTypes, map[string]attr.Value{
			"client_id": client, "language": language, "enrollment_message": enrollment, "verification_message": verification,
		})
	}
	null, open, code := types.StringNull(), types.StringUnknown(), types.StringValue("{{code}}")
	for name, tt := range map[string]struct {
		texts []attr.Value
		want  string // the one problem, "" for none
	}{
		"two applications":          {[]attr.Value{text(open, null, null, code), text(open, null, null, code)}, ""},
		"before the text for all":   {[]attr.Value{text(open, null, null, code), text(null, null, null, code)}, ""},
		"two languages":             {[]attr.Value{text(null, open, null, code), text(null, open, null, code)}, ""},
		"a message":                 {[]attr.Value{text(null, null, null, open)}, ""},
		"a text":                    {[]attr.Value{types.ObjectUnknown(textTypes().AttrTypes), text(null, null, null, code)}, ""},
		"after the text for all":    {[]attr.Value{text(null, null, null, code), text(open, null, null, code)}, "sms.texts: Text 2: verification_message is never sent, because text 1 comes first and fits whenever this one does."},
		"beside one without a code": {[]attr.Value{text(open, null, null, code), text(null, null, null, types.StringValue("x"))}, "sms.texts: Text 2: verification_message must have {{code}} in it: nobody could log in without the code."},
	} {
		t.Run(name, func(t *testing.T) {
			m := &smsModel{Texts: types.ListValueMust(textTypes(), tt.texts)}
			if m.known() {
				t.Error("code would be rendered without a text")
			}
			var got []string
			for _, d := range m.validate() {
				got = append(got, d.Detail())
			}
			var want []string
			if tt.want != "" {
				want = []string{tt.want}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
	if (&smsModel{Texts: types.ListUnknown(textTypes())}).known() {
		t.Error("code would be rendered without its texts")
	}
	gap := &smsModel{Texts: types.ListValueMust(textTypes(), []attr.Value{types.ObjectNull(textTypes().AttrTypes)})}
	if !gap.known() || !gap.validate().HasError() {
		t.Error("a text that is null is none, and was accepted")
	}
}

// TestSMSTooLarge proves that code which Auth0 would not take fails in plan, where
// the option stands that makes it so large.
func TestSMSTooLarge(t *testing.T) {
	options := sender.Options{}
	for i := range 100 {
		options.Texts = append(options.Texts, sender.Text{ClientID: fmt.Sprint(i), VerificationMessage: strings.Repeat("x", 1000) + "{{code}}"})
	}
	block, diags := writeSMS(t.Context(), options, smsTypes(t))
	requireNone(t, diags)
	_, known, diags := senderCode(t.Context(), sender.CustomPhoneProvider, types.StringNull(), block)
	if !known || len(diags) != 1 {
		t.Fatalf("known %t, %v", known, diags)
	}
	where, ok := diags[0].(diag.DiagnosticWithPath)
	if !ok || !where.Path().Equal(path.Root("sms").AtName("texts")) || !strings.Contains(diags[0].Detail(), "Auth0 takes 100000") {
		t.Errorf("%v", diags)
	}
}
