package provider

import (
	"context"
	"fmt"
	"regexp"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
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

	hookMigration   = "https://auth0.com/docs/customize/actions/migrate/migrate-from-hooks-to-actions"
	hookDeprecation = "Auth0 made Hooks read-only on 2024-11-18 and ended them on 2026-11-18; tenants made since 2023-10-16 never had them. " +
		"This resource serves tenants on which Auth0 still runs hooks, and the clean-up of those on which it does not. " +
		"The way on is an Action: " + hookMigration
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
				MarkdownDescription: "Whether Auth0 runs the hook. Default `true`. A second enabled hook of this trigger is refused in plan; switching off the one that is in use is refused without `force_destroy`.",
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
				Validators:          []validator.Map{mapvalidator.NoNullValues()},
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
		MarkdownDescription: "Allow this " + object + " to be taken away while people who log in get their codes through it. Default `false`: refused.",
		Optional:            true,
		Computed:            true,
		Default:             booldefault.StaticBool(false),
	}
}

func (r *hookResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	resp.Diagnostics.Append(validateSMS(ctx, req.Config)...)
}

func (r *hookResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.clients == nil {
		return
	}
	ctx = r.masked(ctx)
	var config, plan, state hookModel
	if !req.State.Raw.IsNull() {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if req.Plan.Raw.IsNull() {
		if !state.ForceDestroy.ValueBool() {
			resp.Diagnostics.Append(r.warnLive(ctx, "hook", state.ID.ValueString())...)
		}
		return
	}
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	code, known, diags := plan.code(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.ScriptSHA256 = types.StringUnknown()
	if known {
		plan.ScriptSHA256 = types.StringValue(code.SHA256)
		if config.Dependencies.IsNull() {
			plan.Dependencies = mapValue(code.Dependencies)
		}
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
	if resp.Diagnostics.HasError() || r.auth0 == nil || resp.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	if plan.switchesOff(state) {
		resp.Diagnostics.Append(r.warnLive(ctx, "hook", state.ID.ValueString())...)
	}
	resp.Diagnostics.Append(r.requireScopes(ctx, "read:hooks", "create:hooks", "update:hooks", "delete:hooks", "read:guardian_factors")...)
	if !resp.Diagnostics.HasError() {
		r.planAgainstTenant(ctx, plan, state, code.Script, &resp.Diagnostics)
	}
}

// planAgainstTenant refuses a name that is taken and a second enabled hook.
func (r *hookResource) planAgainstTenant(ctx context.Context, plan, state hookModel, script string, diags *diag.Diagnostics) {
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
		case h.Name == plan.Name.ValueString() && h.TriggerID != delivery.TriggerHook:
			diags.AddAttributeError(path.Root("name"), "Name of the hook is taken", fmt.Sprintf(
				"Hook %q (%s) on %s has the trigger %q, and Auth0 takes a name once, whatever the trigger. Choose another name.", h.Name, h.ID, r.auth0.Domain(), h.TriggerID))
		case h.Name == plan.Name.ValueString() && create && r.isLeft(ctx, h.ID, plan.hook(script)):
			leftBehind(diags, fmt.Sprintf("Hook %q (%s) on %s", h.Name, h.ID, r.auth0.Domain()), "has exactly this configuration and has never held a secret")
		case h.Name == plan.Name.ValueString():
			alreadyExists(diags, typeHook, fmt.Sprintf("Hook %q on %s", h.Name, r.auth0.Domain()), h.ID, anotherName)
		case enables && h.Enabled && h.TriggerID == delivery.TriggerHook:
			diags.AddAttributeError(path.Root("enabled"), "Another Send Phone Message hook is enabled", fmt.Sprintf(
				"Hook %q (%s) is enabled on %s, and Auth0 runs one hook of a trigger. It may be sending codes right now, so it is not switched off here.\n\n"+
					"To take it over, add this block and plan again, the plan shows what would change:\n\n%s\n\n"+
					"To keep both, set enabled = false here; disable the other one first where this one is to send.",
				h.Name, h.ID, r.auth0.Domain(), importBlock(typeHook, h.ID)))
		}
	}
}

// isLeft tells whether a hook that is not in the state is what an apply made
// that did not live to write it: it is what this one would make, and it holds no
// secret, so it sends nothing and nobody depends on it. What cannot be read is
// somebody's.
func (r *hookResource) isLeft(ctx context.Context, id string, want auth0api.Hook) bool {
	hook, err := r.auth0.Hook(ctx, id)
	if err != nil {
		return false
	}
	want.ID = id
	secrets, err := r.auth0.HookSecretNames(ctx, id)
	return err == nil && len(secrets) == 0 && hook.Equal(want)
}

// create makes the hook, or takes the one that was made already: by an apply
// that did not live to write the state, or by this one's own request, whose
// answer was lost.
func (r *hookResource) create(ctx context.Context, want auth0api.Hook) (auth0api.Hook, error) {
	hook, failure := r.auth0.CreateHook(ctx, want)
	if failure == nil || !mayExist(failure) {
		return hook, failure
	}
	hooks, err := r.auth0.Hooks(ctx, want.TriggerID)
	if err != nil {
		return auth0api.Hook{}, failure
	}
	for _, h := range hooks {
		if h.Name == want.Name && r.isLeft(ctx, h.ID, want) {
			want.ID = h.ID
			return want, nil
		}
	}
	return auth0api.Hook{}, failure
}

// addHookError adds the way out where Auth0 says that it has taken hooks away.
func addHookError(diags *diag.Diagnostics, summary string, err error) {
	detail := err.Error()
	if auth0api.KindOf(err) == auth0api.FeatureDisabled {
		detail += "\n\nHow to move: " + hookMigration + "\n\n" +
			"A hook that Auth0 no longer lets anybody manage is taken out of the configuration and, where it is there, out of the state " +
			"(terraform state rm, with the address of this resource). To destroy everything else first: terraform destroy -refresh=false"
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
	if resp.Diagnostics.Append(r.requireTenant(ctx, resp.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	code, _, diags := plan.code(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	hook, err := r.create(ctx, plan.hook(code.Script))
	if err != nil {
		addHookError(&resp.Diagnostics, "Hook was not created", err)
		return
	}
	plan.read(hook)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
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
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
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
	if state.Name.IsNull() { // An import knows the id only.
		resp.Diagnostics.Append(state.importCode(ctx, hook.Script)...)
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
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	code, _, diags := plan.code(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.switchesOff(state) {
		resp.Diagnostics.Append(r.refuseLive(ctx, "hook", state.ID.ValueString())...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
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
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	id := state.ID.ValueString()
	if !state.ForceDestroy.ValueBool() {
		resp.Diagnostics.Append(r.refuseLive(ctx, "hook", id)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	if err := confirmGone(r.auth0.DeleteHook(ctx, id), func() error { _, err := r.auth0.Hook(ctx, id); return err }); err != nil {
		addHookError(&resp.Diagnostics, "Hook was not deleted", err)
	}
}

func (r *hookResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}
