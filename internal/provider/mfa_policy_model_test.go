package provider

import (
	"slices"
	"testing"
)

func TestPolicyAndPoliciesAgree(t *testing.T) {
	for policy, policies := range map[string][]string{
		policyNever: {}, policyAll: {"all-applications"}, policyConfidence: {"confidence-score"},
	} {
		if got := policiesOf(policy); !slices.Equal(got, policies) || got == nil {
			t.Errorf("%s is written as %#v, want %#v", policy, got, policies)
		}
		if got, err := policyOf(policies); err != nil || got != policy {
			t.Errorf("%q is read as %q, %v, want %s", policies, got, err, policy)
		}
	}
	if got, err := policyOf([]string{policyAll, policyConfidence}); err == nil {
		t.Errorf("two policies were read as %q: one of them would be dropped by the next apply", got)
	}
}

func TestAnyEnabled(t *testing.T) {
	if anyEnabled(map[string]bool{"sms": false, "otp": false}) || anyEnabled(nil) {
		t.Error("a tenant without a factor would get a policy that locks everybody out")
	}
	if !anyEnabled(map[string]bool{"sms": false, "otp": true}) {
		t.Error("a factor that is on was not seen")
	}
}
