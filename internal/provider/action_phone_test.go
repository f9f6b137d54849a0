package provider_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

const forPhone = "trigger = \"custom-phone-provider\"\n  "

// TestAccActionPhone proves that the Action of the Unified Phone Experience comes,
// changes in place and goes beside Actions of other triggers.
func TestAccActionPhone(t *testing.T) {
	env := acctest.New(t)
	login := otherAction(t, env, "Login", "post-login", "v3")
	config := actionConfig(forPhone + `name = "SNS"`)
	code := func(o sender.Options) string {
		rendered, err := sender.Render(sender.CustomPhoneProvider, o)
		succeeds(t, err)
		return rendered.Script
	}
	runs := func(want string) resource.TestCheckFunc {
		return holds(func() {
			for _, a := range env.Tenant.Snapshot().Actions {
				if a.ID == login {
					continue
				}
				requireEqual(t, "trigger", a.TriggerID+" "+a.TriggerVersion, "custom-phone-provider v1")
				requireEqual(t, "code that runs", a.Deployed.Code, want)
			}
		})
	}
	env.Test(t, append([]resource.TestStep{
		{
			Config: config,
			ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionCreate,
				plancheck.ExpectKnownValue(actionAddress, tfjsonpath.New("code_sha256"), knownvalue.StringExact(sender.SHA256(code(sender.Options{}))))),
			Check: runs(code(sender.Options{})),
		},
		{
			Config:           actionConfig(forPhone + "name = \"Renamed\"\n  sms = { texts = [{ language = \"de\", verification_message = \"{{code}} ist Ihr Code\" }] }"),
			ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionUpdate),
			Check:            runs(code(sender.Options{Texts: []sender.Text{{Language: "de", VerificationMessage: "{{code}} ist Ihr Code"}}})),
		},
	}, importAction(actionConfig(forPhone+"name = \"Renamed\"\n  sms = { texts = [{ language = \"de\", verification_message = \"{{code}} ist Ihr Code\" }] }"))...)...)
	requireEqual(t, "bindings of another trigger", len(env.Tenant.Snapshot().Bindings["post-login"]), 1)
}

// TestAccActionPhoneSecond: a tenant has one such Action, which the Dashboard's
// library does not show.
func TestAccActionPhoneSecond(t *testing.T) {
	env := acctest.New(t)
	id := otherAction(t, env, "Made by hand", "custom-phone-provider", "v1")
	for _, name := range []string{"SNS", "Made by hand"} {
		w := newWorkspace(t, env, actionConfig(forPhone+fmt.Sprintf("name = %q", name)))
		refused := w.run("plan")
		requireWords(t, refused.errorText(), `"Made by hand"`, "already exists", "import {\n    to = auth0sns_action.NAME", fmt.Sprintf("id = %q", id))
		requireNoWrites(t, refused.requests)
	}
	w := newWorkspace(t, env, actionConfig(forPhone+"name = \"SNS\"\n  force_destroy = true")+importOf(actionAddress, id))
	imported := w.must("apply")
	requireEqual(t, "plan of the import", imported.changes, map[string]string{actionAddress: "update"})
	requireEqual(t, "id", onlyAction(t, env).ID, id)
	requireSettled(t, w)

	// An Action of the other trigger is no second one.
	w.write(actionConfig(forPhone+"name = \"SNS\"\n  force_destroy = true") + "\nresource \"auth0sns_action\" \"other\" {\n  name = \"Other\"\n}\n")
	requireEqual(t, "plan", w.must("apply").changes, map[string]string{"auth0sns_action.other": "create"})
	w.must("destroy")
	requireEqual(t, "Actions that are left", len(env.Tenant.Snapshot().Actions), 0)
}

// TestAccActionPhoneReplaced: no second one can be made before the first one is
// gone, and without it nobody gets a code.
func TestAccActionPhoneReplaced(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, actionConfig(forPhone+`name = "SNS"`))
	w.must("apply")
	for _, name := range []string{"SNS", "Another"} {
		w.write(actionConfig(forPhone + fmt.Sprintf("name = %q", name)))
		refused := w.run("apply", "-replace="+actionAddress)
		requireWords(t, refused.errorText(), "The Action cannot be replaced while it is there", `"SNS" (`+onlyAction(t, env).ID+`)`, "Change it in place")
		requireNoWrites(t, refused.requests)
	}
	w.write(actionConfig(`name = "Legacy"`))
	requireEqual(t, "plan of another trigger", w.must("apply").changes, map[string]string{actionAddress: "replace"})
	w.write(actionConfig(forPhone + `name = "SNS"`))
	requireEqual(t, "plan of the way back", w.must("apply").changes, map[string]string{actionAddress: "replace"})
	w.must("destroy")
}

// TestAccActionPhoneLeftBehind proves that the Action of an apply that was killed
// is taken over.
func TestAccActionPhoneLeftBehind(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, actionConfig(forPhone+`name = "SNS"`))
	w.must("apply")
	made := onlyAction(t, env).ID
	w.forget()
	requireWords(t, w.must("apply").text("warning"), "is left from an apply that stopped")
	requireEqual(t, "id", onlyAction(t, env).ID, made)
	requireSettled(t, w)
	w.must("destroy")
}

// TestAccActionPhoneUnknownVersion: code of this version of the contract would be
// called in a way that it does not know.
func TestAccActionPhoneUnknownVersion(t *testing.T) {
	env := acctest.New(t)
	id := otherAction(t, env, "SNS", "custom-phone-provider", "v1")
	answer(control.SideAuth0, "GET /api/v2/actions/actions/{id}", http.StatusOK, "application/json",
		fmt.Sprintf(`{"id":%q,"name":"SNS","supported_triggers":[{"id":"custom-phone-provider","version":"v7"}],"code":"x","dependencies":[],"runtime":"node30","status":"built","secrets":[],"all_changes_deployed":true,"moon":1}`, id))(t, env)
	w := newWorkspace(t, env, actionConfig(forPhone+`name = "SNS"`)+importOf(actionAddress, id))
	refused := w.run("plan")
	requireWords(t, refused.errorText(), "Not an Action that sends phone messages", `"custom-phone-provider" in version "v7"`, `knows "custom-phone-provider" in version "v1"`)
	requireNoWrites(t, refused.requests)
}

// TestAccActionPhoneLive proves that no destroy locks people out unasked.
func TestAccActionPhoneLive(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, actionConfig(forPhone+`name = "SNS"`))
	w.must("apply")
	id := onlyAction(t, env).ID
	giveKey(t, env, id)
	_, err := env.Auth0(t).CreatePhoneProvider(t.Context(), auth0api.PhoneProvider{Name: delivery.PhoneProviderCustom, DeliveryMethods: []string{"text"}})
	succeeds(t, err)
	setUnified(t, env, true)
	phoneLive(t, env)
	before := env.State()
	refused := w.run("destroy")
	requireWords(t, refused.errorText(), "The Action is in use", "Action "+id, "force_destroy = true")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "change by a destroy that was refused", before.Diff(env.State()), "")
	setUnified(t, env, false)
	w.must("destroy")
	requireEqual(t, "Actions that run", len(env.Tenant.Snapshot().Bindings["custom-phone-provider"]), 0)
}

// TestAccActionTooLarge: Auth0 takes 100 kB. More fails in plan, at its place.
func TestAccActionTooLarge(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, "")
	var texts strings.Builder
	for i := range 100 {
		fmt.Fprintf(&texts, "{ client_id = \"%d\", verification_message = \"{{code}} %s\" },\n", i, strings.Repeat("x", 1000))
	}
	for name, tt := range map[string]struct {
		body  string
		words []string
	}{
		"own code": {fmt.Sprintf("code = %q", strings.Repeat("x", 100_001)), []string{"Attribute code", "between 1 and 100000"}},
		"texts":    {"sms = { texts = [" + texts.String() + "] }", []string{"sms.texts: ", "Auth0 takes 100000", "shorter"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(actionConfig(forPhone + "name = \"SNS\"\n  " + tt.body))
			refused := w.run("plan")
			requireWords(t, refused.errorText(), tt.words...)
			requireNoWrites(t, refused.requests)
		})
	}
	w.write(actionConfig(forPhone + "name = \"SNS\"\n  sms = { texts = [{ language = \"german\", verification_message = \"no code\" }] }"))
	requireWords(t, w.run("plan").errorText(), `sms.texts: Text 1: language "german" must be a tag`, "sms.texts: Text 1: verification_message must have {{code}}")
}
