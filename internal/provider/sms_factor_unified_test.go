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
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	postPhoneTemplate   = "POST /api/v2/branding/phone/templates"
	patchPhoneTemplate  = "PATCH /api/v2/branding/phone/templates/{id}"
	deletePhoneTemplate = "DELETE /api/v2/branding/phone/templates/{id}"
)

// newUnifiedFactorWorld is on the Unified Phone Experience and has a provider
// that nobody manages; smsFactorConfig names it.
func newUnifiedFactorWorld(t *testing.T) *acctest.Env {
	t.Helper()
	env := newPhoneWorld(t)
	setUnified(t, env, true)
	t.Setenv("TF_VAR_sender", phoneByHand(t, env, `{"name":"custom","configuration":{"delivery_methods":["text"]},"credentials":{}}`))
	return env
}

// ownTexts are the tenant's own texts, by type.
func ownTexts(env *acctest.Env) map[string]string {
	texts := map[string]string{}
	for _, m := range env.Tenant.Snapshot().PhoneTemplates {
		texts[m.Type] = m.Text
	}
	return texts
}

// requireNoLegacyRequests: Auth0 refuses them on this path, also to read.
func requireNoLegacyRequests(t *testing.T, env *acctest.Env) {
	t.Helper()
	for _, e := range env.World.Kernel.Journal.Entries(0) {
		for _, end := range []string{"/selected-provider", "factors/phone/templates", "/providers/twilio", "factors/sms/templates"} {
			if strings.HasSuffix(e.Path, end) {
				t.Errorf("%s was requested", e.Operation)
			}
		}
	}
}

// TestAccSMSFactorOnUnified proves that the factor goes live through the phone
// provider, without one legacy request, with texts and without.
func TestAccSMSFactorOnUnified(t *testing.T) {
	written := map[string]string{"otp_enroll": "{{code}} enrolls you at {{friendly_name}}", "otp_verify": "{{ code }} is your code"}
	for name, tt := range map[string]struct {
		body string
		want map[string]string
	}{
		"without texts":                       {"", map[string]string{}},
		"with texts":                          {factorTexts, written},
		"with texts in the words of the path": {strings.Replace(factorTexts, "tenant.friendly_name", "friendly_name", 1), written},
	} {
		t.Run(name, func(t *testing.T) {
			env := newUnifiedFactorWorld(t)
			env.Test(t,
				resource.TestStep{
					Config: smsFactorConfig(tt.body),
					ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionCreate,
						plancheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("selected_provider"), knownvalue.StringExact("custom"))),
					ConfigStateChecks: []statecheck.StateCheck{
						statecheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("prior").AtMapKey("enabled"), knownvalue.Bool(false)),
						statecheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("prior").AtMapKey("selected_provider"), knownvalue.Null()),
					},
					Check: holds(func() {
						requireEqual(t, "texts of the tenant's own", ownTexts(env), tt.want)
						requireEqual(t, "factor is on", env.Tenant.Snapshot().Factors[0].Enabled, true)
						requireEqual(t, "message types", env.Tenant.Snapshot().MessageTypes, []string{"sms"})
						env.Challenge(t)
					}),
				},
				resource.TestStep{
					ResourceName: smsFactorAddress, ImportState: true, ImportStateId: "sms",
					ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "sender_id",
					// An import shows the texts as Auth0 has them.
					ImportStateVerifyIgnore: append(priorAttributes(), "enrollment_message", "verification_message"),
				},
				resource.TestStep{Config: smsFactorConfig(tt.body), ResourceName: smsFactorAddress, ImportState: true, ImportStateId: "sms", ImportStateKind: resource.ImportBlockWithID, ExpectNonEmptyPlan: tt.body == factorTexts},
			)
			if name != "with texts" { // The import of that is told apart by one word.
				requireNoLegacyRequests(t, env)
			}
		})
	}
}

// TestAccSMSFactorUnifiedTexts proves that texts are set, changed, left alone,
// and that the tenant's own come back, of both kinds or of one.
func TestAccSMSFactorUnifiedTexts(t *testing.T) {
	env := newUnifiedFactorWorld(t)
	_, err := env.Auth0(t).CreatePhoneTemplate(t.Context(), auth0api.PhoneTemplate{Type: "otp_enroll", Text: "{{code}} by hand", Voice: "Say {{code}}", From: "Acme"})
	succeeds(t, err)
	texts := func(want map[string]string) resource.TestCheckFunc {
		return holds(func() { requireEqual(t, "texts", ownTexts(env), want) })
	}
	other := "enrollment_message = \"A {{code}}\"\n  verification_message = \"B {{code}}\""
	ours := map[string]string{"otp_enroll": "A {{code}}", "otp_verify": "B {{code}}"}
	update := actionIs(smsFactorAddress, plancheck.ResourceActionUpdate)
	env.Test(t,
		resource.TestStep{Config: smsFactorConfig(""), ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionCreate), Check: texts(map[string]string{"otp_enroll": "{{code}} by hand"})},
		resource.TestStep{Config: smsFactorConfig(factorTexts), ConfigPlanChecks: update, Check: texts(map[string]string{"otp_enroll": "{{code}} enrolls you at {{friendly_name}}", "otp_verify": "{{ code }} is your code"})},
		resource.TestStep{Config: smsFactorConfig(other), ConfigPlanChecks: update, Check: holds(func() {
			requireEqual(t, "texts", ownTexts(env), ours)
			own := env.Tenant.Snapshot().PhoneTemplates[0]
			requireEqual(t, "voice and number of what was there", []string{own.Voice, own.From}, []string{"Say {{code}}", "Acme"})
		})},
		resource.TestStep{Config: smsFactorConfig(""), ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionNoop), Check: texts(ours)},
	)
}

// TestAccSMSFactorUnifiedImport proves that texts which are Auth0's own do not
// become the resource's by an import: destroy would delete what somebody writes
// later.
func TestAccSMSFactorUnifiedImport(t *testing.T) {
	env := newUnifiedFactorWorld(t)
	phoneLive(t, env)
	tf := newWorkspace(t, env, smsFactorConfig("")+importOf(smsFactorAddress, "sms"))
	imported := tf.must("apply")
	requireEqual(t, "plan", imported.changes, map[string]string{smsFactorAddress: "import"})
	requireNoWrites(t, imported.requests)
	_, err := env.Auth0(t).CreatePhoneTemplate(t.Context(), auth0api.PhoneTemplate{Type: "otp_verify", Text: "{{code}} by hand", Voice: "{{code}}"})
	succeeds(t, err)
	before := env.State()
	requireSettled(t, tf)
	tf.must("destroy")
	requireEqual(t, "what is other than at the import", before.Diff(env.State()), "")
}

// TestAccSMSFactorUnifiedOutOfBand: each of these ends or changes messages.
func TestAccSMSFactorUnifiedOutOfBand(t *testing.T) {
	env := newUnifiedFactorWorld(t)
	client := env.Auth0(t)
	text := smsFactorConfig(factorTexts)
	template := func(kind string) string {
		all := env.Tenant.Snapshot().PhoneTemplates
		return all[slices.IndexFunc(all, func(m auth0.PhoneTemplateState) bool { return m.Type == kind })].ID
	}
	steps := []resource.TestStep{{Config: text, ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionCreate)}}
	edited := "{{code}} edited"
	for _, c := range []struct {
		attribute string
		before    knownvalue.Check
		change    func() error
	}{
		{"enabled", knownvalue.Bool(false), func() error { return client.SetFactor(t.Context(), delivery.FactorSMS, false) }},
		{"message_types", knownvalue.SetSizeExact(2), func() error { return client.SetMessageTypes(t.Context(), []string{"voice", "sms"}) }},
		{"verification_message", knownvalue.StringExact(edited), func() error {
			_, err := client.UpdatePhoneTemplate(t.Context(), template("otp_verify"), auth0api.PhoneTemplatePatch{Text: &edited, Voice: &edited})
			return err
		}},
		{"enrollment_message", knownvalue.StringExact(""), func() error { return client.DeletePhoneTemplate(t.Context(), template("otp_enroll")) }},
	} {
		steps = append(steps, resource.TestStep{
			PreConfig:        func() { succeeds(t, c.change()) },
			Config:           text,
			ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionUpdate, expectBefore{c.attribute, c.before}),
			Check: holds(func() {
				requireEqual(t, "texts", ownTexts(env), map[string]string{"otp_enroll": "{{code}} enrolls you at {{friendly_name}}", "otp_verify": "{{ code }} is your code"})
				requireEqual(t, "factor is on", env.Tenant.Snapshot().Factors[0].Enabled, true)
				requireEqual(t, "message types", env.Tenant.Snapshot().MessageTypes, []string{"sms"})
			}),
		})
	}
	env.Test(t, steps...)
	requireNoLegacyRequests(t, env)
}

// TestAccSMSFactorUnifiedCreateFails proves that a create which fails in the
// middle gives everything back.
func TestAccSMSFactorUnifiedCreateFails(t *testing.T) {
	for operation, skip := range map[string]int{postPhoneTemplate: 0, postPhoneTemplate + ", the second": 1, putFactor: 0, putTypes: 0} {
		t.Run(operation, func(t *testing.T) {
			env := newUnifiedFactorWorld(t)
			before := env.State()
			tf := newWorkspace(t, env, smsFactorConfig(factorTexts))
			operation, _, _ = strings.Cut(operation, ",")
			end := armFault(t, env, control.Fault{Operation: operation, Skip: skip, Times: 1, Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"refused by the test"}`})
			failed := tf.run("apply")
			end()
			requireWords(t, failed.errorText(), "SMS factor was not set up", "refused by the test")
			requireEqual(t, "what the failed create left", before.Diff(env.State()), "")
			requireEqual(t, "next plan", tf.must("apply").changes, map[string]string{smsFactorAddress: "create"})
			requireSettled(t, tf)
			requireEqual(t, "changes on the way down", writesOf(tf.must("destroy").requests), []string{putTypes, putFactor, deletePhoneTemplate, deletePhoneTemplate})
			requireEqual(t, "what is left after destroy", before.Diff(env.State()), "")
		})
	}
}

// TestAccSMSFactorUnifiedPlaceholders: a placeholder of no meaning leaves a gap
// in everybody's message.
func TestAccSMSFactorUnifiedPlaceholders(t *testing.T) {
	env := newUnifiedFactorWorld(t)
	body := "enrollment_message = \"{{code}} {{user.city}} {{brand}}\"\n  verification_message = \"{{code}} {{ friendly_name | escape }}\""
	tf := newWorkspace(t, env, smsFactorConfig(body))
	warning := tf.must("plan").text("warning")
	requireWords(t, warning, "Placeholder is not known", `enrollment_message: nothing is known of ["brand"]`)
	if strings.Contains(warning, "user.city") || strings.Contains(warning, "verification_message") {
		t.Errorf("placeholders that Auth0 knows are warned of: %s", warning)
	}
	tf.write(smsFactorConfig("enrollment_message = \"{{code}} {{friendly_name}\"\n  verification_message = \"{{code}}\""))
	requireWords(t, tf.run("plan").errorText(), "enrollment_message: has braces that are no placeholder")

	// Said in plan, too, where the phone provider is still to be made.
	const sender = "  sender_id = auth0sns_phone_provider.sms.id\n"
	whole := strings.Replace(acctest.Config(t, "scenarios/unified/main.tf"), sender, sender+"  enrollment_message = \"{{code}} {{brand}}\"\n  verification_message = \"{{code}}\"\n", 1)
	requireWords(t, newWorkspace(t, acctest.New(t), whole).must("plan").text("warning"), `nothing is known of ["brand"]`)
}

// TestAccSMSFactorUnifiedNeedsSender: a factor turned to a provider that does not
// answer asks everybody for a code that nobody sends.
func TestAccSMSFactorUnifiedNeedsSender(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(t *testing.T, env *acctest.Env)
		says    []string
	}{
		"switched off": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			off := true
			_, err := env.Auth0(t).UpdatePhoneProvider(t.Context(), onlyPhoneProvider(t, env).ID, auth0api.PhoneProviderPatch{Disabled: &off})
			succeeds(t, err)
		}, []string{"does not run", "Set disabled = false on auth0sns_phone_provider"}},
		"flag off": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			setUnified(t, env, false)
		}, []string{"does not run", "not on the Unified Phone Experience", "unified_phone_experience = true"}},
		"twilio": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			requireEqual(t, "answer", send(t, env, http.MethodPatch, "/api/v2/branding/phone/providers/"+onlyPhoneProvider(t, env).ID,
				`{"name":"twilio","configuration":{"sid":"AC1","default_from":"+15005550006","delivery_methods":["text"]},"credentials":{"auth_token":"t"}}`), http.StatusOK)
		}, []string{"(twilio) does not run", "manage it as auth0sns_phone_provider"}},
		"gone": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			succeeds(t, env.Auth0(t).DeletePhoneProvider(t.Context(), onlyPhoneProvider(t, env).ID))
		}, []string{"has no phone provider pro_"}},
	} {
		for _, on := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, factor on %t", name, on), func(t *testing.T) {
				env := newUnifiedFactorWorld(t)
				if on {
					phoneLive(t, env)
				}
				tt.prepare(t, env)
				before := env.State()
				refused := newWorkspace(t, env, smsFactorConfig("")).run("apply")
				requireWords(t, refused.errorText(), append(tt.says, "sender_id", "nobody sends")...)
				requireEqual(t, "change by an apply that was refused", before.Diff(env.State()), "")
			})
		}
	}
}

// TestAccSMSFactorChangesPath: the tenant was moved by hand, and the configuration
// follows; then the same the other way round. Texts go with it, and what the
// state remembers of before stays true.
func TestAccSMSFactorChangesPath(t *testing.T) {
	env := newSMSFactorWorld(t)
	phoneSettings{provider: "twilio", types: []string{"voice"}, templates: handMadeTexts()}.apply(t, env)
	hook := onlyHook(t, env).ID
	before := env.State()
	tf := newWorkspace(t, env, smsFactorConfig(factorTexts))
	tf.must("apply")

	action, err := env.Auth0(t).CreateAction(t.Context(), auth0api.Action{
		Name: "Sender", Code: "exports.onExecuteCustomPhoneProvider = async () => {};", Runtime: "node22",
		Trigger: auth0api.ActionTrigger{ID: delivery.TriggerCustomPhoneProvider, Version: "v1"},
	})
	succeeds(t, err)
	deployed(t, env, action.ID)
	setUnified(t, env, true)
	provider := phoneByHand(t, env, `{"name":"custom","configuration":{"delivery_methods":["text"]},"credentials":{}}`)
	t.Setenv("TF_VAR_sender", provider)
	moved := tf.must("apply")
	requireEqual(t, "plan of the move", moved.changes, map[string]string{smsFactorAddress: "update"})
	requireEqual(t, "changes of the move", writesOf(moved.requests), []string{postPhoneTemplate, postPhoneTemplate})
	env.Challenge(t)
	requireSettled(t, tf)

	t.Setenv("TF_VAR_sender", hook)
	refused := tf.run("plan")
	requireWords(t, refused.errorText(), "The sender is never asked", "unified_phone_experience = false", "depends_on")
	requireNoWrites(t, refused.requests)
	setUnified(t, env, false)
	phone := &auth0api.Templates{EnrollmentMessage: "later {{code}}", VerificationMessage: "later too {{code}}"}
	succeeds(t, env.Auth0(t).SetTemplates(t.Context(), *phone))
	end := armFault(t, env, control.Fault{Operation: putTemplates, Times: 1, Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"refused by the test"}`})
	requireWords(t, tf.run("apply").errorText(), "SMS factor was not updated", "refused by the test")
	end()
	requireEqual(t, "plan of the way back", tf.must("apply").changes, map[string]string{smsFactorAddress: "update"})
	requireEqual(t, "texts of the path that was left", ownTexts(env), map[string]string{})
	env.Challenge(t)
	requireSettled(t, tf)

	tf.must("destroy")
	after := env.State()
	requireEqual(t, "texts after destroy", after.Tenant.Templates, map[string]any{"enrollment_message": phone.EnrollmentMessage, "verification_message": phone.VerificationMessage})
	requireEqual(t, "message types and switch after destroy", []any{after.Tenant.MessageTypes, after.Tenant.Factors}, []any{before.Tenant.MessageTypes, before.Tenant.Factors})
}

// TestAccSMSFactorUnknownTemplates: a message of a kind, and with fields, that
// nobody knows yet does not get in the way.
func TestAccSMSFactorUnknownTemplates(t *testing.T) {
	env := newUnifiedFactorWorld(t)
	answer(control.SideAuth0, "GET /api/v2/branding/phone/templates", http.StatusOK, "application/json",
		`{"templates":[{"id":"tem_1","type":"carrier_pigeon","disabled":false,"content":{"syntax":"liquid","body":{"text":"coo","song":"x"},"weather":1},"wing":2}],"next":"x"}`)(t, env)
	applied := newWorkspace(t, env, smsFactorConfig(factorTexts)).must("apply")
	requireEqual(t, "changes", writesOf(applied.requests), []string{putFactor, putTypes, postPhoneTemplate, postPhoneTemplate})
}
