package provider

import (
	"context"
	"fmt"
	"strings"

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
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringdefault"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/tfsdk"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

const (
	typeSMSFactor = "auth0sns_sms_factor"
	// smsFactorImportID names the one SMS factor of a tenant.
	smsFactorImportID = delivery.FactorSMS
	// maxMessageLength is SNS's limit of one SMS over all its parts.
	maxMessageLength = 1600
)

func newSMSFactorResource() resource.Resource { return &smsFactorResource{} }

type smsFactorResource struct{ base }

func (r *smsFactorResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = typeSMSFactor
}

func (r *smsFactorResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	template := []validator.String{
		check(validTemplate),
		stringvalidator.LengthAtMost(maxMessageLength),
		stringvalidator.AlsoRequires(path.MatchRoot("enrollment_message"), path.MatchRoot("verification_message")),
	}
	resp.Schema = schema.Schema{
		MarkdownDescription: "The tenant's SMS factor for MFA: switched on, with delivery provider Custom, so that messages go through the sender. " +
			"No other factor is read or written. What was there before is given back on destroy.",
		Attributes: map[string]schema.Attribute{
			"sender_id": schema.StringAttribute{
				MarkdownDescription: "`sender_id` of the `auth0sns_credentials`, or on the Unified Phone Experience `id` of the `auth0sns_phone_provider`, so that the factor turns to the sender only after that holds a working key.",
				Required:            true,
			},
			"enabled": schema.BoolAttribute{
				MarkdownDescription: "Whether users can use SMS as a factor. Default `true`.",
				Optional:            true,
				Computed:            true,
				Default:             booldefault.StaticBool(true),
			},
			"message_types": schema.SetAttribute{
				MarkdownDescription: "Message types offered to users. Default `[\"sms\"]`; SNS has no voice, so nothing else works.",
				Optional:            true,
				Computed:            true,
				ElementType:         types.StringType,
				Default:             setdefault.StaticValue(setValue([]string{"sms"})),
				Validators:          []validator.Set{setvalidator.SizeAtLeast(1), setvalidator.ValueStringsAre(stringvalidator.OneOf("sms"))},
			},
			"enrollment_message": schema.StringAttribute{
				MarkdownDescription: "Text of the message when a user enrolls, with `{{code}}` and, if wanted, `{{tenant.friendly_name}}`. Set both texts or neither; without them the tenant's texts are not touched.",
				Optional:            true,
				Computed:            true,
				Validators:          template,
			},
			"verification_message": schema.StringAttribute{
				MarkdownDescription: "Text of the message when a user logs in, with `{{code}}`.",
				Optional:            true,
				Computed:            true,
				Validators:          template,
			},
			"on_destroy": schema.StringAttribute{
				MarkdownDescription: "What destroy does: `restore` (default) gives back what was there when Terraform took the factor over, `disable` switches the factor off, `leave` changes nothing.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(onDestroyRestore),
				Validators:          []validator.String{stringvalidator.OneOf(onDestroyRestore, onDestroyDisable, onDestroyLeave)},
			},
			"selected_provider": schema.StringAttribute{
				MarkdownDescription: "Delivery provider of the factor. `" + delivery.ProviderCustom + "` is what the Dashboard calls Custom.",
				Computed:            true,
			},
			"prior": schema.SingleNestedAttribute{
				MarkdownDescription: "What was there when Terraform took the factor over, which destroy gives back with `on_destroy = \"restore\"`. " +
					"A factor that was on already is given back switched off, since it goes with its sender; one that was imported, as it was then. Texts are null where they are not known.",
				Computed:      true,
				PlanModifiers: []planmodifier.Object{objectplanmodifier.UseStateForUnknown()},
				Attributes: map[string]schema.Attribute{
					"enabled":              schema.BoolAttribute{MarkdownDescription: "Whether the factor was on.", Computed: true},
					"selected_provider":    schema.StringAttribute{MarkdownDescription: "Delivery provider of the factor.", Computed: true},
					"message_types":        schema.SetAttribute{MarkdownDescription: "Message types.", Computed: true, ElementType: types.StringType},
					"enrollment_message":   schema.StringAttribute{MarkdownDescription: "Text of the message when a user enrolls.", Computed: true},
					"verification_message": schema.StringAttribute{MarkdownDescription: "Text of the message when a user logs in.", Computed: true},
				},
			},
		},
	}
}

func (r *smsFactorResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.clients == nil {
		return
	}
	ctx = r.masked(ctx)
	if req.Plan.Raw.IsNull() {
		resp.Diagnostics.Append(r.planDestroy(ctx, req)...)
		return
	}
	var plan, state smsFactorModel
	create := req.State.Raw.IsNull()
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if !create {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(planTexts(ctx, req, resp)...)
	selected, open := plan.selectedProvider(), r.pathIsOpen(plan)
	if open {
		selected = types.StringUnknown()
	}
	resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("selected_provider"), selected)...)
	if !create && (open || plan.unified() != state.unified()) {
		resp.Diagnostics.Append(resp.Plan.SetAttribute(ctx, path.Root("prior"), types.ObjectUnknown(smsFactorPriorTypes()))...)
	}
	if resp.Diagnostics.HasError() || r.auth0 == nil || resp.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	resp.Diagnostics.Append(resp.Plan.Get(ctx, &plan)...)
	plan.warnStrangers(open || plan.unified(), &resp.Diagnostics)
	resp.Diagnostics.Append(r.requireScopes(ctx, plan.scopes(open)...)...)
	switch {
	case resp.Diagnostics.HasError():
	case create:
		r.planCreate(ctx, plan, &resp.Diagnostics)
	case plan.unified() || r.plansPhoneProvider.Load(): // It may turn the tenant back before.
	case state.pastLegacy():
		resp.Diagnostics.AddAttributeError(path.Root("sender_id"), neverAsked, "sender_id: at "+r.auth0.Domain()+unifiedWay+
			"\n\nTo destroy instead: terraform destroy -refresh=false")
	case state.unified():
		r.planLeave(ctx, &resp.Diagnostics)
	}
}

// pathIsOpen tells that a plan cannot know which way the messages will go: the
// sender is not made yet, and may be a phone provider that is made before it.
func (r *smsFactorResource) pathIsOpen(plan smsFactorModel) bool {
	return plan.SenderID.IsUnknown() && r.plansPhoneProvider.Load()
}

// planLeave refuses a sender that is not asked as long as the tenant is on the
// Unified Phone Experience.
func (r *smsFactorResource) planLeave(ctx context.Context, diags *diag.Diagnostics) {
	unified, err := delivery.Unified(ctx, r.auth0)
	switch {
	case err != nil:
		addFactorError(diags, "Settings of the tenant cannot be read", err)
	case unified:
		diags.AddAttributeError(path.Root("sender_id"), neverAsked, "sender_id: at "+r.auth0.Domain()+unifiedWay+
			"\n\nTo leave the Unified Phone Experience, keep auth0sns_phone_provider in this apply with unified_phone_experience = false and force_destroy = true, and name it in depends_on here. The next apply can destroy it.")
	}
}

// selectedProvider is what the factor's provider will be.
func (m smsFactorModel) selectedProvider() types.String {
	if m.unified() {
		return types.StringValue(delivery.PhoneProviderCustom)
	}
	return types.StringValue(delivery.ProviderCustom)
}

// scopes are those of the sender as well; open says that it may be a phone
// provider.
func (m smsFactorModel) scopes(open bool) []string {
	scopes := []string{"read:guardian_factors", "update:guardian_factors"}
	switch id := m.SenderID.ValueString(); {
	case open || m.unified():
		scopes = append(scopes, "read:phone_providers", "read:tenant_settings")
		if m.managesTemplates() {
			scopes = append(scopes, "read:phone_templates", "create:phone_templates", "update:phone_templates", "delete:phone_templates")
		}
	case id == "":
	case delivery.IsActionID(id):
		scopes = append(scopes, "read:actions")
	default:
		scopes = append(scopes, "read:hooks")
	}
	return scopes
}

// warnStrangers tells of placeholders that the path of the texts does not know.
func (m smsFactorModel) warnStrangers(unified bool, diags *diag.Diagnostics) {
	warn := func(attribute string, text types.String) {
		if names := strangers(unified, text.ValueString()); len(names) > 0 {
			diags.AddAttributeWarning(path.Root(attribute), "Placeholder is not known", fmt.Sprintf(
				"%s: nothing is known of %q in the texts of this tenant's path; Auth0 may leave a gap where it stands.", attribute, names))
		}
	}
	warn("enrollment_message", m.EnrollmentMessage)
	warn("verification_message", m.VerificationMessage)
}

// planDestroy says that people will not get their codes by SMS any more: a block
// that was renamed reads as a destruction, too.
func (r *smsFactorResource) planDestroy(ctx context.Context, req resource.ModifyPlanRequest) diag.Diagnostics {
	var state smsFactorModel
	diags := req.State.Get(ctx, &state)
	r.factor.planDestroy(req.State)
	now := smsFactor{Unified: state.unified() || state.pastLegacy(), Enabled: state.Enabled.ValueBool(), Provider: state.SelectedProvider.ValueString()}
	if !diags.HasError() && now.live() && state.OnDestroy.ValueString() != onDestroyLeave {
		diags.AddWarning("The SMS factor is in use now", "People who log in get their codes by SMS. After this destroy they do not, unless another auth0sns_sms_factor keeps the factor on. "+
			"If the block was only renamed, say so with a moved block: without one the factor is off for a moment. To leave it on, set on_destroy = \"leave\" and apply before.")
	}
	return diags
}

// planTexts keeps texts that the configuration leaves out as they are. What was
// there before the first ones that it does not is found out by the apply.
func planTexts(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) diag.Diagnostics {
	var diags diag.Diagnostics
	for _, attribute := range []string{"enrollment_message", "verification_message"} {
		var configured, current types.String
		diags.Append(req.Config.GetAttribute(ctx, path.Root(attribute), &configured)...)
		if !req.State.Raw.IsNull() {
			diags.Append(req.State.GetAttribute(ctx, path.Root(attribute), &current)...)
		}
		if configured.IsNull() {
			diags.Append(resp.Plan.SetAttribute(ctx, path.Root(attribute), current)...)
		} else if current.IsNull() {
			diags.Append(resp.Plan.SetAttribute(ctx, path.Root("prior"), types.ObjectUnknown(smsFactorPriorTypes()))...)
		}
	}
	return diags
}

// planCreate refuses to change a factor that serves people now without anybody
// having asked for it. One that already is what the plan says passes: a
// replacement with create_before_destroy finds it so.
func (r *smsFactorResource) planCreate(ctx context.Context, plan smsFactorModel, diags *diag.Diagnostics) {
	unknown := plan.Enabled.IsUnknown() || !knownElements(plan.MessageTypes.Elements(), plan.MessageTypes.IsUnknown())
	if diags.HasError() || unknown {
		return
	}
	r.factor.Lock()
	defer r.factor.Unlock()
	open, unified := r.pathIsOpen(plan), plan.unified()
	var err error
	if open { // The tenant says where the factor is to be looked at.
		unified, err = delivery.Unified(ctx, r.auth0)
	}
	if err != nil {
		addFactorError(diags, "Settings of the tenant cannot be read", err)
		return
	}
	factor, err := r.fetch(ctx, unified, false)
	if err != nil {
		addFactorError(diags, "SMS factor cannot be read", err)
		return
	}
	if factor.Unified && !unified {
		if !r.plansPhoneProvider.Load() {
			r.refuseLegacySender(diags)
		}
		return
	}
	want := plan.factor()
	if want.Provider = delivery.ProviderCustom; unified {
		want.Provider = delivery.PhoneProviderCustom
	}
	// One that is on without a message type sends nothing: an apply that was
	// setting it up has stopped there, since Auth0 takes the types last.
	unfinished := len(factor.MessageTypes) == 0 || sameTypes(factor.MessageTypes, want.MessageTypes)
	switch {
	case factor.Enabled && (!want.Enabled || factor.Provider != want.Provider || !unfinished):
		alreadyExists(diags, typeSMSFactor, fmt.Sprintf("An SMS factor that is on (%s) at %s", factor, r.auth0.Domain()), smsFactorImportID, "")
	case factor.Enabled:
		diags.AddWarning("SMS factor is on already", fmt.Sprintf(
			"%s has it as configured (%s): by the object that this one replaces, or by an apply that stopped. It is taken over, and destroy will switch it off. "+
				"If somebody set it by hand, import it instead (id %q): then destroy leaves it as it is now.", r.auth0.Domain(), factor, smsFactorImportID))
	}
}

// fetch reads the factor, one request for each part. Looked at the legacy way, a
// tenant that has gone over to the Unified Phone Experience says so by itself.
func (r *smsFactorResource) fetch(ctx context.Context, unified, templates bool) (smsFactor, error) {
	factors, err := r.auth0.Factors(ctx)
	if err != nil {
		return smsFactor{}, err
	}
	f := smsFactor{Enabled: factors[delivery.FactorSMS], Unified: unified}
	if unified {
		f.Provider = delivery.PhoneProviderCustom
	} else if f.Provider, err = r.auth0.SelectedProvider(ctx); auth0api.KindOf(err) == auth0api.LegacyPhone {
		f.Unified, templates, err = true, false, nil
	}
	if err != nil {
		return smsFactor{}, err
	}
	if f.MessageTypes, err = r.auth0.MessageTypes(ctx); err != nil {
		return smsFactor{}, err
	}
	switch {
	case templates && f.Unified:
		f.Templates, err = r.unifiedTexts(ctx)
	case templates:
		f.Templates, err = r.auth0.Templates(ctx)
	}
	return f, err
}

// write brings Auth0 from one factor to another and touches only what differs.
// Going on, the provider is chosen before the factor is: nobody gets a message
// through the provider that was selected before. Auth0 takes message types only
// while the factor is on, so they come after it going on and before it going
// off. Texts come last: those of before are lost with their first change.
func (r *smsFactorResource) write(ctx context.Context, from, to smsFactor) error {
	texts := func() error {
		if to.Templates == nil || from.Templates != nil && *from.Templates == *to.Templates {
			return nil
		}
		if from.Unified {
			return r.setUnifiedTexts(ctx, *to.Templates)
		}
		return r.auth0.SetTemplates(ctx, *to.Templates)
	}
	types := func() error {
		if sameTypes(from.MessageTypes, to.MessageTypes) {
			return nil
		}
		return r.auth0.SetMessageTypes(ctx, to.MessageTypes)
	}
	selected := func() error {
		if from.Unified || to.Provider == "" || from.Provider == to.Provider {
			return nil
		}
		return r.auth0.SetSelectedProvider(ctx, to.Provider)
	}
	toggle := func() error {
		if from.Enabled == to.Enabled {
			return nil
		}
		return r.auth0.SetFactor(ctx, delivery.FactorSMS, to.Enabled)
	}
	steps := []func() error{selected, toggle, types, texts}
	switch {
	case from.Enabled && !to.Enabled:
		steps = []func() error{types, toggle, selected, texts}
	case !from.Enabled && !to.Enabled:
		steps = []func() error{selected, texts}
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// change writes, and goes back where that fails in the middle: a factor that is
// half set up may send nothing, and the next attempt would take it for what was
// there before.
func (r *smsFactorResource) change(ctx context.Context, failure string, from, to smsFactor) diag.Diagnostics {
	var diags diag.Diagnostics
	err := r.write(ctx, from, to)
	if err == nil {
		return diags
	}
	addFactorError(&diags, failure, err)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handover.CleanupLimit)
	defer cancel()
	now, err := r.fetch(ctx, from.Unified, to.Templates != nil)
	if err == nil {
		err = r.write(ctx, now, from)
	}
	if err != nil {
		diags.AddError("SMS factor is half set up", fmt.Sprintf("What was there before could not be given back: %v\n\nIt was: %s.", err, from))
	}
	return diags
}

// requireTurn looks at the sender before people are sent to it: where they get no
// code now, or the sender is new to them. That a factor on the Unified Phone
// Experience is on does not say who sends.
func (r *smsFactorResource) requireTurn(ctx context.Context, now smsFactor, plan smsFactorModel, newSender bool) diag.Diagnostics {
	var diags diag.Diagnostics
	to := plan.factor()
	switch {
	case now.Unified && !to.Unified:
		r.refuseLegacySender(&diags)
	case to.live() && (newSender || !now.live()):
		return r.requireSender(ctx, plan.SenderID.ValueString())
	}
	return diags
}

// requireSender refuses a sender that does not answer: everybody would be asked
// for a code that nobody sends.
func (r *smsFactorResource) requireSender(ctx context.Context, senderID string) diag.Diagnostics {
	var diags diag.Diagnostics
	const notTurned = " The factor was not turned to it: people would be asked for codes that nobody sends."
	answers, name, remedy, err := r.senderAnswers(ctx, senderID)
	switch {
	case auth0api.IsNotFound(err):
		diags.AddAttributeError(path.Root("sender_id"), "There is no such sender", fmt.Sprintf(
			"sender_id: %s has no %s.", r.auth0.Domain(), describeSender(senderID))+notTurned)
	case err != nil:
		addFactorError(&diags, "The sender cannot be read", err)
	case !answers:
		diags.AddAttributeError(path.Root("sender_id"), "The sender is switched off", fmt.Sprintf(
			"sender_id: %s (%s) does not run.", describeSender(senderID), name)+notTurned+" "+remedy)
	}
	return diags
}

// senderAnswers tells whether Auth0 runs the sender, and what to do if not.
func (r *smsFactorResource) senderAnswers(ctx context.Context, id string) (answers bool, name, remedy string, err error) {
	if delivery.IsPhoneProviderID(id) {
		return r.phoneProviderAnswers(ctx, id)
	}
	if !delivery.IsActionID(id) {
		hook, err := r.auth0.Hook(ctx, id)
		return hook.Enabled, hook.Name, "Set enabled = true on the hook.", err
	}
	action, err := r.auth0.Action(ctx, id)
	if err != nil {
		return false, "", "", err
	}
	bound, err := delivery.IsBound(ctx, r.auth0, action.Trigger.ID, id)
	return bound, action.Name, "It is bound to its trigger when auth0sns_credentials hands it a key: refer to the sender_id of auth0sns_credentials.", err
}

// phoneProviderAnswers tells whether the tenant sends through a phone provider.
func (r *smsFactorResource) phoneProviderAnswers(ctx context.Context, id string) (answers bool, name, remedy string, err error) {
	provider, err := r.auth0.PhoneProvider(ctx, id)
	if err != nil {
		return false, "", "", err
	}
	unified, err := delivery.Unified(ctx, r.auth0)
	switch {
	case provider.Name != delivery.PhoneProviderCustom:
		remedy = "It is not the tenant's own code that it asks: manage it as auth0sns_phone_provider."
	case provider.Disabled:
		remedy = "Set disabled = false on auth0sns_phone_provider."
	default:
		remedy = "The tenant is not on the Unified Phone Experience: set unified_phone_experience = true on auth0sns_phone_provider."
	}
	answers = provider.Name == delivery.PhoneProviderCustom && !provider.Disabled && unified
	return answers, provider.Name, remedy, err
}

// refuseLegacySender is Auth0's answer where it is known beforehand.
func (r *smsFactorResource) refuseLegacySender(diags *diag.Diagnostics) {
	diags.AddAttributeError(path.Root("sender_id"), neverAsked, "sender_id: at "+r.auth0.Domain()+unifiedWay)
}

const (
	neverAsked = "The sender is never asked"
	unifiedWay = " messages are sent by a phone provider, since the tenant is on Auth0's Unified Phone Experience, where the legacy phone settings answer 403. Neither a hook nor an Action with the trigger send-phone-message is ever asked. " +
		"Use an auth0sns_action with the trigger custom-phone-provider, an auth0sns_phone_provider, and its id as sender_id. Nothing was changed."
)

// addFactorError adds what a tenant on the Unified Phone Experience means.
func addFactorError(diags *diag.Diagnostics, summary string, err error) {
	detail := err.Error()
	if auth0api.KindOf(err) == auth0api.LegacyPhone {
		detail += "\n\nHere" + unifiedWay
	}
	if auth0api.KindOf(err) == auth0api.BadRequest {
		detail += "\n\nIf the factor was to be switched off: Auth0 keeps the last one on while an MFA policy is set. Set the policy to \"never\" first, or switch another factor on."
	}
	diags.AddError(summary, detail)
}

func (r *smsFactorResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan smsFactorModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, resp.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	r.factor.Lock()
	defer r.factor.Unlock()
	now, err := r.fetch(ctx, plan.unified(), plan.managesTemplates())
	if err != nil {
		addFactorError(&resp.Diagnostics, "SMS factor cannot be read", err)
		return
	}
	var diags diag.Diagnostics
	plan.Prior, diags = now.prior(plan.factor().Templates).model(ctx)
	resp.Diagnostics.Append(diags...)
	plan.SelectedProvider = plan.selectedProvider()
	resp.Diagnostics.Append(r.requireTurn(ctx, now, plan, plan.unified())...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.change(ctx, "SMS factor was not set up", now, plan.factor())...)
	if resp.Diagnostics.HasError() {
		return
	}
	r.factor.created = true
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *smsFactorResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	ctx = r.masked(ctx)
	var state smsFactorModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.auth0 == nil {
		notConfigured(&resp.Diagnostics, "SMS factor")
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	imported := state.Prior.IsNull()
	factor, err := r.fetch(ctx, state.unified(), state.managesTemplates() || imported)
	if err != nil {
		addFactorError(&resp.Diagnostics, "SMS factor cannot be read", err)
		return
	}
	if imported {
		// What is there now is what destroy gives back.
		var diags diag.Diagnostics
		state.Prior, diags = factor.model(ctx)
		resp.Diagnostics.Append(diags...)
	}
	state.read(factor)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *smsFactorResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan, state smsFactorModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	// The state cannot tell what the message types are of a factor that is off.
	now, err := r.fetch(ctx, plan.unified(), plan.managesTemplates())
	if err != nil {
		addFactorError(&resp.Diagnostics, "SMS factor cannot be read", err)
		return
	}
	plan.SelectedProvider = plan.selectedProvider()
	resp.Diagnostics.Append(r.requireTurn(ctx, now, plan, !plan.SenderID.Equal(state.SenderID))...)
	if resp.Diagnostics.HasError() {
		return
	}
	if plan.Prior.IsUnknown() {
		prior, diags := state.prior(ctx)
		resp.Diagnostics.Append(diags...)
		resp.Diagnostics.Append(r.leaveUnified(ctx, prior, plan, state)...)
		if resp.Diagnostics.HasError() {
			return
		}
		plan.Prior, diags = prior.after(now, plan, state).model(ctx)
		resp.Diagnostics.Append(diags...)
		if plan.unified() == state.unified() {
			// Remembered also where the change of them fails half-way. Of another path it
			// would be taken for this one's.
			state.Prior = plan.Prior
			resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
		}
	}
	resp.Diagnostics.Append(r.change(ctx, "SMS factor was not updated", now, plan.factor())...)
	if resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// leaveUnified gives the texts of the Unified Phone Experience back while the
// state still knows them: they can be written on either path, the legacy ones
// on one only.
func (r *smsFactorResource) leaveUnified(ctx context.Context, prior smsFactor, plan, state smsFactorModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if !state.unified() || plan.unified() || !state.managesTemplates() || prior.Templates == nil {
		return diags
	}
	if err := r.setUnifiedTexts(ctx, *prior.Templates); err != nil {
		addFactorError(&diags, "Message texts of the Unified Phone Experience were not given back", err)
	}
	return diags
}

func (r *smsFactorResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	ctx = r.masked(ctx)
	var state smsFactorModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	prior, diags := state.prior(ctx)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	ended, diags := r.giveBack(ctx, req.State, state, prior)
	if resp.Diagnostics.Append(diags...); resp.Diagnostics.HasError() || !ended {
		return
	}
	// What goes next, the key first, is what codes on their way are sent with.
	if err := r.clock.Sleep(ctx, handover.InFlight); err != nil {
		resp.Diagnostics.AddWarning("Codes on their way may be lost", "The factor was given back, and the run was interrupted while codes on their way were waited for.")
	}
}

// giveBack does what on_destroy says. ended tells that people get no more codes
// through the sender from now on.
func (r *smsFactorResource) giveBack(ctx context.Context, raw tfsdk.State, state smsFactorModel, prior smsFactor) (ended bool, diags diag.Diagnostics) {
	r.factor.Lock()
	defer r.factor.Unlock()
	if r.factor.succeeded(raw) {
		// The factor belongs to the other object, and giving back what was before
		// this one would switch it off.
		diags.AddWarning("SMS factor was left to its successor", fmt.Sprintf(
			"Another auth0sns_sms_factor has the factor, so nothing was given back. Its destroy will switch the factor off. Before Terraform, it was: %s.", prior))
		return false, diags
	}
	now, err := r.fetch(ctx, state.unified(), state.managesTemplates())
	if err != nil {
		addFactorError(&diags, "SMS factor cannot be read", err)
		return false, diags
	}
	target := now
	switch state.OnDestroy.ValueString() {
	case onDestroyRestore:
		target = prior
		switch {
		case now.Unified && !state.unified():
			target.Templates = nil
			diags.AddWarning("The legacy phone settings were left", fmt.Sprintf(
				"%s has gone over to Auth0's Unified Phone Experience, where they can neither be read nor written. It was: %s. Should the tenant go back, set provider and texts in the Dashboard.", r.auth0.Domain(), prior))
		case !state.managesTemplates():
			target.Templates = nil
		case target.Templates == nil:
			diags.AddWarning("Message texts were left", "There were none of the tenant's own before, or they are not known because the apply that changed them stopped, and Auth0 has no call that takes them away again. The Dashboard can change them.")
		}
	case onDestroyDisable:
		target.Enabled = false
	}
	diags.Append(r.change(ctx, "SMS factor was not given back", now, target)...)
	return now.live() && !target.live(), diags
}

func (r *smsFactorResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if req.ID != smsFactorImportID {
		resp.Diagnostics.AddError("Import id is malformed", fmt.Sprintf("The SMS factor is imported as %q; a tenant has one.", smsFactorImportID))
		return
	}
	if r.auth0 == nil {
		resp.Diagnostics.AddError("The provider is not configured yet", "An import needs every setting of the provider's auth0 block to be known in plan.")
		return
	}
	tenant, err := delivery.Detect(ctx, r.auth0)
	if err != nil {
		addFactorError(&resp.Diagnostics, "The sender of the tenant cannot be looked up", err)
		return
	}
	senderID := senderOf(tenant)
	if senderID == "" && len(tenant.Unknown) > 0 {
		resp.Diagnostics.AddWarning("No sender of the tenant was found", "sender_id is imported as \"\". It could not be told "+strings.Join(tenant.Unknown, "; ")+".")
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("sender_id"), senderID)...)
}

// senderOf is what the sender_id of an import is: the phone provider on the
// Unified Phone Experience, else the Action that is bound or the hook that is
// enabled; "" if there is none.
func senderOf(t delivery.Tenant) string {
	switch {
	case t.Path == delivery.PathUnified && t.PhoneProvider != nil:
		return t.PhoneProvider.ID
	case t.Path != delivery.PathUnified && len(t.Senders) > 0:
		return t.Senders[0]
	}
	return ""
}
