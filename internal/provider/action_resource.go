package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

const (
	typeAction = "auth0sns_action"

	// defaultRuntime is Auth0's own default for the triggers used here
	// (recordings/go-auth0-v1__TestActionManager_Triggers.json).
	defaultRuntime = "node22"
	// https://auth0.com/docs/customize/actions/limitations
	maxActionDependencies = 10
)

// Keys of the private state of an Action.
const (
	privateAction   = "action"    // actionFacts
	privateTakeOver = "take_over" // in a plan: the id of the Action that the apply takes over
)

// actionFacts is what a plan has to know beside the attributes.
type actionFacts struct {
	// ID is that of the Action. The plan of one that replaces it has these facts
	// and no state.
	ID string `json:"id"`
	// HoldsSecrets says that the Action can send, so that it may be bound.
	HoldsSecrets bool `json:"holds_secrets"`
	// Undeployed says that the draft would do something else than what runs.
	Undeployed bool `json:"undeployed"`
}

func newActionResource() resource.Resource { return &actionResource{} }

type actionResource struct{ base }

func (r *actionResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = typeAction
}

func (r *actionResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	triggers := slices.Sorted(maps.Keys(actionTriggers()))
	resp.Schema = schema.Schema{
		MarkdownDescription: "An Action that sends each MFA message through SNS: its code, built and deployed. " +
			"It is bound to its trigger, and so begins to send, when `auth0sns_credentials` has delivered its first key, never before.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the Action.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the Action, which no other Action of the tenant has.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.LengthAtLeast(1)},
			},
			"trigger": schema.StringAttribute{
				MarkdownDescription: "What Auth0 runs the Action for: `" + delivery.TriggerSendPhoneMessage + "` (default) on tenants with the legacy MFA phone provider, `" +
					delivery.TriggerCustomPhoneProvider + "` on the Unified Phone Experience, where a tenant has one such Action, for every phone message. Another trigger means another Action.",
				Optional:      true,
				Computed:      true,
				Default:       stringdefault.StaticString(delivery.TriggerSendPhoneMessage),
				Validators:    []validator.String{stringvalidator.OneOf(triggers...)},
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
			},
			"runtime": schema.StringAttribute{
				MarkdownDescription: "Version of Node: `node22` (default) or `node18`, which Auth0's API spells `node18-actions`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(defaultRuntime),
				Validators:          []validator.String{stringvalidator.OneOf(defaultRuntime, "node18")},
			},
			"sms": smsAttribute(sender.Builtin),
			"code": schema.StringAttribute{
				MarkdownDescription: "Own code instead of the sender. It finds `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_REGION` in `event.secrets`.",
				Optional:            true,
				Validators: []validator.String{
					stringvalidator.LengthBetween(1, sender.MaxScriptBytes),
					stringvalidator.ConflictsWith(path.MatchRoot("sms")),
				},
			},
			"dependencies": schema.MapAttribute{
				MarkdownDescription: "npm packages of the Action and their exact versions, 10 at most. Default: what the sender code needs, none for own `code`.",
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Map{mapvalidator.NoNullValues(), mapvalidator.SizeAtMost(maxActionDependencies)},
			},
			"code_sha256": schema.StringAttribute{
				MarkdownDescription: "SHA-256 of the code at Auth0, in hex. It changes in a plan when the code will, or was edited by hand.",
				Computed:            true,
			},
			"code_size": schema.Int64Attribute{
				MarkdownDescription: fmt.Sprintf("Size of the code in bytes. Auth0 takes %d.", sender.MaxScriptBytes),
				Computed:            true,
			},
			"version_id": schema.StringAttribute{
				MarkdownDescription: "Id of the version that is deployed. Every deploy makes a new one, that of a new key too.",
				Computed:            true,
			},
			"bound": schema.BoolAttribute{
				MarkdownDescription: "Whether Auth0 runs the Action. One that holds a key and was unbound by hand is bound again.",
				Computed:            true,
			},
			"force_destroy": forceDestroyAttribute("Action"),
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true,
				CreateDescription: "Limit of creation, build and deploy, e.g. `15m`. Default `10m`. What is not deployed by then is deleted again.",
				UpdateDescription: "Limit of a change, its build and its deploy. Default `10m`. Until it is deployed, what was deployed before runs.",
				DeleteDescription: "Limit of the deletion. Default `10m`.",
			}),
		},
	}
}

func (r *actionResource) ValidateConfig(ctx context.Context, req resource.ValidateConfigRequest, resp *resource.ValidateConfigResponse) {
	resp.Diagnostics.Append(validateSMS(ctx, req.Config)...)
}

func (r *actionResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.clients == nil {
		return
	}
	ctx = r.masked(ctx)
	var config, plan, state actionModel
	create := req.State.Raw.IsNull()
	if !create {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if req.Plan.Raw.IsNull() {
		if !state.ForceDestroy.ValueBool() {
			resp.Diagnostics.Append(r.warnLive(ctx, "Action", state.ID.ValueString())...)
		}
		return
	}
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	var facts actionFacts
	_, diags := readPrivate(ctx, req.Private, privateAction, &facts)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	code, known, diags := plan.code(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.CodeSHA256, plan.CodeSize = types.StringUnknown(), types.Int64Unknown()
	if known {
		plan.CodeSHA256, plan.CodeSize = types.StringValue(code.SHA256), types.Int64Value(int64(code.Size()))
		if config.Dependencies.IsNull() {
			plan.Dependencies = mapValue(code.Dependencies)
		}
	}
	if create {
		plan.Bound = types.BoolValue(false)
	} else {
		plan.planUpdate(state, facts, &resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
	if resp.Diagnostics.HasError() || r.auth0 == nil || resp.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	resp.Diagnostics.Append(r.requireScopes(ctx, "read:actions", "create:actions", "update:actions", "delete:actions", "read:guardian_factors")...)
	if resp.Diagnostics.HasError() {
		return
	}
	if create && plan.Trigger.ValueString() == delivery.TriggerSendPhoneMessage {
		r.planOthers(ctx, &resp.Diagnostics)
	}
	if !plan.Name.IsUnknown() && !plan.Name.Equal(state.Name) {
		if takeOver := r.planName(ctx, plan.action(code.Script), state.ID.ValueString(), facts.ID, &resp.Diagnostics); takeOver != "" {
			resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateTakeOver, takeOver)...)
		}
	}
}

// planUpdate shows what an update deploys or binds, and why where no attribute
// says it.
func (m *actionModel) planUpdate(state actionModel, facts actionFacts, diags *diag.Diagnostics) {
	m.VersionID, m.Bound = state.VersionID, state.Bound
	name := state.Name.ValueString()
	if facts.Undeployed {
		diags.AddWarning("The draft of the Action is not what runs", fmt.Sprintf(
			"Code, runtime or packages of Action %q were changed and not deployed, by hand or by an apply that did not finish. This apply makes them what the configuration says and deploys that.", name))
	}
	if facts.Undeployed || m.differs(state) {
		// Whether the Action is bound is asked again after the deploy.
		m.VersionID, m.Bound = types.StringUnknown(), types.BoolUnknown()
	}
	if facts.HoldsSecrets && !state.Bound.ValueBool() {
		diags.AddWarning("The Action is not bound", fmt.Sprintf(
			"Action %q holds a key and is not bound to %s, so Auth0 does not run it: it was unbound by hand. This apply binds it again.", name, state.Trigger.ValueString()))
		m.Bound = types.BoolUnknown()
	}
}

// planOthers warns where Auth0 would run two Actions for one message: all that
// are bound run, in their order.
// https://auth0.com/docs/api/management/v2/actions/get-bindings
func (r *actionResource) planOthers(ctx context.Context, diags *diag.Diagnostics) {
	bindings, err := r.auth0.Bindings(ctx, delivery.TriggerSendPhoneMessage)
	if err != nil {
		diags.AddError("Bindings of the tenant cannot be listed", err.Error())
		return
	}
	var others []string
	for _, b := range bindings {
		others = append(others, fmt.Sprintf("%q (%s)", b.DisplayName, b.ActionID))
	}
	if len(others) > 0 {
		diags.AddWarning("Another Action sends the messages now", fmt.Sprintf(
			"Bound to %s on %s: %s. Auth0 runs every Action that is bound. This one is bound when it gets its first key; from then on people would get a code from each, for some seconds also where this apply destroys the other. "+
				"Unbind what else is not to send any more: Auth0 Dashboard → Actions → Triggers.", delivery.TriggerSendPhoneMessage, r.auth0.Domain(), strings.Join(others, ", ")))
	}
}

// planName refuses a name that is taken: bindings can name an Action, so it has
// to be one. It returns the id of an Action that the apply takes over, which is
// left from an apply that stopped. self is the Action that is updated, replaced
// the one that this one takes the place of.
func (r *actionResource) planName(ctx context.Context, want auth0api.Action, self, replaced string, diags *diag.Diagnostics) (takeOver string) {
	actions, err := r.auth0.Actions(ctx, "")
	if err != nil {
		diags.AddError("Actions of the tenant cannot be listed", err.Error())
		return ""
	}
	for _, a := range actions {
		if a.ID == self {
			continue
		}
		only := a.Trigger.ID == delivery.TriggerCustomPhoneProvider && a.Trigger.ID == want.Trigger.ID
		if only && (a.Name != want.Name || a.ID == replaced) {
			r.refuseSecond(a, replaced, diags)
			return ""
		}
		if a.Name != want.Name {
			continue
		}
		if a.Trigger.ID != want.Trigger.ID {
			diags.AddAttributeError(path.Root("name"), "Name of the Action is taken", fmt.Sprintf(
				"Action %q (%s) on %s has the trigger %q. Two Actions of one name cannot be told apart in a binding, whatever their triggers. Choose another name.", a.Name, a.ID, r.auth0.Domain(), a.Trigger.ID))
			return ""
		}
		if a.ID == replaced {
			// Which of the two goes first, a plan cannot know.
			diags.AddAttributeError(path.Root("name"), "The new Action needs a new name", fmt.Sprintf(
				"Action %q (%s) on %s is to be replaced, and Auth0 has no two Actions of one name. Choose another name for the new one.", a.Name, a.ID, r.auth0.Domain()))
			return ""
		}
		what := fmt.Sprintf("Action %q on %s", a.Name, r.auth0.Domain())
		if self == "" {
			left, err := r.isLeft(ctx, a, want)
			if err != nil {
				diags.AddError("Bindings of the tenant cannot be listed", err.Error())
				return ""
			}
			if left {
				leftBehind(diags, what, "is exactly what this configuration makes, holds no secret and is not bound")
				return a.ID
			}
		}
		alreadyExists(diags, typeAction, what, a.ID, anotherName)
		return ""
	}
	return ""
}

// refuseSecond names the tenant's one Action of custom-phone-provider, which the
// Dashboard's library does not show.
func (r *actionResource) refuseSecond(a auth0api.Action, replaced string, diags *diag.Diagnostics) {
	if a.ID == replaced {
		diags.AddError("The Action cannot be replaced while it is there", fmt.Sprintf(
			"Action %q (%s) on %s is to be replaced, and a tenant has one Action with the trigger %s, so the new one cannot be made first. Change it in place: every argument but trigger can be.", a.Name, a.ID, r.auth0.Domain(), a.Trigger.ID))
		return
	}
	alreadyExists(diags, typeAction, fmt.Sprintf("The one Action with the trigger %s, %q on %s,", a.Trigger.ID, a.Name, r.auth0.Domain()), a.ID, "")
}

// isLeft tells whether an Action that is not in the state is what an apply made
// that did not live to write it: it is what this one would make, and it neither
// holds a secret nor is bound, so nobody depends on it.
func (r *actionResource) isLeft(ctx context.Context, a, want auth0api.Action) (bool, error) {
	if a.Name != want.Name || a.Trigger != want.Trigger || !draftOf(a).equal(draftOf(want)) || len(a.Secrets) > 0 {
		return false, nil
	}
	if deployed, ok := runs(a); ok && (!deployed.equal(draftOf(want)) || len(a.Deployed.Secrets) > 0) {
		return false, nil
	}
	bound, err := delivery.IsBound(ctx, r.auth0, a.Trigger.ID, a.ID)
	return !bound, err
}

func (r *actionResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan actionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	limit, diags := plan.Timeouts.Create(ctx, delivery.DeployLimit)
	resp.Diagnostics.Append(diags...)
	var takeOver string
	_, diags = readPrivate(ctx, resp.Private, privateTakeOver, &takeOver)
	resp.Diagnostics.Append(diags...)
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
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	action, err := r.create(ctx, plan.action(code.Script), takeOver)
	if err != nil {
		resp.Diagnostics.AddError("Action was not created", err.Error())
		return
	}
	action, err = delivery.Deploy(ctx, r.auth0, r.clock, action.ID)
	if err != nil {
		resp.Diagnostics.AddError("Action was not deployed", err.Error()+"\n\n"+r.undoCreate(ctx, action.ID))
		return
	}
	plan.ID, plan.VersionID = types.StringValue(action.ID), types.StringValue(action.Deployed.ID)
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateAction, actionFacts{ID: action.ID})...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// create makes the Action, or takes the one that was made already: by an apply
// that did not live to write the state, as the plan said, or by this one's own
// request, whose answer was lost.
func (r *actionResource) create(ctx context.Context, want auth0api.Action, takeOver string) (auth0api.Action, error) {
	if takeOver != "" {
		return r.takeOver(ctx, want, takeOver)
	}
	action, failure := r.auth0.CreateAction(ctx, want)
	if failure == nil || !mayExist(failure) {
		return action, failure
	}
	actions, err := r.auth0.Actions(ctx, want.Trigger.ID)
	if err != nil {
		return auth0api.Action{}, failure
	}
	for _, a := range actions {
		if left, err := r.isLeft(ctx, a, want); err == nil && left {
			return a, nil
		}
	}
	return auth0api.Action{}, failure
}

func (r *actionResource) takeOver(ctx context.Context, want auth0api.Action, id string) (auth0api.Action, error) {
	action, err := r.auth0.Action(ctx, id)
	if err != nil {
		return auth0api.Action{}, err
	}
	left, err := r.isLeft(ctx, action, want)
	if err == nil && !left {
		err = fmt.Errorf("the Action %q (%s), which was to be taken over, is not what it was in the plan: plan again", action.Name, id)
	}
	return action, err
}

// undoCreate deletes an Action that could not be deployed: kept out of the
// state, it would stand in the way of the next apply, and in it, it would be
// tainted.
func (r *actionResource) undoCreate(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handover.CleanupLimit)
	defer cancel()
	if err := r.auth0.DeleteAction(ctx, id); err != nil && !auth0api.IsNotFound(err) {
		return fmt.Sprintf("The Action could not be deleted again (%v). The next apply takes it over, or delete it: auth0 actions delete %s", err, id)
	}
	return "The Action was deleted again; nothing is left behind."
}

func (r *actionResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	ctx = r.masked(ctx)
	var state actionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.auth0 == nil {
		notConfigured(&resp.Diagnostics, "Action")
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	id := state.ID.ValueString()
	action, err := r.auth0.Action(ctx, id)
	if auth0api.IsNotFound(err) {
		removedOutside(&resp.Diagnostics, "Action", id)
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.AddError("Action cannot be read", err.Error())
		return
	}
	if version, ok := actionTriggers()[action.Trigger.ID]; !ok || version != action.Trigger.Version {
		resp.Diagnostics.AddError("Not an Action that sends phone messages", fmt.Sprintf(
			"Action %q (%s) has the trigger %q in version %q. This version of the provider knows %s.", action.Name, id, action.Trigger.ID, action.Trigger.Version, knownTriggers()))
		return
	}
	bound, err := delivery.IsBound(ctx, r.auth0, action.Trigger.ID, id)
	if err != nil {
		resp.Diagnostics.AddError("Bindings of the tenant cannot be listed", err.Error())
		return
	}
	if state.Name.IsNull() { // An import knows the id only.
		resp.Diagnostics.Append(state.importCode(ctx, action)...)
	}
	state.read(action, bound)
	r.refreshed.Store(id, action)
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateAction, actionFacts{
		ID: action.ID, HoldsSecrets: handover.HoldsSecrets(action), Undeployed: isUndeployed(action),
	})...)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func knownTriggers() string {
	var known []string
	for trigger, version := range actionTriggers() {
		known = append(known, fmt.Sprintf("%q in version %q", trigger, version))
	}
	slices.Sort(known)
	return strings.Join(known, ", ")
}

func (r *actionResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan actionModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	limit, diags := plan.Timeouts.Update(ctx, delivery.DeployLimit)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	if plan.VersionID.IsUnknown() || plan.Bound.IsUnknown() {
		code, _, diags := plan.code(ctx)
		if resp.Diagnostics.Append(diags...); diags.HasError() {
			return
		}
		ctx, cancel := context.WithTimeout(ctx, limit)
		defer cancel()
		facts, err := r.update(ctx, &plan, code.Script)
		if err != nil {
			resp.Diagnostics.AddError("Action was not updated", err.Error())
			return
		}
		resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateAction, facts)...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// update brings the draft to the plan, deploys it, and binds the Action again
// where it holds a key. It compares with the draft as it is now: the state may
// have what runs.
func (r *actionResource) update(ctx context.Context, plan *actionModel, script string) (actionFacts, error) {
	id := plan.ID.ValueString()
	action, err := r.auth0.Action(ctx, id)
	if err != nil {
		return actionFacts{}, err
	}
	if plan.VersionID.IsUnknown() {
		if action, err = r.deploy(ctx, action, plan.action(script)); err != nil {
			return actionFacts{}, err
		}
		plan.VersionID = types.StringValue(action.Deployed.ID)
	}
	holds := handover.HoldsSecrets(action)
	if holds {
		if err := delivery.Bind(ctx, r.auth0, action.Trigger.ID, id, action.Name); err != nil {
			return actionFacts{}, err
		}
	}
	bound, err := delivery.IsBound(ctx, r.auth0, action.Trigger.ID, id)
	plan.Bound = types.BoolValue(bound)
	return actionFacts{ID: id, HoldsSecrets: holds}, err
}

// deploy brings a draft to what is wanted and deploys it.
func (r *actionResource) deploy(ctx context.Context, draft, want auth0api.Action) (auth0api.Action, error) {
	if patch, ok := patchOf(draft, want); ok {
		if _, err := r.auth0.UpdateAction(ctx, draft.ID, patch); err != nil {
			return auth0api.Action{}, err
		}
	}
	return delivery.Deploy(ctx, r.auth0, r.clock, draft.ID)
}

func (r *actionResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	ctx = r.masked(ctx)
	var state actionModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	limit, diags := state.Timeouts.Delete(ctx, delivery.DeployLimit)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	id := state.ID.ValueString()
	if !state.ForceDestroy.ValueBool() {
		resp.Diagnostics.Append(r.refuseLive(ctx, "Action", id)...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	if err := delivery.Unbind(ctx, r.auth0, state.Trigger.ValueString(), id); err != nil {
		// Whatever it is that Auth0 does not find there, it is not the Action.
		resp.Diagnostics.AddError("Action was not unbound", err.Error())
		return
	}
	if err := confirmGone(r.auth0.DeleteAction(ctx, id), func() error { _, err := r.auth0.Action(ctx, id); return err }); err != nil {
		resp.Diagnostics.AddError("Action was not deleted", err.Error())
	}
}

func (r *actionResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if !delivery.IsActionID(req.ID) {
		resp.Diagnostics.AddError("Import id is malformed", fmt.Sprintf("%q is not the id of an Action, which is a UUID. Find it with: auth0 actions list", req.ID))
		return
	}
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}
