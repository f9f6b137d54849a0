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
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// scenario is one rotation: what is there, what goes wrong, what is true after.
type scenario struct {
	name  string
	keys  []userKey
	held  string // by the sender at the start; default Current
	req   Rotation
	given func(w *world, cancel context.CancelFunc)

	stopped    State  // "" = it succeeds
	left       string // as world.left gives it
	holds      string // the key the sender holds at the end
	delivered  string // the rest is the Outcome
	superseded []Key
	inDoubt    []Key
	states     []State  // those entered, where the test is about them
	says       []string // parts of the error's text
}

func (s scenario) run(t *testing.T) {
	t.Helper()
	w := newWorld(s.keys...)
	w.held = s.held
	if s.held == "" {
		w.held = s.req.Current.ID
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if s.given != nil {
		s.given(w, cancel)
	}
	s.req.User, s.req.Region = user, region
	m := w.machine()
	outcome, err := m.Rotate(ctx, s.req)
	s.check(t, w, outcome, err)
	requireNoSecret(t, w, m, outcome, err)
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
	if w.left() != s.left {
		t.Errorf("keys left: %s\n     want: %s", w.left(), s.left)
	}
	if w.held != s.holds {
		t.Errorf("the sender holds %q, want %q", w.held, s.holds)
	}
	if outcome.Delivered.ID != s.delivered {
		t.Errorf("the outcome says %q was delivered, want %q", outcome.Delivered.ID, s.delivered)
	}
	if diff := cmp.Diff([][]Key{s.superseded, s.inDoubt}, [][]Key{outcome.Superseded, outcome.InDoubt}, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("superseded keys and those in doubt (-want +got):\n%s", diff)
	}
	if s.states != nil && !slices.Equal(w.states, s.states) {
		t.Errorf("states %q, want %q", w.states, s.states)
	}
	if len(w.late) > 0 {
		t.Errorf("begun after the cancellation: %q", w.late)
	}
	for _, part := range s.says {
		if err != nil && !strings.Contains(err.Error(), part) {
			t.Errorf("the reader is not told %q:\n%v", part, err)
		}
	}
}

// requireNoSecret is invariant 1: not even a careless %+v shows a secret key.
func requireNoSecret(t *testing.T, w *world, m *Machine, outcome Outcome, err error) {
	t.Helper()
	shown := fmt.Sprintf("%+v %#v %+v %#v %v %+v %#v", *m, m, outcome, outcome, err, err, err)
	for _, secret := range w.minted {
		if strings.Contains(shown, secret) {
			t.Errorf("secret key %s can be read in: %s", secret, shown)
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
			return w.sleep(ctx, asked)
		}
	}
}

func old(ids ...string) []Key {
	keys := make([]Key, len(ids))
	for i, id := range ids {
		keys[i] = Key{user, id}
	}
	return keys
}

func TestRotateSucceeds(t *testing.T) {
	t.Parallel()
	tests := []scenario{
		{
			name: "first delivery", holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver},
		},
		{
			name: "rotation", keys: []userKey{active(user, "OLD")}, req: Rotation{Current: Key{user, "OLD"}},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver, Settle, Retire},
		},
		{
			name: "a current key without an id is none", req: Rotation{Current: Key{User: user}},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver},
		},
		{
			name: "a key deleted by hand is replaced without a wait", req: Rotation{Current: Key{user, "OLD"}},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver, Retire},
		},
		{
			name: "a key deactivated by hand is replaced without a wait", keys: []userKey{inactive(user, "OLD")}, req: Rotation{Current: Key{user, "OLD"}},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver, Retire},
		},
		{
			name: "an inactive key makes room beside a foreign one", keys: []userKey{inactive(user, "OLD"), active(user, "FOREIGN")}, req: Rotation{Current: Key{user, "OLD"}},
			holds: "NEW1", delivered: "NEW1", left: user + "/FOREIGN " + user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver},
		},
		{
			name: "the old key is another user's", keys: []userKey{active("former", "OLD"), active(user, "FOREIGN")}, req: Rotation{Current: Key{"former", "OLD"}},
			holds: "NEW1", delivered: "NEW1", left: user + "/FOREIGN " + user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver, Settle, Retire},
		},
		{
			name: "the other user is gone with its key", req: Rotation{Current: Key{"former", "OLD"}},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "the user was renamed since the keys were recorded", keys: []userKey{active(user, "OLD"), active(user, "OLDER")},
			req:   Rotation{Current: Key{"former", "OLD"}, Superseded: []Key{{"former", "OLDER"}}},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "an old key that was left makes room", keys: []userKey{active(user, "OLDER"), active(user, "OLD")},
			req:   Rotation{Current: Key{user, "OLD"}, Superseded: old("OLDER")},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "an old key that was left is deleted after a first delivery too", keys: []userKey{inactive("former", "OLDER")}, req: Rotation{Superseded: []Key{{"former", "OLDER"}}},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver, Retire},
		},
		{
			name: "a key recorded as both current and superseded is in use", keys: []userKey{active(user, "OLD"), active(user, "OLDER")},
			req: Rotation{Current: Key{user, "OLD"}, Superseded: old("OLDER", "OLD"), InDoubt: old("OLD")},
			given: func(w *world, _ context.CancelFunc) {
				w.sender.deliver = func(ctx context.Context, s Secrets) error {
					if !strings.Contains(w.left(), user+"/OLD") {
						t.Error("the key in use was deleted before the new one was delivered")
					}
					return w.deliver(ctx, s)
				}
			},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "a delivery settles an earlier one that was in doubt", keys: []userKey{active(user, "DOUBT")}, held: "DOUBT",
			req:   Rotation{InDoubt: old("DOUBT")},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
			states: []State{FreeSlot, Mint, Verify, Deliver, Settle, Retire},
		},
		{
			name: "AWS refuses the key every third time at first", keys: []userKey{active(user, "OLD")}, req: Rotation{Current: Key{user, "OLD"}},
			given: func(w *world, _ context.CancelFunc) {
				asked := 0
				w.keys.accepted = func(ctx context.Context, region string, key awsapi.NewAccessKey) (bool, error) {
					if asked++; asked < 30 {
						return asked%3 != 0, nil
					}
					return w.accepted(ctx, region, key)
				}
				w.sender.deliver = func(ctx context.Context, s Secrets) error {
					if asked < 30 {
						t.Errorf("delivered after %d questions, while AWS still refused the key now and then", asked)
					}
					return w.deliver(ctx, s)
				}
			},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "STS cannot be asked for a while", given: func(w *world, _ context.CancelFunc) {
				asked := 0
				w.keys.accepted = func(ctx context.Context, region string, key awsapi.NewAccessKey) (bool, error) {
					if asked++; asked < 20 {
						return false, errRefused
					}
					return w.accepted(ctx, region, key)
				}
			},
			holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "the answer to a delivery is lost once", keys: []userKey{active(user, "OLD")}, req: Rotation{Current: Key{user, "OLD"}},
			given: failDeliveries(errLost, nil), holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
		{
			name: "a repeated delivery is refused once", keys: []userKey{active(user, "OLD")}, req: Rotation{Current: Key{user, "OLD"}},
			given: failDeliveries(errLost, errRefused, nil), holds: "NEW1", delivered: "NEW1", left: user + "/NEW1",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// failDeliveries gives each delivery its error; the last one is for all that
// follow. One that is open took effect all the same.
func failDeliveries(errs ...error) func(*world, context.CancelFunc) {
	return func(w *world, _ context.CancelFunc) {
		attempt := 0
		w.sender.deliver = func(ctx context.Context, s Secrets) error {
			err := errs[min(attempt, len(errs)-1)]
			attempt++
			if err == nil || ambiguous(err) {
				_ = w.deliver(ctx, s)
			}
			return err
		}
	}
}

// TestRotateStops is the table of what every failure leaves. If it fails,
// either a sender is left with a key that AWS refuses, or a key is left that
// nobody knows of.
func TestRotateStops(t *testing.T) {
	t.Parallel()
	current := Rotation{Current: Key{user, "OLD"}}
	const nothing = "No key was made. The sender holds what it held before."
	tests := []scenario{
		// FreeSlot: nothing was made.
		{
			name: "FreeSlot: cancelled", keys: []userKey{active(user, "OLD")}, req: current, given: cancelAt(FreeSlot),
			stopped: FreeSlot, left: user + "/OLD", holds: "OLD", says: []string{"context canceled", nothing},
		},
		{
			name: "FreeSlot: keys cannot be listed", keys: []userKey{active(user, "OLD"), active(user, "OLDER")},
			req: Rotation{Current: Key{user, "OLD"}, Superseded: old("OLDER")},
			given: func(w *world, _ context.CancelFunc) {
				w.keys.accessKeys = func(context.Context, string) ([]awsapi.AccessKey, error) { return nil, errRefused }
			},
			stopped: FreeSlot, left: user + "/OLD " + user + "/OLDER", holds: "OLD", superseded: old("OLDER"),
			says: []string{`stopped at "free the second key slot"`, "403 refused", nothing},
		},
		{
			name: "FreeSlot: a foreign key has the slot", keys: []userKey{active(user, "OLD"), inactive(user, "FOREIGN")}, req: current,
			stopped: FreeSlot, left: "-" + user + "/FOREIGN " + user + "/OLD", holds: "OLD",
			says: []string{
				nothing, `"sms-sender" has no free slot`, "AWS allows 2",
				"OLD (Active, made 2026-10-23, 31 days ago): recorded as the sender's",
				"FOREIGN (Inactive, made 2026-10-23, 31 days ago): not known here",
				"aws iam get-access-key-last-used --access-key-id", "aws iam delete-access-key --user-name sms-sender",
			},
		},
		{
			name: "FreeSlot: two foreign keys", keys: []userKey{active(user, "F1"), active(user, "F2")}, held: "BY HAND",
			stopped: FreeSlot, left: user + "/F1 " + user + "/F2", holds: "BY HAND", says: []string{"F1 (Active", "F2 (Active", "not known here"},
		},
		{
			name: "FreeSlot: a key is in doubt", keys: []userKey{active(user, "OLD"), active(user, "DOUBT")}, held: "DOUBT",
			req:     Rotation{Current: Key{user, "OLD"}, InDoubt: old("DOUBT")},
			stopped: FreeSlot, left: user + "/DOUBT " + user + "/OLD", holds: "DOUBT", inDoubt: old("DOUBT"),
			says: []string{"OLD (Active, made 2026-10-23, 31 days ago): recorded as the sender's", "): sent to the sender once, without an answer", "send a message first"},
		},
		{
			name: "FreeSlot: a superseded key is gone, but a foreign one has the slot", keys: []userKey{active(user, "OLD"), active(user, "FOREIGN")},
			req:     Rotation{Current: Key{user, "OLD"}, Superseded: old("OLDER")},
			stopped: FreeSlot, left: user + "/FOREIGN " + user + "/OLD", holds: "OLD", superseded: old("OLDER"), says: []string{"FOREIGN"},
		},
		{
			name: "FreeSlot: the old key cannot be deleted", keys: []userKey{active(user, "OLD"), active(user, "OLDER")},
			req: Rotation{Current: Key{user, "OLD"}, Superseded: old("OLDER")}, given: refuseDelete("OLDER"),
			stopped: FreeSlot, left: "-" + user + "/OLDER " + user + "/OLD", holds: "OLD", superseded: old("OLDER"), says: []string{nothing},
		},
		{
			name: "FreeSlot: the inactive key cannot be deleted", keys: []userKey{inactive(user, "OLD"), active(user, "FOREIGN")}, req: current, given: refuseDelete("OLD"),
			stopped: FreeSlot, left: "-" + user + "/OLD " + user + "/FOREIGN", holds: "OLD", says: []string{nothing},
		},

		// Mint: a key whose secret is lost is deleted.
		{
			name: "Mint: cancelled", keys: []userKey{active(user, "OLD")}, req: current, given: cancelAt(Mint),
			stopped: Mint, left: user + "/OLD", holds: "OLD", says: []string{nothing},
		},
		{
			name: "Mint: refused", keys: []userKey{active(user, "OLD")}, req: current, given: failMint(false, errRefused),
			stopped: Mint, left: user + "/OLD", holds: "OLD", says: []string{`stopped at "mint the key": 403 refused`, nothing},
		},
		{
			name: "Mint: refused after room was made", keys: []userKey{inactive(user, "OLD"), active(user, "FOREIGN")}, req: current, given: failMint(false, errRefused),
			stopped: Mint, left: user + "/FOREIGN", holds: "OLD", says: []string{nothing, "OLD was inactive and has been deleted to make room"},
		},
		{
			name: "Mint: refused although a key appeared", keys: []userKey{active(user, "OLD")}, req: current, given: failMint(true, errRefused),
			stopped: Mint, left: user + "/NEW1 " + user + "/OLD", holds: "OLD", says: []string{nothing},
		},
		{
			name: "Mint: lost on the way", keys: []userKey{active(user, "OLD")}, req: current, given: failMint(false, errLost),
			stopped: Mint, left: user + "/OLD", holds: "OLD", says: []string{nothing},
		},
		{
			name: "Mint: the answer is lost", keys: []userKey{active(user, "OLD")}, req: current, given: failMint(true, errLost),
			stopped: Mint, left: user + "/OLD", holds: "OLD", says: []string{"connection lost", "The new key NEW1 was deleted again. The sender holds what it held before."},
		},
		{
			name: "Mint: cancelled while AWS made the key", keys: []userKey{active(user, "OLD")}, req: current,
			given: func(w *world, cancel context.CancelFunc) {
				w.keys.create = func(ctx context.Context, user string) (awsapi.NewAccessKey, error) {
					_, _ = w.create(ctx, user)
					cancel()
					return awsapi.NewAccessKey{}, openError{context.Canceled}
				}
			},
			stopped: Mint, left: user + "/OLD", holds: "OLD", says: []string{"context canceled", "NEW1 was deleted again"},
		},
		{
			name: "Mint: the answer is lost and the keys cannot be listed", keys: []userKey{active(user, "OLD")}, req: current,
			given: func(w *world, cancel context.CancelFunc) {
				failMint(true, errLost)(w, cancel)
				w.keys.accessKeys = func(ctx context.Context, user string) ([]awsapi.AccessKey, error) {
					if len(w.minted) > 0 {
						return nil, errRefused
					}
					return w.list(ctx, user)
				}
			},
			stopped: Mint, left: user + "/NEW1 " + user + "/OLD", holds: "OLD",
			says: []string{"did not say whether it made a key", `"sms-sender" could not be listed: 403 refused`, "the newest one and was never used"},
		},
		{
			name: "Mint: the answer is lost and the key cannot be deleted", keys: []userKey{active(user, "OLD")}, req: current,
			given: func(w *world, cancel context.CancelFunc) {
				failMint(true, errLost)(w, cancel)
				refuseDelete("NEW1")(w, cancel)
			},
			stopped: Mint, left: "-" + user + "/NEW1 " + user + "/OLD", holds: "OLD", superseded: old("NEW1"),
			says: []string{"NEW1 could not be deleted again, which is left to the next apply: 403 refused"},
		},
		{
			name: "Mint: the answer is lost while somebody else made a key", given: func(w *world, _ context.CancelFunc) {
				w.keys.create = func(ctx context.Context, user string) (awsapi.NewAccessKey, error) {
					_, _ = w.create(ctx, user)
					_, _ = w.create(ctx, user)
					return awsapi.NewAccessKey{}, errLost
				}
			},
			stopped: Mint, left: user + "/NEW1 " + user + "/NEW2", says: []string{"somebody else made one", "NEW1, NEW2"},
		},

		// Verify: the key is known, and nobody holds it.
		{
			name: "Verify: cancelled between mint and verify", keys: []userKey{active(user, "OLD")}, req: current, given: cancelAt(Verify),
			stopped: Verify, left: user + "/OLD", holds: "OLD", says: []string{"context canceled", "NEW1 was deleted again"},
		},
		{
			name: "Verify: cancelled while waiting", keys: []userKey{active(user, "OLD")}, req: current, given: cancelSleeping(pollInterval),
			stopped: Verify, left: user + "/OLD", holds: "OLD", says: []string{"context canceled", "NEW1 was deleted again"},
		},
		{
			name: "Verify: never accepted", keys: []userKey{active(user, "OLD")}, req: current,
			given:   func(w *world, _ context.CancelFunc) { w.delay = time.Hour },
			stopped: Verify, left: user + "/OLD", holds: "OLD",
			says: []string{"STS in region eu-north-1 did not accept key NEW1 3 times in a row within 1m0s: check that the account has enabled the region", "NEW1 was deleted again"},
		},
		{
			name: "Verify: STS cannot be asked", keys: []userKey{active(user, "OLD")}, req: current,
			given: func(w *world, _ context.CancelFunc) {
				w.keys.accepted = func(context.Context, string, awsapi.NewAccessKey) (bool, error) { return false, errRefused }
			},
			stopped: Verify, left: user + "/OLD", holds: "OLD", says: []string{"the last time it could not be asked: 403 refused"},
		},
		{
			name: "Verify: the new key cannot be deleted again", keys: []userKey{active(user, "OLD")}, req: current,
			given: func(w *world, cancel context.CancelFunc) {
				w.delay = time.Hour
				refuseDelete("NEW1")(w, cancel)
			},
			stopped: Verify, left: "-" + user + "/NEW1 " + user + "/OLD", holds: "OLD", superseded: old("NEW1"),
			says: []string{"The sender holds what it held before. The new key NEW1 could not be deleted again"},
		},

		// Deliver: a refusal undoes, doubt keeps.
		{
			name: "Deliver: cancelled", keys: []userKey{active(user, "OLD")}, req: current, given: cancelAt(Deliver),
			stopped: Deliver, left: user + "/OLD", holds: "OLD", says: []string{"NEW1 was deleted again"},
		},
		{
			name: "Deliver: refused", keys: []userKey{active(user, "OLD")}, req: current, given: failDeliveries(errRefused),
			stopped: Deliver, left: user + "/OLD", holds: "OLD", says: []string{"403 refused", "The new key NEW1 was deleted again. The sender holds what it held before."},
		},
		{
			name: "Deliver: refused, and the new key cannot be deleted again", keys: []userKey{active(user, "OLD")}, req: current,
			given: func(w *world, cancel context.CancelFunc) {
				failDeliveries(errRefused)(w, cancel)
				refuseDelete("NEW1")(w, cancel)
			},
			stopped: Deliver, left: "-" + user + "/NEW1 " + user + "/OLD", holds: "OLD", superseded: old("NEW1"),
		},
		{
			name: "Deliver: every answer is lost", keys: []userKey{active(user, "OLD")}, req: current, given: failDeliveries(errLost),
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", inDoubt: old("NEW1"),
			says: []string{"connection lost", "not known whether the sender took the new key NEW1", "It was left in place"},
		},
		{
			name: "Deliver: the answer is lost, the repeats are refused", keys: []userKey{active(user, "OLD")}, req: current, given: failDeliveries(errLost, errRefused),
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", inDoubt: old("NEW1"),
			says: []string{"403 refused", "not known whether"},
		},
		{
			name: "Deliver: the first answer ever is lost", given: failDeliveries(errLost),
			stopped: Deliver, left: user + "/NEW1", holds: "NEW1", inDoubt: old("NEW1"),
		},
		{
			name: "Deliver: cancelled while waiting to repeat", keys: []userKey{active(user, "OLD")}, req: current,
			given: func(w *world, cancel context.CancelFunc) {
				failDeliveries(errLost, nil)(w, cancel)
				cancelSleeping(time.Second)(w, cancel)
			},
			stopped: Deliver, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", inDoubt: old("NEW1"),
			says: []string{"connection lost (not repeated: context canceled)", "not known whether"},
		},
		{
			name: "Deliver: a second delivery in doubt", keys: []userKey{active(user, "DOUBT")}, held: "DOUBT", req: Rotation{InDoubt: old("DOUBT")}, given: failDeliveries(errLost),
			stopped: Deliver, left: user + "/DOUBT " + user + "/NEW1", holds: "NEW1", inDoubt: old("DOUBT", "NEW1"),
		},

		// Settle and Retire: the sender holds the new key, which stays.
		{
			name: "Settle: cancelled", keys: []userKey{active(user, "OLD")}, req: current, given: cancelAt(Settle),
			stopped: Settle, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", superseded: old("OLD"),
		},
		{
			name: "Settle: cancelled while waiting", keys: []userKey{active(user, "OLD")}, req: current, given: cancelSleeping(InFlight),
			stopped: Settle, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", superseded: old("OLD"),
			says: []string{"context canceled", "The sender holds the new key NEW1. Still to be deleted, by the next apply: OLD."},
		},
		{
			name: "Retire: cancelled", keys: []userKey{active(user, "OLD")}, req: current, given: cancelAt(Retire),
			stopped: Retire, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", superseded: old("OLD"),
		},
		{
			name: "Retire: deactivation refused", keys: []userKey{active(user, "OLD")}, req: current,
			given: func(w *world, _ context.CancelFunc) {
				w.keys.setActive = func(context.Context, string, string, bool) error { return errRefused }
			},
			stopped: Retire, left: user + "/NEW1 " + user + "/OLD", holds: "NEW1", delivered: "NEW1", superseded: old("OLD"),
		},
		{
			name: "Retire: deletion refused", keys: []userKey{active(user, "OLD")}, req: current, given: refuseDelete("OLD"),
			stopped: Retire, left: "-" + user + "/OLD " + user + "/NEW1", holds: "NEW1", delivered: "NEW1", superseded: old("OLD"),
			says: []string{`stopped at "retire the old key": 403 refused`, "Still to be deleted, by the next apply: OLD."},
		},
		{
			name: "Retire: an undeletable key of another user keeps neither the new key nor the old one's deletion", keys: []userKey{active(user, "OLD"), active("former", "STUCK")},
			req:     Rotation{Current: Key{user, "OLD"}, Superseded: []Key{{"former", "STUCK"}}},
			given:   refuseDelete("STUCK"),
			stopped: Retire, left: "-former/STUCK " + user + "/NEW1", holds: "NEW1", delivered: "NEW1", superseded: []Key{{"former", "STUCK"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.run(t)
		})
	}
}

// failMint answers with err, after the key was made where took is true.
func failMint(took bool, err error) func(*world, context.CancelFunc) {
	return func(w *world, _ context.CancelFunc) {
		w.keys.create = func(ctx context.Context, user string) (awsapi.NewAccessKey, error) {
			if took {
				_, _ = w.create(ctx, user)
			}
			return awsapi.NewAccessKey{}, err
		}
	}
}

func refuseDelete(id string) func(*world, context.CancelFunc) {
	return func(w *world, _ context.CancelFunc) {
		w.keys.remove = func(ctx context.Context, user, asked string) error {
			if asked == id {
				return errRefused
			}
			return w.remove(ctx, user, asked)
		}
	}
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
		keys: []userKey{active(user, "OLD")}, req: Rotation{Current: Key{user, "OLD"}},
		given: func(w *world, _ context.CancelFunc) {
			w.sender.deliver = func(ctx context.Context, s Secrets) error {
				delivered = w.clock.now
				return w.deliver(ctx, s)
			}
			w.keys.setActive = func(ctx context.Context, user, id string, active bool) error {
				deactivated = w.clock.now
				return w.setActive(ctx, user, id, active)
			}
		},
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
		given: func(w *world, _ context.CancelFunc) {
			w.keys.accepted = func(ctx context.Context, region string, key awsapi.NewAccessKey) (bool, error) {
				if deadline, limited := ctx.Deadline(); !limited || time.Until(deadline) > verifyLimit {
					t.Error("a question to STS has no time limit")
				}
				return w.accepted(ctx, region, key)
			}
		},
		left: user + "/NEW1", holds: "NEW1", delivered: "NEW1",
	}.run(t)
}

// TestCleanUpIsLimited: what is undone after Ctrl-C must neither be cancelled
// with the rest nor take for ever.
func TestCleanUpIsLimited(t *testing.T) {
	t.Parallel()
	scenario{
		given: func(w *world, cancel context.CancelFunc) {
			cancelAt(Deliver)(w, cancel)
			w.keys.remove = func(ctx context.Context, user, id string) error {
				deadline, limited := ctx.Deadline()
				if ctx.Err() != nil || !limited || time.Until(deadline) > CleanupLimit {
					t.Errorf("clean-up runs with %v", ctx)
				}
				return w.remove(ctx, user, id)
			}
		},
		stopped: Deliver,
	}.run(t)
}

func TestRetireAll(t *testing.T) {
	t.Parallel()
	w := newWorld(active(user, "A"), active(user, "STUCK"), inactive("other", "B"))
	refuseDelete("STUCK")(w, nil)
	left, err := w.machine().RetireAll(t.Context(), []Key{{user, "A"}, {user, "STUCK"}, {user, "GONE"}, {"other", "B"}})
	if !errors.Is(err, errRefused) {
		t.Errorf("error %v, want the refusal", err)
	}
	if diff := cmp.Diff(old("STUCK"), left); diff != "" {
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
	w := newWorld()
	key, err := w.create(t.Context(), user)
	if err != nil {
		t.Fatal(err)
	}
	r := w.machine().begin(Rotation{User: user})
	r.Minted = key
	secrets := Secrets{AccessKeyID: key.ID, SecretAccessKey: key.Secret, Region: region}
	shown := fmt.Sprintf("%v %+v %#v %+v %#v %+v", r.Minted, r.Minted, r.Minted, secrets, secrets, *r.withoutFakes())
	if strings.Contains(shown, key.Secret.Reveal()) {
		t.Errorf("the secret key can be read in %s", shown)
	}
}

// withoutFakes leaves out the fake account, which knows every secret.
func (r *rotation) withoutFakes() *rotation {
	r.Machine = &Machine{}
	return r
}
