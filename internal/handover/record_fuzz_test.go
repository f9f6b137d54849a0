package handover

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// FuzzRecord: whoever may tag the user can write anything there, and by the
// record keys are deleted. What is read must be what was written, to the last
// key.
func FuzzRecord(f *testing.F) {
	const run = "at=2026-11-23T10:00:00Z run=0123abcd "
	for _, fields := range []string{
		"holds=AKIAIOSFODNN7EXAMPLE", "holds=AKIAIOSFODNN7EXAMPLE offered=AKIAIOSFODNN7EXAMPL1:AKIAIOSFODNN7EXAMPL2@ retiring=AKIAIOSFODNN7EXAMPL3@a/b@c=d",
		"owner=ff minting= bridge=yes", "minting=AKIAIOSFODNN7EXAMPLE:AKIAIOSFODNN7EXAMPL1", "offered=", "offered=:", "holds=", "holds=akia", "unknown=1",
		"bridge=no", "holds=AKIAIOSFODNN7EXAMPLE holds=AKIAIOSFODNN7EXAMPL1", "holds=AKIAIOSFODNN7EXAMPLE@sms", "at=9999-12-31T23:59:59-23:59",
	} {
		f.Add(run+fields, "sms")
	}
	f.Add(run+"holds=AKIAIOSFODNN7EXAMPLE@", strings.Repeat("a", 64))
	f.Add("by hand", "sms")
	f.Fuzz(func(t *testing.T, value, user string) {
		if awsapi.ValidateUserName(user) != nil || len(value) > maxTagValue {
			t.Skip() // AWS has neither.
		}
		read, err := decodeRecord(value, user)
		if err != nil || read.At.UTC().Year() > 9999 || read.At.UTC().Year() < 0 { // RFC 3339 has no such year in UTC.
			return
		}
		for _, k := range append(read.Keys(), read.Before...) {
			if !strings.Contains(value, k.ID) {
				t.Errorf("%q speaks of no key %s", value, k.ID)
			}
			if err := awsapi.ValidateUserName(k.User); err != nil {
				t.Errorf("%q: %v", value, err)
			}
		}
		requireSameRecord(t, read, user)
	})
}

// FuzzRecordOfKeys is the way round: what a run knew is what the next one finds.
func FuzzRecordOfKeys(f *testing.F) {
	f.Add("sms", "other,user", uint8(0), int64(1_800_000_000))
	f.Add("a@b", "a@b-bridge", uint8(0xff), int64(0))
	f.Add("sms", "x=y", uint8(0b10101), int64(-1))
	f.Fuzz(func(t *testing.T, user, other string, shape uint8, at int64) {
		when := time.Unix(at, 0).UTC()
		if awsapi.ValidateUserName(user) != nil || awsapi.ValidateUserName(other) != nil || when.Year() < 1 || when.Year() > 9999 || when.IsZero() {
			t.Skip()
		}
		has := func(bit int) bool { return shape&(1<<bit) != 0 }
		r := Record{Run: "0123abcd", At: when, Minting: has(5), Bridge: has(6)}
		if has(0) {
			r.Holds = Key{User: user, ID: "AKIAIOSFODNN7EXAMPL0"}
		}
		if has(1) {
			r.Offered = append(r.Offered, Key{User: BridgeName(user), ID: "AKIAIOSFODNN7EXAMPL1"})
		}
		if has(2) {
			r.Offered = append(r.Offered, Key{User: user, ID: "AKIAIOSFODNN7EXAMPL2"})
		}
		if has(3) {
			r.Retiring = append(r.Retiring, Key{User: other, ID: "AKIAIOSFODNN7EXAMPL3"})
		}
		if has(4) && r.Minting {
			r.Before = append(r.Before, Key{User: user, ID: "AKIAIOSFODNN7EXAMPL4"})
		}
		requireSameRecord(t, r, user)
	})
}

// requireSameRecord writes a record as a tag of the user and reads it again.
func requireSameRecord(t *testing.T, r Record, user string) {
	t.Helper()
	value, err := r.encode(user)
	if err != nil {
		return // Too long: refused before anything is done.
	}
	if err := awsapi.ValidateTags(map[string]string{TagPrefix + "sender": value}); err != nil {
		t.Errorf("AWS refuses the record in the middle of a hand-over: %v", err)
	}
	again, err := decodeRecord(value, user)
	if diff := cmp.Diff(r, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("%q of user %q is read as something else: %v\n%s", value, user, err, diff)
	}
}
