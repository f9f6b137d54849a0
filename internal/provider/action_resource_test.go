package provider_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/config"
	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/terraform"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

const (
	actionAddress = "auth0sns_action.test"
	ownAction     = "exports.onExecuteSendPhoneMessage = async () => {};"
)

func actionConfig(body string) string { return blockConfig("auth0sns_action", body) }

// onlyAction is the tenant's Action; the test fails unless there is exactly one.
func onlyAction(t *testing.T, env *acctest.Env) auth0.ActionState {
	t.Helper()
	actions := env.Tenant.Snapshot().Actions
	if len(actions) != 1 {
		t.Fatalf("the tenant has %d Actions", len(actions))
	}
	return actions[0]
}

func renderedAction(t *testing.T, o sender.Options) sender.Code {
	t.Helper()
	code, err := sender.Render(sender.SendPhoneMessage, o)
	succeeds(t, err)
	return code
}

// actionWith is the state of an Action whose draft is deployed.
func actionWith(id, name string, content auth0.ActionContent, version int) auth0.ActionState {
	if content.Runtime == "" {
		content.Runtime = "node22"
	}
	return auth0.ActionState{
		ID: id, Name: name, TriggerID: "send-phone-message", TriggerVersion: "v2", Status: "built", Draft: content,
		Deployed: &auth0.ActionDeploy{ActionContent: content, Number: version}, AllChangesDeployed: true,
	}
}

func requireAction(t *testing.T, env *acctest.Env, want auth0.ActionState) {
	t.Helper()
	got := onlyAction(t, env)
	for _, content := range []*auth0.ActionContent{&got.Draft, &want.Draft, &got.Deployed.ActionContent, &want.Deployed.ActionContent} {
		content.SecretNames = append([]string{}, content.SecretNames...)
	}
	requireEqual(t, "Action at Auth0", got, want)
}

// giveKey does what auth0sns_credentials does to an Action.
func giveKey(t *testing.T, env *acctest.Env, id string) {
	t.Helper()
	action := handover.Action{API: env.Auth0(t), Clock: env.Clock, ID: id}
	succeeds(t, action.Deliver(t.Context(), handover.Secrets{AccessKeyID: "AKIAEXAMPLE", SecretAccessKey: awsapi.NewSecret("secret"), Region: "eu-central-1"}))
}

// deployed deploys what somebody wrote into the draft.
func deployed(t *testing.T, env *acctest.Env, id string) {
	t.Helper()
	_, err := delivery.Deploy(t.Context(), env.Auth0(t), env.Clock, id)
	succeeds(t, err)
}

// otherAction is somebody else's Action, deployed and bound.
func otherAction(t *testing.T, env *acctest.Env, name, trigger, version string) string {
	t.Helper()
	client := env.Auth0(t)
	a, err := client.CreateAction(t.Context(), auth0api.Action{Name: name, Code: "x", Runtime: "node22", Trigger: auth0api.ActionTrigger{ID: trigger, Version: version}})
	succeeds(t, err)
	deployed(t, env, a.ID)
	succeeds(t, client.EditBindings(t.Context(), trigger, func(all []auth0api.Binding) []auth0api.Binding {
		return append(all, auth0api.Binding{ActionID: a.ID, DisplayName: name})
	}))
	return a.ID
}

func boundActions(env *acctest.Env) []string {
	ids := []string{}
	for _, b := range env.Tenant.Snapshot().Bindings["send-phone-message"] {
		ids = append(ids, b.ActionID)
	}
	return ids
}

func actionSwitch(t *testing.T, env *acctest.Env, set func(*auth0.Switches)) {
	t.Helper()
	switches := env.Tenant.Switches()
	set(&switches)
	succeeds(t, env.Tenant.SetSwitches(switches))
}

// importAction are the two steps that prove an import: state and plan are as if
// Terraform had made the Action.
func importAction(config string) []resource.TestStep {
	id := func(s *terraform.State) (string, error) {
		return s.RootModule().Resources[actionAddress].Primary.ID, nil
	}
	return []resource.TestStep{
		{ResourceName: actionAddress, ImportState: true, ImportStateVerify: true},
		{Config: config, ResourceName: actionAddress, ImportState: true, ImportStateIdFunc: id, ImportStateKind: resource.ImportBlockWithID},
	}
}

func TestAccActionDefaults(t *testing.T) {
	env := acctest.New(t)
	code := renderedAction(t, sender.Options{})
	config := actionConfig(`name = "Amazon SNS"`)
	env.Test(t, append([]resource.TestStep{{
		Config: config,
		ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionCreate,
			plancheck.ExpectKnownValue(actionAddress, tfjsonpath.New("code_sha256"), knownvalue.StringExact(code.SHA256)),
			plancheck.ExpectKnownValue(actionAddress, tfjsonpath.New("dependencies"), knownvalue.MapSizeExact(0)),
			plancheck.ExpectKnownValue(actionAddress, tfjsonpath.New("runtime"), knownvalue.StringExact("node22")),
			plancheck.ExpectKnownValue(actionAddress, tfjsonpath.New("trigger"), knownvalue.StringExact("send-phone-message")),
			plancheck.ExpectKnownValue(actionAddress, tfjsonpath.New("bound"), knownvalue.Bool(false)),
			plancheck.ExpectUnknownValue(actionAddress, tfjsonpath.New("id")),
			plancheck.ExpectUnknownValue(actionAddress, tfjsonpath.New("version_id")),
		),
		ConfigStateChecks: []statecheck.StateCheck{
			statecheck.ExpectKnownValue(actionAddress, tfjsonpath.New("version_id"), knownvalue.NotNull()),
			statecheck.ExpectKnownValue(actionAddress, tfjsonpath.New("force_destroy"), knownvalue.Bool(false)),
			statecheck.ExpectKnownValue(actionAddress, tfjsonpath.New("sms"), knownvalue.Null()),
			statecheck.ExpectKnownValue(actionAddress, tfjsonpath.New("code"), knownvalue.Null()),
		},
		Check: holds(func() {
			requireAction(t, env, actionWith(onlyAction(t, env).ID, "Amazon SNS", auth0.ActionContent{Code: code.Script, Dependencies: map[string]string{}}, 1))
			requireEqual(t, "Actions that run, of which one without a key must be none", boundActions(env), []string{})
		}),
	}}, importAction(config)...)...)
}

func TestAccActionEverything(t *testing.T) {
	env := acctest.New(t)
	config := actionConfig("name = \"Amazon SNS, 2\"\n  trigger = \"send-phone-message\"\n  runtime = \"node18\"\n  force_destroy = false\n  dependencies = { lodash = \"4.17.21\" }" +
		strings.Replace(everySMS, `"builtin"`, `"aws-sdk"`, 1))
	options := everyOption()
	options.Client = sender.AWSSDK
	env.Test(t, append([]resource.TestStep{{
		Config:           config,
		ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionCreate),
		Check: holds(func() {
			requireAction(t, env, actionWith(onlyAction(t, env).ID, "Amazon SNS, 2", auth0.ActionContent{
				Code: renderedAction(t, options).Script, Runtime: "node18-actions", Dependencies: map[string]string{"lodash": "4.17.21"},
			}, 1))
		}),
	}}, importAction(config)...)...)
}

func TestAccActionOwnCode(t *testing.T) {
	env := acctest.New(t)
	config := actionConfig(fmt.Sprintf("name = \"Own\"\n  code = %q", ownAction))
	env.Test(t, append([]resource.TestStep{{
		Config:           config,
		ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionCreate),
		Check: holds(func() {
			requireAction(t, env, actionWith(onlyAction(t, env).ID, "Own", auth0.ActionContent{Code: ownAction, Dependencies: map[string]string{}}, 1))
		}),
	}}, importAction(config)...)...)
}

// TestAccActionUpdates changes one attribute after the other in place, deploys
// each, and keeps key and binding: an Action made anew would have lost both, and
// with them every code.
func TestAccActionUpdates(t *testing.T) {
	env := acctest.New(t)
	var id string
	version := 2 // The first is made without a key, the second with it.
	update := func(body, name string, content auth0.ActionContent, deploys bool) resource.TestStep {
		return resource.TestStep{
			Config:           actionConfig(body),
			ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionUpdate, plancheck.ExpectKnownValue(actionAddress, tfjsonpath.New("id"), knownvalue.NotNull())),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(actionAddress, tfjsonpath.New("bound"), knownvalue.Bool(true)),
			},
			Check: holds(func() {
				if deploys {
					version++
				}
				content.SecretNames = []string{"AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"}
				requireAction(t, env, actionWith(id, name, content, version))
				requireEqual(t, "Actions that run", boundActions(env), []string{id})
			}),
		}
	}
	none, sdk := map[string]string{}, renderedAction(t, sender.Options{Client: sender.AWSSDK})
	builtin, all := renderedAction(t, sender.Options{}).Script, renderedAction(t, everyOption()).Script
	own := fmt.Sprintf("  code = %q", ownAction)
	env.Test(t,
		resource.TestStep{
			Config:           actionConfig(`name = "One"`),
			ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionCreate),
			Check: holds(func() {
				id = onlyAction(t, env).ID
				giveKey(t, env, id)
			}),
		},
		update(`name = "Two"`, "Two", auth0.ActionContent{Code: builtin, Dependencies: none}, true),
		update("name = \"Two\"\n  runtime = \"node18\"", "Two", auth0.ActionContent{Code: builtin, Runtime: "node18-actions", Dependencies: none}, true),
		update("name = \"Two\"\n  sms = { client = \"aws-sdk\" }", "Two", auth0.ActionContent{Code: sdk.Script, Dependencies: sdk.Dependencies}, true),
		update("name = \"Two\""+everySMS, "Two", auth0.ActionContent{Code: all, Dependencies: none}, true),
		update("name = \"Two\"\n"+own, "Two", auth0.ActionContent{Code: ownAction, Dependencies: none}, true),
		update("name = \"Two\"\n  dependencies = { a = \"1.0.0\" }\n"+own, "Two", auth0.ActionContent{Code: ownAction, Dependencies: map[string]string{"a": "1.0.0"}}, true),
		update("name = \"Two\"\n  dependencies = {}\n"+own, "Two", auth0.ActionContent{Code: ownAction, Dependencies: none}, true),
		update("name = \"Two\"\n  force_destroy = true\n"+own, "Two", auth0.ActionContent{Code: ownAction, Dependencies: none}, false),
		update("name = \"Two\"\n  timeouts {\n    update = \"1m\"\n  }\n"+own, "Two", auth0.ActionContent{Code: ownAction, Dependencies: none}, false),
		update(`name = "Two"`, "Two", auth0.ActionContent{Code: builtin, Dependencies: none}, true),
	)
}

// TestAccActionChangedOutside proves that code somebody edited at Auth0, which
// could read every code and the AWS key, does not stay unseen: not while it
// waits in the draft, where the next deploy would make it live, nor when it runs.
func TestAccActionChangedOutside(t *testing.T) {
	env := acctest.New(t)
	client := env.Auth0(t)
	text, runtime, packages := "exports.changed = 1;", "node18", map[string]string{"b": "2.0.0"}
	for name, config := range map[string]string{
		"sms":  actionConfig("name = \"SNS\"\n  sms = { sender_id = \"Auth0\" }"),
		"code": actionConfig(fmt.Sprintf("name = \"SNS\"\n  code = %q\n  dependencies = { a = \"1.0.0\" }", ownAction)),
	} {
		t.Run(name, func(t *testing.T) {
			var want auth0.ActionState
			changed := func(deploy bool, patch auth0api.ActionPatch, shows plancheck.PlanCheck) resource.TestStep {
				return resource.TestStep{
					PreConfig: func() {
						_, err := client.UpdateAction(t.Context(), want.ID, patch)
						succeeds(t, err)
						if deploy {
							deployed(t, env, want.ID)
						}
					},
					Config: config,
					ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionUpdate, shows,
						plancheck.ExpectUnknownValue(actionAddress, tfjsonpath.New("version_id"))),
					Check: holds(func() {
						want.Deployed.Number = onlyAction(t, env).Deployed.Number
						requireAction(t, env, want)
					}),
				}
			}
			edited := expectBefore{"code_sha256", knownvalue.StringExact(sender.SHA256(text))}
			env.Test(t,
				resource.TestStep{
					Config:           config,
					ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionCreate),
					Check:            holds(func() { want = onlyAction(t, env) }),
				},
				changed(false, auth0api.ActionPatch{Code: &text}, edited),
				changed(true, auth0api.ActionPatch{Code: &text}, edited),
				changed(false, auth0api.ActionPatch{Runtime: &runtime}, expectBefore{"runtime", knownvalue.StringExact(runtime)}),
				changed(true, auth0api.ActionPatch{Runtime: &runtime}, expectBefore{"runtime", knownvalue.StringExact(runtime)}),
				changed(true, auth0api.ActionPatch{Dependencies: &packages}, expectBefore{"dependencies", knownvalue.MapExact(map[string]knownvalue.Check{"b": knownvalue.StringExact("2.0.0")})}),
				changed(true, auth0api.ActionPatch{Name: &text}, expectBefore{"name", knownvalue.StringExact(text)}),
				resource.TestStep{
					PreConfig:        func() { succeeds(t, client.DeleteAction(t.Context(), want.ID)) },
					Config:           config,
					ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionCreate),
					Check: holds(func() {
						want.ID, want.Deployed.Number = onlyAction(t, env).ID, 1
						requireAction(t, env, want)
					}),
				},
			)
		})
	}
}

// TestAccActionUnbound proves that an Action which somebody unbound is bound
// again, but only where it can send: one without a key would be live and silent.
func TestAccActionUnbound(t *testing.T) {
	env := acctest.New(t)
	client := env.Auth0(t)
	w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
	w.must("apply")
	id := onlyAction(t, env).ID
	requireEqual(t, "plan before there is a key", w.must("plan").changes, map[string]string{})

	giveKey(t, env, id)
	requireEqual(t, "plan after the key was delivered", w.must("plan").changes, map[string]string{})

	first := otherAction(t, env, "First", "send-phone-message", "v2")
	succeeds(t, delivery.Unbind(t.Context(), client, delivery.TriggerSendPhoneMessage, id))
	plan := w.must("plan")
	requireEqual(t, "plan of an Action that was unbound", plan.changes, map[string]string{actionAddress: "update"})
	requireWords(t, plan.text("warning"), "The Action is not bound", `"SNS"`, "binds it again")
	applied := w.must("apply")
	requireEqual(t, "Actions that run", boundActions(env), []string{first, id})
	if slices.Contains(applied.operations(), "POST /api/v2/actions/actions/{id}/deploy") {
		t.Error("an Action that had only to be bound was deployed")
	}

	_, err := client.SetActionSecrets(t.Context(), id, nil)
	succeeds(t, err)
	deployed(t, env, id)
	succeeds(t, delivery.Unbind(t.Context(), client, delivery.TriggerSendPhoneMessage, id))
	requireEqual(t, "plan of an Action that holds no key", w.must("plan").changes, map[string]string{})
	w.must("destroy")
}

func TestAccActionDeletedOutside(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
	w.must("apply")
	id := onlyAction(t, env).ID
	succeeds(t, env.Auth0(t).DeleteAction(t.Context(), id))
	plan := w.must("plan")
	requireWords(t, plan.text("warning"), "Action no longer exists", id+" was deleted outside Terraform")
	requireEqual(t, "plan", plan.changes, map[string]string{actionAddress: "create"})
	requireEqual(t, "destroy without a refresh of an Action that is gone", w.run("destroy", "-refresh=false").errorText(), "")
}

// TestAccActionForeignBindings proves that what else a tenant runs stays, in its
// order, whatever happens to the Action.
func TestAccActionForeignBindings(t *testing.T) {
	env := acctest.New(t)
	login := otherAction(t, env, "Login", "post-login", "v3")
	first, second := otherAction(t, env, "First", "send-phone-message", "v2"), otherAction(t, env, "Second", "send-phone-message", "v2")
	before := env.State()
	w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
	requireWords(t, w.must("apply").text("warning"), "Another Action sends the messages now", fmt.Sprintf("%q (%s)", "First", first), fmt.Sprintf("%q (%s)", "Second", second), "a code from each")
	requireEqual(t, "Actions that run before there is a key", boundActions(env), []string{first, second})
	var id string
	for _, a := range env.Tenant.Snapshot().Actions {
		if a.Name == "SNS" {
			id = a.ID
		}
	}
	giveKey(t, env, id)
	succeeds(t, env.Auth0(t).SetBindings(t.Context(), "send-phone-message", []auth0api.Binding{{ActionID: second, DisplayName: "Second"}, {ActionID: id, DisplayName: "SNS"}, {ActionID: first, DisplayName: "First"}}))
	w.write(actionConfig(`name = "Renamed"`))
	w.must("apply")
	requireEqual(t, "Actions that run, in their order", boundActions(env), []string{second, id, first})
	w.must("destroy")
	requireEqual(t, "Actions that run", boundActions(env), []string{second, first})
	requireEqual(t, "bindings of another trigger", env.Tenant.Snapshot().Bindings["post-login"], []auth0.BindingState{{ActionID: login, DisplayName: "Login"}})
	requireEqual(t, "Actions that are left", len(env.Tenant.Snapshot().Actions), len(before.Tenant.Actions))
}

func TestAccActionRefused(t *testing.T) {
	env := acctest.New(t)
	same, other := otherAction(t, env, "Live", "send-phone-message", "v2"), otherAction(t, env, "Login", "post-login", "v3")
	w := newWorkspace(t, env, "")
	for name, tt := range map[string]struct {
		body string
		want []string
	}{
		"name of the same trigger": {`name = "Live"`, []string{`Action "Live" on`, "already exists", "import {\n    to = auth0sns_action.NAME", fmt.Sprintf("id = %q", same), "choose another name"}},
		"name of another trigger":  {`name = "Login"`, []string{"Name of the Action is taken", `Action "Login" (` + other + `)`, `trigger "post-login"`, "Choose another name"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(actionConfig(tt.body))
			refused := w.run("plan")
			requireWords(t, refused.errorText(), tt.want...)
			requireNoWrites(t, refused.requests)
		})
	}
	w.write(actionConfig(`name = "SNS"`))
	w.must("apply")
	w.write(actionConfig(`name = "Live"`))
	requireWords(t, w.run("plan").errorText(), "already exists")
}

// TestAccActionImportReplaces proves that the plan of an import shows the code
// that it would replace.
func TestAccActionImportReplaces(t *testing.T) {
	env := acctest.New(t)
	id := otherAction(t, env, "Made by hand", "send-phone-message", "v2")
	resource.Test(t, resource.TestCase{
		ProtoV6ProviderFactories: env.Factories(),
		Steps: []resource.TestStep{{
			Config: actionConfig("name = \"Made by hand\"\n  force_destroy = true") + importOf(actionAddress, id),
			ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionUpdate,
				expectBefore{"code", knownvalue.StringExact("x")},
				plancheck.ExpectKnownValue(actionAddress, tfjsonpath.New("code"), knownvalue.Null())),
			Check: holds(func() {
				requireEqual(t, "id, which keeps secrets and binding", onlyAction(t, env).ID, id)
				requireEqual(t, "code after the import", onlyAction(t, env).Deployed.Code, renderedAction(t, sender.Options{}).Script)
				requireEqual(t, "Actions that run", boundActions(env), []string{id})
			}),
		}},
	})
}

func TestAccActionImportRefused(t *testing.T) {
	env := acctest.New(t)
	other := otherAction(t, env, "Login", "post-login", "v3")
	old, err := env.Auth0(t).CreateAction(t.Context(), auth0api.Action{
		Name: "Old", Code: "x", Runtime: "node12", Trigger: auth0api.ActionTrigger{ID: "send-phone-message", Version: "v1"},
	})
	succeeds(t, err)
	w := newWorkspace(t, env, "")
	for name, tt := range map[string]struct {
		id   string
		want []string
	}{
		"another trigger": {other, []string{"Not an Action that sends phone messages", `Action "Login"`, `"post-login" in version "v3"`, `knows "custom-phone-provider" in version "v1", "send-phone-message" in version "v2"`}},
		"another version": {old.ID, []string{"Not an Action that sends phone messages", `"send-phone-message" in version "v1"`}},
		"nobody":          {"295d7c28-06dc-4d72-93a6-da8a6d947fbe", []string{"non-existent remote object"}},
		"a name":          {"Amazon SNS", []string{"Import id is malformed", `"Amazon SNS"`, "UUID"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(actionConfig(`name = "SNS"`) + importOf(actionAddress, tt.id))
			requireWords(t, w.run("plan").errorText(), tt.want...)
		})
	}
}

func TestAccActionBadInput(t *testing.T) {
	env := acctest.New(t)
	packages := make([]string, 11)
	for i := range packages {
		packages[i] = fmt.Sprintf("p%d = \"1.0.0\"", i)
	}
	w := newWorkspace(t, env, "")
	for name, tt := range map[string]struct {
		body string
		want []string
	}{
		"name empty":        {`name = ""`, []string{"name", "string length"}},
		"trigger":           {"name = \"SNS\"\n  trigger = \"post-login\"", []string{"trigger", `"send-phone-message"`}},
		"runtime":           {"name = \"SNS\"\n  runtime = \"node18-actions\"", []string{"runtime", `"node18"`}},
		"code empty":        {"name = \"SNS\"\n  code = \"\"", []string{"code", "string length"}},
		"code too long":     {"name = \"SNS\"\n  code = format(\"%100001s\", \"x\")", []string{"code", "100000"}},
		"code and sms":      {"name = \"SNS\"\n  code = \"x\"\n  sms = {}", []string{"sms", "code", "cannot be specified"}},
		"dependency null":   {"name = \"SNS\"\n  dependencies = { a = null }", []string{"Null Map Value"}},
		"11 packages":       {"name = \"SNS\"\n  dependencies = {\n" + strings.Join(packages, "\n") + "\n}", []string{"dependencies", "at most 10"}},
		"option":            {smsBlock(`sender_id = "12345"`), []string{"sms.sender_id:", "at least one letter"}},
		"limit no duration": {"name = \"SNS\"\n  timeouts {\n    create = \"soon\"\n  }", []string{"\"soon\" must be a string", "decimal numbers"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(actionConfig(tt.body))
			refused := w.run("plan")
			requireWords(t, refused.errorText(), tt.want...)
			requireEqual(t, "number of errors", errorCount(refused), 1)
			requireNoWrites(t, refused.requests)
		})
	}
}

// TestAccActionUnknown proves that code whose options are known late is planned
// as unknown and rendered when they are known.
func TestAccActionUnknown(t *testing.T) {
	env := acctest.New(t)
	late := func(body, input string) string {
		return "resource \"terraform_data\" \"late\" {\n  input = " + input + "\n}\n" + actionConfig(body)
	}
	step := func(body, input string, action plancheck.ResourceActionType, code string) resource.TestStep {
		return resource.TestStep{
			Config: late(body, input),
			ConfigPlanChecks: actionIs(actionAddress, action,
				plancheck.ExpectUnknownValue(actionAddress, tfjsonpath.New("code_sha256")),
				plancheck.ExpectUnknownValue(actionAddress, tfjsonpath.New("version_id"))),
			Check: holds(func() { requireEqual(t, "code at Auth0", onlyAction(t, env).Deployed.Code, code) }),
		}
	}
	withSender := func(id string) string { return renderedAction(t, sender.Options{SenderID: id}).Script }
	env.Test(t,
		step("name = \"SNS\"\n  sms = terraform_data.late.output", `{ sender_id = "First" }`, plancheck.ResourceActionCreate, withSender("First")),
		step("name = \"SNS\"\n  sms = { sender_id = terraform_data.late.output }", `"Second"`, plancheck.ResourceActionUpdate, withSender("Second")),
		step("name = \"SNS\"\n  code = terraform_data.late.output", fmt.Sprintf("%q", ownAction), plancheck.ResourceActionUpdate, ownAction),
		resource.TestStep{
			Config:           late("name = terraform_data.late.output", `"Late"`),
			ConfigPlanChecks: actionIs(actionAddress, plancheck.ResourceActionUpdate, plancheck.ExpectUnknownValue(actionAddress, tfjsonpath.New("name"))),
			Check:            holds(func() { requireEqual(t, "name", onlyAction(t, env).Name, "Late") }),
		},
	)
}

// TestAccActionFailedBuild proves that a build that fails leaves nothing that
// stands in the way, and takes nothing away that works.
func TestAccActionFailedBuild(t *testing.T) {
	env := acctest.New(t)
	actionSwitch(t, env, func(s *auth0.Switches) { s.BuildFails = true })
	config := actionConfig("name = \"SNS\"\n  dependencies = { nothing = \"0.0.0\" }")
	w := newWorkspace(t, env, config)
	requireWords(t, w.run("apply").errorText(), "Action was not deployed", `the build of Action "SNS"`, "nothing@0.0.0", "no reason", "was deleted again")
	requireEqual(t, "Actions that are left", len(env.Tenant.Snapshot().Actions), 0)

	actionSwitch(t, env, func(s *auth0.Switches) { s.BuildFails = false })
	w.must("apply")
	giveKey(t, env, onlyAction(t, env).ID)
	runs := onlyAction(t, env).Deployed

	actionSwitch(t, env, func(s *auth0.Switches) { s.BuildFails = true })
	w.write(actionConfig("name = \"SNS\"\n  sms = { sender_id = \"Auth0\" }"))
	for range 2 {
		requireWords(t, w.run("apply").errorText(), "Action was not updated", `the build of Action "SNS"`, "still runs")
	}
	requireEqual(t, "what runs after an update whose build failed", onlyAction(t, env).Deployed, runs)

	actionSwitch(t, env, func(s *auth0.Switches) { s.BuildFails = false })
	plan := w.must("plan")
	requireEqual(t, "plan after an update that failed", plan.changes, map[string]string{actionAddress: "update"})
	requireWords(t, plan.text("warning"), "The draft of the Action is not what runs")
	w.must("apply")
	requireEqual(t, "code that runs", onlyAction(t, env).Deployed.Code, renderedAction(t, sender.Options{SenderID: "Auth0"}).Script)
	w.must("destroy")
}

func TestAccActionTimeouts(t *testing.T) {
	env := acctest.New(t)
	actionSwitch(t, env, func(s *auth0.Switches) { s.BuildTime = auth0.Duration(time.Hour) })
	w := newWorkspace(t, env, actionConfig("name = \"SNS\"\n  timeouts {\n    create = \"90s\"\n    update = \"30s\"\n  }"))
	requireWords(t, w.run("apply").errorText(), "Action was not deployed", "within 1m30s", `"building"`, "was deleted again")
	requireEqual(t, "Actions that are left", len(env.Tenant.Snapshot().Actions), 0)

	actionSwitch(t, env, func(s *auth0.Switches) { s.BuildTime = 0 })
	w.must("apply")
	actionSwitch(t, env, func(s *auth0.Switches) { s.BuildTime = auth0.Duration(time.Hour) })
	w.write(actionConfig("name = \"Renamed\"\n  timeouts {\n    create = \"90s\"\n    update = \"30s\"\n  }"))
	requireWords(t, w.run("apply").errorText(), "Action was not updated", "within 30s")
	w.must("destroy")
}

// TestAccActionUpdateStops proves that a change which stopped between draft and
// deploy is not taken for done.
func TestAccActionUpdateStops(t *testing.T) {
	for name, fault := range map[string]control.Fault{
		"the change is refused": {Operation: "PATCH /api/v2/actions/actions/*", Effect: control.Respond, Status: 400, Body: `{"statusCode":400,"error":"Bad Request","message":"No."}`},
		"the deploy is refused": {Operation: "POST /api/v2/actions/actions/*/deploy", Effect: control.Respond, Status: 403, Body: `{"statusCode":403,"error":"Forbidden","message":"No.","errorCode":"something_new"}`},
		"the deploy is dropped": {Operation: "POST /api/v2/actions/actions/*/deploy", Effect: control.DropBefore},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
			w.must("apply")
			fault.Side = control.SideAuth0
			id, err := env.World.Kernel.Faults.Add(fault)
			succeeds(t, err)
			w.write(actionConfig("name = \"SNS\"\n  sms = { sender_id = \"Auth0\" }"))
			requireWords(t, w.run("apply").errorText(), "Action was not updated")
			succeeds(t, env.World.Kernel.Faults.Remove(id))
			requireEqual(t, "plan after the failure", w.must("plan").changes, map[string]string{actionAddress: "update"})
			w.must("apply")
			requireEqual(t, "code that runs", onlyAction(t, env).Deployed.Code, renderedAction(t, sender.Options{SenderID: "Auth0"}).Script)
			requireEqual(t, "plan after the apply", w.must("plan").changes, map[string]string{})
			w.must("destroy")
		})
	}
}

// TestAccActionCreateStops proves that no create leaves a second Action or one
// that is not known, wherever an answer is lost.
func TestAccActionCreateStops(t *testing.T) {
	for _, operation := range []string{"POST /api/v2/actions/actions", "POST /api/v2/actions/actions/*/deploy"} {
		for _, effect := range []control.Effect{control.DropBefore, control.DropAfter} {
			t.Run(operation+" "+string(effect), func(t *testing.T) {
				env := acctest.New(t)
				_, err := env.World.Kernel.Faults.Add(control.Fault{Side: control.SideAuth0, Operation: operation, Effect: effect, Times: 1})
				succeeds(t, err)
				w := newWorkspace(t, env, actionConfig("name = \"SNS\""+everySMS))
				if w.run("apply").exit != 0 {
					w.must("apply")
				}
				requireEqual(t, "code that runs", onlyAction(t, env).Deployed.Code, renderedAction(t, everyOption()).Script)
				requireEqual(t, "plan after the apply", w.must("plan").changes, map[string]string{})
				w.must("destroy")
			})
		}
	}
}

// TestAccActionLeftBehind proves that an Action of an apply that was killed is
// taken over, and nothing that anybody may depend on.
func TestAccActionLeftBehind(t *testing.T) {
	code := renderedAction(t, sender.Options{}).Script
	trigger := auth0api.ActionTrigger{ID: "send-phone-message", Version: "v2"}
	for name, tt := range map[string]struct {
		left    auth0api.Action
		prepare func(t *testing.T, env *acctest.Env, id string)
		ours    bool
	}{
		"created":      {auth0api.Action{Code: code, Runtime: "node22"}, nil, true},
		"deployed":     {auth0api.Action{Code: code, Runtime: "node22"}, deployed, true},
		"other code":   {auth0api.Action{Code: ownAction, Runtime: "node22"}, nil, false},
		"other node":   {auth0api.Action{Code: code, Runtime: "node18"}, nil, false},
		"packages":     {auth0api.Action{Code: code, Runtime: "node22", Dependencies: map[string]string{"a": "1"}}, nil, false},
		"with secrets": {auth0api.Action{Code: code, Runtime: "node22"}, giveKey, false},
		"bound": {auth0api.Action{Code: code, Runtime: "node22"}, func(t *testing.T, env *acctest.Env, id string) {
			deployed(t, env, id)
			succeeds(t, delivery.Bind(t.Context(), env.Auth0(t), delivery.TriggerSendPhoneMessage, id, "SNS"))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			tt.left.Name, tt.left.Trigger = "SNS", trigger
			left, err := env.Auth0(t).CreateAction(t.Context(), tt.left)
			succeeds(t, err)
			if tt.prepare != nil {
				tt.prepare(t, env, left.ID)
			}
			w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
			if !tt.ours {
				refused := w.run("apply")
				requireWords(t, refused.errorText(), "already exists", "import {", left.ID)
				requireNoWrites(t, refused.requests)
				return
			}
			applied := w.must("apply")
			requireWords(t, applied.text("warning"), `Action "SNS" on`, "is left from an apply that stopped", "takes it over")
			requireEqual(t, "id", onlyAction(t, env).ID, left.ID)
			requireEqual(t, "plan after the apply", w.must("plan").changes, map[string]string{})
			w.must("destroy")
		})
	}
}

// TestAccActionDestroyLive proves that no destroy locks people out unasked.
func TestAccActionDestroyLive(t *testing.T) {
	env := acctest.New(t)
	client := env.Auth0(t)
	w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
	w.must("apply")
	id := onlyAction(t, env).ID
	giveKey(t, env, id)
	succeeds(t, client.SetSelectedProvider(t.Context(), delivery.ProviderCustom))
	succeeds(t, client.SetFactor(t.Context(), delivery.FactorSMS, true))
	before := env.State()
	refused := w.run("destroy")
	requireWords(t, refused.errorText(), "The Action is in use", "Action "+id, "SMS factor is on and its provider is Custom", "nothing was changed",
		"auth0sns_sms_factor", "force_destroy = true")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "change by a destroy that was refused", before.Diff(env.State()), "")

	w.write(actionConfig("name = \"SNS\"\n  force_destroy = true"))
	requireNoWrites(t, w.must("apply").requests)
	w.must("destroy")
	requireEqual(t, "number of Actions", len(env.Tenant.Snapshot().Actions), 0)
	requireEqual(t, "Actions that run", boundActions(env), []string{})
}

// TestAccActionDestroyIdle proves that the protection keeps nobody from removing
// what sends nothing.
func TestAccActionDestroyIdle(t *testing.T) {
	for name, prepare := range map[string]func(context.Context, *auth0api.Client, string) error{
		"factor off": func(ctx context.Context, c *auth0api.Client, _ string) error {
			return c.SetSelectedProvider(ctx, delivery.ProviderCustom)
		},
		"another provider": func(ctx context.Context, c *auth0api.Client, _ string) error {
			return c.SetFactor(ctx, delivery.FactorSMS, true)
		},
		"not bound": func(ctx context.Context, c *auth0api.Client, id string) error {
			if err := c.SetSelectedProvider(ctx, delivery.ProviderCustom); err != nil {
				return err
			}
			if err := c.SetFactor(ctx, delivery.FactorSMS, true); err != nil {
				return err
			}
			return delivery.Unbind(ctx, c, delivery.TriggerSendPhoneMessage, id)
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
			w.must("apply")
			id := onlyAction(t, env).ID
			giveKey(t, env, id)
			succeeds(t, prepare(t.Context(), env.Auth0(t), id))
			w.must("destroy")
			requireEqual(t, "number of Actions", len(env.Tenant.Snapshot().Actions), 0)
		})
	}
}

// TestAccActionDestroyUnclear proves that a question nobody answers is no yes.
func TestAccActionDestroyUnclear(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
	w.must("apply")
	env.Tenant.SetGrantScopes(env.Tenant.Client().ClientID, []string{"read:actions", "create:actions", "update:actions", "delete:actions"})
	refused := w.run("destroy")
	requireWords(t, refused.errorText(), "Cannot tell whether the Action is in use", "read:guardian_factors", "Nothing was changed")
	requireNoWrites(t, refused.requests)
}

// TestAccActionScopes proves that a missing scope fails in plan, before the user
// and the key beside it are made.
func TestAccActionScopes(t *testing.T) {
	env := acctest.New(t)
	env.Tenant.SetGrantScopes(env.Tenant.Client().ClientID, []string{"read:actions", "update:actions"})
	refused := newWorkspace(t, env, actionConfig(`name = "SNS"`)).run("plan")
	requireWords(t, refused.errorText(), "Auth0 scope missing", "lacks create:actions, delete:actions, read:guardian_factors")
}

// TestAccActionUnknownAnswer proves that an answer which nobody knows yet is
// quoted, so that a person can look for it.
func TestAccActionUnknownAnswer(t *testing.T) {
	env := acctest.New(t)
	_, err := env.World.Kernel.Faults.Add(control.Fault{
		Side: control.SideAuth0, Operation: "POST /api/v2/actions/actions", Effect: control.Respond, Status: 403,
		Body: `{"statusCode":403,"error":"Forbidden","message":"Actions of this kind have ended.","errorCode":"actions_something_new"}`,
	})
	succeeds(t, err)
	w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
	requireWords(t, w.run("apply").errorText(), "Action was not created", "403 Forbidden", "actions_something_new", "Actions of this kind have ended.")
	requireEqual(t, "number of Actions", len(env.Tenant.Snapshot().Actions), 0)
}

// TestAccActionRequests holds the page to what is really asked of Auth0.
func TestAccActionRequests(t *testing.T) {
	env := acctest.New(t)
	page := exampleRequests(t, "action")
	documented := []string{"POST /oauth/token"}
	for _, operations := range page {
		documented = append(documented, operations...)
	}
	w := newWorkspace(t, env, actionConfig(`name = "SNS"`))
	run := w.must("apply").operations()
	giveKey(t, env, onlyAction(t, env).ID)
	plan := w.must("plan").operations()
	slices.Sort(plan)
	requireEqual(t, "requests of an empty plan", plan, append(slices.Sorted(slices.Values(page["refresh"])), "POST /oauth/token"))
	succeeds(t, delivery.Unbind(t.Context(), env.Auth0(t), delivery.TriggerSendPhoneMessage, onlyAction(t, env).ID))
	w.write(actionConfig(`name = "Renamed"`))
	run = append(run, w.must("apply").operations()...)
	run = append(run, w.must("destroy").operations()...)
	for _, operation := range run {
		if !slices.Contains(documented, operation) {
			t.Errorf("%s is made and is not on the page", operation)
		}
	}
}

// TestAccScenarioAction is the whole job on the Action path, with the deployed
// code in Node. If it fails, nobody gets a code.
func TestAccScenarioAction(t *testing.T) {
	env := acctest.New(t, acctest.WithNode(t))
	configuration := acctest.Config(t, "scenarios/action/main.tf")
	var before string
	sent := func() string {
		result := env.Challenge(t)
		sms := lastSMS(t, env)
		requireEqual(t, "text on the phone", sms.Text, result.Text)
		return sms.AccessKeyID
	}
	env.Test(t,
		resource.TestStep{
			Config: configuration,
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("auth0sns_iam_user.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_action.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_credentials.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_sms_factor.sms", plancheck.ResourceActionCreate),
				plancheck.ExpectResourceAction("auth0sns_mfa_policy.sms", plancheck.ResourceActionCreate),
			}},
			Check: holds(func() { before = sent() }),
		},
		resource.TestStep{
			Config:          configuration,
			ConfigVariables: config.Variables{"rotation": config.StringVariable("2")},
			ConfigPlanChecks: resource.ConfigPlanChecks{PreApply: []plancheck.PlanCheck{
				plancheck.ExpectResourceAction("auth0sns_credentials.sms", plancheck.ResourceActionUpdate),
				plancheck.ExpectResourceAction("auth0sns_sms_factor.sms", plancheck.ResourceActionNoop),
				plancheck.ExpectResourceAction("auth0sns_action.sms", plancheck.ResourceActionNoop),
			}},
			Check: holds(func() {
				if after := sent(); after == before {
					t.Errorf("after a rotation the Action still sends with %s", after)
				}
			}),
		},
	)
}
