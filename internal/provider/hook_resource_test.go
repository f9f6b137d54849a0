package provider_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

const (
	hookAddress = "auth0sns_hook.test"
	ownScript   = "module.exports = function (recipient, text, context, cb) { cb(null, {}); };"
	everySMS    = `
  sms = {
    client                = "builtin"
    sms_type              = "Promotional"
    sender_id             = "Auth0"
    origination_number    = "+12065550100"
    max_price_usd         = "0.10"
    entity_id             = "1101"
    template_id           = "1107"
    allowed_country_codes = ["+49", "+1"]
    fallback_regions      = ["eu-west-1", "eu-central-1"]
    timeout               = "2.5s"
  }`
)

func hookConfig(body string) string { return blockConfig("auth0sns_hook", body) }

// onlyHook is the tenant's hook; the test fails unless there is exactly one.
func onlyHook(t *testing.T, env *acctest.Env) auth0.HookState {
	t.Helper()
	hooks := env.Tenant.Snapshot().Hooks
	if len(hooks) != 1 {
		t.Fatalf("the tenant has %d hooks", len(hooks))
	}
	return hooks[0]
}

func rendered(t *testing.T, o sender.Options) sender.Code {
	t.Helper()
	code, err := sender.Render(sender.Hook, o)
	succeeds(t, err)
	return code
}

// everyOption is what everySMS stands for.
func everyOption() sender.Options {
	return sender.Options{
		Client: sender.Builtin, SMSType: "Promotional", SenderID: "Auth0", OriginationNumber: "+12065550100", MaxPriceUSD: "0.10",
		EntityID: "1101", TemplateID: "1107", AllowedCountryCodes: []string{"+1", "+49"},
		FallbackRegions: []string{"eu-west-1", "eu-central-1"}, Timeout: 2_500_000_000,
	}
}

// importHook are the two steps that prove an import: state and plan are as if
// Terraform had made the hook.
func importHook(config string) []resource.TestStep {
	id := func(s *terraform.State) (string, error) {
		return s.RootModule().Resources[hookAddress].Primary.ID, nil
	}
	return []resource.TestStep{
		{ResourceName: hookAddress, ImportState: true, ImportStateVerify: true},
		{Config: config, ResourceName: hookAddress, ImportState: true, ImportStateIdFunc: id, ImportStateKind: resource.ImportBlockWithID},
	}
}

func TestAccHookDefaults(t *testing.T) {
	env := acctest.New(t)
	code := rendered(t, sender.Options{})
	config := hookConfig(`name = "Amazon SNS"`)
	env.Test(t, append([]resource.TestStep{{
		Config: config,
		ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionCreate,
			plancheck.ExpectKnownValue(hookAddress, tfjsonpath.New("script_sha256"), knownvalue.StringExact(code.SHA256)),
			plancheck.ExpectKnownValue(hookAddress, tfjsonpath.New("dependencies"), knownvalue.MapSizeExact(1)),
			plancheck.ExpectUnknownValue(hookAddress, tfjsonpath.New("id")),
		),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(hookAddress, tfjsonpath.New("enabled"), knownvalue.Bool(true)),
			statecheck.ExpectKnownValue(hookAddress, tfjsonpath.New("force_destroy"), knownvalue.Bool(false)),
			statecheck.ExpectKnownValue(hookAddress, tfjsonpath.New("sms"), knownvalue.Null()),
			statecheck.ExpectKnownValue(hookAddress, tfjsonpath.New("script"), knownvalue.Null()),
		},
		Check: holds(func() {
			hook := onlyHook(t, env)
			requireEqual(t, "hook at Auth0", hook, auth0.HookState{
				ID: hook.ID, Name: "Amazon SNS", TriggerID: "send-phone-message", Enabled: true,
				Script: code.Script, Dependencies: map[string]string{"aws-sdk": "2.1693.0"}, SecretNames: hook.SecretNames,
			})
			requireEqual(t, "number of secrets", len(hook.SecretNames), 0)
		}),
	}}, importHook(config)...)...)
}

func TestAccHookEverything(t *testing.T) {
	env := acctest.New(t)
	config := hookConfig("name = \"Amazon SNS 2\"\n  enabled = false\n  force_destroy = false\n  dependencies = { lodash = \"4.17.21\" }" + everySMS)
	env.Test(t, append([]resource.TestStep{{
		Config:           config,
		ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionCreate),
		Check: holds(func() {
			hook := onlyHook(t, env)
			requireEqual(t, "hook at Auth0", hook, auth0.HookState{
				ID: hook.ID, Name: "Amazon SNS 2", TriggerID: "send-phone-message",
				Script: rendered(t, everyOption()).Script, Dependencies: map[string]string{"lodash": "4.17.21"}, SecretNames: hook.SecretNames,
			})
		}),
	}}, importHook(config)...)...)
}

func TestAccHookOwnScript(t *testing.T) {
	env := acctest.New(t)
	config := hookConfig(fmt.Sprintf("name = \"Own\"\n  script = %q", ownScript))
	env.Test(t, append([]resource.TestStep{{
		Config:           config,
		ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionCreate),
		Check: holds(func() {
			hook := onlyHook(t, env)
			requireEqual(t, "script at Auth0", hook.Script, ownScript)
			requireEqual(t, "dependencies at Auth0", hook.Dependencies, map[string]string{})
		}),
	}}, importHook(config)...)...)
}

// TestAccHookUpdates changes one attribute after the other in place: a hook
// made anew would have lost its secrets, and with them every code.
func TestAccHookUpdates(t *testing.T) {
	env := acctest.New(t)
	secrets := []string{"AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"}
	var id string
	update := func(body string, want auth0.HookState) resource.TestStep {
		return resource.TestStep{
			Config:           hookConfig(body),
			ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionUpdate, plancheck.ExpectKnownValue(hookAddress, tfjsonpath.New("id"), knownvalue.NotNull())),
			Check: holds(func() {
				want.ID, want.TriggerID, want.SecretNames = id, "send-phone-message", secrets
				requireEqual(t, "hook at Auth0", onlyHook(t, env), want)
			}),
		}
	}
	sdk, own, all := rendered(t, sender.Options{}), fmt.Sprintf("  script = %q", ownScript), rendered(t, everyOption())
	none := map[string]string{}
	env.Test(t,
		resource.TestStep{
			Config:           hookConfig(`name = "One"`),
			ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionCreate),
			Check: holds(func() {
				id = onlyHook(t, env).ID
				succeeds(t, env.Auth0(t).AddHookSecrets(t.Context(), id, map[string]string{secrets[0]: "a", secrets[1]: "b", secrets[2]: "c"}))
			}),
		},
		update(`name = "Two"`, auth0.HookState{Name: "Two", Enabled: true, Script: sdk.Script, Dependencies: sdk.Dependencies}),
		update("name = \"Two\"\n  enabled = false", auth0.HookState{Name: "Two", Script: sdk.Script, Dependencies: sdk.Dependencies}),
		update(`name = "Two"`, auth0.HookState{Name: "Two", Enabled: true, Script: sdk.Script, Dependencies: sdk.Dependencies}),
		update("name = \"Two\""+everySMS, auth0.HookState{Name: "Two", Enabled: true, Script: all.Script, Dependencies: none}),
		update("name = \"Two\"\n"+own, auth0.HookState{Name: "Two", Enabled: true, Script: ownScript, Dependencies: none}),
		update("name = \"Two\"\n  dependencies = { a = \"1.0.0\" }\n"+own, auth0.HookState{Name: "Two", Enabled: true, Script: ownScript, Dependencies: map[string]string{"a": "1.0.0"}}),
		update("name = \"Two\"\n  dependencies = {}\n"+own, auth0.HookState{Name: "Two", Enabled: true, Script: ownScript, Dependencies: none}),
		update("name = \"Two\"\n  sms = { sender_id = \"Auth0\" }", auth0.HookState{
			Name: "Two", Enabled: true, Script: rendered(t, sender.Options{SenderID: "Auth0"}).Script, Dependencies: sdk.Dependencies,
		}),
		update(`name = "Two"`, auth0.HookState{Name: "Two", Enabled: true, Script: sdk.Script, Dependencies: sdk.Dependencies}),
		update("name = \"Two\"\n  force_destroy = true", auth0.HookState{Name: "Two", Enabled: true, Script: sdk.Script, Dependencies: sdk.Dependencies}),
	)
}

// TestAccHookSMSOptions proves that every option alone reaches the code: an
// update that forgot one would change nothing at Auth0.
func TestAccHookSMSOptions(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
	w.must("apply")
	every := everyOption()
	for _, o := range []struct {
		option string
		want   sender.Options
	}{
		{`client = "builtin"`, sender.Options{Client: every.Client}},
		{`sms_type = "Promotional"`, sender.Options{SMSType: every.SMSType}},
		{`sender_id = "Auth0"`, sender.Options{SenderID: every.SenderID}},
		{`origination_number = "+12065550100"`, sender.Options{OriginationNumber: every.OriginationNumber}},
		{`max_price_usd = "0.10"`, sender.Options{MaxPriceUSD: every.MaxPriceUSD}},
		{`entity_id = "1101"`, sender.Options{EntityID: every.EntityID}},
		{`template_id = "1107"`, sender.Options{TemplateID: every.TemplateID}},
		{`allowed_country_codes = ["+49", "+1"]`, sender.Options{AllowedCountryCodes: every.AllowedCountryCodes}},
		{`fallback_regions = ["eu-west-1", "eu-central-1"]`, sender.Options{FallbackRegions: every.FallbackRegions}},
		{`timeout = "2.5s"`, sender.Options{Timeout: every.Timeout}},
	} {
		w.write(hookConfig(smsBlock(o.option)))
		requireEqual(t, "plan with "+o.option, w.must("apply").changes, map[string]string{hookAddress: "update"})
		requireEqual(t, "script with "+o.option, onlyHook(t, env).Script, rendered(t, o.want).Script)
		requireEqual(t, "plan after the apply", w.must("plan").changes, map[string]string{})
	}
}

// TestAccHookChangedOutside proves that code somebody edited at Auth0, which
// could read every code and the AWS key, does not stay unseen.
func TestAccHookChangedOutside(t *testing.T) {
	env := acctest.New(t)
	client := env.Auth0(t)
	text, off, none := "changed", false, map[string]string{}
	for name, config := range map[string]string{
		"sms":    hookConfig("name = \"SNS\"\n  sms = { sender_id = \"Auth0\" }"),
		"script": hookConfig(fmt.Sprintf("name = \"SNS\"\n  script = %q\n  dependencies = { a = \"1.0.0\" }", ownScript)),
	} {
		t.Run(name, func(t *testing.T) {
			var want auth0.HookState
			changed := func(patch auth0api.HookPatch, shows plancheck.PlanCheck) resource.TestStep {
				return resource.TestStep{
					PreConfig: func() {
						_, err := client.UpdateHook(t.Context(), want.ID, patch)
						succeeds(t, err)
					},
					Config:           config,
					ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionUpdate, shows),
					Check:            holds(func() { requireEqual(t, "hook after the change was undone", onlyHook(t, env), want) }),
				}
			}
			edited := knownvalue.StringExact(sender.SHA256(text))
			env.Test(t,
				resource.TestStep{
					Config:           config,
					ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionCreate),
					Check:            holds(func() { want = onlyHook(t, env) }),
				},
				changed(auth0api.HookPatch{Script: &text}, expectBefore{"script_sha256", edited}),
				changed(auth0api.HookPatch{Enabled: &off}, expectBefore{"enabled", knownvalue.Bool(false)}),
				changed(auth0api.HookPatch{Name: &text}, expectBefore{"name", knownvalue.StringExact(text)}),
				changed(auth0api.HookPatch{Dependencies: &none}, expectBefore{"dependencies", knownvalue.MapSizeExact(0)}),
				resource.TestStep{
					PreConfig:        func() { succeeds(t, client.DeleteHook(t.Context(), want.ID)) },
					Config:           config,
					ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionCreate),
					Check: holds(func() {
						anew := onlyHook(t, env)
						want.ID = anew.ID
						requireEqual(t, "hook that was made anew", anew, want)
					}),
				},
			)
		})
	}
}

// expectBefore asserts what a plan shows as the present value of an attribute.
type expectBefore struct {
	attribute string
	value     knownvalue.Check
}

func (e expectBefore) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	for _, change := range req.Plan.ResourceChanges {
		before, err := tfjsonpath.Traverse(change.Change.Before, tfjsonpath.New(e.attribute))
		if err == nil {
			err = e.value.CheckValue(before)
		}
		if err != nil {
			resp.Error = fmt.Errorf("the plan hides the change of %s: %w", e.attribute, err)
		}
	}
}

func TestAccHookDeletedOutside(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
	w.must("apply")
	id := onlyHook(t, env).ID
	succeeds(t, env.Auth0(t).DeleteHook(t.Context(), id))
	plan := w.must("plan")
	requireWords(t, plan.text("warning"), "Hook no longer exists", id+" was deleted outside Terraform")
	requireEqual(t, "plan", plan.changes, map[string]string{hookAddress: "create"})
	requireEqual(t, "destroy without a refresh of a hook that is gone", w.run("destroy", "-refresh=false").errorText(), "")
}

// TestAccHookImportReplaces proves that the plan of an import shows the code
// that it would replace.
func TestAccHookImportReplaces(t *testing.T) {
	env := acctest.New(t)
	hook, err := env.Auth0(t).CreateHook(t.Context(), auth0api.Hook{Name: "Made by hand", Script: ownScript, TriggerID: delivery.TriggerHook, Enabled: true})
	succeeds(t, err)
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: env.Factories(),
		Steps: []resource.TestStep{{
			Config: hookConfig(`name = "Made by hand"`) + importOf(hookAddress, hook.ID),
			ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionUpdate,
				expectBefore{"script", knownvalue.StringExact(ownScript)},
				plancheck.ExpectKnownValue(hookAddress, tfjsonpath.New("script"), knownvalue.Null())),
			Check: holds(func() {
				requireEqual(t, "id, which keeps the secrets", onlyHook(t, env).ID, hook.ID)
				requireEqual(t, "script after the import", onlyHook(t, env).Script, rendered(t, sender.Options{}).Script)
			}),
		}},
	})
}

// TestAccHookImportOfDefaultsWrittenOut shows the one import whose plan is not
// empty: a default that is written out. It changes the state, nothing else.
func TestAccHookImportOfDefaultsWrittenOut(t *testing.T) {
	env := acctest.New(t)
	code := rendered(t, sender.Options{})
	hook, err := env.Auth0(t).CreateHook(t.Context(), auth0api.Hook{
		Name: "SNS", Script: code.Script, Dependencies: code.Dependencies, TriggerID: delivery.TriggerHook, Enabled: true,
	})
	succeeds(t, err)
	w := newWorkspace(t, env, hookConfig("name = \"SNS\"\n  sms = { sms_type = \"Transactional\" }")+
		importOf(hookAddress, hook.ID))
	applied := w.must("apply")
	requireEqual(t, "plan", applied.changes, map[string]string{hookAddress: "update"})
	requireNoWrites(t, applied.requests)
	requireEqual(t, "plan after the import", w.must("plan").changes, map[string]string{})
}

func TestAccHookImportRefused(t *testing.T) {
	env := acctest.New(t)
	other, err := env.Auth0(t).CreateHook(t.Context(), auth0api.Hook{Name: "Login", Script: ownScript, TriggerID: "credentials-exchange"})
	succeeds(t, err)
	w := newWorkspace(t, env, "")
	for name, tt := range map[string]struct {
		id   string
		want []string
	}{
		"another trigger": {other.ID, []string{"Not a Send Phone Message hook", `Hook "Login"`, `"credentials-exchange"`}},
		"nobody":          {"01ARZ3NDEKTSV4RRFFQ69G5FAV", []string{"non-existent remote object"}},
		"a name":          {"Amazon SNS", []string{"Hook cannot be read", "400 Bad Request", "String does not match pattern"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(hookConfig(`name = "SNS"`) + importOf(hookAddress, tt.id))
			requireWords(t, w.run("plan").errorText(), tt.want...)
		})
	}
}

// TestAccHookRefused proves that a hook that may be sending codes right now is
// neither taken over nor switched off.
func TestAccHookRefused(t *testing.T) {
	env := acctest.New(t)
	client := env.Auth0(t)
	live, err := client.CreateHook(t.Context(), auth0api.Hook{Name: "Live", Script: ownScript, TriggerID: delivery.TriggerHook, Enabled: true})
	succeeds(t, err)
	other, err := client.CreateHook(t.Context(), auth0api.Hook{Name: "Login", Script: ownScript, TriggerID: "credentials-exchange", Enabled: true})
	succeeds(t, err)
	w := newWorkspace(t, env, "")
	for name, tt := range map[string]struct {
		body string
		want []string
	}{
		"name of the same trigger": {"name = \"Live\"\n  enabled = false", []string{
			`Hook "Live" on`, "already exists", "import {\n    to = auth0sns_hook.NAME", fmt.Sprintf("id = %q", live.ID), "choose another name",
		}},
		"name of another trigger": {"name = \"Login\"\n  enabled = false", []string{
			"Name of the hook is taken", `Hook "Login" (` + other.ID + `)`, `trigger "credentials-exchange"`, "Choose another name",
		}},
		"second enabled": {`name = "SNS"`, []string{
			"Another Send Phone Message hook is enabled", `"Live" (` + live.ID + `)`, "not switched off here",
			"import {\n    to = auth0sns_hook.NAME", fmt.Sprintf("id = %q", live.ID), "enabled = false",
		}},
		"second enabled, code unknown": {"name = \"SNS\"\n  sms = terraform_data.late.output", []string{"Another Send Phone Message hook is enabled"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.write("resource \"terraform_data\" \"late\" {\n  input = { sender_id = \"Auth0\" }\n}\n" + hookConfig(tt.body))
			refused := w.run("plan")
			requireWords(t, refused.errorText(), tt.want...)
			requireNoWrites(t, refused.requests)
		})
	}
	// Beside it, switched off, it may live; a later switch is refused too.
	w.write(hookConfig("name = \"SNS\"\n  enabled = false"))
	w.must("apply")
	w.write(hookConfig(`name = "SNS"`))
	requireWords(t, w.run("plan").errorText(), "Another Send Phone Message hook is enabled")
	w.write(hookConfig("name = \"Live\"\n  enabled = false"))
	requireWords(t, w.run("plan").errorText(), "already exists")
	off := false
	_, err = client.UpdateHook(t.Context(), live.ID, auth0api.HookPatch{Enabled: &off})
	succeeds(t, err)
	w.write(hookConfig(`name = "SNS"`))
	w.must("apply")
}

// TestAccHookModes proves that a tenant whose hooks Auth0 has ended says so, and
// where to go, in place of a bare 403.
func TestAccHookModes(t *testing.T) {
	const (
		ended = "Auth0 made hooks read-only on 2024-11-18 and ended them on 2026-11-18: use an Action instead"
		guide = "https://auth0.com/docs/customize/actions/migrate/migrate-from-hooks-to-actions"
	)
	for mode, want := range map[auth0.HooksMode]struct{ create, update, destroy string }{
		auth0.HooksReadOnly: {create: "Hook was not created", update: "Hook was not updated"},
		auth0.HooksDisabled: {create: "Hooks of the tenant cannot be listed", update: "Hook cannot be read", destroy: "Hook cannot be read"},
		auth0.HooksGone:     {create: "Hooks of the tenant cannot be listed", update: "Hooks of the tenant cannot be listed", destroy: "Hooks of the tenant cannot be listed"},
	} {
		t.Run(string(mode), func(t *testing.T) {
			env := acctest.New(t)
			w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
			set := func(mode auth0.HooksMode) {
				switches := env.Tenant.Switches()
				switches.HooksMode = mode
				succeeds(t, env.Tenant.SetSwitches(switches))
			}
			refused := func(command, summary string) {
				t.Helper()
				text := w.run(command).errorText()
				if summary == "" {
					requireEqual(t, command, text, "")
					return
				}
				requireWords(t, text, summary, ended, guide, "terraform state rm", "terraform destroy -refresh=false")
			}
			set(mode)
			refused("apply", want.create)
			set(auth0.HooksAvailable)
			w.must("apply")
			set(mode)
			w.write(hookConfig(`name = "Renamed"`))
			refused("apply", want.update)
			refused("destroy", want.destroy)
		})
	}
}

// TestAccHookGoneDestroy proves that the advice for a tenant without hooks works.
func TestAccHookGoneDestroy(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
	w.must("apply")
	switches := env.Tenant.Switches()
	switches.HooksMode = auth0.HooksGone
	succeeds(t, env.Tenant.SetSwitches(switches))
	w.must("destroy", "-refresh=false")
}

func TestAccHookDeprecated(t *testing.T) {
	w := newWorkspace(t, acctest.New(t), hookConfig(`name = "SNS"`))
	requireWords(t, w.must("plan").text("warning"), "Deprecated", "read-only on 2024-11-18", "ended them on 2026-11-18", "The way on is an Action",
		"https://auth0.com/docs/customize/actions/migrate/migrate-from-hooks-to-actions")
}

func TestAccHookBadInput(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, "")
	for name, tt := range map[string]struct {
		body     string
		want     []string
		mistakes int // 0 stands for one
	}{
		"name with a dot":     {`name = "a.b"`, []string{"name", "begins and ends with a letter or digit (Auth0's rule for hook names)"}, 0},
		"name ends in hyphen": {`name = "a-"`, []string{"name", "Auth0's rule for hook names"}, 0},
		"name empty":          {`name = ""`, []string{"name", "Auth0's rule for hook names"}, 0},
		"script empty":        {"name = \"SNS\"\n  script = \"\"", []string{"script", "Attribute script string length"}, 0},
		"script and sms":      {"name = \"SNS\"\n  script = \"x\"\n  sms = {}", []string{"sms", "script", "cannot be specified"}, 0},
		"dependency null":     {"name = \"SNS\"\n  dependencies = { a = null }", []string{"Null Map Value"}, 0},
		"client":              {smsBlock(`client = "axios"`), []string{`sms.client: "axios" is not a client`, `"aws-sdk" or "builtin"`}, 0},
		"sms_type":            {smsBlock(`sms_type = "Fast"`), []string{`sms.sms_type: "Fast" is not an SMS type`, `"Promotional"`}, 0},
		"sender_id":           {smsBlock(`sender_id = "12345"`), []string{"sms.sender_id:", "at least one letter"}, 0},
		"origination_number":  {smsBlock(`origination_number = "+1"`), []string{"sms.origination_number:", "E.164"}, 0},
		"max_price_usd":       {smsBlock(`max_price_usd = "0"`), []string{"sms.max_price_usd:", "greater than 0"}, 0},
		"entity_id":           {smsBlock(`entity_id = "a b"`), []string{"sms.entity_id:", "1 to 50 characters"}, 0},
		"template_id":         {smsBlock(`template_id = "a b"`), []string{"sms.template_id:", "1 to 50 characters"}, 0},
		"country code":        {smsBlock(`allowed_country_codes = ["49"]`), []string{"sms.allowed_country_codes:", `such as "+49"`}, 0},
		"country code null":   {smsBlock(`allowed_country_codes = [null]`), []string{"sms.allowed_country_codes:"}, 0},
		"region":              {smsBlock(`fallback_regions = ["europe"]`), []string{"sms.fallback_regions:", `"europe" is not an AWS region`}, 0},
		"region null":         {smsBlock(`fallback_regions = [null]`), []string{"sms.fallback_regions:"}, 0},
		"timeout no duration": {smsBlock(`timeout = "5"`), []string{"sms.timeout:", "between 1s and 8s"}, 0},
		"timeout zero":        {smsBlock(`timeout = "0s"`), []string{"sms.timeout:", "between 1s and 8s"}, 0},
		"timeout too long":    {smsBlock(`timeout = "9s"`), []string{"sms.timeout:", "between 1s and 8s"}, 0},
		"two at once":         {smsBlock("sender_id = \"1\"\n max_price_usd = \"x\""), []string{"sms.sender_id:", "sms.max_price_usd:"}, 2},
		"beside an unknown":   {smsBlock("sender_id = \"1\"\n entity_id = terraform_data.late.output"), []string{"sms.sender_id:"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			w.write("resource \"terraform_data\" \"late\" {\n  input = \"x\"\n}\n" + hookConfig(tt.body))
			refused := w.run("plan")
			requireWords(t, refused.errorText(), tt.want...)
			requireEqual(t, "number of errors, one for each mistake", errorCount(refused), max(1, tt.mistakes))
			requireNoWrites(t, refused.requests)
		})
	}
}

func smsBlock(options string) string { return "name = \"SNS\"\n  sms = {\n" + options + "\n}" }

func errorCount(o outcome) int {
	count := 0
	for _, d := range o.diagnostics {
		if d.Severity == "error" {
			count++
		}
	}
	return count
}

// TestAccHookUnknown proves that code whose options are known late is planned
// as unknown and rendered when they are known.
func TestAccHookUnknown(t *testing.T) {
	env := acctest.New(t)
	late := func(body, input string) string {
		return "resource \"terraform_data\" \"late\" {\n  input = " + input + "\n}\n" + hookConfig(body)
	}
	unknown := func(body, input string, action plancheck.ResourceActionType, script string, attributes ...string) resource.TestStep {
		checks := []plancheck.PlanCheck{plancheck.ExpectUnknownValue(hookAddress, tfjsonpath.New("script_sha256"))}
		for _, attribute := range attributes {
			checks = append(checks, plancheck.ExpectUnknownValue(hookAddress, tfjsonpath.New(attribute)))
		}
		return resource.TestStep{
			Config:           late(body, input),
			ConfigPlanChecks: actionIs(hookAddress, action, checks...),
			Check:            holds(func() { requireEqual(t, "script at Auth0", onlyHook(t, env).Script, script) }),
		}
	}
	withSender := func(id string) string { return rendered(t, sender.Options{SenderID: id}).Script }
	env.Test(t,
		unknown("name = \"SNS\"\n  sms = terraform_data.late.output", `{ sender_id = "First" }`, plancheck.ResourceActionCreate, withSender("First"), "sms", "dependencies"),
		unknown("name = \"SNS\"\n  sms = terraform_data.late.output", `{ sender_id = "Second" }`, plancheck.ResourceActionUpdate, withSender("Second"), "sms", "dependencies"),
		unknown("name = \"SNS\"\n  sms = { sender_id = terraform_data.late.output }", `"Third"`, plancheck.ResourceActionUpdate, withSender("Third"), "dependencies"),
		unknown("name = \"SNS\"\n  sms = { fallback_regions = [terraform_data.late.output] }", `"eu-west-1"`, plancheck.ResourceActionUpdate,
			rendered(t, sender.Options{FallbackRegions: []string{"eu-west-1"}}).Script, "dependencies"),
		unknown("name = \"SNS\"\n  script = terraform_data.late.output", fmt.Sprintf("%q", ownScript), plancheck.ResourceActionUpdate, ownScript, "script", "dependencies"),
		resource.TestStep{
			Config: late("name = \"SNS\"\n  dependencies = terraform_data.late.output", `{ a = "1.0.0" }`),
			ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionUpdate,
				plancheck.ExpectUnknownValue(hookAddress, tfjsonpath.New("dependencies"))),
			Check: holds(func() {
				requireEqual(t, "dependencies", onlyHook(t, env).Dependencies, map[string]string{"a": "1.0.0"})
			}),
		},
		resource.TestStep{
			Config: late("name = terraform_data.late.output\n  enabled = terraform_data.late.output == \"\"\n  dependencies = { a = terraform_data.late.output }", `"Late"`),
			ConfigPlanChecks: actionIs(hookAddress, plancheck.ResourceActionUpdate,
				plancheck.ExpectUnknownValue(hookAddress, tfjsonpath.New("name")),
				plancheck.ExpectUnknownValue(hookAddress, tfjsonpath.New("enabled"))),
			Check: holds(func() {
				hook := onlyHook(t, env)
				requireEqual(t, "name", hook.Name, "Late")
				requireEqual(t, "dependencies", hook.Dependencies, map[string]string{"a": "Late"})
			}),
		},
	)
}

// TestAccHookUnknownBad proves that what is known late and wrong is refused
// before anything is written.
func TestAccHookUnknownBad(t *testing.T) {
	for name, tt := range map[string]struct{ body, input, want string }{
		"option":    {"name = \"SNS\"\n  sms = { sender_id = terraform_data.late.output }", `"1"`, "sms.sender_id:"},
		"block":     {"name = \"SNS\"\n  sms = terraform_data.late.output", `{ sender_id = "1" }`, "sms.sender_id:"},
		"name":      {"name = terraform_data.late.output", `"a.b"`, "Auth0's rule for hook names"},
		"script":    {"name = \"SNS\"\n  script = terraform_data.late.output", `""`, "Attribute script string length"},
		"name used": {"name = terraform_data.late.output\n  enabled = false", `"Live"`, "already exists"},
		"enabled":   {"name = \"SNS\"\n  enabled = terraform_data.late.output", `true`, "Another Send Phone Message hook is enabled"},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			_, err := env.Auth0(t).CreateHook(t.Context(), auth0api.Hook{Name: "Live", Script: ownScript, TriggerID: delivery.TriggerHook, Enabled: name == "enabled"})
			succeeds(t, err)
			w := newWorkspace(t, env, "resource \"terraform_data\" \"late\" {\n  input = "+tt.input+"\n}\n"+hookConfig(tt.body))
			w.must("plan")
			refused := w.run("apply")
			requireWords(t, refused.errorText(), tt.want)
			requireNoWrites(t, refused.requests)
		})
	}
}

// TestAccHookDestroyLive proves that no destroy locks people out unasked.
func TestAccHookDestroyLive(t *testing.T) {
	env := acctest.New(t)
	client := env.Auth0(t)
	w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
	w.must("apply")
	succeeds(t, client.SetSelectedProvider(t.Context(), delivery.ProviderCustom))
	succeeds(t, client.SetFactor(t.Context(), delivery.FactorSMS, true))
	before := env.State()
	refused := w.run("destroy")
	requireWords(t, refused.errorText(), "The hook is in use", onlyHook(t, env).ID, "SMS factor is on and its provider is Custom", "nothing was changed",
		"auth0sns_sms_factor", "force_destroy = true")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "change by a destroy that was refused", before.Diff(env.State()), "")

	w.write(hookConfig("name = \"SNS\"\n  enabled = false"))
	refused = w.run("apply")
	requireWords(t, refused.errorText(), "The hook is in use", "nothing was changed", "force_destroy = true")
	requireEqual(t, "change by a switch-off that was refused", before.Diff(env.State()), "")

	w.write(hookConfig("name = \"SNS\"\n  force_destroy = true"))
	requireNoWrites(t, w.must("apply").requests)
	w.must("destroy")
	requireEqual(t, "number of hooks", len(env.Tenant.Snapshot().Hooks), 0)
}

// TestAccHookDestroyIdle proves that the protection keeps nobody from removing
// what sends nothing.
func TestAccHookDestroyIdle(t *testing.T) {
	for name, prepare := range map[string]func(context.Context, *auth0api.Client) error{
		"factor off": func(ctx context.Context, c *auth0api.Client) error {
			return c.SetSelectedProvider(ctx, delivery.ProviderCustom)
		},
		"another provider": func(ctx context.Context, c *auth0api.Client) error { return c.SetFactor(ctx, delivery.FactorSMS, true) },
		"hook disabled": func(ctx context.Context, c *auth0api.Client) error {
			hooks, err := c.Hooks(ctx, delivery.TriggerHook)
			off := false
			for _, h := range hooks {
				_, err = c.UpdateHook(ctx, h.ID, auth0api.HookPatch{Enabled: &off})
			}
			return errors.Join(err, c.SetSelectedProvider(ctx, delivery.ProviderCustom), c.SetFactor(ctx, delivery.FactorSMS, true))
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
			w.must("apply")
			succeeds(t, prepare(t.Context(), env.Auth0(t)))
			w.must("destroy")
		})
	}
}

// TestAccHookDestroyUnclear proves that a question nobody answers is no yes.
func TestAccHookDestroyUnclear(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
	w.must("apply")
	env.Tenant.SetGrantScopes(env.Tenant.Client().ClientID, []string{"read:hooks", "create:hooks", "update:hooks", "delete:hooks"})
	refused := w.run("destroy")
	requireWords(t, refused.errorText(), "Cannot tell whether the hook is in use", "read:guardian_factors", "Nothing was changed")
	requireNoWrites(t, refused.requests)
}

// TestAccHookUpdateFails proves that the state stays what Auth0 has.
func TestAccHookUpdateFails(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
	w.must("apply")
	id, err := env.World.Kernel.Faults.Add(control.Fault{
		Side: control.SideAuth0, Operation: "PATCH /api/v2/hooks/*", Effect: control.Respond, Status: 400,
		Body: `{"statusCode":400,"error":"Bad Request","message":"No."}`,
	})
	succeeds(t, err)
	w.write(hookConfig("name = \"Renamed\"\n  sms = { sender_id = \"Auth0\" }"))
	requireWords(t, w.run("apply").errorText(), "Hook was not updated", "400 Bad Request", "No.")
	succeeds(t, env.World.Kernel.Faults.Remove(id))
	requireEqual(t, "plan after the failure", w.must("plan").changes, map[string]string{hookAddress: "update"})
	w.must("apply")
	requireEqual(t, "name", onlyHook(t, env).Name, "Renamed")
	w.must("destroy")
}

// TestAccHookCreateAnswerLost proves that there is no second hook after a
// request whose answer was lost.
func TestAccHookCreateAnswerLost(t *testing.T) {
	env := acctest.New(t)
	_, err := env.World.Kernel.Faults.Add(control.Fault{Side: control.SideAuth0, Operation: "POST /api/v2/hooks", Effect: control.DropAfter, Times: 1})
	succeeds(t, err)
	w := newWorkspace(t, env, hookConfig("name = \"SNS\""+everySMS))
	w.must("apply")
	requireEqual(t, "hook", onlyHook(t, env).Name, "SNS")
	requireEqual(t, "next plan", w.must("plan").changes, map[string]string{})
	w.must("destroy")
}

// TestAccHookLeftBehind is TestAccIAMUserLeftBehind for a hook.
func TestAccHookLeftBehind(t *testing.T) {
	patch := func(p auth0api.HookPatch) func(t *testing.T, env *acctest.Env) {
		return func(t *testing.T, env *acctest.Env) {
			t.Helper()
			_, err := env.Auth0(t).UpdateHook(t.Context(), onlyHook(t, env).ID, p)
			succeeds(t, err)
		}
	}
	off, script := false, "module.exports = function(recipient, text, context, cb) { cb(null, {}); };"
	for name, test := range map[string]struct {
		since func(t *testing.T, env *acctest.Env)
		taken bool
	}{
		"as it was made": {func(*testing.T, *acctest.Env) {}, true},
		"with a secret": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			succeeds(t, env.Auth0(t).AddHookSecrets(t.Context(), onlyHook(t, env).ID, map[string]string{"AWS_REGION": "us-east-1"}))
		}, false},
		"with other code": {patch(auth0api.HookPatch{Script: &script}), false},
		"switched off":    {patch(auth0api.HookPatch{Enabled: &off}), false},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			w := newWorkspace(t, env, hookConfig(`name = "SNS"`))
			w.must("apply")
			made := onlyHook(t, env).ID
			w.forget()
			test.since(t, env)
			if !test.taken {
				requireWords(t, w.run("plan").errorText(), "already exists", "import {")
				return
			}
			requireWords(t, w.must("plan").text("warning"), "is left from an apply that stopped", "never held a secret")
			w.must("apply")
			requireEqual(t, "hook", onlyHook(t, env).ID, made)
			requireEqual(t, "next plan", w.must("plan").changes, map[string]string{})
			w.must("destroy")
		})
	}
}

// TestAccHookScopes proves that a missing scope fails in plan, before the user
// and the key beside it are made.
func TestAccHookScopes(t *testing.T) {
	env := acctest.New(t)
	env.Tenant.SetGrantScopes(env.Tenant.Client().ClientID, []string{"read:hooks", "update:hooks"})
	refused := newWorkspace(t, env, hookConfig(`name = "SNS"`)).run("plan")
	requireWords(t, refused.errorText(), "Auth0 scope missing", "lacks create:hooks, delete:hooks")
}
