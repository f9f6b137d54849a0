package handover

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// Known is what can be found out about the keys of a sender.
type Known struct {
	Record Record
	// Mine is false where the record is that of another owner.
	Mine bool
	// Keys are all that the user has.
	Keys []awsapi.AccessKey
	tags tags
}

// tags is what those of a user say.
type tags struct {
	record Record // of this sender
	// claim names the run that takes over from the record's, in Run and At.
	claim Record
	// others names the sender of each key that another record speaks of.
	others map[string]string
	// minting is set while another sender gets a key that its record cannot
	// name yet.
	minting bool
}

// Speaks tells whether any record of the user speaks of a key.
func (k Known) Speaks(id string) bool {
	_, other := k.tags.others[id]
	return other || k.Record.knows(id)
}

// MayHold tells whether the sender may hold a key, going by the record alone;
// where there is none, it may.
func (k Known) MayHold(id string) bool {
	r := k.tags.record
	return r.Run == "" || r.Holds.ID == id || contains(r.Offered, id)
}

// Usable tells whether any key works that the sender may hold. Of another user
// than this one, as the bridge user is, a key is taken to work.
func (k Known) Usable(user string) bool {
	return slices.ContainsFunc(append(slices.Clone(k.Record.Offered), k.Record.Holds), func(key Key) bool {
		i := find(k.Keys, key.ID)
		return i >= 0 && k.Keys[i].Active || i < 0 && key.ID != "" && key.User != user
	})
}

// Look reads the record and the user's keys. current is the key that the sender
// holds as far as Terraform's state knows.
func (m *Machine) Look(ctx context.Context, userName string, current Key) (Known, error) {
	user, err := m.IAM.User(ctx, userName)
	if err != nil {
		return Known{}, err
	}
	found, err := m.tagsOf(user)
	if err != nil {
		return Known{}, err
	}
	keys, err := m.IAM.AccessKeys(ctx, userName)
	if err != nil {
		return Known{}, err
	}
	if find(keys, current.ID) >= 0 {
		// An id is unique: the user was renamed since the state was written.
		current.User = userName
	}
	known := Known{Keys: keys, tags: found}
	known.Mine = found.record.Owner == "" || m.Owner == "" || found.record.Owner == m.Owner
	known.Record = found.record.reconcile(userName, current, idsOf(keys))
	if known.Record.Minting {
		lost, err := m.lostKey(ctx, userName, known)
		if err != nil {
			return Known{}, err
		}
		known.Record.Retiring = append(known.Record.Retiring, lost...)
	}
	return known, nil
}

// RecordOf reads what the tags of a user say about the keys of a sender, for
// whoever only looks; it is zero where they say nothing.
func RecordOf(user awsapi.User, senderID string) (Record, error) {
	found, err := (&Machine{SenderID: senderID}).tagsOf(user)
	return found.record, err
}

// lostKey is the key that a run minted and did not live to deliver. Anybody may
// have made one since: ours was made when the record says, and used for nothing
// but to ask STS. Where that does not single one out, none is touched.
func (m *Machine) lostKey(ctx context.Context, user string, known Known) ([]Key, error) {
	if known.tags.minting {
		return nil, nil
	}
	var lost []Key
	for _, key := range known.Record.unknown(user, idsOf(known.Keys)) {
		made := known.Keys[find(known.Keys, key.ID)].CreatedAt
		if known.Speaks(key.ID) || made.Sub(known.Record.At).Abs() > lostWithin {
			continue
		}
		used, err := m.IAM.AccessKeyLastUsed(ctx, key.ID)
		if err != nil {
			return nil, err
		}
		if used.Service == "" || used.Service == "sts" {
			lost = append(lost, key)
		}
	}
	if len(lost) > 1 {
		return nil, nil
	}
	return lost, nil
}

// tagsOf reads the tags of a user. A record of another sender that cannot be
// read keeps nobody from anything but taking a key for lost.
func (m *Machine) tagsOf(user awsapi.User) (tags, error) {
	found := tags{others: map[string]string{}}
	for tag, value := range user.Tags {
		sender, ours := strings.CutPrefix(tag, TagPrefix)
		if !ours || strings.HasPrefix(tag, tagOwn) && tag != m.claimTag() {
			continue
		}
		record, err := decodeRecord(value, user.Name)
		switch {
		case tag != m.tag() && tag != m.claimTag():
			found.minting = found.minting || record.Minting || err != nil
			for _, key := range record.Keys() {
				found.others[key.ID] = sender
			}
		case err != nil:
			return tags{}, fmt.Errorf("tag %q of IAM user %q: %w. It says which keys may be deleted, so nothing was changed. "+
				"Use the version of auth0sns that wrote it; or, where nobody rotates right now, remove the tag: aws iam untag-user --user-name %s --tag-keys %s", tag, user.Name, err, user.Name, tag)
		case tag == m.tag():
			found.record = record
		default:
			found.claim = record
		}
	}
	return found, nil
}

func (m *Machine) claimTag() string { return tagOwn + "claim:" + m.SenderID }

func (m *Machine) tag() string { return TagPrefix + m.SenderID }

func idsOf(keys []awsapi.AccessKey) []string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return ids
}

func keysOf(user string, keys []awsapi.AccessKey) []Key {
	named := make([]Key, len(keys))
	for i, k := range keys {
		named[i] = Key{User: user, ID: k.ID}
	}
	return named
}

// find is the index of the key of that id, -1 where it is not among keys.
func find(keys []awsapi.AccessKey, id string) int {
	return slices.IndexFunc(keys, func(k awsapi.AccessKey) bool { return k.ID == id })
}
