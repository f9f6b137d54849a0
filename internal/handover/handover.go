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
	"strings"
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

const (
	// acceptedInARow is how often STS must accept a new key before it is
	// handed over: keys reach AWS's fleet one host at a time.
	acceptedInARow = 3
	pollInterval   = 500 * time.Millisecond
	verifyLimit    = 60 * time.Second
	// settleTime is Auth0's limit for one run of a sender: a call that began
	// with the old key has ended after it.
	settleTime = 20 * time.Second
	// deliverAttempts bounds repeats of a delivery whose outcome is unknown.
	deliverAttempts = 3
	// cleanupLimit bounds the compensation that runs after a failure or a
	// cancellation.
	cleanupLimit = 15 * time.Second
	// keysPerUser is AWS's quota, which cannot be raised.
	keysPerUser = 2
)

// State names where a rotation is.
type State string

// The states in the order a rotation passes them.
const (
	FreeSlot State = "free the second key slot"
	Mint     State = "mint the key"
	Verify   State = "wait until AWS accepts the key"
	Deliver  State = "deliver the key to the sender"
	Settle   State = "wait out calls in flight"
	Retire   State = "retire the old key"
	Done     State = "done"
)

// Keys is the IAM and STS side.
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
	// has them. Repeating it is harmless.
	Deliver(ctx context.Context, secrets Secrets) error
	// Withdraw removes the three secrets, and only them. A sender that no
	// longer exists is no error.
	Withdraw(ctx context.Context) error
}

// Clock is time, replaced in tests.
type Clock interface {
	Now() time.Time
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
	// Current is the key that the sender holds now; zero at first delivery.
	Current Key
	// Superseded are keys that an earlier rotation replaced and could not
	// delete. No sender holds them.
	Superseded []Key
}

// Outcome is what is true after a rotation, also after one that failed.
type Outcome struct {
	// Delivered is the key the sender holds now; zero when it holds what it
	// held before.
	Delivered awsapi.AccessKey
	// Superseded are keys no sender holds that still exist.
	Superseded []Key
}

// Error says in which state a rotation stopped and what became of the new key.
type Error struct {
	State  State
	Effect string
	Err    error
}

func (e *Error) Error() string {
	return fmt.Sprintf("stopped at %q: %v\n\n%s", string(e.State), e.Err, e.Effect)
}

func (e *Error) Unwrap() error { return e.Err }

// Rotate mints a key, delivers it and retires what it replaces. The outcome is
// valid with and without an error: a failure before delivery leaves the sender
// with the key it had, a failure after it leaves the sender with the new one.
func (m *Machine) Rotate(ctx context.Context, req Rotation) (Outcome, error) {
	r := &rotation{Machine: m, req: req, outcome: Outcome{Superseded: slices.Clone(req.Superseded)}}
	steps := map[State]func(context.Context) (State, error){
		FreeSlot: r.freeSlot,
		Mint:     r.mint,
		Verify:   r.verify,
		Deliver:  r.deliver,
		Settle:   r.settle,
		Retire:   r.retire,
	}
	for state := FreeSlot; state != Done; {
		if m.Observe != nil {
			m.Observe(ctx, state)
		}
		next, err := steps[state](ctx)
		if err != nil {
			return r.outcome, &Error{State: state, Err: err, Effect: r.compensate(ctx, state, err)}
		}
		state = next
	}
	return r.outcome, nil
}

// RetireAll deactivates and deletes keys that no sender holds and returns those
// that are left. A key that is already gone counts as retired.
func (m *Machine) RetireAll(ctx context.Context, keys []Key) ([]Key, error) {
	for i, key := range keys {
		if err := m.retireOne(ctx, key); err != nil {
			return keys[i:], err
		}
	}
	return nil, nil
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
	req     Rotation
	before  []awsapi.AccessKey
	key     awsapi.NewAccessKey
	outcome Outcome
}

// SlotError reports that both key slots of the user are taken by keys that this
// rotation must not touch.
type SlotError struct {
	User    string
	Foreign []awsapi.AccessKey
	Now     time.Time
}

func (e *SlotError) Error() string {
	var list strings.Builder
	for _, k := range e.Foreign {
		status := "Active"
		if !k.Active {
			status = "Inactive"
		}
		fmt.Fprintf(&list, "\n  %s (%s, made %s, %d days ago)", k.ID, status, k.CreatedAt.UTC().Format(time.DateOnly), int(e.Now.Sub(k.CreatedAt).Hours()/24))
	}
	return fmt.Sprintf("IAM user %q has no free slot for a new key: AWS allows %d, and these are not managed here:%s\n"+
		"Find out who uses them (aws iam get-access-key-last-used --access-key-id …), then delete the one that nobody does "+
		"(aws iam delete-access-key --user-name %s --access-key-id …) and apply again. A key is never guessed away.",
		e.User, keysPerUser, list.String(), e.User)
}

func (r *rotation) freeSlot(ctx context.Context) (State, error) {
	left, err := r.RetireAll(ctx, r.outcome.Superseded)
	r.outcome.Superseded = left
	if err != nil {
		return "", err
	}
	keys, err := r.Keys.AccessKeys(ctx, r.req.User)
	if err != nil {
		return "", err
	}
	r.before = keys
	if len(keys) < keysPerUser {
		return Mint, nil
	}
	foreign := slices.DeleteFunc(slices.Clone(keys), func(k awsapi.AccessKey) bool { return k.ID == r.req.Current.ID })
	current := slices.IndexFunc(keys, func(k awsapi.AccessKey) bool { return k.ID == r.req.Current.ID })
	if current < 0 || keys[current].Active {
		return "", &SlotError{User: r.req.User, Foreign: foreign, Now: r.Clock.Now()}
	}
	// An inactive key sends nothing, so its slot can be had before the new one is delivered.
	if err := r.retireOne(ctx, r.req.Current); err != nil {
		return "", err
	}
	r.req.Current = Key{}
	return Mint, nil
}

func (r *rotation) mint(ctx context.Context) (State, error) {
	key, err := r.Keys.CreateAccessKey(ctx, r.req.User)
	if err != nil {
		return "", err
	}
	r.key = key
	return Verify, nil
}

func (r *rotation) verify(ctx context.Context) (State, error) {
	deadline := r.Clock.Now().Add(verifyLimit)
	var lastErr error
	for inARow := 0; inARow < acceptedInARow; {
		if r.Clock.Now().After(deadline) {
			return "", errors.Join(fmt.Errorf("AWS did not accept key %s at STS in region %s within %s", r.key.ID, r.req.Region, verifyLimit), lastErr)
		}
		accepted, err := r.Keys.Accepted(ctx, r.req.Region, r.key)
		lastErr = err
		if accepted {
			inARow++
		} else {
			inARow = 0
		}
		if inARow < acceptedInARow {
			if err := r.Clock.Sleep(ctx, pollInterval); err != nil {
				return "", err
			}
		}
	}
	return Deliver, nil
}

func (r *rotation) deliver(ctx context.Context) (State, error) {
	secrets := Secrets{AccessKeyID: r.key.ID, SecretAccessKey: r.key.Secret, Region: r.req.Region}
	var err error
	for attempt := 1; ; attempt++ {
		err = r.Sender.Deliver(ctx, secrets)
		if err == nil || !ambiguous(err) || attempt == deliverAttempts {
			break
		}
		if sleepErr := r.Clock.Sleep(ctx, time.Duration(attempt)*time.Second); sleepErr != nil {
			break
		}
	}
	if err != nil {
		return "", err
	}
	r.outcome.Delivered = r.key.AccessKey
	if r.req.Current == (Key{}) {
		return Done, nil
	}
	r.outcome.Superseded = append(r.outcome.Superseded, r.req.Current)
	return Settle, nil
}

func (r *rotation) settle(ctx context.Context) (State, error) {
	if err := r.Clock.Sleep(ctx, settleTime); err != nil {
		return "", err
	}
	return Retire, nil
}

func (r *rotation) retire(ctx context.Context) (State, error) {
	left, err := r.RetireAll(ctx, r.outcome.Superseded)
	r.outcome.Superseded = left
	if err != nil {
		return "", err
	}
	return Done, nil
}

// compensate undoes what must not stay after a failure and says in words what
// is true now. It runs to its own time limit, also after a cancellation: a key
// whose secret is lost blocks the slot that the next attempt needs.
func (r *rotation) compensate(ctx context.Context, state State, cause error) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupLimit)
	defer cancel()
	switch state {
	case FreeSlot:
		return "No key was made. The sender holds what it held before."
	case Mint:
		return r.discardLostKeys(ctx, cause)
	case Deliver:
		if ambiguous(cause) {
			return fmt.Sprintf("Auth0 did not say whether the sender took the new key %s. Both keys were left in place, so whichever it holds works. "+
				"Apply again; where that reports two keys, send a message and delete the key that AWS does not show as used.", r.key.ID)
		}
		return r.discard(ctx, r.key.ID)
	case Verify:
		return r.discard(ctx, r.key.ID)
	default: // Settle, Retire: the sender holds the new key.
		return fmt.Sprintf("The sender holds the new key %s. Still to be deleted, by the next apply: %s.", r.key.ID, keyIDs(r.outcome.Superseded))
	}
}

func (r *rotation) discard(ctx context.Context, id string) string {
	key := Key{User: r.req.User, ID: id}
	if err := r.retireOne(ctx, key); err != nil {
		r.outcome.Superseded = append(r.outcome.Superseded, key)
		return fmt.Sprintf("The sender holds what it held before. The new key %s could not be deleted again: %v", id, err)
	}
	return fmt.Sprintf("The new key %s was deleted again. The sender holds what it held before.", id)
}

// discardLostKeys deletes a key that AWS made although its answer was lost: it
// is one that did not exist a moment ago, and nobody has its secret.
func (r *rotation) discardLostKeys(ctx context.Context, cause error) string {
	const nothing = "No key was made. The sender holds what it held before."
	if !ambiguous(cause) {
		return nothing
	}
	keys, err := r.Keys.AccessKeys(ctx, r.req.User)
	if err != nil {
		return fmt.Sprintf("AWS did not say whether it made a key, and the keys of %q could not be listed: %v", r.req.User, err)
	}
	for _, k := range keys {
		if !slices.ContainsFunc(r.before, func(b awsapi.AccessKey) bool { return b.ID == k.ID }) {
			return r.discard(ctx, k.ID)
		}
	}
	return nothing
}

// ambiguous tells whether a request that failed may have taken effect.
func ambiguous(err error) bool {
	var a interface{ Ambiguous() bool }
	return errors.As(err, &a) && a.Ambiguous()
}

func keyIDs(keys []Key) string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return strings.Join(ids, ", ")
}
