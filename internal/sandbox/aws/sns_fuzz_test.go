package aws

import (
	"strings"
	"testing"
)

// FuzzPhoneNumber proves that the emulated SNS takes a number written in E.164
// and no other: a sender that sends anything else shall be found out here.
func FuzzPhoneNumber(f *testing.F) {
	for _, number := range []string{"+15005550001", "+4915112345678", "15005550001", "+0155", "+1 500", "+150055500\n", "+٣٣٣٣٣٣٣٣", "+1234567890123456"} {
		f.Add(number)
	}
	f.Fuzz(func(t *testing.T, number string) {
		digits, plus := strings.CutPrefix(number, "+")
		want := plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
		if got := e164.MatchString(number); got != want {
			t.Errorf("%q: taken for a number: %t, want %t", number, got, want)
		}
	})
}
