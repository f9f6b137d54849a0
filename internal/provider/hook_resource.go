package provider

import (
	"context"
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

const (
	typeHook = "auth0sns_hook"

	hookDeprecation = "Auth0 made Hooks read-only on 2024-11-18 and ended them on 2026-11-18; tenants made since 2023-10-16 never had them. " +
		"This resource serves tenants on which Auth0 still runs hooks, and the clean-up of those on which it does not. " +
		"The way on is an Action: https://auth0.com/docs/customize/actions/migrate/migrate-from-hooks-to-actions"
)

// hookNamePattern is Auth0's own, see the Management API's POST /hooks.
var hookNamePattern = regexp.MustCompile(`^[a-zA-Z0-9]([ \-a-zA-Z0-9]*[a-zA-Z0-9])?$`)

func newHookResource() resource.Resource { return &hookResource{} }

type hookResource struct{ base }

func (r *hookResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = typeHook
}

func (r *hookResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The Send Phone Message hook: code at Auth0 that sends each MFA message through SNS. A tenant runs one of them at a time.",
		DeprecationMessage:  hookDeprecation,
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the hook.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the hook: letters, digits, spaces and hyphens, beginning and ending with a letter or digit.",
				Required:            true,
				Validators: []validator.String{stringvalidator.RegexMatches(hookNamePattern,
					"may hold letters, digits, spaces and hyphens, and begins and ends with a letter or digit (Auth0's rule for hook names)")},
			},
			"enabled": schema.BoolAttribute{
				MarkdownDescription: "Whether Auth0 runs the hook. Default `true`. A second enabled hook of this trigger is refused in plan.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"sms": smsAttribute(sender.AWSSDK),
			"script": schema.StringAttribute{
				MarkdownDescription: "Own code instead of the sender. It finds `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_REGION` in `context.webtask.secrets`.",
				Optional:            true,
				Validators: []validator.String{
					stringvalidator.LengthBetween(1, sender.MaxScriptBytes),
					stringvalidator.ConflictsWith(path.MatchRoot("sms")),
				},
			},
			"dependencies": schema.MapAttribute{
				MarkdownDescription: "npm packages of the hook and their versions. Default: what the sender code needs, none for an own `script`.",
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
			},
			"script_sha256": schema.StringAttribute{
				MarkdownDescription: "SHA-256 of the code at Auth0, in hex. It changes in a plan when the code will, or was edited by hand.",
				Computed:            true,
			},
			"force_destroy": forceDestroyAttribute("hook"),
		},
	}
}

// forceDestroyAttribute is the explicit way past the protection of a live sender.
func forceDestroyAttribute(object string) schema.BoolAttribute {
	return schema.BoolAttribute{
		MarkdownDescription: "Allow the destruction of this " + object + " while people who log in get their codes through it. Default `false`: refused.",
		Optional:            true,
		Computed:            true,
		Default:             booldefault.StaticBool(false),
	}
}

func (r *hookResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	var sms types.Object
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("sms"), &sms)...)
	if resp.Diagnostics.HasError() || sms.IsNull() || sms.IsUnknown() {
		return
	}
	var m smsModel
	resp.Diagnostics.Append(sms.As(ctx, &m, objectOptions)...)
	if m.known() && !resp.Diagnostics.HasError() {
		resp.Diagnostics.Append(m.validate(ctx)...)
	}
}

func (r *hookResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.clients == nil {
		return
	}
	ctx = r.masked(ctx)
	if !r.planCode(ctx, req, resp) || r.auth0 == nil {
		return
	}
	var plan, state hookModel
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &plan)...)
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() || !resp.Plan.Raw.IsNull() && resp.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	resp.Diagnostics.Append(r.requireScopes(ctx, "read:hooks", "create:hooks", "update:hooks", "delete:hooks")...)
	if resp.Diagnostics.HasError() || plan.Name.IsUnknown() {
		return
	}
	r.planAgainstTenant(ctx, plan, state, &resp.Diagnostics)
}

// planCode shows in the plan which code will run. It tells whether the whole
// plan can be decoded: a block that is unknown as a whole cannot.
func (r *hookResource) planCode(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) bool {
	var sms types.Object
	var dependencies types.Map
	var script types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("sms"), &sms)...)
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("script"), &script)...)
	resp.Diagnostics.Append(req.Config.GetAttribute(ctx, path.Root("dependencies"), &dependencies)...)
	if resp.Diagnostics.HasError() {
		return false
	}
	m := hookModel{Script: script}
	if !sms.IsNull() && !sms.IsUnknown() {
		m.SMS = &smsModel{}
		resp.Diagnostics.Append(sms.As(ctx, m.SMS, objectOptions)...)
	}
	if sms.IsUnknown() || script.IsUnknown() || !m.SMS.known() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("script_sha256"), types.StringUnknown())...)
		return !sms.IsUnknown()
	}
	code, diags := m.code(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return false
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("script_sha256"), code.SHA256)...)
	if dependencies.IsNull() {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("dependencies"), mapValue(code.Dependencies))...)
	}
	return !resp.Diagnostics.HasError()
}

// planAgainstTenant refuses a name that is taken and a second enabled hook.
func (r *hookResource) planAgainstTenant(ctx context.Context, plan, state hookModel, diags *diag.Diagnostics) {
	create := state.ID.IsNull()
	enables := plan.Enabled.ValueBool() && !state.Enabled.ValueBool()
	if !create && !enables && plan.Name.Equal(state.Name) {
		return
	}
	hooks, err := r.auth0.Hooks(ctx, "")
	if err != nil {
		addHookError(diags, "Hooks of the tenant cannot be listed", err)
		return
	}
	for _, h := range hooks {
		switch {
		case h.ID == state.ID.ValueString():
		case h.Name == plan.Name.ValueString():
			alreadyExists(diags, typeHook, fmt.Sprintf("Hook %q on %s", h.Name, r.auth0.Domain()), h.ID)
		case enables && h.Enabled && h.TriggerID == delivery.TriggerHook:
			diags.AddAttributeError(path.Root("enabled"), "Another Send Phone Message hook is enabled", fmt.Sprintf(
				"Hook %q (%s) is enabled on %s, and Auth0 runs one hook of a trigger. It may be sending codes right now, so it is not switched off here.\n\n"+
					"To take it over, add this block and plan again, the plan shows what would change:\n\n  import {\n    to = %s.NAME # the name of your resource block\n    id = %q\n  }\n\n"+
					"To keep both, set enabled = false here; disable the other one first where this one is to send.",
				h.Name, h.ID, r.auth0.Domain(), typeHook, h.ID))
		}
	}
}

// addHookError adds what the tenant's hooks being gone means to Auth0's answer.
func addHookError(diags *diag.Diagnostics, summary string, err error) {
	detail := err.Error()
	if auth0api.KindOf(err) == auth0api.FeatureDisabled || auth0api.IsNotFound(err) {
		detail += "\n\n" + hookDeprecation
	}
	diags.AddError(summary, detail)
}

func (r *hookResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan hookModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	code, diags := plan.code(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	hook, err := r.auth0.CreateHook(ctx, plan.withDefaults(code).hook(code.Script))
	if err != nil {
		addHookError(&resp.Diagnostics, "Hook was not created", err)
		return
	}
	plan.read(hook)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// withDefaults fills what was unknown in plan and follows from the code.
func (m hookModel) withDefaults(code sender.Code) hookModel {
	if m.Dependencies.IsUnknown() || m.Dependencies.IsNull() {
		m.Dependencies = mapValue(code.Dependencies)
	}
	m.ScriptSHA256 = types.StringValue(code.SHA256)
	return m
}

func (r *hookResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	ctx = r.masked(ctx)
	var state hookModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.auth0 == nil {
		notConfigured(&resp.Diagnostics, "Hook")
		return
	}
	hook, err := r.auth0.Hook(ctx, state.ID.ValueString())
	if auth0api.IsNotFound(err) {
		removedOutside(&resp.Diagnostics, "Hook", state.ID.ValueString())
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addHookError(&resp.Diagnostics, "Hook cannot be read", err)
		return
	}
	if hook.TriggerID != delivery.TriggerHook {
		resp.Diagnostics.AddError("Not a Send Phone Message hook", fmt.Sprintf("Hook %q (%s) has the trigger %q.", hook.Name, hook.ID, hook.TriggerID))
		return
	}
	state.read(hook)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *hookResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan, state hookModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	code, diags := plan.code(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan = plan.withDefaults(code)
	if patch, ok := plan.patch(state, code.Script); ok {
		hook, err := r.auth0.UpdateHook(ctx, state.ID.ValueString(), patch)
		if err != nil {
			addHookError(&resp.Diagnostics, "Hook was not updated", err)
			return
		}
		plan.read(hook)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *hookResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	ctx = r.masked(ctx)
	var state hookModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	id := state.ID.ValueString()
	if !state.ForceDestroy.ValueBool() {
		resp.Diagnostics.Append(r.refuseLive(ctx, "hook", id)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	if err := r.auth0.DeleteHook(ctx, id); err != nil && !auth0api.IsNotFound(err) {
		addHookError(&resp.Diagnostics, "Hook was not deleted", err)
	}
}

// refuseLive is invariant 3 of the design: what people who log in depend on
// right now is not taken away.
func (c *clients) refuseLive(ctx context.Context, object, hookID string) diag.Diagnostics {
	var diags diag.Diagnostics
	live, err := delivery.HookIsLive(ctx, c.auth0, hookID)
	if err != nil {
		diags.AddError("Cannot tell whether the "+object+" is in use", err.Error()+"\n\nNothing was changed.")
	} else if live {
		diags.AddError("The "+object+" is in use", fmt.Sprintf(
			"People who log in to %s get their codes through hook %s right now: the SMS factor is on and its provider is Custom. Destroying the %s would lock them out, so nothing was changed.\n\n"+
				"Ways out: destroy or switch off auth0sns_sms_factor in the same apply (with create_before_destroy in its lifecycle where another sender takes over); set its on_destroy to \"disable\"; or set force_destroy = true here, apply, and destroy again.",
			c.auth0.Domain(), hookID, object))
	}
	return diags
}

func (r *hookResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}
