package provider

import (
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/terraform-plugin-framework-validators/setvalidator"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/booldefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/objectplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/setdefault"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

const typePhoneProvider = "auth0sns_phone_provider"

func newPhoneProviderResource() resource.Resource { return &phoneProviderResource{} }

type phoneProviderResource struct{ base }

func (r *phoneProviderResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = typePhoneProvider
}

func (r *phoneProviderResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "The tenant's phone provider on the Unified Phone Experience: Custom, so that the Action with the trigger `" + delivery.TriggerCustomPhoneProvider + "` sends every phone message of the tenant. " +
			"A tenant has one provider. What was there before is given back on destroy, but for another provider's credentials, which Auth0 never shows.",
		Attributes: map[string]schema.Attribute{
			"id": schema.StringAttribute{
				MarkdownDescription: "Id of the phone provider. `auth0sns_sms_factor` refers to it as its `sender_id`.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the provider at Auth0: `" + delivery.PhoneProviderCustom + "`.",
				Computed:            true,
			},
			"action_id": schema.StringAttribute{
				MarkdownDescription: "`sender_id` of the `auth0sns_credentials` of the Action, so that the provider is switched on only after that holds a working key. Auth0 finds the Action by its trigger, of which a tenant has one.",
				Required:            true,
				Validators:          []validator.String{check(requireActionID)},
			},
			"delivery_methods": schema.SetAttribute{
				MarkdownDescription: "Delivery methods. Default `[\"text\"]`; SNS has no voice, so nothing else works.",
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
				Default:             setdefault.StaticValue(setValue([]string{deliveryMethodText})),
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(stringvalidator.OneOf(deliveryMethodText))},
			},
			"disabled": schema.BoolAttribute{
				MarkdownDescription: "Whether the provider is switched off. Default `false`. Switching off one that is in use is refused without `force_destroy`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"unified_phone_experience": schema.BoolAttribute{
				MarkdownDescription: "Whether the tenant is on the Unified Phone Experience, its setting `phone_consolidated_experience`. It moves every phone message of the tenant, passwordless too. " +
					"Left out, the setting is not touched. Turning back is refused without `force_destroy` while the SMS factor is on. On tenants that began with it Auth0 does not switch it off.",
				Optional: true,
			},
			"take_over": schema.BoolAttribute{
				MarkdownDescription: "Allow this provider to take the place of another, such as Twilio, whose credentials cannot be given back: Auth0 never shows them. Default `false`: refused.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(false),
			},
			"force_destroy": forceDestroyAttribute("phone provider"),
			"prior": schema.SingleNestedAttribute{
				MarkdownDescription: "What was there when Terraform took the provider over.",
				Computed:            true,
				PlanModifiers:       []planmodifier.Object{objectplanmodifier.UseStateForUnknown()},
				Attributes: map[string]schema.Attribute{
					"name":                     schema.StringAttribute{MarkdownDescription: "Name of the provider whose place was taken; null for none.", Computed: true},
					"unified_phone_experience": schema.BoolAttribute{MarkdownDescription: "Whether the tenant was on the Unified Phone Experience.", Computed: true},
				},
			},
		},
	}
}

func (r *phoneProviderResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.clients == nil {
		return
	}
	ctx = r.masked(ctx)
	var plan, state phoneProviderModel
	create := req.State.Raw.IsNull()
	if !create {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if req.Plan.Raw.IsNull() {
		r.phone.planDestroy(req.State)
		if !state.ForceDestroy.ValueBool() {
			resp.Diagnostics.Append(r.warnLive(ctx, "phone provider", state.ID.ValueString())...)
		}
		return
	}
	r.plansPhoneProvider.Store(true)
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("name"), delivery.PhoneProviderCustom)...)
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() || r.auth0 == nil || resp.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	resp.Diagnostics.Append(r.requireScopes(ctx, plan.scopes()...)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if create {
		var replaced string
		_, diags := readPrivate(ctx, req.Private, privateProvider, &replaced)
		resp.Diagnostics.Append(diags...)
		r.planCreate(ctx, plan, replaced, &resp.Diagnostics)
		return
	}
	r.planUpdate(ctx, plan, state, resp)
}

func (m phoneProviderModel) scopes() []string {
	scopes := []string{"read:phone_providers", "create:phone_providers", "update:phone_providers", "delete:phone_providers", "read:tenant_settings", "read:guardian_factors", "read:actions"}
	if !m.Unified.IsNull() {
		scopes = append(scopes, "update:tenant_settings")
	}
	return scopes
}

// planCreate refuses a provider that is there already and says what the tenant's
// flag will do.
// replaced is the id of the one that it takes the place of.
func (r *phoneProviderResource) planCreate(ctx context.Context, plan phoneProviderModel, replaced string, diags *diag.Diagnostics) {
	providers, err := r.auth0.PhoneProviders(ctx)
	if err != nil {
		diags.AddError("Phone providers of the tenant cannot be listed", err.Error())
		return
	}
	for _, p := range providers {
		if p.ID == replaced {
			diags.AddError("The phone provider cannot be replaced", fmt.Sprintf(
				"A tenant has one phone provider, and %s of %s is to be replaced by itself. Every argument changes in place: leave out -replace and replace_triggered_by; if it is tainted, terraform untaint it.", p.ID, r.auth0.Domain()))
			return
		}
		r.planExisting(p, plan, diags)
	}
	r.planMove(ctx, plan, diags)
}

// planUpdate treats another provider, which somebody has put in the place of
// this one or which was imported, as one that is there before the first apply.
func (r *phoneProviderResource) planUpdate(ctx context.Context, plan, state phoneProviderModel, resp *resource.ModifyPlanResponse) {
	if state.Name.ValueString() != delivery.PhoneProviderCustom {
		r.planExisting(auth0api.PhoneProvider{ID: state.ID.ValueString(), Name: state.Name.ValueString()}, plan, &resp.Diagnostics)
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("prior"), types.ObjectUnknown(phoneProviderPriorTypes()))...)
	}
	if !plan.Unified.Equal(state.Unified) {
		r.planMove(ctx, plan, &resp.Diagnostics)
	}
}

// planExisting refuses a provider that somebody set up, unless taking its place
// is what the configuration says, or it is this one already.
func (r *phoneProviderResource) planExisting(p auth0api.PhoneProvider, plan phoneProviderModel, diags *diag.Diagnostics) {
	_, differs := phoneProviderPatch(p, plan.provider())
	switch {
	case !plan.known():
	case p.Name != delivery.PhoneProviderCustom && plan.TakeOver.ValueBool():
		diags.AddWarning("Another phone provider loses its place", fmt.Sprintf(
			"%s sends its phone messages through %s (%s). This apply puts the provider custom in its place. Its credentials cannot be given back, because Auth0 never shows them: keep them where you can set them up again.",
			r.auth0.Domain(), p.Name, p.ID))
	case p.Name != delivery.PhoneProviderCustom:
		diags.Append(r.refuseTakeOver(p)...)
	case differs:
		alreadyExists(diags, typePhoneProvider, fmt.Sprintf("A phone provider (%s) on %s", describeProvider(p), r.auth0.Domain()), p.ID, "")
	default:
		diags.AddWarning("The phone provider is there already", fmt.Sprintf(
			"%s has it as configured (%s), by an apply that stopped, or by hand. It is taken over, and destroy will delete it and leave the tenant's unified_phone_experience as it is now. If the block was only renamed, say so with a moved block; else import it (id %q), so that the state says where it came from.",
			r.auth0.Domain(), p.ID, p.ID))
	}
}

// refuseTakeOver is the answer to another provider that nobody gave up.
func (r *phoneProviderResource) refuseTakeOver(p auth0api.PhoneProvider) diag.Diagnostics {
	return diag.Diagnostics{diag.NewAttributeErrorDiagnostic(path.Root("take_over"), "The tenant has another phone provider", fmt.Sprintf(
		"take_over: %s sends its phone messages through %s (%s), and a tenant has one phone provider. Taking its place loses its credentials, which Auth0 never shows. Set take_over = true if that is meant.",
		r.auth0.Domain(), p.Name, p.ID))}
}

// planMove says what the tenant's flag means for every phone message.
func (r *phoneProviderResource) planMove(ctx context.Context, plan phoneProviderModel, diags *diag.Diagnostics) {
	unified, err := delivery.Unified(ctx, r.auth0)
	switch {
	case err != nil:
		diags.AddError("Settings of the tenant cannot be read", err.Error())
	case !unified && plan.Unified.ValueBool():
		diags.AddAttributeWarning(path.Root("unified_phone_experience"), "Every phone message of the tenant moves", fmt.Sprintf(
			"unified_phone_experience: %s goes over to the Unified Phone Experience. From then on this provider sends MFA codes, and the codes of passwordless and of password resets by phone too. "+
				"Legacy phone settings can no longer be read or written through the API.", r.auth0.Domain()))
	case !unified && plan.Unified.IsNull():
		diags.AddAttributeWarning(path.Root("unified_phone_experience"), "The phone provider will not be asked", fmt.Sprintf(
			"unified_phone_experience: %s is not on the Unified Phone Experience, so MFA messages go the legacy way, past its phone provider. Set it to true to move the tenant.", r.auth0.Domain()))
	}
}

func (r *phoneProviderResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan phoneProviderModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, resp.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	settings, err := r.auth0.TenantSettings(ctx)
	if err != nil {
		resp.Diagnostics.AddError("Phone provider was not set up", err.Error())
		return
	}
	found, err := r.auth0.PhoneProviders(ctx)
	if err != nil {
		resp.Diagnostics.AddError("Phone provider was not set up", err.Error())
		return
	}
	unified, prior := settings.PhoneConsolidatedExperience, ""
	if len(found) > 0 && found[0].Name != delivery.PhoneProviderCustom {
		prior = found[0].Name
	}
	resp.Diagnostics.Append(r.refuseMove(ctx, plan, unified)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if prior != "" && !plan.TakeOver.ValueBool() {
		resp.Diagnostics.Append(r.refuseTakeOver(found[0])...)
		return
	}
	resp.Diagnostics.Append(r.setUp(ctx, &plan, found, unified)...)
	if resp.Diagnostics.HasError() {
		return
	}
	var diags diag.Diagnostics
	r.phone.Lock()
	r.phone.created = true
	r.phone.Unlock()
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateProvider, plan.ID.ValueString())...)
	plan.Prior, diags = phoneProviderPrior(ctx, prior, unified)
	resp.Diagnostics.Append(diags...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// step is a part of a creation, and what takes it back.
type step struct{ do, undo func(context.Context) error }

// setUp makes the provider and moves the tenant to it. Where one of the two
// fails, what was done is taken back: in the state it would be tainted. A
// provider whose place is taken comes after the tenant's flag, so that nothing is
// lost that could not be given back, unless it is switched off: then nobody would
// send in between.
func (r *phoneProviderResource) setUp(ctx context.Context, plan *phoneProviderModel, found []auth0api.PhoneProvider, unified bool) diag.Diagnostics {
	var diags diag.Diagnostics
	steps := []step{r.install(plan, found), r.moving(*plan, unified)}
	if len(found) > 0 && !found[0].Disabled {
		slices.Reverse(steps)
	}
	for i, s := range steps {
		err := s.do(ctx)
		if err == nil {
			continue
		}
		done := steps[:i]
		if delivery.Ambiguous(err) {
			done = steps[:i+1]
		}
		diags.AddError("Phone provider was not set up", err.Error()+undo(ctx, done))
		return diags
	}
	if plan.moves(unified) {
		return r.settle(ctx)
	}
	return diags
}

// install makes the provider, or changes the one that is there.
func (r *phoneProviderResource) install(plan *phoneProviderModel, found []auth0api.PhoneProvider) step {
	want := plan.provider()
	if len(found) > 0 {
		return step{
			do: func(ctx context.Context) error {
				p, err := r.bring(ctx, found[0], want)
				plan.ID = types.StringValue(p.ID)
				return err
			},
			undo: func(context.Context) error {
				return fmt.Errorf("the credentials of %s, the provider that was there, cannot be given back", found[0].Name)
			},
		}
	}
	return step{
		do: func(ctx context.Context) error {
			p, err := r.create(ctx, want)
			plan.ID = types.StringValue(p.ID)
			return err
		},
		undo: func(ctx context.Context) error {
			p, made, err := r.find(ctx, want)
			if err == nil && made {
				err = r.auth0.DeletePhoneProvider(ctx, p.ID)
			}
			return err
		},
	}
}

// moving turns the tenant's flag.
func (r *phoneProviderResource) moving(plan phoneProviderModel, unified bool) step {
	turn := func(to bool) func(context.Context) error {
		return func(ctx context.Context) error {
			if !plan.moves(unified) {
				return nil
			}
			return r.auth0.SetPhoneConsolidatedExperience(ctx, to)
		}
	}
	return step{do: turn(!unified), undo: turn(unified)}
}

// undo takes back what a creation has done before it failed, the last first, and
// says so. It ends where a step cannot be taken back: a tenant that stays on the
// Unified Phone Experience keeps its provider.
func undo(ctx context.Context, done []step) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handover.CleanupLimit)
	defer cancel()
	for _, s := range slices.Backward(done) {
		if err := s.undo(ctx); err != nil {
			return fmt.Sprintf("\n\nWhat was done before could not be taken back: %v. The next plan says what is there.", err)
		}
	}
	if len(done) == 0 {
		return ""
	}
	return "\n\nWhat was done before was taken back; nothing is left behind."
}

// create makes the provider, or finds the one that its own request made whose
// answer was lost.
func (r *phoneProviderResource) create(ctx context.Context, want auth0api.PhoneProvider) (auth0api.PhoneProvider, error) {
	p, failure := r.auth0.CreatePhoneProvider(ctx, want)
	if failure == nil || !mayExist(failure) {
		return p, failure
	}
	if p, made, err := r.find(ctx, want); err == nil && made {
		return p, nil
	}
	return auth0api.PhoneProvider{}, failure
}

// find looks for a provider that is as it is wanted.
func (r *phoneProviderResource) find(ctx context.Context, want auth0api.PhoneProvider) (p auth0api.PhoneProvider, found bool, err error) {
	providers, err := r.auth0.PhoneProviders(ctx)
	for _, p := range providers {
		if _, differs := phoneProviderPatch(p, want); !differs {
			return p, true, nil
		}
	}
	return auth0api.PhoneProvider{}, false, err
}

// bring changes what differs in a provider.
func (r *phoneProviderResource) bring(ctx context.Context, now, want auth0api.PhoneProvider) (auth0api.PhoneProvider, error) {
	patch, differs := phoneProviderPatch(now, want)
	if !differs {
		return now, nil
	}
	return r.auth0.UpdatePhoneProvider(ctx, now.ID, patch)
}

// refuseMove is invariant 3 of the design for the tenant's flag: people who get
// their codes now get them afterwards.
func (r *phoneProviderResource) refuseMove(ctx context.Context, plan phoneProviderModel, unified bool) diag.Diagnostics {
	diags := r.requireKey(ctx, plan, unified)
	toProvider := plan.Unified.ValueBool()
	if diags.HasError() || !plan.moves(unified) || plan.ForceDestroy.ValueBool() || toProvider && !plan.Disabled.ValueBool() {
		return diags
	}
	factors, err := r.auth0.Factors(ctx)
	attribute, summary := path.Root("unified_phone_experience"), "The tenant cannot be moved while the SMS factor is on"
	switch {
	case err != nil:
		diags.AddError("Cannot tell whether the phone provider is in use", err.Error()+"\n\nNothing was changed.")
	case !factors[delivery.FactorSMS]:
	case toProvider:
		diags.AddAttributeError(attribute, summary, fmt.Sprintf(
			"unified_phone_experience: on the Unified Phone Experience the phone provider sends the codes of people who log in to %s, and disabled = true switches it off. Nothing was changed.\n\n"+
				"Set disabled = false, or force_destroy = true if nobody is to get a code.", r.auth0.Domain()))
	default:
		diags.AddAttributeError(attribute, summary, fmt.Sprintf(
			"unified_phone_experience: people who log in to %s get their codes on the Unified Phone Experience. Back on the legacy way they would get them from the provider that is selected there, and Auth0 does not show which one that is while the tenant has the Unified Phone Experience. Nothing was changed.\n\n"+
				"Switch auth0sns_sms_factor off (enabled = false) in an apply before, or set force_destroy = true if you know that the legacy way serves: it does with a sender on it and the provider that an auth0sns_sms_factor has selected before the tenant was moved.", r.auth0.Domain()))
	}
	return diags
}

// requireKey refuses to have the tenant's messages go to an Action that cannot
// send them: without a key it drops every one, and nobody is told.
func (r *phoneProviderResource) requireKey(ctx context.Context, plan phoneProviderModel, unified bool) diag.Diagnostics {
	var diags diag.Diagnostics
	if !plan.Unified.IsNull() {
		unified = plan.Unified.ValueBool()
	}
	if !unified || plan.Disabled.ValueBool() || plan.ForceDestroy.ValueBool() {
		return diags
	}
	id, attribute := plan.ActionID.ValueString(), path.Root("action_id")
	action, err := r.auth0.Action(ctx, id)
	switch {
	case auth0api.IsNotFound(err):
		diags.AddAttributeError(attribute, "There is no such Action", fmt.Sprintf("action_id: %s has no Action %s. Nothing was changed.", r.auth0.Domain(), id))
	case err != nil:
		diags.AddError("The Action cannot be read", err.Error()+"\n\nNothing was changed.")
	case action.Trigger.ID != delivery.TriggerCustomPhoneProvider:
		diags.AddAttributeError(attribute, "The Action is never asked", fmt.Sprintf(
			"action_id: Action %q (%s) has the trigger %s, and a phone provider asks the one with the trigger %s. Nothing was changed.", action.Name, id, action.Trigger.ID, delivery.TriggerCustomPhoneProvider))
	case !handover.HoldsSecrets(action):
		diags.AddAttributeError(attribute, "The Action holds no key", fmt.Sprintf(
			"action_id: Action %q (%s) has no AWS key yet, so it would drop every message. Refer to the sender_id of its auth0sns_credentials, which is known when it has one. Nothing was changed.", action.Name, id))
	}
	return diags
}

// settle waits for what the path that the tenant has left has begun to send: what
// goes next may be the key that it is sent with.
func (r *phoneProviderResource) settle(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	if factors, err := r.auth0.Factors(ctx); err == nil && !factors[delivery.FactorSMS] {
		return diags
	}
	if err := r.clock.Sleep(ctx, handover.InFlight); err != nil {
		diags.AddWarning("Codes on their way may be lost", "The tenant was moved, and the run was interrupted while codes on their way were waited for.")
	}
	return diags
}

func (r *phoneProviderResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	ctx = r.masked(ctx)
	var state phoneProviderModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.auth0 == nil {
		notConfigured(&resp.Diagnostics, "Phone provider")
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	id := state.ID.ValueString()
	p, err := r.auth0.PhoneProvider(ctx, id)
	if auth0api.IsNotFound(err) {
		removedOutside(&resp.Diagnostics, "Phone provider", id)
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.AddError("Phone provider cannot be read", err.Error())
		return
	}
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateProvider, id)...)
	imported := state.Prior.IsNull()
	state.read(p)
	if imported || !state.Unified.IsNull() {
		settings, err := r.auth0.TenantSettings(ctx)
		if err != nil {
			resp.Diagnostics.AddError("Settings of the tenant cannot be read", err.Error())
			return
		}
		state.Unified = types.BoolValue(settings.PhoneConsolidatedExperience)
	}
	if imported {
		resp.Diagnostics.Append(r.readImported(ctx, &state)...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// readImported finds out what an import does not say: which Action Auth0 runs,
// and what is there now.
func (r *phoneProviderResource) readImported(ctx context.Context, state *phoneProviderModel) diag.Diagnostics {
	var diags diag.Diagnostics
	actions, err := r.auth0.Actions(ctx, delivery.TriggerCustomPhoneProvider)
	if err != nil {
		diags.AddError("Actions of the tenant cannot be listed", err.Error())
		return diags
	}
	if len(actions) > 0 {
		state.ActionID = types.StringValue(actions[0].ID)
	}
	state.Prior, diags = phoneProviderPrior(ctx, "", state.Unified.ValueBool())
	return diags
}

func (r *phoneProviderResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan, state phoneProviderModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	if plan.Disabled.ValueBool() && !state.Disabled.ValueBool() && !plan.ForceDestroy.ValueBool() {
		resp.Diagnostics.Append(r.refuseLive(ctx, "phone provider", state.ID.ValueString())...)
		if resp.Diagnostics.HasError() {
			return
		}
	}
	unified, err := r.flag(ctx, plan)
	if err != nil {
		resp.Diagnostics.AddError("Phone provider was not updated", err.Error())
		return
	}
	if resp.Diagnostics.Append(r.refuseMove(ctx, plan, unified)...); resp.Diagnostics.HasError() {
		return
	}
	if err := r.update(ctx, plan, unified); err != nil {
		resp.Diagnostics.AddError("Phone provider was not updated", err.Error())
		return
	}
	if plan.moves(unified) {
		resp.Diagnostics.Append(r.settle(ctx)...)
	}
	if plan.Prior.IsUnknown() {
		prior, diags := state.prior(ctx)
		resp.Diagnostics.Append(diags...)
		plan.Prior, diags = phoneProviderPrior(ctx, state.Name.ValueString(), prior.Unified.ValueBool())
		resp.Diagnostics.Append(diags...)
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// flag reads the tenant's, where the configuration has a say in it.
func (r *phoneProviderResource) flag(ctx context.Context, m phoneProviderModel) (bool, error) {
	if m.Unified.IsNull() {
		return false, nil
	}
	settings, err := r.auth0.TenantSettings(ctx)
	return settings.PhoneConsolidatedExperience, err
}

// update brings provider and tenant to the plan: the provider first where the
// tenant comes to it, the tenant first where it leaves.
func (r *phoneProviderResource) update(ctx context.Context, plan phoneProviderModel, unified bool) error {
	now, err := r.auth0.PhoneProvider(ctx, plan.ID.ValueString())
	if err != nil {
		return err
	}
	if now.Name != delivery.PhoneProviderCustom && !plan.TakeOver.ValueBool() {
		return fmt.Errorf("the tenant sends its phone messages through %s (%s) by now, which the plan did not know: plan again", now.Name, now.ID)
	}
	bring := func(ctx context.Context) error {
		_, err := r.bring(ctx, now, plan.provider())
		return err
	}
	first, second := bring, r.moving(plan, unified).do
	if unified {
		first, second = second, first
	}
	if err := first(ctx); err != nil {
		return err
	}
	return second(ctx)
}

func (r *phoneProviderResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	ctx = r.masked(ctx)
	var state phoneProviderModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	id := state.ID.ValueString()
	r.phone.Lock()
	stays := r.phone.succeeded(req.State)
	r.phone.Unlock()
	if stays {
		resp.Diagnostics.AddWarning("The phone provider was left to its successor", fmt.Sprintf("Another auth0sns_phone_provider has %s now, so it stays, and so does the tenant's unified_phone_experience.", id))
		return
	}
	if !state.ForceDestroy.ValueBool() {
		resp.Diagnostics.Append(r.refuseLive(ctx, "phone provider", id)...)
	}
	prior, diags := state.prior(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if !state.Unified.IsNull() {
		// First the flag: where Auth0 refuses it, nothing has gone yet.
		if resp.Diagnostics.Append(r.giveBackFlag(ctx, state, prior.Unified)...); resp.Diagnostics.HasError() {
			return
		}
	}
	if err := confirmGone(r.auth0.DeletePhoneProvider(ctx, id), func() error { _, err := r.auth0.PhoneProvider(ctx, id); return err }); err != nil {
		resp.Diagnostics.AddError("Phone provider was not deleted", err.Error())
		return
	}
	if name := prior.Name.ValueString(); name != "" {
		resp.Diagnostics.AddWarning("The phone provider of before was not given back", fmt.Sprintf(
			"%s sent its phone messages through %s. Auth0 never shows a provider's credentials, so it has none now. Set it up again: Auth0 Dashboard → Branding → Phone Provider.", r.auth0.Domain(), name))
	}
}

func (r *phoneProviderResource) giveBackFlag(ctx context.Context, state phoneProviderModel, prior types.Bool) diag.Diagnostics {
	var diags diag.Diagnostics
	unified, err := r.flag(ctx, state)
	state.Unified = prior
	if err == nil {
		err = r.moving(state, unified).do(ctx)
	}
	if err != nil {
		diags.AddError("The Unified Phone Experience was not given back", err.Error()+
			"\n\nThe phone provider is still there. If Auth0 does not let the tenant go back, leave unified_phone_experience out and apply; then destroy deletes the provider only.")
		return diags
	}
	if state.moves(unified) {
		return r.settle(ctx)
	}
	return diags
}

func (r *phoneProviderResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if err := validatePhoneProviderID(req.ID); err != nil {
		resp.Diagnostics.AddError("Import id is malformed", err.Error()+". Find it with: auth0 api get branding/phone/providers")
		return
	}
	resource.ImportStatePassthroughID(ctx, path.Root("id"), req, resp)
}
