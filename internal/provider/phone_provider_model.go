package provider

import (
	"context"
	"fmt"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework/attr"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// deliveryMethodText is the only one: SNS has no voice.
const deliveryMethodText = "text"

type phoneProviderModel struct {
	ID              types.String `tfsdk:"id"`
	Name            types.String `tfsdk:"name"`
	ActionID        types.String `tfsdk:"action_id"`
	DeliveryMethods types.Set    `tfsdk:"delivery_methods"`
	Disabled        types.Bool   `tfsdk:"disabled"`
	Unified         types.Bool   `tfsdk:"unified_phone_experience"`
	TakeOver        types.Bool   `tfsdk:"take_over"`
	ForceDestroy    types.Bool   `tfsdk:"force_destroy"`
	Prior           types.Object `tfsdk:"prior"`
}

// phoneProviderPriorModel is what was there before, in the state.
type phoneProviderPriorModel struct {
	Name    types.String `tfsdk:"name"`
	Unified types.Bool   `tfsdk:"unified_phone_experience"`
}

func phoneProviderPriorTypes() map[string]attr.Type {
	return map[string]attr.Type{"name": types.StringType, "unified_phone_experience": types.BoolType}
}

// phoneProviderPrior is the state's prior: the provider that this one took the
// place of, "" for none, and the tenant's flag.
func phoneProviderPrior(ctx context.Context, name string, unified bool) (types.Object, diag.Diagnostics) {
	return types.ObjectValueFrom(ctx, phoneProviderPriorTypes(), phoneProviderPriorModel{optionalString(name), types.BoolValue(unified)})
}

func (m phoneProviderModel) prior(ctx context.Context) (phoneProviderPriorModel, diag.Diagnostics) {
	var prior phoneProviderPriorModel
	diags := m.Prior.As(ctx, &prior, objectOptions)
	return prior, diags
}

// provider is the Auth0 object that the model describes.
func (m phoneProviderModel) provider() auth0api.PhoneProvider {
	return auth0api.PhoneProvider{
		Name:            delivery.PhoneProviderCustom,
		Disabled:        m.Disabled.ValueBool(),
		DeliveryMethods: stringSet(m.DeliveryMethods),
	}
}

// known tells whether the plan says all that a provider which is there already
// is compared with.
func (m phoneProviderModel) known() bool {
	return !m.Disabled.IsUnknown() && !m.TakeOver.IsUnknown() && knownElements(m.DeliveryMethods.Elements(), m.DeliveryMethods.IsUnknown())
}

// moves tells whether a tenant that is on the Unified Phone Experience, or is
// not, has to go over to the other side.
func (m phoneProviderModel) moves(unified bool) bool {
	return !m.Unified.IsNull() && m.Unified.ValueBool() != unified
}

// read takes over what Auth0 says of the provider.
func (m *phoneProviderModel) read(p auth0api.PhoneProvider) {
	m.ID = types.StringValue(p.ID)
	m.Name = types.StringValue(p.Name)
	m.DeliveryMethods = setValue(p.DeliveryMethods)
	m.Disabled = types.BoolValue(p.Disabled)
	if m.ForceDestroy.IsNull() {
		m.ForceDestroy = types.BoolValue(false)
	}
	if m.TakeOver.IsNull() {
		m.TakeOver = types.BoolValue(false)
	}
}

// phoneProviderPatch is what a provider lacks of what is wanted; ok is false
// where nothing does. Another provider's configuration goes with its name.
func phoneProviderPatch(now, want auth0api.PhoneProvider) (patch auth0api.PhoneProviderPatch, ok bool) {
	if now.Name != want.Name {
		patch.Name = &want.Name
	}
	if now.Disabled != want.Disabled {
		patch.Disabled = &want.Disabled
	}
	if patch.Name != nil || !sameTypes(now.DeliveryMethods, want.DeliveryMethods) {
		patch.DeliveryMethods = &want.DeliveryMethods
	}
	return patch, patch != auth0api.PhoneProviderPatch{}
}

// validatePhoneProviderID refuses what is not the id of a phone provider: Auth0
// takes what follows for a path.
func validatePhoneProviderID(id string) error {
	if !delivery.IsPhoneProviderID(id) {
		return fmt.Errorf("%q is not the id of a phone provider, which begins with %q", id, "pro_")
	}
	return nil
}

// describeProvider names a provider as the Dashboard does.
func describeProvider(p auth0api.PhoneProvider) string {
	state := "switched on"
	if p.Disabled {
		state = "switched off"
	}
	return fmt.Sprintf("%s, %s, for %s", p.Name, state, strings.Join(p.DeliveryMethods, " and "))
}
