package auth0api

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func jwt(payload string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(payload)) + ".c2lnbmF0dXJl"
}

func (s *tenant) tokenRequests() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	var requests []request
	for _, r := range s.seen {
		if r.Path == tokenPath {
			requests = append(requests, r)
		}
	}
	return requests
}

func TestOneTokenForEverybody(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"GET /api/v2/hooks/1": answer(200, hookBody)})
	c := s.client()
	if len(s.tokenRequests()) != 0 {
		t.Error("New must not use the network: Terraform builds a client even to validate")
	}
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := c.Hook(t.Context(), "1"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	requests := s.tokenRequests()
	if len(requests) != 1 {
		t.Fatalf("%d tokens fetched: each costs of the tenant's machine-to-machine quota", len(requests))
	}
	form, _ := url.ParseQuery(requests[0].Body)
	want := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {testClientID}, "client_secret": {testClientSecret},
		"audience": {s.URL + "/api/v2/"},
	}
	if diff := cmp.Diff(want, form); diff != "" || requests[0].Token != "" {
		t.Errorf("token request (Authorization %q):\n%s", requests[0].Token, diff)
	}
	for _, call := range s.calls("GET") {
		if call.Token != "Bearer token-1" {
			t.Errorf("Authorization %q", call.Token)
		}
	}
}

func TestTokenIsRenewedBeforeItEnds(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"GET /api/v2/hooks/1": answer(200, hookBody)})
	s.expires = 3600
	c := s.client()
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {58 * time.Minute, 1}, {90 * time.Second, 2}, {time.Minute, 2}} {
		if step.after > 0 {
			_ = s.clock.Sleep(t.Context(), step.after)
		}
		if _, err := c.Hook(t.Context(), "1"); err != nil {
			t.Fatal(err)
		}
		if got := len(s.tokenRequests()); got != step.want {
			t.Errorf("after %s more: %d tokens, want %d", step.after, got, step.want)
		}
	}
}

// accepts only the newest of the tokens up to n.
func accepts(token string, body http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+token {
			answer(401, `{"statusCode":401,"error":"Unauthorized","message":"Expired token received for JSON Web Token validation","attributes":{"error":"Invalid token"}}`)(w, r)
			return
		}
		body(w, r)
	}
}

func TestRefusedTokenIsRenewedOnce(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST /api/v2/hooks":               accepts("token-2", answer(201, hookBody)),
		"PUT /api/v2/guardian/factors/sms": accepts("never", nil),
	})
	c := s.client()
	if _, err := c.CreateHook(t.Context(), Hook{Name: "n", Script: "s"}); err != nil {
		t.Fatalf("a long apply ends with its first token: %v", err)
	}
	calls := s.calls("POST")
	if len(calls) != 2 || calls[1].Body != calls[0].Body || calls[1].Body == "" {
		t.Errorf("the repetition lost its body: %v", calls)
	}
	before := len(s.tokenRequests())
	e := mustBeError(t, c.SetFactor(t.Context(), "sms", true))
	if e.Kind != Unauthorized || e.Ambiguous() || !strings.Contains(e.Error(), "audience") {
		t.Errorf("got %v", e)
	}
	if got := len(s.tokenRequests()) - before; got != 1 {
		t.Errorf("%d new tokens for one refused call", got)
	}
}

func TestRenewalIsSharedToo(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"GET /api/v2/hooks/1": accepts("token-2", answer(200, hookBody))})
	c := s.client()
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			if _, err := c.Hook(t.Context(), "1"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if got := len(s.tokenRequests()); got != 2 {
		t.Errorf("%d tokens fetched, want 2", got)
	}
}

func TestStaticTokenIsExplainedNotRenewed(t *testing.T) {
	for _, test := range []struct{ name, token, want string }{
		{"readable", jwt(`{"exp":1763895600,"scope":"read:hooks"}`), "2025-11-23T11:00:00Z"},
		{"opaque", "opaque-token-of-somebody", "expired, revoked"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newTenant(t, map[string]http.HandlerFunc{"GET /api/v2/hooks/1": accepts("other", nil)})
			c := newClient(t, Config{Domain: s.URL, APIToken: test.token, Now: s.clock.Now, Sleep: s.clock.Sleep})
			_, err := c.Hook(t.Context(), "1")
			e := mustBeError(t, err)
			if e.Kind != Unauthorized || !strings.Contains(e.Error(), test.want) || !strings.Contains(e.Error(), "API Explorer") {
				t.Errorf("got %v", e)
			}
			if strings.Contains(e.Error(), test.token) {
				t.Errorf("shows the token: %v", e)
			}
			if len(s.tokenRequests()) != 0 || len(s.calls("GET")) != 1 {
				t.Errorf("%d token requests, %d calls", len(s.tokenRequests()), len(s.calls("GET")))
			}
		})
	}
}

func TestGrantedScopes(t *testing.T) {
	for _, test := range []struct {
		name, answered, token string
		static                bool
		want                  []string
		known                 bool
	}{
		{"of the answer", "read:hooks create:hooks", "opaque", false, []string{"read:hooks", "create:hooks"}, true},
		{"of the token", "", jwt(`{"scope":"read:hooks"}`), false, []string{"read:hooks"}, true},
		{"of an API token", "", jwt(`{"scope":"read:logs update:hooks"}`), true, []string{"read:logs", "update:hooks"}, true},
		{"none at all", "", jwt(`{"scope":""}`), true, nil, true},
		{"opaque", "", "opaque", true, nil, false},
		{"almost a token", "", "a.b.c", true, nil, false},
		{"a scope of another shape", "", jwt(`{"scope":["x"]}`), true, nil, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := map[string]any{"access_token": test.token, "token_type": "Bearer", "expires_in": 86400}
			if test.answered != "" {
				body["scope"] = test.answered
			}
			data, _ := json.Marshal(body)
			s := newTenant(t, map[string]http.HandlerFunc{"POST " + tokenPath: answer(200, string(data))})
			cfg := s.config()
			if test.static {
				cfg = Config{Domain: s.URL, APIToken: test.token}
			}
			c := newClient(t, cfg)
			for range 2 {
				scopes, known, err := c.GrantedScopes(t.Context())
				if err != nil || known != test.known || strings.Join(scopes, " ") != strings.Join(test.want, " ") {
					t.Errorf("got %v, %t, %v", scopes, known, err)
				}
			}
			if want := map[bool]int{true: 0, false: 1}[test.static]; len(s.tokenRequests()) != want {
				t.Errorf("%d token requests, want %d", len(s.tokenRequests()), want)
			}
		})
	}
}

// refusals are what the token endpoint is known to say
// (https://auth0.com/docs/api/authentication and users' reports), and what of
// the explanation a user needs.
var refusals = []struct {
	name   string
	status int
	body   string
	want   []string
	kind   Kind
}{
	{"wrong secret or client", 401, `{"error":"access_denied","error_description":"Unauthorized"}`, []string{testClientID, "secret", "Settings"}, Token},
	{"invalid client", 401, `{"error":"invalid_client","error_description":"Client authentication failed"}`, []string{testClientID, "secret"}, Token},
	{"no grant", 403, `{"error":"access_denied","error_description":"Client is not authorized to access \"https://x/api/v2/\". You need to create a \"client-grant\" associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants"}`, []string{testClientID, "Machine to Machine Applications"}, Token},
	{"grant type", 403, `{"error":"unauthorized_client","error_description":"Grant type 'client_credentials' not allowed for the client.","error_uri":"https://auth0.com/docs/clients/client-grant-types"}`, []string{"Grant Types", "Client Credentials"}, Token},
	{"wrong audience", 403, `{"error":"access_denied","error_description":"Service not found: https://x/api/v2"}`, []string{"audience", "/api/v2/"}, Token},
	{"audience of another tenant", 403, `{"error":"access_denied","error_description":"Service not enabled within domain: https://x/api/v2/"}`, []string{"audience"}, Token},
	{"wrong domain", 404, `Not found.`, []string{"domain"}, Token},
	{"not a tenant at all", 200, `<html>Welcome</html>`, []string{"domain"}, Transport},
	{"a page", 403, `<html>Welcome</html>`, []string{"domain"}, Token},
	{"JSON, but no token", 200, `{"hello":"world"}`, []string{"no access token", "domain"}, Token},
	{"broken credentials-exchange", 500, `{"error":"server_error","error_description":"Script generated an unhandled asynchronous exception."}`, []string{"credentials-exchange", "Logs"}, Token},
	{"quotes what was sent", 401, `{"error":"access_denied","error_description":"bad ` + testClientSecret + ` ` + jwt(`{}`) + `"}`, []string{hidden}, Token},
	{"refusal with a token in it", 401, `{"error":"access_denied","access_token":"token-1","error_description":"no"}`, []string{"secret"}, Token},
}

func TestTokenRefusals(t *testing.T) {
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) {
			handler := answer(test.status, test.body)
			if !strings.HasPrefix(test.body, "{") {
				handler = func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Content-Type", "text/html")
					answer(test.status, test.body)(w, r)
				}
			}
			s := newTenant(t, map[string]http.HandlerFunc{"POST " + tokenPath: handler})
			c := s.client()
			for range 3 {
				_, err := c.CreateHook(t.Context(), Hook{})
				e := mustBeError(t, err)
				if e.Kind != test.kind || e.Ambiguous() {
					t.Errorf("kind %v, want %v; ambiguous %t, though no call was sent", e.Kind, test.kind, e.Ambiguous())
				}
				for _, want := range test.want {
					if !strings.Contains(e.Error(), want) {
						t.Errorf("a stranger cannot act on this, it lacks %q:\n%v", want, e)
					}
				}
			}
			if test.kind == Token && len(s.tokenRequests()) != 1 {
				t.Errorf("asked %d times: wrong credentials, repeated, look like an attack", len(s.tokenRequests()))
			}
			if len(s.calls("POST")) != 0 {
				t.Error("called the API without a token")
			}
		})
	}
}

func TestTokenEndpointThatRecovers(t *testing.T) {
	s := newTenant(t, nil)
	s.handle = map[string]http.HandlerFunc{
		"GET /api/v2/hooks/1": answer(200, hookBody),
		"POST " + tokenPath: sequence(drop, answer(503, ""), limited(map[string]string{"Retry-After": "2"}),
			answer(200, `{"access_token":"token-1","token_type":"Bearer","expires_in":60}`)),
	}
	if _, err := s.client().Hook(t.Context(), "1"); err != nil {
		t.Errorf("a passing failure of the token endpoint ends the run: %v", err)
	}
}

func TestTokenFailureOfTheNetworkIsNotRemembered(t *testing.T) {
	s := newTenant(t, nil)
	failing := make([]http.HandlerFunc, maxRetries+1, maxRetries+2)
	for i := range failing {
		failing[i] = drop
	}
	s.handle = map[string]http.HandlerFunc{
		"GET /api/v2/hooks/1": answer(200, hookBody),
		"POST " + tokenPath:   sequence(append(failing, answer(200, `{"access_token":"token-1","token_type":"Bearer"}`))...),
	}
	c := s.client()
	_, err := c.Hook(t.Context(), "1")
	if e := mustBeError(t, err); e.Kind != Transport || e.Ambiguous() {
		t.Errorf("kind %v, ambiguous %t: the call itself was never sent", e.Kind, e.Ambiguous())
	}
	if _, err := c.Hook(t.Context(), "1"); err != nil {
		t.Errorf("the network is back, the client is not: %v", err)
	}
}

func TestWaitingForATokenCanBeCancelled(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s := newTenant(t, map[string]http.HandlerFunc{"POST " + tokenPath: func(http.ResponseWriter, *http.Request) { close(arrived); <-release }})
	t.Cleanup(func() { close(release) })
	c := s.client()
	first, cancelFirst := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { _, err := c.Hook(first, "1"); done <- err }()
	<-arrived
	second, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := c.Hook(second, "1")
	if e := mustBeError(t, err); e.Ambiguous() {
		t.Errorf("got %v", e)
	}
	cancelFirst()
	if e := mustBeError(t, <-done); e.Ambiguous() {
		t.Errorf("got %v", e)
	}
}

func rsaKey(t *testing.T) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

func TestPrivateKeyJWT(t *testing.T) {
	key, text := rsaKey(t)
	s := newTenant(t, map[string]http.HandlerFunc{"GET /api/v2/hooks/1": answer(200, hookBody)})
	cfg := s.config()
	cfg.ClientSecret, cfg.ClientAssertionPrivateKey = "", text
	cfg.Audience = "https://tenant.eu.auth0.com/api/v2/"
	if _, err := newClient(t, cfg).Hook(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	form, _ := url.ParseQuery(s.tokenRequests()[0].Body)
	if form.Get("audience") != cfg.Audience || form.Get("client_assertion_type") != "urn:ietf:params:oauth:client-assertion-type:jwt-bearer" || form.Has("client_secret") {
		t.Errorf("form %v", form)
	}
	parts := strings.Split(form.Get("client_assertion"), ".")
	if len(parts) != 3 {
		t.Fatalf("not a JWT: %v", parts)
	}
	decode := func(part string) []byte { data, _ := base64.RawURLEncoding.DecodeString(part); return data }
	digest := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], decode(parts[2])); err != nil {
		t.Errorf("Auth0 would refuse the signature: %v", err)
	}
	var claims struct {
		Iss, Sub, Aud, Jti string // a list as aud is refused by some tenants
		Exp, Iat           float64
	}
	if err := json.Unmarshal(decode(parts[1]), &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Iss != testClientID || claims.Sub != testClientID || claims.Aud != s.URL+"/" || claims.Jti == "" || claims.Exp-claims.Iat > 300 {
		t.Errorf("claims %+v", claims)
	}
}

func TestPrivateKeyJWTNeverRepeatsAnAssertion(t *testing.T) {
	_, text := rsaKey(t)
	s := newTenant(t, nil)
	s.handle = map[string]http.HandlerFunc{
		"GET /api/v2/hooks/1": answer(200, hookBody),
		"POST " + tokenPath:   sequence(drop, answer(200, `{"access_token":"token-1","token_type":"Bearer"}`)),
	}
	cfg := s.config()
	cfg.ClientSecret, cfg.ClientAssertionPrivateKey, cfg.ClientAssertionSigningAlg = "", text, "PS256"
	if _, err := newClient(t, cfg).Hook(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	requests := s.tokenRequests()
	if len(requests) != 2 || requests[0].Body == requests[1].Body {
		t.Errorf("%d requests; Auth0 takes each assertion once", len(requests))
	}
}

func TestPrivateKeyRefused(t *testing.T) {
	_, text := rsaKey(t)
	s := newTenant(t, map[string]http.HandlerFunc{"POST " + tokenPath: quote(401)})
	cfg := s.config()
	cfg.ClientSecret, cfg.ClientAssertionPrivateKey = "", text
	_, err := newClient(t, cfg).Hook(t.Context(), "1")
	if e := mustBeError(t, err); strings.Contains(e.Error(), "eyJ") {
		t.Errorf("shows the assertion: %v", e)
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	_, rsaText := rsaKey(t)
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	ecText := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	for _, test := range []struct {
		cfg  Config
		want string
	}{
		{Config{Domain: "x.auth0.com"}, "credentials"},
		{Config{Domain: "x.auth0.com", ClientID: "c"}, "secret or a private key"},
		{Config{Domain: "", APIToken: "t"}, "domain"},
		{Config{Domain: "x.auth0.com", ClientID: "c", ClientAssertionPrivateKey: "MIIEvQsecretkey"}, "PEM"},
		{Config{Domain: "x.auth0.com", ClientID: "c", ClientAssertionPrivateKey: ecText}, "RSA"},
		{Config{Domain: "x.auth0.com", ClientID: "c", ClientAssertionPrivateKey: strings.Replace(rsaText, "\nMI", "\nXX", 1)}, "cannot be read"},
		{Config{Domain: "x.auth0.com", ClientID: "c", ClientAssertionPrivateKey: rsaText, ClientAssertionSigningAlg: "HS256"}, "RS256"},
	} {
		_, err := New(test.cfg)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "MI") {
			t.Errorf("got %v, want a word about %q and nothing of the key", err, test.want)
		}
	}
}

func TestURLsOfADomain(t *testing.T) {
	for domain, want := range map[string]string{
		"tenant.eu.auth0.com":   "https://tenant.eu.auth0.com",
		"http://127.0.0.1:1234": "http://127.0.0.1:1234",
	} {
		var seen []string
		record := roundTripper(func(r *http.Request) (*http.Response, error) {
			_ = r.ParseForm()
			seen = append(seen, r.URL.Scheme+"://"+r.URL.Host+" "+r.Form.Get("audience"))
			return nil, fmt.Errorf("stop")
		})
		c := newClient(t, Config{Domain: domain, ClientID: "c", ClientSecret: "secret", HTTPClient: &http.Client{Transport: record}, Sleep: newClock().Sleep})
		if _, err := c.Policies(t.Context()); err == nil || c.Domain() != domain {
			t.Errorf("%s: %v", domain, err)
		}
		if got := seen[0]; got != want+" "+want+"/api/v2/" {
			t.Errorf("%s: asks %s", domain, got)
		}
	}
}
