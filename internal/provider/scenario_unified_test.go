package provider_test

import (
	"fmt"
	"maps"
	"slices"
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

// TestAccScenarioUnifiedGivesBack proves that a tenant which somebody had set up
// by hand is, after the scenario, as that person left it, and that everything of
// it can be imported without a change.
func TestAccScenarioUnifiedGivesBack(t *testing.T) {
	env := acctest.New(t)
	phoneSettings{provider: "twilio", types: []string{"sms", "voice"}, templates: handMadeTexts()}.apply(t, env)
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), "otp", true))
	before := env.State()
	scenario := acctest.Config(t, "scenarios/unified/main.tf")
	tf := newWorkspace(t, env, scenario)
	tf.must("apply")
	requireSettled(t, tf)

	live := env.State()
	action, user := onlyAction(t, env).ID, iamUser(t, env, "auth0-mfa-sms")
	importing := newWorkspace(t, env, scenario+
		importOf("auth0sns_iam_user.sms", "auth0-mfa-sms")+importOf("auth0sns_action.sms", action)+
		importOf("auth0sns_credentials.sms", fmt.Sprintf("auth0-mfa-sms/%s/%s/us-east-1", user.AccessKeys[0].ID, action))+
		importOf("auth0sns_phone_provider.sms", onlyPhoneProvider(t, env).ID)+
		importOf("auth0sns_sms_factor.sms", "sms")+importOf("auth0sns_mfa_policy.sms", "mfa-policy"))
	imported := importing.must("apply")
	requireEqual(t, "actions of the import", slices.Sorted(maps.Values(imported.changes)), []string{"import", "import", "import", "import", "import", "update"})
	requireEqual(t, "changes of the import", writesOf(imported.requests), []string{})
	requireEqual(t, "what the import changed", live.Diff(env.State()), "")
	requireSettled(t, importing)

	tf.must("destroy")
	requireEqual(t, "what is other than before", before.Diff(env.State()), "")
}

// TestAccScenarioUnifiedRefused: before the phone provider is made, a plan does
// not know that the factor goes to it, and it takes nobody's factor all the same.
func TestAccScenarioUnifiedRefused(t *testing.T) {
	env := acctest.New(t)
	phoneSettings{enabled: true, provider: "twilio", types: []string{"sms"}}.apply(t, env)
	tf := newWorkspace(t, env, acctest.Config(t, "scenarios/unified/main.tf"))
	refused := tf.run("plan")
	requireWords(t, refused.errorText(), "An SMS factor that is on", "already exists", "twilio", `id = "sms"`)
	requireNoWrites(t, refused.requests)
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
