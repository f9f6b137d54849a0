package provider_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// Each TestAccPeers is a way in which the usual configuration fails: the
// providers hashicorp/aws and auth0/auth0, with the secret key handed from one
// to the other through the state. All were measured on aws 5.46 and auth0
// 1.54.1, Terraform 1.11.4, 2026-11-23.

// rotate writes the configuration whose apply takes a new key.
func (w credentialsWorld) rotate(tf *workspace, n int) {
	tf.write(w.config(fmt.Sprintf(`keepers = { n = "%d" }`, n)))
}

// requireKeyInUse proves that the hook can send at this moment, whatever else
// is unfinished, and returns the id of its key.
func (w credentialsWorld) requireKeyInUse(t *testing.T, when string) string {
	t.Helper()
	secrets := w.secrets(t)
	id := secrets[handover.SecretAccessKeyID]
	accepted, err := w.AWS(t).Accepted(t.Context(), "us-east-1", awsapi.NewAccessKey{
		AccessKey: awsapi.AccessKey{ID: id}, Secret: awsapi.NewSecret(secrets[handover.SecretSecretAccessKey]),
	})
	if err != nil || !accepted {
		t.Errorf("%s AWS refuses %s, the key that the hook sends with (%v): nobody gets a code", when, id, err)
	}
	return id
}

// peersRefusal is Auth0 refusing a write of the hook's secrets.
func peersRefusal() control.Fault {
	return control.Fault{
		ID: "refused", Operation: patchSecrets, Effect: control.Respond, Status: 400,
		Body: `{"statusCode":400,"error":"Bad Request","message":"Payload validation error"}`,
	}
}

// TestAccPeersRefusedSecretIsNotForgotten: the usual configuration deletes the
// old key first, stores the refused secret in the state as if it had been
// written, and says "No changes" for ever; Auth0 keeps a dead key.
func TestAccPeersRefusedSecretIsNotForgotten(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
	tf.must("apply")
	before := w.requireKeyInUse(t, "before the rotation")

	w.rotate(tf, 2)
	end := w.fault(t, peersRefusal())
	failed := tf.run("apply")
	requireWords(t, failed.errorText(), "400 Bad Request")
	requireEqual(t, "key of the hook after a refused rotation", w.requireKeyInUse(t, "after a refused rotation"), before)
	end()

	for range 2 {
		requireEqual(t, "plan after a refused rotation", tf.must("plan").changes, map[string]string{credentialsAddress: "update"})
	}
	tf.must("apply")
	w.requireWorking(t, "us-east-1")
	if w.key(t).ID == before {
		t.Error("the rotation that was asked for never took place")
	}
	requireSettled(t, tf)
	tf.must("destroy")
}

// TestAccPeersKeyInUseSurvivesTheNextApply: with create_before_destroy the
// usual configuration keeps the old key through a refused write, and the next
// apply, whose plan shows one deposed object, deletes it while Auth0 uses it.
func TestAccPeersKeyInUseSurvivesTheNextApply(t *testing.T) {
	lost := peersRefusal()
	lost.Effect, lost.Status, lost.Body = control.DropAfter, 0, ""
	for name, f := range map[string]control.Fault{"refused": peersRefusal(), "answer lost": lost} {
		t.Run(name, func(t *testing.T) {
			w := newCredentialsWorld(t)
			tf := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
			tf.must("apply")
			w.rotate(tf, 2)
			end := w.fault(t, f)
			requireWords(t, tf.run("apply").errorText(), "The rotation did not finish")
			w.requireKeyInUse(t, "after the failure")
			end()
			// Somebody takes the change back, and somebody else makes it again.
			for _, n := range []int{1, 2} {
				w.rotate(tf, n)
				tf.must("apply")
				w.requireKeyInUse(t, "after the next apply")
			}
			w.requireWorking(t, "us-east-1")
			requireSettled(t, tf)
		})
	}
}

// TestAccPeersRotationIsDelivered: with the write-only secrets_wo a new key
// reaches Auth0 only if a person also bumps secrets_wo_version; without that
// the apply deletes the key in use, and the next plan says "No changes".
func TestAccPeersRotationIsDelivered(t *testing.T) {
	for name, replace := range map[string]func(t *testing.T, w credentialsWorld, tf *workspace){
		"asked for": func(_ *testing.T, w credentialsWorld, tf *workspace) { w.rotate(tf, 2) },
		"key replaced by hand": func(t *testing.T, w credentialsWorld, _ *workspace) {
			t.Helper()
			succeeds(t, w.AWS(t).DeleteAccessKey(t.Context(), credentialsUser, w.key(t).ID))
			_, err := w.AWS(t).CreateAccessKey(t.Context(), credentialsUser)
			succeeds(t, err)
		},
		"key deactivated by hand": func(t *testing.T, w credentialsWorld, _ *workspace) {
			t.Helper()
			succeeds(t, w.AWS(t).SetAccessKeyActive(t.Context(), credentialsUser, w.key(t).ID, false))
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newCredentialsWorld(t)
			tf := newWorkspace(t, w.Env, w.config(`keepers = { n = "1" }`))
			tf.must("apply")
			before := w.key(t).ID
			replace(t, w, tf)
			requireEqual(t, "plan", tf.must("plan").changes, map[string]string{credentialsAddress: "update"})
			tf.must("apply")
			if after := w.requireKeyInUse(t, "after the rotation"); after == before {
				t.Error("the hook was not given the new key")
			}
			requireSettled(t, tf)
		})
	}
}

// TestAccPeersRemovedSecretIsRepaired: Auth0 lists the names of a hook's
// secrets, and the usual configuration ignores that one is missing: the plan
// says "No changes", and no apply puts it back. One that is not its own, on the
// other hand, makes it warn, or fail.
func TestAccPeersRemovedSecretIsRepaired(t *testing.T) {
	for _, name := range handover.SecretNames() {
		t.Run(name, func(t *testing.T) {
			w := newCredentialsWorld(t)
			tf := newWorkspace(t, w.Env, w.config(""))
			tf.must("apply")
			succeeds(t, w.Auth0(t).AddHookSecrets(t.Context(), w.hookID, map[string]string{"ADDED": "by hand"}))
			requireSettled(t, tf)
			succeeds(t, w.Auth0(t).RemoveHookSecrets(t.Context(), w.hookID, []string{name, "ADDED"}))
			requireEqual(t, "plan", tf.must("plan").changes, map[string]string{credentialsAddress: "update"})
			tf.must("apply")
			w.requireWorking(t, "us-east-1")
			requireSettled(t, tf)
		})
	}
}

// TestAccPeersActionSecretsAreRepaired: of an Action Auth0 tells when each
// secret was set. The usual configuration does not look, so what was removed or
// rewritten by hand stays as it is.
func TestAccPeersActionSecretsAreRepaired(t *testing.T) {
	rewritten := map[string]string{}
	for _, name := range handover.SecretNames() {
		rewritten[name] = "by hand"
	}
	removed := maps.Clone(rewritten)
	delete(removed, handover.SecretRegion)
	for name, secrets := range map[string]map[string]string{"removed": removed, "rewritten": rewritten} {
		t.Run(name, func(t *testing.T) {
			sender := &peersSender{}
			env := acctest.New(t, func(o *sandbox.Options) { o.Runner = sender })
			tf := newWorkspace(t, env, acctest.Config(t, "scenarios/action/main.tf"))
			tf.must("apply")
			id := env.Challenge(t).Sender
			env.World.Kernel.Clock.Advance(time.Hour)
			_, err := env.Auth0(t).SetActionSecrets(t.Context(), id, secrets)
			succeeds(t, err)
			_, err = delivery.Deploy(t.Context(), env.Auth0(t), env.Clock, id)
			succeeds(t, err)
			requireEqual(t, "plan", tf.must("plan").changes["auth0sns_credentials.sms"], "update")
			tf.must("apply")
			env.Challenge(t)
			keys := iamUser(t, env, "auth0-mfa-sms").AccessKeys
			requireEqual(t, "key that the Action sends with", sender.key, keys[0].ID)
			requireEqual(t, "number of keys", len(keys), 1)
			requireSettled(t, tf)
		})
	}
}

// peersSender is a runner that sends as the deployed code does: not without
// the three secrets. It keeps what it was asked for.
type peersSender struct {
	mu         sync.Mutex
	keyless    int // messages that it had no key for
	dispatched int
	key        string // of the last message
}

func (s *peersSender) Run(_ context.Context, job auth0.Job) (auth0.Result, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range handover.SecretNames() {
		if job.Secrets[name] == "" {
			s.keyless++
			return auth0.Result{Error: &auth0.RunError{Name: "Error", Message: "Missing secret: " + name}}, nil
		}
	}
	s.dispatched++
	s.key = job.Secrets[handover.SecretAccessKeyID]
	return auth0.Result{}, nil
}

// peersLogins has somebody log in every few milliseconds until end, and tells in
// turn whether a code was sent.
func peersLogins(t *testing.T, env *acctest.Env) (end func() []bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan []bool)
	go func() {
		var sent []bool
		for ctx.Err() == nil {
			result, err := env.Tenant.Challenge(context.WithoutCancel(ctx), auth0.ChallengeRequest{PhoneNumber: "+15005550001"})
			sent = append(sent, err == nil && result.Sent)
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Millisecond):
			}
		}
		done <- sent
	}()
	return func() []bool { cancel(); return <-done }
}

// TestAccPeersNoSenderWithoutAKey: the usual configuration creates the hook
// enabled and posts its secrets two requests later, while nothing keeps the
// factor off: for that time codes go to a hook that cannot send them.
func TestAccPeersNoSenderWithoutAKey(t *testing.T) {
	for name, c := range map[string]struct {
		scenario string
		on       bool // the factor, with nobody who sends
		keyless  bool // a sender may be asked before it has its key
	}{
		"hook":                     {scenario: "hook"},
		"Action":                   {scenario: "action"},
		"Action, the factor is on": {scenario: "action", on: true},
		"hook, the factor is on":   {scenario: "hook", on: true, keyless: true}, // Nobody got a code before it either.
	} {
		t.Run(name, func(t *testing.T) {
			sender := &peersSender{}
			env := acctest.New(t, func(o *sandbox.Options) { o.Runner = sender })
			if c.on {
				phoneSettings{enabled: true, provider: delivery.ProviderCustom, types: []string{"sms"}}.apply(t, env)
			}
			armFault(t, env, control.Fault{Side: control.SideAuth0, Effect: control.Delay, Delay: 20 * time.Millisecond})
			tf := newWorkspace(t, env, acctest.Config(t, "scenarios/"+c.scenario+"/main.tf"))
			end := peersLogins(t, env)
			tf.must("apply")
			env.Challenge(t)
			sent := end()

			first := slices.Index(sent, true)
			if first < 0 || slices.Contains(sent[first:], false) {
				t.Errorf("a code was lost after the first one that was sent, number %d of %d", first, len(sent))
			}
			if sender.keyless > 0 && !c.keyless {
				t.Errorf("%d codes were given to a sender without a key", sender.keyless)
			}
			t.Logf("%d logins, %d codes sent, %d asked from a sender without a key", len(sent), sender.dispatched, sender.keyless)
			requireSettled(t, tf)
		})
	}
}

// TestAccPeersSecondHookIsNotTakenOver: the usual configuration never mentions
// a hook that is there. As Auth0 is documented, the new one is left disabled,
// the apply says "complete", and the old hook goes on sending; as it is
// described elsewhere, the old one is switched off silently.
func TestAccPeersSecondHookIsNotTakenOver(t *testing.T) {
	scenario := acctest.Config(t, "scenarios/hook/main.tf")
	existing := func(t *testing.T, env *acctest.Env) string {
		t.Helper()
		hook, err := env.Auth0(t).CreateHook(t.Context(), auth0api.Hook{Name: "Twilio", Script: ownScript, TriggerID: delivery.TriggerHook, Enabled: true})
		succeeds(t, err)
		phoneSettings{enabled: true, provider: delivery.ProviderCustom, types: []string{"sms"}}.apply(t, env)
		return hook.ID
	}
	for name, arrange := range map[string]func(*testing.T, *acctest.Env, *workspace) (id string, command []string){
		"found in plan": func(t *testing.T, env *acctest.Env, _ *workspace) (string, []string) {
			t.Helper()
			return existing(t, env), []string{"apply"}
		},
		"made between plan and apply": func(t *testing.T, env *acctest.Env, tf *workspace) (string, []string) {
			t.Helper()
			tf.must("plan", "-out=approved")
			return existing(t, env), []string{"apply", "approved"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			tf := newWorkspace(t, env, scenario)
			id, command := arrange(t, env, tf)
			refused := tf.run(command[0], command[1:]...)
			requireWords(t, refused.errorText(), "Another Send Phone Message hook is enabled", `"Twilio" (`+id+")", "import {")
			hook := onlyHook(t, env)
			requireEqual(t, "the hook that was there is enabled", hook.Enabled, true)
			requireEqual(t, "its code", hook.Script, ownScript)
			requireEqual(t, "who sends", env.Challenge(t).Sender, id)
		})
	}
}

// TestAccPeersOtherFactorsStay: auth0_guardian owns every factor. Where the
// configuration names SMS only, its second apply turns one-time passwords and
// recovery codes off, and a destroy all factors and the policy.
func TestAccPeersOtherFactorsStay(t *testing.T) {
	env := acctest.New(t)
	client := env.Auth0(t)
	switches := env.Tenant.Switches()
	switches.ConfidenceScore = true
	succeeds(t, env.Tenant.SetSwitches(switches))
	for _, name := range []string{"otp", "recovery-code", "webauthn-roaming"} {
		succeeds(t, client.SetFactor(t.Context(), name, true))
	}
	succeeds(t, client.SetPolicies(t.Context(), []string{"confidence-score"}))
	before := env.State()
	others := func() map[string]bool {
		factors, err := client.Factors(t.Context())
		succeeds(t, err)
		delete(factors, delivery.FactorSMS)
		return factors
	}
	want := others()

	scenario := acctest.Config(t, "scenarios/hook/main.tf")
	tf := newWorkspace(t, env, scenario)
	refused := tf.run("apply")
	requireWords(t, refused.errorText(), `The MFA policy ["confidence-score"]`, "already exists", "import {")
	requireNoWrites(t, refused.requests)
	tf.write(scenario + importOf("auth0sns_mfa_policy.sms", "mfa-policy"))
	for range 2 {
		tf.must("apply")
		requireEqual(t, "factors that the configuration does not name", others(), want)
	}
	requireSettled(t, tf)
	// Nor does a change of one become a change of the plan.
	succeeds(t, client.SetFactor(t.Context(), "otp", false))
	requireSettled(t, tf)
	succeeds(t, client.SetFactor(t.Context(), "otp", true))
	tf.must("destroy")
	requireEqual(t, "what a destroy changed", before.Diff(env.State()), "")
}

// TestAccPeersTwilioIsNotOverwritten: the usual configuration sets its own
// provider over one that serves people, its plan does not mention the other,
// and destroy leaves its own selected.
func TestAccPeersTwilioIsNotOverwritten(t *testing.T) {
	env := acctest.New(t)
	phoneSettings{enabled: true, provider: "twilio", types: []string{"sms", "voice"}, templates: handMadeTexts()}.apply(t, env)
	before := env.State()
	scenario := acctest.Config(t, "scenarios/hook/main.tf")
	tf := newWorkspace(t, env, scenario)
	refused := tf.run("apply")
	requireWords(t, refused.errorText(), "already exists", "twilio", "import {", "auth0sns_sms_factor", `id = "sms"`)
	requireNoWrites(t, refused.requests)
	requireEqual(t, "what a refused apply changed", before.Diff(env.State()), "")

	// The import is the consent. Its plan shows what is replaced, and destroy gives it back.
	const address = "auth0sns_sms_factor.sms"
	env.Test(t, resource.TestStep{
		Config: scenario + importOf(address, "sms"),
		ConfigPlanChecks: actionIs(address, plancheck.ResourceActionUpdate,
			peersShows{address, "selected_provider", knownvalue.StringExact("twilio"), knownvalue.StringExact(delivery.ProviderCustom)},
			peersShows{address, "message_types", knownvalue.SetSizeExact(2), knownvalue.SetSizeExact(1)},
		),
		Check: holds(func() { env.Challenge(t) }),
	})
}

// peersShows asserts both sides of a change in a plan.
type peersShows struct {
	address, attribute string
	before, after      knownvalue.Check
}

func (s peersShows) CheckPlan(_ context.Context, req plancheck.CheckPlanRequest, resp *plancheck.CheckPlanResponse) {
	resp.Error = fmt.Errorf("the plan has no %s", s.address)
	for _, change := range req.Plan.ResourceChanges {
		if change.Address != s.address {
			continue
		}
		before, err := tfjsonpath.Traverse(change.Change.Before, tfjsonpath.New(s.attribute))
		if err == nil {
			err = s.before.CheckValue(before)
		}
		resp.Error = errors.Join(err, plancheckValue(req, s.address, s.attribute, s.after))
	}
}

// TestAccPeersUnifiedTenantIsRefusedWhole: on a tenant whose messages no hook
// sends, the usual configuration fails only after it has switched the SMS
// factor and the policy on: everybody is asked for a code that nobody sends.
func TestAccPeersUnifiedTenantIsRefusedWhole(t *testing.T) {
	env := acctest.New(t)
	setUnified(t, env, true)
	before := env.State()
	refused := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf")).run("apply")
	requireWords(t, refused.errorText(), "Unified Phone Experience")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "what a refused apply changed", before.Diff(env.State()), "")
}
