package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
)

func liveFactor() smsFactorModel {
	return smsFactorModel{
		SenderID:            types.StringValue("hook-1"),
		Enabled:             types.BoolValue(true),
		MessageTypes:        setValue([]string{"sms"}),
		EnrollmentMessage:   types.StringValue("{{code}} to enroll"),
		VerificationMessage: types.StringValue("{{code}} to log in"),
		OnDestroy:           types.StringValue(onDestroyRestore),
		SelectedProvider:    types.StringValue("phone-message-hook"),
	}
}

func TestSMSFactorModelAndFactorAgree(t *testing.T) {
	want := liveFactor()
	got := smsFactorModel{SenderID: want.SenderID, MessageTypes: types.SetNull(types.StringType)}
	got.read(want.factor())
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what is written is not what is read back, so no plan would ever be empty (-want +got):\n%s", diff)
	}
}

func TestSMSFactorLeavesTextsAlone(t *testing.T) {
	m := liveFactor()
	m.EnrollmentMessage, m.VerificationMessage = types.StringNull(), types.StringNull()
	if m.managesTemplates() || m.factor().Templates != nil {
		t.Error("texts that are not configured would be overwritten")
	}
	m.EnrollmentMessage = types.StringUnknown()
	if !m.managesTemplates() {
		t.Error("texts that are known only in apply would be forgotten")
	}
}

func TestSMSFactorReads(t *testing.T) {
	tests := map[string]struct {
		enabled   bool
		types     []string
		from      types.Set
		wantTypes []string
	}{
		"on":                 {true, []string{"voice"}, setValue([]string{"sms"}), []string{"voice"}},
		"on, imported":       {true, []string{"voice"}, types.SetNull(types.StringType), []string{"voice"}},
		"off":                {false, []string{}, setValue([]string{"sms"}), []string{"sms"}},
		"off, imported":      {false, []string{}, types.SetNull(types.StringType), []string{}},
		"on, nothing to use": {true, []string{}, setValue([]string{"sms"}), []string{}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := liveFactor()
			m.MessageTypes = test.from
			m.read(smsFactor{Enabled: test.enabled, Provider: "phone-message-hook", MessageTypes: test.types})
			if want := setValue(test.wantTypes); !m.MessageTypes.Equal(want) {
				t.Errorf("message types %s, want %s", m.MessageTypes, want)
			}
			if m.EnrollmentMessage.IsNull() {
				t.Error("a read that did not look at the texts forgot them")
			}
		})
	}
}

// TestSMSFactorPriorKeeps: what the state loses, destroy cannot give back.
func TestSMSFactorPriorKeeps(t *testing.T) {
	for name, want := range map[string]smsFactor{
		"untouched tenant": {Provider: "auth0"},
		"by hand": {
			Enabled: true, Provider: "twilio", MessageTypes: []string{"sms", "voice"},
			Templates: &auth0api.Templates{EnrollmentMessage: "a {{code}}", VerificationMessage: "b {{code}}"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			prior, diags := want.model(t.Context())
			got, more := smsFactorModel{Prior: prior}.prior(t.Context())
			if diags.Append(more...); diags.HasError() {
				t.Fatal(diags)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSMSFactorPrior: a factor that is on without its sender asks everybody for a
// code that nobody sends, and texts of ours are not what was before.
func TestSMSFactorPrior(t *testing.T) {
	ours := &auth0api.Templates{EnrollmentMessage: "a {{code}}", VerificationMessage: "b {{code}}"}
	theirs := &auth0api.Templates{EnrollmentMessage: "c {{code}}", VerificationMessage: "d {{code}}"}
	for name, tt := range map[string]struct{ found, want smsFactor }{
		"live": {
			smsFactor{Enabled: true, Provider: "phone-message-hook", MessageTypes: []string{"sms"}, Templates: ours},
			smsFactor{Provider: "auth0"},
		},
		"off": {
			smsFactor{Provider: "phone-message-hook", MessageTypes: []string{"sms"}, Templates: theirs},
			smsFactor{Provider: "phone-message-hook", MessageTypes: []string{"sms"}, Templates: theirs},
		},
		"another provider": {
			smsFactor{Enabled: true, Provider: "twilio", MessageTypes: []string{"sms", "voice"}},
			smsFactor{Enabled: true, Provider: "twilio", MessageTypes: []string{"sms", "voice"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.found.prior(ours)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSameTypes(t *testing.T) {
	if !sameTypes([]string{"sms", "voice"}, []string{"voice", "sms"}) || !sameTypes(nil, []string{}) {
		t.Error("the same types in another order would be written again")
	}
	if sameTypes([]string{"sms"}, []string{"sms", "voice"}) {
		t.Error("a type more is a difference")
	}
}

func TestValidTemplate(t *testing.T) {
	for _, text := range []string{"{{code}}", "{{ code }} is your code for {{tenant.friendly_name}}", "Code: {{  code}}"} {
		if err := validTemplate(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", "Your code", "{code}", "{{codes}}", "{{tenant.friendly_name}}"} {
		if validTemplate(text) == nil {
			t.Errorf("%q was accepted: people would get a message without a code", text)
		}
	}
}
