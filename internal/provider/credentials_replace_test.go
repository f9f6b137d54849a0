//go:build unix

package provider_test

import (
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	firstKeepers  = `keepers = { n = "1" }`
	replaceable   = "lifecycle { create_before_destroy = true }"
	replaceOption = "-replace=" + credentialsAddress
)

// TestAccCredentialsImportedReplaced: an object that came by import must not
// take its successor's key, which people depend on, for its own.
func TestAccCredentialsImportedReplaced(t *testing.T) {
	w := newCredentialsWorld(t)
	made := newWorkspace(t, w.Env, w.config(""))
	made.must("apply")
	tf := newWorkspace(t, w.Env, w.config(replaceable)+importOf(credentialsAddress, credentialsUser+"/"+w.key(t).ID+"/"+w.hookID+"/us-east-1"))
	tf.must("apply")
	w.live(t, true)
	replaced := tf.must("apply", replaceOption)
	requireWords(t, replaced.text("warning"), "The sender has a key already", "right where this object replaces another")
	w.requireWorking(t, "us-east-1")
	requireSettled(t, tf)
	tf.must("destroy")
}

// TestAccCredentialsReplacementRefused: the sender goes on with the key it had,
// so that key goes on being protected.
func TestAccCredentialsReplacementRefused(t *testing.T) {
	for name, operation := range map[string]string{"no key": createAccessKey, "not delivered": patchSecrets} {
		t.Run(name, func(t *testing.T) {
			w := newCredentialsWorld(t)
			before := w.State()
			tf := newWorkspace(t, w.Env, w.config(replaceable))
			tf.must("apply")
			key := w.key(t).ID
			end := w.fault(t, control.Fault{Operation: operation, Times: 1, Effect: control.Respond, Status: 403, Body: accessDenied})
			requireWords(t, tf.run("apply", replaceOption).errorText(), "The sender holds what it held before")
			end()
			requireSettled(t, tf)
			w.live(t, true)
			requireWords(t, tf.run("destroy").errorText(), "The key is in use")
			w.requireWorking(t, "us-east-1")
			requireEqual(t, "key of the sender", w.key(t).ID, key)
			tf.must("destroy")
			requireEqual(t, "what is left after destroy", before.Diff(w.State()), "")
		})
	}
}

// TestAccCredentialsReplacementKilled: the new object is in no state, the sender
// has its key or may have it. The next plan says so and the next apply ends it.
func TestAccCredentialsReplacementKilled(t *testing.T) {
	for name, at := range map[string]control.Fault{
		"before the delivery is known": {Operation: patchSecrets, Times: 1, Effect: control.HoldAfter},
		"after the delivery":           {Operation: "iam:UpdateAccessKey", Times: 1, Effect: control.HoldBefore},
		"after the old key":            {Operation: "iam:DeleteAccessKey", Times: 1, Effect: control.HoldAfter},
	} {
		for _, victim := range []acctest.Victim{acctest.VictimProvider, acctest.VictimTerraform} {
			t.Run(name+", "+string(victim), func(t *testing.T) {
				w := newCredentialsWorld(t)
				before := w.State()
				tf := newWorkspace(t, w.Env, w.config(replaceable))
				tf.must("apply")
				id, err := w.World.Kernel.Faults.Add(at)
				succeeds(t, err)
				newKiller(t, w.Env).run(tf, id, victim, "apply", replaceOption)
				w.World.Kernel.Faults.Reset()

				w.live(t, true)
				requireEqual(t, "plan after it", tf.must("plan").changes, map[string]string{credentialsAddress: "update"})
				tf.must("apply")
				w.requireWorking(t, "us-east-1")
				requireSettled(t, tf)
				tf.must("destroy")
				requireEqual(t, "what is left after destroy", before.Diff(w.State()), "")
			})
		}
	}
}

// TestAccCredentialsBridgeKeyInUse: a rotation stopped while the sender had a
// key of the bridge user, which people depend on as on any other.
func TestAccCredentialsBridgeKeyInUse(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config(firstKeepers))
	tf.must("apply")
	tf.write(w.config(`keepers = { n = "2" }`))
	end := w.fault(t, control.Fault{Operation: patchSecrets, Effect: control.DropAfter})
	tf.run("apply")
	end()
	// The first key of the next apply is the bridge user's.
	end = w.fault(t, control.Fault{Operation: createAccessKey, Skip: 1, Effect: control.Respond, Status: 403, Body: accessDenied})
	requireWords(t, tf.run("apply").errorText(), "of the bridge user")
	end()
	w.live(t, true)
	requireWords(t, tf.run("destroy").errorText(), "The key is in use")
	w.live(t, true)
	tf.must("apply")
	w.requireWorking(t, "us-east-1")
	tf.must("destroy")
}

// TestAccCredentialsDoubtStays: whoever deletes the key that a delivery was in
// doubt about may have deleted the one that the sender holds.
func TestAccCredentialsDoubtStays(t *testing.T) {
	w := newCredentialsWorld(t)
	tf := newWorkspace(t, w.Env, w.config(firstKeepers))
	tf.must("apply")
	first := w.key(t).ID
	tf.write(w.config(`keepers = { n = "2" }`))
	end := w.fault(t, control.Fault{Operation: patchSecrets, Effect: control.DropAfter})
	tf.run("apply")
	end()
	for _, key := range iamUser(t, w.Env, credentialsUser).AccessKeys {
		if key.ID != first {
			succeeds(t, w.AWS(t).DeleteAccessKey(t.Context(), credentialsUser, key.ID))
		}
	}
	tf.write(w.config(firstKeepers))
	requireEqual(t, "plan", tf.must("plan").changes, map[string]string{credentialsAddress: "update"})
	tf.must("apply")
	w.requireWorking(t, "us-east-1")
	requireSettled(t, tf)
	tf.must("destroy")
}
