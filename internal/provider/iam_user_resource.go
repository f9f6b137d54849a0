package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/terraform-plugin-framework-validators/mapvalidator"
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
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
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
				MarkdownDescription: "Tags of the user. Tags that are not named here are shown as changes and removed, except those that begin with `auth0sns:`, in which this provider keeps what it knows of the user's keys.",
				Optional:            true,
				ElementType:         types.StringType,
				Validators:          []validator.Map{mapvalidator.SizeAtLeast(1), mapvalidator.NoNullValues(), tagRules{}},
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

// tagRules is a validator of all tags together: IAM does not tell their keys
// apart by case.
type tagRules struct{}

func (tagRules) Description(context.Context) string { return "must satisfy IAM's rules for tags" }

func (v tagRules) MarkdownDescription(ctx context.Context) string { return v.Description(ctx) }

func (tagRules) ValidateMap(_ context.Context, req validator.MapRequest, resp *validator.MapResponse) {
	tags := stringMap(req.ConfigValue)
	if len(withoutOwnTags(tags)) < len(tags) {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid value", fmt.Sprintf("%s: the prefix %s is this provider's own.", req.Path, handover.TagPrefix))
	}
	if err := awsapi.ValidateTags(tags); err != nil {
		resp.Diagnostics.AddAttributeError(req.Path, "Invalid value", fmt.Sprintf("%s: %s.", req.Path, err))
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
		r.planUpdate(ctx, &plan, state, &resp.Diagnostics)
	}
	resp.Diagnostics.Append(resp.Plan.Set(ctx, plan)...)
}

// planCreate asks AWS who we are and whether the name is free, so that a wrong
// account or a taken name fails in plan.
func (r *iamUserResource) planCreate(ctx context.Context, plan *iamUserModel, diags *diag.Diagnostics) {
	if diags.Append(r.requireAccount(ctx)...); diags.HasError() {
		return
	}
	identity, err := r.aws.Identity(ctx)
	if err != nil {
		diags.AddError("AWS credentials do not work", err.Error())
		return
	}
	plan.PolicyJSON = types.StringValue(awsapi.PublishPolicy(identity.Partition))
	if plan.Name.IsUnknown() {
		return
	}
	name := plan.Name.ValueString()
	what := fmt.Sprintf("IAM user %q in account %s", name, identity.AccountID)
	found, err := r.aws.User(ctx, name)
	switch {
	case awsapi.IsNotFound(err):
	case err != nil:
		diags.AddAttributeError(path.Root("name"), "IAM user cannot be looked up", err.Error())
	case r.isLeft(ctx, found, *plan):
		leftBehind(diags, what, "was made by this provider for the same tenant, is as configured here, and has no access key")
	default:
		alreadyExists(diags, typeIAMUser, what, name, anotherName)
	}
}

// isLeft tells whether a user that is not in the state is what an apply made
// that did not live to write it: it bears our mark, is what this one would make,
// and has no key, so nothing depends on it. What cannot be read is somebody's.
func (r *iamUserResource) isLeft(ctx context.Context, found awsapi.User, plan iamUserModel) bool {
	want := plan.user()
	if found.Tags[handover.TagCreated] != r.mark() || found.Path != want.Path || found.PermissionsBoundary != want.PermissionsBoundary ||
		!maps.Equal(withoutOwnTags(found.Tags), want.Tags) {
		return false
	}
	policy, err := r.aws.UserPolicy(ctx, found.Name, plan.PolicyName.ValueString())
	if err != nil && !awsapi.IsNotFound(err) || err == nil && !awsapi.PoliciesEqual(policy, awsapi.PublishPolicy(found.Partition())) {
		return false
	}
	keys, err := r.aws.AccessKeys(ctx, found.Name)
	return err == nil && len(keys) == 0
}

// mark is what a user's tag says about who made it.
func (r *iamUserResource) mark() string {
	if r.auth0 == nil {
		return "auth0sns"
	}
	return r.auth0.Domain()
}

// create makes the user, or takes the one that was made already: by an apply
// that did not live to write the state, or by this one's own request, whose
// answer was lost.
func (r *iamUserResource) create(ctx context.Context, plan iamUserModel) (awsapi.User, error) {
	user := plan.user()
	user.Tags[handover.TagCreated] = r.mark()
	created, failure := r.aws.CreateUser(ctx, user)
	if failure == nil || !mayExist(failure) {
		return created, failure
	}
	if found, err := r.aws.User(ctx, user.Name); err == nil && r.isLeft(ctx, found, plan) {
		return found, nil
	}
	return awsapi.User{}, failure
}

// planUpdate shows a policy that was edited by hand as going back to ours, and
// refuses to write it over another policy of the user.
func (r *iamUserResource) planUpdate(ctx context.Context, plan *iamUserModel, state iamUserModel, diags *diag.Diagnostics) {
	desired := awsapi.PublishPolicy(partitionOfARN(state.ARN.ValueString()))
	plan.PolicyJSON = state.PolicyJSON
	if state.PolicyJSON.IsNull() || !awsapi.PoliciesEqual(state.PolicyJSON.ValueString(), desired) {
		plan.PolicyJSON = types.StringValue(desired)
	}
	plan.ARN = state.ARN
	if !plan.Name.Equal(state.Name) || !plan.Path.Equal(state.Path) {
		plan.ARN = types.StringUnknown()
	}
	if plan.PolicyName.IsUnknown() || plan.PolicyName.Equal(state.PolicyName) {
		return
	}
	attribute := path.Root("policy_name")
	user, policy := state.Name.ValueString(), plan.PolicyName.ValueString()
	switch document, err := r.aws.UserPolicy(ctx, user, policy); {
	case awsapi.IsNotFound(err):
	case err != nil:
		diags.AddAttributeError(attribute, "IAM user policy cannot be looked up", err.Error())
	case !awsapi.PoliciesEqual(document, desired):
		diags.AddAttributeError(attribute, "The user has another policy of this name", fmt.Sprintf(
			"User %q has an inline policy %q that Terraform did not make. It is never overwritten silently: choose another policy_name, "+
				"or delete that policy first (aws iam delete-user-policy --user-name %s --policy-name %s).", user, policy, user, policy))
	}
}

func (r *iamUserResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan iamUserModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireAccount(ctx)...); resp.Diagnostics.HasError() {
		return
	}
	user, err := r.create(ctx, plan)
	if err != nil {
		resp.Diagnostics.AddError("IAM user was not created", err.Error())
		return
	}
	policy := awsapi.PublishPolicy(partitionOfARN(user.ARN))
	if err := r.aws.PutUserPolicy(ctx, user.Name, plan.PolicyName.ValueString(), policy); err != nil {
		resp.Diagnostics.AddError("IAM user did not get its policy", err.Error()+"\n\n"+r.undoCreate(ctx, user.Name, plan.PolicyName.ValueString()))
		return
	}
	plan.PolicyJSON = types.StringValue(policy)
	plan.read(user, policy)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// undoCreate removes a user that was left without its policy: kept out of the
// state, it would stand in the way of the next apply. The policy may be there
// all the same, where only AWS's answer was lost.
func (r *iamUserResource) undoCreate(ctx context.Context, name, policy string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handover.CleanupLimit)
	defer cancel()
	err := r.deletePolicy(ctx, name, policy)
	if err == nil {
		err = r.aws.DeleteUser(ctx, name)
	}
	if err != nil {
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
	if err == nil || awsapi.IsNotFound(err) {
		if resp.Diagnostics.Append(r.requireSameAccount(ctx, state.ARN.ValueString(), user.ARN)...); resp.Diagnostics.HasError() {
			return
		}
	}
	if awsapi.IsNotFound(err) {
		removedOutside(&resp.Diagnostics, "IAM user", name)
		resp.State.RemoveResource(ctx)
		return
	}
	if err != nil {
		addAWSError(&resp.Diagnostics, "IAM user cannot be read", err)
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

// requireSameAccount refuses to take another account's answer for the fate of
// the user of the state: staging's state under production's credentials would
// read as "deleted", or as changed where production has a user of that name.
// found is "" for a user that is not there.
func (r *iamUserResource) requireSameAccount(ctx context.Context, known, found string) diag.Diagnostics {
	var diags diag.Diagnostics
	want, got := accountOfARN(known), accountOfARN(found)
	if want != "" && got == "" {
		identity, err := r.aws.Identity(ctx)
		if err != nil {
			diags.AddError("AWS credentials do not work", err.Error())
			return diags
		}
		got = identity.AccountID
	}
	if want != "" && want != got {
		diags.AddError("Wrong AWS account", fmt.Sprintf(
			"The user of the state is %s, and the credentials lead to account %s. Nothing was changed.\n\n"+
				"Use credentials of account %s (aws.profile, aws.assume_role_arn, AWS_PROFILE). With aws.allowed_account_ids every object is protected like this.",
			known, got, want))
	}
	return diags
}

func (r *iamUserResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan, state iamUserModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireSameAccount(ctx, state.ARN.ValueString(), "")...); resp.Diagnostics.HasError() {
		return
	}
	if err := r.update(ctx, plan, state); err != nil {
		resp.Diagnostics.AddError("IAM user was not updated", err.Error())
		return
	}
	// Not read back: IAM may answer what was there a moment ago.
	plan.ARN = types.StringValue(userARN(state.ARN.ValueString(), plan.Path.ValueString(), plan.Name.ValueString()))
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
	// Removed first: to IAM a key in another case is the same key.
	set, remove := tagChanges(stringMap(state.Tags), stringMap(plan.Tags))
	if len(remove) > 0 {
		if err := r.aws.UntagUser(ctx, name, remove); err != nil {
			return err
		}
	}
	if len(set) > 0 {
		if err := r.aws.TagUser(ctx, name, set); err != nil {
			return err
		}
	}
	if !plan.Name.Equal(state.Name) || !plan.Path.Equal(state.Path) {
		return r.rename(ctx, plan, state)
	}
	return nil
}

// rename looks under the new name when AWS's answer was lost: a state with the
// old name would take the user for deleted.
func (r *iamUserResource) rename(ctx context.Context, plan, state iamUserModel) error {
	name := plan.Name.ValueString()
	err := r.aws.RenameUser(ctx, state.Name.ValueString(), name, plan.Path.ValueString())
	var failed *awsapi.Error
	if !errors.As(err, &failed) || !failed.Ambiguous() {
		return err
	}
	user, lookupErr := r.aws.User(ctx, name)
	if lookupErr == nil && user.UniqueID == state.UniqueID.ValueString() && user.Path == plan.Path.ValueString() {
		return nil
	}
	return err
}

func (r *iamUserResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	ctx = r.masked(ctx)
	var state iamUserModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireSameAccount(ctx, state.ARN.ValueString(), "")...); resp.Diagnostics.HasError() {
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
	keys, err := r.aws.AccessKeys(ctx, name)
	exists := func() error { _, err := r.aws.User(ctx, name); return err }
	if err != nil {
		return confirmGone(err, exists)
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
	return confirmGone(r.aws.DeleteUser(ctx, name), exists)
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
func partitionOfARN(arn string) string { return partOfARN(arn, 1) }

// accountOfARN returns the account of arn:aws:iam::111122223333:user/….
func accountOfARN(arn string) string { return partOfARN(arn, 4) }

func partOfARN(arn string, i int) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[i]
}

// userARN is the ARN of a user of the same account under a path and name.
func userARN(known, path, name string) string {
	account, _, _ := strings.Cut(known, ":user/")
	return account + ":user" + path + name
}
