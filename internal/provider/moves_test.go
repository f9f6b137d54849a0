package provider_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// moveWorld plays logins as [codeCount] does, after every wait of the provider
// too, and sees when a key dies that a message has been sent with.
type moveWorld struct {
	*codeCount

	keysMu sync.Mutex
	used   map[aws.Credentials]time.Time // when a message last began with a key that lives
}

func newMoveWorld(t *testing.T) *moveWorld {
	t.Helper()
	w := &moveWorld{codeCount: &codeCount{}, used: map[aws.Credentials]time.Time{}}
	w.env = acctest.New(t, func(o *sandbox.Options) { o.Runner = w })
	w.env.Clock = loginsInWaits{w.env.Clock, func(d time.Duration) { w.login(t, "a wait of "+d.String()) }}
	t.Cleanup(w.env.World.Kernel.Observe(func(e control.Entry) { w.mourn(t, e) }))
	return w
}

// Run implements [auth0.Runner].
func (w *moveWorld) Run(ctx context.Context, job auth0.Job) (auth0.Result, error) {
	key := aws.Credentials{AccessKeyID: job.Secrets[handover.SecretAccessKeyID], SecretAccessKey: job.Secrets[handover.SecretSecretAccessKey]}
	if w.env.Account.Accepts(key) {
		w.keysMu.Lock()
		w.used[key] = w.env.Clock.Now()
		w.keysMu.Unlock()
	}
	return w.codeCount.Run(ctx, job)
}

// mourn looks which keys have died of a request. The calls that began with one
// may take as long as Auth0 lets a call run.
func (w *moveWorld) mourn(t *testing.T, e control.Entry) {
	t.Helper()
	w.keysMu.Lock()
	defer w.keysMu.Unlock()
	for key, last := range w.used {
		if w.env.Account.Accepts(key) {
			continue
		}
		if waited := w.env.Clock.Now().Sub(last); waited < handover.InFlight {
			t.Errorf("%s ended a key %s after a message began with it: a code on its way is lost", e.Operation, waited)
		}
		delete(w.used, key)
	}
}

// loginsInWaits is a clock after whose waits people log in.
type loginsInWaits struct {
	handover.Clock
	login func(after time.Duration)
}

func (c loginsInWaits) Sleep(ctx context.Context, d time.Duration) error {
	err := c.Clock.Sleep(ctx, d)
	c.login(d)
	return err
}

// scenarioOf is the scenario of a path.
func scenarioOf(t *testing.T, path string) string {
	t.Helper()
	return acctest.Config(t, "scenarios/"+path+"/main.tf")
}

// back is a scenario of a legacy path for a tenant on the Unified Phone
// Experience: the phone provider stays for one apply and turns the tenant's flag
// before the factor turns. What is selected on the legacy path nobody can see
// before, hence force_destroy.
func back(t *testing.T, path string) string {
	t.Helper()
	const lifecycle = "  lifecycle {\n    create_before_destroy = true\n"
	return strings.Replace(scenarioOf(t, path), lifecycle, "  depends_on = [auth0sns_phone_provider.sms]\n\n"+lifecycle, 1) + `
resource "auth0sns_phone_provider" "sms" {
  action_id                = auth0sns_credentials.sms.sender_id
  unified_phone_experience = false
  force_destroy            = true
}
`
}

// unforced is [back] by somebody who does not say that the legacy path serves.
func unforced(t *testing.T, path string) string {
	t.Helper()
	return strings.Replace(back(t, path), "  force_destroy            = true\n", "", 1)
}

// stop is where a journey comes to.
type stop struct {
	path   string
	config func(t *testing.T, path string) string
	plan   map[string]string // what the move shows
	// elsewhere says that Auth0 sends codes by itself meanwhile.
	elsewhere bool
}

func hookToAction() stop {
	return stop{path: "action", config: scenarioOf, plan: map[string]string{
		"auth0sns_action.sms": "create", "auth0sns_credentials.sms": "replace", "auth0sns_hook.sms": "delete", "auth0sns_sms_factor.sms": "update",
	}}
}

func hookToUnified() stop {
	plan := maps.Clone(hookToAction().plan)
	plan["auth0sns_phone_provider.sms"] = "create"
	return stop{path: "unified", config: scenarioOf, plan: plan}
}

// fromAction is a move from one Action to another; provider is what becomes of
// the phone provider.
func fromAction(path string, config func(*testing.T, string) string, provider string) stop {
	return stop{path: path, config: config, plan: map[string]string{
		"auth0sns_action.sms": "replace", "auth0sns_credentials.sms": "replace", "auth0sns_phone_provider.sms": provider, "auth0sns_sms_factor.sms": "update",
	}}
}

func actionToUnified() stop { return fromAction("unified", scenarioOf, "create") }

func backToAction() stop { return fromAction("action", back, "update") }

// onceMore is the way there again, before the phone provider left.
func onceMore() stop { return fromAction("unified", scenarioOf, "update") }

// withoutProvider is the apply after [backToAction].
func withoutProvider() stop {
	return stop{path: "action", config: scenarioOf, plan: map[string]string{"auth0sns_phone_provider.sms": "delete"}}
}

// fromTheStart is [backToAction] on a tenant that had never selected a provider
// before it went over. Nobody can select one until it is back.
func fromTheStart() stop {
	s := backToAction()
	s.elsewhere = true
	return s
}

// TestAccMoves takes tenants with people in them from path to path, each move one
// apply. If it fails, somebody waits for a code in vain, gets it twice, or cannot
// move.
func TestAccMoves(t *testing.T) {
	for name, journey := range map[string]struct {
		from  string
		stops []stop
		// left is the selected provider that destroy leaves where the legacy
		// endpoints are closed until the end.
		left string
	}{
		"hook, action":            {from: "hook", stops: []stop{hookToAction()}},
		"hook, unified":           {from: "hook", stops: []stop{hookToUnified()}, left: delivery.ProviderCustom},
		"hook, unified, and back": {from: "hook", stops: []stop{hookToUnified(), backToAction(), withoutProvider()}},
		"action, unified":         {from: "action", stops: []stop{actionToUnified()}, left: delivery.ProviderCustom},
		"hook, action, unified, and back, once more": {from: "hook", stops: []stop{hookToAction(), actionToUnified(), backToAction(), onceMore()}, left: delivery.ProviderCustom},
		"unified, action": {from: "unified", stops: []stop{fromTheStart(), withoutProvider()}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newMoveWorld(t)
			before := w.env.State()
			tf := newWorkspace(t, w.env, scenarioOf(t, journey.from))
			tf.must("apply")
			at := journey.from
			for _, next := range journey.stops {
				w.move(t, tf, at, next)
				at = next.path
			}
			tf.must("destroy")
			after := w.env.State()
			if journey.left != "" {
				requireEqual(t, "selected provider after destroy", after.Tenant.Provider, journey.left)
				after.Tenant.Provider = before.Tenant.Provider
			}
			requireEqual(t, "what destroy left behind", before.Diff(after), "")
		})
	}
}

// move makes one, and looks at what people got of it.
func (w *moveWorld) move(t *testing.T, tf *workspace, from string, to stop) {
	t.Helper()
	tf.write(to.config(t, to.path))
	elsewhere := len(w.env.Tenant.Outbox())
	w.during(t, func() {
		requireEqual(t, "plan of the move "+from+" → "+to.path, tf.must("apply").changes, to.plan)
	})
	t.Logf("move %s → %s: sent %d, lost %d, duplicated %d", from, to.path, w.Sent, len(w.Lost), len(w.Duplicated))
	requireEqual(t, "codes that were lost", w.Lost, []string(nil))
	requireEqual(t, "codes that came twice", w.Duplicated, []string(nil))
	requireEqual(t, "whether Auth0 sent codes by itself", len(w.env.Tenant.Outbox()) > elsewhere, to.elsewhere)
	requireEqual(t, "number of keys", len(iamUser(t, w.env, "auth0-mfa-sms").AccessKeys), 1)
	w.env.Challenge(t)
	requireSettled(t, tf)
}

// TestAccMovesTexts: each path has texts of its own. If it fails, messages have
// the wrong text after a move, or a tenant's own texts are gone where they could
// be given back.
func TestAccMovesTexts(t *testing.T) {
	texts := func(path string) string {
		return addToScenario(t, path, "", "  enrollment_message   = \"{{code}} is for SMS\"\n  verification_message = \"{{code}} is for SMS\"\n")
	}
	w := newMoveWorld(t)
	succeeds(t, w.env.Auth0(t).SetTemplates(t.Context(), textsBefore()))
	before := w.env.State()
	tf := newWorkspace(t, w.env, "")
	for _, path := range []string{"hook", "action", "unified"} {
		tf.write(texts(path))
		tf.must("apply")
		requireWords(t, w.env.Challenge(t).Text, "is for SMS")
		requireSettled(t, tf)
	}
	tf.must("destroy")
	// Of the legacy path, closed by then, ours are left.
	left := w.env.State()
	requireEqual(t, "legacy texts after destroy", left.Tenant.Templates["verification_message"], "{{code}} is for SMS")
	left.Tenant.Templates, left.Tenant.Provider = before.Tenant.Templates, before.Tenant.Provider
	requireEqual(t, "what else destroy left behind", before.Diff(left), "")
}

const createBeforeDestroy = "\n  lifecycle {\n    create_before_destroy = true\n  }\n"

// without is a configuration whose factor is made anew in Terraform's own order.
func without(config func(*testing.T, string) string) func(*testing.T, string) string {
	return func(t *testing.T, path string) string {
		t.Helper()
		whole := config(t, path)
		if !strings.Contains(whole, createBeforeDestroy) {
			t.Fatalf("scenario %s has no create_before_destroy any more", path)
		}
		return strings.Replace(whole, createBeforeDestroy, "", 1)
	}
}

// TestAccMovesRefused: without create_before_destroy Terraform takes the old
// sender away before the new one is there, and from the Unified Phone Experience
// none of a legacy path is asked before the tenant is back. Whoever forgets the
// one or the other is told so, people go on getting their codes, and the move can
// still be made.
func TestAccMovesRefused(t *testing.T) {
	const missing = "create_before_destroy in its lifecycle"
	for name, c := range map[string]struct {
		from, to   string
		start, try func(*testing.T, string) string
		says       []string
		way        func(*testing.T, string) string // that the move can be made
	}{
		"hook → action, without create_before_destroy":    {from: "hook", to: "action", start: without(scenarioOf), try: without(scenarioOf), way: scenarioOf, says: []string{"is in use", missing}},
		"hook → unified, without create_before_destroy":   {from: "hook", to: "unified", start: without(scenarioOf), try: without(scenarioOf), way: scenarioOf, says: []string{"is in use", missing}},
		"action → unified, without create_before_destroy": {from: "action", to: "unified", start: without(scenarioOf), try: without(scenarioOf), way: scenarioOf, says: []string{"is in use", missing}},
		"unified → action, without create_before_destroy": {from: "unified", to: "action", start: without(scenarioOf), try: without(back), way: back, says: []string{"is in use", missing}},
		"unified → action, without force_destroy":         {from: "unified", to: "action", start: scenarioOf, try: unforced, way: back, says: []string{"The tenant cannot be moved while the SMS factor is on", "force_destroy = true"}},
		"unified → action, without the phone provider":    {from: "unified", to: "action", start: scenarioOf, try: scenarioOf, way: back, says: []string{"The sender is never asked", "Unified Phone Experience"}},
	} {
		t.Run(name, func(t *testing.T) {
			w := newMoveWorld(t)
			tf := newWorkspace(t, w.env, c.start(t, c.from))
			tf.must("apply")
			w.during(t, func() {
				tf.write(c.try(t, c.to))
				// Of what the first attempt left over, Terraform does not keep the order.
				for range 2 {
					refused := tf.run("apply")
					requireWords(t, refused.errorText(), c.says...)
					w.env.Challenge(t)
				}
				if c.from != "unified" {
					// Terraform goes by the lifecycle that it applied last.
					tf.write(scenarioOf(t, c.from))
					tf.must("apply")
				}
				tf.write(c.way(t, c.to))
				tf.must("apply")
			})
			t.Logf("refused move %s → %s, and the move: sent %d, lost %d, duplicated %d", c.from, c.to, w.Sent, len(w.Lost), len(w.Duplicated))
			requireEqual(t, "codes that were lost", w.Lost, []string(nil))
			requireEqual(t, "codes that came twice", w.Duplicated, []string(nil))
			requireEqual(t, "number of keys", len(iamUser(t, w.env, "auth0-mfa-sms").AccessKeys), 1)
			w.env.Challenge(t)
			requireSettled(t, tf)
			tf.must("destroy")
		})
	}
}

// TestAccMovesInParts: the factor and the phone provider may be managed elsewhere.
// Then nothing keeps Terraform from taking the Action away that the phone provider
// asks, once there is another one, which is not asked.
func TestAccMovesInParts(t *testing.T) {
	config := func(name, trigger string) string {
		return blockConfig("auth0sns_iam_user", `name = "auth0-mfa-sms"`) + fmt.Sprintf(`
resource "auth0sns_action" "test" {
  name    = %q
  trigger = %q
}
resource "auth0sns_credentials" "test" {
  iam_user  = auth0sns_iam_user.test.name
  action_id = auth0sns_action.test.id
  lifecycle { create_before_destroy = true }
}
`, name, trigger)
	}
	w := newMoveWorld(t)
	whole := newWorkspace(t, w.env, scenarioOf(t, "unified"))
	whole.must("apply")
	part := newWorkspace(t, w.env, config("Amazon SNS phone provider", delivery.TriggerCustomPhoneProvider))
	user, action := iamUser(t, w.env, "auth0-mfa-sms"), w.env.Challenge(t).Sender
	part.write(config("Amazon SNS phone provider", delivery.TriggerCustomPhoneProvider) + importOf("auth0sns_iam_user.test", user.Name) +
		importOf("auth0sns_action.test", action) + importOf(credentialsAddress, user.Name+"/"+user.AccessKeys[0].ID+"/"+action+"/us-east-1"))
	part.must("apply")
	part.write(config("Amazon SNS", delivery.TriggerSendPhoneMessage))
	w.during(t, func() { requireWords(t, part.run("apply").errorText(), "The key is in use") })
	requireEqual(t, "codes that were lost", w.Lost, []string(nil))
	w.env.Challenge(t)
}

// TestAccMovesNotToHook: Auth0 ended hooks. An apply that goes back to one would
// stop with two senders, of which it cannot know which is asked.
func TestAccMovesNotToHook(t *testing.T) {
	for _, from := range []string{"action", "unified"} {
		t.Run(from, func(t *testing.T) {
			w := newMoveWorld(t)
			tf := newWorkspace(t, w.env, scenarioOf(t, from))
			tf.must("apply")
			tf.write(scenarioOf(t, "hook"))
			refused := tf.run("apply")
			requireWords(t, refused.errorText(), "There is no way back to a hook", "Auth0 ended hooks on 2026-11-18", "enabled = false")
			requireNoWrites(t, refused.requests)
			w.env.Challenge(t)
			tf.write(scenarioOf(t, from))
			requireSettled(t, tf)
			tf.must("destroy")
		})
	}
}
