package handover

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

const (
	// mostFaults is the most that goes wrong in one run of the property. Once
	// they are used up, everything works and a plain rotation must succeed.
	mostFaults = 8
	// mostEvents is far above what all rotations of one run need.
	mostEvents = 20_000
	// longestRun is Auth0's limit for one run of a sender.
	longestRun = 20 * time.Second
	// quickCall and slowCall are the time that a call takes. Of a run that has
	// written no record nobody can know, so what it writes first is bound by
	// hastyCall, the time that another one needs to come to a delivery.
	quickCall = 40 * time.Millisecond
	hastyCall = 800 * time.Millisecond
	slowCall  = 4 * time.Second
	// stale is how far behind IAM may answer who works on a user.
	stale = 2 * time.Second
	// pause is the least time from the end of one apply to the next.
	pause = 5 * time.Second
)

// fault is what can happen to one call.
type fault string

const (
	none         fault = "none"
	refused      fault = "refused"
	openBefore   fault = "open, without effect"
	openAfter    fault = "open, with effect"
	cancelBefore fault = "cancelled, without effect"
	cancelAfter  fault = "cancelled, with effect"
	killBefore   fault = "killed, without effect"
	killAfter    fault = "killed, with effect"
	outdated     fault = "outdated answer"
	tardy        fault = "answered late"
)

// start is what there is at the beginning of one property.
type start struct {
	keys    []userKey
	held    string
	current Key
	record  Record
	// theirs is another sender's key, of which there is a record.
	theirs string
	// foreign is a key that somebody made by hand.
	foreign string
	// imported is a state that nothing has refreshed: its key stands in no
	// record, and a refresh would put that of the record in its place.
	imported bool
}

// TestRotateKeepsSenderWorking is invariant 2 under everything that a network,
// a power cut and a second apply can do: whatever fails, however often, wherever
// a run is killed, a sender that had a working key has one at every moment, and
// in the end there is only that one.
//
// What two runs at once are promised is what [TakenOverError] says: a call takes
// effect within InFlight of the question whether another run has taken over, and
// the first record of a run is there before a run that has not seen it delivers.
func TestRotateKeepsSenderWorking(t *testing.T) {
	t.Parallel()
	old := keys("OLD")[0]
	starts := map[string]start{
		"first delivery":    {},
		"rotation":          {keys: []userKey{active(user, "OLD")}, held: "OLD", current: old},
		"recorded rotation": {keys: []userKey{active(user, "OLD")}, held: "OLD", current: old, record: Record{Run: "a", Holds: old}},
		"key deactivated":   {keys: []userKey{inactive(user, "OLD")}, held: "OLD", current: old},
		"key deleted":       {held: "OLD", current: old},
		"another user":      {keys: []userKey{active(former, "OLD")}, held: "OLD", current: Key{former, id("OLD")}},
		"another user, foreign key": {
			keys: []userKey{active(former, "OLD"), active(user, "FOREIGN")}, held: "OLD", current: Key{former, id("OLD")}, foreign: "FOREIGN",
		},
		"user renamed": {keys: []userKey{active(user, "OLD")}, held: "OLD", current: Key{former, id("OLD")}},
		"old key left": {
			keys: []userKey{active(user, "OLDER"), active(user, "OLD")}, held: "OLD", current: old,
			record: Record{Run: "a", Holds: old, Retiring: keys("OLDER")},
		},
		"in doubt, taken": {
			keys: []userKey{active(user, "OLD"), active(user, "DOUBT")}, held: "DOUBT", current: old,
			record: Record{Run: "a", Holds: old, Offered: keys("DOUBT")},
		},
		"in doubt, not": {
			keys: []userKey{active(user, "OLD"), active(user, "DOUBT")}, held: "OLD", current: old,
			record: Record{Run: "a", Holds: old, Offered: keys("DOUBT")},
		},
		"record and state differ": {
			keys: []userKey{active(user, "OLD"), active(user, "OTHER")}, held: "OLD", current: keys("OTHER")[0],
			record: Record{Run: "a", Holds: old}, imported: true,
		},
		"killed while minting": {
			keys: []userKey{active(user, "OLD"), fresh("LOST")}, held: "OLD", current: old,
			record: Record{Run: "a", Holds: old, Minting: true, Before: keys("OLD")},
		},
		"foreign key":                 {keys: []userKey{active(user, "OLD"), active(user, "FOREIGN")}, held: "OLD", current: old, foreign: "FOREIGN"},
		"first delivery, foreign key": {keys: []userKey{active(user, "FOREIGN")}, foreign: "FOREIGN"},
		"another sender": {
			keys: []userKey{inactive(user, "OLD"), active(user, "THEIRS")}, held: "OLD", current: old, theirs: "THEIRS",
		},
	}
	for name, s := range starts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) { newModel(t, s).converge() })
		})
	}
}

// model is a world in which calls fail at random, and which watches over what
// must hold at every moment. Runs are coroutines of its: one of all goroutines
// is at work at a time, and time passes between them only.
type model struct {
	*world
	t      *rapid.T
	start  start
	budget int // faults that are left
	events []event
	count  int
	runs   []*run

	current    Key                  // what Terraform's state has
	overlapped bool                 // two runs were at work at once
	working    bool                 // the sender held a key that AWS takes: from now on it must
	lastHeld   map[string]time.Time // until when the sender held a working key
}

// event is something that happens later.
type event struct {
	at time.Time
	do func()
}

func newModel(t *rapid.T, s start) *model {
	m := &model{
		world: newWorld(s.keys...), t: t, start: s, current: s.current, lastHeld: map[string]time.Time{},
		budget: rapid.IntRange(0, mostFaults).Draw(t, "faults"),
	}
	if s.held != "" {
		m.held = id(s.held)
	}
	if s.record.Run != "" {
		m.setRecord(s.record)
	}
	if s.theirs != "" {
		theirs, _ := Record{Run: "b", At: epoch(), Holds: keys(s.theirs)[0]}.encode(user)
		m.users[user].Tags[TagPrefix+"another"] = theirs
	}
	m.watch()
	return m
}

// converge applies again and again, each time with what Terraform's state has,
// until nothing is left to go wrong, and then a last time.
func (m *model) converge() {
	for applies := 0; m.budget > 0 && applies < 2*mostFaults; applies++ {
		m.apply()
	}
	m.budget = 0
	for applies := 0; m.apply(); applies++ {
		var slots *SlotError
		if last := m.runs[len(m.runs)-1]; applies == 3 || !errors.As(last.err, &slots) {
			m.t.Fatalf("with no fault to come, an apply ends with %v: %s, record %q", last.err, m.left(), m.recorded())
		}
	}
	m.finish()
}

// apply is one run, or two at once. It tells whether one failed.
func (m *model) apply() (failed bool) {
	m.runs = nil
	first := m.begin("A")
	if m.budget > 0 && rapid.Bool().Draw(m.t, "two at once") {
		m.budget--
		m.overlapped = true
		first.second = rapid.IntRange(1, 40).Draw(m.t, "call at which the second begins")
	}
	first.step()
	for len(m.events) > 0 {
		if m.count++; m.count > mostEvents {
			m.t.Fatalf("a rotation does not end")
		}
		next := m.events[0]
		m.events = m.events[1:]
		m.clock.now = next.at
		next.do()
		m.watch()
	}
	m.clock.now = m.clock.now.Add(pause)
	m.watch()
	for _, r := range m.runs {
		failed = failed || r.killed || r.err != nil
		var slots *SlotError
		if errors.As(r.err, &slots) {
			m.resolve(slots)
		}
	}
	return failed
}

// refresh is what the provider does before it plans: the record tells it which
// key the sender holds, and whether there is an old key left and no more.
func (m *model) refresh() (oldKeyLeft bool) {
	direct := func(_ context.Context, _, _ string, effect func() error) error { return effect() }
	of := cmp.Or(m.current.User, user) // the user of the state, not of the plan
	known, err := m.machineBy(direct, &m.clock).Look(m.t.Context(), of, m.current)
	if awsapi.IsNotFound(err) {
		return false // The user has another name by now.
	}
	if err != nil {
		m.t.Fatal(err)
	}
	holds := known.Record.Holds
	if holds.ID != "" {
		m.current = Key{of, holds.ID}
	}
	return known.Record.Open() && len(known.Record.Offered) == 0 && find(known.Keys, holds.ID) >= 0
}

// later puts an event in its place. Those of one moment keep their order.
func (m *model) later(d time.Duration, do func()) {
	e := event{m.clock.now.Add(d), do}
	i := slices.IndexFunc(m.events, func(o event) bool { return o.at.After(e.at) })
	if i < 0 {
		i = len(m.events)
	}
	m.events = slices.Insert(m.events, i, e)
}

// run is one apply: a coroutine that stands still in each of its calls.
type run struct {
	*model
	name     string
	cancel   context.CancelFunc
	requests chan request // what it asks for; closed when it has ended
	answers  chan error   // closed to kill it
	recorded bool         // it has written a record
	calls    int          // so far
	second   int          // the call at which another run begins; 0 = none

	cancelled, killed bool
	outcome           Outcome
	err               error
}

type request struct {
	ctx      context.Context
	call, on string
	effect   func() error
}

// begin starts a run with the state that there is now, refreshed or not.
func (m *model) begin(name string) *run {
	r := &run{model: m, name: name, requests: make(chan request), answers: make(chan error)}
	m.runs = append(m.runs, r)
	if m.budget > 0 {
		m.delay = time.Duration(rapid.SampledFrom([]int{0, 1, 5, 20, 70}).Draw(m.t, "seconds until valid")) * time.Second
		if m.delay > verifyLimit {
			m.budget--
		}
	} else {
		m.delay = time.Second
	}
	ctx, cancel := context.WithCancel(m.t.Context())
	r.cancel = cancel
	machine := m.machineBy(r.ask, r)
	machine.Observe = nil
	do := machine.Rotate
	if m.budget > 0 && !m.start.imported && rapid.Bool().Draw(m.t, "refreshed") && m.refresh() {
		do = machine.Finish
	}
	req := Rotation{User: user, Region: region, Current: m.current}
	go func() {
		defer close(r.requests)
		defer cancel()
		r.outcome, r.err = do(ctx, req)
	}()
	return r
}

// ask is what a run does in each call: it hands over to the model.
func (r *run) ask(ctx context.Context, call, on string, effect func() error) error {
	r.requests <- request{ctx, call, on, effect}
	err, alive := <-r.answers
	if !alive {
		runtime.Goexit()
	}
	return err
}

func (r *run) Now() time.Time { return r.clock.now }

// Sleep makes a run its own clock.
func (r *run) Sleep(ctx context.Context, d time.Duration) error {
	return r.ask(ctx, sleep, d.String(), ctx.Err)
}

// step lets the run go on to its next call, or to its end.
func (r *run) step() {
	q, alive := <-r.requests
	switch {
	case !alive:
		r.t.Logf("%s %s ends with %s, %v", r.clock.now.Format("05.00"), r.name, short(r.outcome.Delivered.ID), r.err)
		r.save()
	case q.ctx.Err() != nil:
		r.answer(q.ctx.Err())
	case q.call == sleep:
		r.sleep(q)
	default:
		r.call(q)
	}
}

func (r *run) answer(err error) {
	r.answers <- err
	r.step()
}

// kill ends the run without any clean-up.
func (r *run) kill() {
	r.killed = true
	close(r.answers)
	<-r.requests
}

// save is what the provider does: the state has the new key if the sender took
// it. A state that could not be saved is as good as a kill.
func (r *run) save() {
	if r.outcome.Delivered.ID == "" {
		return
	}
	if r.draw("save", []fault{killBefore}) == killBefore {
		r.killed = true
		return
	}
	r.current = Key{user, r.outcome.Delivered.ID}
}

// draw gives one of the faults, mostly none.
func (r *run) draw(call string, faults []fault) fault {
	if r.budget == 0 || rapid.IntRange(0, 9).Draw(r.t, r.name+" "+call) < 7 {
		return none
	}
	drawn := rapid.SampledFrom(faults).Draw(r.t, r.name+" "+call+" fault")
	r.budget--
	return drawn
}

func (r *run) sleep(q request) {
	d, err := time.ParseDuration(q.on)
	if err != nil {
		r.t.Fatal(err)
	}
	done := false
	end := func() {
		if !done {
			done = true
			r.answer(q.ctx.Err())
		}
	}
	switch r.draw(sleep, []fault{cancelBefore, killBefore}) {
	case cancelBefore:
		r.stop()
		end()
	case killBefore:
		r.kill()
	default:
		r.later(d, end)
	}
}

// stop is Ctrl-C.
func (r *run) stop() {
	r.cancelled = true
	r.cancel()
}

// call makes a call that may fail in every way. It is begun now, has its effect
// later and is answered later still.
func (r *run) call(q request) {
	if r.cancelled && begins(q.call) {
		r.t.Fatalf("%s was begun after a cancellation", q.call)
	}
	faults := []fault{refused, cancelBefore, killBefore}
	switch write := !strings.HasPrefix(q.call, "Get") && q.call != listKeys; {
	case write:
		faults = append(faults, openBefore, openAfter, cancelAfter, killAfter)
	case q.call == getUser, q.call == listKeys:
		faults = append(faults, outdated, tardy)
	}
	if r.calls++; r.calls == r.second {
		r.later(0, func() { r.begin("B").step() })
	}
	drawn := r.draw(q.call, faults)
	if q.call == updateKey || q.call == deleteKey {
		r.noCallInFlight(q.on)
	}
	before, after := r.duration(), time.Duration(0)
	r.t.Logf("%s %s %s %s, %s, in %s", r.clock.now.Format("05.00"), r.name, q.call, short(q.on), drawn, before)
	switch {
	case drawn == tardy:
		after = InFlight + ownedFor
	case before > quickCall:
		after = before / 2
	}
	effect := func() error {
		if q.call == tagUser {
			r.recorded = true
		}
		return q.effect()
	}
	switch drawn {
	case killBefore:
		r.kill()
	case killAfter:
		r.kill()
		r.later(before, func() { _ = effect() })
	case refused:
		r.later(before, func() { r.answer(errRefused) })
	case openBefore:
		r.later(before, func() { r.answer(errLost) })
	case openAfter:
		r.later(before, func() {
			_ = effect()
			r.answer(errLost)
		})
	case cancelBefore:
		r.later(before, func() {
			r.stop()
			r.answer(openError{context.Canceled})
		})
	case cancelAfter:
		// A write that is given its grace is answered.
		r.later(before, func() {
			r.stop()
			err := effect()
			if q.ctx.Err() != nil {
				err = openError{context.Canceled}
			}
			r.answer(err)
		})
	case outdated:
		r.later(before, func() {
			var err error
			r.asOf(q.on, stale, func() { err = effect() })
			r.later(after, func() { r.answer(err) })
		})
	default:
		r.later(before, func() {
			err := effect()
			r.watch()
			r.later(after, func() { r.answer(err) })
		})
	}
}

// duration is the time until a call takes effect.
func (r *run) duration() time.Duration {
	if !r.overlapped || r.budget == 0 {
		return quickCall
	}
	durations := []time.Duration{quickCall, quickCall, quickCall, hastyCall / 2}
	if r.recorded {
		durations = append(durations, slowCall/2)
	}
	return rapid.SampledFrom(durations).Draw(r.t, r.name+" takes")
}

// asOf has a user's tags be those of a moment ago, and its youngest key not be
// there yet.
func (m *model) asOf(name string, ago time.Duration, do func()) {
	u := m.users[name]
	if u == nil {
		do()
		return
	}
	then := m.clock.now.Add(-ago)
	tags, account := u.Tags, m.account
	for _, old := range slices.Backward(u.past) {
		if old.until.After(then) {
			u.Tags = old.tags
		}
	}
	m.account = slices.DeleteFunc(slices.Clone(account), func(k *userKey) bool { return k.CreatedAt.After(then) })
	do()
	u.Tags, m.account = tags, account
}

// watch holds the rules of every moment.
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
		m.t.Fatalf("the sender holds %s, which AWS refuses: %s, record %q", short(m.held), m.left(), m.recorded())
	}
	m.working = works
	if works {
		m.lastHeld[m.held] = m.clock.now
	}
	for _, name := range []string{m.start.theirs, m.start.foreign} {
		if k, err := m.key(user, id(name)); name != "" && (err != nil || !k.Active) {
			m.t.Fatalf("%s is not ours and was taken away: %s", name, m.left())
		}
	}
}

func (m *model) noCallInFlight(key string) {
	if last, held := m.lastHeld[key]; held && m.clock.now.Sub(last) < longestRun {
		m.t.Fatalf("%s is taken away %s after the sender held it, while a message may still be on its way", short(key), m.clock.now.Sub(last))
	}
}

// resolve is the person who does what a SlotError says: they look up which of
// the keys is in use, and delete the others. That is asked of them only where
// the machine cannot know.
func (m *model) resolve(slots *SlotError) {
	if len(slots.Keys) != keysPerUser {
		m.t.Fatalf("refused with %d keys: %v", len(slots.Keys), slots)
	}
	certain := func(name string) bool { return name == slots.Record.Holds.ID || contains(slots.Record.Retiring, name) }
	alien := func(name string) bool { return name == id(m.start.foreign) || name == id(m.start.theirs) }
	open := 0
	for _, k := range slots.Keys {
		if !certain(k.ID) {
			open++
		}
		if !certain(k.ID) && !alien(k.ID) && !contains(slots.Record.Offered, k.ID) && !m.overlapped {
			m.t.Fatalf("%s is a key of ours, and nothing says so: %v", short(k.ID), slots)
		}
	}
	if open == 0 {
		m.t.Fatalf("refused, though it is known which key is in use: %v", slots)
	}
	if slots.User == user && slices.ContainsFunc(slots.Keys, func(k awsapi.AccessKey) bool { return contains(slots.Record.Offered, k.ID) }) {
		m.t.Fatalf("refused, though there is a bridge: %v", slots)
	}
	for _, k := range slots.Keys {
		if k.ID != m.held {
			m.remove(k.ID)
		}
		if k.ID == id(m.start.foreign) {
			m.start.foreign = ""
		}
		if k.ID == id(m.start.theirs) {
			m.start.theirs = ""
		}
	}
	m.watch()
}

// finish is what a plain rotation leaves: one key of ours, which the sender
// holds, and a record that says so and no more.
func (m *model) finish() {
	if m.current.ID != m.held || !m.working {
		m.t.Errorf("the state says that the sender holds %s, and it holds %s", short(m.current.ID), short(m.held))
	}
	if want := "holds=" + short(m.held); strings.TrimSuffix(m.recorded(), " claimed") != want {
		m.t.Errorf("record %q, want %q", m.recorded(), want)
	}
	for _, k := range m.account {
		if k.ID != m.held && k.ID != id(m.start.foreign) && k.ID != id(m.start.theirs) && !m.overlapped {
			m.t.Errorf("in the end there is key %s beside the sender's: %s", short(k.ID), m.left())
		}
	}
	if users := slices.Sorted(maps.Keys(m.users)); slices.Contains(users, bridged) {
		m.t.Errorf("users %s, and no bridge is needed any more", fmt.Sprint(users))
	}
}
