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

const (
	user   = "sms-sender"
	region = "eu-north-1"
)

// epoch is when every fake clock starts.
func epoch() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// fakeKeys is a Keys whose every call a test can replace.
type fakeKeys struct {
	accessKeys func(ctx context.Context, user string) ([]awsapi.AccessKey, error)
	create     func(ctx context.Context, user string) (awsapi.NewAccessKey, error)
	setActive  func(ctx context.Context, user, id string, active bool) error
	remove     func(ctx context.Context, user, id string) error
	accepted   func(ctx context.Context, region string, key awsapi.NewAccessKey) (bool, error)
}

func (f *fakeKeys) AccessKeys(ctx context.Context, user string) ([]awsapi.AccessKey, error) {
	return f.accessKeys(ctx, user)
}

func (f *fakeKeys) CreateAccessKey(ctx context.Context, user string) (awsapi.NewAccessKey, error) {
	return f.create(ctx, user)
}

func (f *fakeKeys) SetAccessKeyActive(ctx context.Context, user, id string, active bool) error {
	return f.setActive(ctx, user, id, active)
}

func (f *fakeKeys) DeleteAccessKey(ctx context.Context, user, id string) error {
	return f.remove(ctx, user, id)
}

func (f *fakeKeys) Accepted(ctx context.Context, region string, key awsapi.NewAccessKey) (bool, error) {
	return f.accepted(ctx, region, key)
}

// fakeSender is a Sender whose delivery a test can replace.
type fakeSender struct {
	deliver func(ctx context.Context, secrets Secrets) error
}

func (f *fakeSender) Deliver(ctx context.Context, secrets Secrets) error {
	return f.deliver(ctx, secrets)
}

func (*fakeSender) Withdraw(context.Context) error { return errors.New("no rotation withdraws") }

// fakeClock passes at once.
type fakeClock struct {
	now   time.Time
	sleep func(ctx context.Context, d time.Duration) error
}

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error { return c.sleep(ctx, d) }

// userKey is an access key of the fake account.
type userKey struct {
	Key
	Active    bool
	CreatedAt time.Time
	valid     time.Time // when AWS's fleet knows it
	secret    awsapi.Secret
}

// world is an account, a sender and a clock that behave, until a test replaces
// a call.
type world struct {
	keys   fakeKeys
	sender fakeSender
	clock  fakeClock

	account []*userKey
	held    string        // the id of the key the sender holds
	minted  []string      // every secret that was ever made
	delay   time.Duration // until a new key is valid
	late    []string      // calls begun after the cancellation
	states  []State
	observe func(State) // may be nil
}

func newWorld(keys ...userKey) *world {
	w := &world{delay: 2 * time.Second}
	for _, key := range keys {
		w.account = append(w.account, &key)
	}
	w.clock = fakeClock{now: epoch(), sleep: w.sleep}
	w.sender.deliver = w.deliver
	w.keys = fakeKeys{accessKeys: w.list, create: w.create, setActive: w.setActive, remove: w.remove, accepted: w.accepted}
	return w
}

// active and inactive make the key of an account, a month old.
func active(user, id string) userKey {
	return userKey{Key: Key{user, id}, Active: true, CreatedAt: epoch().AddDate(0, -1, 0)}
}

func inactive(user, id string) userKey {
	key := active(user, id)
	key.Active = false
	return key
}

func (w *world) machine() *Machine {
	return &Machine{Keys: &w.keys, Sender: &w.sender, Clock: &w.clock, Observe: func(_ context.Context, s State) {
		w.states = append(w.states, s)
		if w.observe != nil {
			w.observe(s)
		}
	}}
}

// begin is what every client does first.
func (w *world) begin(ctx context.Context, call string) error {
	if ctx.Err() != nil {
		w.late = append(w.late, call)
	}
	return ctx.Err()
}

func (w *world) sleep(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.clock.now = w.clock.now.Add(d)
	return nil
}

func (w *world) deliver(ctx context.Context, secrets Secrets) error {
	if err := w.begin(ctx, "deliver"); err != nil {
		return err
	}
	w.held = secrets.AccessKeyID
	return nil
}

func (w *world) list(ctx context.Context, user string) ([]awsapi.AccessKey, error) {
	if err := w.begin(ctx, "list"); err != nil {
		return nil, err
	}
	var keys []awsapi.AccessKey
	for _, k := range w.account {
		if k.User == user {
			keys = append(keys, awsapi.AccessKey{ID: k.ID, Active: k.Active, CreatedAt: k.CreatedAt})
		}
	}
	return keys, nil
}

func (w *world) create(ctx context.Context, user string) (awsapi.NewAccessKey, error) {
	if err := w.begin(ctx, "create"); err != nil {
		return awsapi.NewAccessKey{}, err
	}
	if keys, _ := w.list(ctx, user); len(keys) >= keysPerUser {
		return awsapi.NewAccessKey{}, &awsapi.Error{Operation: "iam:CreateAccessKey", Kind: awsapi.LimitExceeded, StatusCode: 409, Code: "LimitExceeded"}
	}
	id := fmt.Sprintf("NEW%d", len(w.minted)+1)
	secret := "wJalrXUtnFEMI/of/" + id
	w.minted = append(w.minted, secret)
	w.account = append(w.account, &userKey{Key{user, id}, true, w.clock.now, w.clock.now.Add(w.delay), awsapi.Secret(secret)})
	return awsapi.NewAccessKey{AccessKey: awsapi.AccessKey{ID: id, Active: true, CreatedAt: w.clock.now}, Secret: awsapi.Secret(secret)}, nil
}

func (w *world) find(user, id string) (*userKey, error) {
	for _, k := range w.account {
		if k.Key == (Key{user, id}) {
			return k, nil
		}
	}
	return nil, &awsapi.Error{Operation: "iam:UpdateAccessKey", Kind: awsapi.NotFound, StatusCode: 404, Code: "NoSuchEntity"}
}

func (w *world) setActive(ctx context.Context, user, id string, active bool) error {
	if err := w.begin(ctx, "setActive"); err != nil {
		return err
	}
	key, err := w.find(user, id)
	if err == nil {
		key.Active = active
	}
	return err
}

func (w *world) remove(ctx context.Context, user, id string) error {
	if err := w.begin(ctx, "remove"); err != nil {
		return err
	}
	key, err := w.find(user, id)
	if err == nil {
		w.account = slices.DeleteFunc(w.account, func(k *userKey) bool { return k == key })
	}
	return err
}

func (w *world) accepted(ctx context.Context, _ string, key awsapi.NewAccessKey) (bool, error) {
	if err := w.begin(ctx, "accepted"); err != nil {
		return false, err
	}
	for _, k := range w.account {
		if k.ID == key.ID {
			return k.secret == key.Secret && w.works(k), nil
		}
	}
	return false, nil
}

// works tells whether every service of AWS takes the key now.
func (w *world) works(k *userKey) bool { return k.Active && !w.clock.now.Before(k.valid) }

// left lists the account as "user/id", inactive keys with a "-" in front.
func (w *world) left() string {
	var keys []string
	for _, k := range w.account {
		key := k.User + "/" + k.ID
		if !k.Active {
			key = "-" + key
		}
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return strings.Join(keys, " ")
}

// openError is a failure that leaves open whether the request took effect.
type openError struct{ cause error }

func (e openError) Error() string { return e.cause.Error() }
func (e openError) Unwrap() error { return e.cause }
func (openError) Ambiguous() bool { return true }

var (
	errRefused = errors.New("403 refused")
	errLost    = openError{errors.New("connection lost")}
)
