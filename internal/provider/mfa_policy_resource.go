package provider

import (
	"context"
	"fmt"
	"slices"

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
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

const (
	typeMFAPolicy = "auth0sns_mfa_policy"
	// mfaPolicyImportID names the one MFA policy of a tenant.
	mfaPolicyImportID = "mfa-policy"
)

func newMFAPolicyResource() resource.Resource { return &mfaPolicyResource{} }

type mfaPolicyResource struct{ base }

func (r *mfaPolicyResource) Metadata(_ context.Context, _ resource.MetadataRequest, resp *resource.MetadataResponse) {
	resp.TypeName = typeMFAPolicy
}

func (r *mfaPolicyResource) Schema(_ context.Context, _ resource.SchemaRequest, resp *resource.SchemaResponse) {
	resp.Schema = schema.Schema{
		MarkdownDescription: "When the tenant asks for MFA. A tenant has one such policy; what was there before is given back on destroy.",
		Attributes: map[string]schema.Attribute{
			"policy": schema.StringAttribute{
				MarkdownDescription: "`all-applications` asks at every login, `confidence-score` at risky ones (Adaptive MFA, an add-on of the tenant's plan), `never` leaves it to Actions and applications.",
				Required:            true,
				Validators:          []validator.String{stringvalidator.OneOf(policyAll, policyConfidence, policyNever)},
			},
			"prior": schema.StringAttribute{
				MarkdownDescription: "The policy that was there when Terraform took it over, which destroy gives back. `never` where SMS was the only factor that was on: Auth0 keeps the last factor on while a policy is set.",
				Computed:            true,
				PlanModifiers:       []planmodifier.String{stringplanmodifier.UseStateForUnknown()},
			},
		},
	}
}

func (r *mfaPolicyResource) ModifyPlan(ctx context.Context, req resource.ModifyPlanRequest, resp *resource.ModifyPlanResponse) {
	if r.clients == nil || r.auth0 == nil || req.Plan.Raw.Equal(req.State.Raw) {
		return
	}
	if req.Plan.Raw.IsNull() {
		r.policy.planDestroy(req.State)
		return
	}
	ctx = r.masked(ctx)
	var policy types.String
	resp.Diagnostics.Append(req.Plan.GetAttribute(ctx, path.Root("policy"), &policy)...)
	resp.Diagnostics.Append(r.requireScopes(ctx, "read:mfa_policies", "update:mfa_policies", "read:guardian_factors")...)
	if resp.Diagnostics.HasError() || policy.IsUnknown() {
		return
	}
	if policy.ValueString() == policyConfidence {
		resp.Diagnostics.AddAttributeWarning(path.Root("policy"), "Policy needs Adaptive MFA",
			"policy: \"confidence-score\" works on tenants whose plan has the Adaptive MFA add-on. Auth0 tells only when it is set: on a tenant without it the apply stops with an error and changes nothing.")
	}
	if req.State.Raw.IsNull() {
		r.planCreate(ctx, policy.ValueString(), &resp.Diagnostics)
	}
}

// planCreate refuses to overwrite a policy that somebody set.
func (r *mfaPolicyResource) planCreate(ctx context.Context, policy string, diags *diag.Diagnostics) {
	policies, err := r.auth0.Policies(ctx)
	if err != nil {
		diags.AddError("MFA policy cannot be read", err.Error())
		return
	}
	switch {
	case len(policies) == 0:
	case !slices.Equal(policies, policiesOf(policy)):
		alreadyExists(diags, typeMFAPolicy, fmt.Sprintf("The MFA policy %q on %s", policies, r.auth0.Domain()), mfaPolicyImportID, "")
	default:
		diags.AddWarning("MFA policy is set already", fmt.Sprintf(
			"%s has the policy %q: by the object that this one replaces, by an apply that stopped, or by hand. It is taken over; the attribute prior will say what destroy gives back.", r.auth0.Domain(), policy))
	}
}

func (r *mfaPolicyResource) Create(ctx context.Context, req resource.CreateRequest, resp *resource.CreateResponse) {
	ctx = r.masked(ctx)
	var plan mfaPolicyModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, resp.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	r.policy.Lock()
	defer r.policy.Unlock()
	prior, err := r.prior(ctx)
	if err == nil {
		err = r.create(ctx, prior, plan.Policy.ValueString())
	}
	if err != nil {
		addPolicyError(&resp.Diagnostics, err)
		return
	}
	r.policy.created = true
	plan.Prior = types.StringValue(prior)
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

// create sets the policy, and goes back where it is not known whether that took
// effect: the next attempt would take it for what was there before.
func (r *mfaPolicyResource) create(ctx context.Context, prior, policy string) error {
	err := r.set(ctx, policiesOf(policy))
	if !delivery.Ambiguous(err) {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handover.CleanupLimit)
	defer cancel()
	if undone := r.auth0.SetPolicies(ctx, policiesOf(prior)); undone != nil {
		return fmt.Errorf("%w\n\nIt was %q before, which could not be given back: %w", err, prior, undone)
	}
	return err
}

// prior is the policy that destroy gives back.
func (r *mfaPolicyResource) prior(ctx context.Context) (string, error) {
	policies, err := r.auth0.Policies(ctx)
	if err != nil || len(policies) == 0 {
		return policyNever, err
	}
	factors, err := r.auth0.Factors(ctx)
	if err != nil {
		return "", err
	}
	return policyOf(priorPolicies(policies, factors))
}

// set writes the policies. A policy on a tenant without any factor would lock
// out everybody who logs in, so that is looked at first.
func (r *mfaPolicyResource) set(ctx context.Context, policies []string) error {
	if len(policies) > 0 {
		factors, err := r.auth0.Factors(ctx)
		if err != nil {
			return err
		}
		if !anyEnabled(factors) {
			return errNoFactor
		}
	}
	return r.auth0.SetPolicies(ctx, policies)
}

// addPolicyError puts Auth0's refusal at the attribute that caused it.
func addPolicyError(diags *diag.Diagnostics, err error) {
	if auth0api.KindOf(err) == auth0api.MissingEntitlement {
		diags.AddAttributeError(path.Root("policy"), "The tenant's plan lacks this policy", "policy: "+err.Error()+"\n\nNothing was changed.")
		return
	}
	diags.AddAttributeError(path.Root("policy"), "MFA policy was not set", err.Error())
}

func (r *mfaPolicyResource) Read(ctx context.Context, req resource.ReadRequest, resp *resource.ReadResponse) {
	ctx = r.masked(ctx)
	var state mfaPolicyModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if r.auth0 == nil {
		notConfigured(&resp.Diagnostics, "MFA policy")
		return
	}
	if resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...); resp.Diagnostics.HasError() {
		return
	}
	policies, err := r.auth0.Policies(ctx)
	if err != nil {
		resp.Diagnostics.AddError("MFA policy cannot be read", err.Error())
		return
	}
	policy, err := policyOf(policies)
	if err != nil {
		resp.Diagnostics.AddError("MFA policy is not understood", err.Error())
		return
	}
	state.Policy = types.StringValue(policy)
	if state.Prior.IsNull() {
		// After an import: what is there now is what destroy gives back.
		state.Prior = state.Policy
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, state)...)
}

func (r *mfaPolicyResource) Update(ctx context.Context, req resource.UpdateRequest, resp *resource.UpdateResponse) {
	ctx = r.masked(ctx)
	var plan mfaPolicyModel
	resp.Diagnostics.Append(req.Plan.Get(ctx, &plan)...)
	resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...)
	if resp.Diagnostics.HasError() {
		return
	}
	if err := r.set(ctx, policiesOf(plan.Policy.ValueString())); err != nil {
		addPolicyError(&resp.Diagnostics, err)
		return
	}
	resp.Diagnostics.Append(resp.State.Set(ctx, plan)...)
}

func (r *mfaPolicyResource) Delete(ctx context.Context, req resource.DeleteRequest, resp *resource.DeleteResponse) {
	ctx = r.masked(ctx)
	var state mfaPolicyModel
	resp.Diagnostics.Append(req.State.Get(ctx, &state)...)
	resp.Diagnostics.Append(r.requireTenant(ctx, req.Private, resp.Private)...)
	if resp.Diagnostics.HasError() {
		return
	}
	prior := policiesOf(state.Prior.ValueString())
	r.policy.Lock()
	defer r.policy.Unlock()
	if r.policy.succeeded(req.State) {
		// Giving back what was before this object would switch off what the other
		// one has switched on.
		resp.Diagnostics.AddWarning("MFA policy was left to its successor", fmt.Sprintf(
			"Another auth0sns_mfa_policy has the policy, so %q, which was there before, was not given back.", prior))
		return
	}
	now, err := r.auth0.Policies(ctx)
	if err == nil && !slices.Equal(now, prior) {
		err = r.set(ctx, prior)
	}
	if err != nil {
		resp.Diagnostics.AddError("MFA policy was not given back", err.Error())
	}
}

func (r *mfaPolicyResource) ImportState(ctx context.Context, req resource.ImportStateRequest, resp *resource.ImportStateResponse) {
	if req.ID != mfaPolicyImportID {
		resp.Diagnostics.AddError("Import id is malformed", fmt.Sprintf("The MFA policy is imported as %q; a tenant has one.", mfaPolicyImportID))
		return
	}
	resp.Diagnostics.Append(resp.State.SetAttribute(ctx, path.Root("policy"), policyNever)...)
}
