package auth0api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const hookBody = `{"id":"1","name":"n","script":"s","triggerId":"send-phone-message","enabled":true,"dependencies":{}}`

func cutShort(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Length", "500")
	w.WriteHeader(http.StatusOK)
	_, _ = fmt.Fprint(w, `{"id":"1",`)
}

// quote answers with an error that repeats the request, as Auth0's validation
// does with the values it refuses.
func quote(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		message, _ := json.Marshal(fmt.Sprintf("oops %s %s", body, r.Header.Get("Authorization")))
		answer(status, fmt.Sprintf(`{"statusCode":%d,"error":"oops","message":%s}`, status, message))(w, r)
	}
}

func TestWhatIsSentAgainAfterAFailure(t *testing.T) {
	ctx := context.Background()
	operations := []struct {
		name, route string
		again       bool
		do          func(*Client) error
	}{
		{"read", "GET /api/v2/hooks/1", true, func(c *Client) error { _, err := c.Hook(ctx, "1"); return err }},
		{"whole value", "PUT /api/v2/guardian/factors/sms", true, func(c *Client) error { return c.SetFactor(ctx, "sms", true) }},
		{"patched secrets", "PATCH /api/v2/hooks/1/secrets", true, func(c *Client) error {
			return c.UpdateHookSecrets(ctx, "1", map[string]string{"K": awsSecret})
		}},
		{"created hook", "POST /api/v2/hooks", false, func(c *Client) error { _, err := c.CreateHook(ctx, Hook{Name: "n"}); return err }},
		{"added secrets", "POST /api/v2/hooks/1/secrets", false, func(c *Client) error {
			return c.AddHookSecrets(ctx, "1", map[string]string{"K": awsSecret})
		}},
		{"deleted hook", "DELETE /api/v2/hooks/1", false, func(c *Client) error { return c.DeleteHook(ctx, "1") }},
	}
	failures := map[string]http.HandlerFunc{
		"connection dropped": drop,
		"500 that quotes":    quote(500),
		"503":                answer(503, `<html>`),
		"cut short":          cutShort,
	}
	for _, operation := range operations {
		for failure, handler := range failures {
			t.Run(operation.name+" "+failure, func(t *testing.T) {
				s := newTenant(t, map[string]http.HandlerFunc{operation.route: handler})
				e := mustBeError(t, operation.do(s.client()))
				method, _, _ := strings.Cut(operation.route, " ")
				want := 1
				if operation.again {
					want = 1 + maxRetries
				}
				// net/http repeats a GET by itself when a kept connection was dropped.
				if got := len(s.calls(method)); got < want || (got != want && method != http.MethodGet) {
					t.Errorf("sent %d times, want %d: a repeated %s may do the work twice", got, want, method)
				}
				if write := method != http.MethodGet; e.Ambiguous() != write {
					t.Errorf("%v: Ambiguous() = %t, want %t: a write may have taken effect, a read changes nothing", e, !write, write)
				}
				if unsure := strings.Contains(e.Error(), "not known whether"); unsure == (method == http.MethodGet) {
					t.Errorf("wrong about the effect: %v", e)
				}
			})
		}
	}
}

func TestASecondTryThatWorks(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"GET /api/v2/hooks/1": sequence(answer(502, ""), answer(500, ""), answer(200, hookBody)),
	})
	if _, err := s.client().Hook(t.Context(), "1"); err != nil {
		t.Errorf("a passing failure of Auth0 ends the run: %v", err)
	}
	if d := s.clock.slept(); d < firstBackoff/2 || d > 4*firstBackoff {
		t.Errorf("waited %s for two repetitions", d)
	}
}

func TestNotSentIsNotAmbiguous(t *testing.T) {
	const nobody = "http://127.0.0.1:1" // A port that no test of another process is given.
	clock := newClock()
	c := newClient(t, Config{Domain: nobody, APIToken: "opaque", Now: clock.Now, Sleep: clock.Sleep})
	_, err := c.CreateHook(t.Context(), Hook{})
	e := mustBeError(t, err)
	if e.Kind != Transport || e.Ambiguous() || e.StatusCode != 0 {
		t.Errorf("kind %v, ambiguous %t: nothing can have been created", e.Kind, e.Ambiguous())
	}
	if len(clock.sleeps) != maxRetries {
		t.Errorf("%d repetitions: what never left may be sent again, even a POST", len(clock.sleeps))
	}
}

func TestUnknownHostFailsAtOnce(t *testing.T) {
	clock := newClock()
	noSuchHost := roundTripper(func(*http.Request) (*http.Response, error) {
		return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: "tennant.auth0.com", IsNotFound: true}}
	})
	c := newClient(t, Config{
		Domain: "tennant.auth0.com", ClientID: testClientID, ClientSecret: testClientSecret,
		HTTPClient: &http.Client{Transport: noSuchHost}, Now: clock.Now, Sleep: clock.Sleep,
	})
	_, err := c.TenantSettings(t.Context())
	e := mustBeError(t, err)
	if e.Kind != Transport || !strings.Contains(e.Error(), "tennant.auth0.com") || !strings.Contains(e.Error(), "domain") {
		t.Errorf("a mistyped domain reads as: %v", e)
	}
	if len(clock.sleeps) != 0 {
		t.Errorf("made the user wait %s for a host that does not exist", clock.slept())
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func limited(header map[string]string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for key, value := range header {
			w.Header().Set(key, value)
		}
		answer(429, `{"statusCode":429,"error":"Too Many Requests","message":"Global limit has been reached","errorCode":"too_many_requests"}`)(w, nil)
	}
}

func TestWaitsOutTheRateLimit(t *testing.T) {
	start := newClock().now
	unix := func(d time.Duration) string { return strconv.FormatInt(start.Add(d).Unix(), 10) }
	date := func(d time.Duration) string { return start.Add(d).Format(http.TimeFormat) }
	for _, test := range []struct {
		name     string
		header   map[string]string
		min, max time.Duration
	}{
		{"reset", map[string]string{"x-ratelimit-reset": unix(3 * time.Second)}, 3 * time.Second, 3 * time.Second},
		{"our clock an hour behind", map[string]string{"Date": date(time.Hour), "x-ratelimit-reset": unix(time.Hour + 2*time.Second)}, 2 * time.Second, 2 * time.Second},
		{"our clock an hour ahead", map[string]string{"Date": date(-time.Hour), "x-ratelimit-reset": unix(-time.Hour + 2*time.Second)}, 2 * time.Second, 2 * time.Second},
		{"reset far in the future", map[string]string{"x-ratelimit-reset": "99999999999"}, maxWait, maxWait},
		{"reset past", map[string]string{"x-ratelimit-reset": unix(-time.Second)}, firstBackoff / 2, firstBackoff},
		{"nonsense", map[string]string{"x-ratelimit-reset": "soon", "Retry-After": "later"}, firstBackoff / 2, firstBackoff},
		{"retry-after seconds", map[string]string{"Retry-After": "5"}, 5 * time.Second, 5 * time.Second},
		{"retry-after date", map[string]string{"Retry-After": date(4 * time.Second)}, 4 * time.Second, 4 * time.Second},
		{"reset before retry-after", map[string]string{"x-ratelimit-reset": unix(2 * time.Second), "Retry-After": "50"}, 2 * time.Second, 2 * time.Second},
		{"no header", nil, firstBackoff / 2, firstBackoff},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newTenant(t, map[string]http.HandlerFunc{
				"POST /api/v2/hooks": sequence(limited(test.header), answer(201, hookBody)),
			})
			if _, err := s.client().CreateHook(t.Context(), Hook{}); err != nil {
				t.Fatalf("a refused POST did nothing and must be sent again: %v", err)
			}
			if d := s.clock.slept(); d < test.min || d > test.max {
				t.Errorf("waited %s, want %s to %s", d, test.min, test.max)
			}
		})
	}
}

func TestRateLimitIsWaitedOutForEver(t *testing.T) {
	var refusals atomic.Int32
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST /api/v2/hooks": func(w http.ResponseWriter, r *http.Request) {
			if refusals.Add(1) <= 40 {
				limited(nil)(w, r)
				return
			}
			answer(201, hookBody)(w, r)
		},
	})
	if _, err := s.client().CreateHook(t.Context(), Hook{}); err != nil {
		t.Fatal(err)
	}
	for _, d := range s.clock.sleeps {
		if d > maxBackoff {
			t.Errorf("waited %s at once", d)
		}
	}
}

func TestRateLimitWaitEndsWithTheContext(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST /api/v2/hooks": limited(map[string]string{"Retry-After": "50"}),
	})
	cfg := s.config()
	cfg.Sleep = nil
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err := newClient(t, cfg).CreateHook(ctx, Hook{})
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Ctrl-C took %s", took)
	}
	e := mustBeError(t, err)
	if e.Kind != TooManyRequests || e.Ambiguous() || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v (kind %v)", e, e.Kind)
	}
}

func TestCancelledWhileAuth0Thinks(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST /api/v2/hooks": func(http.ResponseWriter, *http.Request) { close(arrived); <-release },
	})
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-arrived; cancel() }()
	_, err := s.client().CreateHook(ctx, Hook{})
	e := mustBeError(t, err)
	if !e.Ambiguous() || !errors.Is(err, context.Canceled) {
		t.Errorf("the hook may exist, which %v does not say", e)
	}
	if n := len(s.calls("POST")); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestAnAttemptHasAnEnd(t *testing.T) {
	release := make(chan struct{})
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST /api/v2/hooks": func(http.ResponseWriter, *http.Request) { <-release },
	})
	t.Cleanup(func() { close(release) })
	cfg := s.config()
	cfg.HTTPClient = &http.Client{Timeout: 50 * time.Millisecond}
	_, err := newClient(t, cfg).CreateHook(t.Context(), Hook{})
	e := mustBeError(t, err)
	if !e.Ambiguous() || !strings.Contains(e.Error(), "no answer within 50ms") {
		t.Errorf("got %v", e)
	}
}

// bucket is Auth0's limiter: size tokens, one more every half second.
type bucket struct {
	clock  *clock
	mu     sync.Mutex
	size   int
	tokens float64
	last   time.Time
	denied int
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock.Now()
	b.tokens = min(float64(b.size), b.tokens+2*now.Sub(b.last).Seconds())
	b.last = now
	w.Header().Set("X-Ratelimit-Limit", strconv.Itoa(b.size))
	w.Header().Set("X-Ratelimit-Reset", strconv.FormatInt(now.Add(time.Second).Unix(), 10))
	if b.tokens < 1 {
		b.denied++
		w.Header().Set("X-Ratelimit-Remaining", "0")
		limited(nil)(w, r)
		return
	}
	b.tokens--
	w.Header().Set("X-Ratelimit-Remaining", strconv.Itoa(int(b.tokens)))
	answer(200, hookBody)(w, r)
}

func TestPace(t *testing.T) {
	for _, test := range []struct {
		name      string
		size      int
		min, max  time.Duration // of 20 requests
		mostDenid int
	}{
		{"free tenant, 2 a second", 2, 8 * time.Second, 11 * time.Second, 0},
		{"production tenant", 50, 0, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newTenant(t, nil)
			b := &bucket{clock: s.clock, size: test.size, tokens: float64(test.size), last: s.clock.Now()}
			s.handle = map[string]http.HandlerFunc{"GET /api/v2/hooks/1": b.ServeHTTP}
			c := s.client()
			for range 20 {
				if _, err := c.Hook(t.Context(), "1"); err != nil {
					t.Fatal(err)
				}
			}
			if b.denied > test.mostDenid {
				t.Errorf("%d requests were refused, which also slows the tenant's logins", b.denied)
			}
			if d := s.clock.slept(); d < test.min || d > test.max {
				t.Errorf("20 requests waited %s, want %s to %s", d, test.min, test.max)
			}
		})
	}
}

func TestPaceOfManyAtOnce(t *testing.T) {
	s := newTenant(t, nil)
	b := &bucket{clock: s.clock, size: 2, tokens: 2, last: s.clock.Now()}
	s.handle = map[string]http.HandlerFunc{"GET /api/v2/hooks/1": b.ServeHTTP}
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
	if b.denied > 2 {
		t.Errorf("%d of 10 requests were refused: a refresh of 10 resources starts with 429s", b.denied)
	}
}

func TestWaitingForATurnCanBeCancelled(t *testing.T) {
	arrived, release := make(chan struct{}), make(chan struct{})
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST /api/v2/hooks": func(w http.ResponseWriter, r *http.Request) {
			close(arrived)
			<-release
			answer(201, hookBody)(w, r)
		},
	})
	c := s.client()
	first := make(chan error)
	go func() { _, err := c.CreateHook(t.Context(), Hook{}); first <- err }()
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := c.CreateHook(ctx, Hook{})
	if e := mustBeError(t, err); e.Ambiguous() || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", e)
	}
	close(release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if n := len(s.calls("POST")); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestTokenStaysWithItsHost(t *testing.T) {
	var leaked atomic.Int32
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { leaked.Add(1) }))
	t.Cleanup(other.Close)
	redirect := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Location", other.URL+r.URL.Path)
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
	s := newTenant(t, map[string]http.HandlerFunc{"GET /api/v2/hooks/1": redirect})
	_, err := s.client().Hook(t.Context(), "1")
	if e := mustBeError(t, err); e.StatusCode != 307 || !strings.Contains(e.Error(), "domain") {
		t.Errorf("got %v", e)
	}
	s = newTenant(t, map[string]http.HandlerFunc{"POST " + tokenPath: redirect})
	_, err = s.client().Hook(t.Context(), "1")
	if e := mustBeError(t, err); e.Kind != Token || !strings.Contains(e.Error(), "domain") {
		t.Errorf("got %v", e)
	}
	if leaked.Load() != 0 {
		t.Error("another host was sent the token or the client secret")
	}
}

func TestNotAuth0(t *testing.T) {
	page := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			answer(status, "<html>"+strings.Repeat("x", 5000)+"</html>")(w, nil)
		}
	}
	for _, status := range []int{200, 403, 404} {
		s := newTenant(t, map[string]http.HandlerFunc{"GET /api/v2/hooks/1": page(status)})
		_, err := s.client().Hook(t.Context(), "1")
		e := mustBeError(t, err)
		if IsNotFound(err) {
			t.Error("a proxy's 404 reads as a deleted hook, and Terraform would forget it")
		}
		if len(e.Error()) > 600 || !strings.Contains(e.Error(), "domain") {
			t.Errorf("%d: %v", status, e)
		}
		if n := len(s.calls("GET")); n != 1 {
			t.Errorf("%d: asked %d times", status, n)
		}
	}
}

func TestEndlessAnswer(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"PUT /api/v2/guardian/factors/sms": func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("x", 1<<20))
		for range maxBody>>20 + 2 {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}})
	e := mustBeError(t, s.client().SetFactor(t.Context(), "sms", true))
	if !strings.Contains(e.Error(), "larger than 16 MB") {
		t.Errorf("got %v", e)
	}
}

func TestUserAgent(t *testing.T) {
	agents := make(chan string, 4)
	s := newTenant(t, map[string]http.HandlerFunc{"GET /api/v2/hooks/1": func(w http.ResponseWriter, r *http.Request) {
		agents <- r.UserAgent()
		answer(200, hookBody)(w, r)
	}})
	if _, err := s.client().Hook(t.Context(), "1"); err != nil {
		t.Fatal(err)
	}
	if got := <-agents; got != "test/1" {
		t.Errorf("User-Agent %q", got)
	}
}

// A hand-over that took a refusal for the whole truth would delete the key that an earlier attempt has delivered.
func TestRefusalAfterALostAnswerStaysAmbiguous(t *testing.T) {
	for _, first := range []int{http.StatusServiceUnavailable, http.StatusTooManyRequests} {
		answers := []int{first, http.StatusForbidden}
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			status := answers[0]
			answers = answers[1:]
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, `{"message":"no"}`)
		}))
		client, err := New(Config{Domain: server.URL, APIToken: "token", Sleep: func(context.Context, time.Duration) error { return nil }})
		if err != nil {
			t.Fatal(err)
		}
		err = client.UpdateHookSecrets(t.Context(), "hook", map[string]string{"A": "secret"})
		server.Close()
		var failed *Error
		if !errors.As(err, &failed) {
			t.Fatalf("got %v", err)
		}
		if want := first != http.StatusTooManyRequests; failed.Ambiguous() != want {
			t.Errorf("%d and then 403: Ambiguous() = %t, want %t", first, failed.Ambiguous(), want)
		}
	}
}
