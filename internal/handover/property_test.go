package handover

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

const (
	// mostFaults is the most that goes wrong in one run of the property. Once
	// they are used up, everything works and the next rotation must succeed.
	mostFaults = 8
	// mostCalls is far above what a rotation needs, waiting included.
	mostCalls = 400
	// longestRun is Auth0's limit for one run of a sender.
	longestRun = 20 * time.Second
	former     = "former-sender"
)

// fault is what can happen to one call.
type fault string

const (
	none        fault = "none"
	refused     fault = "refused"
	openBefore  fault = "open, without effect"
	openAfter   fault = "open, with effect"
	cancelled   fault = "cancelled, without effect"
	cancelAfter fault = "cancelled, with effect"
)

// model is a world in which calls fail at random, and which watches over what
// must hold at every moment.
type model struct {
	*world
	t      *rapid.T
	budget int // faults that are left
	calls  int // of the present rotation
	cancel context.CancelFunc

	working  bool                 // the sender held a key that AWS takes: from now on it must
	lastHeld map[string]time.Time // until when the sender held a working key
	asked    int                  // questions to STS
	lost     string               // the key whose answer was lost in this rotation
	unseen   []string             // lost keys that could not be looked for either
}

// TestRotateKeepsSenderWorking is invariant 2 under everything that a network
// can do: whatever fails, and however often, a sender that had a working key
// has one at every moment, and in the end there is only that one.
func TestRotateKeepsSenderWorking(t *testing.T) {
	t.Parallel()
	current := Rotation{Current: Key{user, "OLD"}}
	starts := map[string]struct {
		keys []userKey
		held string
		req  Rotation
	}{
		"first delivery":   {},
		"rotation":         {keys: []userKey{active(user, "OLD")}, held: "OLD", req: current},
		"key deactivated":  {keys: []userKey{inactive(user, "OLD")}, held: "OLD", req: current},
		"key deleted":      {held: "OLD", req: current},
		"another user":     {keys: []userKey{active(former, "OLD")}, held: "OLD", req: Rotation{Current: Key{former, "OLD"}}},
		"user renamed":     {keys: []userKey{active(user, "OLD")}, held: "OLD", req: Rotation{Current: Key{former, "OLD"}}},
		"old key left":     {keys: []userKey{active(user, "OLDER"), active(user, "OLD")}, held: "OLD", req: Rotation{Current: Key{user, "OLD"}, Superseded: old("OLDER")}},
		"recorded as both": {keys: []userKey{active(user, "OLD")}, held: "OLD", req: Rotation{Current: Key{user, "OLD"}, Superseded: old("OLD")}},
		"in doubt, taken":  {keys: []userKey{active(user, "OLD"), active(user, "DOUBT")}, held: "DOUBT", req: Rotation{Current: Key{user, "OLD"}, InDoubt: old("DOUBT")}},
		"in doubt, not":    {keys: []userKey{active(user, "OLD"), active(user, "DOUBT")}, held: "OLD", req: Rotation{Current: Key{user, "OLD"}, InDoubt: old("DOUBT")}},
	}
	for name, start := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				m := newModel(t, start.keys, start.held)
				m.converge(start.req)
			})
		})
	}
}

func newModel(t *rapid.T, keys []userKey, held string) *model {
	m := &model{
		world: newWorld(keys...), t: t, lastHeld: map[string]time.Time{},
		budget: rapid.IntRange(0, mostFaults).Draw(t, "faults"),
	}
	m.held = held
	m.keys = fakeKeys{accessKeys: m.list, create: m.create, setActive: m.setActive, remove: m.remove, accepted: m.accepted}
	m.sender.deliver = m.deliver
	m.clock.sleep = m.sleep
	m.watch()
	return m
}

// converge applies again and again, each time with what the last one recorded,
// as the provider does.
func (m *model) converge(req Rotation) {
	req.User, req.Region = user, region
	for applies := 0; ; applies++ {
		if applies > 2*mostFaults+2 {
			m.t.Fatalf("after %d rotations, with no fault left to come, there is no end: %+v", applies, req)
		}
		outcome, err := m.rotate(req)
		if outcome.Delivered.ID != "" {
			req.Current = Key{user, outcome.Delivered.ID}
		}
		req.Superseded, req.InDoubt = outcome.Superseded, outcome.InDoubt
		m.requireRecorded(req)
		if err == nil {
			break
		}
		var slots *SlotError
		if errors.As(err, &slots) {
			m.resolve(slots)
		}
		// A person needs longer to apply again than a call in flight lives.
		m.clock.now = m.clock.now.Add(time.Minute)
	}
	m.finish(req)
}

func (m *model) rotate(req Rotation) (Outcome, error) {
	ctx, cancel := context.WithCancel(m.t.Context())
	defer cancel()
	m.cancel, m.calls, m.lost = cancel, 0, ""
	m.delay = time.Duration(rapid.SampledFrom([]int{0, 1, 5, 20, 70}).Draw(m.t, "seconds until valid")) * time.Second
	if m.budget == 0 {
		m.delay = min(m.delay, 20*time.Second)
	} else if m.delay > verifyLimit {
		m.budget--
	}
	return m.machine().Rotate(ctx, req)
}

// requireRecorded finds the keys that no record names. There is one way to them: AWS
// made a key, its answer was lost, and so was the answer to the question which
// keys there are.
func (m *model) requireRecorded(req Rotation) {
	known := slices.Concat([]Key{req.Current}, req.Superseded, req.InDoubt)
	for _, k := range m.account {
		if k.User == former || slices.ContainsFunc(known, func(r Key) bool { return r.ID == k.ID }) {
			continue
		}
		if !slices.Contains(m.unseen, k.ID) {
			m.t.Fatalf("key %s exists and is in no record: %+v", k.ID, req)
		}
	}
}

// resolve is the person who does what a SlotError says. It is right only where
// both slots are taken by keys of which the machine cannot know the use.
func (m *model) resolve(slots *SlotError) {
	open := func(k awsapi.AccessKey) bool {
		return slices.Contains(m.unseen, k.ID) || slices.ContainsFunc(slots.InDoubt, func(d Key) bool { return d.ID == k.ID })
	}
	if len(slots.Keys) != keysPerUser || !slices.ContainsFunc(slots.Keys, open) {
		m.t.Fatalf("refused, though it is known which key is in use: %v", slots)
	}
	for _, k := range slots.Keys {
		if k.ID != m.held {
			m.account = slices.DeleteFunc(m.account, func(a *userKey) bool { return a.ID == k.ID })
		}
	}
	m.watch()
}

func (m *model) finish(req Rotation) {
	if len(req.Superseded)+len(req.InDoubt) > 0 {
		m.t.Errorf("a rotation succeeded and left %v and %v", req.Superseded, req.InDoubt)
	}
	if req.Current.ID != m.held || !m.working {
		m.t.Errorf("the record says that the sender holds %s, and it holds %s", req.Current.ID, m.held)
	}
	for _, k := range m.account {
		if k.ID != m.held && !slices.Contains(m.unseen, k.ID) {
			m.t.Errorf("in the end there is key %s beside the sender's %s", k.ID, m.held)
		}
	}
}

// watch holds the two rules of every moment.
func (m *model) watch() {
	perUser := map[string]int{}
	works := false
	for _, k := range m.account {
		if perUser[k.User]++; perUser[k.User] > keysPerUser {
			m.t.Fatalf("%s has more than %d keys", k.User, keysPerUser)
		}
		works = works || (k.ID == m.held && m.works(k))
	}
	if m.working && !works {
		m.t.Fatalf("the sender holds %s, which AWS refuses: %s", m.held, m.left())
	}
	m.working = works
	if works {
		m.lastHeld[m.held] = m.clock.now
	}
}

// fails draws what happens to a call, and tells whether it takes effect and how
// it fails. Reads cannot be open.
func (m *model) fails(ctx context.Context, call string, write bool) (effect bool, err error) {
	if m.calls++; m.calls > mostCalls {
		m.t.Fatalf("a rotation does not end: %d calls", m.calls)
	}
	if err := ctx.Err(); err != nil {
		if call == "create" || call == "deliver" {
			m.t.Fatalf("%s was begun after a cancellation", call)
		}
		return false, err
	}
	faults := []fault{none, none, none, refused, cancelled}
	if write {
		faults = append(faults, openBefore, openAfter, cancelAfter)
	}
	drawn := none
	if m.budget > 0 {
		drawn = rapid.SampledFrom(faults).Draw(m.t, call)
	}
	if drawn == none {
		return true, nil
	}
	m.budget--
	if drawn == cancelled || drawn == cancelAfter {
		m.cancel()
	}
	switch {
	case drawn == refused:
		return false, errRefused
	case !write:
		return false, context.Canceled
	case drawn == cancelled, drawn == cancelAfter:
		return drawn == cancelAfter, openError{context.Canceled}
	default:
		return drawn == openAfter, errLost
	}
}

func (m *model) list(ctx context.Context, user string) ([]awsapi.AccessKey, error) {
	if _, err := m.fails(ctx, "list", false); err != nil {
		if m.lost != "" {
			m.unseen = append(m.unseen, m.lost)
		}
		return nil, err
	}
	return m.world.list(ctx, user)
}

func (m *model) create(ctx context.Context, user string) (awsapi.NewAccessKey, error) {
	if keys, _ := m.world.list(context.WithoutCancel(ctx), user); len(keys) >= keysPerUser {
		m.t.Fatalf("asked for a key while no slot is free: %s", m.left())
	}
	effect, failure := m.fails(ctx, "create", true)
	var key awsapi.NewAccessKey
	if effect {
		key, _ = m.world.create(context.WithoutCancel(ctx), user)
		m.watch()
	}
	if failure != nil {
		if effect {
			m.lost = key.ID
		}
		return awsapi.NewAccessKey{}, failure
	}
	return key, nil
}

func (m *model) setActive(ctx context.Context, user, id string, active bool) error {
	return m.write(ctx, "deactivate", func(ctx context.Context) error {
		m.noCallInFlight(id)
		return m.world.setActive(ctx, user, id, active)
	})
}

func (m *model) remove(ctx context.Context, user, id string) error {
	return m.write(ctx, "delete", func(ctx context.Context) error {
		m.noCallInFlight(id)
		return m.world.remove(ctx, user, id)
	})
}

func (m *model) deliver(ctx context.Context, secrets Secrets) error {
	return m.write(ctx, "deliver", func(ctx context.Context) error {
		return m.world.deliver(ctx, secrets)
	})
}

// write makes a call that may fail in every way, and looks at what it did.
func (m *model) write(ctx context.Context, name string, call func(context.Context) error) error {
	effect, failure := m.fails(ctx, name, true)
	if effect {
		if err := call(context.WithoutCancel(ctx)); err != nil && failure == nil {
			failure = err
		}
		m.watch()
	}
	return failure
}

func (m *model) noCallInFlight(id string) {
	if last, held := m.lastHeld[id]; held && m.clock.now.Sub(last) < longestRun {
		m.t.Fatalf("%s is taken away %s after the sender held it, while a message may still be on its way", id, m.clock.now.Sub(last))
	}
}

// accepted answers yes and no by turns until the key is valid everywhere, as
// the hosts of a fleet do that learn of it one by one.
func (m *model) accepted(ctx context.Context, region string, key awsapi.NewAccessKey) (bool, error) {
	if _, err := m.fails(ctx, "accepted", false); err != nil {
		return false, err
	}
	accepted, err := m.world.accepted(ctx, region, key)
	m.asked++
	return accepted || m.asked%2 == 0, err
}

func (m *model) sleep(ctx context.Context, d time.Duration) error {
	if _, err := m.fails(ctx, "sleep", false); err != nil {
		return err
	}
	err := m.world.sleep(ctx, d)
	m.watch()
	return err
}
