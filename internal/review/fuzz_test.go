package review_test

import (
	"bytes"
	"encoding/json"
	"io"
	"testing"
	"unicode"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
)

// FuzzPlan takes whatever may stand in a plan: a review that dies reviews nothing,
// and a plan must not steer the terminal that it is shown on.
func FuzzPlan(f *testing.F) {
	for _, c := range cases(f) {
		plan, err := json.Marshal(c.plan)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(plan)
	}
	f.Add([]byte(`{"format_version":"1.2","resource_changes":[null,{},{"change":{}},{"type":"auth0sns_action","change":{"actions":["update"],"before":1,"after":[],"after_unknown":true}}],"deferred_changes":[null]}`))
	f.Add([]byte(`{"format_version":"1.2","planned_values":{},"variables":{"a":null},"configuration":{"provider_config":{"a":null,"b":{"name":"auth0sns","expressions":{"auth0":{"references":["var.a","var."]},"aws":null}}},"root_module":{"resources":[null],"module_calls":{"a":null,"b":{}}}}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		plan, err := review.Read(data)
		if err != nil {
			return
		}
		findings := append(review.Plan(plan), review.Against(plan, review.Pins{Environment: "staging", Domain: "a.b", AccountID: "111122223333"})...)
		var text bytes.Buffer
		for _, write := range []func() error{
			func() error { return review.Text(&text, findings) },
			func() error { return review.Markdown(io.Discard, findings) },
			func() error { return review.SARIF(io.Discard, findings, "") },
		} {
			if err := write(); err != nil {
				t.Fatal(err)
			}
		}
		for _, r := range text.String() {
			if unicode.IsControl(r) && r != '\n' && r != '\t' {
				t.Fatalf("%q reaches the terminal", r)
			}
		}
	})
}
