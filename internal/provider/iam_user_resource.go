package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"

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

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

const (
	typeIAMUser       = "auth0sns_iam_user"
	defaultPolicyName = "auth0sns-publish-sms"
)

func newIAMUserResource() resource.Resource { return &iamUserResource{} }

type iamUserResource struct{ base }

func (r *iamUserResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = typeIAMUser
}

func (r *iamUserResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "An IAM user that may publish SMS through SNS and nothing else, with its inline policy. " +
			"Its access key is minted by `auth0sns_credentials`.",
		Attributes: map[string]schema.Attribute{
			"name": schema.StringAttribute{
				MarkdownDescription: "Name of the user, 1 to 64 of letters, digits and `+=,.@_-`. A change renames the user; its keys keep working.",
				Required:            true,
				Validators:          []validator.String{check(awsapi.ValidateUserName)},
			},
			"path": schema.StringAttribute{
				MarkdownDescription: "IAM path of the user, begins and ends with `/`. Default `/`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString("/"),
				Validators:          []validator.String{check(awsapi.ValidatePath)},
			},
			"permissions_boundary": schema.StringAttribute{
				MarkdownDescription: "ARN of the managed policy that bounds what the user may do. It must allow `sns:Publish`.",
				Optional:            true,
				Validators:          []validator.String{check(awsapi.ValidateBoundaryARN)},
			},
			"tags": schema.MapAttribute{
				MarkdownDescription: "Tags of the user. Tags that are not named here are shown as changes and removed.",
				Optional:            true,
				ElementType:         types.StringType,
				Validators: []validator.Map{
					mapvalidator.SizeBetween(1, 50),
					mapvalidator.KeysAre(check(func(k string) error { return awsapi.ValidateTags(map[string]string{k: ""}) })),
					mapvalidator.ValueStringsAre(stringvalidator.LengthAtMost(256)),
				},
			},
			"policy_name": schema.StringAttribute{
				MarkdownDescription: "Name of the user's inline policy. Default `" + defaultPolicyName + "`.",
				Optional:            true,
				Computed:            true,
				Default:             stringdefault.StaticString(defaultPolicyName),
				Validators:          []validator.String{check(awsapi.ValidatePolicyName)},
			},
			"arn": schema.StringAttribute{
				MarkdownDescription: "ARN of the user.",
				Computed:            true,
			},
			"unique_id": schema.StringAttribute{
				MarkdownDescription: "Stable id of the user (`AIDA…`), other after a deletion and a new user of the same name.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
			"policy_json": schema.StringAttribute{
				MarkdownDescription: "The inline policy: Allow `sns:Publish` on `*` (the resource of an SMS is the phone number, which is no ARN) and Deny it on every SNS ARN, so that topics and push endpoints stay out of reach even where a broader policy is attached later.",
				Computed:            true,
			},
		},
	}
}

func (r *iamUserResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if req.Plan.Raw.IsNull() || r.clients == nil || r.aws == nil {
		return
	}
	ctx = r.masked(ctx)
	var plan, state iamUserModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	create := req.State.Raw.IsNull()
	if !create {
		resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	}
	if resp.Diagnostics.HasError() {
		return
	}
	if create {
		r.planCreate(ctx, &plan, &resp.Diagnostics)
	} else {
		planUpdate(&plan, state)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
}

// planCreate asks AWS who we are and whether the name is free, so that a wrong
// account or a taken name fails in plan.
func (r *iamUserResource) planCreate(ctx context.Context, plan *iamUserModel, diags *diag.Diagnostics) {
	if err := r.aws.CheckAccount(ctx); err != nil {
		diags.AddError("Wrong AWS account", err.Error())
		return
	}
	identity, err := r.aws.Identity(ctx)
	if err != nil {
		diags.AddError("AWS refused the credentials", err.Error())
		return
	}
	plan.PolicyJSON = types.StringValue(awsapi.PublishPolicy(identity.Partition))
	if plan.Name.IsUnknown() {
		return
	}
	name := plan.Name.ValueString()
	switch _, err := r.aws.User(ctx, name); {
	case err == nil:
		alreadyExists(diags, typeIAMUser, fmt.Sprintf("IAM user %q in account %s", name, identity.AccountID), name)
	case !awsapi.IsNotFound(err):
		diags.AddAttributeError(path.Root("name"), "IAM user cannot be looked up", err.Error())
	}
}

// planUpdate shows a policy that was edited by hand as going back to ours.
func planUpdate(plan *iamUserModel, state iamUserModel) {
	desired := awsapi.PublishPolicy(partitionOfARN(state.ARN.ValueString()))
	plan.PolicyJSON = state.PolicyJSON
	if state.PolicyJSON.IsNull() || !awsapi.PoliciesEqual(state.PolicyJSON.ValueString(), desired) {
		plan.PolicyJSON = types.StringValue(desired)
	}
	plan.ARN = state.ARN
	if !plan.Name.Equal(state.Name) || !plan.Path.Equal(state.Path) {
		plan.ARN = types.StringUnknown()
	}
}

func (r *iamUserResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan iamUserModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := r.aws.CheckAccount(ctx); err != nil {
		resp.Diagnostics.AddError("Wrong AWS account", err.Error())
		return
	}
	user, err := r.aws.CreateUser(ctx, plan.user())
	if err != nil {
		resp.Diagnostics.AddError("IAM user was not created", err.Error())
		return
	}
	policy := awsapi.PublishPolicy(partitionOfARN(user.ARN))
	if err := r.aws.PutUserPolicy(ctx, user.Name, plan.PolicyName.ValueString(), policy); err != nil {
		resp.Diagnostics.AddError("IAM user did not get its policy", err.Error()+"\n\n"+r.undoCreate(ctx, user.Name))
		return
	}
	plan.PolicyJSON = types.StringValue(policy)
	plan.read(user, policy)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// undoCreate removes a user that was left without its policy: kept out of the
// state, it would stand in the way of the next apply.
func (r *iamUserResource) undoCreate(ctx context.Context, name string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	if err := r.aws.DeleteUser(ctx, name); err != nil {
		return fmt.Sprintf("The user could not be deleted again (%v). Delete it before the next apply: aws iam delete-user --user-name %s", err, name)
	}
	return "The user was deleted again; nothing is left behind."
}

func (r *iamUserResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	ctx = r.masked(ctx)
	var state iamUserModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.aws == nil {
		notConfigured(&resp.Diagnostics, "IAM user")
		return
	}
	name := state.Name.ValueString()
	user, err := r.aws.User(ctx, name)
	if awsapi.IsNotFound(err) {
		removedOutside(&resp.Diagnostics, "IAM user", name)
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		resp.Diagnostics.AddError("IAM user cannot be read", err.Error())
		return
	}
	policy, err := r.aws.UserPolicy(ctx, name, state.PolicyName.ValueString())
	if err != nil && !awsapi.IsNotFound(err) {
		resp.Diagnostics.AddError("IAM user policy cannot be read", err.Error())
		return
	}
	state.read(user, policy)
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *iamUserResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan, state iamUserModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := r.update(ctx, plan, state); err != nil {
		resp.Diagnostics.AddError("IAM user was not updated", err.Error())
		return
	}
	user, err := r.aws.User(ctx, plan.Name.ValueString())
	if err != nil {
		// The rename, if there was one, has taken effect: the state must name the user that exists.
		resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("name"), plan.Name)...)
		resp.Diagnostics.AddError("IAM user cannot be read", err.Error())
		return
	}
	plan.read(user, plan.PolicyJSON.ValueString())
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// update writes what differs. The rename comes last: until then the state's
// name finds the user.
func (r *iamUserResource) update(ctx context.Context, plan, state iamUserModel) error {
	name := state.Name.ValueString()
	if !plan.PolicyJSON.Equal(state.PolicyJSON) || !plan.PolicyName.Equal(state.PolicyName) {
		if err := r.aws.PutUserPolicy(ctx, name, plan.PolicyName.ValueString(), plan.PolicyJSON.ValueString()); err != nil {
			return err
		}
	}
	if !plan.PolicyName.Equal(state.PolicyName) {
		if err := r.deletePolicy(ctx, name, state.PolicyName.ValueString()); err != nil {
			return err
		}
	}
	if !plan.PermissionsBoundary.Equal(state.PermissionsBoundary) {
		if err := r.aws.SetPermissionsBoundary(ctx, name, plan.PermissionsBoundary.ValueString()); err != nil {
			return err
		}
	}
	set, remove := tagChanges(stringMap(state.Tags), stringMap(plan.Tags))
	if len(set) > 0 {
		if err := r.aws.TagUser(ctx, name, set); err != nil {
			return err
		}
	}
	if len(remove) > 0 {
		if err := r.aws.UntagUser(ctx, name, remove); err != nil {
			return err
		}
	}
	if !plan.Name.Equal(state.Name) || !plan.Path.Equal(state.Path) {
		return r.aws.RenameUser(ctx, name, plan.Name.ValueString(), plan.Path.ValueString())
	}
	return nil
}

func (r *iamUserResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	ctx = r.masked(ctx)
	var state iamUserModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := r.delete(ctx, state); err != nil {
		resp.Diagnostics.AddError("IAM user was not deleted", err.Error())
	}
}

// delete looks for access keys first: AWS would refuse the user and keep it,
// but only after its policy, and with it every sender's permission, was gone.
func (r *iamUserResource) delete(ctx context.Context, state iamUserModel) error {
	name := state.Name.ValueString()
	if err := r.aws.CheckAccount(ctx); err != nil {
		return err
	}
	keys, err := r.aws.AccessKeys(ctx, name)
	if awsapi.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(keys) > 0 {
		ids := make([]string, len(keys))
		for i, k := range keys {
			ids[i] = k.ID
		}
		return fmt.Errorf("user %q still has %d access key(s): %s. A sender may be using one, so nothing was changed. "+
			"Destroy the auth0sns_credentials that own them; delete other keys by hand (aws iam delete-access-key --user-name %s --access-key-id …)",
			name, len(keys), strings.Join(slices.Sorted(slices.Values(ids)), ", "), name)
	}
	if err := r.deletePolicy(ctx, name, state.PolicyName.ValueString()); err != nil {
		return err
	}
	if err := r.aws.DeleteUser(ctx, name); err != nil && !awsapi.IsNotFound(err) {
		return err
	}
	return nil
}

func (r *iamUserResource) deletePolicy(ctx context.Context, user, policy string) error {
	if err := r.aws.DeleteUserPolicy(ctx, user, policy); err != nil && !awsapi.IsNotFound(err) {
		return err
	}
	return nil
}

// ImportState takes "<name>" or "<name>/<policy name>".
func (r *iamUserResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	user, policy, found := strings.Cut(req.ID, "/")
	if !found {
		policy = defaultPolicyName
	}
	if awsapi.ValidateUserName(user) != nil || awsapi.ValidatePolicyName(policy) != nil {
		resp.Diagnostics.AddError("Import id is malformed", fmt.Sprintf(
			"%q is neither the name of an IAM user nor <user name>/<policy name>.", req.ID))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("name"), user)...)
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("policy_name"), policy)...)
}

// partitionOfARN returns "aws" of arn:aws:….
func partitionOfARN(arn string) string {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) < 3 {
		return ""
	}
	return parts[1]
}
