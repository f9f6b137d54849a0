package handover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// scenario is one rotation: what is there, what goes wrong, what is true after.
// Keys go by the names of [id].
type scenario struct {
	name    string
	keys    []userKey
	held    string // by the sender at the start; default current
	current Key
	record  Record // of a run before, where there was one
	finish  bool   // Finish, not Rotate
	given   func(w *world, cancel context.CancelFunc)

	stopped   State    // "" = it succeeds
	left      string   // as world.left gives it
	holds     string   // the key the sender holds at the end
	delivered string   // that of the outcome
	recorded  string   // as world.recorded gives it; after a success by default that the sender holds the key
	states    []State  // those entered, where the test is about them
	says      []string // parts of the error's text
}

func (s scenario) run(t *testing.T) {
	t.Helper()
	w := newWorld(s.keys...)
	w.held = s.current.ID
	if s.held != "" {
		w.held = id(s.held)
	}
	if s.record.Run != "" {
		w.setRecord(s.record)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if s.given != nil {
		s.given(w, cancel)
	}
	w.ctx = ctx
	m := w.machine()
	do := m.Rotate
	if s.finish {
		do = m.Finish
	}
	outcome, err := do(ctx, Rotation{User: user, Region: region, Current: s.current})
	s.check(t, w, outcome, err)
	requireNoSecret(t, w, outcome, err)
}

func (s scenario) check(t *testing.T, w *world, outcome Outcome, err error) {
	t.Helper()
	var stopped *Error
	switch {
	case s.stopped == "" && err != nil:
		t.Fatalf("the rotation failed: %v", err)
	case s.stopped != "" && !errors.As(err, &stopped):
		t.Fatalf("the rotation gave %v, want an *Error at %q", err, s.stopped)
	case s.stopped != "" && stopped.State != s.stopped:
		t.Errorf("stopped at %q, want %q: %v", stopped.State, s.stopped, err)
	}
	if s.stopped == "" && s.recorded == "" {
		s.recorded = "holds=" + s.holds
	}
	for _, is := range []struct{ what, got, want string }{
		{"keys left", w.left(), s.left},
		{"the sender holds", short(w.held), s.holds},
		{"the outcome's delivered key", short(outcome.Delivered.ID), s.delivered},
		{"record", w.recorded(), s.recorded},
	} {
		if is.got != is.want {
			t.Errorf("%s: %q\n want %q\n error %v", is.what, is.got, is.want, err)
		}
	}
	if s.states != nil && !slices.Equal(w.states, s.states) {
		t.Errorf("states %q, want %q", w.states, s.states)
	}
	if len(w.late) > 0 {
		t.Errorf("begun after the cancellation: %q", w.late)
	}
	for _, part := range s.says {
		if err != nil && !strings.Contains(short(err.Error()), part) {
			t.Errorf("the reader is not told %q:\n%v", part, err)
		}
	}
}

// requireNoSecret is invariant 1: not even a careless %+v shows a secret key.
func requireNoSecret(t *testing.T, w *world, outcome Outcome, err error) {
	t.Helper()
	shown := fmt.Sprintf("%+v %#v %v %+v %#v", outcome, outcome, err, err, err)
	for _, secret := range w.minted {
		if strings.Contains(shown, secret) {
			t.Errorf("secret key %s can be read in: %s", secret, shown)
		}
	}
}

func runAll(t *testing.T, tests []scenario) {
	t.Helper()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// given makes a scenario's beginning of things that do not need to cancel.
func given(do ...func(w *world)) func(*world, context.CancelFunc) {
	return func(w *world, _ context.CancelFunc) {
		for _, step := range do {
			step(w)
		}
	}
}

// cancelAt cancels as a state is entered.
func cancelAt(state State) func(*world, context.CancelFunc) {
	return func(w *world, cancel context.CancelFunc) {
		w.observe = func(entered State) {
			if entered == state {
				cancel()
			}
		}
	}
}

// cancelSleeping cancels in the first wait that is as long as d.
func cancelSleeping(d time.Duration) func(*world, context.CancelFunc) {
	return func(w *world, cancel context.CancelFunc) {
		w.clock.sleep = func(ctx context.Context, asked time.Duration) error {
			if asked == d {
				cancel()
			}
			return w.pass(ctx, asked)
		}
	}
}

// cancelIn cancels while a call is on its way, which then takes effect all the
// same.
func cancelIn(call string) func(*world, context.CancelFunc) {
	return func(w *world, cancel context.CancelFunc) {
		w.replace(call, func(_ context.Context, _, _ string, effect func() error) error {
			cancel()
			return effect()
		})
	}
}

// fail has every call of a kind end with err, with effect where took is true.
func fail(call string, took bool, err error) func(*world) {
	return func(w *world) {
		w.replace(call, func(_ context.Context, _, _ string, effect func() error) error {
			if took {
				_ = effect()
			}
			return err
		})
	}
}

// refuse refuses a call about one key; about any user or key for "".
func refuse(call, name string) func(*world) {
	return func(w *world) {
		if name != "" {
			name = id(name)
		}
		w.refuse(call, name)
	}
}

// failDeliveries gives each delivery its error; the last one is for all that
// follow. One that is open took effect all the same.
func failDeliveries(errs ...error) func(*world) {
	return func(w *world) {
		attempt := 0
		w.replace(deliver, func(_ context.Context, _, _ string, effect func() error) error {
			err := errs[min(attempt, len(errs)-1)]
			attempt++
			if err == nil || delivery.Ambiguous(err) {
				_ = effect()
			}
			return err
		})
	}
}

// nth makes the nth call of a kind, counted from 1, in another way.
func nth(call string, n int, do func(w *world, effect func() error) error) func(*world) {
	return func(w *world) {
		count := 0
		w.replace(call, func(_ context.Context, _, _ string, effect func() error) error {
			if count++; count == n {
				return do(w, effect)
			}
			return effect()
		})
	}
}

func TestRotateSucceeds(t *testing.T) {
	t.Parallel()
	old := keys("OLD")[0]
	runAll(t, []scenario{
		{
			name: "first delivery", holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{TakeUp, FreeSlot, Mint, Verify, Deliver, Retire},
		},
		{
			name: "rotation", keys: []userKey{active(user, "OLD")}, current: old,
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{TakeUp, FreeSlot, Mint, Verify, Deliver, Settle, Retire},
		},
		{
			name: "a current key without an id is none", current: Key{User: user},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "a key deleted by hand is replaced without a wait", current: old,
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{TakeUp, FreeSlot, Mint, Verify, Deliver, Retire},
		},
		{
			name: "a key deactivated by hand is replaced without a wait", keys: []userKey{inactive(user, "OLD")}, current: old,
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{TakeUp, FreeSlot, Mint, Verify, Deliver, Retire},
		},
		{
			name: "an inactive key makes room beside a foreign one", keys: []userKey{inactive(user, "OLD"), active(user, "FOREIGN")}, current: old,
			holds: "NEW1", delivered: "NEW1", left: user + "/FOREIGN " + user + "/NEW1",
		},
		{
			name: "the old key is another user's", keys: []userKey{active(former, "OLD"), active(user, "FOREIGN")}, current: Key{former, id("OLD")},
			holds: "NEW1", delivered: "NEW1", left: user + "/FOREIGN " + user + "/NEW1",
			states: []State{TakeUp, FreeSlot, Mint, Verify, Deliver, Settle, Retire},
		},
		{
			name: "the other user is gone with its key", current: Key{former, id("OLD")},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "the user was renamed since the state was written", keys: []userKey{active(user, "OLD")}, current: Key{former, id("OLD")},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "an old key that was left makes room", keys: []userKey{active(user, "OLDER"), active(user, "OLD")},
			current: old, record: Record{Run: "a", Holds: old, Retiring: keys("OLDER")},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "another user's key that was left is deleted after a first delivery too", keys: []userKey{inactive(former, "OLDER")},
			record: Record{Run: "a", Retiring: []Key{{former, id("OLDER")}}},
			holds:  "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "a delivery settles an earlier one that was in doubt", keys: []userKey{active(user, "DOUBT")}, held: "DOUBT",
			record: Record{Run: "a", Offered: keys("DOUBT")},
			holds:  "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{TakeUp, FreeSlot, Mint, Verify, Deliver, Settle, Retire},
		},
		{
			name: "AWS refuses the key every third time at first", keys: []userKey{active(user, "OLD")}, current: old,
			given: given(func(w *world) {
				asked := 0
				w.replace(askSTS, func(_ context.Context, _, _ string, effect func() error) error {
					if asked++; asked < 30 && asked%3 == 0 {
						return errRefused
					}
					return effect()
				})
				w.replace(deliver, func(_ context.Context, _, _ string, effect func() error) error {
					if asked < 30 {
						t.Errorf("delivered after %d questions, while AWS still refused the key now and then", asked)
					}
					return effect()
				})
			}),
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "STS cannot be asked for a while", given: given(func(w *world) {
				asked := 0
				w.replace(askSTS, func(_ context.Context, _, _ string, effect func() error) error {
					if asked++; asked < 20 {
						return errRefused
					}
					return effect()
				})
			}),
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "the answer to a delivery is lost once", keys: []userKey{active(user, "OLD")}, current: old,
			given: given(failDeliveries(errLost, nil)), holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "a repeated delivery is refused once", keys: []userKey{active(user, "OLD")}, current: old,
			given: given(failDeliveries(errLost, errRefused, nil)), holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
	})
}

// TestRotateStops is the table of what every failure leaves. If it fails,
// either a sender is left with a key that AWS refuses, or a key is left that
// nobody knows of.
func TestRotateStops(t *testing.T) {
	t.Parallel()
	old, one := keys("OLD")[0], []userKey{active(user, "OLD")}
	two := []userKey{active(user, "OLD"), active(user, "OLDER")}
	oldLeft := Record{Run: "a", Holds: old, Retiring: keys("OLDER")}
	const nothing = "No key was made. The sender holds what it held before."
	runAll(t, []scenario{
		// TakeUp: nothing was changed.
		{
			name: "TakeUp: cancelled", keys: one, current: old, given: cancelAt(TakeUp),
			stopped: TakeUp, left: user + "/OLD", holds: "OLD", says: []string{"context canceled", nothing},
		},
		{
			name: "TakeUp: keys cannot be listed", keys: two, current: old, record: oldLeft, given: given(refuse(listKeys, "")),
			stopped: TakeUp, left: user + "/OLD " + user + "/OLDER", holds: "OLD", recorded: "holds=OLD retiring=OLDER",
			says: []string{`stopped at "take up what an earlier apply left"`, "403 refused", nothing},
		},
		{
			name: "TakeUp: the user cannot be read", keys: one, current: old, given: given(refuse(getUser, "")),
			stopped: TakeUp, left: user + "/OLD", holds: "OLD", says: []string{"403 refused", nothing},
		},
		{
			name: "TakeUp: the user is gone", given: given(func(w *world) { delete(w.users, user) }),
			stopped: TakeUp, says: []string{"iam:GetUser", nothing},
		},
		{
			name: "TakeUp: a record of a later version", keys: one, current: old,
			given:   given(func(w *world) { w.users[user].Tags[TagPrefix+senderID] = "at=2026-11-23T12:00:00Z run=a lent=x" }),
			stopped: TakeUp, left: user + "/OLD", holds: "OLD", recorded: "lent=x",
			says: []string{`field "lent"`, "so nothing was changed", "aws iam untag-user --user-name sms-sender --tag-keys auth0sns:" + senderID, nothing},
		},
		{
			name: "TakeUp: cancelled while the earlier run gets its time", keys: two, current: old, record: oldLeft, given: cancelSleeping(InFlight),
			stopped: TakeUp, left: user + "/OLD " + user + "/OLDER", holds: "OLD", recorded: "holds=OLD retiring=OLDER claimed", says: []string{nothing},
		},

		// FreeSlot: nothing was made.
		{
			name: "FreeSlot: cancelled", keys: one, current: old, given: cancelAt(FreeSlot),
			stopped: FreeSlot, left: user + "/OLD", holds: "OLD", says: []string{"context canceled", nothing},
		},
		{
			name: "FreeSlot: a foreign key has the slot", keys: []userKey{active(user, "OLD"), inactive(user, "FOREIGN")}, current: old,
			stopped: FreeSlot, left: "-" + user + "/FOREIGN " + user + "/OLD", holds: "OLD",
			says: []string{
				nothing, `"sms-sender" has no free slot`, "AWS allows 2",
				"OLD (Active, made 2026-10-23, 31 days ago): recorded as the sender's",
				"FOREIGN (Inactive, made 2026-10-23, 31 days ago): not known here",
				"aws iam get-access-key-last-used --access-key-id", "aws iam delete-access-key --user-name sms-sender",
			},
		},
		{
			name: "FreeSlot: two foreign keys", keys: []userKey{active(user, "F1"), active(user, "F2")}, held: "BYHAND",
			stopped: FreeSlot, left: user + "/F1 " + user + "/F2", holds: "BYHAND", says: []string{"F1 (Active", "F2 (Active", "not known here"},
		},
		{
			name: "FreeSlot: another sender's key has the slot", keys: []userKey{active(user, "OLD"), active(user, "THEIRS")}, current: old,
			given: given(func(w *world) {
				w.users[user].Tags[TagPrefix+"another"] = "at=2026-11-23T12:00:00Z run=b holds=" + id("THEIRS")
			}),
			stopped: FreeSlot, left: user + "/OLD " + user + "/THEIRS", holds: "OLD", says: []string{"THEIRS (Active, made 2026-10-23, 31 days ago): of the sender another"},
		},
		{
			name: "FreeSlot: an old key is gone, but a foreign one has the slot", keys: []userKey{active(user, "OLD"), active(user, "FOREIGN")},
			current: old, record: oldLeft,
			stopped: FreeSlot, left: user + "/FOREIGN " + user + "/OLD", holds: "OLD", recorded: "holds=OLD retiring=OLDER claimed", says: []string{"FOREIGN"},
		},
		{
			name: "FreeSlot: the old key cannot be deleted", keys: two, current: old, record: oldLeft, given: given(refuse(deleteKey, "OLDER")),
			stopped: FreeSlot, left: "-" + user + "/OLDER " + user + "/OLD", holds: "OLD", recorded: "holds=OLD retiring=OLDER claimed", says: []string{nothing},
		},
		{
			name: "FreeSlot: the inactive key cannot be deleted", keys: []userKey{inactive(user, "OLD"), active(user, "FOREIGN")}, current: old, given: given(refuse(deleteKey, "OLD")),
			stopped: FreeSlot, left: "-" + user + "/OLD " + user + "/FOREIGN", holds: "OLD", says: []string{nothing},
		},

		// Mint: a key whose secret is lost is deleted.
		{
			name: "Mint: cancelled", keys: one, current: old, given: cancelAt(Mint),
			stopped: Mint, left: user + "/OLD", holds: "OLD", says: []string{nothing},
		},
		{
			name: "Mint: cancelled as it was announced", keys: one, current: old, given: cancelIn(tagUser),
			stopped: Mint, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{nothing},
		},
		{
			name: "Mint: the record cannot be written", keys: one, current: old, given: given(refuse(tagUser, "")),
			stopped: Mint, left: user + "/OLD", holds: "OLD", says: []string{"403 refused", nothing},
		},
		{
			name: "Mint: no answer whether the record was written", keys: one, current: old, given: given(fail(tagUser, true, errLost)),
			stopped: Mint, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD minting=OLD", says: []string{nothing},
		},
		{
			name: "Mint: refused", keys: one, current: old, given: given(fail(createKey, false, errRefused)),
			stopped: Mint, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{`stopped at "mint the key": 403 refused`, nothing},
		},
		{
			name: "Mint: refused after room was made", keys: []userKey{inactive(user, "OLD"), active(user, "FOREIGN")}, current: old, given: given(fail(createKey, false, errRefused)),
			stopped: Mint, left: user + "/FOREIGN", holds: "OLD", recorded: "holds=OLD", says: []string{nothing, "OLD was inactive and has been deleted to make room"},
		},
		{
			name: "Mint: refused although a key appeared", keys: one, current: old, given: given(fail(createKey, true, errRefused)),
			stopped: Mint, left: user + "/NEW1 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{nothing},
		},
		{
			name: "Mint: lost on the way", keys: one, current: old, given: given(fail(createKey, false, errLost)),
			stopped: Mint, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD minting=OLD",
			says: []string{"The sender holds what it held before. AWS did not say whether it made a key. There is none so far; if one appears, the next apply deletes it."},
		},
		{
			name: "Mint: the answer is lost", keys: one, current: old, given: given(fail(createKey, true, errLost)),
			stopped: Mint, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD",
			says: []string{"connection lost", "The new key NEW1 was deleted again. The sender holds what it held before."},
		},
		{
			name: "Mint: cancelled while AWS made the key", keys: one, current: old,
			given: func(w *world, cancel context.CancelFunc) {
				w.replace(createKey, func(_ context.Context, _, _ string, effect func() error) error {
					_ = effect()
					cancel()
					return openError{context.Canceled}
				})
			},
			stopped: Mint, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{"context canceled", "NEW1 was deleted again"},
		},
		{
			name: "Mint: the answer is lost and the keys cannot be listed", keys: one, current: old,
			given: given(fail(createKey, true, errLost), nth(listKeys, 2, func(*world, func() error) error { return errRefused })),

			stopped: Mint, left: user + "/NEW1 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD minting=OLD",
			says: []string{"did not say whether it made a key", `"sms-sender" has could not be found out: 403 refused`, "If it did, the next apply deletes it."},
		},
		{
			name: "Mint: the answer is lost and the key cannot be deleted", keys: one, current: old,
			given:   given(fail(createKey, true, errLost), refuse(deleteKey, "NEW1")),
			stopped: Mint, left: "-" + user + "/NEW1 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD retiring=NEW1",
			says: []string{"NEW1 could not be deleted again, which is left to the next apply: 403 refused"},
		},
		{
			name: "Mint: the answer is lost while somebody else made a key", given: given(func(w *world) {
				w.replace(createKey, func(_ context.Context, _, _ string, effect func() error) error {
					_, _ = w.mint(user)
					_ = effect()
					return errLost
				})
			}),
			stopped: Mint, left: user + "/NEW1 " + user + "/NEW2", says: []string{"somebody else made one", "NEW1, NEW2"},
		},
		{
			name: "Mint: the answer is lost while another sender gets a key", given: given(func(w *world) {
				w.users[user].Tags[TagPrefix+"another"] = "at=2026-11-23T12:00:00Z run=b minting="
				fail(createKey, true, errLost)(w)
			}),
			stopped: Mint, left: user + "/NEW1", says: []string{"somebody else made one", "NEW1"},
		},

		// Verify: the key is known, and nobody holds it.
		{
			name: "Verify: cancelled between mint and verify", keys: one, current: old, given: cancelAt(Verify),
			stopped: Verify, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{"context canceled", "NEW1 was deleted again"},
		},
		{
			name: "Verify: cancelled while waiting", keys: one, current: old, given: cancelSleeping(pollInterval),
			stopped: Verify, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{"context canceled", "NEW1 was deleted again"},
		},
		{
			name: "Verify: never accepted", keys: one, current: old,
			given:   given(func(w *world) { w.delay = time.Hour }),
			stopped: Verify, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD",
			says: []string{"STS in region eu-north-1 did not accept key NEW1 3 times in a row within 1m0s: check that the account has enabled the region", "NEW1 was deleted again"},
		},
		{
			name: "Verify: STS cannot be asked", keys: one, current: old, given: given(refuse(askSTS, "NEW1")),
			stopped: Verify, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{"the last time it could not be asked: 403 refused"},
		},
		{
			name: "Verify: the new key cannot be deleted again", keys: one, current: old,
			given:   given(func(w *world) { w.delay = time.Hour }, refuse(deleteKey, "NEW1")),
			stopped: Verify, left: "-" + user + "/NEW1 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD retiring=NEW1",
			says: []string{"The sender holds what it held before. The new key NEW1 could not be deleted again"},
		},

		// Deliver: a refusal undoes, doubt keeps.
		{
			name: "Deliver: cancelled", keys: one, current: old, given: cancelAt(Deliver),
			stopped: Deliver, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{"NEW1 was deleted again"},
		},
		{
			name: "Deliver: the offer cannot be recorded", keys: one, current: old,
			given:   given(nth(tagUser, 2, func(*world, func() error) error { return errRefused })),
			stopped: Deliver, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{"403 refused", "NEW1 was deleted again"},
		},
		{
			name: "Deliver: refused", keys: one, current: old, given: given(failDeliveries(errRefused)),
			stopped: Deliver, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD", says: []string{"403 refused", "The new key NEW1 was deleted again. The sender holds what it held before."},
		},
		{
			name: "Deliver: refused, and the new key cannot be deleted again", keys: one, current: old,
			given:   given(failDeliveries(errRefused), refuse(deleteKey, "NEW1")),
			stopped: Deliver, left: "-" + user + "/NEW1 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD retiring=NEW1",
		},
		{
			name: "Deliver: every answer is lost", keys: one, current: old, given: given(failDeliveries(errLost)),
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", recorded: "holds=OLD offered=NEW1",
			says: []string{"connection lost", "not known whether the sender took the new key NEW1", "It was left in place", "The next apply puts that right."},
		},
		{
			name: "Deliver: the answer is lost, the repeats are refused", keys: one, current: old, given: given(failDeliveries(errLost, errRefused)),
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", recorded: "holds=OLD offered=NEW1",
			says: []string{"403 refused", "not known whether"},
		},
		{
			name: "Deliver: the first answer ever is lost", given: given(failDeliveries(errLost)),
			stopped: Deliver, left: user + "/NEW1", holds: "NEW1", recorded: "offered=NEW1",
		},
		{
			name: "Deliver: cancelled while waiting to repeat", keys: one, current: old,
			given: func(w *world, cancel context.CancelFunc) {
				failDeliveries(errLost, nil)(w)
				cancelSleeping(time.Second)(w, cancel)
			},
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", recorded: "holds=OLD offered=NEW1",
			says: []string{"connection lost (not repeated: context canceled)", "not known whether"},
		},
		{
			name: "Deliver: cancelled while Auth0 took the key", keys: one, current: old, given: cancelIn(deliver),
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD",
			says: []string{"context canceled", "The sender holds the new key NEW1. Still to be deleted, by the next apply: OLD."},
		},
		{
			name: "Deliver: that the key was taken is recorded at the second try", keys: one, current: old,
			given:   given(nth(tagUser, 3, func(*world, func() error) error { return errRefused })),
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD",
			says: []string{"403 refused", "The sender holds the new key NEW1."},
		},
		{
			name: "Deliver: a second delivery in doubt", keys: []userKey{active(user, "DOUBT")}, held: "DOUBT",
			record: Record{Run: "a", Offered: keys("DOUBT")}, given: given(failDeliveries(errLost)),
			stopped: Deliver, left: user + "/DOUBT " + user + "/NEW1", holds: "NEW1", recorded: "offered=DOUBT:NEW1 claimed",
		},

		// Settle and Retire: the sender holds the new key, which stays.
		{
			name: "Settle: cancelled", keys: one, current: old, given: cancelAt(Settle),
			stopped: Settle, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD",
		},
		{
			name: "Settle: cancelled while waiting", keys: one, current: old, given: cancelSleeping(InFlight),
			stopped: Settle, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD",
			says: []string{"context canceled", "The sender holds the new key NEW1. Still to be deleted, by the next apply: OLD."},
		},
		{
			name: "Retire: cancelled", keys: one, current: old, given: cancelAt(Retire),
			stopped: Retire, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD",
		},
		{
			name: "Retire: deactivation refused", keys: one, current: old, given: given(refuse(updateKey, "OLD")),
			stopped: Retire, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD",
		},
		{
			name: "Retire: deletion refused", keys: one, current: old, given: given(refuse(deleteKey, "OLD")),
			stopped: Retire, left: "-" + user + "/OLD " + user + "/NEW1", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD",
			says: []string{`stopped at "retire the old key": 403 refused`, "Still to be deleted, by the next apply: OLD."},
		},
		{
			name: "Retire: an undeletable key of another user keeps neither the new key nor the old one's deletion", keys: []userKey{active(user, "OLD"), active(former, "STUCK")},
			current: old, record: Record{Run: "a", Holds: old, Retiring: []Key{{former, id("STUCK")}}},
			given:   given(refuse(deleteKey, "STUCK")),
			stopped: Retire, left: "-former-sender/STUCK " + user + "/NEW1", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=STUCK@former-sender claimed",
		},
	})
}

// TestRotateFindsRecord is what the next apply makes of what a killed run left.
// If it fails, a kill costs a person's night.
func TestRotateFindsRecord(t *testing.T) {
	t.Parallel()
	old, before := keys("OLD")[0], keys("OLD")
	used := fresh("NEW0")
	used.used = "sns"
	early := fresh("NEW0")
	early.CreatedAt = epoch().Add(-10 * time.Minute)
	minting := Record{Run: "a", Holds: old, Minting: true, Before: before}
	runAll(t, []scenario{
		{
			name: "minted, never delivered", keys: []userKey{active(user, "OLD"), fresh("NEW0")}, current: old, record: minting,
			left: user + "/NEW1", holds: "NEW1", delivered: "NEW1",
		},
		{
			name: "about to mint", keys: []userKey{active(user, "OLD")}, current: old, record: minting,
			left: user + "/NEW1", holds: "NEW1", delivered: "NEW1",
		},
		{
			name: "a key that is in use is not the lost one", keys: []userKey{active(user, "OLD"), used}, current: old, record: minting,
			stopped: FreeSlot, left: user + "/NEW0 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD minting=OLD claimed", says: []string{"NEW0 (Active", "not known here"},
		},
		{
			name: "a key that was made at another time is not the lost one", keys: []userKey{active(user, "OLD"), early}, current: old, record: minting,
			stopped: FreeSlot, left: user + "/NEW0 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD minting=OLD claimed", says: []string{"NEW0 (Active", "not known here"},
		},
		{
			name: "another sender's key is not the lost one", keys: []userKey{active(user, "OLD"), fresh("NEW0")}, current: old, record: minting,
			given: given(func(w *world) {
				w.users[user].Tags[TagPrefix+"another"] = "at=2026-11-23T12:00:00Z run=b offered=" + id("NEW0")
			}),
			stopped: FreeSlot, left: user + "/NEW0 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD minting=OLD claimed", says: []string{"of the sender another"},
		},
		{
			name: "of two keys none is the lost one", keys: []userKey{fresh("NEW8"), fresh("NEW9")}, record: Record{Run: "a", Minting: true},
			stopped: FreeSlot, left: user + "/NEW8 " + user + "/NEW9", recorded: "minting= claimed", says: []string{"NEW8 (Active", "NEW9 (Active"},
		},
		{
			name: "offered, not taken", keys: []userKey{active(user, "OLD"), fresh("NEW0")}, current: old,
			record: Record{Run: "a", Holds: old, Offered: keys("NEW0")},
			left:   user + "/NEW2", holds: "NEW2", delivered: "NEW2",
			states: []State{TakeUp, FreeSlot, Bridge, FreeSlot, Mint, Verify, Deliver, Settle, Retire, FreeSlot, Mint, Verify, Deliver, Settle, Retire},
		},
		{
			name: "taken, the old key still there", keys: []userKey{active(user, "OLD"), fresh("NEW0")}, held: "NEW0", current: old,
			record: Record{Run: "a", Holds: keys("NEW0")[0], Retiring: before},
			left:   user + "/NEW1", holds: "NEW1", delivered: "NEW1",
		},
		{
			name: "finished, the state not saved", keys: []userKey{fresh("NEW0")}, held: "NEW0", current: old,
			record: Record{Run: "a", Holds: keys("NEW0")[0]},
			left:   user + "/NEW1", holds: "NEW1", delivered: "NEW1",
		},
		{
			name: "finish: minted, never delivered", finish: true, keys: []userKey{active(user, "OLD"), fresh("NEW0")}, current: old, record: minting,
			left: user + "/OLD", holds: "OLD", states: []State{TakeUp, Retire},
		},
		{
			name: "finish: taken, the old key still there", finish: true, keys: []userKey{active(user, "OLD"), fresh("NEW0")}, held: "NEW0", current: old,
			record: Record{Run: "a", Holds: keys("NEW0")[0], Retiring: before},
			left:   user + "/NEW0", holds: "NEW0",
		},
		{
			name: "finish: nothing to do", finish: true, keys: []userKey{active(user, "OLD")}, current: old, record: Record{Run: "a", Holds: old},
			left: user + "/OLD", holds: "OLD", states: []State{TakeUp},
		},
		{
			name: "finish: a key in doubt stays", finish: true, keys: []userKey{active(user, "OLD"), fresh("NEW0")}, current: old,
			record: Record{Run: "a", Holds: old, Offered: keys("NEW0")},
			left:   user + "/NEW0 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD offered=NEW0",
		},
	})
}

// TestBridge: where both keys may be the sender's, neither is touched before it
// has a third.
func TestBridge(t *testing.T) {
	t.Parallel()
	old := keys("OLD")[0]
	both := []userKey{active(user, "OLD"), active(user, "DOUBT")}
	doubt := Record{Run: "a", Holds: old, Offered: keys("DOUBT")}
	tagged := func(w *world) {
		w.addUser(awsapi.User{Name: bridged, Tags: map[string]string{tagBridgeOf: user}})
	}
	runAll(t, []scenario{
		{
			name: "the sender holds the new one of two", keys: both, held: "DOUBT", current: old, record: doubt,
			left: user + "/NEW2", holds: "NEW2", delivered: "NEW2",
		},
		{
			name: "the sender holds the old one of two", keys: both, current: old, record: doubt,
			left: user + "/NEW2", holds: "NEW2", delivered: "NEW2",
		},
		{
			name: "an inactive one of two needs none", keys: []userKey{active(user, "OLD"), inactive(user, "DOUBT")}, current: old, record: doubt,
			left: user + "/NEW1", holds: "NEW1", delivered: "NEW1",
		},
		{
			name: "a bridge user with a lost key is left", keys: both, current: old,
			record: Record{Run: "a", Holds: old, Offered: keys("DOUBT"), Bridge: true},
			given: given(tagged, func(w *world) {
				_, _ = w.mint(bridged)
				_, _ = w.mint(bridged)
			}),
			left: user + "/NEW4", holds: "NEW4", delivered: "NEW4",
		},
		{
			name: "the sender holds the bridge user's key", keys: append(both, active(bridged, "BRIDGE")), held: "BRIDGE", current: old,
			record: Record{Run: "a", Holds: Key{bridged, id("BRIDGE")}, Retiring: keys("OLD", "DOUBT"), Bridge: true},
			given: given(func(w *world) {
				w.users[bridged].Tags[tagBridgeOf] = user
				w.users[bridged].policies[bridgePolicy] = epoch()
			}),
			left: user + "/NEW1", holds: "NEW1", delivered: "NEW1",
		},
		{
			name: "the name is somebody else's", keys: append(both, active(bridged, "HANDMADE")), current: old, record: doubt,
			stopped: Bridge, left: user + "-bridge/HANDMADE " + user + "/DOUBT " + user + "/OLD " + bridged, holds: "OLD",
			recorded: "holds=OLD offered=DOUBT bridge=yes claimed",
			says:     []string{`"sms-sender-bridge" exists and is not the bridge user of "sms-sender"`, "Rename or delete it", "No key was made."},
		},
		{
			name: "it cannot be made", keys: both, current: old, record: doubt, given: given(fail(createUser, false, errRefused)),
			stopped: Bridge, left: user + "/DOUBT " + user + "/OLD", holds: "OLD", recorded: "holds=OLD offered=DOUBT bridge=yes claimed",
		},
		{
			name: "its key is refused", keys: both, current: old, record: doubt, given: given(failDeliveries(errRefused)),
			stopped: Deliver, left: user + "/DOUBT " + user + "/OLD " + bridged, holds: "OLD", recorded: "holds=OLD offered=DOUBT bridge=yes claimed",
			says: []string{"NEW1 was deleted again"},
		},
		{
			name: "its key is in doubt", keys: both, current: old, record: doubt, given: given(failDeliveries(errLost)),
			stopped: Deliver, left: bridged + "/NEW1 " + user + "/DOUBT " + user + "/OLD " + bridged, holds: "NEW1", recorded: "holds=OLD offered=DOUBT:NEW1@ bridge=yes claimed",
		},
		{
			name: "the answer to its mint is lost", keys: both, current: old, record: doubt, given: given(fail(createKey, true, errLost)),
			stopped: Mint, left: bridged + "/NEW1 " + user + "/DOUBT " + user + "/OLD " + bridged, holds: "OLD", recorded: "holds=OLD offered=DOUBT bridge=yes claimed",
			says: []string{"made a key for the bridge user. If it did, the next apply deletes it."},
		},
		{
			name: "the user's own key is refused", keys: both, current: old, record: doubt, given: given(failDeliveries(errLost, nil, errRefused)),
			stopped: Deliver, left: bridged + "/NEW1 " + bridged, holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1@ bridge=yes claimed",
			says: []string{"The new key NEW2 was deleted again. The sender holds key NEW1 of the bridge user."},
		},
		{
			name: "the user's own key is not made", keys: both, current: old, record: doubt,
			given:   given(nth(createKey, 2, func(*world, func() error) error { return errRefused })),
			stopped: Mint, left: bridged + "/NEW1 " + bridged, holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1@ bridge=yes claimed",
			says: []string{"No key was made. The sender holds key NEW1 of the bridge user."},
		},
		{
			name: "it cannot be deleted", keys: both, current: old, record: doubt, given: given(fail(deleteUser, false, errRefused)),
			stopped: Retire, left: user + "/NEW2 " + bridged, holds: "NEW2", delivered: "NEW2", recorded: "holds=NEW2 bridge=yes claimed",
			says: []string{"The sender holds the new key NEW2."},
		},
		{
			name: "every key there can be is in doubt", keys: append(both, active(bridged, "B1"), active(bridged, "B2")), held: "B1", current: old,
			record: Record{Run: "a", Holds: old, Offered: append(keys("DOUBT"), Key{bridged, id("B1")}, Key{bridged, id("B2")}), Bridge: true},
			given:  given(func(w *world) { w.users[bridged].Tags[tagBridgeOf] = user }),

			stopped: FreeSlot, left: bridged + "/B1 " + bridged + "/B2 " + user + "/DOUBT " + user + "/OLD " + bridged, holds: "B1",
			recorded: "holds=OLD offered=DOUBT:B1@:B2@ bridge=yes claimed",
			says:     []string{`"sms-sender-bridge" has no free slot`, "B1 (Active", "sent to the sender once, without an answer"},
		},
	})
}

// TestTakenOver: the run that another one has taken over from stops at its next
// question, and takes nothing from the other.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	old := keys("OLD")[0]
	claim := func(w *world) {
		value, _ := Record{Run: "fe", At: w.clock.now}.encode(user)
		w.users[user].Tags[tagOwn+"claim:"+senderID] = value
	}
	takeOver := func(call string, n int) func(*world, context.CancelFunc) {
		return given(nth(call, n, func(w *world, effect func() error) error {
			claim(w)
			return effect()
		}))
	}
	says := []string{"another apply took over the keys of IAM user \"sms-sender\" at 2026-11-23T12:0", "Wait until it has ended, and plan again", "state locking"}
	tests := []scenario{
		{
			name: "as it begins to mint", given: takeOver(listKeys, 1),
			stopped: Mint, left: user + "/OLD", holds: "OLD",
		},
		{
			name: "as it mints", given: takeOver(createKey, 1),
			stopped: Deliver, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD minting=OLD claimed",
		},
		{
			name: "as it offers", given: takeOver(tagUser, 2),
			stopped: Deliver, left: user + "/OLD", holds: "OLD", recorded: "holds=OLD offered=NEW1 claimed",
		},
		{
			name: "as the sender takes the key", given: takeOver(deliver, 1),
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", recorded: "holds=OLD offered=NEW1 claimed",
		},
		{
			name: "as it records that", given: takeOver(tagUser, 3),
			stopped: Retire, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD claimed",
		},
		{
			name: "as it repeats a delivery", given: given(func(w *world) {
				w.replace(deliver, func(_ context.Context, _, _ string, effect func() error) error {
					claim(w)
					_ = effect()
					return errLost
				})
			}),
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", recorded: "holds=OLD offered=NEW1 claimed",
		},
		{
			name: "as its mint is lost", given: given(func(w *world) {
				w.replace(createKey, func(_ context.Context, _, _ string, effect func() error) error {
					claim(w)
					_ = effect()
					return errLost
				})
			}),
			stopped: Mint, left: user + "/NEW1 " + user + "/OLD", holds: "OLD", recorded: "holds=OLD minting=OLD claimed",
		},
		{
			name: "as it deletes the old key", given: takeOver(deleteKey, 1),
			stopped: Retire, left: user + "/NEW1", holds: "NEW1", delivered: "NEW1", recorded: "holds=NEW1 retiring=OLD claimed",
		},
	}
	for i := range tests {
		tests[i].keys, tests[i].current = []userKey{active(user, "OLD")}, old
		tests[i].says = append(tests[i].says, says...)
		if tests[i].recorded == "" {
			tests[i].recorded = " claimed"
		}
	}
	runAll(t, tests)
}

// TestTakeUpWaits: a run that is at work gets the time that its call may take,
// and what it has recorded by then counts.
func TestTakeUpWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(active(user, "OLD"), fresh("NEW0"))
	w.held = id("OLD")
	at := Record{Run: "aa", Holds: keys("OLD")[0], Minting: true, Before: keys("OLD")}
	w.setRecord(at)
	w.clock.sleep = func(ctx context.Context, d time.Duration) error {
		if w.clock.now.Equal(epoch()) {
			if d < InFlight {
				t.Errorf("the earlier run has %s for what is on its way, want %s", d, InFlight)
			}
			at.Minting, at.Before, at.Offered = false, nil, keys("NEW0")
			w.setRecord(at)
			w.held = id("NEW0")
		}
		return w.pass(ctx, d)
	}
	w.replace(updateKey, func(_ context.Context, _, on string, effect func() error) error {
		if on == w.held {
			t.Errorf("%s is taken away from the sender", short(on))
		}
		return effect()
	})
	outcome, err := w.machine().Rotate(t.Context(), Rotation{User: user, Region: region, Current: keys("OLD")[0]})
	if err != nil || w.held != outcome.Delivered.ID || w.left() != user+"/"+short(w.held) {
		t.Errorf("error %v, keys %s, the sender holds %s", err, w.left(), short(w.held))
	}
}

// TestStaleAnswer: whether another run has taken over is asked again where the
// answer was long on its way.
func TestStaleAnswer(t *testing.T) {
	t.Parallel()
	asked := 0
	scenario{
		keys: []userKey{active(user, "OLD")}, current: keys("OLD")[0],
		given: given(func(w *world) {
			w.replace(getUser, func(_ context.Context, _, _ string, effect func() error) error {
				asked++
				if asked == 2 {
					w.clock.now = w.clock.now.Add(ownedFor)
				}
				return effect()
			})
			w.replace(createKey, func(_ context.Context, _, _ string, effect func() error) error {
				if asked < 3 {
					t.Error("acted on an answer of before")
				}
				return effect()
			})
		}),
		left: user + "/NEW1", holds: "NEW1", delivered: "NEW1",
	}.run(t)
}

// TestSlotErrorIsTyped lets a caller tell the one refusal that a person has to
// resolve from all that the next apply resolves.
func TestSlotErrorIsTyped(t *testing.T) {
	t.Parallel()
	_, err := newWorld(active(user, "F1"), active(user, "F2")).machine().Rotate(t.Context(), Rotation{User: user, Region: region})
	var slots *SlotError
	if !errors.As(err, &slots) || slots.User != user || len(slots.Keys) != 2 {
		t.Errorf("no *SlotError with the user's two keys in %#v", err)
	}
}

// TestSettleTime: a call that began with the old key may take as long as Auth0
// lets it. Deactivating earlier loses its code.
func TestSettleTime(t *testing.T) {
	t.Parallel()
	var delivered, deactivated time.Time
	scenario{
		keys: []userKey{active(user, "OLD")}, current: keys("OLD")[0],
		given: given(func(w *world) {
			w.replace(deliver, func(_ context.Context, _, _ string, effect func() error) error {
				delivered = w.clock.now
				return effect()
			})
			w.replace(updateKey, func(_ context.Context, _, _ string, effect func() error) error {
				deactivated = w.clock.now
				return effect()
			})
		}),
		left: user + "/NEW1", holds: "NEW1", delivered: "NEW1",
	}.run(t)
	if waited := deactivated.Sub(delivered); waited < 20*time.Second {
		t.Errorf("the old key was deactivated %s after the delivery; a run of a sender takes up to 20s", waited)
	}
}

// TestHangingQuestion: without a limit of its own, one question that STS never
// answers would hold up a rotation for ever.
func TestHangingQuestion(t *testing.T) {
	t.Parallel()
	scenario{
		given: given(func(w *world) {
			w.replace(askSTS, func(ctx context.Context, _, _ string, effect func() error) error {
				if deadline, limited := ctx.Deadline(); !limited || time.Until(deadline) > verifyLimit {
					t.Error("a question to STS has no time limit")
				}
				return effect()
			})
		}),
		left: user + "/NEW1", holds: "NEW1", delivered: "NEW1",
	}.run(t)
}

// TestGrace: a write that is on its way when somebody presses Ctrl-C is
// answered, but one that hangs does not hold up the end.
func TestGrace(t *testing.T) {
	t.Parallel()
	for _, call := range []string{createKey, deliver} {
		scenario{
			keys: []userKey{active(user, "OLD")}, current: keys("OLD")[0],
			given: func(w *world, cancel context.CancelFunc) {
				w.replace(call, func(ctx context.Context, _, _ string, _ func() error) error {
					cancel()
					if ctx.Err() != nil {
						t.Errorf("%s is cut off at once", call)
					}
					<-ctx.Done()
					return openError{ctx.Err()}
				})
			},
			stopped:  map[string]State{createKey: Mint, deliver: Deliver}[call],
			left:     map[string]string{createKey: user + "/OLD", deliver: user + "/NEW1 " + user + "/OLD"}[call],
			recorded: map[string]string{createKey: "holds=OLD minting=OLD", deliver: "holds=OLD offered=NEW1"}[call],
			holds:    "OLD", says: []string{"context canceled"},
		}.run(t)
	}
}

// TestCleanUpIsLimited: what is undone after Ctrl-C must neither be cancelled
// with the rest nor take for ever.
func TestCleanUpIsLimited(t *testing.T) {
	t.Parallel()
	scenario{
		given: func(w *world, cancel context.CancelFunc) {
			cancelAt(Deliver)(w, cancel)
			w.replace(deleteKey, func(ctx context.Context, _, _ string, effect func() error) error {
				deadline, limited := ctx.Deadline()
				if ctx.Err() != nil || !limited || time.Until(deadline) > CleanupLimit {
					t.Errorf("clean-up runs with %v", ctx)
				}
				return effect()
			})
		},
		stopped: Deliver,
	}.run(t)
}

// TestSendersApart: what one sender's run leaves is not another's to take up.
func TestSendersApart(t *testing.T) {
	t.Parallel()
	w := newWorld(active(user, "THEIRS"))
	theirs := "at=2026-11-23T12:00:00Z run=b holds=" + id("THEIRS") + " retiring=" + id("GONE")
	w.users[user].Tags[TagPrefix+"another"] = theirs
	if _, err := w.machine().Rotate(t.Context(), Rotation{User: user, Region: region}); err != nil {
		t.Fatal(err)
	}
	if w.left() != user+"/NEW1 "+user+"/THEIRS" || w.users[user].Tags[TagPrefix+"another"] != theirs {
		t.Errorf("the other sender has %s and %q", w.left(), w.users[user].Tags)
	}
}

// TestReleaseAndForget: a destroy that is interrupted in the middle knows the
// next time that no sender holds the keys any more, and leaves nothing behind.
func TestReleaseAndForget(t *testing.T) {
	t.Parallel()
	w := newWorld(active(user, "OLD"), active(user, "DOUBT"), active(bridged, "B1"), active(former, "OLDER"))
	w.users[bridged].Tags[tagBridgeOf] = user
	w.setRecord(Record{
		Run: "a", Holds: keys("OLD")[0], Offered: append(keys("DOUBT"), Key{bridged, id("B1")}), Retiring: []Key{{former, id("OLDER")}}, Bridge: true,
	})
	m := w.machine()
	known, err := m.Look(t.Context(), user, keys("OLD")[0])
	if err != nil || known.Record.Released() {
		t.Fatalf("released %t before it was, error %v", known.Record.Released(), err)
	}
	if known, err = m.Release(t.Context(), user, known); err != nil || !known.Record.Released() || len(known.Record.Keys()) != 4 {
		t.Fatalf("known after the release: %+v, error %v", known.Record, err)
	}
	w.refuse(deleteKey, id("DOUBT"))
	again, err := m.Look(t.Context(), user, keys("OLD")[0])
	if err != nil || !again.Record.Released() {
		t.Fatalf("the record does not say that the keys are released: %q, error %v", w.recorded(), err)
	}
	left, err := m.Forget(t.Context(), user, again)
	if !errors.Is(err, errRefused) || !slices.Equal(left, keys("DOUBT")) || w.recorded() == "" {
		t.Fatalf("left %v with record %q, error %v", left, w.recorded(), err)
	}
	w.replace(deleteKey, nil)
	if left, err = m.Forget(t.Context(), user, again); err != nil || len(left) > 0 {
		t.Fatalf("left %v, error %v", left, err)
	}
	if w.left() != "" || len(w.users[user].Tags) > 0 {
		t.Errorf("left behind: %s, tags %q", w.left(), w.users[user].Tags)
	}
	delete(w.users, user)
	if _, err := m.Forget(t.Context(), user, again); err != nil {
		t.Errorf("a user that is gone: %v", err)
	}
	if _, err := m.Release(t.Context(), user, again); err != nil {
		t.Errorf("a user that is gone: %v", err)
	}
}

// TestOwner: of two objects for one sender, the older one does not take the
// younger one's key for its own.
func TestOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(active(user, "OLD"))
	younger := w.machine()
	younger.Owner = "beef"
	if _, err := younger.Rotate(t.Context(), Rotation{User: user, Region: region}); err != nil {
		t.Fatal(err)
	}
	for owner, mine := range map[string]bool{"beef": true, "dead": false, "": true} {
		m := w.machine()
		m.Owner = owner
		if known, err := m.Look(t.Context(), user, Key{}); err != nil || known.Mine != mine {
			t.Errorf("the record of beef is %q's: %t, want %t (error %v)", owner, known.Mine, mine, err)
		}
	}
}

func TestRetireAll(t *testing.T) {
	t.Parallel()
	w := newWorld(active(user, "A"), active(user, "STUCK"), inactive("other", "B"))
	w.refuse(deleteKey, id("STUCK"))
	left, err := w.machine().RetireAll(t.Context(), append(keys("A", "STUCK", "GONE"), Key{"other", id("B")}))
	if !errors.Is(err, errRefused) {
		t.Errorf("error %v, want the refusal", err)
	}
	if diff := cmp.Diff(keys("STUCK"), left); diff != "" {
		t.Errorf("keys that are left to the next apply (-want +got):\n%s", diff)
	}
	if w.left() != "-"+user+"/STUCK" {
		t.Errorf("keys left: %s", w.left())
	}
	if left, err = w.machine().RetireAll(t.Context(), nil); left != nil || err != nil {
		t.Errorf("nothing to retire gave %v, %v", left, err)
	}
}

// TestRotationNeverPrintsSecret: fmt reads unexported fields without asking
// them how they want to be shown.
func TestRotationNeverPrintsSecret(t *testing.T) {
	t.Parallel()
	key, err := newWorld().mint(user)
	if err != nil {
		t.Fatal(err)
	}
	r, err := (&Machine{}).begin(Rotation{User: user}, FreeSlot)
	if err != nil {
		t.Fatal(err)
	}
	r.newKey = key
	secrets := Secrets{AccessKeyID: key.ID, SecretAccessKey: key.Secret, Region: region}
	shown := fmt.Sprintf("%v %+v %#v %+v %#v %+v %#v", r.newKey, r.newKey, r.newKey, secrets, secrets, *r, *r)
	if strings.Contains(shown, key.Secret.Reveal()) {
		t.Errorf("the secret key can be read in %s", shown)
	}
}
