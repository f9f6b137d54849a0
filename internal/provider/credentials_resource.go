package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

const typeCredentials = "auth0sns_credentials"

func newCredentialsResource() resource.Resource { return &credentialsResource{} }

type credentialsResource struct{ base }

func (r *credentialsResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = typeCredentials
}

func (r *credentialsResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
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
				MarkdownDescription: "Id of the Action that sends with this key. Not supported in this version, which refuses it in plan: use `hook_id`.",
				Optional:            true,
				Validators:          []validator.String{check(func(string) error { return errActionUnsupported })},
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
				MarkdownDescription: fmt.Sprintf("`%s`; or what is due or was changed outside Terraform, and is put right by the next apply: `%s`, `%s`, `%s`, `%s`, `%s`, `%s`, `%s`. "+
					"A secret whose value was replaced by hand is not seen: Auth0 never returns it.",
					statusDelivered, statusKeyMissing, statusKeyInactive, statusSecretsMissing, statusSenderMissing, statusInDoubt, statusRotationDue, statusOldKeyLeft),
				Computed: true,
			},
		},
	}
}

var errActionUnsupported = fmt.Errorf("delivery to an Action is not supported in this version; use hook_id")

func (r *credentialsResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.clients == nil {
		return
	}
	ctx = r.masked(ctx)
	var plan, state, config credentialsModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.Config.Get(ctx, &config)...)
	create := req.State.Raw.IsNull()
	if !create {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	plan.Region = r.planRegion(config.Region, state.Region, &resp.Diagnostics)
	plan.Status = types.StringValue(statusDelivered)
	if !create {
		imported, diags := r.imported(ctx, req.Private)
		resp.Diagnostics.Append(diags...)
		r.planUpdate(&plan, state, imported, &resp.Diagnostics)
	}
	if create || plan.AccessKeyID.IsUnknown() {
		r.planMint(ctx, &resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
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

// planMint checks, before anything changes, what a new key will need.
func (r *credentialsResource) planMint(ctx context.Context, diags *diag.Diagnostics) {
	if r.auth0 != nil {
		diags.Append(r.requireScopes(ctx, "read:hooks", "create:hooks", "update:hooks", "delete:hooks", "read:guardian_factors")...)
	}
	if r.aws != nil {
		diags.Append(r.requireAccount(ctx)...)
	}
}

func (r *credentialsResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan credentialsModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, resp.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	outcome, err := r.machine(plan).Rotate(ctx, handover.Rotation{
		User:   plan.IAMUser.ValueString(),
		Region: plan.Region.ValueString(),
	})
	if err != nil {
		detail := err.Error()
		for _, key := range slices.Concat(outcome.Superseded, outcome.InDoubt) {
			detail += fmt.Sprintf("\n\nNothing here remembers key %s. Delete it by hand when no sender holds it: aws iam delete-access-key --user-name %s --access-key-id %s", key.ID, key.User, key.ID)
		}
		resp.Diagnostics.AddError("The key was not handed over", detail)
		return
	}
	r.delivered.Store(plan.HookID.ValueString(), true)
	plan.deliver(outcome.Delivered)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *credentialsResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	ctx = r.masked(ctx)
	var state credentialsModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	left, diags := r.leftKeys(ctx, req.Private)
	resp.Diagnostics.Append(diags...)
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
	keys, err := r.aws.AccessKeys(ctx, state.IAMUser.ValueString())
	if err != nil && !awsapi.IsNotFound(err) {
		resp.Diagnostics.AddError("Access keys cannot be listed", err.Error())
		return
	}
	present, err := r.auth0.HookSecretNames(ctx, state.HookID.ValueString())
	if err != nil && !auth0api.IsNotFound(err) {
		addHookError(&resp.Diagnostics, "Secrets of the hook cannot be listed", err)
		return
	}
	imported := state.SenderID.IsNull()
	state.read(keys, present, left, r.clock.Now())
	if imported && slices.Contains([]string{statusKeyMissing, statusSenderMissing}, state.Status.ValueString()) {
		resp.Diagnostics.AddError("There is nothing to import", fmt.Sprintf(
			"IAM user %q has no access key %s, or %s has no hook %s: %s.",
			state.IAMUser.ValueString(), state.AccessKeyID.ValueString(), r.auth0.Domain(), state.HookID.ValueString(), state.Status.ValueString()))
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *credentialsResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan, state credentialsModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	left, diags := r.leftKeys(ctx, req.Private)
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
		left = left.renamed(state.IAMUser.ValueString(), plan.IAMUser.ValueString())
		state.IAMUser = plan.IAMUser
	}
	machine := r.machine(plan)
	var outcome handover.Outcome
	if plan.AccessKeyID.IsUnknown() && (!renamed || plan.rotates(state, imported)) {
		outcome, err = machine.Rotate(ctx, handover.Rotation{
			User:       plan.IAMUser.ValueString(),
			Region:     plan.Region.ValueString(),
			Current:    state.current(),
			Superseded: left.Superseded,
			InDoubt:    left.InDoubt,
		})
	} else {
		plan.AccessKeyID, plan.CreatedAt = state.AccessKeyID, state.CreatedAt
		plan.RotationDueAt = plan.dueAt()
		outcome, err = r.retireLeft(ctx, machine, left)
	}
	resp.Diagnostics.Append(r.record(ctx, plan, outcome, err, resp)...)
}

// retireLeft deletes the keys that an earlier rotation left. That one may have
// been interrupted a moment ago, so calls in flight are waited out here too.
func (r *credentialsResource) retireLeft(ctx context.Context, machine *handover.Machine, left leftKeys) (handover.Outcome, error) {
	outcome := handover.Outcome{Superseded: left.Superseded, InDoubt: left.InDoubt}
	if len(left.Superseded) == 0 {
		return outcome, nil
	}
	err := r.clock.Sleep(ctx, handover.InFlight)
	if err == nil {
		outcome.Superseded, err = machine.RetireAll(ctx, left.Superseded)
	}
	return outcome, err
}

// record saves what is true now. After an error the state keeps the plan's
// values only where the sender took the new key: else the next plan must show
// the rotation again.
func (r *credentialsResource) record(ctx context.Context, plan credentialsModel, outcome handover.Outcome, err error, resp *resource.UpdateResponse) diag.Diagnostics {
	diags := writePrivate(ctx, resp.Private, privateLeftKeys, leftKeys{Superseded: outcome.Superseded, InDoubt: outcome.InDoubt})
	delivered := outcome.Delivered.ID != ""
	if delivered {
		plan.deliver(outcome.Delivered)
	}
	if len(outcome.Superseded) > 0 {
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
	left, diags := r.leftKeys(ctx, req.Private)
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
	if !left.Released {
		_, replaced := r.delivered.Load(state.HookID.ValueString())
		if !replaced {
			resp.Diagnostics.Append(r.release(ctx, state, left)...)
		}
		if resp.Diagnostics.HasError() {
			return
		}
		left.Released = true
		resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateLeftKeys, left)...)
		if replaced {
			// With create_before_destroy the secrets are those of the new object
			// already, and only calls in flight use the old ones.
			if err := r.clock.Sleep(ctx, handover.InFlight); err != nil {
				resp.Diagnostics.AddError("Access key was not deleted", err.Error())
				return
			}
		}
	}
	keys, err := r.machine(state).RetireAll(ctx, slices.Concat(left.Superseded, left.InDoubt, []handover.Key{state.current()}))
	if err != nil {
		resp.Diagnostics.AddError("Access key was not deleted", fmt.Sprintf(
			"%s\n\nNo sender holds it any more. Still to be deleted, by another destroy: %s.", err, handover.KeyIDs(keys)))
	}
}

// release makes the sender stop using the key, unless people depend on it. A
// key that is gone or inactive sends nothing, so nobody does.
func (r *credentialsResource) release(ctx context.Context, state credentialsModel, left leftKeys) diag.Diagnostics {
	var diags diag.Diagnostics
	keys, err := r.aws.AccessKeys(ctx, state.IAMUser.ValueString())
	if err != nil && !awsapi.IsNotFound(err) {
		diags.AddError("Access keys cannot be listed", err.Error())
		return diags
	}
	i := state.find(keys)
	if i >= 0 && keys[i].Active && !state.ForceDestroy.ValueBool() {
		diags.Append(r.refuseLive(ctx, "key", state.HookID.ValueString())...)
		if diags.HasError() {
			diags.AddWarning("If another object has taken the hook over", fmt.Sprintf(
				"After a block that was renamed without a moved block, or a replacement that was interrupted, the hook holds another key already. "+
					"Look which key AWS shows as used (aws iam get-access-key-last-used --access-key-id %[2]s). If it is not this one, deactivate it, and the next apply removes it: "+
					"aws iam update-access-key --status Inactive --user-name %[1]s --access-key-id %[2]s", state.IAMUser.ValueString(), state.AccessKeyID.ValueString()))
			return diags
		}
	}
	if others := otherActiveKeys(keys, state, left); len(others) > 0 {
		// Auth0 does not tell whose secrets the hook holds. Those of another
		// key may have been delivered by another object.
		diags.AddWarning("Secrets were left in the hook", fmt.Sprintf(
			"IAM user %q has another active key, %s, and hook %s may hold that one by now.", state.IAMUser.ValueString(), strings.Join(others, ", "), state.HookID.ValueString()))
		return diags
	}
	if err := r.sender(state).Withdraw(ctx); err != nil {
		addHookError(&diags, "Secrets were not removed from the hook", err)
	}
	return diags
}

// otherActiveKeys are active keys that this object does not know.
func otherActiveKeys(keys []awsapi.AccessKey, state credentialsModel, left leftKeys) []string {
	var ids []string
	for _, k := range keys {
		ours := slices.ContainsFunc(slices.Concat(left.Superseded, left.InDoubt, []handover.Key{state.current()}), func(o handover.Key) bool { return o.ID == k.ID })
		if k.Active && !ours {
			ids = append(ids, k.ID)
		}
	}
	return ids
}

// ImportState takes "<IAM user>/<access key id>/<hook id>/<region>".
func (r *credentialsResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	id, err := parseCredentialsImportID(req.ID)
	if err != nil {
		resp.Diagnostics.AddError("Import id is malformed", err.Error()+".")
		return
	}
	for attribute, value := range map[string]string{
		"iam_user": id.user, "access_key_id": id.accessKeyID, "hook_id": id.hookID, "region": id.region,
	} {
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root(attribute), value)...)
	}
	resp.Diagnostics.Append(writePrivate(ctx, resp.Private, privateImported, true)...)
}

func (r *credentialsResource) sender(m credentialsModel) handover.Sender {
	return handover.Hook{API: r.auth0, ID: m.HookID.ValueString()}
}

func (r *credentialsResource) machine(m credentialsModel) *handover.Machine {
	return &handover.Machine{Keys: r.aws, Sender: r.sender(m), Clock: r.clock, Observe: logState}
}

func (r *credentialsResource) leftKeys(ctx context.Context, p privateReader) (leftKeys, diag.Diagnostics) {
	var left leftKeys
	_, diags := readPrivate(ctx, p, privateLeftKeys, &left)
	return left, diags
}

func (r *credentialsResource) imported(ctx context.Context, p privateReader) (bool, diag.Diagnostics) {
	var imported bool
	_, diags := readPrivate(ctx, p, privateImported, &imported)
	return imported, diags
}
