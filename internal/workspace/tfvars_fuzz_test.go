package workspace

import (
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/zclconf/go-cty/cty"
)

// FuzzSettings gives the reader of terraform.tfvars any text: it refuses it, or
// what is written into it is what is read back, whatever else the text has.
func FuzzSettings(f *testing.F) {
	f.Add("auth0_domain = \"a.eu.auth0.com\"\n# x\nsms_fallback_regions = [\"a\",]\n", "{{code}} ${x}")
	f.Add("a = 1\r\nmfa_policy = null\r\n", "\"\\%{if}\r\n")
	f.Add("mfa_policy = <<EOT\nx\nEOT\n", "é\x00")
	f.Add("iam_user=\"a\"//", "")
	f.Fuzz(func(t *testing.T, source, message string) {
		if !utf8.ValidString(message) {
			return // No flag and no form has it.
		}
		wanted := full()
		wanted.EnrollmentMessage, wanted.Path, wanted.Backend = cty.NormalizeString(message), "", Backend{}
		after, err := editSettings("terraform.tfvars", []byte(source), wanted)
		if err != nil {
			return
		}
		got, err := parseSettings("terraform.tfvars", after)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v\n%q", err, after)
		}
		if diff := cmp.Diff(wanted, got, cmpopts.SortSlices(func(a, b string) bool { return a < b })); diff != "" {
			t.Errorf("(-want +got):\n%s\n%q", diff, after)
		}
	})
}
