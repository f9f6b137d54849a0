package handover

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// TagPrefix begins the key of every tag that auth0sns keeps on an IAM user. The
// id of a sender follows, for the record of its keys.
const TagPrefix = "auth0sns:"

// maxTagValue is IAM's limit.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/id_tags.html
const maxTagValue = 256

// Record is what is known of the keys of one sender. It is a tag on the IAM
// user, written ahead of every step, so that the run after one that was killed
// finds out what that one was about: an access key cannot be tagged, and Auth0
// does not tell which key a sender holds.
type Record struct {
	// Run and At tell which run wrote the record and when, to the second.
	Run string
	At  time.Time
	// Owner is the object of Terraform's state that the keys are for. With
	// create_before_destroy a sender has two for a while, and the older one must
	// not take the younger one's key for its own.
	Owner string
	// Holds is the key that the sender holds for certain; zero for none.
	Holds Key
	// Offered are keys of deliveries without an answer. The sender may hold one
	// of them instead.
	Offered []Key
	// Retiring are keys that no sender holds and that are to be deleted.
	Retiring []Key
	// Minting is set while the user gets a key. What it has by then and had not
	// before, which is Before, is that key. Its secret is lost with the run.
	Minting bool
	Before  []Key
	// Bridge is set while the user has a bridge user.
	Bridge bool
}

// Open tells whether the run that wrote the record has left something to do.
func (r Record) Open() bool {
	return len(r.Offered) > 0 || len(r.Retiring) > 0 || r.Minting || r.Bridge
}

// Keys are all that the record speaks of.
func (r Record) Keys() []Key {
	keys := slices.Concat(r.Offered, r.Retiring)
	if r.Holds.ID != "" {
		keys = append(keys, r.Holds)
	}
	return keys
}

// Released tells whether the record says that the sender holds none of the keys
// any more.
func (r Record) Released() bool {
	return r.Run != "" && r.Holds.ID == "" && len(r.Offered) == 0
}

// knows tells whether the record speaks of a key.
func (r Record) knows(id string) bool { return contains(r.Keys(), id) }

// Names of the fields in a tag's value.
const (
	fieldAt       = "at"
	fieldRun      = "run"
	fieldOwner    = "owner"
	fieldHolds    = "holds"
	fieldOffered  = "offered"
	fieldRetiring = "retiring"
	fieldMinting  = "minting"
	fieldBridge   = "bridge"
)

// encode is the value of the tag on a user: "at=… run=… holds=AKIA…
// offered=AKIA…:AKIA…". A key of another user is written as AKIA…@name.
func (r Record) encode(user string) (string, error) {
	fields := []string{fieldAt + "=" + r.At.UTC().Format(time.RFC3339), fieldRun + "=" + r.Run}
	if r.Owner != "" {
		fields = append(fields, fieldOwner+"="+r.Owner)
	}
	add := func(name string, keys []Key) {
		ids := make([]string, len(keys))
		for i, k := range keys {
			ids[i] = k.encode(user)
		}
		fields = append(fields, name+"="+strings.Join(ids, ":"))
	}
	if r.Holds.ID != "" {
		add(fieldHolds, []Key{r.Holds})
	}
	if len(r.Offered) > 0 {
		add(fieldOffered, r.Offered)
	}
	if len(r.Retiring) > 0 {
		add(fieldRetiring, r.Retiring)
	}
	if r.Minting {
		add(fieldMinting, r.Before)
	}
	if r.Bridge {
		fields = append(fields, fieldBridge+"=yes")
	}
	value := strings.Join(fields, " ")
	if len(value) > maxTagValue {
		return "", fmt.Errorf("the record of the hand-over does not fit into a tag of user %q: %s", user, value)
	}
	return value, nil
}

// encode writes a comma, which a user's name may have and a tag may not, as a
// slash, with which it is the other way round. A bridge user's name follows
// from the user's own and is left out.
func (k Key) encode(user string) string {
	switch k.User {
	case user:
		return k.ID
	case BridgeName(user):
		return k.ID + "@"
	default:
		return k.ID + "@" + tagValue(k.User)
	}
}

var (
	keyID  = lazyregexp.New(`^[A-Z0-9]{16,32}$`)
	nameID = lazyregexp.New(`^[0-9a-f]{1,32}$`)
	errTag = errors.New("not a record that this version can read")
)

func decodeKey(text, user string) (Key, error) {
	id, owner, foreign := strings.Cut(text, "@")
	switch {
	case !keyID.MatchString(id):
		return Key{}, fmt.Errorf("%w: %q is no access key id", errTag, id)
	case !foreign:
		return Key{User: user, ID: id}, nil
	case owner == "":
		return Key{User: BridgeName(user), ID: id}, nil
	}
	owner = strings.ReplaceAll(owner, "/", ",")
	if err := awsapi.ValidateUserName(owner); err != nil {
		return Key{}, fmt.Errorf("%w: %w", errTag, err)
	}
	return Key{User: owner, ID: id}, nil
}

func decodeKeys(text, user string) ([]Key, error) {
	if text == "" {
		return nil, nil
	}
	var keys []Key
	for part := range strings.SplitSeq(text, ":") {
		key, err := decodeKey(part, user)
		if err != nil {
			return nil, err
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func decodeID(text string) (string, error) {
	if !nameID.MatchString(text) {
		return "", fmt.Errorf("%w: %q is no name of a run or an owner", errTag, text)
	}
	return text, nil
}

// decodeRecord reads the tag of a user. What it does not know it refuses: a
// record that is half understood would have keys deleted that are in use.
func decodeRecord(value, user string) (Record, error) {
	var r Record
	seen := map[string]bool{}
	for field := range strings.FieldsSeq(value) {
		name, text, _ := strings.Cut(field, "=")
		var err error
		if seen[name] {
			return Record{}, fmt.Errorf("%q: %w: field %q twice", value, errTag, name)
		}
		seen[name] = true
		switch name {
		case fieldAt:
			r.At, err = time.Parse(time.RFC3339, text)
		case fieldRun:
			r.Run, err = decodeID(text)
		case fieldOwner:
			r.Owner, err = decodeID(text)
		case fieldHolds:
			r.Holds, err = decodeKey(text, user)
		case fieldOffered:
			r.Offered, err = decodeKeys(text, user)
		case fieldRetiring:
			r.Retiring, err = decodeKeys(text, user)
		case fieldMinting:
			r.Minting = true
			r.Before, err = decodeKeys(text, user)
		case fieldBridge:
			r.Bridge = true
			if text != "yes" {
				err = fmt.Errorf("%w: bridge %q", errTag, text)
			}
		default:
			err = fmt.Errorf("%w: field %q", errTag, name)
		}
		if err != nil {
			return Record{}, fmt.Errorf("%q: %w", value, err)
		}
	}
	if r.Run == "" || r.At.IsZero() {
		return Record{}, fmt.Errorf("%q: %w", value, errTag)
	}
	return r, nil
}

// reconcile puts together what the tag says, which key Terraform's state has,
// and which keys the user has. A key that only the state has may be the
// sender's, as may that of the record. Keys of the record stay, also when they
// are gone, until a hand-over has settled what it is about: a key that the sender
// may hold is not to be forgotten because somebody deleted it.
func (r Record) reconcile(user string, current Key, listed []string) Record {
	gone := func(k Key) bool { return k.User == user && !slices.Contains(listed, k.ID) }
	switch {
	case current.ID == "" || r.knows(current.ID) || gone(current):
	case r.Run == "":
		r.Holds = current
	default:
		r.Offered = append(slices.Clone(r.Offered), current)
	}
	if gone(r.Holds) {
		r.Holds = Key{}
	}
	return r
}

// unknown are the user's keys of which neither the record nor the list before
// the mint speaks.
func (r Record) unknown(user string, listed []string) []Key {
	var keys []Key
	for _, id := range listed {
		if !r.knows(id) && !contains(r.Before, id) {
			keys = append(keys, Key{User: user, ID: id})
		}
	}
	return keys
}

func contains(keys []Key, id string) bool {
	return slices.ContainsFunc(keys, func(k Key) bool { return k.ID == id })
}

// without copies keys, leaving one out.
func without(keys []Key, id string) []Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k Key) bool { return k.ID == id })
}
