package review_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	tfjson "github.com/hashicorp/terraform-json"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
)

// TestFindings keeps what a reviewer is told of each plan in testdata. If it
// fails, people lose their codes by a plan that the review let pass, or a review
// that cries wolf is switched off.
func TestFindings(t *testing.T) {
	seen := map[string]bool{}
	for name, c := range cases(t) {
		t.Run(name, func(t *testing.T) {
			got := []string{}
			for _, f := range review.Plan(c.plan) {
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s %s %s", f.Severity, f.ID, f.Address)))
				seen[f.ID] = true
				if f.Message == "" || strings.Contains(f.Message+f.Detail, "%!") {
					t.Errorf("%s says %q %q", f.ID, f.Message, f.Detail)
				}
			}
			less := func(a, b string) bool { return a < b }
			if diff := cmp.Diff(c.want, got, cmpopts.SortSlices(less)); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
		})
	}
	for id := range seen {
		if !slices.ContainsFunc(review.Rules(), func(r review.Rule) bool { return r.ID == id }) {
			t.Errorf("%q is not among the rules: code scanning would not know it", id)
		}
	}
	elsewhere := []string{"wrong-tenant", "wrong-account", "tenant-not-pinned", "account-not-pinned", "several-tenants"} // TestAgainst
	for _, rule := range review.Rules() {
		if !seen[rule.ID] && !slices.Contains(elsewhere, rule.ID) {
			t.Errorf("no plan in testdata has the finding %q", rule.ID)
		}
	}
}

type testCase struct {
	want []string
	plan *tfjson.Plan
}

// cases reads testdata/findings.txtar, which says how.
func cases(t testing.TB) map[string]testCase {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/findings.txtar")
	if err != nil {
		t.Fatal(err)
	}
	var objects map[string]map[string]any
	decode(t, "testdata/objects.json", &objects)
	cases := map[string]testCase{}
	for _, file := range archive.Files {
		if _, twice := cases[file.Name]; twice {
			t.Fatalf("two plans %q", file.Name)
		}
		want, plan := []string{}, map[string]any{"format_version": "1.2"}
		var changes []any
		for line := range strings.Lines(string(file.Data)) {
			if !strings.HasPrefix(line, "{") {
				want = append(want, strings.TrimSpace(line))
				continue
			}
			var fields map[string]any
			if err := json.Unmarshal([]byte(line), &fields); err != nil {
				t.Fatalf("%s: %v", file.Name, err)
			}
			if of, ok := fields["plan"].(map[string]any); ok {
				maps.Copy(plan, of)
				continue
			}
			changes = append(changes, fullChange(fields, objects))
		}
		plan["resource_changes"] = changes
		text, err := json.Marshal(plan)
		if err != nil {
			t.Fatal(err)
		}
		cases[file.Name] = testCase{want, read(t, text)}
	}
	return cases
}

// fullChange is a change of testdata/findings.txtar as Terraform writes it.
func fullChange(fields map[string]any, objects map[string]map[string]any) map[string]any {
	address, _ := fields["address"].(string)
	module, kind, name := splitAddress(address)
	change := map[string]any{}
	for _, side := range []string{"before", "after"} {
		object := maps.Clone(objects[kind])
		if object == nil {
			object = map[string]any{}
		}
		given, is := fields[side]
		if overlay, ok := given.(map[string]any); ok {
			maps.Copy(object, overlay)
		}
		if change[side] = object; is && given == nil {
			change[side] = nil
		}
	}
	unknown, _ := fields["after_unknown"].(map[string]any)
	if after, ok := change["after"].(map[string]any); ok {
		maps.DeleteFunc(after, func(name string, _ any) bool { return unknown[name] != nil })
	}
	full := map[string]any{"module_address": module, "mode": "managed", "type": kind, "name": name, "change": change}
	for field, v := range fields {
		switch field {
		case "before", "after":
		case "address", "deposed", "action_reason":
			full[field] = v
		default:
			change[field] = v
		}
	}
	return full
}

// splitAddress knows addresses without dots in the keys of resources.
func splitAddress(address string) (module, kind, name string) {
	at := strings.LastIndex(address, ".")
	module, name = address[:at], address[at+1:]
	if at = strings.LastIndex(module, "."); at < 0 {
		return "", module, name
	}
	return module[:at], module[at+1:], name
}

func decode(t testing.TB, file string, into any) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, plan []byte) *tfjson.Plan {
	t.Helper()
	p, err := review.Read(plan)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
