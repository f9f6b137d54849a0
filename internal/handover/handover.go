// Package handover mints an IAM access key and hands it to the sender at Auth0,
// so that the secret key lives in memory only, between the two. It is a state
// machine: every way a rotation can stop is a named state, and what has to be
// undone or kept follows from the state alone.
package handover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// Names of the three secrets every sender reads, those of Auth0's guide.
const (
	SecretAccessKeyID     = "AWS_ACCESS_KEY_ID"
	SecretSecretAccessKey = "AWS_SECRET_ACCESS_KEY" //nolint:gosec // The name of a secret, not a secret.
	SecretRegion          = "AWS_REGION"
)

// SecretNames lists the three secrets in the order of the guide.
func SecretNames() []string {
	return []string{SecretAccessKeyID, SecretSecretAccessKey, SecretRegion}
}

// InFlight is Auth0's limit for one run of a sender: a call that began with the
// old key has ended after it.
// https://auth0.com/docs/customize/actions/limitations
const InFlight = 20 * time.Second

// CleanupLimit bounds what is undone after a failure or a cancellation.
const CleanupLimit = 15 * time.Second

const (
	// acceptedInARow is how often STS must accept a new key before it is
	// handed over: keys reach AWS's fleet one host at a time.
	acceptedInARow = 3
	pollInterval   = 500 * time.Millisecond
	verifyLimit    = 60 * time.Second
	// acceptLimit bounds one question to STS, so that one that hangs cannot
	// hold up the rotation for longer than verifyLimit.
	acceptLimit = 10 * time.Second
	// deliverAttempts bounds repeats of a delivery whose outcome is unknown.
	deliverAttempts = 3
	// keysPerUser is AWS's quota, which cannot be raised.
	keysPerUser = 2
)

// State names where a rotation is.
type State string

// The states in the order a rotation passes them. Settle and Retire are passed
// over where there is nothing to wait for or to delete.
const (
	FreeSlot State = "free the second key slot"
	Mint     State = "mint the key"
	Verify   State = "wait until AWS accepts the key"
	Deliver  State = "deliver the key to the sender"
	Settle   State = "wait out calls in flight"
	Retire   State = "retire the old key"
	Done     State = "done"
)

// Keys is the IAM and STS side. A failed write whose error has a method
// Ambiguous() bool that gives true may have taken effect.
type Keys interface {
	AccessKeys(ctx context.Context, user string) ([]awsapi.AccessKey, error)
	CreateAccessKey(ctx context.Context, user string) (awsapi.NewAccessKey, error)
	SetAccessKeyActive(ctx context.Context, user, id string, active bool) error
	DeleteAccessKey(ctx context.Context, user, id string) error
	Accepted(ctx context.Context, region string, key awsapi.NewAccessKey) (bool, error)
}

// Sender is where the secrets go.
type Sender interface {
	// Deliver writes the three secrets and returns when the running sender
	// has them. Repeating it is harmless. After an error the sender runs with
	// what it had, unless the error has a method Ambiguous() bool that gives
	// true.
	Deliver(ctx context.Context, secrets Secrets) error
	// Withdraw removes the three secrets, and only them. A sender that no
	// longer exists is no error.
	Withdraw(ctx context.Context) error
}

// Clock is time, replaced in tests.
type Clock interface {
	Now() time.Time
	// Sleep waits, and returns the context's error when that ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

// Secrets is what a sender needs to publish.
type Secrets struct {
	AccessKeyID     string
	SecretAccessKey awsapi.Secret
	Region          string
}

// Key names an access key and the user it belongs to.
type Key struct {
	User string `json:"user"`
	ID   string `json:"id"`
}

// Machine performs hand-overs.
type Machine struct {
	Keys   Keys
	Sender Sender
	Clock  Clock
	// Observe is told each state as it is entered; may be nil.
	Observe func(ctx context.Context, state State)
}

// Rotation says which key to make and which keys it replaces.
type Rotation struct {
	User   string
	Region string
	// Current is the key that the sender holds now; without an ID at first
	// delivery.
	Current Key
	// Superseded are keys that an earlier rotation replaced and could not
	// delete. No sender holds them. Current among them is ignored.
	Superseded []Key
	// InDoubt are keys that the sender may hold instead of Current; see
	// [Outcome.InDoubt].
	InDoubt []Key
}

// Outcome is what is true after a rotation, also after one that failed.
type Outcome struct {
	// Delivered is the key the sender holds now; zero when it holds what it
	// held before.
	Delivered awsapi.AccessKey
	// Superseded are keys no sender holds that still exist.
	Superseded []Key
	// InDoubt are keys of deliveries that ended without an answer. The sender
	// may hold one of them, so they stay until a later delivery succeeds.
	InDoubt []Key
}

// Rotate mints a key, delivers it and retires what it replaces. The outcome is
// valid with and without an error: a failure before delivery leaves the sender
// with the key it had, a failure after it leaves the sender with the new one.
// Every error is an [*Error].
func (m *Machine) Rotate(ctx context.Context, req Rotation) (Outcome, error) {
	r := m.begin(req)
	for state := FreeSlot; state != Done; {
		if m.Observe != nil {
			m.Observe(ctx, state)
		}
		next, err := r.step(ctx, state)
		if err != nil {
			effect := r.compensate(ctx, state, err)
			return r.outcome, &Error{State: state, Err: err, Effect: effect}
		}
		state = next
	}
	return r.outcome, nil
}

// RetireAll deactivates and deletes keys that no sender holds and returns those
// that are left. A key that is already gone counts as retired. One that cannot
// be retired does not keep the others.
func (m *Machine) RetireAll(ctx context.Context, keys []Key) ([]Key, error) {
	var left []Key
	var failures []error
	for _, key := range keys {
		if err := m.retireOne(ctx, key); err != nil {
			left = append(left, key)
			failures = append(failures, err)
		}
	}
	return left, errors.Join(failures...)
}

// retireOne deactivates before it deletes: until the deletion, a person can
// still turn the key on again.
func (m *Machine) retireOne(ctx context.Context, key Key) error {
	err := m.Keys.SetAccessKeyActive(ctx, key.User, key.ID, false)
	if err == nil {
		err = m.Keys.DeleteAccessKey(ctx, key.User, key.ID)
	}
	if err != nil && !awsapi.IsNotFound(err) {
		return err
	}
	return nil
}

// rotation is one run of the machine.
type rotation struct {
	*Machine
	req    Rotation
	before []awsapi.AccessKey // the user's keys at the start
	// Minted is exported because fmt prints a Secret beneath an unexported
	// field in clear.
	Minted    awsapi.NewAccessKey
	uncertain bool // a delivery ended without an answer
	freed     bool // the current key was inactive and made room for the new one
	outcome   Outcome
}

func (m *Machine) begin(req Rotation) *rotation {
	return &rotation{Machine: m, req: req, outcome: Outcome{
		Superseded: without(req.Superseded, req.Current),
		InDoubt:    slices.Clone(req.InDoubt),
	}}
}

// step is one state. Nothing new begins after a cancellation.
func (r *rotation) step(ctx context.Context, state State) (State, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	switch state {
	case FreeSlot:
		return r.freeSlot(ctx)
	case Mint:
		return r.mint(ctx)
	case Verify:
		return r.verify(ctx)
	case Deliver:
		return r.deliver(ctx)
	case Settle:
		return Retire, r.Clock.Sleep(ctx, InFlight)
	default:
		return r.retire(ctx)
	}
}

// freeSlot deletes nothing while a slot is free: a key that cannot be deleted
// must not keep a sender that has none from getting one.
func (r *rotation) freeSlot(ctx context.Context) (State, error) {
	keys, err := r.Keys.AccessKeys(ctx, r.req.User)
	if err != nil {
		return "", err
	}
	r.before = keys
	r.correctUsers()
	if len(keys) < keysPerUser {
		return Mint, nil
	}
	return Mint, r.makeRoom(ctx)
}

// correctUsers keeps up with a user that was renamed since a key was recorded:
// an id is unique, so a key that is listed belongs to the user asked about.
// Under the old name AWS would say that it does not exist, and it would stay.
func (r *rotation) correctUsers() {
	correct := func(keys []Key) {
		for i := range keys {
			if _, found := r.listed(keys[i].ID); found {
				keys[i].User = r.req.User
			}
		}
	}
	current := []Key{r.req.Current}
	correct(current)
	r.req.Current = current[0]
	correct(r.outcome.Superseded)
	correct(r.outcome.InDoubt)
}

// makeRoom retires what sends nothing: keys that an earlier rotation left, or
// else the current one if it is inactive.
func (r *rotation) makeRoom(ctx context.Context) error {
	if slices.ContainsFunc(r.outcome.Superseded, func(k Key) bool { _, found := r.listed(k.ID); return found }) {
		return r.retireSuperseded(ctx)
	}
	current, found := r.listed(r.req.Current.ID)
	if !found || current.Active {
		return &SlotError{User: r.req.User, Keys: r.before, Current: r.req.Current, InDoubt: r.outcome.InDoubt, Now: r.Clock.Now()}
	}
	if err := r.retireOne(ctx, r.req.Current); err != nil {
		return err
	}
	r.freed = true
	return nil
}

func (r *rotation) mint(ctx context.Context) (State, error) {
	key, err := r.Keys.CreateAccessKey(ctx, r.req.User)
	if err != nil {
		return "", err
	}
	r.Minted = key
	return Verify, nil
}

// verify waits until STS has accepted the key several times in a row. A
// question that fails is asked again: until the sender needs it, the key has
// time.
func (r *rotation) verify(ctx context.Context) (State, error) {
	deadline := r.Clock.Now().Add(verifyLimit)
	for inARow := 0; ; {
		accepted, err := r.accepted(ctx)
		if inARow++; !accepted {
			inARow = 0
		}
		if inARow == acceptedInARow {
			return Deliver, nil
		}
		if !r.Clock.Now().Before(deadline) {
			return "", notAccepted(r.Minted.ID, r.req.Region, err)
		}
		if err := r.Clock.Sleep(ctx, pollInterval); err != nil {
			return "", err
		}
	}
}

func (r *rotation) accepted(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	return r.Keys.Accepted(ctx, r.req.Region, r.Minted)
}

func (r *rotation) deliver(ctx context.Context) (State, error) {
	if err := r.send(ctx); err != nil {
		return "", err
	}
	replaced := r.outcome.InDoubt
	if r.req.Current.ID != "" && !r.freed {
		replaced = append(replaced, r.req.Current)
	}
	r.outcome.Delivered = r.Minted.AccessKey
	r.outcome.InDoubt = nil
	r.outcome.Superseded = append(r.outcome.Superseded, replaced...)
	switch {
	case slices.ContainsFunc(replaced, r.mayBeInFlight):
		return Settle, nil
	case len(r.outcome.Superseded) > 0:
		return Retire, nil
	default:
		return Done, nil
	}
}

// send delivers, and repeats while it is open whether the sender took the key.
// A refusal settles nothing once an earlier attempt may have taken effect.
func (r *rotation) send(ctx context.Context) error {
	secrets := Secrets{AccessKeyID: r.Minted.ID, SecretAccessKey: r.Minted.Secret, Region: r.req.Region}
	for attempt := 1; ; attempt++ {
		err := r.Sender.Deliver(ctx, secrets)
		if err == nil {
			return nil
		}
		r.uncertain = r.uncertain || ambiguous(err)
		if !r.uncertain || attempt == deliverAttempts {
			return err
		}
		if stopped := r.Clock.Sleep(ctx, time.Duration(attempt)*time.Second); stopped != nil {
			return fmt.Errorf("%w (not repeated: %w)", err, stopped)
		}
	}
}

// mayBeInFlight tells whether a call that began with the key can still succeed:
// not with one that was inactive or gone at the start. Of another user's key
// nothing is known.
func (r *rotation) mayBeInFlight(key Key) bool {
	listed, found := r.listed(key.ID)
	return listed.Active || (!found && key.User != r.req.User)
}

func (r *rotation) retire(ctx context.Context) (State, error) {
	return Done, r.retireSuperseded(ctx)
}

func (r *rotation) retireSuperseded(ctx context.Context) error {
	left, err := r.RetireAll(ctx, r.outcome.Superseded)
	r.outcome.Superseded = left
	return err
}

// compensate undoes what must not stay after a failure and says in words what
// is true now. It runs to its own time limit, also after a cancellation: a key
// whose secret is lost blocks the slot that the next attempt needs.
func (r *rotation) compensate(ctx context.Context, state State, cause error) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CleanupLimit)
	defer cancel()
	switch {
	case state == FreeSlot:
		return r.nothingMade()
	case state == Mint:
		return r.discardLostKey(ctx, cause)
	case r.outcome.Delivered.ID != "":
		return fmt.Sprintf("The sender holds the new key %s. Still to be deleted, by the next apply: %s.", r.Minted.ID, KeyIDs(r.outcome.Superseded))
	case r.uncertain:
		r.outcome.InDoubt = append(r.outcome.InDoubt, Key{User: r.req.User, ID: r.Minted.ID})
		return fmt.Sprintf("It is not known whether the sender took the new key %s. It was left in place, and so was every key that the sender may hold instead. "+
			"Apply again; where that finds no free slot, it names the keys and what to do.", r.Minted.ID)
	default:
		return r.discard(ctx, r.Minted.ID)
	}
}

func (r *rotation) discard(ctx context.Context, id string) string {
	key := Key{User: r.req.User, ID: id}
	if err := r.retireOne(ctx, key); err != nil {
		r.outcome.Superseded = append(r.outcome.Superseded, key)
		return fmt.Sprintf("%s The new key %s could not be deleted again, which is left to the next apply: %v", r.unchanged(), id, err)
	}
	return fmt.Sprintf("The new key %s was deleted again. %s", id, r.unchanged())
}

// discardLostKey deletes a key that AWS made although its answer was lost: it
// is the one that did not exist a moment ago, and nobody has its secret. Of
// two, one is somebody else's, and which cannot be told.
func (r *rotation) discardLostKey(ctx context.Context, cause error) string {
	if !ambiguous(cause) {
		return r.nothingMade()
	}
	keys, err := r.Keys.AccessKeys(ctx, r.req.User)
	if err != nil {
		return fmt.Sprintf("%s AWS did not say whether it made a key, and those of %q could not be listed: %v\n"+
			"If it did, delete it: it is the newest one and was never used.", r.unchanged(), r.req.User, err)
	}
	var lost []Key
	for _, k := range keys {
		if _, found := r.listed(k.ID); !found {
			lost = append(lost, Key{User: r.req.User, ID: k.ID})
		}
	}
	switch len(lost) {
	case 0:
		return r.nothingMade()
	case 1:
		return r.discard(ctx, lost[0].ID)
	default:
		return fmt.Sprintf("%s AWS did not say whether it made a key, and somebody else made one at the same time. Delete the one of these that nobody uses: %s.", r.unchanged(), KeyIDs(lost))
	}
}

func (r *rotation) nothingMade() string { return "No key was made. " + r.unchanged() }

func (r *rotation) unchanged() string {
	const same = "The sender holds what it held before."
	if r.freed {
		return same + fmt.Sprintf(" Its key %s was inactive and has been deleted to make room.", r.req.Current.ID)
	}
	return same
}

// listed finds a key among those that the user had at the start.
func (r *rotation) listed(id string) (key awsapi.AccessKey, found bool) {
	i := slices.IndexFunc(r.before, func(k awsapi.AccessKey) bool { return k.ID == id })
	if i < 0 {
		return awsapi.AccessKey{}, false
	}
	return r.before[i], true
}

// without copies keys, leaving one out.
func without(keys []Key, key Key) []Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return k.ID == key.ID })
}
