package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
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

// providerAuth0 is the selected provider of a tenant that never chose one.
const providerAuth0 = "auth0"

type smsFactorModel struct {
	SenderID            types.String `tfsdk:"sender_id"`
	Enabled             types.Bool   `tfsdk:"enabled"`
	MessageTypes        types.Set    `tfsdk:"message_types"`
	EnrollmentMessage   types.String `tfsdk:"enrollment_message"`
	VerificationMessage types.String `tfsdk:"verification_message"`
	OnDestroy           types.String `tfsdk:"on_destroy"`
	SelectedProvider    types.String `tfsdk:"selected_provider"`
	Prior               types.Object `tfsdk:"prior"`
}

// smsFactorPriorModel is what was there before, in the state.
type smsFactorPriorModel struct {
	Enabled             types.Bool   `tfsdk:"enabled"`
	SelectedProvider    types.String `tfsdk:"selected_provider"`
	MessageTypes        types.Set    `tfsdk:"message_types"`
	EnrollmentMessage   types.String `tfsdk:"enrollment_message"`
	VerificationMessage types.String `tfsdk:"verification_message"`
}

// smsFactor is the factor as Auth0 has it. Templates is nil where they are not
// managed or were never set. On the Unified Phone Experience, Provider says
// nothing, and a text that is "" is Auth0's own.
type smsFactor struct {
	Unified      bool
	Enabled      bool
	Provider     string
	MessageTypes []string
	Templates    *auth0api.Templates
}

// live tells whether people get their codes through a sender of ours.
func (f smsFactor) live() bool {
	return f.Enabled && (f.Unified || f.Provider == delivery.ProviderCustom)
}

func (f smsFactor) String() string {
	if f.Unified {
		return fmt.Sprintf("enabled %t, message types %q, on the Unified Phone Experience", f.Enabled, f.MessageTypes)
	}
	return fmt.Sprintf("enabled %t, provider %q, message types %q", f.Enabled, f.Provider, f.MessageTypes)
}

// prior is what destroy gives back of a factor that was found so, with the texts
// that it is to have from now on; nil for none. One that is live is so by an
// apply that stopped, by the object that this one replaces, or by hand and not
// imported: it goes with its sender, so it is given back as a tenant begins.
// Texts that are already those to come tell nothing of what was before.
func (f smsFactor) prior(texts *auth0api.Templates) smsFactor {
	if f.live() {
		f.Enabled, f.Provider, f.MessageTypes = false, providerAuth0, nil
	}
	if f.Unified {
		f.Provider = ""
	}
	if f.Templates != nil && texts != nil && *f.Templates == *texts {
		f.Templates = nil
	}
	return f
}

// after is what destroy gives back after an update that begins to manage the
// texts, or takes the factor to the other path: what belongs to the path that it
// leaves cannot be given back once the tenant has left it.
func (f smsFactor) after(now smsFactor, plan, state smsFactorModel) smsFactor {
	here := now.prior(plan.factor().Templates)
	if plan.unified() != state.unified() {
		f.Provider, f.Templates = here.Provider, nil
	}
	if f.Templates == nil {
		f.Templates = here.Templates
	}
	return f
}

// model is the factor as the state's prior.
func (f smsFactor) model(ctx context.Context) (types.Object, diag.Diagnostics) {
	m := smsFactorPriorModel{
		Enabled:          types.BoolValue(f.Enabled),
		SelectedProvider: optionalString(f.Provider),
		MessageTypes:     setValue(f.MessageTypes),
	}
	if f.Templates != nil {
		m.EnrollmentMessage = types.StringValue(f.Templates.EnrollmentMessage)
		m.VerificationMessage = types.StringValue(f.Templates.VerificationMessage)
	}
	return types.ObjectValueFrom(ctx, smsFactorPriorTypes(), m)
}

func smsFactorPriorTypes() map[string]attr.Type {
	return map[string]attr.Type{
		"enabled":              types.BoolType,
		"selected_provider":    types.StringType,
		"message_types":        types.SetType{ElemType: types.StringType},
		"enrollment_message":   types.StringType,
		"verification_message": types.StringType,
	}
}

// prior is what was there before. It is part of the state proper: Terraform drops
// private state when the provider dies in the middle of a change.
func (m smsFactorModel) prior(ctx context.Context) (smsFactor, diag.Diagnostics) {
	var p smsFactorPriorModel
	diags := m.Prior.As(ctx, &p, objectOptions)
	f := smsFactor{
		Enabled:      p.Enabled.ValueBool(),
		Provider:     p.SelectedProvider.ValueString(),
		MessageTypes: stringSet(p.MessageTypes),
	}
	if !p.EnrollmentMessage.IsNull() {
		f.Templates = &auth0api.Templates{
			EnrollmentMessage:   p.EnrollmentMessage.ValueString(),
			VerificationMessage: p.VerificationMessage.ValueString(),
		}
	}
	return f, diags
}

// unified tells whether the sender is the phone provider of the Unified Phone
// Experience; false while it is not known.
func (m smsFactorModel) unified() bool { return delivery.IsPhoneProviderID(m.SenderID.ValueString()) }

// pastLegacy tells of a state that a tenant has left behind: Auth0 shows no
// selected provider any more.
func (m smsFactorModel) pastLegacy() bool { return !m.unified() && m.SelectedProvider.IsNull() }

// factor is what the model asks Auth0 for.
func (m smsFactorModel) factor() smsFactor {
	f := smsFactor{
		Unified:      m.unified(),
		Enabled:      m.Enabled.ValueBool(),
		Provider:     m.SelectedProvider.ValueString(),
		MessageTypes: stringSet(m.MessageTypes),
	}
	if m.managesTemplates() {
		texts := textsFor(f.Unified, m.texts())
		f.Templates = &texts
	}
	return f
}

func (m smsFactorModel) texts() auth0api.Templates {
	return auth0api.Templates{EnrollmentMessage: m.EnrollmentMessage.ValueString(), VerificationMessage: m.VerificationMessage.ValueString()}
}

// managesTemplates tells whether the message texts are this resource's: Auth0
// sets both in one call, so it is both or neither.
func (m smsFactorModel) managesTemplates() bool { return !m.EnrollmentMessage.IsNull() }

// read takes over what Auth0 says. Message types are set and looked at only while
// the factor is on: until then the model keeps those it will have.
func (m *smsFactorModel) read(f smsFactor) {
	m.Enabled = types.BoolValue(f.Enabled)
	m.SelectedProvider = optionalString(f.Provider)
	if f.Enabled || m.MessageTypes.IsNull() {
		m.MessageTypes = setValue(f.MessageTypes)
	}
	if f.Templates != nil && textsFor(f.Unified, m.texts()) != *f.Templates {
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
