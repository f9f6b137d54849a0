package provider_test

import (
	"fmt"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	mfaPolicyAddress = "auth0sns_mfa_policy.test"
	putPolicies      = "PUT /api/v2/guardian/policies"
)

func mfaPolicyConfig(policy string) string {
	return blockConfig("auth0sns_mfa_policy", fmt.Sprintf("  policy = %q", policy))
}

// newPolicyTenant has another factor than SMS on, so that a policy locks nobody out.
func newPolicyTenant(t *testing.T, policies ...string) *acctest.Env {
	t.Helper()
	env := acctest.New(t)
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), "otp", true))
	switches := env.Tenant.Switches()
	switches.ConfidenceScore = true
	succeeds(t, env.Tenant.SetSwitches(switches))
	succeeds(t, env.Auth0(t).SetPolicies(t.Context(), policies))
	return env
}

func requirePolicies(t *testing.T, env *acctest.Env, want ...string) {
	t.Helper()
	requireEqual(t, "policies of the tenant", env.Tenant.Snapshot().Policies, append([]string{}, want...))
}

// TestAccMFAPolicy proves each policy, the way from one to another, an import,
// and that a change by hand is seen.
func TestAccMFAPolicy(t *testing.T) {
	env := newPolicyTenant(t)
	client := env.Auth0(t)
	step := func(action plancheck.ResourceActionType, policy string, policies ...string) resource.TestStep {
		return resource.TestStep{
			Config:           mfaPolicyConfig(policy),
			ConfigPlanChecks: actionIs(mfaPolicyAddress, action),
			Check:            holds(func() { requirePolicies(t, env, policies...) }),
		}
	}
	byHand := func(before string, policies ...string) resource.TestStep {
		s := step(plancheck.ResourceActionUpdate, "all-applications", "all-applications")
		s.PreConfig = func() { succeeds(t, client.SetPolicies(t.Context(), policies)) }
		s.ConfigPlanChecks = actionIs(mfaPolicyAddress, plancheck.ResourceActionUpdate, expectBefore{"policy", knownvalue.StringExact(before)})
		return s
	}
	env.Test(t,
		step(plancheck.ResourceActionCreate, "never"),
		step(plancheck.ResourceActionUpdate, "confidence-score", "confidence-score"),
		step(plancheck.ResourceActionUpdate, "all-applications", "all-applications"),
		byHand("never"),
		byHand("confidence-score", "confidence-score"),
		resource.TestStep{
			ResourceName: mfaPolicyAddress, ImportState: true, ImportStateId: "mfa-policy",
			ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "policy",
			ImportStateVerifyIgnore: []string{"prior"}, // What an import finds is what destroy gives back.
		},
		resource.TestStep{
			Config: mfaPolicyConfig("all-applications"), ResourceName: mfaPolicyAddress, ImportState: true, ImportStateId: "mfa-policy",
			ImportStateKind: resource.ImportBlockWithID,
		},
	)
	requirePolicies(t, env)
}

// TestAccMFAPolicyExists proves that a policy which somebody set is not
// overwritten unless it is imported, and is given back then.
func TestAccMFAPolicyExists(t *testing.T) {
	env := newPolicyTenant(t, "confidence-score")
	tf := newWorkspace(t, env, mfaPolicyConfig("all-applications"))
	refused := tf.run("plan")
	requireWords(t, refused.errorText(), `The MFA policy ["confidence-score"]`, "already exists", "never taken over silently",
		"import {\n    to = auth0sns_mfa_policy.NAME", `id = "mfa-policy"`)
	requireNoWrites(t, refused.requests)
	tf.write(mfaPolicyConfig("never"))
	requireWords(t, tf.run("plan").errorText(), "already exists")

	block := func(id string) string {
		return fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", mfaPolicyAddress, id)
	}
	tf.write(mfaPolicyConfig("all-applications") + block("policy"))
	requireWords(t, tf.run("plan").errorText(), `The MFA policy is imported as "mfa-policy"`)
	tf.write(mfaPolicyConfig("all-applications") + block("mfa-policy"))
	tf.must("apply")
	requirePolicies(t, env, "all-applications")
	requireSettled(t, tf)
	tf.must("destroy")
	requirePolicies(t, env, "confidence-score")
}

// TestAccMFAPolicyAdopted proves that a policy which is as configured is neither
// refused nor taken away in the end.
func TestAccMFAPolicyAdopted(t *testing.T) {
	env := newPolicyTenant(t, "all-applications")
	tf := newWorkspace(t, env, mfaPolicyConfig("all-applications"))
	adopted := tf.must("apply")
	requireEqual(t, "plan", adopted.changes, map[string]string{mfaPolicyAddress: "create"})
	requireWords(t, adopted.text("warning"), "MFA policy is set already", "prior")
	requireSettled(t, tf)
	requireEqual(t, "changes of its destroy", writesOf(tf.must("destroy").requests), []string{})
	requirePolicies(t, env, "all-applications")
}

// TestAccMFAPolicyOfOnlyFactor: a policy that is given back while SMS is the only factor
// keeps that on, and its sender from being destroyed.
func TestAccMFAPolicyOfOnlyFactor(t *testing.T) {
	env := newSMSFactorWorld(t)
	policy := "\nresource \"auth0sns_mfa_policy\" \"test\" {\n  policy = \"all-applications\"\n  depends_on = [auth0sns_sms_factor.test]\n}\n"
	tf := newWorkspace(t, env, smsFactorConfig("")+policy)
	tf.must("apply")
	tf.forget()
	tf.must("apply")
	requireSettled(t, tf)
	tf.must("destroy")
	requirePolicies(t, env)
	requirePhone(t, env, phoneSettings{provider: "auth0", types: []string{}})
}

// TestAccMFAPolicyNoAnswer: whether the policy was set is not known, so it is set
// back. Else the next apply would take it for what was there before, and MFA
// would stay demanded of everybody.
func TestAccMFAPolicyNoAnswer(t *testing.T) {
	env := newPolicyTenant(t)
	tf := newWorkspace(t, env, mfaPolicyConfig("all-applications"))
	end := armFault(t, env, control.Fault{Operation: putPolicies, Times: 4, Effect: control.DropAfter})
	requireWords(t, tf.run("apply").errorText(), "MFA policy was not set", "not known whether")
	end()
	tf.must("apply")
	requirePolicies(t, env, "all-applications")
	tf.must("destroy")
	requirePolicies(t, env)
}

// TestAccMFAPolicyWithoutFactor: everybody who logs in would be locked out.
func TestAccMFAPolicyWithoutFactor(t *testing.T) {
	env := newPolicyTenant(t)
	client := env.Auth0(t)
	succeeds(t, client.SetFactor(t.Context(), "otp", false))
	tf := newWorkspace(t, env, mfaPolicyConfig("all-applications"))
	refused := tf.run("apply")
	requireWords(t, refused.errorText(), "no MFA factor of this tenant is switched on", "Nothing was changed", "depends_on")
	requireNoWrites(t, refused.requests)

	// Never locks nobody out.
	tf.write(mfaPolicyConfig("never"))
	tf.must("apply")
	tf.write(mfaPolicyConfig("all-applications"))
	requireWords(t, tf.run("apply").errorText(), "no MFA factor of this tenant is switched on")
	requirePolicies(t, env)
	requireEqual(t, "next plan", tf.must("plan").changes, map[string]string{mfaPolicyAddress: "update"})

	succeeds(t, client.SetFactor(t.Context(), "otp", true))
	tf.must("apply")
	requirePolicies(t, env, "all-applications")
	requireSettled(t, tf)
	tf.must("destroy")
	requirePolicies(t, env)
}

// TestAccMFAPolicyGivesBackNoLockOut: what was there before had a factor.
func TestAccMFAPolicyGivesBackNoLockOut(t *testing.T) {
	env := newPolicyTenant(t, "all-applications")
	tf := newWorkspace(t, env, mfaPolicyConfig("never")+fmt.Sprintf("import {\n  to = %s\n  id = \"mfa-policy\"\n}\n", mfaPolicyAddress))
	tf.must("apply")
	requirePolicies(t, env)
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), "otp", false))
	refused := tf.run("destroy")
	requireWords(t, refused.errorText(), "MFA policy was not given back", "no MFA factor of this tenant is switched on")
	requireNoWrites(t, refused.requests)
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), "otp", true))
	tf.must("destroy")
	requirePolicies(t, env, "all-applications")
}

// TestAccMFAPolicyEntitlement proves that a policy the tenant's plan lacks is
// announced in plan, named in apply, and changes nothing.
func TestAccMFAPolicyEntitlement(t *testing.T) {
	env := newPolicyTenant(t)
	switches := env.Tenant.Switches()
	switches.ConfidenceScore = false
	succeeds(t, env.Tenant.SetSwitches(switches))
	tf := newWorkspace(t, env, mfaPolicyConfig("confidence-score"))
	requireWords(t, tf.must("plan").text("warning"), "Policy needs Adaptive MFA", `policy: "confidence-score"`, "changes nothing")
	requireWords(t, tf.run("apply").errorText(), "The tenant's plan lacks this policy", "policy: ", "Adaptive MFA", "insufficient_entitlement", "Nothing was changed")
	requirePolicies(t, env)

	tf.write(mfaPolicyConfig("all-applications"))
	tf.must("apply")
	tf.write(mfaPolicyConfig("confidence-score"))
	requireWords(t, tf.run("apply").errorText(), "The tenant's plan lacks this policy")
	requirePolicies(t, env, "all-applications")
	tf.must("destroy")
	requirePolicies(t, env)
}

func TestAccMFAPolicyRefused(t *testing.T) {
	env := newPolicyTenant(t)
	tf := newWorkspace(t, env, mfaPolicyConfig("always"))
	requireWords(t, tf.run("plan").errorText(), "policy", `"all-applications"`, `"confidence-score"`, `"never"`)

	tf.write(mfaPolicyConfig("all-applications"))
	end := armFault(t, env, control.Fault{Operation: putPolicies, Times: 1, Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"refused by the test"}`})
	requireWords(t, tf.run("apply").errorText(), "MFA policy was not set", "refused by the test")
	end()
	requireEqual(t, "next plan", tf.must("apply").changes, map[string]string{mfaPolicyAddress: "create"})
	succeeds(t, env.Auth0(t).SetPolicies(t.Context(), []string{"all-applications", "confidence-score"}))
	requireWords(t, tf.run("plan").errorText(), "MFA policy is not understood", "this version knows tenants with one")
	succeeds(t, env.Auth0(t).SetPolicies(t.Context(), []string{"all-applications"}))
	tf.must("destroy")
}

// TestAccMFAPolicyLastFactor proves the order of the way down: Auth0 refuses to
// switch the last factor off while a policy asks for it.
func TestAccMFAPolicyLastFactor(t *testing.T) {
	env := newSMSFactorWorld(t)
	before := env.State()
	policy := "\nresource \"auth0sns_mfa_policy\" \"test\" {\n  policy = \"all-applications\"\n%s}\n"
	tf := newWorkspace(t, env, smsFactorConfig("")+fmt.Sprintf(policy, "  depends_on = [auth0sns_sms_factor.test]\n"))
	up := writesOf(tf.must("apply").requests)
	requireEqual(t, "changes on the way up", up, []string{putProvider, putFactor, putTypes, putPolicies})
	requireSettled(t, tf)

	// Destroying the factor alone takes the policy with it: the policy depends on it.
	requireEqual(t, "changes on the way down", writesOf(tf.must("destroy", "-target="+smsFactorAddress).requests),
		[]string{putPolicies, putTypes, putFactor, putProvider})
	requireEqual(t, "what is left after destroy", before.Diff(env.State()), "")

	// A policy that somebody sets by hand keeps the factor on, and says why.
	tf.write(smsFactorConfig(""))
	tf.must("apply")
	succeeds(t, env.Auth0(t).SetPolicies(t.Context(), []string{"all-applications"}))
	requireWords(t, tf.run("destroy").errorText(), "SMS factor was not given back", "At least one factor must be enabled")
	requirePhone(t, env, phoneSettings{enabled: true, provider: "phone-message-hook", types: []string{"sms"}})
	succeeds(t, env.Auth0(t).SetPolicies(t.Context(), nil))
	tf.must("destroy")
	requireEqual(t, "what is left after destroy", before.Diff(env.State()), "")
}

// TestAccMFAPolicyReplaced: the object that goes last must not take the policy
// along that its successor has set.
func TestAccMFAPolicyReplaced(t *testing.T) {
	env := acctest.New(t)
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), "otp", true))
	w := newWorkspace(t, env, blockConfig("auth0sns_mfa_policy", "  policy = \"all-applications\"\n  lifecycle {\n    create_before_destroy = true\n  }"))
	w.must("apply")
	replaced := w.must("apply", "-replace=auth0sns_mfa_policy.test")
	requireWords(t, replaced.text("warning"), "MFA policy was left to its successor")
	requireEqual(t, "policy of the tenant", env.Tenant.Snapshot().Policies, []string{"all-applications"})
}
