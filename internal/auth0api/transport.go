package auth0api

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	attemptTimeout = 20 * time.Second
	// maxBody is far above the largest answer used here: a page of 100 hooks
	// whose code may have 100 kB each.
	maxBody = 16 << 20
	// maxRetries bounds what is repeated after a failure; refusals for the
	// rate limit are not counted.
	maxRetries   = 3
	firstBackoff = 500 * time.Millisecond
	maxBackoff   = 30 * time.Second
	// maxWait bounds what a rate limit header may ask for. Auth0's windows are
	// seconds long; anything more is a clock that is wrong.
	maxWait = time.Minute
)

// errNotJSON stands for a successful answer that Auth0 cannot have given.
var errNotJSON = errors.New("the answer is not JSON: a proxy in between, or not an Auth0 domain")

// errCutShort stands for a JSON answer that ends too early.
var errCutShort = errors.New("the answer was cut short")

// sendError is a request without a usable answer.
type sendError struct {
	cause   error
	sent    bool // the server may have acted on it
	refused bool // the last answer was a 429, and the context ended while waiting
}

func (e *sendError) Error() string { return e.cause.Error() }
func (e *sendError) Unwrap() error { return e.cause }

// transport sends requests at the pace the server allows and repeats those
// that may be repeated. Its answers are complete: their bodies are in memory.
type transport struct {
	base      http.RoundTripper
	timeout   time.Duration
	userAgent string
	now       func() time.Time
	sleep     func(context.Context, time.Duration) error
	pace      *pace
}

func newTransport(cfg Config) *transport {
	t := &transport{
		base: http.DefaultTransport, timeout: attemptTimeout, userAgent: cfg.UserAgent,
		now: time.Now, sleep: sleep,
	}
	if c := cfg.HTTPClient; c != nil {
		if c.Transport != nil {
			t.base = c.Transport
		}
		if c.Timeout > 0 {
			t.timeout = c.Timeout
		}
	}
	if cfg.Now != nil {
		t.now = cfg.Now
	}
	if cfg.Sleep != nil {
		t.sleep = cfg.Sleep
	}
	t.pace = newPace(t.now, t.sleep)
	return t
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// RoundTrip implements http.RoundTripper. A 429 means that the server did
// nothing, so any method is sent again, for as long as the context lives.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		defer func() { _ = req.Body.Close() }()
	}
	ctx := req.Context()
	var sent bool // an earlier attempt of this request may have taken effect
	for refusals, failures := 0, 0; ; {
		if err := t.pace.enter(ctx); err != nil {
			return nil, &sendError{cause: err, sent: sent, refused: refusals > 0}
		}
		res, failed := t.attempt(req)
		t.pace.leave(res)
		switch {
		case failed == nil && res.StatusCode == http.StatusTooManyRequests:
			refusals++
			t.pace.refused(refusalDelay(res.Header, t.now(), refusals))
		case failures < maxRetries && mayRepeat(req, res, failed):
			failures++
			sent = sent || failed == nil || failed.sent
			exchangeOf(ctx).uncertain = sent
			if err := t.sleep(ctx, backoff(failures)); err != nil {
				return nil, &sendError{cause: err, sent: sent}
			}
		case failed != nil:
			failed.sent = failed.sent || sent
			return nil, failed
		default:
			return res, nil
		}
	}
}

// attempt sends the request once and reads the whole answer.
func (t *transport) attempt(req *http.Request) (*http.Response, *sendError) {
	ctx, cancel := context.WithTimeout(req.Context(), t.timeout)
	defer cancel()
	var asked, connected atomic.Bool
	out := req.Clone(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn: func(string) { asked.Store(true) },
		GotConn: func(httptrace.GotConnInfo) { connected.Store(true) },
	}))
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, &sendError{cause: err}
		}
		out.Body = body
	}
	if t.userAgent != "" {
		out.Header.Set("User-Agent", t.userAgent)
	}
	res, err := t.base.RoundTrip(out)
	if err == nil {
		err = readBody(res)
	}
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) && req.Context().Err() == nil {
			err = fmt.Errorf("no answer within %s: %w", t.timeout, err)
		}
		// Without a connection nothing was sent. A transport that does not
		// report its connections is taken to have sent everything.
		return nil, &sendError{cause: err, sent: connected.Load() || !asked.Load()}
	}
	return res, nil
}

// readBody replaces the body by a copy in memory, so that a connection lost
// halfway is an error here and not in a decoder.
func readBody(res *http.Response) error {
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody+1))
	switch {
	case err != nil:
		return err
	case len(body) > maxBody:
		return fmt.Errorf("the answer is larger than %d MB", maxBody>>20)
	case res.StatusCode < 300 && len(body) > 0 && !json.Valid(body):
		if strings.Contains(res.Header.Get("Content-Type"), "json") {
			return errCutShort
		}
		return errNotJSON
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// mayRepeat decides after a failed attempt. What never left may always go
// again; what may have taken effect, only if doing it twice is doing it once.
func mayRepeat(req *http.Request, res *http.Response, failed *sendError) bool {
	switch {
	case req.Context().Err() != nil:
		return false
	case failed == nil:
		return isServerFailure(res.StatusCode) && idempotent(req.Method)
	case isLasting(failed.cause):
		return false
	default:
		return !failed.sent || idempotent(req.Method)
	}
}

// idempotent is the one table of what may be sent twice.
func idempotent(method string) bool {
	switch method {
	case http.MethodGet: // changes nothing
		return true
	case http.MethodPut: // guardian: every PUT sets a whole value
		return true
	case http.MethodPatch: // hooks, hook secrets, Actions, bindings, phone providers and templates, settings: sets named fields to given values, appends to none
		return true
	default:
		// POST would create a second object. DELETE would answer 404 to the
		// repetition, which reads as "it was not there": the caller, who can
		// look, decides.
		return false
	}
}

// isServerFailure tells answers that may be different next time. 501 is not
// one: it says that the endpoint is not there.
func isServerFailure(status int) bool {
	return status == http.StatusRequestTimeout || (status >= 500 && status != http.StatusNotImplemented)
}

// isLasting tells failures that repeating cannot cure.
func isLasting(err error) bool {
	var dns *net.DNSError
	var certificate *tls.CertificateVerificationError
	return errors.Is(err, errNotJSON) || errors.As(err, &certificate) ||
		(errors.As(err, &dns) && dns.IsNotFound)
}

// backoff doubles with each attempt, jittered so that processes which failed
// together do not return together.
func backoff(attempt int) time.Duration {
	d := min(firstBackoff<<min(attempt-1, 10), maxBackoff)
	return d/2 + rand.N(d/2) //nolint:gosec // jitter needs no secrecy
}

// pace keeps to the server's rate limit without slowing a tenant whose limit
// is far away: requests go at once until the headers say that none is left,
// then wait for the reset. The first goes alone, to learn the limit.
// https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy
type pace struct {
	now      func() time.Time
	sleep    func(context.Context, time.Duration) error
	turn     chan struct{} // held while waiting: who comes later queues behind
	answered chan struct{} // holds one if an answer came since it was last read

	mu        sync.Mutex
	known     bool // remaining means something
	limit     int  // the bucket's size, 0 if not told
	remaining int
	inFlight  int
	reset     time.Time // on our clock
}

func newPace(now func() time.Time, sleep func(context.Context, time.Duration) error) *pace {
	return &pace{
		now: now, sleep: sleep, known: true, remaining: 1,
		turn: make(chan struct{}, 1), answered: make(chan struct{}, 1),
	}
}

// enter waits until one more request fits, and books it.
func (p *pace) enter(ctx context.Context) error {
	select {
	case p.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-p.turn }()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		booked, wait := p.book()
		switch {
		case booked:
			return nil
		case wait > 0:
			if err := p.sleep(ctx, wait); err != nil {
				return err
			}
			p.refill()
		default:
			select {
			case <-p.answered:
			case <-ctx.Done():
			}
		}
	}
}

// book takes one request out of the bucket. If that is empty it tells how long
// until the reset, or 0 to wait for the answer of a request under way.
func (p *pace) book() (booked bool, wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known && p.remaining <= 0 {
		if wait := p.reset.Sub(p.now()); wait > 0 {
			return false, wait
		}
		if p.inFlight > 0 {
			return false, 0
		}
		p.known, p.remaining = p.limit > 0, p.limit
	}
	p.remaining--
	p.inFlight++
	return true, 0
}

// refill is what the reset does to the server's bucket.
func (p *pace) refill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.remaining, p.reset = p.limit > 0, p.limit-p.inFlight, time.Time{}
}

// leave learns from an answer; res is nil if there was none. Requests still
// under way are counted as not yet in the server's number.
func (p *pace) leave(res *http.Response) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inFlight--
	if res != nil {
		p.learn(res.Header)
	}
	select {
	case p.answered <- struct{}{}:
	default:
	}
}

func (p *pace) learn(header http.Header) {
	remaining, err := strconv.Atoi(header.Get("X-Ratelimit-Remaining"))
	wait, ok := untilReset(header, p.now())
	if err != nil || !ok {
		p.known = p.limit > 0
		return
	}
	p.limit, _ = strconv.Atoi(header.Get("X-Ratelimit-Limit"))
	p.known, p.remaining, p.reset = true, remaining-p.inFlight, p.now().Add(wait)
}

// refused makes everybody wait after a 429.
func (p *pace) refused(wait time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.remaining, p.reset = true, 0, p.now().Add(wait)
}

// refusalDelay is how long to wait after the n-th 429 in a row.
func refusalDelay(header http.Header, now time.Time, n int) time.Duration {
	if d, ok := untilReset(header, now); ok && d > 0 {
		return d
	}
	after := header.Get("Retry-After")
	if seconds, err := strconv.ParseInt(after, 10, 32); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, maxWait)
	}
	if at, err := http.ParseTime(after); err == nil {
		if d := at.Sub(serverTime(header, now)); d > 0 {
			return min(d, maxWait)
		}
	}
	return backoff(n)
}

// untilReset reads x-ratelimit-reset, a UNIX time in seconds
// (recordings/ruby-auth0__Auth0_Api_V2_Logs.json). It is compared with the
// server's own clock, so that ours may be wrong.
func untilReset(header http.Header, now time.Time) (time.Duration, bool) {
	reset, err := strconv.ParseInt(header.Get("X-Ratelimit-Reset"), 10, 64)
	if err != nil {
		return 0, false
	}
	d := time.Unix(reset, 0).Sub(serverTime(header, now))
	return min(max(d, 0), maxWait), true
}

func serverTime(header http.Header, now time.Time) time.Time {
	if date, err := http.ParseTime(header.Get("Date")); err == nil {
		return date
	}
	return now
}
