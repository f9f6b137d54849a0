package textwrap_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/textwrap"
)

// TestLines keeps results readable on half a screen, ids whole, and blanks that
// somebody wrote into a text from breaking it apart.
func TestLines(t *testing.T) {
	for text, want := range map[string][]string{
		"":                          nil,
		" \n\t":                     nil,
		"aa bb cc":                  {"aa bb", "cc"},
		"aa\n\n bb":                 {"aa bb"},
		"a abcdefgh b":              {"a", "abcdefgh", "b"},
		"zü äö":                     {"zü äö"},
		"aa bbb c, and a last word": {"aa", "bbb", "c,", "and a", "last", "word"},
	} {
		if diff := cmp.Diff(want, textwrap.Lines(text, 5)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
