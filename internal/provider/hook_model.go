package provider

import (
	"context"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

type hookModel struct {
	ID           types.String `tfsdk:"id"`
	Name         types.String `tfsdk:"name"`
	Enabled      types.Bool   `tfsdk:"enabled"`
	SMS          types.Object `tfsdk:"sms"` // smsModel; an object, as the block may be unknown as a whole
	Script       types.String `tfsdk:"script"`
	Dependencies types.Map    `tfsdk:"dependencies"`
	ScriptSHA256 types.String `tfsdk:"script_sha256"`
	ForceDestroy types.Bool   `tfsdk:"force_destroy"`
}

// code returns what the hook is to run: the configured script, or the sender
// rendered from the options. known is false while either is not known yet.
func (m hookModel) code(ctx context.Context) (code sender.Code, known bool, diags diag.Diagnostics) {
	return senderCode(ctx, sender.Hook, m.Script, m.SMS)
}

// hook is the Auth0 object that the model describes, running script.
func (m hookModel) hook(script string) auth0api.Hook {
	return auth0api.Hook{
		Name:         m.Name.ValueString(),
		Script:       script,
		TriggerID:    delivery.TriggerHook,
		Enabled:      m.Enabled.ValueBool(),
		Dependencies: stringMap(m.Dependencies),
	}
}

// read takes over what Auth0 says. The script itself is kept only where the
// configuration wrote it down.
func (m *hookModel) read(h auth0api.Hook) {
	m.ID = types.StringValue(h.ID)
	m.Name = types.StringValue(h.Name)
	m.Enabled = types.BoolValue(h.Enabled)
	m.Dependencies = mapValue(h.Dependencies)
	m.ScriptSHA256 = types.StringValue(sender.SHA256(h.Script))
	if !m.Script.IsNull() {
		m.Script = types.StringValue(h.Script)
	}
	if m.ForceDestroy.IsNull() {
		m.ForceDestroy = types.BoolValue(false)
	}
}

// importCode takes over the code of a hook that was not in the state.
func (m *hookModel) importCode(ctx context.Context, script string) diag.Diagnostics {
	return importSenderCode(ctx, sender.Hook, script, &m.Script, &m.SMS)
}

// switchesOff tells whether going from state to the plan m takes the hook away
// from people who may be using it, without having said so.
func (m hookModel) switchesOff(state hookModel) bool {
	return state.Enabled.ValueBool() && !m.Enabled.IsUnknown() && !m.Enabled.ValueBool() && !m.ForceDestroy.ValueBool()
}

// patch holds what differs between two models; ok is false when nothing does.
func (m hookModel) patch(from hookModel, script string) (patch auth0api.HookPatch, ok bool) {
	if !m.Name.Equal(from.Name) {
		patch.Name = m.Name.ValueStringPointer()
	}
	if !m.Enabled.Equal(from.Enabled) {
		patch.Enabled = m.Enabled.ValueBoolPointer()
	}
	if !m.ScriptSHA256.Equal(from.ScriptSHA256) {
		patch.Script = &script
	}
	if !m.Dependencies.Equal(from.Dependencies) {
		dependencies := stringMap(m.Dependencies)
		patch.Dependencies = &dependencies
	}
	return patch, patch != auth0api.HookPatch{}
}
