package provider

import (
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// Values of sms_factor.on_destroy.
const (
	onDestroyRestore = "restore"
	onDestroyDisable = "disable"
	onDestroyLeave   = "leave"
)

type smsFactorModel struct {
	SenderID            types.String `tfsdk:"sender_id"`
	Enabled             types.Bool   `tfsdk:"enabled"`
	MessageTypes        types.Set    `tfsdk:"message_types"`
	EnrollmentMessage   types.String `tfsdk:"enrollment_message"`
	VerificationMessage types.String `tfsdk:"verification_message"`
	OnDestroy           types.String `tfsdk:"on_destroy"`
	SelectedProvider    types.String `tfsdk:"selected_provider"`
}

// smsFactor is the factor as Auth0 has it. Templates is nil where they are not
// managed or were never set.
type smsFactor struct {
	Enabled      bool                `json:"enabled"`
	Provider     string              `json:"provider"`
	MessageTypes []string            `json:"message_types"`
	Templates    *auth0api.Templates `json:"templates,omitempty"`
}

// live tells whether people get their codes through a sender of ours.
func (f smsFactor) live() bool { return f.Enabled && f.Provider == delivery.ProviderCustom }

func (f smsFactor) String() string {
	return fmt.Sprintf("enabled %t, provider %q, message types %q", f.Enabled, f.Provider, f.MessageTypes)
}

// factor is what the model asks Auth0 for.
func (m smsFactorModel) factor() smsFactor {
	f := smsFactor{
		Enabled:      m.Enabled.ValueBool(),
		Provider:     m.SelectedProvider.ValueString(),
		MessageTypes: stringSet(m.MessageTypes),
	}
	if m.managesTemplates() {
		f.Templates = &auth0api.Templates{
			EnrollmentMessage:   m.EnrollmentMessage.ValueString(),
			VerificationMessage: m.VerificationMessage.ValueString(),
		}
	}
	return f
}

// managesTemplates tells whether the message texts are this resource's: Auth0
// sets both in one call, so it is both or neither.
func (m smsFactorModel) managesTemplates() bool { return !m.EnrollmentMessage.IsNull() }

// read takes over what Auth0 says. Message types are set and looked at only while
// the factor is on: until then the model keeps those it will have.
func (m *smsFactorModel) read(f smsFactor) {
	m.Enabled = types.BoolValue(f.Enabled)
	m.SelectedProvider = types.StringValue(f.Provider)
	if f.Enabled || m.MessageTypes.IsNull() {
		m.MessageTypes = setValue(f.MessageTypes)
	}
	if f.Templates != nil {
		m.EnrollmentMessage = types.StringValue(f.Templates.EnrollmentMessage)
		m.VerificationMessage = types.StringValue(f.Templates.VerificationMessage)
	}
	if m.OnDestroy.IsNull() {
		m.OnDestroy = types.StringValue(onDestroyRestore)
	}
}

// sameTypes compares message types as a set.
func sameTypes(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
