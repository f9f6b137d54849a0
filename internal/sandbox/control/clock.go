package control

import (
	"sync"
	"time"
)

// Clock is the time the emulated services live by: the clock it was made from, moved forward on request, so that
// rotation after 90 days can be watched in a second.
type Clock struct {
	base func() time.Time

	mu     sync.Mutex
	offset time.Duration
}

// NewClock returns a clock that runs along with base.
func NewClock(base func() time.Time) *Clock {
	return &Clock{base: base}
}

// Now is the sandbox's time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.base().Add(c.offset)
}

// Advance moves the clock by d from where it is.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset += d
}

// Reset puts the clock back to the one it was made from.
func (c *Clock) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = 0
}
