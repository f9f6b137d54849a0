package provider_test

import (
	"fmt"
	"maps"
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
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	smsFactorAddress = "auth0sns_sms_factor.test"
	putFactor        = "PUT /api/v2/guardian/factors/{name}"
	putProvider      = "PUT /api/v2/guardian/factors/phone/selected-provider"
	putTypes         = "PUT /api/v2/guardian/factors/phone/message-types"
	putTemplates     = "PUT /api/v2/guardian/factors/phone/templates"
	factorTexts      = `
  enrollment_message   = "{{code}} enrolls you at {{tenant.friendly_name}}"
  verification_message = "{{ code }} is your code"`
)

// newSMSFactorWorld has an enabled hook that nobody manages; smsFactorConfig
// names it.
func newSMSFactorWorld(t *testing.T) *acctest.Env {
	t.Helper()
	env := acctest.New(t)
	hook, err := env.Auth0(t).CreateHook(t.Context(), auth0api.Hook{
		Name: "Sender", Script: "module.exports = (to, text, context, cb) => cb(null, {})", TriggerID: delivery.TriggerHook, Enabled: true,
	})
	succeeds(t, err)
	t.Setenv("TF_VAR_sender", hook.ID)
	return env
}

func smsFactorConfig(body string) string {
	return "variable \"sender\" {\n  type = string\n}\n\n" + blockConfig("auth0sns_sms_factor", "  sender_id = var.sender\n  "+body)
}

// phoneSettings are a tenant's as somebody made them by hand.
type phoneSettings struct {
	enabled   bool
	provider  string
	types     []string
	templates *auth0api.Templates
}

func (p phoneSettings) apply(t *testing.T, env *acctest.Env) {
	t.Helper()
	client := env.Auth0(t)
	succeeds(t, client.SetFactor(t.Context(), delivery.FactorSMS, true))
	succeeds(t, client.SetMessageTypes(t.Context(), p.types))
	succeeds(t, client.SetSelectedProvider(t.Context(), p.provider))
	succeeds(t, client.SetFactor(t.Context(), delivery.FactorSMS, p.enabled))
	if p.templates != nil {
		succeeds(t, client.SetTemplates(t.Context(), *p.templates))
	}
}

// requirePhone compares what the tenant has with what is expected.
func requirePhone(t *testing.T, env *acctest.Env, want phoneSettings) {
	t.Helper()
	tenant := env.Tenant.Snapshot()
	requireEqual(t, "factor is on", tenant.Factors[0].Enabled, want.enabled)
	requireEqual(t, "selected provider", tenant.Provider, want.provider)
	requireEqual(t, "message types", tenant.MessageTypes, want.types)
	if want.templates != nil {
		requireEqual(t, "texts", tenant.Templates, map[string]any{
			"enrollment_message": want.templates.EnrollmentMessage, "verification_message": want.templates.VerificationMessage,
		})
	}
}

func handMadeTexts() *auth0api.Templates {
	return &auth0api.Templates{EnrollmentMessage: "by hand {{code}}", VerificationMessage: "by hand too {{code}}"}
}

// writesOf are the changes among requests, in their order.
func writesOf(entries []control.Entry) []string {
	operations := []string{}
	for _, e := range entries {
		read := e.Method == http.MethodGet || e.Path == "/oauth/token" || strings.HasPrefix(e.Operation, "sts:") ||
			strings.HasPrefix(e.Operation, "iam:Get") || strings.HasPrefix(e.Operation, "iam:List")
		if !read {
			operations = append(operations, e.Operation)
		}
	}
	return operations
}

// TestAccSMSFactor proves for each tenant that somebody may have that the
// factor goes live through the sender and comes back as it was.
func TestAccSMSFactor(t *testing.T) {
	for name, prior := range map[string]phoneSettings{
		"untouched tenant": {provider: "auth0", types: []string{}},
		"off through auth0, with texts": {
			provider: "auth0", types: []string{"sms", "voice"}, templates: handMadeTexts(),
		},
		"off through twilio, voice only": {
			provider: "twilio", types: []string{"voice"}, templates: handMadeTexts(),
		},
		"off through Custom": {provider: "phone-message-hook", types: []string{"sms"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := newSMSFactorWorld(t)
			if len(prior.types) > 0 {
				prior.apply(t, env)
			}
			var mark int64
			env.Test(t,
				resource.TestStep{
					PreConfig: func() { mark = journalEnd(env) },
					Config:    smsFactorConfig(""),
					ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionCreate,
						plancheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("selected_provider"), knownvalue.StringExact("phone-message-hook")),
						plancheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("enrollment_message"), knownvalue.Null()),
					),
					ConfigStateChecks: []statecheck.StateCheck{
						statecheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("enabled"), knownvalue.Bool(true)),
						statecheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("on_destroy"), knownvalue.StringExact("restore")),
						statecheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("message_types"), knownvalue.SetExact([]knownvalue.Check{knownvalue.StringExact("sms")})),
					},
					Check: holds(func() {
						requirePhone(t, env, phoneSettings{enabled: true, provider: "phone-message-hook", types: []string{"sms"}, templates: prior.templates})
						for _, e := range env.World.Kernel.Journal.Entries(mark) {
							if strings.HasSuffix(e.Operation, "/templates") {
								t.Errorf("no texts are configured, and yet: %s", e.Operation)
							}
						}
					}),
				},
				resource.TestStep{
					ResourceName: smsFactorAddress, ImportState: true, ImportStateId: "sms",
					ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "selected_provider",
					// An import looks for the live hook, and shows the texts that are there.
					ImportStateVerifyIgnore: append(priorAttributes(), "sender_id", "enrollment_message", "verification_message"),
				},
			)
		})
	}
}

// priorAttributes are what an import has of its own.
func priorAttributes() []string {
	return []string{
		"prior.enabled", "prior.selected_provider", "prior.message_types.#", "prior.message_types.0", "prior.message_types.1",
		"prior.enrollment_message", "prior.verification_message",
	}
}

// TestAccSMSFactorOrder proves that nobody gets a message through a provider
// that was selected before.
func TestAccSMSFactorOrder(t *testing.T) {
	env := newSMSFactorWorld(t)
	prior := phoneSettings{provider: "twilio", types: []string{"voice"}, templates: handMadeTexts()}
	prior.apply(t, env)
	tf := newWorkspace(t, env, smsFactorConfig(factorTexts))
	requireEqual(t, "changes on the way up", writesOf(tf.must("apply").requests), []string{putProvider, putFactor, putTypes, putTemplates})
	requireSettled(t, tf)
	requireEqual(t, "changes on the way down", writesOf(tf.must("destroy").requests), []string{putTypes, putFactor, putProvider, putTemplates})
	requirePhone(t, env, prior)
	for _, e := range env.World.Kernel.Journal.Entries(0) {
		if e.Operation == putFactor && e.Path != "/api/v2/guardian/factors/sms" {
			t.Errorf("another factor was written: %s", e.Path)
		}
	}
}

// TestAccSMSFactorTexts proves that texts are set, changed, left alone and
// given back, and that a message without a code is refused.
func TestAccSMSFactorTexts(t *testing.T) {
	env := newSMSFactorWorld(t)
	phoneSettings{provider: "auth0", types: []string{"sms"}, templates: handMadeTexts()}.apply(t, env)
	other := "enrollment_message = \"A {{code}}\"\n  verification_message = \"B {{code}}\""
	texts := func(enrollment, verification string) resource.TestCheckFunc {
		return holds(func() {
			requireEqual(t, "texts", env.Tenant.Snapshot().Templates, map[string]any{"enrollment_message": enrollment, "verification_message": verification})
		})
	}
	update := actionIs(smsFactorAddress, plancheck.ResourceActionUpdate)
	env.Test(t,
		resource.TestStep{
			Config:           smsFactorConfig(""),
			ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionCreate),
			Check:            texts("by hand {{code}}", "by hand too {{code}}"),
		},
		resource.TestStep{
			Config:           smsFactorConfig(factorTexts),
			ConfigPlanChecks: update,
			Check:            texts("{{code}} enrolls you at {{tenant.friendly_name}}", "{{ code }} is your code"),
		},
		resource.TestStep{
			Config:           smsFactorConfig(other),
			ConfigPlanChecks: update,
			Check:            texts("A {{code}}", "B {{code}}"),
		},
		// Left out again, they stay.
		resource.TestStep{
			Config:           smsFactorConfig(""),
			ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionNoop),
			Check:            texts("A {{code}}", "B {{code}}"),
		},
	)
	requirePhone(t, env, phoneSettings{provider: "auth0", types: []string{"sms"}, templates: handMadeTexts()})
}

// TestAccSMSFactorFirstTexts: Auth0 has no call that takes texts away.
func TestAccSMSFactorFirstTexts(t *testing.T) {
	env := newSMSFactorWorld(t)
	tf := newWorkspace(t, env, smsFactorConfig(factorTexts))
	tf.must("apply")
	requireWords(t, tf.must("destroy").text("warning"), "Message texts were left", "no call that takes them away")
	requirePhone(t, env, phoneSettings{provider: "auth0", types: []string{}})
}

func TestAccSMSFactorRefusedInPlan(t *testing.T) {
	env := newSMSFactorWorld(t)
	tf := newWorkspace(t, env, "")
	for name, c := range map[string]struct {
		body  string
		words []string
	}{
		"text without a code": {"enrollment_message = \"Hello\"\n  verification_message = \"{{code}}\"", []string{"enrollment_message: must contain {{code}}"}},
		"one text alone":      {`verification_message = "{{code}}"`, []string{"enrollment_message", "verification_message"}},
		"the other alone":     {`enrollment_message = "{{code}}"`, []string{"enrollment_message", "verification_message"}},
		"text that no SMS holds": {
			fmt.Sprintf("enrollment_message = \"{{code}}\"\n  verification_message = \"{{code}}%s\"", strings.Repeat("x", 1600)),
			[]string{"verification_message", "at most 1600"},
		},
		"voice":              {`message_types = ["sms", "voice"]`, []string{"message_types", `"voice"`}},
		"no message type":    {`message_types = []`, []string{"message_types", "at least 1"}},
		"unknown on_destroy": {`on_destroy = "delete"`, []string{"on_destroy", `"restore"`, `"disable"`, `"leave"`}},
	} {
		t.Run(name, func(t *testing.T) {
			tf.write(smsFactorConfig(c.body))
			refused := tf.run("plan")
			if refused.exit == 0 {
				t.Fatal("the plan was not refused")
			}
			requireWords(t, refused.errorText(), c.words...)
		})
	}
}

// TestAccSMSFactorOnDestroy proves the three ways to leave.
func TestAccSMSFactorOnDestroy(t *testing.T) {
	prior := phoneSettings{provider: "twilio", types: []string{"sms"}, templates: handMadeTexts()}
	ours := &auth0api.Templates{EnrollmentMessage: "{{code}} enrolls you at {{tenant.friendly_name}}", VerificationMessage: "{{ code }} is your code"}
	for onDestroy, want := range map[string]phoneSettings{
		"restore": prior,
		"disable": {provider: "phone-message-hook", types: []string{"sms"}, templates: ours},
		"leave":   {enabled: true, provider: "phone-message-hook", types: []string{"sms"}, templates: ours},
	} {
		t.Run(onDestroy, func(t *testing.T) {
			env := newSMSFactorWorld(t)
			prior.apply(t, env)
			tf := newWorkspace(t, env, smsFactorConfig(factorTexts))
			tf.must("apply")
			tf.write(smsFactorConfig(factorTexts + fmt.Sprintf("\n  on_destroy = %q", onDestroy)))
			if changed := tf.must("apply"); onDestroy != "restore" {
				requireEqual(t, "plan", changed.changes, map[string]string{smsFactorAddress: "update"})
				requireEqual(t, "changes at Auth0", writesOf(changed.requests), []string{})
			}
			tf.must("destroy")
			requirePhone(t, env, want)
		})
	}
}

// TestAccSMSFactorDisabled proves that off is a state to stay in, not an
// endless plan: Auth0 takes message types only while the factor is on.
func TestAccSMSFactorDisabled(t *testing.T) {
	env := newSMSFactorWorld(t)
	off := smsFactorConfig("enabled = false")
	env.Test(t,
		resource.TestStep{
			Config:           off,
			ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionCreate),
			Check:            holds(func() { requirePhone(t, env, phoneSettings{provider: "phone-message-hook", types: []string{}}) }),
		},
		resource.TestStep{
			Config:           smsFactorConfig(""),
			ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionUpdate),
			Check: holds(func() {
				requirePhone(t, env, phoneSettings{enabled: true, provider: "phone-message-hook", types: []string{"sms"}})
			}),
		},
		resource.TestStep{
			Config:           off,
			ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionUpdate),
			Check: holds(func() {
				requirePhone(t, env, phoneSettings{provider: "phone-message-hook", types: []string{"sms"}})
			}),
		},
		// Back on, so that destroy can give the message types back.
		resource.TestStep{
			Config:           smsFactorConfig(""),
			ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionUpdate),
		},
	)
}

// TestAccSMSFactorExists proves that a factor which serves people is not taken
// from another provider unless somebody imports it, and is given back then.
func TestAccSMSFactorExists(t *testing.T) {
	live := phoneSettings{enabled: true, provider: "twilio", types: []string{"sms"}, templates: handMadeTexts()}
	for name, prior := range map[string]phoneSettings{
		"another provider": live,
		"with voice":       {enabled: true, provider: "phone-message-hook", types: []string{"sms", "voice"}, templates: handMadeTexts()},
	} {
		t.Run(name, func(t *testing.T) {
			env := newSMSFactorWorld(t)
			prior.apply(t, env)
			before := env.State()
			tf := newWorkspace(t, env, smsFactorConfig(factorTexts))
			refused := tf.run("plan")
			requireWords(t, refused.errorText(), "already exists", prior.provider, "never taken over silently",
				"import {\n    to = auth0sns_sms_factor.NAME", `id = "sms"`)
			requireNoWrites(t, refused.requests)

			block := func(id string) string {
				return fmt.Sprintf("import {\n  to = %s\n  id = %q\n}\n", smsFactorAddress, id)
			}
			tf.write(smsFactorConfig(factorTexts) + block("sms-factor"))
			requireWords(t, tf.run("plan").errorText(), `The SMS factor is imported as "sms"`)

			tf.write(smsFactorConfig(factorTexts) + block("sms"))
			tf.must("apply")
			requirePhone(t, env, phoneSettings{
				enabled: true, provider: "phone-message-hook", types: []string{"sms"},
				templates: &auth0api.Templates{EnrollmentMessage: "{{code}} enrolls you at {{tenant.friendly_name}}", VerificationMessage: "{{ code }} is your code"},
			})
			requireSettled(t, tf)
			tf.must("destroy")
			requireEqual(t, "what is other than at the import", before.Diff(env.State()), "")
		})
	}

	t.Run("switching it off is a change too", func(t *testing.T) {
		env := newSMSFactorWorld(t)
		phoneSettings{enabled: true, provider: "phone-message-hook", types: []string{"sms"}}.apply(t, env)
		tf := newWorkspace(t, env, smsFactorConfig("enabled = false"))
		requireWords(t, tf.run("plan").errorText(), "already exists")
	})
	t.Run("as configured", func(t *testing.T) {
		env := newSMSFactorWorld(t)
		phoneSettings{enabled: true, provider: "phone-message-hook", types: []string{"sms"}}.apply(t, env)
		tf := newWorkspace(t, env, smsFactorConfig(""))
		applied := tf.must("apply")
		requireEqual(t, "changes of a factor that is as configured", writesOf(applied.requests), []string{})
		requireWords(t, applied.text("warning"), "SMS factor is on already", "destroy will switch it off", "import it instead")
		tf.must("destroy")
		requirePhone(t, env, phoneSettings{provider: "auth0", types: []string{}})
	})
}

// TestAccSMSFactorImport proves that a live set-up is taken over without a change.
func TestAccSMSFactorImport(t *testing.T) {
	w := newCredentialsWorld(t)
	phoneSettings{enabled: true, provider: "phone-message-hook", types: []string{"sms"}, templates: handMadeTexts()}.apply(t, w.Env)
	text := blockConfig("auth0sns_sms_factor", fmt.Sprintf("sender_id = %q", w.hookID)) +
		fmt.Sprintf("import {\n  to = %s\n  id = \"sms\"\n}\n", smsFactorAddress)
	w.Test(t, resource.TestStep{
		Config:           text,
		ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionNoop),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(smsFactorAddress, tfjsonpath.New("enrollment_message"), knownvalue.StringExact("by hand {{code}}")),
		},
	})
}

// TestAccSMSFactorOutOfBand: each of these ends messages or changes who sends them.
func TestAccSMSFactorOutOfBand(t *testing.T) {
	env := newSMSFactorWorld(t)
	client := env.Auth0(t)
	phoneSettings{provider: "auth0", types: []string{"sms"}, templates: handMadeTexts()}.apply(t, env)
	text := smsFactorConfig(factorTexts)
	steps := []resource.TestStep{{Config: text, ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionCreate)}}
	for _, c := range []struct {
		attribute string
		before    knownvalue.Check
		change    func() error
	}{
		{"enabled", knownvalue.Bool(false), func() error { return client.SetFactor(t.Context(), delivery.FactorSMS, false) }},
		{"selected_provider", knownvalue.StringExact("twilio"), func() error { return client.SetSelectedProvider(t.Context(), "twilio") }},
		{"message_types", knownvalue.SetSizeExact(0), func() error { return client.SetMessageTypes(t.Context(), nil) }},
		{"message_types", knownvalue.SetSizeExact(2), func() error { return client.SetMessageTypes(t.Context(), []string{"voice", "sms"}) }},
		{"verification_message", knownvalue.StringExact("by hand too {{code}}"), func() error { return client.SetTemplates(t.Context(), *handMadeTexts()) }},
		// Which types it had shows only once it is on again: one apply all the same.
		{"enabled", knownvalue.Bool(false), func() error {
			if err := client.SetMessageTypes(t.Context(), []string{"voice"}); err != nil {
				return err
			}
			return client.SetFactor(t.Context(), delivery.FactorSMS, false)
		}},
	} {
		steps = append(steps, resource.TestStep{
			PreConfig:        func() { succeeds(t, c.change()) },
			Config:           text,
			ConfigPlanChecks: actionIs(smsFactorAddress, plancheck.ResourceActionUpdate, expectBefore{c.attribute, c.before}),
			Check: holds(func() {
				requirePhone(t, env, phoneSettings{
					enabled: true, provider: "phone-message-hook", types: []string{"sms"},
					templates: &auth0api.Templates{EnrollmentMessage: "{{code}} enrolls you at {{tenant.friendly_name}}", VerificationMessage: "{{ code }} is your code"},
				})
			}),
		})
	}
	env.Test(t, steps...)
	for _, e := range env.World.Kernel.Journal.Entries(0) {
		if e.Operation == putFactor && e.Path != "/api/v2/guardian/factors/sms" {
			t.Errorf("another factor was written: %s", e.Path)
		}
	}
}

// TestAccSMSFactorCreateFails proves that a create which fails in the middle
// gives everything back: else the next one would take the ruins for the past.
func TestAccSMSFactorCreateFails(t *testing.T) {
	prior := phoneSettings{provider: "twilio", types: []string{"voice"}, templates: handMadeTexts()}
	for _, operation := range []string{putTemplates, putProvider, putFactor, putTypes} {
		t.Run(operation, func(t *testing.T) {
			env := newSMSFactorWorld(t)
			prior.apply(t, env)
			before := env.State()
			tf := newWorkspace(t, env, smsFactorConfig(factorTexts))
			end := armFault(t, env, control.Fault{Operation: operation, Times: 1, Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"refused by the test"}`})
			failed := tf.run("apply")
			end()
			requireWords(t, failed.errorText(), "SMS factor was not set up", "refused by the test")
			requireEqual(t, "what the failed create left", before.Diff(env.State()), "")
			requireEqual(t, "next plan", tf.must("apply").changes, map[string]string{smsFactorAddress: "create"})
			requireSettled(t, tf)
			tf.must("destroy")
			requireEqual(t, "what is left after destroy", before.Diff(env.State()), "")
		})
	}

	t.Run("and cannot be undone", func(t *testing.T) {
		env := newSMSFactorWorld(t)
		prior.apply(t, env)
		tf := newWorkspace(t, env, smsFactorConfig(""))
		refused := control.Fault{Operation: putFactor, Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"refused by the test"}`}
		defer armFault(t, env, refused)()
		refused.Operation, refused.Skip = putProvider, 1
		defer armFault(t, env, refused)()
		requireWords(t, tf.run("apply").errorText(), "SMS factor is half set up", `It was: enabled false, provider "twilio", message types ["voice"]`)
	})
}

// TestAccSMSFactorUpdateFails proves that a change which fails in the middle is
// undone, and that the first texts are remembered even where it cannot be.
func TestAccSMSFactorUpdateFails(t *testing.T) {
	env := newSMSFactorWorld(t)
	phoneSettings{provider: "auth0", types: []string{"sms"}, templates: handMadeTexts()}.apply(t, env)
	before := env.State()
	tf := newWorkspace(t, env, smsFactorConfig("enabled = false"))
	tf.must("apply")
	disabled := env.State()
	tf.write(smsFactorConfig(factorTexts))
	refused := control.Fault{Operation: putTemplates, Times: 1, Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"refused by the test"}`}
	end := armFault(t, env, refused)
	requireWords(t, tf.run("apply").errorText(), "SMS factor was not updated", "refused by the test")
	end()
	requireEqual(t, "what the failed update changed", disabled.Diff(env.State()), "")

	refused.Effect = control.RespondAfter
	defer armFault(t, env, refused)()
	refused.Effect, refused.Skip = control.Respond, 1
	defer armFault(t, env, refused)()
	requireWords(t, tf.run("apply").errorText(), "SMS factor was not updated", "SMS factor is half set up")
	requireEqual(t, "next plan", tf.must("apply").changes, map[string]string{smsFactorAddress: "update"})
	requireSettled(t, tf)
	tf.must("destroy")
	requireEqual(t, "what is left after destroy", before.Diff(env.State()), "")
}

// TestAccSMSFactorReplaced proves that a replacement does not switch MFA off.
func TestAccSMSFactorReplaced(t *testing.T) {
	env := newSMSFactorWorld(t)
	prior := phoneSettings{provider: "phone-message-hook", types: []string{"sms"}}
	prior.apply(t, env)
	tf := newWorkspace(t, env, smsFactorConfig("lifecycle { create_before_destroy = true }"))
	tf.must("apply")
	replaced := tf.must("apply", "-replace="+smsFactorAddress)
	requireEqual(t, "plan", replaced.changes, map[string]string{smsFactorAddress: "replace"})
	requireEqual(t, "changes at Auth0", writesOf(replaced.requests), []string{})
	requireWords(t, replaced.text("warning"), "SMS factor was left to its successor", "will switch the factor off", `enabled false, provider "phone-message-hook"`)
	requireSettled(t, tf)
	tf.must("destroy")
	requirePhone(t, env, phoneSettings{provider: "auth0", types: []string{}})
}

// TestAccSMSFactorOfAnotherName: the block was renamed without a moved block.
// In whichever order Terraform works, the factor is on in the end.
func TestAccSMSFactorOfAnotherName(t *testing.T) {
	env := newSMSFactorWorld(t)
	text := smsFactorConfig("lifecycle { create_before_destroy = true }")
	tf := newWorkspace(t, env, text)
	tf.must("apply")
	tf.write(strings.Replace(text, `"test"`, `"other"`, 1))
	requireEqual(t, "plan", tf.must("apply").changes, map[string]string{smsFactorAddress: "delete", "auth0sns_sms_factor.other": "create"})
	requirePhone(t, env, phoneSettings{enabled: true, provider: "phone-message-hook", types: []string{"sms"}})
	requireSettled(t, tf)
}

// TestAccSMSFactorDeposed: a replacement stopped after the new object was made,
// because of something else. The apply after it ends the old object, and must
// not switch MFA off; the last one to go does.
func TestAccSMSFactorDeposed(t *testing.T) {
	env := newSMSFactorWorld(t)
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), "otp", true))
	text := func(policy string) string {
		return smsFactorConfig("lifecycle { create_before_destroy = true }") +
			"\nresource \"auth0sns_mfa_policy\" \"test\" {\n  policy = \"" + policy + "\"\n  depends_on = [auth0sns_sms_factor.test]\n}\n"
	}
	before := env.State()
	tf := newWorkspace(t, env, text("all-applications"))
	tf.must("apply")
	tf.write(text("never"))
	end := armFault(t, env, control.Fault{Operation: putPolicies, Times: 1, Effect: control.Respond, Status: 403, Body: `{"statusCode":403,"error":"Forbidden","message":"refused by the test"}`})
	requireWords(t, tf.run("apply", "-replace="+smsFactorAddress).errorText(), "refused by the test")
	end()
	requireWords(t, tf.must("apply").text("warning"), "SMS factor was left to its successor")
	requirePhone(t, env, phoneSettings{enabled: true, provider: "phone-message-hook", types: []string{"sms"}})
	requireSettled(t, tf)
	requireWords(t, tf.must("destroy").text("warning"), "The SMS factor is in use now", "moved block")
	requireEqual(t, "what is left after destroy", before.Diff(env.State()), "")
}

// TestAccSMSFactorLeftBehind: a tenant that somebody moved asks no hook any more.
// The plan says so, and destroy goes as far as it can.
func TestAccSMSFactorLeftBehind(t *testing.T) {
	words := []string{"The sender is never asked", "Unified Phone Experience", "custom-phone-provider", "Nothing was changed"}
	env := newSMSFactorWorld(t)
	phoneSettings{provider: "twilio", types: []string{"sms"}, templates: handMadeTexts()}.apply(t, env)
	setUnified(t, env, true)
	tf := newWorkspace(t, env, smsFactorConfig(factorTexts))
	refused := tf.run("plan")
	requireWords(t, refused.errorText(), words...)
	requireNoWrites(t, refused.requests)

	setUnified(t, env, false)
	tf.must("apply")
	setUnified(t, env, true)
	live := env.State()
	refused = tf.run("plan")
	requireWords(t, refused.errorText(), words...)
	requireNoWrites(t, refused.requests)
	requireEqual(t, "what a refused plan changed", live.Diff(env.State()), "")

	// Terraform plans what it destroys as if it stayed, unless it is told not to look.
	requireWords(t, refused.errorText(), "terraform destroy -refresh=false")
	warnings := tf.must("destroy", "-refresh=false").text("warning")
	requireWords(t, warnings, "The SMS factor is in use now", "The legacy phone settings were left", `It was: enabled false, provider "twilio"`)
	setUnified(t, env, false)
	requirePhone(t, env, phoneSettings{provider: "phone-message-hook", types: []string{"sms"}, templates: &auth0api.Templates{
		EnrollmentMessage: "{{code}} enrolls you at {{tenant.friendly_name}}", VerificationMessage: "{{ code }} is your code",
	}})
	requireEqual(t, "texts of the other path", len(env.Tenant.Snapshot().PhoneTemplates), 0)
}

// setUnified moves a tenant to the Unified Phone Experience, or back.
func setUnified(t *testing.T, env *acctest.Env, on bool) {
	t.Helper()
	succeeds(t, env.Auth0(t).SetPhoneConsolidatedExperience(t.Context(), on))
}

// send makes one request that the client of this repository does not know, and
// returns its status.
func send(t *testing.T, env *acctest.Env, method, path, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, env.TenantURL+path, strings.NewReader(body))
	succeeds(t, err)
	req.Header.Set("Authorization", "Bearer "+env.Tenant.Token())
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	succeeds(t, err)
	succeeds(t, resp.Body.Close())
	return resp.StatusCode
}

// TestAccScenarioHookGivesBack proves that a tenant which somebody had set up
// by hand is, after the scenario, as that person left it.
func TestAccScenarioHookGivesBack(t *testing.T) {
	env := acctest.New(t)
	phoneSettings{provider: "twilio", types: []string{"sms", "voice"}, templates: handMadeTexts()}.apply(t, env)
	succeeds(t, env.Auth0(t).SetFactor(t.Context(), "otp", true))
	succeeds(t, env.Auth0(t).SetPolicies(t.Context(), nil))
	before := env.State()
	scenario := acctest.Config(t, "scenarios/hook/main.tf")
	tf := newWorkspace(t, env, scenario)
	tf.must("apply")
	requireSettled(t, tf)

	live := env.State()
	hook, user := onlyHook(t, env), iamUser(t, env, "auth0-mfa-sms")
	importing := newWorkspace(t, env, scenario+fmt.Sprintf(`
import {
  to = auth0sns_iam_user.sms
  id = "auth0-mfa-sms"
}
import {
  to = auth0sns_hook.sms
  id = %q
}
import {
  to = auth0sns_credentials.sms
  id = "auth0-mfa-sms/%s/%s/us-east-1"
}
import {
  to = auth0sns_sms_factor.sms
  id = "sms"
}
import {
  to = auth0sns_mfa_policy.sms
  id = "mfa-policy"
}
`, hook.ID, user.AccessKeys[0].ID, hook.ID))
	imported := importing.must("apply")
	requireEqual(t, "actions of the import", slices.Sorted(maps.Values(imported.changes)), []string{"import", "import", "import", "import", "update"})
	requireEqual(t, "changes of the import", writesOf(imported.requests), []string{})
	requireEqual(t, "what the import changed", live.Diff(env.State()), "")
	requireSettled(t, importing)

	tf.must("destroy")
	requireEqual(t, "what is other than before", before.Diff(env.State()), "")
}

// TestAccSMSFactorNeedsSender: a factor turned to a hook that does not answer
// asks everybody for a code that nobody sends.
func TestAccSMSFactorNeedsSender(t *testing.T) {
	for name, test := range map[string]struct {
		prepare func(t *testing.T, env *acctest.Env)
		says    string
	}{
		"switched off": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			off := false
			_, err := env.Auth0(t).UpdateHook(t.Context(), onlyHook(t, env).ID, auth0api.HookPatch{Enabled: &off})
			succeeds(t, err)
		}, "does not run"},
		"gone": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			succeeds(t, env.Auth0(t).DeleteHook(t.Context(), onlyHook(t, env).ID))
		}, "has no hook"},
	} {
		t.Run(name, func(t *testing.T) {
			env := newSMSFactorWorld(t)
			test.prepare(t, env)
			before := env.State()
			refused := newWorkspace(t, env, smsFactorConfig("")).run("apply")
			requireWords(t, refused.errorText(), "sender_id", test.says, "nobody sends")
			requireEqual(t, "change by an apply that was refused", before.Diff(env.State()), "")
		})
	}
}
