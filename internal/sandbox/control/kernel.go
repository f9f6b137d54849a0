// Package control is what the emulated services of the sandbox share: one clock, one request journal, and the faults
// that make a request go wrong on purpose. The services know nothing of it; Kernel.Wrap puts it around them.
package control

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// The sides of the sandbox.
const (
	SideAuth0 = "auth0"
	SideAWS   = "aws"
)

// maxBody is far above what Auth0 or AWS accept.
const maxBody = 10 << 20

// Service is an emulated service as the kernel sees it.
type Service interface {
	http.Handler
	// Operation names the request for the journal and for faults: "PATCH /api/v2/hooks/{id}", "iam:CreateAccessKey".
	Operation(r *http.Request, body []byte) string
	// Principal is the public half of the credential the request carries, or "": a client id, an access key id.
	Principal(r *http.Request) string
}

// Kernel holds the parts that all services of one sandbox share.
type Kernel struct {
	Clock   *Clock
	Journal *Journal
	Faults  *Faults

	mu        sync.Mutex
	observers []*func(Entry)
	listeners map[[2]string]*listener // by side and instance
}

// NewKernel returns a kernel with an empty journal, no faults, and a clock that runs along with now.
func NewKernel(now func() time.Time) *Kernel {
	return &Kernel{Clock: NewClock(now), Journal: &Journal{}, Faults: &Faults{}}
}

// Observe calls f with every request from now on until stop is called: after the request took effect and before its
// answer leaves, so that f is a place to kill the sender or to change something behind its back.
func (k *Kernel) Observe(f func(Entry)) (stop func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.observers = append(k.observers, &f)
	return func() {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.observers = slices.DeleteFunc(slices.Clone(k.observers), func(o *func(Entry)) bool { return o == &f })
	}
}

// Wrap puts the journal and the faults around a service. The answer is buffered whole before anything of it is sent,
// which is what gives "after the request took effect" one meaning.
func (k *Kernel) Wrap(side, instance string, service Service) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
			http.Error(w, "request body too large", http.StatusRequestEntityTooLarge)
			return
		}
		if err != nil {
			panic(http.ErrAbortHandler) // The sender is gone: there is nobody to answer, and nothing may take effect.
		}
		r.Body = io.NopCloser(bytes.NewReader(body))

		start := time.Now()
		entry := Entry{
			Time: k.Clock.Now(), Side: side, Instance: instance, Operation: service.Operation(r, body),
			Method: r.Method, Path: r.URL.Path, Query: redactQuery(r.URL.Query()),
			Principal: service.Principal(r), UserAgent: r.UserAgent(),
		}
		fault := k.Faults.match(side, instance, entry.Operation)
		if fault != nil {
			entry.Fault = fault.ID
		}
		answer := k.perform(r, service, fault)
		if answer != nil && (fault == nil || fault.Effect != DropAfter) {
			entry.Status = answer.status
		}
		entry.Duration = time.Since(start)
		k.record(entry)
		if fault != nil && fault.Effect == Down {
			k.down(side, instance, fault.Delay, r.RemoteAddr)
			w.Header().Set("Connection", "close")
		}
		k.send(r.Context(), w, answer, fault)
	})
}

// perform carries the request out, or what the fault puts in its place. Nil means that it took no effect and gets no
// answer.
func (k *Kernel) perform(r *http.Request, service http.Handler, fault *armedFault) *answer {
	a := &answer{header: http.Header{}}
	if fault != nil {
		switch fault.Effect {
		case Respond:
			a.fill(fault.Fault)
			return a
		case DropBefore:
			return nil
		case HoldBefore:
			if !k.Faults.wait(r.Context(), fault) {
				return nil
			}
		case Delay:
			if !sleep(r.Context(), fault.Delay) {
				return nil
			}
		default:
		}
	}
	service.ServeHTTP(a, r)
	a.WriteHeader(http.StatusOK)
	if fault != nil && fault.Effect == RespondAfter {
		a = &answer{header: http.Header{}}
		a.fill(fault.Fault)
	}
	return a
}

// send delivers the answer, or as much of it as the fault lets through.
func (k *Kernel) send(ctx context.Context, w http.ResponseWriter, a *answer, fault *armedFault) {
	if a == nil {
		drop(w, true)
		return
	}
	if fault != nil {
		switch fault.Effect {
		case DropAfter:
			drop(w, false)
			return
		case Truncate:
			a.writeHalf(w)
			return
		case HoldAfter:
			if !k.Faults.wait(ctx, fault) {
				drop(w, false)
				return
			}
		default:
		}
	}
	a.write(w)
}

func (k *Kernel) record(e Entry) {
	e = k.Journal.Add(e)
	k.mu.Lock()
	observers := slices.Clone(k.observers)
	k.mu.Unlock()
	for _, observe := range observers {
		(*observe)(e)
	}
}

// answer is a response kept in memory.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) fill(f Fault) {
	for name, value := range f.Header {
		a.header.Set(name, value)
	}
	a.status = f.Status
	a.body.WriteString(f.Body)
}

func (a *answer) Header() http.Header { return a.header }

func (a *answer) WriteHeader(status int) {
	informational := status < http.StatusOK
	if a.status == 0 && !informational {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}

func (a *answer) write(w http.ResponseWriter) {
	for name, values := range a.header {
		w.Header()[name] = values
	}
	w.WriteHeader(a.status)
	// An error here means that the receiver is gone, which the journal need not know.
	_, _ = w.Write(a.body.Bytes())
}

// writeHalf announces the whole body and sends half of it. An answer without a body cannot be cut short: it is dropped.
func (a *answer) writeHalf(w http.ResponseWriter) {
	if a.body.Len() == 0 {
		drop(w, false)
		return
	}
	a.header.Set("Content-Length", strconv.Itoa(a.body.Len()))
	a.body.Truncate(a.body.Len() / 2)
	a.write(w)
	_ = http.NewResponseController(w).Flush()
	panic(http.ErrAbortHandler) // The documented way to end a response early and close its connection.
}

// drop ends the connection without an answer: with reset as if the network broke (RST), else as if the server went
// away (FIN).
func drop(w http.ResponseWriter, reset bool) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil { // No connection of its own, as in HTTP/2.
		panic(http.ErrAbortHandler)
	}
	raw := conn
	if tlsConn, ok := conn.(interface{ NetConn() net.Conn }); ok {
		raw = tlsConn.NetConn()
	}
	if tcp, ok := raw.(interface{ SetLinger(sec int) error }); ok && reset {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

// sleep waits for d and reports whether the request is still wanted.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
