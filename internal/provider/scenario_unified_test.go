package provider_test

import (
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// TestAccScenarioUnified is the guide on a tenant that goes over to the Unified
// Phone Experience. If it fails, nobody gets a code there.
func TestAccScenarioUnified(t *testing.T) {
	env := acctest.New(t, acctest.WithNode(t))
	before := env.State()
	scenario := acctest.Config(t, "scenarios/unified/main.tf")
	action := func(address string, action plancheck.ResourceActionType) plancheck.PlanCheck {
		return plancheck.ExpectResourceAction(address, action)
	}
	var key string
	env.Test(t,
		resource.TestStep{
			Config: scenario,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				action("auth0sns_action.sms", plancheck.ResourceActionCreate),
				action("auth0sns_credentials.sms", plancheck.ResourceActionCreate),
				action("auth0sns_phone_provider.sms", plancheck.ResourceActionCreate),
				action("auth0sns_sms_factor.sms", plancheck.ResourceActionCreate),
			}},
			Check: func(*terraform.State) error {
				result := env.Challenge(t)
				sms := lastSMS(t, env)
				key = sms.AccessKeyID
				requireEqual(t, "text on the phone", sms.Text, result.Text)
				requireNoLegacyPhone(t, env)
				return nil
			},
		},
		resource.TestStep{
			Config:          scenario,
			ConfigVariables: config.Variables{"rotation": config.StringVariable("2")},
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				action("auth0sns_credentials.sms", plancheck.ResourceActionUpdate),
				action("auth0sns_phone_provider.sms", plancheck.ResourceActionNoop),
				action("auth0sns_sms_factor.sms", plancheck.ResourceActionNoop),
			}},
			Check: func(*terraform.State) error {
				env.Challenge(t)
				if after := lastSMS(t, env).AccessKeyID; after == key {
					t.Errorf("after a rotation the Action still sends with %s", after)
				}
				return nil
			},
		},
	)
	requireEqual(t, "what destroy left", before.Diff(env.State()), "")
}

// requireNoLegacyPhone: those endpoints answer 403 to a tenant of this path.
func requireNoLegacyPhone(t *testing.T, env *acctest.Env) {
	t.Helper()
	for _, e := range env.World.Kernel.Journal.Entries(0) {
		if e.Side == control.SideAuth0 && e.Status == 403 {
			t.Errorf("%s was refused", e.Operation)
		}
	}
}
