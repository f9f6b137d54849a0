package provider_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// mishap is something that is wrong before a plan, and what the person who
// plans has to be told: what was tried, what came back, and what to do.
type mishap struct {
	arrange func(t *testing.T, env *acctest.Env)
	says    []string
}

// mustRefuse runs each mishap against the scenario. A plan has to end in an
// error, and with nothing changed.
func mustRefuse(t *testing.T, mishaps map[string]mishap) {
	t.Helper()
	for name, m := range mishaps {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
			m.arrange(t, env)
			requireRefused(t, w, m.says, "plan")
		})
	}
}

// requireRefused runs a command that has to fail, say so well, and change nothing.
func requireRefused(t *testing.T, w *workspace, says []string, command string) outcome {
	t.Helper()
	before := w.env.State()
	o := w.run(command)
	if o.exit != 1 {
		t.Errorf("%s ended with %d, want an error", command, o.exit)
	}
	requireWords(t, o.errorText(), says...)
	if diff := before.Diff(w.env.State()); diff != "" {
		t.Errorf("%s was refused and changed something (-before +after):\n%s", command, diff)
	}
	return o
}

// setAuth0 sets a variable of the provider's environment.
func setAuth0(name, value string) func(*testing.T, *acctest.Env) {
	return func(_ *testing.T, env *acctest.Env) { env.Variables[name] = value }
}

func setAWS(variables map[string]string) func(*testing.T, *acctest.Env) {
	return func(t *testing.T, _ *acctest.Env) {
		t.Helper()
		for name, value := range variables {
			t.Setenv(name, value)
		}
	}
}

// answer makes a side answer requests with something of the test's own.
func answer(side, operation string, status int, contentType, body string) func(*testing.T, *acctest.Env) {
	return func(t *testing.T, env *acctest.Env) {
		t.Helper()
		addFault(t, env, control.Fault{
			Side: side, Operation: operation, Effect: control.Respond,
			Status: status, Header: map[string]string{"Content-Type": contentType}, Body: body,
		})
	}
}

func addFault(t *testing.T, env *acctest.Env, f control.Fault) {
	t.Helper()
	if _, err := env.World.Kernel.Faults.Add(f); err != nil {
		t.Fatal(err)
	}
}

const page = "<!DOCTYPE html><html><body>It works!</body></html>"

// notATenant is a web server that knows nothing of Auth0.
func notATenant(t *testing.T, status int) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprint(w, page)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func TestAccWrongDomain(t *testing.T) {
	const nobody = "127.0.0.1:1" // A port that no test of another process is given.
	mustRefuse(t, map[string]mishap{
		"a server that is no tenant": {
			setAuth0("AUTH0_DOMAIN", notATenant(t, http.StatusNotFound)),
			[]string{"Auth0 gave no access token", "POST /oauth/token", "404", "Check the domain", "Settings → Domain"},
		},
		"a web page": {
			setAuth0("AUTH0_DOMAIN", notATenant(t, http.StatusOK)),
			[]string{"Auth0 gave no access token", "not JSON", "the domain is that of an Auth0 tenant"},
		},
		"nobody listens": {
			setAuth0("AUTH0_DOMAIN", "http://"+nobody),
			[]string{"Auth0 gave no access token", nobody, "connection refused", "the domain is that of an Auth0 tenant"},
		},
		"unknown host": {
			setAuth0("AUTH0_DOMAIN", "no-such-tenant.invalid"),
			[]string{"Auth0 gave no access token", "no-such-tenant.invalid", "the domain is that of an Auth0 tenant"},
		},
	})
}

func TestAccAuth0RefusesTheClient(t *testing.T) {
	grantless := func(_ *testing.T, env *acctest.Env) { env.Tenant.DeleteGrant(env.Tenant.Client().ClientID) }
	mustRefuse(t, map[string]mishap{
		"wrong secret": {
			setAuth0("AUTH0_CLIENT_SECRET", "guessed-secret"),
			[]string{"401", "access_denied", "or its secret is wrong for this tenant", "Applications → your application → Settings"},
		},
		"unknown client": {
			setAuth0("AUTH0_CLIENT_ID", "Jv0000000000000000000000000000ab"),
			[]string{"401", "Client id Jv0000000000000000000000000000ab or its secret is wrong for this tenant"},
		},
		"no client grant": {
			grantless,
			[]string{"403", "not authorized to access", "Authorise the application", "APIs → Auth0 Management API → Machine to Machine Applications"},
		},
		"wrong audience": {
			answer(control.SideAuth0, "POST /oauth/token", http.StatusForbidden, "application/json",
				`{"error":"access_denied","error_description":"Service not found: https://login.example.com/api/v2/"}`),
			[]string{"403", "Service not found", "custom domain", "tenant's own"},
		},
	})
}

func TestAccAPITokenThatIsNoLongerGood(t *testing.T) {
	token := func(t *testing.T, env *acctest.Env) {
		t.Helper()
		env.Variables["AUTH0_CLIENT_ID"], env.Variables["AUTH0_CLIENT_SECRET"] = "", ""
		env.Variables["AUTH0_API_TOKEN"] = env.Tenant.Token()
	}
	says := []string{"401", "GET /api/v2/hooks", "API token is good until", "expired, revoked, or another tenant's", "API Explorer", "client id and secret, which renew themselves"}
	mustRefuse(t, map[string]mishap{
		"expired": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			token(t, env)
			env.World.Kernel.Clock.Advance(25 * time.Hour)
		}, says},
		"revoked": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			token(t, env)
			env.Tenant.RevokeTokens()
		}, says},
	})
}

// scenarioScopes are those that the README asks for, with what needs each.
func scenarioScopes() []string {
	return []string{
		"read:hooks", "create:hooks", "update:hooks", "delete:hooks",
		"read:guardian_factors", "update:guardian_factors", "read:mfa_policies", "update:mfa_policies",
	}
}

// TestAccEachMissingScope: a scope that is missing must not come out in the
// middle of an apply, with a key minted and nobody to hold it.
func TestAccEachMissingScope(t *testing.T) {
	env := acctest.New(t)
	client := env.Tenant.Client().ClientID
	all := scenarioScopes()
	for _, missing := range all {
		t.Run(missing, func(t *testing.T) {
			env.Tenant.SetGrantScopes(client, slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == missing }))
			w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
			o := requireRefused(t, w, []string{"Auth0 scope missing", " lacks " + missing + ".", "Machine to Machine Applications"}, "plan")
			for _, other := range all {
				if other != missing && strings.Contains(o.errorText(), other) {
					t.Errorf("the message names %s, which is granted:\n%s", other, o.errorText())
				}
			}
		})
	}
	t.Run("none but these", func(t *testing.T) {
		env.Tenant.SetGrantScopes(client, all)
		before := env.State()
		w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
		w.must("apply")
		requireEqual(t, "changes", w.must("plan").changes, map[string]string{})
		w.must("apply", "-var=rotation=2")
		w.must("destroy")
		requireEqual(t, "what destroy left behind", before.Diff(env.State()), "")
	})
}

// TestAccScopeLostLater: what cannot be read is not gone.
func TestAccScopeLostLater(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
	w.must("apply")
	for _, lost := range []string{"read:hooks", "read:guardian_factors", "read:mfa_policies"} {
		t.Run(lost, func(t *testing.T) {
			env.Tenant.SetGrantScopes(env.Tenant.Client().ClientID,
				slices.DeleteFunc(scenarioScopes(), func(s string) bool { return s == lost }))
			o := requireRefused(t, w, []string{"403", "insufficient_scope", "Grant the scope " + lost, "Machine to Machine Applications"}, "plan")
			requireEqual(t, "planned changes", o.changes, map[string]string{})
		})
	}
	env.Tenant.SetGrantScopes(env.Tenant.Client().ClientID, scenarioScopes())
	requireEqual(t, "changes once the scope is back", w.must("plan").changes, map[string]string{})
	w.must("destroy")
}

func awsError(code, message string) string {
	return fmt.Sprintf(`<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>5f6b2a</RequestId></ErrorResponse>`, code, message)
}

func TestAccAWSCredentials(t *testing.T) {
	expired := answer(control.SideAWS, "*", http.StatusForbidden, "text/xml", awsError("ExpiredToken", "The security token included in the request is expired"))
	mustRefuse(t, map[string]mishap{
		"none": {
			setAWS(map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}),
			[]string{"no AWS credentials", "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run aws sso login"},
		},
		"expired": {
			expired,
			[]string{"ExpiredToken", "request id 5f6b2a", "Renew the session (aws sso login, or new temporary credentials)"},
		},
		"wrong secret key": {
			setAWS(map[string]string{"AWS_SECRET_ACCESS_KEY": "guessed-secret-key"}),
			[]string{"SignatureDoesNotMatch", "Check the access key and its secret"},
		},
		"unknown key": {
			setAWS(map[string]string{"AWS_ACCESS_KEY_ID": "AKIAUNKNOWN000000000"}),
			[]string{"InvalidClientTokenId", "Check the access key and its secret"},
		},
		"a web page instead of AWS": {
			answer(control.SideAWS, "*", http.StatusForbidden, "text/html", page),
			[]string{"not an answer of AWS, but perhaps a proxy's or a wrong endpoint's"},
		},
	})
}

// TestAccAWSCredentialsExpireLater: after an apply, what cannot be read is not
// gone, and is not called a wrong account.
func TestAccAWSCredentialsExpireLater(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, withAllowedAccount(t, env.State().Account.AccountID))
	expire := answer(control.SideAWS, "*", http.StatusForbidden, "text/xml", awsError("ExpiredToken", "The security token included in the request is expired"))
	expire(t, env)
	requireRefused(t, w, []string{"AWS credentials do not work", "ExpiredToken", "Renew the session"}, "plan")
	env.World.Kernel.Faults.Reset()
	w.must("apply")
	expire(t, env)
	for _, command := range []string{"plan", "apply", "destroy"} {
		o := requireRefused(t, w, []string{"ExpiredToken", "Renew the session"}, command)
		requireEqual(t, "planned changes", o.changes, map[string]string{})
		if strings.Contains(o.errorText(), "Wrong AWS account") {
			t.Errorf("%s calls an expired session a wrong account:\n%s", command, o.errorText())
		}
	}
	env.World.Kernel.Faults.Reset()
	requireEqual(t, "changes once the credentials are renewed", w.must("plan").changes, map[string]string{})
	w.must("destroy")
}

// withAllowedAccount is the scenario with a guard against other accounts.
func withAllowedAccount(t *testing.T, id string) string {
	t.Helper()
	return strings.Replace(acctest.Config(t, "scenarios/hook/main.tf"), `provider "auth0sns" {}`,
		fmt.Sprintf("provider \"auth0sns\" {\n  aws = { allowed_account_ids = [%q] }\n}", id), 1)
}

// TestAccWrongAccount has staging's state meet production's credentials. In the
// other account nothing of it exists: a plan that believed that would make all
// of it once more, there.
func TestAccWrongAccount(t *testing.T) {
	env := acctest.New(t, func(o *sandbox.Options) { o.Instances = []string{acctest.Instance, "production"} })
	staging, production := env.State().Account.AccountID, env.World.Instance("production")
	other := production.Account.Snapshot().AccountID
	toProduction := func(t *testing.T) {
		t.Helper()
		for name, value := range env.World.Describe().Instances[1].Env {
			if strings.HasPrefix(name, "AWS_") {
				t.Setenv(name, value)
			}
		}
	}
	untouched := production.Account.Snapshot()
	says := []string{"wrong AWS account", other, "allows only " + staging, "assume_role_arn", "allowed_account_ids"}

	t.Run("first plan", func(t *testing.T) {
		toProduction(t)
		w := newWorkspace(t, env, withAllowedAccount(t, staging))
		requireRefused(t, w, says, "plan")
	})

	w := newWorkspace(t, env, withAllowedAccount(t, staging))
	w.must("apply")
	for _, command := range []string{"plan", "apply", "destroy"} {
		t.Run(command+" over a state", func(t *testing.T) {
			toProduction(t)
			o := requireRefused(t, w, says, command)
			requireEqual(t, "planned changes", o.changes, map[string]string{})
		})
	}
	for _, command := range []string{"plan", "destroy"} {
		t.Run(command+" without a list of accounts", func(t *testing.T) {
			toProduction(t)
			w.write(acctest.Config(t, "scenarios/hook/main.tf"))
			defer w.write(withAllowedAccount(t, staging))
			says := []string{"Wrong AWS account", other, staging, "aws.allowed_account_ids"}
			requireEqual(t, "planned changes", requireRefused(t, w, says, command).changes, map[string]string{})
			client, err := awsapi.New(t.Context(), awsapi.Config{EndpointURL: production.AccountURL})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := client.CreateUser(t.Context(), awsapi.User{Name: "auth0-mfa-sms"}); err != nil {
				t.Fatal(err)
			}
			requireEqual(t, "planned changes", requireRefused(t, w, says, command).changes, map[string]string{})
			if err := client.DeleteUser(t.Context(), "auth0-mfa-sms"); err != nil {
				t.Fatal(err)
			}
		})
	}
	t.Run("destroy without a refresh", func(t *testing.T) {
		toProduction(t)
		before := env.State().Account
		o := w.run("destroy", "-refresh=false")
		requireWords(t, o.errorText(), says...)
		requireEqual(t, "staging's account", env.State().Account.Users, before.Users)
	})
	if diff := (acctest.State{Account: untouched}).Diff(acctest.State{Account: production.Account.Snapshot()}); diff != "" {
		t.Errorf("production's account was changed (-before +after):\n%s", diff)
	}
	w.must("apply")
	w.must("destroy")
}

// operatorActions are what the scenario asks of IAM from the first apply to the
// destroy, a rotation in between.
func operatorActions() []string {
	return []string{
		"iam:GetUser", "iam:CreateUser", "iam:PutUserPolicy", "iam:GetUserPolicy",
		"iam:ListAccessKeys", "iam:CreateAccessKey", "iam:UpdateAccessKey", "iam:DeleteAccessKey",
		"iam:DeleteUserPolicy", "iam:DeleteUser",
	}
}

// TestAccEachMissingPermission takes one permission away for the whole life of
// the scenario and gives it back after each failure: the error has to name it,
// and the same command has to succeed with it.
func TestAccEachMissingPermission(t *testing.T) {
	for _, action := range operatorActions() {
		t.Run(action, func(t *testing.T) {
			env := acctest.New(t)
			before := env.State()
			w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
			failures := 0
			for _, command := range [][]string{{"apply"}, {"apply", "-var=rotation=2"}, {"destroy", "-var=rotation=2"}} {
				deny(t, env, action)
				if o := w.run(command[0], command[1:]...); o.exit != 0 {
					failures++
					requireWords(t, o.errorText(), "AccessDenied", "HTTP 403", "A policy denies "+action+" to the caller: change that policy, or use other credentials.")
				}
				deny(t, env, "")
				w.must(command[0], command[1:]...)
				if command[0] == "apply" {
					env.Challenge(t)
					requireEqual(t, "keys of the user", len(w.env.State().Account.Users[0].AccessKeys), 1)
					requireEqual(t, "changes after the permission came back", w.must("plan", command[1:]...).changes, map[string]string{})
				}
			}
			if failures == 0 {
				t.Errorf("the scenario never needed %s", action)
			}
			requireEqual(t, "what destroy left behind", before.Diff(env.State()), "")
		})
	}
}

// deny takes one action from the operator; "" gives everything back.
func deny(t *testing.T, env *acctest.Env, action string) {
	t.Helper()
	policy := ""
	if action != "" {
		policy = fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":%q,"Resource":"*"}]}`, action)
	}
	if err := env.Account.SetOperatorPolicy(policy); err != nil {
		t.Fatal(err)
	}
}

// TestAccPermissionNeverGiven: without any policy the advice is another one.
func TestAccPermissionNeverGiven(t *testing.T) {
	mustRefuse(t, map[string]mishap{"no policy": {
		func(t *testing.T, env *acctest.Env) {
			t.Helper()
			if err := env.Account.SetOperatorPolicy(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`); err != nil {
				t.Fatal(err)
			}
		},
		[]string{"AccessDenied", "Allow iam:GetUser to the caller, or use other credentials."},
	}})
}

// TestAccRateLimit: a plan waits as long as Auth0 says and then succeeds.
func TestAccRateLimit(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
	reset := env.World.Kernel.Clock.Now().Add(7 * time.Second)
	addFault(t, env, control.Fault{
		Side: control.SideAuth0, Operation: "GET *", Times: 2, Effect: control.Respond, Status: http.StatusTooManyRequests,
		Header: map[string]string{
			"Content-Type": "application/json", "X-Ratelimit-Limit": "2", "X-Ratelimit-Remaining": "0",
			"X-Ratelimit-Reset": fmt.Sprint(reset.Unix()), "Date": env.World.Kernel.Clock.Now().UTC().Format(http.TimeFormat),
		},
		Body: `{"statusCode":429,"error":"Too Many Requests","message":"Global limit has been reached","errorCode":"too_many_requests"}`,
	})
	o := w.must("plan")
	requireEqual(t, "planned", o.changes["auth0sns_hook.sms"], "create")
	if now := env.World.Kernel.Clock.Now(); now.Before(reset) {
		t.Errorf("the plan went on %s before Auth0's limit was reset", reset.Sub(now))
	}
}

// TestAccAnswerThatIsNoJSON: a captive portal or a proxy must not be taken for
// the tenant, least of all for a tenant where nothing exists.
func TestAccAnswerThatIsNoJSON(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
	w.must("apply")
	for _, status := range []int{http.StatusOK, http.StatusNotFound, http.StatusForbidden} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			answer(control.SideAuth0, "GET *", status, "text/html", page)(t, env)
			o := requireRefused(t, w, []string{"not", "JSON", "proxy", "domain"}, "plan")
			requireEqual(t, "planned changes", o.changes, map[string]string{})
			env.World.Kernel.Faults.Reset()
		})
	}
	w.must("destroy")
}

// unify puts the tenant on the Unified Phone Experience.
func unify(t *testing.T, env *acctest.Env) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, env.TenantURL+"/api/v2/tenants/settings",
		strings.NewReader(`{"phone_consolidated_experience":true}`))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+env.Tenant.Token())
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("tenant settings: %s", res.Status)
	}
}

// TestAccForbiddenFamilies: Auth0 says 403 for three different things, and each
// has another way out.
func TestAccForbiddenFamilies(t *testing.T) {
	forbidden := func(message, code string) func(*testing.T, *acctest.Env) {
		return answer(control.SideAuth0, "GET /api/v2/guardian/factors/phone/selected-provider", http.StatusForbidden, "application/json",
			fmt.Sprintf(`{"statusCode":403,"error":"Forbidden","message":%q,"errorCode":%q}`, message, code))
	}
	const scope, plan, unified = "Grant the scope read:guardian_factors", "upgrade it, or leave the setting out", "Unified Phone Experience"
	for name, test := range map[string]struct {
		arrange func(*testing.T, *acctest.Env)
		says    []string
		silent  []string // the advice of the other families
	}{
		"missing scope": {
			forbidden("Insufficient scope, expected any of: read:guardian_factors", "insufficient_scope"),
			[]string{"insufficient_scope", scope},
			[]string{plan, unified},
		},
		"entitlement": {
			forbidden("Please upgrade your subscription to use SMS factors", "insufficient_entitlement"),
			[]string{"insufficient_entitlement", plan},
			[]string{scope, unified},
		},
		"entitlement under the code of a scope": {
			forbidden("Please upgrade your subscription to use SMS factors", "insufficient_scope"),
			[]string{plan},
			[]string{scope, unified},
		},
		"legacy phone endpoint": {
			func(t *testing.T, env *acctest.Env) {
				t.Helper()
				unify(t, env)
			},
			[]string{unified, "custom-phone-provider", "Nothing was changed"},
			[]string{scope, plan},
		},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))
			test.arrange(t, env)
			o := requireRefused(t, w, append(test.says, "403"), "plan")
			for _, words := range test.silent {
				if strings.Contains(o.errorText(), words) {
					t.Errorf("the message gives the advice of another family, %q:\n%s", words, o.errorText())
				}
			}
		})
	}
}
