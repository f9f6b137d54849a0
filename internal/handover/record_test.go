package handover

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestRecordRoundTrip: a run that reads another's record must find in it what
// the other meant, else it deletes a key that is in use.
func TestRecordRoundTrip(t *testing.T) {
	t.Parallel()
	const at = "at=2026-11-23T12:00:00Z run=0e"
	bridgeKey := Key{bridged, id("B")}
	tests := map[string]struct {
		record Record
		text   string
	}{
		"nothing":            {Record{}, at},
		"owner":              {Record{Owner: "beef"}, at + " owner=beef"},
		"holds":              {Record{Holds: keys("K")[0]}, at + " holds=" + id("K")},
		"several":            {Record{Offered: keys("A", "B"), Retiring: keys("C")}, at + " offered=" + id("A") + ":" + id("B") + " retiring=" + id("C")},
		"minting, none yet":  {Record{Minting: true}, at + " minting="},
		"minting, one there": {Record{Minting: true, Before: keys("A")}, at + " minting=" + id("A")},
		"bridge":             {Record{Bridge: true, Holds: bridgeKey}, at + " holds=" + id("B") + "@ bridge=yes"},
		"another user's":     {Record{Retiring: []Key{{former, id("A")}}}, at + " retiring=" + id("A") + "@former-sender"},
		"every sign that a user's name may have": {
			Record{Holds: Key{"a+b=c,d.e@f_g-h", id("A")}}, at + " holds=" + id("A") + "@a+b=c/d.e@f_g-h",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.record.Run, test.record.At = "0e", epoch()
			text, err := test.record.encode(user)
			if err != nil || text != test.text {
				t.Fatalf("encoded as %q, want %q, error %v", text, test.text, err)
			}
			read, err := decodeRecord(text, user)
			if diff := cmp.Diff(test.record, read); err != nil || diff != "" {
				t.Errorf("error %v; read (-want +got):\n%s", err, diff)
			}
		})
	}
}

// TestRecordOfRenamedUser: the tag goes along when a user is renamed, and names
// the keys under the new name then.
func TestRecordOfRenamedUser(t *testing.T) {
	t.Parallel()
	text, err := Record{Run: "0e", At: epoch(), Holds: keys("A")[0]}.encode(user)
	if err != nil {
		t.Fatal(err)
	}
	if read, err := decodeRecord(text, "renamed"); err != nil || read.Holds != (Key{"renamed", id("A")}) {
		t.Errorf("holds %v, error %v", read.Holds, err)
	}
}

// TestRecordFitsIntoTag: what a hand-over can leave at the worst fits, and what
// does not fit is an error before anything is done.
func TestRecordFitsIntoTag(t *testing.T) {
	t.Parallel()
	worst := Record{
		Run: "01234567", Owner: "89abcdef", At: epoch(), Bridge: true, Holds: Key{bridged, "AKIA0123456789ABCDEF"},
		Retiring: append(slices.Repeat([]Key{{user, "AKIA0123456789ABCDEF"}}, 3), Key{bridged, "AKIA0123456789ABCDEF"}),
		Minting:  true, Before: []Key{{user, "AKIA0123456789ABCDEF"}},
	}
	if text, err := worst.encode(user); err != nil {
		t.Errorf("%d signs: %v", len(text), err)
	}
	worst.Retiring = []Key{{strings.Repeat("x", 64), id("A")}, {strings.Repeat("y", 64), id("B")}}
	if _, err := worst.encode(user); err == nil || !strings.Contains(err.Error(), "does not fit into a tag of user \"sms-sender\"") {
		t.Errorf("error %v", err)
	}
}

// TestRecordRefused: half an understanding of a record is worse than none.
func TestRecordRefused(t *testing.T) {
	t.Parallel()
	const at = "at=2026-11-23T12:00:00Z run=0e"
	for name, text := range map[string]string{
		"empty":             "",
		"no run":            "at=2026-11-23T12:00:00Z holds=" + id("A"),
		"no time":           "run=0e",
		"a time that is no": "at=yesterday run=0e",
		"a later field":     at + " lent=" + id("A"),
		"no key":            at + " holds=",
		"a short key":       at + " holds=AKIA",
		"a small letter":    at + " offered=akia00000000000a",
		"a comma":           at + " retiring=" + id("A") + "," + id("B"),
		"a trailing colon":  at + " retiring=" + id("A") + ":",
		"two keys held":     at + " holds=" + id("A") + ":" + id("B"),
		"a run with a sign": "at=2026-11-23T12:00:00Z run=0e!",
		"an owner's name":   at + " owner=Me",
		"written by hand":   "do not touch",
	} {
		if read, err := decodeRecord(text, user); !errors.Is(err, errTag) && name != "a time that is no" || err == nil || len(read.Keys()) > 0 {
			t.Errorf("%s: %q gives %+v, error %v", name, text, read, err)
		}
	}
}

// TestReconcile: three witnesses, of which each may be behind.
func TestReconcile(t *testing.T) {
	t.Parallel()
	key := func(name string) Key { return keys(name)[0] }
	tests := map[string]struct {
		record  Record
		current Key
		listed  string
		want    Record
	}{
		"no record, no state":                      {},
		"no record: the state":                     {current: key("A"), listed: "A", want: Record{Holds: key("A")}},
		"no record, and the key is gone":           {current: key("A")},
		"no record, another user's key":            {current: Key{former, id("A")}, want: Record{Holds: Key{former, id("A")}}},
		"both say the same":                        {Record{Run: "a", Holds: key("A")}, key("A"), "A", Record{Run: "a", Holds: key("A")}},
		"the state was not saved after a delivery": {Record{Run: "a", Holds: key("B"), Retiring: keys("A")}, key("A"), "A B", Record{Run: "a", Holds: key("B"), Retiring: keys("A")}},
		"nor after the old key was deleted":        {Record{Run: "a", Holds: key("B")}, key("A"), "B", Record{Run: "a", Holds: key("B")}},
		"the record was not written after a delivery": {
			Record{Run: "a", Holds: key("A"), Offered: keys("B")}, key("B"), "A B", Record{Run: "a", Holds: key("A"), Offered: keys("B")},
		},
		"they differ: the sender may hold either": {Record{Run: "a", Holds: key("A")}, key("B"), "A B", Record{Run: "a", Holds: key("A"), Offered: keys("B")}},
		"what is gone stays until a hand-over has settled it": {
			Record{Run: "a", Holds: key("A"), Offered: keys("B", "C"), Retiring: keys("D", "E")},
			Key{},
			"C E",
			Record{Run: "a", Offered: keys("B", "C"), Retiring: keys("D", "E")},
		},
		"of another user's keys nothing is known": {
			Record{Run: "a", Holds: Key{bridged, id("A")}, Offered: []Key{{former, id("B")}}},
			Key{},
			"",
			Record{Run: "a", Holds: Key{bridged, id("A")}, Offered: []Key{{former, id("B")}}},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var listed []string
			for _, k := range strings.Fields(test.listed) {
				listed = append(listed, id(k))
			}
			got := test.record.reconcile(user, test.current, listed)
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("reconciled (-want +got):\n%s", diff)
			}
		})
	}
}

// TestBridgeName: the name of a bridge user is one that IAM takes.
func TestBridgeName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		user:                    bridged,
		strings.Repeat("x", 64): strings.Repeat("x", 57) + "-bridge",
	} {
		if got := BridgeName(name); got != want || len(got) > 64 {
			t.Errorf("bridge user of %q is %q, want %q", name, got, want)
		}
	}
}
