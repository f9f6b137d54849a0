package acctest

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
)

const (
	// loadMargin is how long people log in before an operation begins and after
	// it has ended: what it breaks last shows only then.
	loadMargin = time.Second
	// maxLogins bounds the logins under way. Each is a process of Node, and on a
	// busy machine more of them would only make each other late.
	maxLogins = 4
)

// unasked is what the sandbox says of a login at which a tenant offers no SMS.
// Auth0 takes message types only while the factor is on, so that on its way up
// and down there is a moment at which it is on and offers nothing.
func unasked(reason string) bool {
	return reason == "the sms factor is disabled" || reason == "the phone message types do not include sms"
}

// Tally is what became of the codes that people waited for during an operation.
type Tally struct {
	Took time.Duration // by the operation, without the margins
	// Unasked counts logins at which the tenant offered no SMS: MFA by SMS was off.
	Unasked int
	// Sent counts the codes that reached the phone, Lost those whose sender
	// failed or that never arrived, Duplicated the SMS beyond the first of a code.
	Sent, Lost, Duplicated int
	// Refused counts requests to publish that AWS turned down. A sender that
	// may try again elsewhere can be refused and lose nothing.
	Refused int
	// Reasons tell why codes were lost, each with how often.
	Reasons map[string]int
}

// String is one line of a table, below [TallyHeader].
func (r Tally) String() string {
	line := fmt.Sprintf("%6.1fs %8d %5d %5d %11d %8d", r.Took.Seconds(), r.Unasked, r.Sent, r.Lost, r.Duplicated, r.Refused)
	for _, reason := range slices.Sorted(maps.Keys(r.Reasons)) {
		line += fmt.Sprintf("  %d × %s", r.Reasons[reason], strings.Join(strings.Fields(reason), " "))
	}
	return line
}

// TallyHeader names the columns of [Tally.String].
const TallyHeader = "   took  unasked  sent  lost  duplicated  refused"

// UnderLoad runs an operation while people log in, one every interval, whether
// or not the one before has a code. It returns when everybody has an answer.
func (e *Env) UnderLoad(t testing.TB, interval time.Duration, operation func()) Tally {
	t.Helper()
	requests, messages := e.lastRequest(), len(e.Account.Inbox())
	l := &load{env: e, reasons: map[string]int{}}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(ctx, t, interval)
	}()
	stop := func() { cancel(); <-ended }
	defer stop() // After a t.Fatal in the operation too.
	wait(ctx, loadMargin)
	begin := time.Now()
	operation()
	took := time.Since(begin)
	wait(ctx, loadMargin)
	stop()
	return l.tally(took, messages, requests)
}

// load is what is known of the logins of one operation.
type load struct {
	env *Env

	mu      sync.Mutex
	unasked int
	sent    []string // texts that a sender reports as sent
	reasons map[string]int
}

// run starts logins until ctx ends, and waits for all of them.
func (l *load) run(ctx context.Context, t testing.TB, interval time.Duration) {
	var logins sync.WaitGroup
	defer logins.Wait()
	places := make(chan struct{}, maxLogins)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case places <- struct{}{}:
			logins.Go(func() {
				// The end of the operation is not the end of a login.
				l.login(context.WithoutCancel(ctx), t)
				<-places
			})
		default:
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (l *load) login(ctx context.Context, t testing.TB) {
	result, err := l.env.Tenant.Challenge(ctx, auth0.ChallengeRequest{PhoneNumber: "+15005550001"})
	if err != nil {
		t.Errorf("a login could not be played: %v", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case result.Sent:
		l.sent = append(l.sent, result.Text)
	case unasked(result.Error):
		l.unasked++
	default:
		l.reasons[result.Error]++
	}
}

// tally compares what senders report with what the phone and AWS have seen
// since the operation began.
func (l *load) tally(took time.Duration, messages int, requests int64) Tally {
	r := Tally{Took: took, Unasked: l.unasked, Reasons: l.reasons}
	arrived := map[string]int{}
	for _, sms := range l.env.Account.Inbox()[messages:] {
		arrived[sms.Text]++
	}
	for _, text := range l.sent {
		if arrived[text] > 0 {
			r.Sent++
		} else {
			r.Reasons["reported as sent, and no SMS arrived"]++
		}
	}
	for _, n := range r.Reasons {
		r.Lost += n
	}
	for _, n := range arrived {
		r.Duplicated += n - 1
	}
	for _, entry := range l.env.World.Kernel.Journal.Entries(requests) {
		if entry.Operation == "sns:Publish" && entry.Status >= http.StatusBadRequest {
			r.Refused++
		}
	}
	return r
}

func (e *Env) lastRequest() int64 {
	if entries := e.World.Kernel.Journal.Entries(0); len(entries) > 0 {
		return entries[len(entries)-1].Seq
	}
	return 0
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
