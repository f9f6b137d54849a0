package awsapi

import (
	"fmt"
	"strings"
	"testing"
)

func TestValidators(t *testing.T) {
	t.Parallel()
	validators := map[string]struct {
		validate  func(string) error
		good, bad []string
		rule      string // that the error must name
	}{
		"user name": {
			ValidateUserName,
			[]string{"a", "auth0-sns_+=,.@1", strings.Repeat("n", 64)},
			[]string{"", "two words", "a/b", "ü", "a:b", "line\n", strings.Repeat("n", 65)},
			"1 to 64",
		},
		"policy name": {
			ValidatePolicyName,
			[]string{"sns-publish", strings.Repeat("n", 128)},
			[]string{"", "a b", "a*", strings.Repeat("n", 129)},
			"1 to 128",
		},
		"path": {
			ValidatePath,
			[]string{"/", "/auth0/", "/a/b~!/", "/" + strings.Repeat("p", 510) + "/"},
			[]string{"", "auth0", "/auth0", "auth0/", "//", "/two words/", "/ü/", "/a/\n", "/" + strings.Repeat("p", 511) + "/"},
			"begins and ends with /",
		},
		"boundary": {
			ValidateBoundaryARN,
			[]string{
				"arn:aws:iam::123456789012:policy/bound", "arn:aws:iam::aws:policy/PowerUserAccess",
				"arn:aws-cn:iam::123456789012:policy/team/bound", "arn:aws-us-gov:iam::123456789012:policy/a/b/c",
			},
			[]string{
				"", "bound", "arn:aws:iam::123456789012:role/bound", "arn:aws:iam::1234:policy/bound",
				"arn:aws:iam:us-east-1:123456789012:policy/bound", "arn:aws:iam::123456789012:policy/", "arn:aws:iam::123456789012:policy/a b",
				"arn:aws:iam::123456789012:policy/" + strings.Repeat("p/", 1100) + "bound",
			},
			"ARN of a managed policy",
		},
	}
	for what, test := range validators {
		for _, value := range test.good {
			if err := test.validate(value); err != nil {
				t.Errorf("%s %q is refused though AWS takes it: %v", what, value, err)
			}
		}
		for _, value := range test.bad {
			if err := test.validate(value); err == nil || !strings.Contains(err.Error(), test.rule) {
				t.Errorf("%s %q: %v; it would fail in apply, or the reader is not told the rule %q", what, value, err, test.rule)
			}
		}
	}
}

func TestValidateTags(t *testing.T) {
	t.Parallel()
	many := make(map[string]string)
	for i := range 51 {
		many[fmt.Sprint("key", i)] = ""
	}
	tests := map[string]struct {
		tags map[string]string
		rule string // "" for none broken
	}{
		"none":                   {nil, ""},
		"usual":                  {map[string]string{"team": "identity", "cost centre": "a/b=c+d-e@f:g_h.i"}, ""},
		"letters of any script":  {map[string]string{"équipe": "身份"}, ""},
		"longest":                {map[string]string{strings.Repeat("é", 128): strings.Repeat("é", 256)}, ""},
		"empty value":            {map[string]string{"team": ""}, ""},
		"too many":               {many, "at most 50"},
		"empty key":              {map[string]string{"": "x"}, "1 to 128"},
		"long key":               {map[string]string{strings.Repeat("k", 129): "x"}, "1 to 128"},
		"long value":             {map[string]string{"k": strings.Repeat("v", 257)}, "up to 256"},
		"character of a key":     {map[string]string{"a*": "x"}, "letters, digits"},
		"character of a value":   {map[string]string{"a": "x#y"}, "letters, digits"},
		"reserved":               {map[string]string{"aws:team": "x"}, "reserved"},
		"reserved in other case": {map[string]string{"AWS:team": "x"}, "reserved"},
		"twice but for case":     {map[string]string{"Team": "x", "team": "y"}, `"Team" and "team"`},
	}
	for name, test := range tests {
		err := ValidateTags(test.tags)
		if (err == nil) != (test.rule == "") || err != nil && !strings.Contains(err.Error(), test.rule) {
			t.Errorf("%s: %v, want the rule %q named", name, err, test.rule)
		}
	}
}
