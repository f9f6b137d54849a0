package provider

import (
	"errors"
	"fmt"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// Values of mfa_policy.policy. Never is ours: Auth0 says it with an empty list.
const (
	policyAll        = "all-applications"
	policyConfidence = "confidence-score"
	policyNever      = "never"
)

var errNoFactor = errors.New("no MFA factor of this tenant is switched on, so this policy would lock out everybody who logs in. Nothing was changed. " +
	"Switch a factor on first: let this resource depend on auth0sns_sms_factor (depends_on)")

type mfaPolicyModel struct {
	Policy types.String `tfsdk:"policy"`
	Prior  types.String `tfsdk:"prior"`
}

// priorPolicies are what destroy gives back where these were found, with these
// factors. A policy cannot outlive the only factor, which Auth0 keeps on while
// there is one: it is of an apply that stopped, or of the object that is replaced.
func priorPolicies(found []string, factors map[string]bool) []string {
	for factor, enabled := range factors {
		if enabled && factor != delivery.FactorSMS {
			return found
		}
	}
	return nil
}

// policiesOf is the list that Auth0 takes for a policy.
func policiesOf(policy string) []string {
	if policy == policyNever {
		return []string{}
	}
	return []string{policy}
}

// policyOf is the policy that Auth0's list means.
func policyOf(policies []string) (string, error) {
	switch {
	case len(policies) == 0:
		return policyNever, nil
	case len(policies) == 1:
		return policies[0], nil
	default:
		return "", fmt.Errorf("Auth0 answered the policies %q; this version knows tenants with one", policies) //nolint:staticcheck // Auth0 is a name.
	}
}

func anyEnabled(factors map[string]bool) bool {
	for _, enabled := range factors {
		if enabled {
			return true
		}
	}
	return false
}
