package control

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
)

// Effect is what a fault does to a request.
type Effect string

// The effects. "Before" means that the request changed nothing; "after" that it did, and its sender cannot know.
const (
	// Delay answers late, by Fault.Delay.
	Delay Effect = "delay"
	// Respond answers with Fault.Status, Header and Body; the request takes no effect.
	Respond Effect = "respond"
	// RespondAfter answers with Fault.Status, Header and Body after the request took effect, as a gateway does that
	// gave up waiting.
	RespondAfter Effect = "respond_after"
	// DropBefore resets the connection (RST); the request takes no effect.
	DropBefore Effect = "drop_before"
	// DropAfter closes the connection without an answer, after the request took effect.
	DropAfter Effect = "drop_after"
	// Truncate closes the connection in the middle of the answer's body, after the request took effect.
	Truncate Effect = "truncate"
	// HoldBefore keeps the request waiting until it is released or its sender is gone; if it is gone, it takes no effect.
	HoldBefore Effect = "hold_before"
	// HoldAfter keeps the answer back until it is released, after the request took effect.
	HoldAfter Effect = "hold_after"
	// Down answers, and then the service is gone for Fault.Delay: connections are closed and new ones refused. It needs
	// a service that listens with Kernel.Listen.
	Down Effect = "down"
)

// Fault says which requests go wrong, and how. Of several faults that fit one request, the one added first is applied.
type Fault struct {
	ID        string `json:"id"`                  // Given by Add when empty.
	Side      string `json:"side,omitempty"`      // SideAuth0, SideAWS, or empty for both.
	Instance  string `json:"instance,omitempty"`  // Glob.
	Operation string `json:"operation,omitempty"` // Glob: "iam:*", "* /api/v2/hooks*". The star also crosses slashes; empty fits all.

	Skip  int `json:"skip,omitempty"`  // Fitting requests to let pass first.
	Times int `json:"times,omitempty"` // How often to apply it; 0 is for ever.

	Effect Effect            `json:"effect"`
	Status int               `json:"status,omitempty"`
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	Delay  time.Duration     `json:"delay,omitempty"`
}

// FaultStatus is a fault with what it has done so far.
type FaultStatus struct {
	Fault
	Applied int `json:"applied"` // Requests it was applied to.
	Held    int `json:"held"`    // Requests that wait in it now.
}

// Faults is the list of faults in force. The zero value is ready to use.
type Faults struct {
	mu    sync.Mutex
	count int
	armed []*armedFault
}

type armedFault struct {
	Fault
	seen    int
	applied int
	held    map[*hold]struct{}
	arrived chan struct{} // Closed, and made anew, when a request begins to wait.
}

// hold is one waiting request. Its channel says how the wait ended: true let it go on, false drop it.
type hold struct{ end chan bool }

// ErrNoFault is returned for an id that no fault has.
var ErrNoFault = errors.New("no such fault")

// Add puts f in force and returns its id.
func (fs *Faults) Add(f Fault) (string, error) {
	if err := f.validate(); err != nil {
		return "", err
	}
	fs.mu.Lock()
	defer fs.mu.Unlock()
	fs.count++
	if f.ID == "" {
		f.ID = fmt.Sprintf("fault-%d", fs.count)
	}
	if fs.find(f.ID) != nil {
		return "", fmt.Errorf("a fault with id %q is already in force", f.ID)
	}
	fs.armed = append(fs.armed, &armedFault{Fault: f, held: map[*hold]struct{}{}, arrived: make(chan struct{})})
	return f.ID, nil
}

// List returns the faults in force, in the order in which they were added. A fault whose Times are used up stays
// listed until it is removed.
func (fs *Faults) List() []FaultStatus {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	list := make([]FaultStatus, 0, len(fs.armed))
	for _, a := range fs.armed {
		list = append(list, FaultStatus{Fault: a.Fault, Applied: a.applied, Held: len(a.held)})
	}
	return list
}

// Release lets the requests go on that wait in the fault now. The fault stays in force for later ones.
func (fs *Faults) Release(id string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	a := fs.find(id)
	if a == nil {
		return fmt.Errorf("%w: %q", ErrNoFault, id)
	}
	a.endHolds(true)
	return nil
}

// Remove takes a fault out of force and releases what waits in it.
func (fs *Faults) Remove(id string) error {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for i, a := range fs.armed {
		if a.ID == id {
			a.endHolds(true)
			fs.armed = append(fs.armed[:i:i], fs.armed[i+1:]...)
			return nil
		}
	}
	return fmt.Errorf("%w: %q", ErrNoFault, id)
}

// Reset removes every fault. Waiting requests are dropped, not released: they belong to the world before the reset.
func (fs *Faults) Reset() {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	for _, a := range fs.armed {
		a.endHolds(false)
	}
	fs.armed = nil
}

// AwaitHeld returns once a request waits in the fault: the moment to kill its sender.
func (fs *Faults) AwaitHeld(ctx context.Context, id string) error {
	for {
		fs.mu.Lock()
		a := fs.find(id)
		if a == nil {
			fs.mu.Unlock()
			return fmt.Errorf("%w: %q", ErrNoFault, id)
		}
		held, arrived := len(a.held), a.arrived
		fs.mu.Unlock()
		if held > 0 {
			return nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return fmt.Errorf("waiting for a request to be held by %q: %w", id, ctx.Err())
		}
	}
}

// match returns the fault to apply to a request, or nil. Every fitting fault counts the request, so that Skip means
// the same whatever other faults are in force.
func (fs *Faults) match(side, instance, operation string) *armedFault {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var due *armedFault
	for _, a := range fs.armed {
		if !a.fits(side, instance, operation) {
			continue
		}
		a.seen++
		if due == nil && a.seen > a.Skip && (a.Times == 0 || a.applied < a.Times) {
			a.applied++
			due = a
		}
	}
	return due
}

// wait holds a request in a. It reports whether the request may go on.
func (fs *Faults) wait(ctx context.Context, a *armedFault) bool {
	h := &hold{end: make(chan bool, 1)}
	fs.mu.Lock()
	if fs.find(a.ID) != a { // Removed between match and here.
		fs.mu.Unlock()
		return true
	}
	a.held[h] = struct{}{}
	close(a.arrived)
	a.arrived = make(chan struct{})
	fs.mu.Unlock()

	select {
	case goOn := <-h.end:
		return goOn
	case <-ctx.Done():
		fs.mu.Lock()
		defer fs.mu.Unlock()
		delete(a.held, h)
		return false
	}
}

func (fs *Faults) find(id string) *armedFault {
	for _, a := range fs.armed {
		if a.ID == id {
			return a
		}
	}
	return nil
}

func (a *armedFault) endHolds(goOn bool) {
	for h := range a.held {
		h.end <- goOn
	}
	clear(a.held)
}

func (f Fault) fits(side, instance, operation string) bool {
	return (f.Side == "" || f.Side == side) && glob(f.Instance, instance) && glob(f.Operation, operation)
}

func (f Fault) validate() error {
	switch f.Effect {
	case Delay, Down:
		if f.Delay <= 0 {
			return fmt.Errorf("effect %q needs a positive delay", f.Effect)
		}
	case Respond, RespondAfter:
		if f.Status < 200 || f.Status > 599 {
			return fmt.Errorf("effect %q needs a status from 200 to 599, got %d", f.Effect, f.Status)
		}
	case DropBefore, DropAfter, Truncate, HoldBefore, HoldAfter:
	default:
		return fmt.Errorf("unknown effect %q: want %s", f.Effect,
			strings.Join([]string{"delay", "respond", "respond_after", "drop_before", "drop_after", "truncate", "hold_before", "hold_after", "down"}, ", "))
	}
	if f.Side != "" && f.Side != SideAuth0 && f.Side != SideAWS {
		return fmt.Errorf("unknown side %q: want %s, %s or none for both", f.Side, SideAuth0, SideAWS)
	}
	if f.Skip < 0 || f.Times < 0 {
		return errors.New("skip and times cannot be negative")
	}
	return nil
}

// glob reports whether name fits pattern, in which a star stands for any run of characters. An empty pattern fits all.
func glob(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return name == pattern
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(name, first) {
		return false
	}
	name = name[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(name, part)
		if i < 0 {
			return false
		}
		name = name[i+len(part):]
	}
	return strings.HasSuffix(name, last)
}
