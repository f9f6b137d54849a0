package provider_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	getToken   = "POST /oauth/token"
	createHook = "POST /api/v2/hooks"
	createKey  = "iam:CreateAccessKey"
)

// after does something once, when a request of that operation has taken effect
// and before it is answered.
func after(t *testing.T, env *acctest.Env, operation string, do func()) {
	t.Helper()
	var once sync.Once
	stop := env.World.Kernel.Observe(func(e control.Entry) {
		if e.Operation == operation {
			once.Do(do)
		}
	})
	t.Cleanup(stop)
}

func count(operations []string, operation string) int {
	n := 0
	for _, o := range operations {
		if o == operation {
			n++
		}
	}
	return n
}

// tokenTestKeys counts the keys of the sending user.
func tokenTestKeys(env *acctest.Env) int {
	for _, user := range env.State().Account.Users {
		if user.Name == "auth0-mfa-sms" {
			return len(user.AccessKeys)
		}
	}
	return 0
}

// TestAccTokenEndsInTheMiddle: an apply may last longer than a token. It has
// minted a key when that shows, so it must go on.
func TestAccTokenEndsInTheMiddle(t *testing.T) {
	for name, arrange := range map[string]func(t *testing.T, env *acctest.Env){
		// AWS takes longer to accept the key than the token lives.
		"as announced": func(t *testing.T, env *acctest.Env) {
			t.Helper()
			switches := env.Tenant.Switches()
			switches.TokenLifetimeSeconds = 40
			succeeds(t, env.Tenant.SetSwitches(switches))
		},
		// The signing key of the tenant is rotated, or its clock is ahead.
		"earlier than announced": func(t *testing.T, env *acctest.Env) {
			t.Helper()
			after(t, env, createHook, env.Tenant.RevokeTokens)
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t, func(o *sandbox.Options) { o.KeyDelay = 45 * time.Second })
			w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
			arrange(t, env)
			o := w.must("apply")
			// The plan has one of its own.
			requireEqual(t, "tokens", countRequests(o)[getToken], 3)
			env.Challenge(t)
			requireEqual(t, "changes", w.must("plan").changes, map[string]string{})
			w.must("destroy")
		})
	}
}

// TestAccTokenNoLongerGranted takes the right to a token away in the middle of
// an apply. What is said must lead to the one who can give it back, the token
// endpoint must be left alone, and with the right back an apply must converge.
func TestAccTokenNoLongerGranted(t *testing.T) {
	client := func(env *acctest.Env) string { return env.Tenant.Client().ClientID }
	withToken := func(env *acctest.Env) { env.Variables["AUTH0_API_TOKEN"] = env.Tenant.Token() }
	for name, test := range map[string]struct {
		arrange, revoke, restore func(env *acctest.Env)
		asked                    int // how often for a token once it was revoked
		says                     []string
	}{
		"client grant deleted": {
			arrange: func(*acctest.Env) {},
			revoke: func(env *acctest.Env) {
				env.Tenant.DeleteGrant(client(env))
				env.Tenant.RevokeTokens()
			},
			restore: func(env *acctest.Env) { env.Tenant.SetGrantScopes(client(env), scenarioScopes()) },
			asked:   1,
			says:    []string{"403", "not authorized to access", "Authorise the application", "Machine to Machine Applications"},
		},
		"API token revoked": {
			arrange: withToken,
			revoke:  func(env *acctest.Env) { env.Tenant.RevokeTokens() },
			restore: withToken,
			says:    []string{"401", "API token", "expired, revoked, or another tenant's", "API Explorer"},
		},
	} {
		for _, operation := range []string{createHook, createKey, postSecrets} {
			t.Run(fmt.Sprintf("%s after %s", name, operation), func(t *testing.T) {
				env := acctest.New(t)
				before := env.State()
				test.arrange(env)
				w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
				after(t, env, operation, func() { test.revoke(env) })
				o := w.run("apply")
				if o.exit == 0 {
					t.Fatal("the apply succeeded without a token")
				}
				requireWords(t, o.errorText(), test.says...)
				operations := o.operations()
				requireEqual(t, "questions for a token", count(operations[slices.Index(operations, operation):], getToken), test.asked)
				delivered := 0
				if operation == postSecrets {
					delivered = 1
				}
				requireEqual(t, "keys", tokenTestKeys(env), delivered)

				again := *env // a provider that is started anew reads its settings anew
				again.Variables = maps.Clone(env.Variables)
				test.restore(&again)
				w.reattach = again.Serve(t)
				w.must("apply")
				env.Challenge(t)
				requireEqual(t, "changes", w.must("plan").changes, map[string]string{})
				w.must("destroy")
				before.Tenant.ClientGrants = env.State().Tenant.ClientGrants
				requireEqual(t, "what destroy left behind", before.Diff(env.State()), "")
			})
		}
	}
}
