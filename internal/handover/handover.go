// Package handover mints an IAM access key and hands it to the sender at Auth0,
// so that the secret key lives in memory only, between the two. It is a state
// machine: every way a rotation can stop is a named state, and what has to be
// undone or kept follows from the state alone.
package handover

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
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

// Grace is how long a write that is on its way may take to be answered after a
// cancellation. Cut off at once, it would leave open whether it took effect.
const Grace = time.Second

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
	// ownedFor bounds how old the answer may be that no other run has taken over:
	// what follows from it must be over within InFlight.
	ownedFor = 5 * time.Second
	// keysPerUser is AWS's quota, which cannot be raised.
	keysPerUser = 2
	// lostWithin bounds how far from the record's time a key was made that is
	// taken for the one of a mint without an answer. AWS refuses requests of a
	// clock that is further off.
	lostWithin = 5 * time.Minute
)

// State names where a rotation is.
type State string

// The states in the order a rotation passes them. Bridge, Settle and Retire are
// passed over where there is nothing to do; after a bridge it goes on at
// FreeSlot.
const (
	TakeUp   State = "take up what an earlier apply left"
	FreeSlot State = "free the second key slot"
	Bridge   State = "make the bridge user"
	Mint     State = "mint the key"
	Verify   State = "wait until AWS accepts the key"
	Deliver  State = "deliver the key to the sender"
	Settle   State = "wait out calls in flight"
	Retire   State = "retire the old key"
	Done     State = "done"
)

// IAM is the AWS side, with the one question to STS. A failed write whose error
// has a method Ambiguous() bool that gives true may have taken effect.
type IAM interface {
	User(ctx context.Context, name string) (awsapi.User, error)
	TagUser(ctx context.Context, name string, tags map[string]string) error
	UntagUser(ctx context.Context, name string, keys []string) error

	AccessKeys(ctx context.Context, user string) ([]awsapi.AccessKey, error)
	CreateAccessKey(ctx context.Context, user string) (awsapi.NewAccessKey, error)
	SetAccessKeyActive(ctx context.Context, user, id string, active bool) error
	DeleteAccessKey(ctx context.Context, user, id string) error
	AccessKeyLastUsed(ctx context.Context, id string) (awsapi.LastUsed, error)
	Accepted(ctx context.Context, region string, key awsapi.NewAccessKey) (bool, error)

	CreateUser(ctx context.Context, user awsapi.User) (awsapi.User, error)
	DeleteUser(ctx context.Context, name string) error
	PutUserPolicy(ctx context.Context, user, policy, document string) error
	DeleteUserPolicy(ctx context.Context, user, policy string) error
}

// Sender is where the secrets go.
type Sender interface {
	// Deliver writes the three secrets and returns when the running sender
	// has them. Repeating it is harmless. After an error the sender runs with
	// what it had, and goes on doing so, unless the error has a method
	// Ambiguous() bool that gives true.
	Deliver(ctx context.Context, secrets Secrets) error
	// Withdraw removes the three secrets, and only them. A sender that no
	// longer exists is no error.
	Withdraw(ctx context.Context) error
}

// Clock is time, replaced in tests.
type Clock = delivery.Clock

// Secrets is what a sender needs to publish.
type Secrets struct {
	AccessKeyID     string
	SecretAccessKey awsapi.Secret
	Region          string
}

// Key names an access key and the user it belongs to.
type Key struct{ User, ID string }

// Machine performs hand-overs to one sender.
type Machine struct {
	IAM    IAM
	Sender Sender
	// SenderID is Auth0's id of the sender. The record is kept under it.
	SenderID string
	// Owner is the object of Terraform's state that the keys are for, a
	// [NewID]. "" makes no difference between owners.
	Owner string
	Clock Clock
	// Observe is told each state as it is entered; may be nil.
	Observe func(ctx context.Context, state State)
}

// Rotation says which key to make.
type Rotation struct {
	User   string
	Region string
	// Current is the key that the sender holds as far as Terraform's state
	// knows; without an ID at first delivery. It may be another user's.
	Current Key
}

// Outcome is what is true after a rotation, also after one that failed.
type Outcome struct {
	// Delivered is the key the sender holds now; zero when it holds what it
	// held before.
	Delivered awsapi.AccessKey
	// Record is what is left to do, if only to record that it is done; see
	// [Record.Open].
	Record Record
}

// Rotate mints a key, delivers it and retires what it replaces, and before that
// completes what an earlier run has left. The outcome is valid with and without
// an error: a failure before delivery leaves the sender with the key it had, a
// failure after it leaves the sender with the new one. Every error is an
// [*Error].
func (m *Machine) Rotate(ctx context.Context, req Rotation) (Outcome, error) {
	return m.run(ctx, req, FreeSlot)
}

// Finish completes what an earlier run has left, without a new key. Every error
// is an [*Error].
func (m *Machine) Finish(ctx context.Context, req Rotation) (Outcome, error) {
	return m.run(ctx, req, Retire)
}

// run goes from the first thing to be done after TakeUp to the end.
func (m *Machine) run(ctx context.Context, req Rotation, first State) (Outcome, error) {
	r, err := m.begin(req, first)
	if err != nil {
		return Outcome{}, &Error{State: TakeUp, Err: err, Effect: "Nothing was changed."}
	}
	for state := TakeUp; state != Done; {
		if m.Observe != nil {
			m.Observe(ctx, state)
		}
		next, err := r.step(ctx, state)
		if err != nil {
			err = r.explain(ctx, err)
			effect := r.compensate(ctx, state, err)
			return r.outcome(), &Error{State: state, Err: err, Effect: effect}
		}
		state = next
	}
	return r.outcome(), nil
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
	err := m.IAM.SetAccessKeyActive(ctx, key.User, key.ID, false)
	if err == nil {
		err = m.IAM.DeleteAccessKey(ctx, key.User, key.ID)
	}
	if !awsapi.IsNotFound(err) {
		return err
	}
	// One host of AWS's may not have heard of the key. A key that is believed
	// to be gone and is not would never be looked for again.
	keys, listErr := m.IAM.AccessKeys(ctx, key.User)
	if listErr != nil {
		return ignoreNotFound(listErr)
	}
	if find(keys, key.ID) >= 0 {
		return fmt.Errorf("%w, yet IAM lists the key", err)
	}
	return nil
}

// rotation is one run of the machine.
type rotation struct {
	*Machine
	req   Rotation
	id    string // of this run, in the record
	first State  // what comes after TakeUp
	// past are the runs that a tag may name although no other is at work: this
	// one, and those found at the start. IAM may go on answering them for a
	// moment.
	past      []string
	claimed   bool // this run has taken over from another
	written   bool // the record is this run's
	record    Record
	stands    Record // what the tag says, as far as this run knows
	others    map[string]string
	keys      []awsapi.AccessKey // of the user, when last listed
	mintUser  string             // the user, or its bridge user
	before    []awsapi.AccessKey // of mintUser, before the mint
	newKey    awsapi.NewAccessKey
	delivered awsapi.AccessKey
	uncertain bool  // a delivery ended without an answer
	freed     []Key // inactive keys that made room for the new one
}

func (m *Machine) begin(req Rotation, first State) (*rotation, error) {
	id, err := NewID()
	if err != nil {
		return nil, err
	}
	return &rotation{Machine: m, req: req, first: first, id: id, mintUser: req.User}, nil
}

// NewID is a random name for a run or an owner in a record.
func NewID() (string, error) {
	id := make([]byte, 4)
	if _, err := rand.Read(id); err != nil {
		return "", err
	}
	return hex.EncodeToString(id), nil
}

func (r *rotation) outcome() Outcome { return Outcome{Delivered: r.delivered, Record: r.record} }

// step is one state. Nothing new begins after a cancellation.
func (r *rotation) step(ctx context.Context, state State) (State, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	switch state {
	case TakeUp:
		return r.takeUp(ctx)
	case FreeSlot:
		return r.freeSlot(ctx)
	case Bridge:
		return r.bridge(ctx)
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

// takeUp finds out what is true. A run that has left something may have been
// killed, or it is at work right now: it is told that this run takes over, by a
// tag of its own, and gets the time of a call in flight to notice. What it has
// done by then stands in its record, which the claim leaves alone.
func (r *rotation) takeUp(ctx context.Context) (State, error) {
	if err := r.look(ctx); err != nil {
		return "", err
	}
	switch {
	case !r.record.Open() && r.first == Retire:
		return Done, nil
	case !r.record.Open():
		return r.first, nil
	}
	if err := r.claim(ctx); err != nil {
		return "", err
	}
	if err := r.Clock.Sleep(ctx, InFlight); err != nil {
		return "", err
	}
	return r.first, r.look(ctx)
}

// look finds out what is known, and that no other run has taken over since the
// first look.
func (r *rotation) look(ctx context.Context) error {
	known, err := r.Look(ctx, r.req.User, r.req.Current)
	if err != nil {
		return err
	}
	if r.past == nil {
		r.past = []string{"", r.id, known.tags.record.Run, known.tags.claim.Run}
	}
	if err := r.own(known.tags); err != nil {
		return err
	}
	r.record, r.stands, r.keys, r.others = known.Record, known.Record, known.Keys, known.tags.others
	return nil
}

// requireOwn refuses to go on where another run has taken over.
func (r *rotation) requireOwn(ctx context.Context) error {
	_, err := r.owned(ctx)
	return err
}

// owned reads the tags and finds that no other run has taken over. An answer
// that was long on its way is worth nothing any more.
func (r *rotation) owned(ctx context.Context) (tags, error) {
	for {
		asked := r.Clock.Now()
		user, err := r.IAM.User(ctx, r.req.User)
		if err != nil {
			return tags{}, err
		}
		found, err := r.tagsOf(user)
		if err == nil {
			err = r.own(found)
		}
		if err != nil || r.Clock.Now().Sub(asked) < ownedFor {
			return found, err
		}
	}
}

func (r *rotation) own(found tags) error {
	for _, mark := range []Record{found.claim, found.record} {
		if !slices.Contains(r.past, mark.Run) {
			return &TakenOverError{User: r.req.User, At: mark.At}
		}
	}
	return nil
}

func (r *rotation) claim(ctx context.Context) error {
	value, err := Record{Run: r.id, At: r.Clock.Now()}.encode(r.req.User)
	if err == nil {
		err = r.IAM.TagUser(ctx, r.req.User, map[string]string{r.claimTag(): value})
	}
	r.claimed = r.claimed || err == nil
	return err
}

// write puts the record down as this run's, before what it announces. One that
// says nothing is taken away.
func (r *rotation) write(ctx context.Context, record Record) error {
	if err := r.requireOwn(ctx); err != nil {
		return err
	}
	record.Run, record.At = r.id, r.Clock.Now()
	if r.Owner != "" && (record.Owner == "" || r.delivered.ID != "") {
		// Until it has delivered, an object that replaces another owns nothing.
		record.Owner = r.Owner
	}
	if err := r.put(ctx, record); err != nil {
		return err
	}
	r.record, r.stands, r.written = record, record, true
	return nil
}

func (r *rotation) put(ctx context.Context, record Record) error {
	if !record.Open() && record.Holds.ID == "" {
		return r.IAM.UntagUser(ctx, r.req.User, []string{r.tag()})
	}
	value, err := record.encode(r.req.User)
	if err != nil {
		return err
	}
	return r.IAM.TagUser(ctx, r.req.User, map[string]string{r.tag(): value})
}

// freeSlot deletes nothing while a slot is free: a key that cannot be deleted
// must not keep a sender that has none from getting one.
func (r *rotation) freeSlot(ctx context.Context) (State, error) {
	keys := r.keys
	if r.mintUser != r.req.User || r.record.Bridge {
		listed, err := r.IAM.AccessKeys(ctx, r.mintUser)
		if err != nil {
			return "", err
		}
		keys = listed
	}
	r.before = keys
	if r.mintUser != r.req.User {
		// On a bridge user every key is a hand-over's.
		r.record.Retiring = append(r.record.Retiring, r.record.unknown(r.mintUser, idsOf(keys))...)
	}
	if len(keys) < keysPerUser {
		return Mint, nil
	}
	return r.makeRoom(ctx)
}

// makeRoom retires what sends nothing: keys that an earlier run left, or else
// one of the sender's that is inactive. Where it is not known which of two keys
// the sender holds, it gets a third, for the time that it takes.
func (r *rotation) makeRoom(ctx context.Context) (State, error) {
	if err := r.requireOwn(ctx); err != nil {
		return "", err
	}
	listed := func(k Key) bool { return find(r.before, k.ID) >= 0 }
	if slices.ContainsFunc(r.record.Retiring, listed) {
		return Mint, r.retireLeft(ctx)
	}
	for _, key := range append(slices.Clone(r.record.Offered), r.record.Holds) {
		if i := find(r.before, key.ID); i >= 0 && !r.before[i].Active {
			if err := r.retireOne(ctx, key); err != nil {
				return "", err
			}
			r.freed = append(r.freed, key)
			return Mint, nil
		}
	}
	if r.mintUser == r.req.User && slices.ContainsFunc(r.record.Offered, listed) {
		return Bridge, nil
	}
	return "", &SlotError{User: r.mintUser, Keys: r.before, Record: r.record, Others: r.others, Now: r.Clock.Now()}
}

func (r *rotation) mint(ctx context.Context) (State, error) {
	record := r.record
	if r.mintUser == r.req.User {
		record.Minting, record.Before = true, keysOf(r.mintUser, r.before)
	}
	if err := r.write(ctx, record); err != nil {
		return "", nothingWritten{err}
	}
	ctx, cancel := graceful(ctx)
	defer cancel()
	key, err := r.IAM.CreateAccessKey(ctx, r.mintUser)
	if err != nil {
		return "", err
	}
	r.newKey = key
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
			return "", notAccepted(r.newKey.ID, r.req.Region, err)
		}
		if err := r.Clock.Sleep(ctx, pollInterval); err != nil {
			return "", err
		}
	}
}

func (r *rotation) accepted(ctx context.Context) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, acceptLimit)
	defer cancel()
	return r.IAM.Accepted(ctx, r.req.Region, r.newKey)
}

// deliver announces the key, sends it, and records that it was taken. What the
// record says in between is true however the delivery ends.
func (r *rotation) deliver(ctx context.Context) (State, error) {
	announced := r.record
	announced.Minting, announced.Before = false, nil
	announced.Offered = append(slices.Clone(r.record.Offered), r.minted())
	if err := r.write(ctx, announced); err != nil {
		return "", err
	}
	if err := r.send(ctx); err != nil {
		return "", err
	}
	replaced := without(r.record.Offered, r.newKey.ID)
	if r.record.Holds.ID != "" {
		replaced = append(replaced, r.record.Holds)
	}
	replaced = slices.DeleteFunc(replaced, func(k Key) bool { return contains(r.freed, k.ID) })
	r.delivered = r.newKey.AccessKey
	taken := r.record
	taken.Holds, taken.Offered, taken.Retiring = r.minted(), nil, append(slices.Clone(r.record.Retiring), replaced...)
	// Where it cannot be recorded now, it is when the failure is compensated.
	r.record = taken
	if err := r.write(ctx, taken); err != nil {
		return "", fmt.Errorf("the sender took the key, which was not recorded: %w", err)
	}
	if slices.ContainsFunc(replaced, r.mayBeInFlight) {
		return Settle, nil
	}
	return Retire, nil
}

func (r *rotation) minted() Key { return Key{User: r.mintUser, ID: r.newKey.ID} }

// send delivers, and repeats while it is open whether the sender took the key.
// A refusal settles nothing once an earlier attempt may have taken effect.
func (r *rotation) send(ctx context.Context) error {
	if err := r.requireOwn(ctx); err != nil {
		return err
	}
	secrets := Secrets{AccessKeyID: r.newKey.ID, SecretAccessKey: r.newKey.Secret, Region: r.req.Region}
	sending, cancel := graceful(ctx)
	defer cancel()
	for attempt := 1; ; attempt++ {
		err := r.Sender.Deliver(sending, secrets)
		if err == nil {
			r.uncertain = false
			return nil
		}
		r.uncertain = r.uncertain || delivery.Ambiguous(err)
		if !r.uncertain || attempt == deliverAttempts {
			return err
		}
		stopped := r.Clock.Sleep(ctx, time.Duration(attempt)*time.Second)
		if stopped == nil {
			stopped = r.requireOwn(ctx)
		}
		if stopped != nil {
			return fmt.Errorf("%w (not repeated: %w)", err, stopped)
		}
	}
}

// mayBeInFlight tells whether a call that began with the key can still succeed:
// not with one that was inactive or gone at the start. Of another user's key
// nothing is known.
func (r *rotation) mayBeInFlight(key Key) bool {
	i := find(r.keys, key.ID)
	return key.User != r.req.User || i >= 0 && r.keys[i].Active
}

// retire deletes what no sender holds any more. After a bridge comes the user's
// own turn.
func (r *rotation) retire(ctx context.Context) (State, error) {
	if !r.record.Open() {
		r.unclaim(ctx)
		return Done, nil
	}
	if err := r.requireOwn(ctx); err != nil {
		return "", err
	}
	if err := r.retireLeft(ctx); err != nil {
		return "", err
	}
	if r.mintUser != r.req.User {
		r.mintUser = r.req.User
		return FreeSlot, nil
	}
	record := r.record
	record.Minting, record.Before = false, nil
	if record.Bridge && !record.onBridge(r.req.User) {
		if err := r.requireOwn(ctx); err != nil {
			return "", err
		}
		if err := r.closeBridge(ctx, r.req.User); err != nil {
			return "", err
		}
		record.Bridge = false
	}
	if err := r.write(ctx, record); err != nil {
		return "", err
	}
	r.unclaim(ctx)
	return Done, nil
}

// unclaim takes away the mark of a run that took over. One that stays does no
// harm: the run it names is over.
func (r *rotation) unclaim(ctx context.Context) {
	if r.claimed {
		_ = r.IAM.UntagUser(ctx, r.req.User, []string{r.claimTag()})
	}
}

func (r *rotation) retireLeft(ctx context.Context) error {
	left, err := r.RetireAll(ctx, r.record.Retiring)
	r.record.Retiring = left
	return err
}

// Release records that no sender holds any of the keys that known speaks of,
// and returns what is known then. A user that is gone is no error.
func (m *Machine) Release(ctx context.Context, user string, known Known) (Known, error) {
	r, err := m.begin(Rotation{User: user}, Done)
	if err != nil {
		return known, err
	}
	r.past = []string{"", r.id, known.tags.record.Run, known.tags.claim.Run}
	record := known.Record
	record.Retiring, record.Holds, record.Offered = record.Keys(), Key{}, nil
	known.Record = record
	return known, ignoreNotFound(r.write(ctx, record))
}

// Forget retires the keys that known speaks of, none of which a sender holds,
// and takes away the bridge user and the record. A user that is gone is no
// error. It returns the keys that are left where it fails.
func (m *Machine) Forget(ctx context.Context, user string, known Known) ([]Key, error) {
	left, err := m.RetireAll(ctx, known.Record.Keys())
	if err == nil && known.Record.Bridge {
		err = m.closeBridge(ctx, user)
	}
	if err == nil {
		err = ignoreNotFound(m.IAM.UntagUser(ctx, user, []string{m.tag(), m.claimTag()}))
	}
	return left, err
}
