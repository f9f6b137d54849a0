package auth0

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// bed is one tenant behind a real listener, with a clock the test moves.
type bed struct {
	t      *testing.T
	tenant *Tenant
	server *httptest.Server
	runner *fakeRunner

	mu  sync.Mutex
	now time.Time
}

func newBed(t *testing.T, limit RateLimit) *bed {
	t.Helper()
	b := &bed{t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), runner: &fakeRunner{}}
	b.server = httptest.NewUnstartedServer(nil)
	b.tenant = New(Config{
		Name:      "staging",
		BaseURL:   func() string { return "http://" + b.server.Listener.Addr().String() },
		Now:       b.clock,
		Runner:    b.runner,
		RateLimit: limit,
	})
	b.server.Config.Handler = b.tenant
	b.server.Start()
	t.Cleanup(b.server.Close)
	return b
}

func (b *bed) clock() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.now
}

func (b *bed) advance(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = b.now.Add(d)
}

func (b *bed) set(change func(*Switches)) {
	b.t.Helper()
	s := b.tenant.Switches()
	change(&s)
	if err := b.tenant.SetSwitches(s); err != nil {
		b.t.Fatal(err)
	}
}

// answer is a response with its body decoded; body is nil when it was empty.
type answer struct {
	status int
	header http.Header
	body   any
	raw    string
}

func (a answer) object(t *testing.T) map[string]any {
	t.Helper()
	object, ok := a.body.(map[string]any)
	if !ok {
		t.Fatalf("response is no object: %d %s", a.status, a.raw)
	}
	return object
}

func (b *bed) send(r *http.Request) answer {
	b.t.Helper()
	response, err := b.server.Client().Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := answer{status: response.StatusCode, header: response.Header, raw: string(raw)}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") && len(raw) > 0 {
		if err := json.Unmarshal(raw, &a.body); err != nil {
			b.t.Fatalf("response is no JSON: %s", raw)
		}
	}
	return a
}

func (b *bed) request(method, path, token, body string) *http.Request {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.server.URL+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	return r
}

// api calls the Management API with a token of every scope.
func (b *bed) api(method, path, body string) answer {
	b.t.Helper()
	return b.send(b.request(method, "/api/v2"+path, b.tenant.Token(), body))
}

// must is api for a call whose success the test takes for granted.
func (b *bed) must(method, path, body string) answer {
	b.t.Helper()
	a := b.api(method, path, body)
	if a.status >= 400 {
		b.t.Fatalf("%s %s: %d %s", method, path, a.status, a.raw)
	}
	return a
}

func (b *bed) form(values url.Values) answer {
	b.t.Helper()
	r := b.request("POST", "/oauth/token", "", values.Encode())
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.send(r)
}

const hookScript = "module.exports = function (recipient, text, context, cb) { cb(null, {}); };"

func (b *bed) createHook(name string, enabled bool) string {
	b.t.Helper()
	body, err := json.Marshal(map[string]any{"name": name, "script": hookScript, "triggerId": sendPhoneMessage, "enabled": enabled})
	if err != nil {
		b.t.Fatal(err)
	}
	id, _ := b.must("POST", "/hooks", string(body)).object(b.t)["id"].(string)
	return id
}

// expect compares an answer with a status and a piece of its raw body.
func expect(t *testing.T, what string, a answer, status int, contains string) {
	t.Helper()
	if a.status != status || !strings.Contains(a.raw, contains) {
		t.Errorf("%s: got %d %s\nwant %d with %s", what, a.status, a.raw, status, contains)
	}
}

type fakeRunner struct {
	result Result
	err    error

	mu   sync.Mutex
	jobs []Job
}

func (f *fakeRunner) Run(_ context.Context, job Job) (Result, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.jobs = append(f.jobs, job)
	return f.result, f.err
}

// shared returns the path of a file of the material shared between checkouts.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no shared material beside this checkout (%v): the emulated tenant is not compared with it", err)
	}
	return path
}

func TestSnapshotShowsEverythingButSecretValues(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createHook("sns", true)
	b.must("POST", "/hooks/"+id+"/secrets", `{"AWS_SECRET_ACCESS_KEY":"wJalr-canary"}`)
	b.must("PUT", "/guardian/factors/sms/providers/twilio", `{"auth_token":"twilio-canary"}`)
	b.must("PUT", "/guardian/factors/sms", `{"enabled":true}`)
	b.createPhoneProvider(twilioBody)

	raw, err := json.Marshal(b.tenant.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"canary", b.tenant.Client().ClientSecret} {
		if bytes.Contains(raw, []byte(secret)) {
			t.Errorf("the snapshot, which people print, holds the secret %q: %s", secret, raw)
		}
	}
	if !bytes.Contains(raw, []byte(`"secret_names":["AWS_SECRET_ACCESS_KEY"]`)) {
		t.Errorf("the snapshot does not name the hook's secrets: %s", raw)
	}
	if logs := b.must("GET", "/logs", ""); strings.Contains(logs.raw, "canary") {
		t.Errorf("the tenant log holds a secret value: %s", logs.raw)
	}
}

func TestResetKeepsRunningClientsWorking(t *testing.T) {
	b := newBed(t, RateLimit{})
	b.createHook("sns", true)
	action := b.createAction("sms", sendPhoneMessage, nil)
	b.deployAction(action)
	b.bind(sendPhoneMessage, action)
	b.set(func(s *Switches) { s.HooksMode = HooksGone })
	token, client := b.tenant.Token(), b.tenant.Client()
	b.tenant.DeleteGrant(client.ClientID)

	b.tenant.Reset()

	if b.tenant.Client() != client {
		t.Error("Reset changed the credentials: a provider that is already configured would be locked out")
	}
	a := b.send(b.request("GET", "/api/v2/hooks", token, ""))
	expect(t, "hooks after Reset, with a token from before", a, 200, "[]")
	if got := b.tenant.Snapshot(); len(got.Actions)+len(got.Bindings) != 0 {
		t.Errorf("after Reset there are Actions %v and bindings %v", got.Actions, got.Bindings)
	}
	if got := len(b.tenant.Snapshot().ClientGrants); got != 1 {
		t.Errorf("after Reset there are %d client grants, want the seeded one", got)
	}
}

func TestSetSwitchesRefusesUnknownValues(t *testing.T) {
	b := newBed(t, RateLimit{})
	for name, change := range map[string]func(*Switches){
		"hooks_mode":             func(s *Switches) { s.HooksMode = "readonly" },
		"second_enabled_hook":    func(s *Switches) { s.SecondEnabledHook = "both" },
		"build_time":             func(s *Switches) { s.BuildTime = -1 },
		"phone_binding":          func(s *Switches) { s.PhoneBinding = "auto" },
		"retry_interval":         func(s *Switches) { s.RetryInterval = -1 },
		"token_lifetime_seconds": func(s *Switches) { s.TokenLifetimeSeconds = 0 },
	} {
		s := DefaultSwitches()
		change(&s)
		if err := b.tenant.SetSwitches(s); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a typo in %s would silently leave the tenant as it was: error %v", name, err)
		}
	}
	if b.tenant.Switches() != DefaultSwitches() {
		t.Error("a refused SetSwitches changed something")
	}
}

func TestTenantServesManyAtOnce(t *testing.T) {
	b, _ := smsBed(t)
	token := b.tenant.Token()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			body := fmt.Sprintf(`{"name":"parallel-%d","script":"x","triggerId":"send-phone-message"}`, i)
			expect(t, "create beside others", b.send(b.request("POST", "/api/v2/hooks", token, body)), 201, "")
			expect(t, "change a setting meanwhile", b.send(b.request("PATCH", "/api/v2/tenants/settings", token, `{"flags":{"enable_sso":true}}`)), 200, "")
			b.tenant.Snapshot()
			_ = b.form(b.secretForm())
		})
	}
	group.Wait()
	if got := len(b.tenant.Snapshot().Hooks); got != 9 {
		t.Errorf("%d hooks after 8 concurrent creations beside one, want 9", got)
	}
}
