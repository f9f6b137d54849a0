package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// maxKeyAge is when a key is due where no configuration says so: what the CIS
// benchmark for AWS asks for.
const maxKeyAge = 90 * 24 * time.Hour

// applyIt settles whatever an apply has left.
const applyIt = "Run terraform apply."

// heldKey is the key that the sender holds, as far as that can be told: by the
// record on the IAM user, which the state follows, by the state, or because there
// is only one. Without an ID it cannot.
func (s *Subject) heldKey(ctx context.Context) (handover.Key, error) {
	record, err := s.keyRecord(ctx)
	if err != nil {
		return handover.Key{}, err
	}
	switch {
	case record.Holds.ID != "":
		return record.Holds, nil
	case s.Expect.AccessKeyID != "":
		return handover.Key{User: s.Expect.IAMUser, ID: s.Expect.AccessKeyID}, nil
	}
	keys, err := s.iamKeys(ctx)
	if err != nil || len(keys) != 1 {
		return handover.Key{}, err
	}
	return handover.Key{User: s.Expect.IAMUser, ID: keys[0].ID}, nil
}

// keyOf looks at the held key in IAM. The verdict is set where there is none to
// look at; it is what [checkKeyActive] says, and the others know nothing then.
func (s *Subject) keyOf(ctx context.Context) (awsapi.AccessKey, *Verdict, error) {
	held, err := s.heldKey(ctx)
	if awsapi.IsNotFound(err) {
		v := s.noUser()
		return awsapi.AccessKey{}, &v, nil
	}
	if err != nil {
		return awsapi.AccessKey{}, nil, err
	}
	keys, err := s.keysOfUser(ctx, held.User)
	if err != nil && !awsapi.IsNotFound(err) {
		return awsapi.AccessKey{}, nil, err
	}
	if i := slices.IndexFunc(keys, func(k awsapi.AccessKey) bool { return k.ID == held.ID }); i >= 0 {
		return keys[i], nil, nil
	}
	v := fail(applyIt, "IAM user %s has no access key.", s.Expect.IAMUser)
	switch {
	case held.ID != "":
		v = fail(applyIt, "Key %s, which the sender holds, does not exist any more: AWS refuses every message.", held.ID)
	case len(keys) > 0:
		v = s.whichKey(len(keys))
	}
	return awsapi.AccessKey{}, &v, nil
}

func (s *Subject) noUser() Verdict {
	if s.Expect.AccessKeyID == "" { // Nothing is known to have been applied.
		return fail("Set it up: "+s.bootstrap()+". Or name the user that sends: --iam-user.", "There is no IAM user %s.", s.Expect.IAMUser)
	}
	return fail(applyIt, "There is no IAM user %s.", s.Expect.IAMUser)
}

func (s *Subject) whichKey(keys int) Verdict {
	return unknown(s.nameTheState(),
		"IAM user %s has %d keys, and nothing says which of them the sender holds.", s.Expect.IAMUser, keys)
}

// elsewhere is the answer of a check whose question does not come up, for a
// reason that key-active has.
func elsewhere(v Verdict) Verdict { return unknown("See key-active.", "%s", v.Cause) }

// keysOfUser knows the user's own; the sender may hold one of the bridge user
// for a while.
func (s *Subject) keysOfUser(ctx context.Context, user string) ([]awsapi.AccessKey, error) {
	if user == "" || user == s.Expect.IAMUser {
		return s.iamKeys(ctx)
	}
	return s.AWS.AccessKeys(ctx, user)
}

func checkKeyActive(ctx context.Context, s *Subject) (Verdict, error) {
	key, none, err := s.keyOf(ctx)
	switch {
	case err != nil:
		return Verdict{}, err
	case none != nil:
		return *none, nil
	case !key.Active:
		return fail(
			fmt.Sprintf("%s It makes a new key. Or: aws iam update-access-key --user-name %s --access-key-id %s --status Active", applyIt, s.Expect.IAMUser, key.ID),
			"Key %s is inactive: AWS refuses every message.", key.ID), nil
	default:
		return pass("Key %s, made at %s.", key.ID, minute(key.CreatedAt)), nil
	}
}

// checkKeyIsTheStates compares the state with the record, since Auth0 shows
// nobody which key a sender holds.
func checkKeyIsTheStates(ctx context.Context, s *Subject) (Verdict, error) {
	if s.Expect.SenderID == "" || s.Expect.AccessKeyID == "" {
		return unknown(s.nameTheState(), "Without Terraform's state nobody knows which key it should be."), nil
	}
	record, err := s.keyRecord(ctx)
	if awsapi.IsNotFound(err) {
		return elsewhere(s.noUser()), nil
	}
	if err != nil {
		return Verdict{}, err
	}
	const state = "the state names %s"
	switch {
	case record.Run == "":
		return unknown(applyIt+" It hands over a key of its own, and keeps the record.",
			"IAM user %s has no record of a hand-over to %s; "+state+". Auth0 does not tell which key a sender holds.", s.Expect.IAMUser, s.Expect.SenderID, s.Expect.AccessKeyID), nil
	case len(record.Offered) > 0:
		return fail(applyIt+" It delivers another key and deletes these.",
			"A delivery had no answer: the sender may hold %s as well as %s.", handover.KeyIDs(record.Offered), s.Expect.AccessKeyID), nil
	case record.Released():
		return fail(applyIt, "The sender was last told to hold no key, and "+state+".", s.Expect.AccessKeyID), nil
	case record.Holds.ID != s.Expect.AccessKeyID:
		return fail(applyIt+" It takes what the record says into the state.",
			"The sender was handed %s at %s, and "+state+".", record.Holds.ID, minute(record.At), s.Expect.AccessKeyID), nil
	default:
		return pass("Key %s, handed over at %s.", record.Holds.ID, minute(record.At)), nil
	}
}

// checkKeyLastUsed fails where the key did what no sender does. sts is our own
// question before the hand-over.
func checkKeyLastUsed(ctx context.Context, s *Subject) (Verdict, error) {
	key, none, err := s.keyOf(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if none != nil {
		return elsewhere(*none), nil
	}
	used, err := s.AWS.AccessKeyLastUsed(ctx, key.ID)
	switch {
	case err != nil:
		return Verdict{}, err
	case used.Service == "":
		return pass("Key %s was never used. AWS is some minutes behind.", key.ID), nil
	case used.Service == "sts":
		return pass("Key %s has sent nothing yet, as far as AWS knows: it was last used at %s to see that it works. AWS is some minutes behind.", key.ID, minute(used.At)), nil
	case used.Service != "sns":
		return fail("Find out who has the key (CloudTrail has its calls), and replace it: terraform apply -replace of the auth0sns_credentials.",
			"Key %s was last used at %s for %s in %s, which no sender does.", key.ID, minute(used.At), used.Service, used.Region), nil
	case used.Region != "" && !slices.Contains(s.regions(ctx), used.Region):
		return unknown(fmt.Sprintf("Ask again with --region %s. Where the configuration has another region, the secret AWS_REGION is not its own: %s", used.Region, rotate),
			"Key %s last sent at %s, in %s. What was asked about SNS was asked %s.", key.ID, minute(used.At), used.Region, in(s.regions(ctx)...)), nil
	default:
		return pass("Key %s last sent at %s, in %s.", key.ID, minute(used.At), used.Region), nil
	}
}

func checkKeyAge(ctx context.Context, s *Subject) (Verdict, error) {
	key, none, err := s.keyOf(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if none != nil {
		return elsewhere(*none), nil
	}
	due, by := s.Expect.RotationDue, "as configured"
	if due.IsZero() {
		due, by = key.CreatedAt.Add(maxKeyAge), "90 days after it was made, as the CIS benchmark asks"
	}
	age := int(s.Now().Sub(key.CreatedAt).Hours() / 24)
	if !s.Now().Before(due) {
		return fail(applyIt+" It replaces the key without losing a message.",
			"Key %s is %s old and was due at %s, %s.", key.ID, counted(age, "day"), minute(due), by), nil
	}
	return pass("Key %s is %s old, and due at %s, %s.", key.ID, counted(age, "day"), minute(due), by), nil
}

// checkKeySlot looks for keys that no record speaks of. A rotation deletes none
// of those, and needs a slot: AWS allows two keys.
func checkKeySlot(ctx context.Context, s *Subject) (Verdict, error) {
	held, err := s.heldKey(ctx)
	if awsapi.IsNotFound(err) {
		return elsewhere(s.noUser()), nil
	}
	if err != nil {
		return Verdict{}, err
	}
	keys, err := s.iamKeys(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if len(keys) < 2 {
		return pass("IAM user %s has %d of 2 keys.", s.Expect.IAMUser, len(keys)), nil
	}
	record, err := s.keyRecord(ctx)
	if err != nil {
		return Verdict{}, err
	}
	var strange []string
	for _, key := range keys {
		known := key.ID == held.ID || slices.ContainsFunc(record.Keys(), func(k handover.Key) bool { return k.ID == key.ID })
		if !known {
			strange = append(strange, key.ID)
		}
	}
	switch {
	case held.ID == "":
		return s.whichKey(len(keys)), nil
	case len(strange) == 0:
		return pass("IAM user %s has 2 keys, of which the next apply deletes what the sender does not hold.", s.Expect.IAMUser), nil
	default:
		return fail(
			fmt.Sprintf("Find out who uses it, then: aws iam delete-access-key --user-name %s --access-key-id %s", s.Expect.IAMUser, strange[0]),
			"IAM user %s also has %s, which is not the sender's. The next rotation finds no free slot.", s.Expect.IAMUser, strings.Join(strange, ", ")), nil
	}
}
