package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

// TestAccScenarioHook is the whole guide. If it fails, nobody gets a code.
func TestAccScenarioHook(t *testing.T) {
	env := acctest.New(t, acctest.WithNode(t))
	var before string
	env.Test(t,
		resource.TestStep{
			Config: acctest.Config(t, "scenarios/hook/main.tf"),
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("auth0sns_iam_user.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_hook.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_credentials.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_sms_factor.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_mfa_policy.sms", plancheck.ResourceActionCreate),
			}},
			Check: func(*terraform.State) error {
				result := env.Challenge(t)
				sms := lastSMS(t, env)
				before = sms.AccessKeyID
				requireEqual(t, "text on the phone", sms.Text, result.Text)
				return nil
			},
		},
		resource.TestStep{
			Config:          acctest.Config(t, "scenarios/hook/main.tf"),
			ConfigVariables: config.Variables{"rotation": config.StringVariable("2")},
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("auth0sns_credentials.sms", plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction("auth0sns_sms_factor.sms", plancheck.ResourceActionNoop),
				plancheck.ExpectResourceAction("auth0sns_hook.sms", plancheck.ResourceActionNoop),
			}},
			Check: func(*terraform.State) error {
				env.Challenge(t)
				if after := lastSMS(t, env).AccessKeyID; after == before {
					t.Errorf("after a rotation the hook still sends with %s", after)
				}
				return nil
			},
		},
	)
}
