package provider_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hashicorp/terraform-plugin-go/tfprotov6"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// recorder keeps what arrived at a server, in order.
type recorder struct {
	mu   sync.Mutex
	seen []string
}

func (r *recorder) add(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen = append(r.seen, fmt.Sprintf(format, args...))
}

// arrived returns each thing that arrived, once.
func (r *recorder) arrived() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(slices.Compact(slices.Clone(r.seen)), ", ")
}

// signer is a private key with a name under which it is recognised.
type signer struct {
	name string
	key  *rsa.PrivateKey
}

func newSigner(t *testing.T, name string) signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return signer{name, key}
}

func (s signer) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(s.key)}))
}

func (s signer) signed(alg, text string, signature []byte) bool {
	hash := map[string]crypto.Hash{"RS256": crypto.SHA256, "PS256": crypto.SHA256, "RS384": crypto.SHA384}[alg]
	if hash == 0 {
		return false
	}
	digest := hash.New()
	digest.Write([]byte(text))
	if alg == "PS256" {
		return rsa.VerifyPSS(&s.key.PublicKey, hash, digest.Sum(nil), signature, nil) == nil
	}
	return rsa.VerifyPKCS1v15(&s.key.PublicKey, hash, digest.Sum(nil), signature) == nil
}

// recordingTenant tells by what each client authenticated: "secret ID/SECRET",
// "key ID ALG NAME" or "token TOKEN".
func recordingTenant(t *testing.T, name string, r *recorder, signers ...signer) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if req.URL.Path != "/oauth/token" {
			if token := strings.TrimPrefix(req.Header.Get("Authorization"), "Bearer "); token != "issued" {
				r.add("%s: token %s", name, token)
			}
			fmt.Fprint(w, "[]")
			return
		}
		if assertion := req.FormValue("client_assertion"); assertion != "" {
			r.add("%s: %s", name, readAssertion(assertion, signers))
		} else {
			r.add("%s: secret %s/%s", name, req.FormValue("client_id"), req.FormValue("client_secret"))
		}
		fmt.Fprint(w, `{"access_token":"issued","expires_in":3600,"token_type":"Bearer","scope":"read:mfa_policies update:mfa_policies read:guardian_factors"}`)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func readAssertion(assertion string, signers []signer) string {
	parts := strings.Split(assertion, ".")
	var header struct{ Alg string }
	var claims struct{ Iss string }
	for i, into := range []any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil || json.Unmarshal(raw, into) != nil {
			return "key of an unreadable assertion"
		}
	}
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	for _, s := range signers {
		if s.signed(header.Alg, parts[0]+"."+parts[1], signature) {
			return fmt.Sprintf("key %s %s %s", claims.Iss, header.Alg, s.name)
		}
	}
	return fmt.Sprintf("key %s %s of nobody", claims.Iss, header.Alg)
}

// TestAuth0Precedence asserts which identity arrived at which tenant. A mistake
// here changes a tenant with somebody else's rights.
func TestAuth0Precedence(t *testing.T) {
	hclKey, envKey := newSigner(t, "HCL-KEY"), newSigner(t, "ENV-KEY")
	var r recorder
	hclTenant, envTenant := recordingTenant(t, "HCL", &r, hclKey, envKey), recordingTenant(t, "ENV", &r, hclKey, envKey)
	const (
		id, secret, token, key, alg = "AUTH0_CLIENT_ID", "AUTH0_CLIENT_SECRET", "AUTH0_API_TOKEN",
			"AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "AUTH0_CLIENT_ASSERTION_SIGNING_ALG"
	)
	all := map[string]string{
		"AUTH0_DOMAIN": envTenant, id: "ENV-ID", secret: "ENV-SECRET", token: "ENV-TOKEN", key: envKey.pem(), alg: "RS384",
	}
	only := func(names ...string) map[string]string {
		picked := maps.Clone(all)
		maps.DeleteFunc(picked, func(name, _ string) bool { return name != "AUTH0_DOMAIN" && !slices.Contains(names, name) })
		return picked
	}
	for name, test := range map[string]struct {
		hcl  object
		env  map[string]string
		want string
	}{
		"environment: token before key and secret": {nil, all, "ENV: token ENV-TOKEN"},
		"environment: key before secret":           {nil, only(id, secret, key, alg), "ENV: key ENV-ID RS384 ENV-KEY"},
		"environment: key, default algorithm":      {nil, only(id, key), "ENV: key ENV-ID RS256 ENV-KEY"},
		"environment: secret":                      {nil, only(id, secret), "ENV: secret ENV-ID/ENV-SECRET"},
		"environment: token without a client":      {nil, only(token), "ENV: token ENV-TOKEN"},

		"domain":                           {object{"domain": hclTenant}, only(id, secret), "HCL: secret ENV-ID/ENV-SECRET"},
		"secret beats everything":          {object{"client_id": "HCL-ID", "client_secret": "HCL-SECRET"}, all, "ENV: secret HCL-ID/HCL-SECRET"},
		"secret, client from environment":  {object{"client_secret": "HCL-SECRET"}, all, "ENV: secret ENV-ID/HCL-SECRET"},
		"token beats everything":           {object{"api_token": "HCL-TOKEN"}, all, "ENV: token HCL-TOKEN"},
		"key beats everything":             {object{"client_id": "HCL-ID", "client_assertion_private_key": hclKey.pem()}, all, "ENV: key HCL-ID RS384 HCL-KEY"},
		"key with its algorithm":           {object{"client_id": "HCL-ID", "client_assertion_private_key": hclKey.pem(), "client_assertion_signing_alg": "PS256"}, all, "ENV: key HCL-ID PS256 HCL-KEY"},
		"key, default algorithm":           {object{"client_id": "HCL-ID", "client_assertion_private_key": hclKey.pem()}, only(secret), "ENV: key HCL-ID RS256 HCL-KEY"},
		"client named: no token":           {object{"client_id": "HCL-ID"}, only(id, secret, token), "ENV: secret HCL-ID/ENV-SECRET"},
		"the environment's client named":   {object{"client_id": "ENV-ID"}, only(id, secret, token), "ENV: secret ENV-ID/ENV-SECRET"},
		"algorithm named: no token":        {object{"client_assertion_signing_alg": "PS256"}, all, "ENV: key ENV-ID PS256 ENV-KEY"},
		"client and algorithm, key in env": {object{"client_id": "HCL-ID", "client_assertion_signing_alg": "PS256"}, all, "ENV: key HCL-ID PS256 ENV-KEY"},
		"empty is not set":                 {object{"client_id": "", "client_secret": ""}, only(id, secret), "ENV: secret ENV-ID/ENV-SECRET"},
		"everything, nothing else":         {object{"domain": hclTenant, "client_id": "HCL-ID", "client_secret": "HCL-SECRET"}, nil, "HCL: secret HCL-ID/HCL-SECRET"},
	} {
		t.Run(name, func(t *testing.T) {
			r.seen = nil
			p := newProtocol(t, test.env)
			requireNoDiagnostics(t, p.configure(t.Context(), t, object{"auth0": test.hcl}))
			requireNoDiagnostics(t, p.plan(t.Context(), t, "auth0sns_mfa_policy", object{"policy": "all-applications"}))
			requireEqual(t, "identity that arrived", r.arrived(), test.want)
		})
	}
}

func requireNoDiagnostics(t *testing.T, diagnostics []*tfprotov6.Diagnostic) {
	t.Helper()
	for _, d := range diagnostics {
		t.Fatalf("%s: %s: %s", d.Severity, d.Summary, d.Detail)
	}
}

// TestProviderConfigurationRefused asserts that a setting which cannot work is
// refused before any request, by its name.
func TestProviderConfigurationRefused(t *testing.T) {
	isolateAWS(t)
	good := object{"domain": "http://127.0.0.1:1", "client_id": "id", "client_secret": "secret"}
	with := func(more object) object {
		o := maps.Clone(good)
		maps.Copy(o, more)
		return o
	}
	for name, test := range map[string]struct {
		hcl  object
		env  map[string]string
		says []string // attribute path first
	}{
		"nothing set":                     {nil, nil, []string{"at auth0.domain", "auth0.domain", "AUTH0_DOMAIN"}},
		"no credential":                   {object{"auth0": object{"domain": "http://127.0.0.1:1"}}, nil, []string{"at auth0.client_secret", "auth0.client_secret", "AUTH0_CLIENT_SECRET", "AUTH0_API_TOKEN"}},
		"client but only another's token": {object{"auth0": object{"domain": "http://127.0.0.1:1", "client_id": "id"}}, map[string]string{"AUTH0_API_TOKEN": "t"}, []string{"at auth0.client_secret", "names no client"}},
		"no client":                       {object{"auth0": object{"domain": "http://127.0.0.1:1", "client_secret": "s"}}, nil, []string{"at auth0.client_id", "auth0.client_id", "AUTH0_CLIENT_ID"}},
		"domain":                          {object{"auth0": with(object{"domain": "tenant"})}, nil, []string{"at auth0.domain", `"tenant" is not a domain`}},
		"empty domain":                    {object{"auth0": with(object{"domain": ""})}, nil, []string{"at auth0.domain", "is not a domain"}},
		"plain http":                      {object{"auth0": with(object{"domain": "http://tenant.eu.auth0.com"})}, nil, []string{"at auth0.domain", "loopback", "in clear"}},
		"plain http from the environment": {nil, map[string]string{"AUTH0_DOMAIN": "http://tenant.eu.auth0.com", "AUTH0_API_TOKEN": "t"}, []string{"at auth0.domain", "AUTH0_DOMAIN", "loopback"}},
		"domain from the environment":     {nil, map[string]string{"AUTH0_DOMAIN": "tenant", "AUTH0_API_TOKEN": "t"}, []string{"at auth0.domain", "AUTH0_DOMAIN", `"tenant" is not a domain`}},
		"secret and token":                {object{"auth0": with(object{"api_token": "t"})}, nil, []string{"at auth0.client_secret", "auth0.api_token"}},
		"secret and key":                  {object{"auth0": with(object{"client_assertion_private_key": "k"})}, nil, []string{"at auth0.client_secret", "auth0.client_assertion_private_key"}},
		"token and key":                   {object{"auth0": object{"domain": "http://127.0.0.1:1", "api_token": "t", "client_assertion_private_key": "k"}}, nil, []string{"at auth0.api_token", "auth0.client_assertion_private_key"}},
		"algorithm":                       {object{"auth0": with(object{"client_assertion_signing_alg": "HS256"})}, nil, []string{"at auth0.client_assertion_signing_alg", "RS384"}},
		"algorithm from the environment":  {nil, map[string]string{"AUTH0_DOMAIN": "http://127.0.0.1:1", "AUTH0_CLIENT_ID": "id", "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY": "k", "AUTH0_CLIENT_ASSERTION_SIGNING_ALG": "none"}, []string{"at auth0.client_assertion_signing_alg", "AUTH0_CLIENT_ASSERTION_SIGNING_ALG", `"none"`}},
		"key that is no key":              {nil, map[string]string{"AUTH0_DOMAIN": "http://127.0.0.1:1", "AUTH0_CLIENT_ID": "id", "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY": "~/key.pem"}, []string{"at auth0.client_assertion_private_key", "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "not PEM"}},

		"region":        {object{"auth0": good, "aws": object{"region": "Frankfurt"}}, nil, []string{"at aws.region", `"Frankfurt"`, "eu-central-1"}},
		"account id":    {object{"auth0": good, "aws": object{"allowed_account_ids": []string{"1111-2222-3333"}}}, nil, []string{"at aws.allowed_account_ids", "12 digits"}},
		"no account":    {object{"auth0": good, "aws": object{"allowed_account_ids": []string{}}}, nil, []string{"at aws.allowed_account_ids", "at least 1"}},
		"endpoint":      {object{"auth0": good, "aws": object{"endpoint_url": "127.0.0.1:4566"}}, nil, []string{"at aws.endpoint_url", "http or https URL"}},
		"http endpoint": {object{"auth0": good, "aws": object{"endpoint_url": "http://aws.example.com"}}, nil, []string{"at aws.endpoint_url", "travel in clear"}},
		"lost profile":  {object{"auth0": good, "aws": object{"profile": "nobody"}}, nil, []string{"at aws", "nobody", "AWS_PROFILE"}},
	} {
		t.Run(name, func(t *testing.T) {
			diagnostics := newProtocol(t, test.env).configure(t.Context(), t, test.hcl)
			if len(diagnostics) == 0 {
				t.Fatal("accepted")
			}
			d := diagnostics[0]
			said := fmt.Sprintf("at %s: %s: %s", attributeNames.Replace(d.Attribute.String()), d.Summary, d.Detail)
			for _, words := range test.says {
				if !strings.Contains(said, words) {
					t.Errorf("the diagnostic lacks %q: %s", words, said)
				}
			}
		})
	}
	t.Run("region from the environment", func(t *testing.T) {
		t.Setenv("AWS_REGION", "Frankfurt")
		diagnostics := newProtocol(t, nil).configure(t.Context(), t, object{"auth0": good})
		if len(diagnostics) != 1 || !strings.Contains(diagnostics[0].Detail, "AWS_REGION") {
			t.Errorf("%v", diagnostics)
		}
	})
}

var attributeNames = strings.NewReplacer(`AttributeName("`, "", `")`, "")

// isolateAWS keeps this machine's own AWS settings out of a test.
func isolateAWS(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
		}
	}
	none := filepath.Join(t.TempDir(), "none")
	t.Setenv("AWS_CONFIG_FILE", none)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", none)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
}

var credential = regexp.MustCompile(`Credential=(\w+)/\d+/([\w-]+)/(\w+)/`)

const assumedRole = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>x</SecretAccessKey><SessionToken>ROLE-SESSION</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`

// recordingAccount tells which key asked, for which region, at which endpoint.
func recordingAccount(t *testing.T, name string, r *recorder) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		scope := credential.FindStringSubmatch(req.Header.Get("Authorization"))
		if scope == nil {
			r.add("%s: unsigned", name)
			w.WriteHeader(http.StatusForbidden)
			return
		}
		session := ""
		if token := req.Header.Get("X-Amz-Security-Token"); token != "" {
			session = " session " + token
		}
		switch action := req.FormValue("Action"); action {
		case "AssumeRole":
			r.add("%s: %s assumes %s", name, scope[1], req.FormValue("RoleArn"))
			fmt.Fprint(w, assumedRole)
		case "GetCallerIdentity":
			r.add("%s: %s %s%s", name, scope[1], scope[2], session)
			fmt.Fprint(w, `<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account><Arn>arn:aws:iam::111122223333:user/x</Arn></GetCallerIdentityResult></GetCallerIdentityResponse>`)
		default:
			if r.add("%s: %s%s", name, scope[1], session); action != "GetUser" {
				t.Errorf("unexpected %s", action)
			}
			w.WriteHeader(http.StatusNotFound)
			fmt.Fprint(w, `<ErrorResponse><Error><Code>NoSuchEntity</Code><Message>none</Message></Error></ErrorResponse>`)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestAWSPrecedence asserts which key asked, for which region and where: what
// signs a request decides in whose account a key is minted.
func TestAWSPrecedence(t *testing.T) {
	var r recorder
	hclEndpoint, envEndpoint := recordingAccount(t, "HCL", &r), recordingAccount(t, "ENV", &r)
	files := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(files, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	configFile := write("config", "[default]\nregion = ap-south-1\n[profile staging]\nregion = eu-west-1\n[profile production]\nregion = eu-west-3\n")
	credentialsFile := write("credentials", "[default]\naws_access_key_id = AKIADEFAULT\naws_secret_access_key = x\n"+
		"[staging]\naws_access_key_id = AKIASTAGING\naws_secret_access_key = x\n[production]\naws_access_key_id = AKIAPRODUCTION\naws_secret_access_key = x\n")

	keys := map[string]string{"AWS_ACCESS_KEY_ID": "AKIAENV", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "us-west-2"}
	shared := map[string]string{"AWS_CONFIG_FILE": configFile, "AWS_SHARED_CREDENTIALS_FILE": credentialsFile}
	join := func(parts ...map[string]string) map[string]string {
		joined := map[string]string{"AWS_ENDPOINT_URL": envEndpoint}
		for _, part := range parts {
			maps.Copy(joined, part)
		}
		return joined
	}
	const role = "arn:aws:iam::111122223333:role/deploy"
	for name, test := range map[string]struct {
		hcl  object
		env  map[string]string
		want string
	}{
		"environment":              {nil, join(keys), "ENV: AKIAENV us-west-2, ENV: AKIAENV"},
		"environment with session": {nil, join(keys, map[string]string{"AWS_SESSION_TOKEN": "S"}), "ENV: AKIAENV us-west-2 session S, ENV: AKIAENV session S"},
		"region":                   {object{"region": "eu-central-1"}, join(keys), "ENV: AKIAENV eu-central-1, ENV: AKIAENV"},
		"default region":           {nil, join(keys, map[string]string{"AWS_REGION": "", "AWS_DEFAULT_REGION": "sa-east-1"}), "ENV: AKIAENV sa-east-1, ENV: AKIAENV"},
		"no region":                {nil, join(keys, map[string]string{"AWS_REGION": ""}), "ENV: AKIAENV us-east-1, ENV: AKIAENV"},
		"endpoint":                 {object{"endpoint_url": hclEndpoint}, join(keys), "HCL: AKIAENV us-west-2, HCL: AKIAENV"},
		"endpoint of one service":  {nil, join(keys, map[string]string{"AWS_ENDPOINT_URL_STS": hclEndpoint}), "HCL: AKIAENV us-west-2, ENV: AKIAENV"},

		"default profile":                      {nil, join(shared), "ENV: AKIADEFAULT ap-south-1, ENV: AKIADEFAULT"},
		"profile from the environment":         {nil, join(shared, map[string]string{"AWS_PROFILE": "staging"}), "ENV: AKIASTAGING eu-west-1, ENV: AKIASTAGING"},
		"profile":                              {object{"profile": "production"}, join(shared, map[string]string{"AWS_PROFILE": "staging"}), "ENV: AKIAPRODUCTION eu-west-3, ENV: AKIAPRODUCTION"},
		"profile beats keys in environment":    {object{"profile": "production"}, join(shared, keys), "ENV: AKIAPRODUCTION us-west-2, ENV: AKIAPRODUCTION"},
		"keys beat the profile in environment": {nil, join(shared, keys, map[string]string{"AWS_PROFILE": "staging"}), "ENV: AKIAENV us-west-2, ENV: AKIAENV"},
		"region beats the profile's":           {object{"profile": "production", "region": "eu-central-1"}, join(shared), "ENV: AKIAPRODUCTION eu-central-1, ENV: AKIAPRODUCTION"},

		"role": {
			object{"assume_role_arn": role},
			join(keys),
			"ENV: AKIAENV assumes " + role + ", ENV: ASIAROLE us-west-2 session ROLE-SESSION, ENV: ASIAROLE session ROLE-SESSION",
		},
		"role from a profile, at the endpoint": {
			object{"assume_role_arn": role, "profile": "staging", "endpoint_url": hclEndpoint},
			join(shared),
			"HCL: AKIASTAGING assumes " + role + ", HCL: ASIAROLE eu-west-1 session ROLE-SESSION, HCL: ASIAROLE session ROLE-SESSION",
		},
		"allowed account": {object{"allowed_account_ids": []string{"444455556666", "111122223333"}}, join(keys), "ENV: AKIAENV us-west-2, ENV: AKIAENV"},
	} {
		t.Run(name, func(t *testing.T) {
			isolateAWS(t)
			for variable, value := range test.env {
				t.Setenv(variable, value)
			}
			r.seen = nil
			p := newProtocol(t, nil)
			auth0 := object{"domain": "http://127.0.0.1:1", "api_token": "t"}
			requireNoDiagnostics(t, p.configure(t.Context(), t, object{"auth0": auth0, "aws": test.hcl}))
			requireNoDiagnostics(t, p.plan(t.Context(), t, "auth0sns_iam_user", object{"name": "sms", "path": "/", "policy_name": "p"}))
			requireEqual(t, "requests that arrived", r.arrived(), test.want)
		})
	}
}

// TestAccUserAgent: by it a tenant's or an account's owner finds out who made a
// request, and with which version.
func TestAccUserAgent(t *testing.T) {
	env := acctest.New(t)
	o := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf")).must("plan")
	sides := map[string]int{}
	for _, e := range o.requests {
		sides[e.Side]++
		for _, product := range []*regexp.Regexp{regexp.MustCompile(`terraform-provider-auth0sns/test`), regexp.MustCompile(`Terraform/\d+\.\d+\.\d+`)} {
			if !product.MatchString(e.UserAgent) {
				t.Errorf("%s came with the User-Agent %q, want %s in it", e.Operation, e.UserAgent, product)
			}
		}
	}
	if sides[control.SideAuth0] == 0 || sides[control.SideAWS] == 0 {
		t.Errorf("requests by side: %v, want some on both", sides)
	}
}

// TestAccUnknownSettings feeds the provider from a resource whose output is
// known only in apply: first when it is made, then when it is replaced.
func TestAccUnknownSettings(t *testing.T) {
	const warning = "was not refreshed"
	for name, test := range map[string]struct {
		provider string
		// asked are the sides that a plan can still ask.
		asked []string
	}{
		"domain":           {`auth0 = { domain = local.settings.domain }`, []string{control.SideAWS}},
		"secret":           {`auth0 = { client_secret = local.settings.client_secret }`, []string{control.SideAWS}},
		"whole auth0":      {`auth0 = local.settings.auth0`, []string{control.SideAWS}},
		"region":           {`aws = { region = local.settings.region }`, []string{control.SideAuth0}},
		"account ids":      {`aws = { allowed_account_ids = local.settings.accounts }`, []string{control.SideAuth0}},
		"one account id":   {`aws = { allowed_account_ids = [local.settings.accounts[0]] }`, []string{control.SideAuth0}},
		"whole aws":        {`aws = local.settings.aws`, []string{control.SideAuth0}},
		"whole everything": {"auth0 = local.settings.auth0\n  aws = local.settings.aws", nil},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			before := env.State()
			w := newWorkspace(t, env, unknownSettings(t, env, test.provider))

			first := w.must("plan")
			requireEqual(t, "sides that the first plan asked", sidesOf(first), test.asked)
			requireEqual(t, "planned", first.changes["auth0sns_credentials.sms"], "create")
			w.must("apply")
			env.Challenge(t)
			applied := env.State()

			// The settings go away for one plan: the state has to stay.
			again := w.must("plan", "-var=generation=2")
			requireEqual(t, "sides that the second plan asked", sidesOf(again), test.asked)
			if text := again.text("warning"); !strings.Contains(text, warning) {
				t.Errorf("nobody is told that the plan rests on the state alone; warnings: %s", text)
			}
			for address, action := range again.changes {
				if action == "create" || action == "delete" || (action == "replace" && address != "terraform_data.settings") {
					t.Errorf("the plan would %s %s", action, address)
				}
			}
			w.must("apply", "-var=generation=2")
			if diff := applied.Diff(env.State()); diff != "" {
				t.Errorf("the second apply changed something (-before +after):\n%s", diff)
			}
			requireEqual(t, "changes once everything is known", w.must("plan", "-var=generation=2").changes, map[string]string{})

			w.must("destroy", "-var=generation=2")
			if diff := before.Diff(env.State()); diff != "" {
				t.Errorf("destroy left something behind (-before +after):\n%s", diff)
			}
		})
	}
}

// unknownSettings is the scenario with a provider block that refers to a resource.
func unknownSettings(t *testing.T, env *acctest.Env, block string) string {
	t.Helper()
	account := env.State().Account.AccountID
	return strings.Replace(acctest.Config(t, "scenarios/hook/main.tf"), `provider "auth0sns" {}`, fmt.Sprintf(`
variable "generation" {
  default = "1"
}

resource "terraform_data" "settings" {
  triggers_replace = var.generation
  input = {
    domain        = %[1]q
    client_secret = %[2]q
    region        = %[3]q
    accounts      = [%[4]q]
    auth0         = { domain = %[1]q, client_secret = %[2]q }
    aws           = { region = %[3]q, allowed_account_ids = [%[4]q] }
  }
}

locals {
  settings = terraform_data.settings.output
}

provider "auth0sns" {
  %[5]s
}
`, env.TenantURL, env.Variables["AUTH0_CLIENT_SECRET"], env.Variables["AWS_REGION"], account, block), 1)
}

func sidesOf(o outcome) []string {
	var sides []string
	for _, e := range o.requests {
		sides = append(sides, e.Side)
	}
	slices.Sort(sides)
	return slices.Compact(sides)
}
