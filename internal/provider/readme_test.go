package provider_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

// TestAccReadmeConfiguration applies what a reader of the README pastes first.
func TestAccReadmeConfiguration(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join(acctest.ModuleRoot(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```terraform\n(.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("the README has no configuration any more")
	}
	env := acctest.New(t)
	env.Test(t, resource.TestStep{
		Config: string(block[1]),
		ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
			plancheck.ExpectResourceAction("auth0sns_mfa_policy.sms", plancheck.ResourceActionCreate),
		}},
		Check: func(*terraform.State) error {
			env.Challenge(t)
			return nil
		},
	})
}
