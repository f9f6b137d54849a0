package provider

import (
	"context"
	"maps"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// actionTriggers are the triggers that an Action may be for, each with the
// version of its contract that the sender's code is written for.
func actionTriggers() map[string]string {
	return map[string]string{delivery.TriggerSendPhoneMessage: "v2", delivery.TriggerCustomPhoneProvider: "v1"}
}

type actionModel struct {
	ID           types.String   `tfsdk:"id"`
	Name         types.String   `tfsdk:"name"`
	Trigger      types.String   `tfsdk:"trigger"`
	Runtime      types.String   `tfsdk:"runtime"`
	SMS          types.Object   `tfsdk:"sms"` // smsModel; an object, as the block may be unknown as a whole
	Code         types.String   `tfsdk:"code"`
	Dependencies types.Map      `tfsdk:"dependencies"`
	CodeSHA256   types.String   `tfsdk:"code_sha256"`
	CodeSize     types.Int64    `tfsdk:"code_size"`
	VersionID    types.String   `tfsdk:"version_id"`
	Bound        types.Bool     `tfsdk:"bound"`
	ForceDestroy types.Bool     `tfsdk:"force_destroy"`
	Timeouts     timeouts.Value `tfsdk:"timeouts"`
}

// code returns what the Action is to run; known is false while that is open.
func (m actionModel) code(ctx context.Context) (code sender.Code, known bool, diags diag.Diagnostics) {
	if m.Trigger.IsUnknown() {
		return sender.Code{}, false, nil
	}
	return senderCode(ctx, sender.Trigger(m.Trigger.ValueString()), m.Code, m.SMS)
}

// action is the Auth0 object that the model describes, running script.
func (m actionModel) action(script string) auth0api.Action {
	trigger := m.Trigger.ValueString()
	return auth0api.Action{
		Name:         m.Name.ValueString(),
		Trigger:      auth0api.ActionTrigger{ID: trigger, Version: actionTriggers()[trigger]},
		Code:         script,
		Runtime:      m.Runtime.ValueString(),
		Dependencies: stringMap(m.Dependencies),
	}
}

// actionContent is what decides how an Action behaves, secrets apart: those are
// the business of auth0sns_credentials.
type actionContent struct {
	code, runtime string
	dependencies  map[string]string
}

func draftOf(a auth0api.Action) actionContent {
	return actionContent{a.Code, a.Runtime, a.Dependencies}
}

func (c actionContent) equal(other actionContent) bool {
	return c.code == other.code && c.runtime == other.runtime && maps.Equal(c.dependencies, other.dependencies)
}

// runs is what Auth0 runs; ok is false before the first deploy.
func runs(a auth0api.Action) (content actionContent, ok bool) {
	if a.Deployed == nil {
		return actionContent{}, false
	}
	return actionContent{a.Deployed.Code, a.Deployed.Runtime, a.Deployed.Dependencies}, true
}

// isUndeployed tells whether the draft would do something else than what runs.
func isUndeployed(a auth0api.Action) bool {
	deployed, ok := runs(a)
	return !ok || !deployed.equal(draftOf(a))
}

// read takes over what Auth0 says. The code itself is kept only where the
// configuration wrote it down.
func (m *actionModel) read(a auth0api.Action, bound bool) {
	content := m.shown(a)
	m.ID = types.StringValue(a.ID)
	m.Name = types.StringValue(a.Name)
	m.Trigger = types.StringValue(a.Trigger.ID)
	m.Runtime = types.StringValue(content.runtime)
	m.Dependencies = mapValue(content.dependencies)
	m.CodeSHA256 = types.StringValue(sender.SHA256(content.code))
	m.CodeSize = types.Int64Value(int64(len(content.code)))
	if !m.Code.IsNull() {
		m.Code = types.StringValue(content.code)
	}
	m.VersionID = types.StringNull()
	if a.Deployed != nil {
		m.VersionID = types.StringValue(a.Deployed.ID)
	}
	m.Bound = types.BoolValue(bound)
	if m.ForceDestroy.IsNull() {
		m.ForceDestroy = types.BoolValue(false)
	}
}

// shown is the content for a plan to compare: what runs, and where that is as it
// was applied, the draft, which somebody may have edited.
func (m actionModel) shown(a auth0api.Action) actionContent {
	deployed, ok := runs(a)
	if ok && !m.has(deployed) {
		return deployed
	}
	return draftOf(a)
}

func (m actionModel) has(c actionContent) bool {
	return m.CodeSHA256.ValueString() == sender.SHA256(c.code) && m.Runtime.ValueString() == c.runtime && m.Dependencies.Equal(mapValue(c.dependencies))
}

// importCode takes over the code of an Action that was not in the state.
func (m *actionModel) importCode(ctx context.Context, a auth0api.Action) diag.Diagnostics {
	return importSenderCode(ctx, sender.Trigger(a.Trigger.ID), m.shown(a).code, &m.Code, &m.SMS)
}

// differs tells whether Auth0 has to deploy something to get from one model to
// the other.
func (m actionModel) differs(from actionModel) bool {
	return !m.Name.Equal(from.Name) || !m.CodeSHA256.Equal(from.CodeSHA256) || !m.Runtime.Equal(from.Runtime) || !m.Dependencies.Equal(from.Dependencies)
}

// patchOf is what the draft lacks of what is wanted; ok is false when nothing
// does. A draft whose build failed gets its code again, which builds it again.
func patchOf(draft, want auth0api.Action) (patch auth0api.ActionPatch, ok bool) {
	if draft.Name != want.Name {
		patch.Name = &want.Name
	}
	if draft.Code != want.Code || draft.Status == delivery.StatusFailed {
		patch.Code = &want.Code
	}
	if draft.Runtime != want.Runtime {
		patch.Runtime = &want.Runtime
	}
	if !maps.Equal(draft.Dependencies, want.Dependencies) {
		patch.Dependencies = &want.Dependencies
	}
	return patch, patch != auth0api.ActionPatch{}
}
