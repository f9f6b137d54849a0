package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework-validators/stringvalidator"
	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/path"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/planmodifier"
	"github.com/hashicorp/terraform-plugin-framework/resource/schema/stringplanmodifier"
	"github.com/hashicorp/terraform-plugin-framework/schema/validator"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

const typeCredentials = "auth0sns_credentials"

func newCredentialsResource() resource.Resource { return &credentialsResource{} }

type credentialsResource struct{ base }

func (r *credentialsResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = typeCredentials
}

func (r *credentialsResource) Schema(ctx context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "One IAM access key, minted and handed to a sender at Auth0 as its secrets `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_REGION`. " +
			"The secret key exists in memory only, between the two: it is in no configuration, plan, state or log.",
		Attributes: map[string]schema.Attribute{
			"iam_user": schema.StringAttribute{
				MarkdownDescription: "Name of the IAM user whose key it is. Another user means a new key; the old one is deleted after the sender has the new one.",
				Required:            true,
				Validators:          []validator.String{check(awsapi.ValidateUserName)},
			},
			"hook_id": schema.StringAttribute{
				MarkdownDescription: "Id of the hook that sends with this key. Exactly one of `hook_id` and `action_id`.",
				Optional:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.RequiresReplace()},
				Validators: []validator.String{
					stringvalidator.ExactlyOneOf(path.MatchRoot("hook_id"), path.MatchRoot("action_id")),
					stringvalidator.LengthAtLeast(1),
				},
			},
			"action_id": schema.StringAttribute{
				MarkdownDescription: "Id of the Action that sends with this key. It must have no secrets but the three, since Auth0 replaces all of them at once. " +
					"After the key is delivered the Action is deployed, and bound to its trigger if it is not.",
				Optional:      true,
				PlanModifiers: []planmodifier.String{stringplanmodifier.RequiresReplace()},
				Validators:    []validator.String{check(requireActionID)},
			},
			"region": schema.StringAttribute{
				MarkdownDescription: "Region of SNS, the secret `AWS_REGION`. Default: the provider's region when the key is first made, and kept from then on. A change rotates the key.",
				Optional:            true,
				Computed:            true,
				Validators:          []validator.String{regionName()},
			},
			"rotate_after": schema.StringAttribute{
				MarkdownDescription: "Age at which the key is rotated, in days (`90d`) or hours (`2160h`). The first plan after it shows the rotation and the key's age. Default: never.",
				Optional:            true,
				Validators:          []validator.String{check(func(s string) error { _, err := parseRotateAfter(s); return err })},
			},
			"keepers": schema.MapAttribute{
				MarkdownDescription: "Any values; when one changes, the key is rotated.",
				Optional:            true,
				ElementType:         types.StringType,
			},
			"force_destroy": forceDestroyAttribute("key"),
			"access_key_id": schema.StringAttribute{
				MarkdownDescription: "Id of the key that the sender holds. An id, not a secret.",
				Computed:            true,
			},
			"created_at": schema.StringAttribute{
				MarkdownDescription: "When AWS made the key, RFC 3339.",
				Computed:            true,
			},
			"rotation_due_at": schema.StringAttribute{
				MarkdownDescription: "`created_at` plus `rotate_after`.",
				Computed:            true,
			},
			"sender_id": schema.StringAttribute{
				MarkdownDescription: "Id of the sender, known when it holds a working key. `auth0sns_sms_factor` refers to it, so that the factor goes live last.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"status": schema.StringAttribute{
				MarkdownDescription: fmt.Sprintf("`%s`; or what is due or was changed outside Terraform, and is put right by the next apply: `%s`. "+
					"A secret of a hook whose value was replaced by hand is not seen: Auth0 never returns it.",
					statusDelivered, strings.Join([]string{
						statusKeyMissing, statusKeyInactive, statusSecretsMissing, statusRewritten, statusSenderMissing,
						statusInDoubt, statusForeign, statusBridge, statusRotationDue, statusOldKeyLeft,
					}, "`, `")),
				Computed: true,
			},
			"record_owner": schema.StringAttribute{
				MarkdownDescription: "Name of this object in the record on the IAM user: a random one, not a secret. By it an object that is replaced tells its successor's key from its own.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
		},
		Blocks: map[string]schema.Block{
			"timeouts": timeouts.Block(ctx, timeouts.Opts{
				Create: true, Update: true, Delete: true,
				CreateDescription: "Limit of the first hand-over, e.g. `15m`. Default `10m`. What is begun by then is undone or left as the record says.",
				UpdateDescription: "Limit of a rotation. Default `10m`.",
				DeleteDescription: "Limit of the removal. Default `10m`.",
			}),
		},
	}
}

// handoverLimit is the default of the time limits: an Action that is built with
// npm packages takes minutes at worst, a hook half a minute.
const handoverLimit = 10 * time.Minute

func requireActionID(id string) error {
	if !delivery.IsActionID(id) {
		return fmt.Errorf("%q is not the id of an Action, which is a UUID; for a hook, use hook_id", id)
	}
	return nil
}

func (r *credentialsResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.clients == nil {
		return
	}
	ctx = r.masked(ctx)
	var plan, state, config credentialsModel
	create, destroy := req.State.Raw.IsNull(), req.Plan.Raw.IsNull()
	if !create {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if destroy {
		if !state.ForceDestroy.ValueBool() {
			resp.Diagnostics.Append(r.warnLive(ctx, "key", state.sender())...)
		}
		return
	}
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	if resp.Diagnostics.HasError() {
		return
	}
	plan.Region = r.planRegion(config.Region, state.Region, &resp.Diagnostics)
	plan.Status = types.StringValue(statusDelivered)
	if create {
		r.planTakeUp(ctx, plan, &resp.Diagnostics)
	} else {
		imported, diags := r.imported(ctx, req.Private)
		resp.Diagnostics.Append(diags...)
		r.planUpdate(&plan, state, imported, &resp.Diagnostics)
		resp.Diagnostics.Append(r.refuseHook(ctx, plan, state)...)
	}
	if create || plan.AccessKeyID.IsUnknown() {
		r.planMint(ctx, plan, &resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
}

// planTakeUp tells what an apply that did not live to write the state has left
// of these credentials. A record that is closed is also that of an object which
// they replace: in the apply, a plan cannot tell.
func (r *credentialsResource) planTakeUp(ctx context.Context, plan credentialsModel, diags *diag.Diagnostics) {
	user := plan.IAMUser.ValueString()
	if r.aws == nil || user == "" || plan.sender() == "" {
		return
	}
	known, err := r.machine(plan).Look(ctx, user, handover.Key{})
	if awsapi.IsNotFound(err) {
		return
	}
	if err != nil {
		addAWSError(diags, "Access keys cannot be looked up", err)
		return
	}
	record := known.Record
	if record.Run == "" {
		return
	}
	if !record.Open() {
		diags.AddWarning("The sender has a key already", fmt.Sprintf(
			"The record on IAM user %q says that sender %s holds key %s since %s. This apply delivers a new one and then deletes that one, which is right where this object replaces another of this state. If another state manages these credentials, do not apply: import them there.",
			user, plan.sender(), record.Holds.ID, record.At.UTC().Format(time.RFC3339)))
		return
	}
	found := fmt.Sprintf("The record on IAM user %q says that an apply of %s was at work on the keys of sender %s", user, record.At.UTC().Format(time.RFC3339), plan.sender())
	if record.Holds.ID != "" {
		found += fmt.Sprintf("; the sender holds key %s", record.Holds.ID)
	}
	if len(record.Offered) > 0 {
		found += fmt.Sprintf("; it may hold %s", handover.KeyIDs(record.Offered))
	}
	if len(record.Retiring) > 0 {
		found += fmt.Sprintf("; nobody holds %s", handover.KeyIDs(record.Retiring))
	}
	diags.AddWarning("An earlier hand-over is not in the state", found+
		". This apply goes on from there: it delivers a new key and then deletes the ones of the record. If another state manages these credentials, do not apply: import them there.")
}

// planRegion settles the region and warns where SNS is not known to send SMS.
// Without one in the configuration the key keeps its own: a region must not
// follow whoever's shell runs Terraform.
func (r *credentialsResource) planRegion(configured, current types.String, diags *diag.Diagnostics) types.String {
	region := configured
	if configured.IsNull() {
		region = current
	}
	if region.IsNull() {
		if r.aws == nil {
			return types.StringUnknown()
		}
		region = optionalString(r.aws.Region())
	}
	switch {
	case region.IsNull():
		diags.AddAttributeError(path.Root("region"), "No AWS region", "region: set it here, in the provider's aws block, or in AWS_REGION.")
	case !region.IsUnknown() && !awsapi.SMSRegion(region.ValueString()):
		diags.AddAttributeWarning(path.Root("region"), "Region may not send SMS", fmt.Sprintf(
			"region: %q is not on AWS's list of regions that send SMS, as this version knows it: https://docs.aws.amazon.com/sns/latest/dg/sns-supported-regions-countries.html", region.ValueString()))
	}
	return region
}

// planUpdate shows whether the key will change, and why where no attribute of
// the configuration says it.
func (r *credentialsResource) planUpdate(plan *credentialsModel, state credentialsModel, imported bool, diags *diag.Diagnostics) {
	plan.CreatedAt, plan.AccessKeyID = state.CreatedAt, state.AccessKeyID
	plan.RotationDueAt = plan.dueAt()
	if plan.RotateAfter.IsUnknown() {
		plan.RotationDueAt = types.StringUnknown()
	}
	created, _ := time.Parse(time.RFC3339, plan.CreatedAt.ValueString())
	now := r.clock.Now()
	keyIs := fmt.Sprintf("Key %s is %s old and rotate_after is %s.", state.AccessKeyID.ValueString(), age(now.Sub(created)), plan.RotateAfter.ValueString())
	switch {
	case plan.due(state):
		diags.AddWarning("The access key is due for rotation", keyIs+" This apply mints a new key, delivers it, and then deletes the old one; codes keep being sent throughout.")
	case !plan.RotateAfter.Equal(state.RotateAfter) && plan.pastDue(now):
		diags.AddWarning("The access key is past its new limit", keyIs+" This apply records the limit; the next one rotates.")
	}
	if imported && !plan.Keepers.Equal(state.Keepers) {
		diags.AddWarning("The key is not rotated", "The first keepers after an import are recorded. Change them once more to rotate the key.")
	}
	if plan.rotates(state, imported) {
		plan.AccessKeyID, plan.CreatedAt, plan.RotationDueAt = types.StringUnknown(), types.StringUnknown(), types.StringUnknown()
	}
}

// refuseHook keeps a live Action from being given up for a hook. The apply could
// not end: nothing at Auth0 tells that a hook is asked, and so that the Action's
// key can go.
func (r *credentialsResource) refuseHook(ctx context.Context, plan, state credentialsModel) diag.Diagnostics {
	var diags diag.Diagnostics
	if r.auth0 == nil || state.ActionID.IsNull() || !plan.ActionID.IsNull() {
		return diags
	}
	if live, err := r.live.of(ctx, r.auth0, state.sender()); err != nil {
		diags.AddError("Cannot tell whether the Action is in use", err.Error())
	} else if live {
		diags.AddAttributeError(path.Root("hook_id"), "There is no way back to a hook", fmt.Sprintf(
			"hook_id: people who log in to %s get their codes through Action %s, and Auth0 ended hooks on 2026-11-18: a tenant may list one that is never asked. Keep the Action; "+
				"or, if codes may stop, set enabled = false on auth0sns_sms_factor and apply that first.", r.auth0.Domain(), state.sender()))
	}
	return diags
}

// planMint checks, before anything changes, what a new key will need.
func (r *credentialsResource) planMint(ctx context.Context, plan credentialsModel, diags *diag.Diagnostics) {
	if r.auth0 != nil && plan.sender() != "" {
		diags.Append(r.requireScopes(ctx, senderScopes(plan.sender())...)...)
	}
	if r.aws != nil {
		diags.Append(r.requireAccount(ctx)...)
	}
}

func (r *credentialsResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan credentialsModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	limit, diags := plan.Timeouts.Create(ctx, handoverLimit)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, resp.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	owner, err := handover.NewID()
	if err != nil {
		resp.Diagnostics.AddError("The key was not handed over", err.Error())
		return
	}
	plan.RecordOwner = types.StringValue(owner)
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	outcome, err := r.machine(plan).Rotate(ctx, handover.Rotation{
		User:   plan.IAMUser.ValueString(),
		Region: plan.Region.ValueString(),
	})
	switch {
	case err != nil && outcome.Delivered.ID == "":
		resp.Diagnostics.AddError("The key was not handed over", err.Error())
		return
	case err != nil:
		// An error would have Terraform replace what works.
		resp.Diagnostics.AddWarning("The hand-over did not finish", err.Error())
		resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateOpen, true)...)
	}
	plan.deliver(outcome.Delivered)
	resp.Diagnostics.Append(r.noteWritten(ctx, plan, resp.Private)...)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// noteWritten remembers when an Action's secrets were written, so that a refresh
// sees that somebody else has written them since. Where it cannot be read, the
// next refresh remembers what it finds.
func (r *credentialsResource) noteWritten(ctx context.Context, m credentialsModel, private privateWriter) diag.Diagnostics {
	if !delivery.IsActionID(m.sender()) {
		return nil
	}
	found, err := r.senderSecrets(ctx, m.sender())
	if err != nil {
		found.written = time.Time{}
	}
	return writePrivate(ctx, private, privateWritten, found.written)
}

func (r *credentialsResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	ctx = r.masked(ctx)
	var state credentialsModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.auth0 == nil || r.aws == nil {
		notConfigured(&resp.Diagnostics, "Access key")
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.requireAccount(ctx)...)
	if resp.Diagnostics.HasError() {
		return
	}
	found, diags := r.see(ctx, state, req.Private, resp.Private)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	imported := state.imported()
	asked := state.AccessKeyID.ValueString()
	state.read(found, r.clock.Now())
	if imported && state.RecordOwner.IsNull() {
		owner, err := handover.NewID()
		if err != nil {
			resp.Diagnostics.AddError("Access key was not imported", err.Error())
			return
		}
		state.RecordOwner = types.StringValue(owner)
	}
	if imported && (slices.Contains([]string{statusKeyMissing, statusSenderMissing}, state.Status.ValueString()) || state.AccessKeyID.ValueString() != asked) {
		resp.Diagnostics.AddError("There is nothing to import", fmt.Sprintf(
			"IAM user %q has no access key %s, or %s has no sender %s, or that holds key %s: %s.",
			state.IAMUser.ValueString(), asked, r.auth0.Domain(), state.sender(), state.AccessKeyID.ValueString(), state.Status.ValueString()))
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

// see reads both sides. The record is asked where the keys are not just the one
// of the state, or where the last operation left something.
func (r *credentialsResource) see(ctx context.Context, state credentialsModel, from privateReader, to privateWriter) (seen, diag.Diagnostics) {
	var open bool
	var found seen
	_, diags := readPrivate(ctx, from, privateOpen, &open)
	_, more := readPrivate(ctx, from, privateWritten, &found.written)
	diags.Append(more...)
	if diags.HasError() {
		return seen{}, diags
	}
	var err error
	found.keys, err = r.aws.AccessKeys(ctx, state.IAMUser.ValueString())
	if err != nil && !awsapi.IsNotFound(err) {
		diags.AddError("Access keys cannot be listed", err.Error())
		return seen{}, diags
	}
	if open || state.imported() || len(found.keys) != 1 || state.find(found.keys) < 0 {
		known, err := r.machine(state).Look(ctx, state.IAMUser.ValueString(), state.current())
		if err != nil && !awsapi.IsNotFound(err) {
			addAWSError(&diags, "Access keys cannot be looked up", err)
			return seen{}, diags
		}
		found.owner = known.Record.Owner
		if found.foreign = !known.Mine && !known.MayHold(state.AccessKeyID.ValueString()); !found.foreign {
			found.record = known.Record
		}
	}
	found.sender, err = r.refreshedSecrets(ctx, state.sender())
	if err != nil {
		addHookError(&diags, "Secrets of the sender cannot be listed", err)
		return seen{}, diags
	}
	if found.written.IsZero() && !found.sender.written.IsZero() {
		found.written = found.sender.written
		diags.Append(writePrivate(ctx, to, privateWritten, found.written)...)
	}
	return found, diags
}

func (r *credentialsResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan, state credentialsModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	limit, diags := plan.Timeouts.Update(ctx, handoverLimit)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	imported, diags := r.imported(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
	renamed, err := r.renamed(ctx, plan, state)
	if err != nil {
		resp.Diagnostics.AddError("Access keys cannot be listed", err.Error())
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if renamed {
		state.IAMUser = plan.IAMUser
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	rotation := handover.Rotation{User: plan.IAMUser.ValueString(), Region: plan.Region.ValueString(), Current: state.current()}
	var outcome handover.Outcome
	switch {
	case plan.AccessKeyID.IsUnknown() && (!renamed || plan.rotates(state, imported)):
		outcome, err = r.machine(plan).Rotate(ctx, rotation)
	case state.Status.ValueString() == statusOldKeyLeft:
		outcome, err = r.machine(plan).Finish(ctx, rotation)
	}
	if plan.AccessKeyID.IsUnknown() && outcome.Delivered.ID == "" {
		plan.AccessKeyID, plan.CreatedAt = state.AccessKeyID, state.CreatedAt
		plan.RotationDueAt = plan.dueAt()
	}
	resp.Diagnostics.Append(r.save(ctx, plan, outcome, err, resp)...)
}

// save writes down what is true now. After an error the state keeps the plan's
// values only where the sender took the new key: else the next plan must show
// the rotation again.
func (r *credentialsResource) save(ctx context.Context, plan credentialsModel, outcome handover.Outcome, err error, resp *resource.UpdateResponse) diag.Diagnostics {
	diags := writePrivate(ctx, resp.Private, privateOpen, outcome.Record.Open())
	delivered := outcome.Delivered.ID != ""
	if delivered {
		plan.deliver(outcome.Delivered)
		diags.Append(r.noteWritten(context.WithoutCancel(ctx), plan, resp.Private)...)
	}
	if outcome.Record.Open() {
		plan.Status = types.StringValue(statusOldKeyLeft)
	}
	if err == nil || delivered {
		diags.Append(writePrivate(ctx, resp.Private, privateImported, false)...)
		diags.Append(resp.State.Set(ctx, plan)...)
	}
	if err != nil {
		diags.AddError("The rotation did not finish", err.Error())
	}
	return diags
}

// renamed tells whether the user of the plan is the user of the state under
// another name: then the key of the state is among its keys, and is to be
// retired under the new name, not the old one, at which AWS no longer finds it.
func (r *credentialsResource) renamed(ctx context.Context, plan, state credentialsModel) (bool, error) {
	if plan.IAMUser.Equal(state.IAMUser) {
		return false, nil
	}
	keys, err := r.aws.AccessKeys(ctx, plan.IAMUser.ValueString())
	return state.find(keys) >= 0, err
}

func (r *credentialsResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	ctx = r.masked(ctx)
	var state credentialsModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	limit, diags := state.Timeouts.Delete(ctx, handoverLimit)
	resp.Diagnostics.Append(diags...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	resp.Diagnostics.Append(r.requireAccount(ctx)...)
	if resp.Diagnostics.HasError() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	machine, user := r.machine(state), state.IAMUser.ValueString()
	known, err := machine.Look(ctx, user, state.current())
	if awsapi.IsNotFound(err) {
		// A user that is believed to be gone and is not keeps its keys.
		known, err = machine.Look(ctx, user, state.current())
	}
	if err != nil && !awsapi.IsNotFound(err) {
		addAWSError(&resp.Diagnostics, "Access keys cannot be looked up", err)
		return
	}
	keys := known.Record.Keys()
	switch {
	case !known.Mine && !known.MayHold(state.AccessKeyID.ValueString()):
		// The record is that of an object that replaced this one.
		keys = slices.DeleteFunc([]handover.Key{state.current()}, func(handover.Key) bool { return state.find(known.Keys) < 0 })
		err = r.retireReplaced(ctx, machine, keys)
	case known.Record.Released():
		keys, err = machine.Forget(ctx, user, known)
	default:
		resp.Diagnostics.Append(r.release(ctx, state, known)...)
		if resp.Diagnostics.HasError() {
			return
		}
		if known, err = machine.Release(ctx, user, known); err == nil {
			keys, err = machine.Forget(ctx, user, known)
		}
	}
	if err != nil {
		resp.Diagnostics.AddError("Access key was not deleted", fmt.Sprintf(
			"%s\n\nNo sender holds it any more. Still to be deleted, by another destroy: %s.", err, handover.KeyIDs(keys)))
	}
}

// retireReplaced deletes keys that only calls in flight still use.
func (r *credentialsResource) retireReplaced(ctx context.Context, machine *handover.Machine, keys []handover.Key) error {
	if len(keys) == 0 {
		return nil
	}
	if err := r.clock.Sleep(ctx, handover.InFlight); err != nil {
		return err
	}
	_, err := machine.RetireAll(ctx, keys)
	return err
}

// release makes the sender stop using the key, unless people depend on it. Keys
// that are gone or inactive send nothing, so nobody does; nor where another
// sender has taken over.
func (r *credentialsResource) release(ctx context.Context, state credentialsModel, known handover.Known) diag.Diagnostics {
	r.releasing.Lock()
	defer r.releasing.Unlock()
	var diags diag.Diagnostics
	if known.Usable(state.IAMUser.ValueString()) && !state.ForceDestroy.ValueBool() {
		diags.Append(r.refuseLive(ctx, "key", state.sender())...)
		if diags.HasError() && r.takenOver(ctx, state) {
			diags = r.standDown(ctx, state)
		}
	}
	others := otherActiveKeys(known)
	if diags.HasError() {
		if len(others) > 0 {
			diags.AddWarning("If something else has taken the sender over", fmt.Sprintf(
				"IAM user %[1]q has another active key, %[3]s, which no record speaks of. Look which one AWS shows as used (aws iam get-access-key-last-used --access-key-id %[2]s). If it is not %[2]s, deactivate that, and the next apply removes it: "+
					"aws iam update-access-key --status Inactive --user-name %[1]s --access-key-id %[2]s", state.IAMUser.ValueString(), state.AccessKeyID.ValueString(), strings.Join(others, ", ")))
		}
		return diags
	}
	if len(others) > 0 {
		// Auth0 does not tell whose secrets the sender holds. Those of another
		// key may have been delivered by another object.
		diags.AddWarning("Secrets were left in the sender", fmt.Sprintf(
			"IAM user %q has another active key, %s, and sender %s may hold that one by now.", state.IAMUser.ValueString(), strings.Join(others, ", "), state.sender()))
		return diags
	}
	if err := r.sender(state.sender()).Withdraw(ctx); err != nil {
		addHookError(&diags, "Secrets were not removed from the sender", err)
	}
	return diags
}

// standDown leaves all messages to the sender that has taken over, and waits for
// the calls that this one has begun. A hook is switched off: Auth0 may ask it
// before an Action, and without a key it would send nothing.
func (r *credentialsResource) standDown(ctx context.Context, state credentialsModel) diag.Diagnostics {
	var diags diag.Diagnostics
	var err error
	if id := state.sender(); delivery.IsActionID(id) {
		err = delivery.Unbind(ctx, r.auth0, delivery.TriggerSendPhoneMessage, id)
	} else {
		off := false
		_, err = r.auth0.UpdateHook(ctx, id, auth0api.HookPatch{Enabled: &off})
	}
	if err == nil {
		err = r.clock.Sleep(ctx, handover.InFlight)
	}
	if err != nil {
		addHookError(&diags, "The key was not taken from its sender", err)
	}
	return diags
}

// takenOver tells whether another Action sends the codes that this sender does,
// with a key of the same user, as the record of that Action says. On the Unified
// Phone Experience an Action of send-phone-message is bound and not asked. What
// cannot be read proves nothing.
func (r *credentialsResource) takenOver(ctx context.Context, state credentialsModel) bool {
	bindings, err := r.auth0.Bindings(ctx, delivery.TriggerSendPhoneMessage)
	if err != nil {
		return false
	}
	return slices.ContainsFunc(bindings, func(b auth0api.Binding) bool {
		if b.ActionID == state.sender() {
			return false
		}
		if live, err := delivery.SenderIsLive(ctx, r.auth0, b.ActionID); err != nil || !live {
			return false
		}
		other := handover.Machine{IAM: r.aws, SenderID: b.ActionID}
		known, err := other.Look(ctx, state.IAMUser.ValueString(), handover.Key{})
		return err == nil && slices.ContainsFunc(known.Keys, func(k awsapi.AccessKey) bool {
			return k.ID == known.Record.Holds.ID && k.Active
		})
	})
}

// otherActiveKeys are active keys that no record speaks of.
func otherActiveKeys(known handover.Known) []string {
	var ids []string
	for _, k := range known.Keys {
		if k.Active && !known.Speaks(k.ID) {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// ImportState takes "<IAM user>/<access key id>/<hook or Action
// id>/<region>".
func (r *credentialsResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, err := parseCredentialsImportID(req.ID)
	if err != nil {
		resp.Diagnostics.AddError("Import id is malformed", err.Error()+".")
		return
	}
	sender := "hook_id"
	if delivery.IsActionID(id.senderID) {
		sender = "action_id"
	}
	for attribute, value := range map[string]string{
		"iam_user": id.user, "access_key_id": id.accessKeyID, sender: id.senderID, "region": id.region,
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateImported, true)...)
}

func (r *credentialsResource) machine(m credentialsModel) *handover.Machine {
	return &handover.Machine{IAM: r.aws, Sender: r.sender(m.sender()), SenderID: m.sender(), Owner: m.RecordOwner.ValueString(), Clock: r.clock, Observe: logState}
}

func (r *credentialsResource) imported(ctx context.Context, p privateReader) (bool, diag.Diagnostics) {
	var imported bool
	_, diags := readPrivate(ctx, p, privateImported, &imported)
	return imported, diags
}
