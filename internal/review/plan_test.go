package review_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
)

// TestAgainst is the worst mistake: staging is meant, and production is changed.
func TestAgainst(t *testing.T) {
	pins := review.Pins{Environment: "staging", Domain: "https://Staging.eu.auth0.com/", AccountID: "111122223333"}
	const (
		variables = `"variables": {"domain": {"value": %q}, "account_id": {"value": %q}, "token": {"value": "a.b.c"}}, `
		byVar     = `"auth0sns": {"name": "auth0sns", "expressions": {"auth0": {"references": ["var.domain"]}, "aws": {"references": ["var.account_id"]}}}`
		byConst   = `"auth0sns": {"name": "auth0sns", "expressions": {"auth0": {"constant_value": {"domain": %q}}, "aws": {"constant_value": {"allowed_account_ids": [%q]}}}}`
		renamed   = `"sns": {"name": "sns", "full_name": "registry.terraform.io/auth0sns/auth0sns", "expressions": {"auth0": {"constant_value": {"domain": %q}}}}`
		bare      = `"auth0sns": {"name": "auth0sns"}`
		user      = `{"address": "auth0sns_iam_user.sms", "type": "auth0sns_iam_user", "name": "sms", "change": {"actions": ["no-op"], "before": {"arn": "arn:aws:iam::%[1]s:user/u"}, "after": {"arn": "arn:aws:iam::%[1]s:user/u"}}}`
	)
	plan := func(variables, providers, changes string) string {
		return `{"format_version": "1.2", ` + variables + `"configuration": {"provider_config": {` + providers + `}}, "resource_changes": [` + changes + `]}`
	}
	for name, test := range map[string]struct {
		plan string
		want []string
	}{
		"the tenant by a variable that is no domain": {plan(fmt.Sprintf(variables, "tenant", "111122223333"), byVar, ""), []string{"tenant-not-pinned"}},
		"by variables":                 {plan(fmt.Sprintf(variables, "staging.eu.auth0.com", "111122223333"), byVar, fmt.Sprintf(user, "111122223333")), nil},
		"by constants":                 {plan("", fmt.Sprintf(byConst, "staging.eu.auth0.com", "111122223333"), ""), nil},
		"another tenant":               {plan(fmt.Sprintf(variables, "production.eu.auth0.com", "111122223333"), byVar, ""), []string{"wrong-tenant"}},
		"another tenant, constant":     {plan("", fmt.Sprintf(byConst, "production.eu.auth0.com", "111122223333"), ""), []string{"wrong-tenant"}},
		"another account":              {plan("", fmt.Sprintf(byConst, "staging.eu.auth0.com", "444455556666"), ""), []string{"wrong-account"}},
		"another account, by the user": {plan("", bare, fmt.Sprintf(user, "444455556666")), []string{"wrong-account", "account-not-pinned", "tenant-not-pinned"}},
		"a region is no account":       {plan(fmt.Sprintf(variables, "staging.eu.auth0.com", "us-east-1"), byVar, ""), []string{"account-not-pinned"}},
		"nothing is pinned":            {plan("", bare, ""), []string{"account-not-pinned", "tenant-not-pinned"}},
		"a provider by another name":   {plan("", fmt.Sprintf(renamed, "production.eu.auth0.com"), ""), []string{"wrong-tenant", "account-not-pinned"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range review.Against(read(t, []byte(test.plan)), pins) {
				got = append(got, f.ID)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSeveralTenants(t *testing.T) {
	findings := review.Plan(read(t, []byte(`{"format_version": "1.2", "resource_changes": [], "configuration": {"provider_config": {
		"auth0sns": {"name": "auth0sns", "expressions": {"auth0": {"constant_value": {"domain": "staging.eu.auth0.com"}}}},
		"auth0sns.production": {"name": "auth0sns", "alias": "production", "expressions": {"auth0": {"constant_value": {"domain": "production.eu.auth0.com"}}}}
	}}}`)))
	if len(findings) != 1 || findings[0].ID != "several-tenants" {
		t.Errorf("a plan of two tenants has the findings %v", findings)
	}
}

// TestDeferred keeps a change that Terraform puts off from passing for none.
func TestDeferred(t *testing.T) {
	findings := review.Plan(read(t, []byte(`{"format_version": "1.2", "complete": false, "resource_changes": [], "deferred_changes": [null, {},
		{"reason": "provider_config_unknown", "resource_change": {"address": "auth0sns_sms_factor.sms", "type": "auth0sns_sms_factor"}},
		{"reason": "provider_config_unknown", "resource_change": {"address": "random_id.x", "type": "random_id"}}]}`)))
	if len(findings) != 1 || findings[0].ID != "plan-incomplete" || findings[0].Address != "auth0sns_sms_factor.sms" {
		t.Errorf("a plan with a deferred factor has the findings %v", findings)
	}
}

// TestAttachmentByReference finds the user that sends through the configuration,
// where its name is not known before the apply.
func TestAttachmentByReference(t *testing.T) {
	const plan = `{"format_version": "1.2", "resource_changes": [
		{"address": "module.sms[0].auth0sns_iam_user.sms", "module_address": "module.sms[0]", "type": "auth0sns_iam_user", "name": "sms", "change": {"actions": ["create"], "after": {}, "after_unknown": {"name": true}}},
		{"address": "module.sms[0].aws_iam_user_policy_attachment.sns", "module_address": "module.sms[0]", "type": "aws_iam_user_policy_attachment", "name": "sns",
		 "change": {"actions": ["create"], "after": {"policy_arn": "arn:aws:iam::aws:policy/AmazonSNSFullAccess"}, "after_unknown": {"user": true}}}],
	"configuration": {"root_module": {"module_calls": {"sms": {"module": {"resources": [
		{"address": "aws_iam_user_policy_attachment.sns", "type": "aws_iam_user_policy_attachment", "name": "sns", "expressions": {"user": {"references": [%q]}}}]}}}}}}`
	severity := func(reference string) string {
		findings := review.Plan(read(t, fmt.Appendf(nil, plan, reference)))
		if len(findings) != 1 {
			t.Fatalf("findings %v", findings)
		}
		return findings[0].Severity.String()
	}
	if got := severity("auth0sns_iam_user.sms.name"); got != "high" {
		t.Errorf("AmazonSNSFullAccess for the user that sends is %s", got)
	}
	if got := severity("var.user"); got != "medium" {
		t.Errorf("AmazonSNSFullAccess for a user that nobody knows is %s", got)
	}
}

// TestRead refuses what is no plan with words that say what it is.
func TestRead(t *testing.T) {
	for name, test := range map[string]struct{ data, want string }{
		"nothing":                  {"", "not what \"terraform show -json\" prints"},
		"text":                     {"Terraform will perform", "not what \"terraform show -json\" prints"},
		"a list":                   {"[]", "not what \"terraform show -json\" prints"},
		"a stream of plan -json":   {`{"@level":"info"}` + "\n" + `{"@level":"info"}`, "not what \"terraform show -json\" prints"},
		"no version":               {`{"resource_changes": []}`, "no format_version"},
		"a version that is no one": {`{"format_version": "one", "resource_changes": []}`, "one"},
		"a version of the future":  {`{"format_version": "2.0", "resource_changes": []}`, "2.0"},
		"a state":                  {`{"format_version": "1.0", "values": {"root_module": {}}}`, "no plan"},
		"a plan that failed":       {`{"format_version": "1.2", "errored": true, "resource_changes": []}`, "could not finish"},
		"another type":             {`{"format_version": "1.2", "resource_changes": 7}`, "cannot be read"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := review.Read([]byte(test.data)); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
	if _, err := review.Read([]byte(`{"format_version": "1.9", "from_the_future": {}, "planned_values": {}}`)); err != nil {
		t.Errorf("a plan with an unknown field is refused: %v", err)
	}
}

// TestCodeIsShown gives a reviewer the code itself: own code as it is, the
// sender's as this version renders it from the options.
func TestCodeIsShown(t *testing.T) {
	all := cases(t)
	for name, want := range map[string]string{
		"own code changes":                       "\n+// more\n",
		"own code takes the place of the sender": "",
		"sender code of another version":         "",
		"auth0_action: code and secrets":         "-a\n+b\n",
		"an inline policy for the user":          `"Action":"*"`,
		"the user's policy allows all of SNS":    `"Action":"sns:*"`,
	} {
		t.Run(name, func(t *testing.T) {
			f := review.Plan(all[name].plan)[0]
			if want == "" && f.Diff != "" || !strings.Contains(strings.ReplaceAll(f.Diff, ": ", ":"), want) {
				t.Errorf("the diff is\n%s\nwant %q in it", f.Diff, want)
			}
		})
	}
}

// TestDestroyIsNotSaidToRefuse: who destroys everything is not to rely on a guard
// that the same plan takes away, and who leaves the factor on has it.
func TestDestroyIsNotSaidToRefuse(t *testing.T) {
	const plan = `{"format_version": "1.2", "resource_changes": [
		{"address": "auth0sns_sms_factor.sms", "type": "auth0sns_sms_factor", "name": "sms", "change": {"actions": ["delete"], "before": {"enabled": true, "on_destroy": %q}, "after": null}},
		{"address": "auth0sns_action.sms", "type": "auth0sns_action", "name": "sms", "change": {"actions": ["delete"], "before": {"bound": true}, "after": null}}]}`
	for onDestroy, want := range map[string]string{
		"restore": "The factor goes first in the same plan, so the apply does not refuse.",
		"leave":   "The apply refuses while people get their codes through it.",
	} {
		findings := review.Plan(read(t, fmt.Appendf(nil, plan, onDestroy)))
		i := slices.IndexFunc(findings, func(f review.Finding) bool { return f.ID == "sender-destroyed" })
		if i < 0 || !strings.HasPrefix(findings[i].Detail, want) {
			t.Errorf("with on_destroy %q the findings are %+v, want %q", onDestroy, findings, want)
		}
	}
}

// TestGuideHasEveryRule keeps the page to which a finding's id leads complete.
func TestGuideHasEveryRule(t *testing.T) {
	guide, err := os.ReadFile("../../templates/guides/review.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	for _, rule := range review.Rules() {
		if strings.Count(string(guide), "| `"+rule.ID+"` |") != 1 {
			t.Errorf("the guide does not say what %s is, or twice", rule.ID)
		}
	}
}
