package handover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

const (
	user     = "sms-sender"
	bridged  = "sms-sender-bridge"
	former   = "former-sender"
	region   = "eu-north-1"
	senderID = "01JDCBQYFZ2Q7N"
)

// epoch is when every fake clock starts.
func epoch() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

// id is the id of the key that a test calls by a name such as "OLD".
func id(name string) string { return fmt.Sprintf("AKIA%012s", name) }

var padding = regexp.MustCompile(`AKIA0*`)

// short gives ids their names back.
func short(text string) string { return padding.ReplaceAllString(text, "") }

// keys are those of the user, by name.
func keys(names ...string) []Key {
	list := make([]Key, len(names))
	for i, name := range names {
		list[i] = Key{user, id(name)}
	}
	return list
}

// Calls, as a test names them.
const (
	getUser      = "GetUser"
	tagUser      = "TagUser"
	untagUser    = "UntagUser"
	listKeys     = "ListAccessKeys"
	createKey    = "CreateAccessKey"
	updateKey    = "UpdateAccessKey"
	deleteKey    = "DeleteAccessKey"
	keyLastUsed  = "GetAccessKeyLastUsed"
	askSTS       = "GetCallerIdentity"
	createUser   = "CreateUser"
	deleteUser   = "DeleteUser"
	putPolicy    = "PutUserPolicy"
	deletePolicy = "DeleteUserPolicy"
	deliver      = "deliver"
	sleep        = "sleep"
)

// around makes a call. It decides whether effect happens and what the caller is
// told. on is the user, or the key, that the call is about.
type around func(ctx context.Context, call, on string, effect func() error) error

// fakeUser is a user and its policies.
type fakeUser struct {
	awsapi.User
	policies map[string]time.Time // when AWS's fleet knows them
	past     []oldTags
}

// oldTags are the tags that a user had until then.
type oldTags struct {
	until time.Time
	tags  map[string]string
}

// userKey is an access key of the fake account.
type userKey struct {
	Key
	Active    bool
	CreatedAt time.Time
	valid     time.Time // when AWS's fleet knows it
	secret    awsapi.Secret
	used      string // the service it was last used with
}

// world is an account, a sender and a clock, which a test can look at and
// change.
type world struct {
	clock    fakeClock
	users    map[string]*fakeUser
	account  []*userKey
	held     string          // the id of the key the sender holds
	minted   []string        // every secret that was ever made
	delay    time.Duration   // until a new key is valid
	ctx      context.Context // of the run; what a cancellation ends
	late     []string        // what was begun after the cancellation
	states   []State
	observe  func(State) // may be nil
	replaced map[string]around
}

// newWorld has one user with these keys, and the users that other keys belong
// to.
func newWorld(given ...userKey) *world {
	w := &world{delay: 2 * time.Second, users: map[string]*fakeUser{}, replaced: map[string]around{}}
	w.clock = fakeClock{now: epoch(), sleep: w.pass}
	w.addUser(awsapi.User{Name: user})
	for _, key := range given {
		w.account = append(w.account, &key)
		if w.users[key.User] == nil {
			w.addUser(awsapi.User{Name: key.User})
		}
	}
	return w
}

func (w *world) addUser(u awsapi.User) {
	u.ARN = "arn:aws:iam::123456789012:user/" + u.Name
	if u.Tags == nil {
		u.Tags = map[string]string{}
	}
	w.users[u.Name] = &fakeUser{User: u, policies: map[string]time.Time{}}
	if u.Name != bridged {
		w.users[u.Name].policies["by Terraform"] = epoch()
	}
}

// active and inactive make the key of an account, a month old.
func active(user, name string) userKey {
	return userKey{Key: Key{user, id(name)}, Active: true, CreatedAt: epoch().AddDate(0, -1, 0), used: "sns"}
}

func inactive(user, name string) userKey {
	key := active(user, name)
	key.Active = false
	return key
}

// fresh is a key of the user that was made a moment ago and asked STS at most.
func fresh(name string) userKey {
	key := active(user, name)
	key.CreatedAt, key.used = epoch(), "sts"
	return key
}

// replace has a call made by do.
func (w *world) replace(call string, do around) { w.replaced[call] = do }

// refuse refuses a call about one user or key; on "" about any.
func (w *world) refuse(call, on string) {
	w.replace(call, func(_ context.Context, _, asked string, effect func() error) error {
		if on == "" || asked == on {
			return errRefused
		}
		return effect()
	})
}

// setRecord puts down the record of a run that ended before.
func (w *world) setRecord(record Record) {
	if record.Run == "" {
		record.Run = "0e"
	}
	if record.At.IsZero() {
		record.At = epoch()
	}
	value, err := record.encode(user)
	if err != nil {
		panic(err)
	}
	w.users[user].Tags[TagPrefix+senderID] = value
}

func (w *world) machine() *Machine {
	behaves := func(ctx context.Context, call, on string, effect func() error) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		if w.ctx != nil && w.ctx.Err() != nil && begins(call) {
			w.late = append(w.late, call)
		}
		if do := w.replaced[call]; do != nil {
			return do(ctx, call, on, effect)
		}
		return effect()
	}
	return w.machineBy(behaves, &w.clock)
}

func (w *world) machineBy(do around, clock Clock) *Machine {
	return &Machine{
		IAM: &fakeIAM{w, do}, Sender: &fakeSender{w, do}, SenderID: senderID, Clock: clock,
		Observe: func(_ context.Context, s State) {
			w.states = append(w.states, s)
			if w.observe != nil {
				w.observe(s)
			}
		},
	}
}

// begins tells whether a call makes something that was not there before.
// Nothing of that kind may begin after a cancellation.
func begins(call string) bool { return call == createKey || call == deliver || call == createUser }

// fakeClock passes at once, unless a test replaces its sleep.
type fakeClock struct {
	now   time.Time
	sleep func(ctx context.Context, d time.Duration) error
}

func (c *fakeClock) Now() time.Time { return c.now }

func (c *fakeClock) Sleep(ctx context.Context, d time.Duration) error { return c.sleep(ctx, d) }

func (w *world) pass(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w.clock.now = w.clock.now.Add(d)
	return nil
}

// fakeSender is a sender that has one key.
type fakeSender struct {
	*world
	do around
}

func (f *fakeSender) Deliver(ctx context.Context, secrets Secrets) error {
	return f.do(ctx, deliver, secrets.AccessKeyID, func() error {
		f.held = secrets.AccessKeyID
		return nil
	})
}

func (*fakeSender) Withdraw(context.Context) error { return errors.New("no rotation withdraws") }

// fakeIAM is the account.
type fakeIAM struct {
	*world
	do around
}

func (f *fakeIAM) User(ctx context.Context, name string) (found awsapi.User, err error) {
	err = f.do(ctx, getUser, name, func() error {
		u, err := f.user(name)
		if err == nil {
			found = u.User
			found.Tags = maps.Clone(u.Tags)
		}
		return err
	})
	return found, err
}

func (f *fakeIAM) TagUser(ctx context.Context, name string, tags map[string]string) error {
	return f.do(ctx, tagUser, name, func() error {
		return f.changeTags(name, func(u *fakeUser) { maps.Copy(u.Tags, tags) })
	})
}

func (f *fakeIAM) UntagUser(ctx context.Context, name string, tags []string) error {
	return f.do(ctx, untagUser, name, func() error {
		return f.changeTags(name, func(u *fakeUser) {
			maps.DeleteFunc(u.Tags, func(k, _ string) bool { return slices.Contains(tags, k) })
		})
	})
}

func (w *world) changeTags(name string, change func(*fakeUser)) error {
	u, err := w.user(name)
	if err == nil {
		u.past = append(u.past, oldTags{w.clock.now, maps.Clone(u.Tags)})
		change(u)
	}
	return err
}

func (f *fakeIAM) AccessKeys(ctx context.Context, name string) (list []awsapi.AccessKey, err error) {
	err = f.do(ctx, listKeys, name, func() error {
		_, err := f.user(name)
		list = f.keysOf(name)
		return err
	})
	return list, err
}

func (f *fakeIAM) CreateAccessKey(ctx context.Context, name string) (made awsapi.NewAccessKey, err error) {
	err = f.do(ctx, createKey, name, func() error {
		made, err = f.mint(name)
		return err
	})
	if err != nil {
		return awsapi.NewAccessKey{}, err
	}
	return made, nil
}

func (w *world) mint(name string) (awsapi.NewAccessKey, error) {
	switch _, err := w.user(name); {
	case err != nil:
		return awsapi.NewAccessKey{}, err
	case len(w.keysOf(name)) >= keysPerUser:
		return awsapi.NewAccessKey{}, &awsapi.Error{Operation: "iam:CreateAccessKey", Kind: awsapi.LimitExceeded, StatusCode: 409, Code: "LimitExceeded"}
	}
	key := id(fmt.Sprintf("NEW%d", len(w.minted)+1))
	secret := "wJalrXUtnFEMI/of/" + key
	w.minted = append(w.minted, secret)
	w.account = append(w.account, &userKey{Key{name, key}, true, w.clock.now, w.clock.now.Add(w.delay), awsapi.NewSecret(secret), ""})
	return awsapi.NewAccessKey{AccessKey: awsapi.AccessKey{ID: key, Active: true, CreatedAt: w.clock.now}, Secret: awsapi.NewSecret(secret)}, nil
}

func (f *fakeIAM) SetAccessKeyActive(ctx context.Context, name, key string, active bool) error {
	return f.do(ctx, updateKey, key, func() error {
		k, err := f.key(name, key)
		if err == nil {
			k.Active = active
		}
		return err
	})
}

func (f *fakeIAM) DeleteAccessKey(ctx context.Context, name, key string) error {
	return f.do(ctx, deleteKey, key, func() error {
		_, err := f.key(name, key)
		f.remove(key)
		return err
	})
}

func (w *world) remove(key string) {
	w.account = slices.DeleteFunc(w.account, func(k *userKey) bool { return k.ID == key })
}

func (f *fakeIAM) AccessKeyLastUsed(ctx context.Context, key string) (used awsapi.LastUsed, err error) {
	err = f.do(ctx, keyLastUsed, key, func() error {
		for _, k := range f.account {
			if k.ID == key {
				used.Service = k.used
				return nil
			}
		}
		return noSuchEntity("iam:GetAccessKeyLastUsed")
	})
	return used, err
}

func (f *fakeIAM) Accepted(ctx context.Context, _ string, key awsapi.NewAccessKey) (accepted bool, err error) {
	err = f.do(ctx, askSTS, key.ID, func() error {
		for _, k := range f.account {
			if k.ID == key.ID && k.secret.Reveal() == key.Secret.Reveal() && f.takes(k) {
				k.used, accepted = "sts", true
			}
		}
		return nil
	})
	return accepted && err == nil, err
}

func (f *fakeIAM) CreateUser(ctx context.Context, u awsapi.User) (awsapi.User, error) {
	return u, f.do(ctx, createUser, u.Name, func() error {
		if f.users[u.Name] != nil {
			return &awsapi.Error{Operation: "iam:CreateUser", Kind: awsapi.AlreadyExists, StatusCode: 409, Code: "EntityAlreadyExists"}
		}
		f.addUser(u)
		return nil
	})
}

func (f *fakeIAM) DeleteUser(ctx context.Context, name string) error {
	return f.do(ctx, deleteUser, name, func() error {
		u, err := f.user(name)
		switch {
		case err != nil:
			return err
		case len(u.policies) > 0 || len(f.keysOf(name)) > 0:
			return &awsapi.Error{Operation: "iam:DeleteUser", Kind: awsapi.DeleteConflict, StatusCode: 409, Code: "DeleteConflict"}
		}
		delete(f.users, name)
		return nil
	})
}

func (f *fakeIAM) PutUserPolicy(ctx context.Context, name, policy, _ string) error {
	return f.do(ctx, putPolicy, name, func() error {
		u, err := f.user(name)
		if err == nil && u.policies[policy].IsZero() {
			u.policies[policy] = f.clock.now.Add(10 * time.Second)
		}
		return err
	})
}

func (f *fakeIAM) DeleteUserPolicy(ctx context.Context, name, policy string) error {
	return f.do(ctx, deletePolicy, name, func() error {
		u, err := f.user(name)
		switch {
		case err != nil:
			return err
		case u.policies[policy].IsZero():
			return noSuchEntity("iam:DeleteUserPolicy")
		}
		delete(u.policies, policy)
		return nil
	})
}

func (w *world) user(name string) (*fakeUser, error) {
	if u := w.users[name]; u != nil {
		return u, nil
	}
	return nil, noSuchEntity("iam:GetUser")
}

func (w *world) key(name, key string) (*userKey, error) {
	for _, k := range w.account {
		if k.Key == (Key{name, key}) {
			return k, nil
		}
	}
	return nil, noSuchEntity("iam:UpdateAccessKey")
}

func noSuchEntity(operation string) error {
	return &awsapi.Error{Operation: operation, Kind: awsapi.NotFound, StatusCode: 404, Code: "NoSuchEntity"}
}

func (w *world) keysOf(name string) []awsapi.AccessKey {
	var list []awsapi.AccessKey
	for _, k := range w.account {
		if k.User == name {
			list = append(list, awsapi.AccessKey{ID: k.ID, Active: k.Active, CreatedAt: k.CreatedAt})
		}
	}
	return list
}

// takes tells whether AWS takes the key now.
func (w *world) takes(k *userKey) bool { return k.Active && !w.clock.now.Before(k.valid) }

// works tells whether a message can be sent with the key, for which its user
// needs a policy too.
func (w *world) works(k *userKey) bool {
	for _, known := range w.users[k.User].policies {
		if !w.clock.now.Before(known) {
			return w.takes(k)
		}
	}
	return false
}

// left lists the account as "user/name", inactive keys with a "-" in front, and
// the bridge user.
func (w *world) left() string {
	var list []string
	for _, k := range w.account {
		key := k.User + "/" + short(k.ID)
		if !k.Active {
			key = "-" + key
		}
		list = append(list, key)
	}
	slices.Sort(list)
	if w.users[bridged] != nil {
		list = append(list, bridged)
	}
	return strings.Join(list, " ")
}

var when = regexp.MustCompile(`at=\S+ run=\S+ ?`)

// recorded is the record without the run, and with a claim that is left.
func (w *world) recorded() string {
	if w.users[user] == nil {
		return ""
	}
	tags := w.users[user].Tags
	text := short(when.ReplaceAllString(tags[TagPrefix+senderID], ""))
	if tags[tagOwn+"claim:"+senderID] != "" {
		text += " claimed"
	}
	return text
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
