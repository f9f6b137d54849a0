package control_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// service counts what took effect and answers `{"ok":true}`.
type service struct{ effects atomic.Int32 }

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.effects.Add(1)
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, `{"ok":true}`)
}

func (s *service) Operation(r *http.Request, body []byte) string {
	return r.Method + " " + r.URL.Path + string(body)
}

func (s *service) Principal(r *http.Request) string { return r.Header.Get("X-Principal") }

type world struct {
	*control.Kernel
	service *service
	url     string
}

func start(t *testing.T) *world {
	t.Helper()
	w := &world{Kernel: control.NewKernel(time.Now), service: &service{}}
	server := httptest.NewServer(w.Wrap(control.SideAuth0, "staging", w.service))
	t.Cleanup(server.Close)
	t.Cleanup(w.Faults.Reset) // Before the server closes: it waits for what is held.
	w.url = server.URL
	return w
}

func (w *world) fault(t *testing.T, f control.Fault) string {
	t.Helper()
	id, err := w.Faults.Add(f)
	if err != nil {
		t.Fatalf("a valid fault was refused: %v", err)
	}
	return id
}

type response struct {
	status int
	body   string
	err    error
}

// post uses a connection of its own, so that nothing is repeated by the client behind the test's back.
func (w *world) post(ctx context.Context, path string) response {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url+path, http.NoBody)
	if err != nil {
		return response{err: err}
	}
	req.Header.Set("X-Principal", "AKIA1")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		return response{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return response{status: resp.StatusCode, body: string(body), err: err}
}

func TestEveryEffectDoesWhatItSays(t *testing.T) {
	tests := map[string]struct {
		fault   control.Fault
		effects int32
		journal int // Status in the journal.
		check   func(response) error
	}{
		"respond": {
			control.Fault{Effect: control.Respond, Status: 429, Body: "slow down", Header: map[string]string{"Retry-After": "1"}},
			0, 429, func(r response) error { return want(r, 429, "slow down") },
		},
		"respond_after": {
			control.Fault{Effect: control.RespondAfter, Status: 504, Body: "gave up"},
			1, 504, func(r response) error { return want(r, 504, "gave up") },
		},
		"delay": {
			control.Fault{Effect: control.Delay, Delay: 30 * time.Millisecond},
			1, 201, func(r response) error { return want(r, 201, `{"ok":true}`) },
		},
		"drop_before": {
			control.Fault{Effect: control.DropBefore},
			0, 0, func(r response) error { return wantError(r, syscall.ECONNRESET) },
		},
		"drop_after": {
			control.Fault{Effect: control.DropAfter},
			1, 0, func(r response) error { return wantError(r, io.EOF) },
		},
		"truncate": {
			control.Fault{Effect: control.Truncate},
			1, 201, func(r response) error {
				if r.status != 201 || r.body != `{"ok"` {
					return fmt.Errorf("got status %d and body %q, want half of the body", r.status, r.body)
				}
				return wantError(r, io.ErrUnexpectedEOF)
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := start(t)
			id := w.fault(t, test.fault)
			begin := time.Now()
			if err := test.check(w.post(t.Context(), "/x")); err != nil {
				t.Error(err)
			}
			if got := time.Since(begin); got < test.fault.Delay {
				t.Errorf("answered after %v, before the delay of %v was over", got, test.fault.Delay)
			}
			if got := w.service.effects.Load(); got != test.effects {
				t.Errorf("the request took effect %d times, want %d: a crash test would prove the wrong thing", got, test.effects)
			}
			entries := w.Journal.Entries(0)
			if len(entries) != 1 || entries[0].Status != test.journal || entries[0].Fault != id {
				t.Errorf("journal = %+v, want one entry with status %d and fault %q", entries, test.journal, id)
			}
		})
	}
}

func TestDownRefusesConnectionsAndComesBack(t *testing.T) {
	w := &world{Kernel: control.NewKernel(time.Now), service: &service{}}
	listener, err := w.Listen(t.Context(), control.SideAuth0, "staging")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: w.Wrap(control.SideAuth0, "staging", w.service), ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("the server ended with %v: an outage must not end it", err)
		}
	})
	w.url = "http://" + listener.Addr().String()

	idle, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer idle.Close()
	w.fault(t, control.Fault{Effect: control.Down, Delay: 100 * time.Millisecond, Times: 1})
	if err := want(w.post(t.Context(), "/x"), 201, `{"ok":true}`); err != nil {
		t.Errorf("the request before the outage: %v", err)
	}
	if err := wantError(w.post(t.Context(), "/x"), syscall.ECONNREFUSED); err != nil {
		t.Errorf("the request during the outage: %v", err)
	}
	if _, err := idle.Read(make([]byte, 1)); err == nil {
		t.Error("a connection outlived the outage: its next request would get through")
	}
	eventually(t, "the service is back at its address", func() bool { return w.post(t.Context(), "/x").status == 201 })
	if got := w.service.effects.Load(); got != 2 {
		t.Errorf("%d requests took effect, want the one before the outage and the one after it", got)
	}
}

func TestHeldRequestGoesOnWhenReleased(t *testing.T) {
	for effect, whileHeld := range map[control.Effect]int32{control.HoldBefore: 0, control.HoldAfter: 1} {
		t.Run(string(effect), func(t *testing.T) {
			w := start(t)
			id := w.fault(t, control.Fault{Effect: effect, Times: 1})
			got := make(chan response, 1)
			go func() { got <- w.post(t.Context(), "/x") }()
			if err := w.Faults.AwaitHeld(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			if n := w.service.effects.Load(); n != whileHeld {
				t.Errorf("while held, the request had taken effect %d times, want %d", n, whileHeld)
			}
			if status := w.Faults.List()[0]; status.Held != 1 || status.Applied != 1 {
				t.Errorf("status = %+v, want 1 held, 1 applied", status)
			}
			if err := w.Faults.Release(id); err != nil {
				t.Fatal(err)
			}
			if err := want(<-got, 201, `{"ok":true}`); err != nil {
				t.Error(err)
			}
			if n := w.service.effects.Load(); n != 1 {
				t.Errorf("in the end, the request had taken effect %d times, want once", n)
			}
		})
	}
}

func TestHeldRequestEndsWithItsSender(t *testing.T) {
	for effect, effects := range map[control.Effect]int32{control.HoldBefore: 0, control.HoldAfter: 1} {
		t.Run(string(effect), func(t *testing.T) {
			w := start(t)
			id := w.fault(t, control.Fault{Effect: effect})
			ctx, kill := context.WithCancel(t.Context())
			got := make(chan response, 1)
			go func() { got <- w.post(ctx, "/x") }()
			if err := w.Faults.AwaitHeld(t.Context(), id); err != nil {
				t.Fatal(err)
			}
			kill()
			<-got
			eventually(t, "the held request ends", func() bool {
				return w.Faults.List()[0].Held == 0 && len(w.Journal.Entries(0)) == 1
			})
			if n := w.service.effects.Load(); n != effects {
				t.Errorf("after its sender was killed, the request had taken effect %d times, want %d", n, effects)
			}
		})
	}
}

func TestResetDropsWhatIsHeld(t *testing.T) {
	w := start(t)
	id := w.fault(t, control.Fault{Effect: control.HoldBefore})
	got := make(chan response, 1)
	go func() { got <- w.post(t.Context(), "/x") }()
	if err := w.Faults.AwaitHeld(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	w.Faults.Reset()
	if r := <-got; r.err == nil {
		t.Errorf("got %+v: a request from before the reset was let into the world after it", r)
	}
	if n := w.service.effects.Load(); n != 0 {
		t.Errorf("it took effect %d times, want never", n)
	}
}

func TestSkipAndTimesCountFittingRequests(t *testing.T) {
	w := start(t)
	w.fault(t, control.Fault{Operation: "POST /a*", Skip: 1, Times: 2, Effect: control.Respond, Status: 500})
	w.fault(t, control.Fault{Operation: "* /a/b", Skip: 1, Times: 1, Effect: control.Respond, Status: 503})
	var got []int
	for _, path := range []string{"/a", "/z", "/a/b", "/a/b", "/a/b", "/a/b"} {
		got = append(got, w.post(t.Context(), path).status)
	}
	if fmt.Sprint(got) != "[201 201 500 500 503 201]" {
		t.Errorf("statuses = %v: the same faults must hit the same requests in every run", got)
	}
}

func TestFaultFitsByGlob(t *testing.T) {
	tests := []struct {
		pattern, operation string
		fits               bool
	}{
		{"", "iam:CreateAccessKey", true},
		{"*", "iam:CreateAccessKey", true},
		{"iam:*", "iam:CreateAccessKey", true},
		{"iam:*", "sts:GetCallerIdentity", false},
		{"iam:CreateAccessKey", "iam:CreateAccessKeyX", false},
		{"*AccessKey", "iam:CreateAccessKey", true},
		{"*AccessKey", "iam:ListAccessKeys", false},
		{"* /api/v2/hooks*", "PATCH /api/v2/hooks/{id}/secrets", true},
		{"P*secrets", "PATCH /api/v2/hooks/{id}/secrets", true},
		{"P*hooks*secrets", "PATCH /api/v2/actions/secrets", false},
		{"ab*ba", "aba", false},
	}
	for _, test := range tests {
		t.Run(test.pattern+" "+test.operation, func(t *testing.T) {
			k := control.NewKernel(time.Now)
			if _, err := k.Faults.Add(control.Fault{Operation: test.pattern, Effect: control.Respond, Status: 418}); err != nil {
				t.Fatal(err)
			}
			recorder := httptest.NewRecorder()
			k.Wrap(control.SideAWS, "staging", named(test.operation)).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", http.NoBody))
			if got := recorder.Code == 418; got != test.fits {
				t.Errorf("applied = %v, want %v", got, test.fits)
			}
		})
	}
}

type named string

func (named) ServeHTTP(http.ResponseWriter, *http.Request) {}
func (n named) Operation(*http.Request, []byte) string     { return string(n) }
func (named) Principal(*http.Request) string               { return "" }

func TestFaultIsForOneSideAndInstance(t *testing.T) {
	w := start(t)
	w.fault(t, control.Fault{Side: control.SideAWS, Effect: control.Respond, Status: 500})
	w.fault(t, control.Fault{Instance: "production", Effect: control.Respond, Status: 500})
	if err := want(w.post(t.Context(), "/x"), 201, `{"ok":true}`); err != nil {
		t.Errorf("a fault of another service hit this one: %v", err)
	}
}

func TestInvalidFaultIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		fault control.Fault
		want  string
	}{
		"unknown effect":   {control.Fault{Effect: "explode"}, `unknown effect "explode": want delay, respond, respond_after, drop_before`},
		"no effect":        {control.Fault{}, "unknown effect"},
		"unknown side":     {control.Fault{Effect: control.DropAfter, Side: "gcp"}, `unknown side "gcp"`},
		"respond, no code": {control.Fault{Effect: control.Respond}, "needs a status"},
		"down for no time": {control.Fault{Effect: control.Down}, "needs a positive delay"},
		"delay of nothing": {control.Fault{Effect: control.Delay}, "needs a positive delay"},
		"negative skip":    {control.Fault{Effect: control.DropAfter, Skip: -1}, "cannot be negative"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := new(control.Faults).Add(test.fault); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one that contains %q: a mistyped fault would silently do nothing", err, test.want)
			}
		})
	}
	fs := new(control.Faults)
	if _, err := fs.Add(control.Fault{ID: "a", Effect: control.DropAfter}); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.Add(control.Fault{ID: "a", Effect: control.DropAfter}); err == nil {
		t.Error("two faults share an id: releasing one would be ambiguous")
	}
	if err := errors.Join(fs.Remove("a"), fs.Release("a")); !errors.Is(err, control.ErrNoFault) {
		t.Errorf("error = %v, want ErrNoFault for an id that is gone", err)
	}
}

func TestJournalTellsWhatWasAskedAndNoSecret(t *testing.T) {
	w := start(t)
	w.Clock.Advance(24 * time.Hour)
	w.post(t.Context(), "/x?per_page=5&client_secret=hunter2")
	entries := w.Journal.Entries(0)
	if len(entries) != 1 {
		t.Fatalf("journal has %d entries, want 1", len(entries))
	}
	e := entries[0]
	if e.Seq != 1 || e.Side != "auth0" || e.Instance != "staging" || e.Method != "POST" || e.Path != "/x" || e.Operation != "POST /x" ||
		e.Principal != "AKIA1" || e.Status != 201 || e.UserAgent == "" || e.Duration <= 0 {
		t.Errorf("entry = %+v, a field is wrong or missing", e)
	}
	if e.Query != "client_secret=REDACTED&per_page=5" {
		t.Errorf("query = %q: the journal must show parameters and no credential", e.Query)
	}
	if until := time.Until(e.Time); until < 23*time.Hour {
		t.Errorf("entry is at %v, which is not the sandbox's clock", e.Time)
	}
	if got := w.Journal.Entries(1); len(got) != 0 {
		t.Errorf("since=1 gave %d entries, want none", len(got))
	}
	w.Journal.Reset()
	w.post(t.Context(), "/x")
	if got := w.Journal.Entries(1); len(got) != 1 || got[0].Seq != 2 {
		t.Errorf("after a reset, since=1 gave %+v, want the new entry with Seq 2: a follower would miss it", got)
	}
}

func TestJournalForgetsTheOldest(t *testing.T) {
	var j control.Journal
	for range 10_001 {
		j.Add(control.Entry{})
	}
	if got := j.Entries(0); len(got) != 10_000 || got[0].Seq != 2 || got[9_999].Seq != 10_001 {
		t.Errorf("kept %d entries, want the latest 10,000: a sandbox left running would grow for ever", len(got))
	}
}

func TestObserverRunsBeforeTheAnswerLeaves(t *testing.T) {
	w := start(t)
	var answered atomic.Bool
	var seen []string
	stop := w.Observe(func(e control.Entry) {
		if answered.Load() {
			t.Error("observed after the answer: too late to kill the sender")
		}
		seen = append(seen, fmt.Sprintf("%s %d", e.Operation, w.service.effects.Load()))
	})
	w.post(t.Context(), "/x")
	answered.Store(true)
	stop()
	w.post(t.Context(), "/y")
	if fmt.Sprint(seen) != "[POST /x 1]" {
		t.Errorf("observed %v, want the first request, after its effect, and nothing after stop", seen)
	}
}

func TestServiceSeesTheBodyThatOperationRead(t *testing.T) {
	k := control.NewKernel(time.Now)
	var got string
	handler := k.Wrap(control.SideAWS, "staging", echo(func(r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = string(body)
	}))
	req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("Action=Publish"))
	handler.ServeHTTP(httptest.NewRecorder(), req)
	if got != "Action=Publish" || k.Journal.Entries(0)[0].Operation != "Action=Publish" {
		t.Errorf("service read %q, operation saw %q, want the whole body in both", got, k.Journal.Entries(0)[0].Operation)
	}
}

func TestHalfARequestTakesNoEffect(t *testing.T) {
	w := start(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf"); err != nil {
		t.Fatal(err)
	}
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatalf("connection is a %T, want TCP", conn)
	}
	if err := tcp.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	_, _ = bufio.NewReader(conn).ReadByte()
	_ = conn.Close()
	if n := w.service.effects.Load(); n != 0 {
		t.Errorf("half a request took effect %d times", n)
	}
}

type echo func(*http.Request)

func (f echo) ServeHTTP(_ http.ResponseWriter, r *http.Request) { f(r) }
func (echo) Operation(_ *http.Request, body []byte) string      { return string(body) }
func (echo) Principal(*http.Request) string                     { return "" }

func TestClock(t *testing.T) {
	base := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := control.NewClock(func() time.Time { return base })
	clock.Advance(time.Hour)
	clock.Advance(time.Hour)
	if got := clock.Now(); !got.Equal(base.Add(2 * time.Hour)) {
		t.Errorf("now = %v, want two hours later", got)
	}
	clock.Reset()
	if got := clock.Now(); !got.Equal(base) {
		t.Errorf("after reset now = %v, want %v", got, base)
	}
}

func want(r response, status int, body string) error {
	if r.err != nil || r.status != status || r.body != body {
		return fmt.Errorf("got %+v, want status %d and body %q", r, status, body)
	}
	return nil
}

func wantError(r response, target error) error {
	if !errors.Is(r.err, target) {
		return fmt.Errorf("got %+v, want error %w", r, target)
	}
	return nil
}

func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("5 s on, still not so: %s", what)
}
