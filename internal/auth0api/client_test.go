package auth0api

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	testClientID     = "client-1"
	testClientSecret = "cs-3fQ9zXw7LrT1vBn5"
	awsSecret        = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"
)

// request is what a test server has seen.
type request struct {
	Method, Path, Query, Body, Token string
}

// clock is a fake: sleeping moves it.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	sleeps []time.Duration
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	c.now = c.now.Add(d)
	c.sleeps = append(c.sleeps, d)
	return nil
}

func (c *clock) slept() (total time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.sleeps {
		total += d
	}
	return total
}

// tenant is a scripted Auth0: a token endpoint that works unless replaced, and
// handlers by "METHOD path".
type tenant struct {
	*httptest.Server
	t       *testing.T
	clock   *clock
	handle  map[string]http.HandlerFunc
	mu      sync.Mutex
	seen    []request
	tokens  int
	scope   string
	expires int
}

func newTenant(t *testing.T, handle map[string]http.HandlerFunc) *tenant {
	t.Helper()
	s := &tenant{t: t, clock: newClock(), handle: handle, expires: 86400}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.Close)
	return s
}

func (s *tenant) serve(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.mu.Lock()
	s.seen = append(s.seen, request{r.Method, r.URL.Path, r.URL.RawQuery, string(body), r.Header.Get("Authorization")})
	s.mu.Unlock()
	if kind := r.Header.Get("Content-Type"); len(body) > 0 && r.URL.Path != tokenPath && kind != "application/json" {
		s.t.Errorf("%s %s: a body of type %q, which Auth0 does not read", r.Method, r.URL, kind)
	}
	// Date follows the fake clock unless a handler says otherwise.
	w.Header().Set("Date", s.clock.Now().Format(http.TimeFormat))
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if h, ok := s.handle[r.Method+" "+r.URL.Path]; ok {
		h(w, r)
		return
	}
	if r.URL.Path != tokenPath {
		s.t.Errorf("unexpected request %s %s", r.Method, r.URL)
		w.WriteHeader(http.StatusTeapot)
		return
	}
	s.mu.Lock()
	s.tokens++
	answer := map[string]any{"access_token": fmt.Sprintf("token-%d", s.tokens), "expires_in": s.expires, "token_type": "Bearer"}
	if s.scope != "" {
		answer["scope"] = s.scope
	}
	s.mu.Unlock()
	_ = json.NewEncoder(w).Encode(answer)
}

// calls returns the Management API requests of a method.
func (s *tenant) calls(method string) []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.seen), func(r request) bool { return r.Path == tokenPath || r.Method != method })
}

func (s *tenant) config() Config {
	return Config{
		Domain: s.URL, ClientID: testClientID, ClientSecret: testClientSecret,
		UserAgent: "test/1", Now: s.clock.Now, Sleep: s.clock.Sleep,
	}
}

func (s *tenant) client() *Client { return newClient(s.t, s.config()) }

func newClient(t *testing.T, cfg Config) *Client {
	t.Helper()
	c, err := New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return c
}

func answer(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// sequence gives each request the next answer, the last one for ever.
func sequence(handlers ...http.HandlerFunc) http.HandlerFunc {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handlers[0]
		if len(handlers) > 1 {
			handlers = handlers[1:]
		}
		mu.Unlock()
		h(w, r)
	}
}

// drop closes the connection after reading the request.
func drop(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := w.(http.Hijacker).Hijack() //nolint:forcetypeassert // a test server's writer always is
	if err == nil {
		_ = conn.Close()
	}
}

func mustBeError(t *testing.T, err error) *Error {
	t.Helper()
	var e *Error
	if !asTestError(err, &e) {
		t.Fatalf("got %v (%T), want an *Error that explains itself", err, err)
	}
	noSecrets(t, e)
	return e
}

// noSecrets looks for every secret of the tests in all that an error says.
func noSecrets(t *testing.T, e *Error) {
	t.Helper()
	said := fmt.Sprintf("%s\n%+v\n%#v\n%s\n%v", e.Error(), *e, *e, e.Hint(), e.Err)
	for _, secret := range []string{testClientSecret, awsSecret, "token-1", "token-2", "eyJhbGci", "PRIVATE KEY-----\nMI"} {
		if strings.Contains(said, secret) {
			t.Errorf("the error reveals a secret (%.6s…) to whoever reads the log:\n%s", secret, said)
		}
	}
}

func asTestError(err error, target **Error) bool {
	e, ok := err.(*Error) //nolint:errorlint // every error must be one, not merely wrap one
	*target = e
	return ok
}

// recording is one file of the recorded traffic of the real API.
type recording struct {
	Interactions []struct {
		Method, Path, Query string
		RequestBody         json.RawMessage `json:"request_body"`
		Status              int
		ResponseBody        json.RawMessage `json:"response_body"`
	}
}

func readRecording(t *testing.T, name string) recording {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", "recordings", name)) //nolint:gosec // test data
	if err != nil {
		t.Skipf("recordings of the real Auth0 API are not beside the repository: %v", err)
	}
	var r recording
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	return r
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// replay serves a recording in order and compares what is sent with what was.
func replay(t *testing.T, name string) *Client {
	t.Helper()
	r := readRecording(t, name)
	var mu sync.Mutex
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if len(r.Interactions) == 0 {
			t.Errorf("more requests than were recorded: %s %s", req.Method, req.URL)
			return
		}
		next := r.Interactions[0]
		r.Interactions = r.Interactions[1:]
		if req.Method != next.Method || req.URL.Path != next.Path {
			t.Errorf("sent %s %s, recorded is %s %s", req.Method, req.URL.Path, next.Method, next.Path)
		}
		body, _ := io.ReadAll(req.Body)
		if diff := cmp.Diff(decoded(next.RequestBody), decoded(body)); diff != "" {
			t.Errorf("%s %s: body differs from the recorded one (-recorded +sent):\n%s", req.Method, req.URL.Path, diff)
		}
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.WriteHeader(next.Status)
		if decoded(next.ResponseBody) != nil {
			_, _ = w.Write(next.ResponseBody)
		}
	}))
	t.Cleanup(server.Close)
	return newClient(t, Config{Domain: server.URL, APIToken: "opaque"})
}

func decoded(data []byte) any {
	var v any
	_ = json.Unmarshal(data, &v)
	return v
}
