package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// clientRun is one run of createClient on a world of its own.
type clientRun struct {
	*acctest.Env
	request createClientRequest
	stderr  bytes.Buffer
	before  acctest.State
}

func newClientRun(t *testing.T) *clientRun {
	t.Helper()
	r := &clientRun{Env: acctest.New(t)}
	variables := map[string]string{config.EnvDomain: r.TenantURL, config.EnvAPIToken: r.Tenant.Token()}
	r.request = createClientRequest{
		Flags:       createClientFlags{create: true, keyFile: filepath.Join(t.TempDir(), "staging.pem")},
		Environment: "staging", Path: delivery.PathUnified, Yes: true, Dir: t.TempDir(),
		Variables: config.LookupIn(variables),
	}
	r.before = r.State()
	return r
}

func (r *clientRun) create(ctx context.Context) (createdClient, error) {
	return createClient(ctx, "1.2.3", output{stderr: &r.stderr}, nil, r.request)
}

// requireNothingLeft compares the tenant, and looks for the file.
func (r *clientRun) requireNothingLeft(t *testing.T) {
	t.Helper()
	if diff := r.before.Diff(r.State()); diff != "" {
		t.Errorf("something is left in the tenant:\n%s", diff)
	}
	if _, err := os.Stat(r.request.Flags.keyFile); !os.IsNotExist(err) {
		t.Errorf("a key without an application is left: %v", err)
	}
}

func TestCreateClient(t *testing.T) {
	for _, path := range []delivery.Path{delivery.PathUnified, delivery.PathAction} {
		r := newClientRun(t)
		r.request.Path = path
		client, err := r.create(t.Context())
		noError(t, err)
		info, err := os.Stat(client.KeyFile)
		noError(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("others may read the key: %v", info.Mode())
		}
		key, err := os.ReadFile(client.KeyFile)
		noError(t, err)
		block, _ := pem.Decode(key)
		if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
			t.Errorf("the file is no key: %v", err)
		}

		variables := map[string]string{config.EnvAPIToken: "gone", config.EnvClientSecret: "old"}
		client.use(variables)
		api, err := auth0api.New(auth0api.Config{
			Domain: variables[config.EnvDomain], ClientID: variables[config.EnvClientID], ClientAssertionPrivateKey: variables[config.EnvPrivateKey],
		})
		noError(t, err)
		scopes, _, err := api.GrantedScopes(t.Context())
		noError(t, err)
		if diff := cmp.Diff(checks.Scopes(path), scopes); diff != "" || variables[config.EnvAPIToken] != "" || variables[config.EnvClientSecret] != "" {
			t.Errorf("%s: the application may do more or less than its path needs (-want +got):\n%s", path, diff)
		}
		if state := r.State().Tenant.Clients; len(state) != 1 || state[0].Name != "auth0sns-staging" || state[0].Authentication != "private_key_jwt" || state[0].AppType != "non_interactive" {
			t.Errorf("made %+v", state)
		}
		document, err := json.Marshal(client)
		noError(t, err)
		for what, said := range map[string]string{"stderr": r.stderr.String(), "the document": string(document)} {
			if strings.Contains(said, "PRIVATE KEY--") || strings.Contains(said, r.request.Variables(config.EnvAPIToken)) {
				t.Errorf("%s has a secret: %s", what, said)
			}
			if !strings.Contains(said, client.ClientID) || !strings.Contains(said, client.KeyFile) {
				t.Errorf("%s does not say what was made: %s", what, said)
			}
		}
		for _, want := range []string{"not through Terraform", "export STAGING_AUTH0_CLIENT_ID=" + client.ClientID, `export STAGING_AUTH0_CLIENT_ASSERTION_PRIVATE_KEY="$(cat '`} {
			if !strings.Contains(r.stderr.String(), want) {
				t.Errorf("no %q in:\n%s", want, r.stderr.String())
			}
		}
		if strings.Contains(r.stderr.String(), "Warning") {
			t.Errorf("the new application gets no token:\n%s", r.stderr.String())
		}
	}
}

func TestCreateClientTwice(t *testing.T) {
	r := newClientRun(t)
	first, err := r.create(t.Context())
	noError(t, err)
	r.request.Flags.keyFile += "2"
	r.before = r.State()
	_, err = r.create(t.Context())
	if exitCodeOf(t.Context(), err) != exitRefused || !strings.Contains(err.Error(), first.ClientID) {
		t.Errorf("a second application, or one that is not named: %v", err)
	}
	r.requireNothingLeft(t)
}

func TestCreateClientWithASecret(t *testing.T) {
	r := newClientRun(t)
	switches := r.Tenant.Switches()
	switches.NoPrivateKeyJWT = true
	noError(t, r.Tenant.SetSwitches(switches))
	r.before = r.State()
	_, err := r.create(t.Context())
	if exitCodeOf(t.Context(), err) != exitPermission || !strings.Contains(err.Error(), "--client-secret") {
		t.Errorf("a plan without private-key JWT is not told the way out: %v", err)
	}
	r.requireNothingLeft(t)

	r.request.Flags.clientSecret = true
	client, err := r.create(t.Context())
	noError(t, err)
	secret, err := os.ReadFile(client.KeyFile)
	noError(t, err)
	if len(secret) < 32 || strings.Contains(r.stderr.String(), string(secret)) || strings.Contains(r.stderr.String(), "Warning") {
		t.Errorf("the secret is not kept, or shown:\n%s", r.stderr.String())
	}
	if !strings.Contains(r.stderr.String(), "export STAGING_AUTH0_CLIENT_SECRET=") {
		t.Errorf("it is not said how to go on:\n%s", r.stderr.String())
	}
}

func TestCreateClientForASecretStore(t *testing.T) {
	r := newClientRun(t)
	kept := filepath.Join(t.TempDir(), "kept")
	r.request.Flags.keyFile, r.request.Flags.keyCommand = "", "tee "+kept
	client, err := r.create(t.Context())
	noError(t, err)
	key, err := os.ReadFile(kept)
	noError(t, err)
	if string(key) != client.credential || strings.Contains(r.stderr.String(), "PRIVATE KEY--") {
		t.Errorf("the store got %q", key)
	}

	r = newClientRun(t)
	r.request.Flags.keyFile, r.request.Flags.keyCommand = "", "false"
	if _, err := r.create(t.Context()); err == nil || !strings.Contains(err.Error(), "No application was made") {
		t.Errorf("an application whose key nobody has, or nobody knows whether there is one: %v", err)
	}
	if diff := r.before.Diff(r.State()); diff != "" {
		t.Error(diff)
	}
}

// TestCreateClientUndoes breaks every request that changes something.
func TestCreateClientUndoes(t *testing.T) {
	for name, test := range map[string]struct {
		operation string
		effect    control.Effect
		want      string
	}{
		"the application is refused":      {"POST /api/v2/clients", control.Respond, "Nothing was made"},
		"the grant is refused":            {"POST /api/v2/client-grants", control.Respond, "was deleted again"},
		"the grant is made, and not told": {"POST /api/v2/client-grants", control.DropAfter, "was deleted again"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newClientRun(t)
			fault := control.Fault{Operation: test.operation, Effect: test.effect}
			if test.effect == control.Respond {
				fault.Status, fault.Body = 400, `{"statusCode":400,"error":"Bad Request","message":"no"}`
			}
			_, err := r.World.Kernel.Faults.Add(fault)
			noError(t, err)
			if _, err := r.create(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("want %q: %v", test.want, err)
			}
			r.requireNothingLeft(t)
		})
	}
	t.Run("the application is made, and not told", func(t *testing.T) {
		r := newClientRun(t)
		_, err := r.World.Kernel.Faults.Add(control.Fault{Operation: "POST /api/v2/clients", Effect: control.DropAfter})
		noError(t, err)
		if _, err := r.create(t.Context()); err == nil || !strings.Contains(err.Error(), "may have been made") {
			t.Errorf("what may be left is not named: %v", err)
		}
		r.World.Kernel.Faults.Reset()
		if _, err := r.create(t.Context()); exitCodeOf(t.Context(), err) != exitRefused {
			t.Errorf("a second one: %v", err)
		}
	})
	t.Run("interrupted at the grant", func(t *testing.T) {
		r := newClientRun(t)
		held, err := r.World.Kernel.Faults.Add(control.Fault{Operation: "POST /api/v2/client-grants", Effect: control.HoldAfter, Times: 1})
		noError(t, err)
		ctx, interrupt := context.WithCancel(t.Context())
		go func() {
			_ = r.World.Kernel.Faults.AwaitHeld(t.Context(), held)
			interrupt()
		}()
		if _, err := r.create(ctx); exitCodeOf(ctx, err) != exitInterrupted || !strings.Contains(err.Error(), "was deleted again") {
			t.Errorf("%v", err)
		}
		if !strings.Contains(r.stderr.String(), "was deleted again") {
			t.Errorf("who presses Ctrl-C is not told what became of the application:\n%s", r.stderr.String())
		}
		r.requireNothingLeft(t)
	})
	t.Run("not taken back", func(t *testing.T) {
		r := newClientRun(t)
		for _, operation := range []string{"POST /api/v2/client-grants", "DELETE /api/v2/clients/{id}"} {
			_, err := r.World.Kernel.Faults.Add(control.Fault{Operation: operation, Effect: control.Respond, Status: 403, Body: `{"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: x","errorCode":"insufficient_scope"}`})
			noError(t, err)
		}
		_, err := r.create(t.Context())
		if err == nil || !strings.Contains(err.Error(), "could not be taken back") || !strings.Contains(err.Error(), r.State().Tenant.Clients[0].ClientID) {
			t.Errorf("what is left is not named: %v", err)
		}
	})
}

func TestCreateClientRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*testing.T, *clientRun)
		code   int
		want   string
	}{
		"without --yes or a terminal": {func(_ *testing.T, r *clientRun) { r.request.Yes = false }, exitRefused, "Add --yes"},
		"no place for the key":        {func(_ *testing.T, r *clientRun) { r.request.Flags.keyFile = "" }, exitUsage, "--client-key-file FILE"},
		"a command without a word":    {func(_ *testing.T, r *clientRun) { r.request.Flags.keyFile, r.request.Flags.keyCommand = "", " " }, exitUsage, "--client-key-file FILE"},
		"two places":                  {func(_ *testing.T, r *clientRun) { r.request.Flags.keyCommand = "cat" }, exitUsage, "one place"},
		"no such command": {func(_ *testing.T, r *clientRun) {
			r.request.Flags.keyFile, r.request.Flags.keyCommand = "", "auth0sns-no-such-command"
		}, exitUsage, "--client-key-command"},
		"flags of what is not asked for": {func(_ *testing.T, r *clientRun) { r.request.Flags.create = false }, exitUsage, "go with --create-client"},
		"the path hook":                  {func(_ *testing.T, r *clientRun) { r.request.Path = delivery.PathHook }, exitUsage, `path "hook"`},
		"another tenant":                 {func(_ *testing.T, r *clientRun) { r.request.Domain = "http://127.0.0.1:9" }, exitRefused, "wrong tenant"},
		"a key in the configuration": {func(_ *testing.T, r *clientRun) {
			r.request.Flags.keyFile = filepath.Join(r.request.Dir, "keys", "staging.pem")
		}, exitRefused, "inside the configuration's folder"},
		"a folder that is not there": {func(_ *testing.T, r *clientRun) { r.request.Flags.keyFile += "/x" }, exitError, "--client-key-file"},
		"no token": {func(_ *testing.T, r *clientRun) {
			r.request.Variables = config.LookupIn(map[string]string{config.EnvDomain: r.TenantURL})
		}, exitPermission, "AUTH0_API_TOKEN"},
		"a token that may not": {func(_ *testing.T, r *clientRun) {
			r.request.Variables = config.LookupIn(map[string]string{config.EnvDomain: r.TenantURL, config.EnvAPIToken: r.Tenant.Token("read:clients")})
		}, exitPermission, "create:clients"},
		"no tenant": {func(_ *testing.T, r *clientRun) {
			r.request.Variables = config.LookupIn(map[string]string{config.EnvAPIToken: "x"})
		}, exitUsage, "STAGING_AUTH0_DOMAIN"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newClientRun(t)
			test.change(t, r)
			_, err := r.create(t.Context())
			if err == nil || exitCodeOf(t.Context(), err) != test.code || !strings.Contains(err.Error(), test.want) {
				t.Errorf("exit %d, want %d with %q: %v", exitCodeOf(t.Context(), err), test.code, test.want, err)
			}
			if diff := r.before.Diff(r.State()); diff != "" {
				t.Errorf("the tenant was changed:\n%s", diff)
			}
		})
	}
}

func TestCreateClientOverwritesNothing(t *testing.T) {
	r := newClientRun(t)
	noError(t, os.WriteFile(r.request.Flags.keyFile, []byte("another key"), 0o600))
	_, err := r.create(t.Context())
	if exitCodeOf(t.Context(), err) != exitRefused {
		t.Errorf("%v", err)
	}
	if data, _ := os.ReadFile(r.request.Flags.keyFile); string(data) != "another key" {
		t.Errorf("the file is now %q", data)
	}
	if diff := r.before.Diff(r.State()); diff != "" {
		t.Error(diff)
	}
}

func TestCreateClientReadsATokenFile(t *testing.T) {
	r := newClientRun(t)
	r.request.Variables = config.LookupIn(map[string]string{config.EnvDomain: r.TenantURL})
	r.request.Flags.tokenFile = filepath.Join(t.TempDir(), "token")
	noError(t, os.WriteFile(r.request.Flags.tokenFile, []byte(r.Tenant.Token()+"\n"), 0o600))
	_, err := r.create(t.Context())
	noError(t, err)
}

func TestATokenThatATerminalHasCutIsNoToken(t *testing.T) {
	r := newClientRun(t)
	token := r.Tenant.Token()
	noError(t, wholeToken(token))
	for _, cut := range []string{"", token[:1024], token[:strings.LastIndex(token, ".")+1]} {
		if err := wholeToken(cut); err == nil || !strings.Contains(err.Error(), "--api-token-file") {
			t.Errorf("%d of %d characters are taken for a token: %v", len(cut), len(token), err)
		}
	}
}
