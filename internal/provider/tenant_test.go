package provider_test

import (
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

// TestAccAnotherTenant: a shell that points at production must not take
// staging's state for production's.
func TestAccAnotherTenant(t *testing.T) {
	staging := acctest.New(t)
	w := newWorkspace(t, staging, acctest.Config(t, "scenarios/hook/main.tf"))
	w.must("apply")
	production := acctest.New(t)
	before := production.State()
	for _, name := range []string{"AUTH0_DOMAIN", "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET"} {
		staging.Variables[name] = production.Variables[name]
	}
	staging.Export(t)
	for _, command := range [][]string{{"plan"}, {"apply"}, {"destroy"}, {"destroy", "-refresh=false"}} {
		refused := w.run(command[0], command[1:]...)
		requireWords(t, refused.errorText(), "Wrong Auth0 tenant", staging.TenantURL, production.TenantURL, "Nothing was changed")
		requireEqual(t, "change of production", before.Diff(production.State()), "")
	}
}
