package provider_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	phoneAddress      = "auth0sns_phone_provider.test"
	postPhoneProvider = "POST /api/v2/branding/phone/providers"
	phoneProviderByID = " /api/v2/branding/phone/providers/{id}"
	patchSettings     = "PATCH /api/v2/tenants/settings"
	moves             = "\n  unified_phone_experience = true"
)

// newPhoneWorld has a deployed Action with a key that nobody manages; phoneConfig
// names it.
func newPhoneWorld(t *testing.T) *acctest.Env {
	t.Helper()
	env := acctest.New(t)
	action, err := env.Auth0(t).CreateAction(t.Context(), auth0api.Action{
		Name: "Sender", Code: "exports.onExecuteCustomPhoneProvider = async () => {};", Runtime: "node22",
		Trigger: auth0api.ActionTrigger{ID: delivery.TriggerCustomPhoneProvider, Version: "v1"},
	})
	succeeds(t, err)
	deployed(t, env, action.ID)
	giveKey(t, env, action.ID)
	t.Setenv("TF_VAR_action", action.ID)
	return env
}

func phoneConfig(body string) string {
	return "variable \"action\" {\n  type = string\n}\n\n" + blockConfig("auth0sns_phone_provider", "  action_id = var.action\n  "+body)
}

// onlyPhoneProvider is the tenant's phone provider; the test fails without one.
func onlyPhoneProvider(t *testing.T, env *acctest.Env) auth0.PhoneProviderState {
	t.Helper()
	providers := env.Tenant.Snapshot().PhoneProviders
	if len(providers) != 1 {
		t.Fatalf("the tenant has %d phone providers", len(providers))
	}
	return providers[0]
}

// requirePhoneProvider compares provider and flag with what is expected.
func requirePhoneProvider(t *testing.T, env *acctest.Env, disabled, unified bool) {
	t.Helper()
	p := onlyPhoneProvider(t, env)
	requireEqual(t, "phone provider at Auth0", p, auth0.PhoneProviderState{
		ID: p.ID, Name: "custom", Disabled: disabled, Configuration: map[string]any{"delivery_methods": []any{"text"}}, CredentialNames: p.CredentialNames,
	})
	requireEqual(t, "the tenant is on the Unified Phone Experience", isUnified(env), unified)
}

func isUnified(env *acctest.Env) bool {
	on, _ := env.Tenant.Snapshot().Settings["phone_consolidated_experience"].(bool)
	return on
}

// twilioByHand puts Twilio in the place of another provider.
const twilioByHand = `{"name":"twilio","configuration":{"sid":"AC1","default_from":"+15005550006","delivery_methods":["text"]},"credentials":{"auth_token":"t"}}`

// twilio sets up the provider that most tenants have. Its key is known to nobody
// but Auth0.
func twilio(t *testing.T, env *acctest.Env, disabled bool) string {
	t.Helper()
	return phoneByHand(t, env, fmt.Sprintf(`{"name":"twilio","disabled":%t,"configuration":{"sid":"AC1","default_from":"+15005550006","delivery_methods":["text","voice"]},"credentials":{"auth_token":"t"}}`, disabled))
}

// phoneByHand makes a phone provider as the Dashboard does.
func phoneByHand(t *testing.T, env *acctest.Env, body string) string {
	t.Helper()
	requireEqual(t, "answer to a provider made by hand", send(t, env, http.MethodPost, "/api/v2/branding/phone/providers", body), http.StatusCreated)
	return onlyPhoneProvider(t, env).ID
}

// phoneLive switches the SMS factor on, so that people get their codes through
// whatever the tenant sends with.
func phoneLive(t *testing.T, env *acctest.Env) {
	t.Helper()
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), delivery.FactorSMS, true))
	succeeds(t, env.Auth0(t).SetMessageTypes(t.Context(), []string{"sms"}))
}

// TestAccPhoneProvider proves for tenants on either way that the provider comes
// and goes, and that a tenant is where it was afterwards.
func TestAccPhoneProvider(t *testing.T) {
	for name, tt := range map[string]struct {
		body           string
		before, during bool
	}{
		"the tenant moves":          {moves, false, true},
		"the tenant has moved":      {moves, true, true},
		"the flag is left out":      {"", false, false},
		"left out, and it has":      {"", true, true},
		"it is told not to move":    {"unified_phone_experience = false", false, false},
		"switched off, not to move": {"disabled = true", false, false},
	} {
		t.Run(name, func(t *testing.T) {
			env := newPhoneWorld(t)
			setUnified(t, env, tt.before)
			id := func(s *terraform.State) (string, error) {
				return s.RootModule().Resources[phoneAddress].Primary.ID, nil
			}
			steps := []resource.TestStep{{
				Config: phoneConfig(tt.body),
				ConfigPlanChecks: actionIs(phoneAddress, plancheck.ResourceActionCreate,
					plancheck.ExpectKnownValue(phoneAddress, tfjsonpath.New("name"), knownvalue.StringExact("custom")),
					plancheck.ExpectUnknownValue(phoneAddress, tfjsonpath.New("id"))),
				ConfigStateChecks: []statecheck.StateCheck{
					statecheck.ExpectKnownValue(phoneAddress, tfjsonpath.New("prior").AtMapKey("unified_phone_experience"), knownvalue.Bool(tt.before)),
					statecheck.ExpectKnownValue(phoneAddress, tfjsonpath.New("prior").AtMapKey("name"), knownvalue.Null()),
				},
				Check: holds(func() { requirePhoneProvider(t, env, tt.body == "disabled = true", tt.during) }),
			}, {
				ResourceName: phoneAddress, ImportState: true, ImportStateVerify: true,
				ImportStateVerifyIgnore: []string{"prior.unified_phone_experience", "unified_phone_experience"},
			}}
			if tt.body == moves {
				steps = append(steps, resource.TestStep{
					Config: phoneConfig(tt.body), ResourceName: phoneAddress, ImportState: true, ImportStateIdFunc: id, ImportStateKind: resource.ImportBlockWithID,
				})
			}
			env.Test(t, steps...)
		})
	}
}

// TestAccPhoneProviderUntouchedFlag: who does not name the tenant's flag is told
// that the provider is not asked, and nothing is written.
func TestAccPhoneProviderUntouchedFlag(t *testing.T) {
	env := newPhoneWorld(t)
	w := newWorkspace(t, env, phoneConfig(""))
	applied := w.must("apply")
	requireWords(t, applied.text("warning"), "The phone provider will not be asked", "unified_phone_experience: ", "Set it to true")
	requireEqual(t, "changes", writesOf(applied.requests), []string{postPhoneProvider})
	requireEqual(t, "changes of destroy", writesOf(w.must("destroy").requests), []string{"DELETE" + phoneProviderByID})

	actionSwitch(t, env, func(s *auth0.Switches) { s.LegacyPhoneGone = true })
	requireEqual(t, "warnings where Auth0 has closed the legacy way", w.must("plan").text("warning"), "")
}

// TestAccPhoneProviderUpdates changes everything in place.
func TestAccPhoneProviderUpdates(t *testing.T) {
	env := newPhoneWorld(t)
	var id string
	step := func(body string, action plancheck.ResourceActionType, disabled, unified bool) resource.TestStep {
		return resource.TestStep{
			Config:           phoneConfig(body),
			ConfigPlanChecks: actionIs(phoneAddress, action),
			Check: holds(func() {
				requirePhoneProvider(t, env, disabled, unified)
				if id == "" {
					id = onlyPhoneProvider(t, env).ID
				}
				requireEqual(t, "id", onlyPhoneProvider(t, env).ID, id)
			}),
		}
	}
	update := plancheck.ResourceActionUpdate
	env.Test(t,
		step("", plancheck.ResourceActionCreate, false, false),
		step(moves, update, false, true),
		step("unified_phone_experience = false", update, false, false),
		step("disabled = true"+moves, update, true, true),
		step("delivery_methods = [\"text\"]"+moves, update, false, true),
		step("force_destroy = true"+moves, update, false, true),
	)
}

// TestAccPhoneProviderUpdateOrder: a provider that is switched off while the tenant
// sends through it loses what is sent in between.
func TestAccPhoneProviderUpdateOrder(t *testing.T) {
	env := newPhoneWorld(t)
	const off = "disabled = true\n  unified_phone_experience = false\n  force_destroy = true"
	w := newWorkspace(t, env, phoneConfig(off))
	w.must("apply")
	for _, c := range []struct {
		body  string
		order []string
	}{
		{moves, []string{"PATCH" + phoneProviderByID, patchSettings}},
		{off, []string{patchSettings, "PATCH" + phoneProviderByID}},
	} {
		w.write(phoneConfig(c.body))
		requireEqual(t, "changes", writesOf(w.must("apply").requests), c.order)
	}
	w.must("destroy")
}

// TestAccPhoneProviderOutOfBand: each of these ends the codes of everybody.
func TestAccPhoneProviderOutOfBand(t *testing.T) {
	env := newPhoneWorld(t)
	client := env.Auth0(t)
	text := phoneConfig("take_over = true" + moves)
	patch := func(p auth0api.PhoneProviderPatch) func() error {
		return func() error {
			_, err := client.UpdatePhoneProvider(t.Context(), onlyPhoneProvider(t, env).ID, p)
			return err
		}
	}
	off, both := true, []string{"text", "voice"}
	steps := []resource.TestStep{{Config: text, ConfigPlanChecks: actionIs(phoneAddress, plancheck.ResourceActionCreate)}}
	for _, c := range []struct {
		attribute string
		before    knownvalue.Check
		change    func() error
	}{
		{"disabled", knownvalue.Bool(true), patch(auth0api.PhoneProviderPatch{Disabled: &off})},
		{"delivery_methods", knownvalue.SetSizeExact(2), patch(auth0api.PhoneProviderPatch{DeliveryMethods: &both})},
		{"unified_phone_experience", knownvalue.Bool(false), func() error { return client.SetPhoneConsolidatedExperience(t.Context(), false) }},
		{"name", knownvalue.StringExact("twilio"), func() error {
			requireEqual(t, "answer to another provider", send(t, env, http.MethodPatch, "/api/v2/branding/phone/providers/"+onlyPhoneProvider(t, env).ID,
				twilioByHand), http.StatusOK)
			return nil
		}},
	} {
		steps = append(steps, resource.TestStep{
			PreConfig:        func() { succeeds(t, c.change()) },
			Config:           text,
			ConfigPlanChecks: actionIs(phoneAddress, plancheck.ResourceActionUpdate, expectBefore{c.attribute, c.before}),
			Check:            holds(func() { requirePhoneProvider(t, env, false, true) }),
		})
	}
	steps = append(steps, resource.TestStep{
		PreConfig:        func() { succeeds(t, client.DeletePhoneProvider(t.Context(), onlyPhoneProvider(t, env).ID)) },
		Config:           text,
		ConfigPlanChecks: actionIs(phoneAddress, plancheck.ResourceActionCreate),
	})
	// Made anew, it has found a tenant that had moved already.
	resource.Test(t, resource.TestCase{ProtoV6ProviderFactories: env.Factories(), Steps: steps})
	requireEqual(t, "phone providers that are left", len(env.Tenant.Snapshot().PhoneProviders), 0)
}

func TestAccPhoneProviderDeletedOutside(t *testing.T) {
	env := newPhoneWorld(t)
	w := newWorkspace(t, env, phoneConfig(moves))
	w.must("apply")
	id := onlyPhoneProvider(t, env).ID
	succeeds(t, env.Auth0(t).DeletePhoneProvider(t.Context(), id))
	plan := w.must("plan")
	requireWords(t, plan.text("warning"), "Phone provider no longer exists", id+" was deleted outside Terraform")
	requireEqual(t, "plan", plan.changes, map[string]string{phoneAddress: "create"})
	requireEqual(t, "destroy without a refresh", w.run("destroy", "-refresh=false").errorText(), "")
	requireEqual(t, "the flag after destroy", isUnified(env), false)
}

// TestAccPhoneProviderRefused proves that what somebody set up is never taken
// over silently, an unknown provider with unknown fields included.
func TestAccPhoneProviderRefused(t *testing.T) {
	another := []string{"take_over: ", "one phone provider", "credentials, which Auth0 never shows", "take_over = true"}
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, env *acctest.Env)
		body    string
		words   []string
	}{
		"custom, and different": {func(t *testing.T, env *acctest.Env) {
			phoneByHand(t, env, `{"name":"custom","disabled":true,"configuration":{"delivery_methods":["text","voice"]},"credentials":{}}`)
		}, "take_over = true", []string{"A phone provider (custom, switched off, for text and voice)", "already exists", "import {\n    to = auth0sns_phone_provider.NAME", `id = "pro_`}},
		"twilio": {func(t *testing.T, env *acctest.Env) { twilio(t, env, false) }, "", append(another, "through twilio (pro_")},
		"a provider of tomorrow": {func(t *testing.T, env *acctest.Env) {
			answer(control.SideAuth0, "GET /api/v2/branding/phone/providers", http.StatusOK, "application/json",
				`{"providers":[{"id":"pro_1","name":"pigeon","channel":"air","disabled":false,"configuration":{"lofts":{"a":[1]},"delivery_methods":["coo"]},"credentials":null,"mood":7}],"next":null}`)(t, env)
		}, "", append(another, "through pigeon (pro_1)")},
	} {
		t.Run(name, func(t *testing.T) {
			env := newPhoneWorld(t)
			tt.prepare(t, env)
			refused := newWorkspace(t, env, phoneConfig(tt.body)).run("plan")
			requireWords(t, refused.errorText(), tt.words...)
			requireNoWrites(t, refused.requests)
		})
	}
}

func TestAccPhoneProviderRefusedInPlan(t *testing.T) {
	env := newPhoneWorld(t)
	w := newWorkspace(t, env, "")
	w.write(phoneConfig(`delivery_methods = ["text", "voice"]`))
	requireWords(t, w.run("plan").errorText(), "delivery_methods", `"voice"`)
	w.write(phoneConfig(`delivery_methods = []`))
	requireWords(t, w.run("plan").errorText(), "delivery_methods", "at least 1")
	w.write(blockConfig("auth0sns_phone_provider", `action_id = "01KTF1HQ4QJZK3V5R6W7X8Y9ZA"`))
	requireWords(t, w.run("plan").errorText(), "action_id")
	w.write(phoneConfig("") + importOf(phoneAddress, "twilio"))
	requireWords(t, w.run("plan").errorText(), "Import id is malformed", `begins with "pro_"`)
	w.write(phoneConfig("") + importOf(phoneAddress, "pro_1234567890123456789012"))
	requireWords(t, w.run("plan").errorText(), "Cannot import non-existent remote object")
}

// TestAccPhoneProviderScopes proves that a missing scope fails in plan, by name.
func TestAccPhoneProviderScopes(t *testing.T) {
	env := newPhoneWorld(t)
	w := newWorkspace(t, env, phoneConfig(moves))
	env.Tenant.SetGrantScopes(env.Tenant.Client().ClientID, []string{"read:phone_providers", "update:phone_providers"})
	refused := w.run("plan")
	requireWords(t, refused.errorText(), "Auth0 scope missing",
		"lacks create:phone_providers, delete:phone_providers, read:tenant_settings, read:guardian_factors, read:actions, update:tenant_settings")
	w.write(phoneConfig(""))
	requireWords(t, w.run("plan").errorText(), "lacks create:phone_providers, delete:phone_providers, read:tenant_settings, read:guardian_factors, read:actions.")
}

// TestAccPhoneProviderTakesOver proves that Twilio goes only with a warning, in
// place, and never to somebody who sends nothing: before the tenant where it is
// off, after it where it is on.
func TestAccPhoneProviderTakesOver(t *testing.T) {
	for disabled, order := range map[bool][]string{
		false: {patchSettings, "PATCH" + phoneProviderByID},
		true:  {"PATCH" + phoneProviderByID, patchSettings},
	} {
		t.Run(fmt.Sprintf("switched off %t", disabled), func(t *testing.T) {
			env := newPhoneWorld(t)
			id := twilio(t, env, disabled)
			w := newWorkspace(t, env, phoneConfig("take_over = true"+moves))
			warning := w.must("plan").text("warning")
			requireWords(t, warning, "Another phone provider loses its place", "through twilio ("+id+")", "credentials cannot be given back")
			requireEqual(t, "changes", writesOf(w.must("apply").requests), order)
			requirePhoneProvider(t, env, false, true)
			requireEqual(t, "id, of a provider that was changed in place", onlyPhoneProvider(t, env).ID, id)
			requireEqual(t, "credentials of another provider", onlyPhoneProvider(t, env).CredentialNames, []string(nil))
			requireSettled(t, w)
			requireWords(t, w.must("destroy").text("warning"), "The phone provider of before was not given back", "through twilio", "Branding → Phone Provider")
			requireEqual(t, "phone providers that are left", len(env.Tenant.Snapshot().PhoneProviders), 0)
			requireEqual(t, "the flag after destroy", isUnified(env), false)
		})
	}

	t.Run("imported", func(t *testing.T) {
		env := newPhoneWorld(t)
		id := twilio(t, env, false)
		w := newWorkspace(t, env, phoneConfig("")+importOf(phoneAddress, id))
		refused := w.run("plan")
		requireWords(t, refused.errorText(), "The tenant has another phone provider", "take_over = true")
		w.write(phoneConfig("take_over = true") + importOf(phoneAddress, id))
		requireWords(t, w.must("apply").text("warning"), "Another phone provider loses its place")
		requirePhoneProvider(t, env, false, false)
		requireSettled(t, w)
		requireWords(t, w.must("destroy").text("warning"), "was not given back", "through twilio")
	})
}

// TestAccPhoneProviderCreateFails proves that a creation which fails at any of
// its requests leaves nothing, and that nothing stands in the way of the next.
func TestAccPhoneProviderCreateFails(t *testing.T) {
	refusal := func(effect control.Effect) control.Fault {
		return control.Fault{Times: 1, Effect: effect, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"refused by the test"}`}
	}
	reads := []string{"GET /api/v2/tenants/settings", "GET /api/v2/branding/phone/providers"}
	for _, operation := range append(reads, postPhoneProvider, patchSettings) {
		t.Run(operation, func(t *testing.T) {
			env := newPhoneWorld(t)
			before := env.State()
			w := newWorkspace(t, env, phoneConfig(moves))
			fault := refusal(control.Respond)
			fault.Operation = operation
			if slices.Contains(reads, operation) {
				fault.Skip = 2 // for the plan, which Terraform makes twice
			}
			end := armFault(t, env, fault)
			failed := w.run("apply")
			end()
			requireWords(t, failed.errorText(), "Phone provider was not set up", "refused by the test")
			if operation == patchSettings {
				requireWords(t, failed.errorText(), "nothing is left behind")
			}
			requireEqual(t, "what the failed create left", before.Diff(env.State()), "")
			requireEqual(t, "next plan", w.must("apply").changes, map[string]string{phoneAddress: "create"})
			requireSettled(t, w)
			w.must("destroy")
			requireEqual(t, "what destroy left", before.Diff(env.State()), "")
		})
	}

	t.Run("and the tenant may have moved", func(t *testing.T) {
		env := newPhoneWorld(t)
		before := env.State()
		w := newWorkspace(t, env, phoneConfig(moves))
		// As often as the client tries it; the way back is the one after.
		lost := control.Fault{Operation: patchSettings, Effect: control.DropAfter, Times: 1}
		for requestsOf(t, w, lost) == 0 {
			lost.Times++
		}
		requireEqual(t, "what the failed create left", before.Diff(env.State()), "")
		w.must("apply")
		requireSettled(t, w)
		w.must("destroy")
		requireEqual(t, "what destroy left", before.Diff(env.State()), "")
	})

	t.Run("and cannot be undone", func(t *testing.T) {
		env := newPhoneWorld(t)
		w := newWorkspace(t, env, phoneConfig(moves))
		fault := refusal(control.Respond)
		fault.Operation = patchSettings
		defer armFault(t, env, fault)()
		fault.Operation = "DELETE" + phoneProviderByID
		defer armFault(t, env, fault)()
		requireWords(t, w.run("apply").errorText(), "could not be taken back", "The next plan says what is there")
		applied := w.must("apply")
		requireWords(t, applied.text("warning"), "The phone provider is there already", "by an apply that stopped")
		requireSettled(t, w)
		w.must("destroy")
		requireEqual(t, "phone providers that are left", len(env.Tenant.Snapshot().PhoneProviders), 0)
	})
}

// requestsOf applies under a fault and returns how often that failed: 1 where
// the apply did.
func requestsOf(t *testing.T, w *workspace, fault control.Fault) int {
	t.Helper()
	end := armFault(t, w.env, fault)
	defer end()
	applied := w.run("apply")
	if applied.exit == 0 {
		w.must("destroy")
		return 0
	}
	requireWords(t, applied.errorText(), "Phone provider was not set up", "nothing is left behind")
	writes := writesOf(applied.requests)
	requireEqual(t, "the way back, on which the tenant goes before its provider", writes[len(writes)-2:], []string{patchSettings, "DELETE" + phoneProviderByID})
	return 1
}

// TestAccPhoneProviderCreateAnswerLost proves that there is no second try where
// the first one worked.
func TestAccPhoneProviderCreateAnswerLost(t *testing.T) {
	for _, effect := range []control.Effect{control.DropAfter, control.DropBefore, control.Truncate} {
		t.Run(string(effect), func(t *testing.T) {
			env := newPhoneWorld(t)
			end := armFault(t, env, control.Fault{Operation: postPhoneProvider, Effect: effect, Times: 1})
			w := newWorkspace(t, env, phoneConfig(moves))
			if w.run("apply").exit != 0 {
				w.must("apply")
			}
			end()
			requirePhoneProvider(t, env, false, true)
			requireSettled(t, w)
			w.must("destroy")
			requireEqual(t, "phone providers that are left", len(env.Tenant.Snapshot().PhoneProviders), 0)
		})
	}
}

// TestAccPhoneProviderLive proves that no change locks people out unasked.
func TestAccPhoneProviderLive(t *testing.T) {
	env := newPhoneWorld(t)
	w := newWorkspace(t, env, phoneConfig(moves))
	w.must("apply")
	phoneLive(t, env)
	before := env.State()
	for name, tt := range map[string]struct {
		command, body string
		words         []string
	}{
		"destroy":      {"destroy", moves, []string{"The phone provider is in use", "auth0sns_sms_factor", "force_destroy = true"}},
		"switched off": {"apply", "disabled = true" + moves, []string{"The phone provider is in use", "nothing was changed"}},
		"turned back": {"apply", "unified_phone_experience = false", []string{
			"cannot be moved while the SMS factor is on", "Auth0 does not show which one", "Nothing was changed", "enabled = false", "force_destroy = true",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(phoneConfig(tt.body))
			refused := w.run(tt.command)
			requireWords(t, refused.errorText(), tt.words...)
			requireNoWrites(t, refused.requests)
			requireEqual(t, "change by what was refused", before.Diff(env.State()), "")
		})
	}
	w.write(phoneConfig(moves))
	requireWords(t, w.must("plan", "-destroy").text("warning"), "The phone provider is in use now")

	w.write(phoneConfig("force_destroy = true\n  unified_phone_experience = false"))
	turned := w.must("apply")
	requireEqual(t, "changes of what was forced", writesOf(turned.requests), []string{patchSettings})
	w.must("destroy")
	requireEqual(t, "phone providers that are left", len(env.Tenant.Snapshot().PhoneProviders), 0)
}

// TestAccPhoneProviderMovesLive proves that the tenant is not moved to a provider
// that is switched off, and that what is on its way is waited for.
func TestAccPhoneProviderMovesLive(t *testing.T) {
	env := newPhoneWorld(t)
	phoneLive(t, env)
	w := newWorkspace(t, env, phoneConfig("disabled = true"+moves))
	refused := w.run("apply")
	requireWords(t, refused.errorText(), "cannot be moved while the SMS factor is on", "disabled = true switches it off")
	requireNoWrites(t, refused.requests)

	w.write(phoneConfig(moves))
	began := env.Clock.Now()
	requireWords(t, w.must("apply").text("warning"), "Every phone message of the tenant moves", "passwordless")
	if waited := env.Clock.Now().Sub(began); waited < handover.InFlight {
		t.Errorf("Terraform went on %s after the tenant was moved: the key of codes on their way may be gone by then", waited)
	}
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), delivery.FactorSMS, false))
	w.must("destroy")
}

// TestAccPhoneProviderLocked: a tenant that began on the Unified Phone Experience
// cannot leave it. Destroy does not ask for that, unless it has to.
func TestAccPhoneProviderLocked(t *testing.T) {
	env := newPhoneWorld(t)
	setUnified(t, env, true)
	actionSwitch(t, env, func(s *auth0.Switches) { s.UnifiedPhoneLocked = true })
	before := env.State()
	w := newWorkspace(t, env, phoneConfig(moves))
	requireEqual(t, "changes", writesOf(w.must("apply").requests), []string{postPhoneProvider})
	requireSettled(t, w)
	w.must("destroy")
	requireEqual(t, "what destroy left", before.Diff(env.State()), "")

	actionSwitch(t, env, func(s *auth0.Switches) { s.UnifiedPhoneLocked = false })
	setUnified(t, env, false)
	w.must("apply")
	actionSwitch(t, env, func(s *auth0.Switches) { s.UnifiedPhoneLocked = true })
	live := env.State()
	requireWords(t, w.run("destroy").errorText(), "was not given back", "operation_not_supported", "still there", "leave unified_phone_experience out")
	requireEqual(t, "what a destroy that was refused changed", live.Diff(env.State()), "")
	w.write(phoneConfig(""))
	requireNoWrites(t, w.must("apply").requests)
	w.must("destroy")
}

// TestAccPhoneProviderLegacyGone: Auth0 has closed the legacy way to tenants that
// never had the setting.
func TestAccPhoneProviderLegacyGone(t *testing.T) {
	env := newPhoneWorld(t)
	actionSwitch(t, env, func(s *auth0.Switches) { s.LegacyPhoneGone = true })
	config := phoneConfig("") + "\nresource \"auth0sns_sms_factor\" \"test\" {\n  sender_id = auth0sns_phone_provider.test.id\n}\n"
	before := env.State()
	w := newWorkspace(t, env, config)
	w.must("apply")
	env.Challenge(t)
	requireSettled(t, w)
	w.must("destroy")
	requireEqual(t, "what destroy left", before.Diff(env.State()), "")
}

// TestAccPhoneProviderBinding: whether Auth0 asks an Action that is not bound is
// not known, so credentials bind it.
func TestAccPhoneProviderBinding(t *testing.T) {
	for _, binding := range []auth0.PhoneBinding{auth0.PhoneBindingByProvider, auth0.PhoneBindingByHand} {
		t.Run(string(binding), func(t *testing.T) {
			env := acctest.New(t)
			actionSwitch(t, env, func(s *auth0.Switches) { s.PhoneBinding = binding })
			before := env.State()
			w := newWorkspace(t, env, acctest.Config(t, "scenarios/unified/main.tf"))
			w.must("apply")
			env.Challenge(t)
			requireSettled(t, w)
			w.must("destroy")
			requireEqual(t, "what destroy left", before.Diff(env.State()), "")
		})
	}
}

// TestAccPhoneProviderWithoutAction: which code Auth0 gives is not known.
func TestAccPhoneProviderWithoutAction(t *testing.T) {
	for _, code := range []string{"custom_phone_provider_deployed_action_not_found", "custom_email_provider_deployed_action_not_found", "something_new"} {
		t.Run(code, func(t *testing.T) {
			env := newPhoneWorld(t)
			actionSwitch(t, env, func(s *auth0.Switches) { s.PhoneActionMissingCode = code })
			id := onlyAction(t, env).ID
			succeeds(t, delivery.Unbind(t.Context(), env.Auth0(t), delivery.TriggerCustomPhoneProvider, id))
			succeeds(t, env.Auth0(t).DeleteAction(t.Context(), id))
			failed := newWorkspace(t, env, phoneConfig("")).run("apply")
			requireWords(t, failed.errorText(), "Phone provider was not set up", code, "deployed action")
			requireNoWrites(t, failed.requests[:len(failed.requests)-1])
		})
	}
}

// TestAccPhoneProviderRequests holds the page to what is really asked of Auth0.
func TestAccPhoneProviderRequests(t *testing.T) {
	env := newPhoneWorld(t)
	page := exampleRequests(t, "phone_provider")
	documented := []string{"POST /oauth/token"}
	for _, operations := range page {
		documented = append(documented, operations...)
	}
	w := newWorkspace(t, env, phoneConfig(moves))
	run := w.must("apply").operations()
	plan := w.must("plan").operations()
	slices.Sort(plan)
	requireEqual(t, "requests of an empty plan", plan, append(slices.Sorted(slices.Values(page["refresh"])), "POST /oauth/token"))
	w.write(phoneConfig("disabled = true" + moves))
	run = append(run, w.must("apply").operations()...)
	run = append(run, w.must("destroy").operations()...)
	for _, operation := range run {
		if !slices.Contains(documented, operation) {
			t.Errorf("%s is made and is not on the page", operation)
		}
	}
}

// TestAccPhoneProviderNotReplaced: a tenant has one phone provider, so a
// replacement would delete what its successor has just taken over.
func TestAccPhoneProviderNotReplaced(t *testing.T) {
	env := newPhoneWorld(t)
	tf := newWorkspace(t, env, phoneConfig("unified_phone_experience = true\n  lifecycle { create_before_destroy = true }"))
	tf.must("apply")
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), delivery.FactorSMS, true))
	refused := tf.run("apply", "-replace="+phoneAddress)
	requireWords(t, refused.errorText(), "The phone provider cannot be replaced", "changes in place")
	requireNoWrites(t, refused.requests)
	requirePhoneProvider(t, env, false, true)
	requireSettled(t, tf)
}

// TestAccPhoneProviderRenamed: a block that was renamed without a moved block is
// another object with the same provider, which stays on for it.
func TestAccPhoneProviderRenamed(t *testing.T) {
	env := newPhoneWorld(t)
	text := phoneConfig("unified_phone_experience = true\n  force_destroy = true")
	tf := newWorkspace(t, env, text)
	tf.must("apply")
	renamed := strings.Replace(text, `"auth0sns_phone_provider" "test"`, `"auth0sns_phone_provider" "other"`, 1)
	tf.write(renamed + "\nremoved {\n  from = " + phoneAddress + "\n  lifecycle { destroy = false }\n}\n")
	requireWords(t, tf.must("apply").text("warning"), "The phone provider is there already", "moved block")
	requirePhoneProvider(t, env, false, true)
	requireSettled(t, tf)
}

// TestAccPhoneProviderWithoutKey: an Action without a key drops every message.
func TestAccPhoneProviderWithoutKey(t *testing.T) {
	env := acctest.New(t)
	create := func(name, trigger, version string) string {
		action, err := env.Auth0(t).CreateAction(t.Context(), auth0api.Action{
			Name: name, Code: "exports.onExecuteCustomPhoneProvider = async () => {};", Runtime: "node22",
			Trigger: auth0api.ActionTrigger{ID: trigger, Version: version},
		})
		succeeds(t, err)
		deployed(t, env, action.ID)
		return action.ID
	}
	keyless, legacy := create("Sender", delivery.TriggerCustomPhoneProvider, "v1"), create("Legacy", delivery.TriggerSendPhoneMessage, "v2")
	tf := newWorkspace(t, env, phoneConfig("unified_phone_experience = true"))
	for id, says := range map[string]string{
		keyless: "The Action holds no key", legacy: "The Action is never asked", "295d7c28-06dc-4d72-93a6-da8a6d947fbe": "There is no such Action",
	} {
		refused := tf.run("apply", "-var=action="+id)
		requireWords(t, refused.errorText(), says, "Nothing was changed")
		requireNoWrites(t, refused.requests)
	}
	giveKey(t, env, keyless)
	tf.must("apply", "-var=action="+keyless)
	requirePhoneProvider(t, env, false, true)
}

// TestAccPhoneProviderTwilioMeanwhile: somebody set Twilio up after the plan.
// Its credentials would be lost for good.
func TestAccPhoneProviderTwilioMeanwhile(t *testing.T) {
	env := newPhoneWorld(t)
	tf := newWorkspace(t, env, phoneConfig(""))
	tf.must("apply")
	path := "/api/v2/branding/phone/providers/" + onlyPhoneProvider(t, env).ID
	requireEqual(t, "answer to the change by hand", send(t, env, http.MethodPatch, path,
		twilioByHand), http.StatusOK)
	tf.write(phoneConfig("disabled = true"))
	refused := tf.run("apply", "-refresh=false")
	requireWords(t, refused.errorText(), "Phone provider was not updated", "through twilio", "plan again")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "provider of the tenant", onlyPhoneProvider(t, env).Name, "twilio")
}
