package review_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
)

// hostile is what somebody may put into a plan: a key of for_each, a text, code.
const hostile = "x\x1b[2J\u202e@octocat #1 !2 <img src=x> </details> [a](http://evil.example) `code` ``` ![i](x) www.evil.example |"

func hostileFindings() []review.Finding {
	return []review.Finding{{
		ID: "factor-off", Severity: review.Critical, Address: hostile, Message: hostile, Detail: hostile + "\nnext",
		Diff: "--- before\n+++ after\n@@ -1 +1 @@\n-a\n+" + hostile + "\n+````\n+</details> @octocat\n",
	}}
}

// TestTextKeepsTheTerminal keeps a plan from steering the terminal of the person
// who reviews it.
func TestTextKeepsTheTerminal(t *testing.T) {
	var b bytes.Buffer
	if err := review.Text(&b, hostileFindings()); err != nil {
		t.Fatal(err)
	}
	if bad := regexp.MustCompile(`[\x00-\x08\x0b-\x1f\x7f\x{202a}-\x{202e}]`).FindString(b.String()); bad != "" {
		t.Errorf("%q reaches the terminal", bad)
	}
}

// TestMarkdownIsText keeps a plan from naming people, linking and opening
// elements in the comment of a pull request.
func TestMarkdownIsText(t *testing.T) {
	var b bytes.Buffer
	if err := review.Markdown(&b, hostileFindings()); err != nil {
		t.Fatal(err)
	}
	text, fenced, found := strings.Cut(b.String(), "<details><summary>diff</summary>")
	if !found {
		t.Fatalf("no diff in\n%s", text)
	}
	text = regexp.MustCompile("(?m)^`.*$").ReplaceAllString(text, "") // A line of code spans, in which nothing is seen.
	for _, bad := range []string{"@octocat", "#1", "!2", "<img", "</details>", "[", "![", "http://", "www.evil", "`"} {
		if strings.Contains(strings.NewReplacer(`\[`, "", "\\`", "").Replace(text), bad) {
			t.Errorf("%q is in the comment:\n%s", bad, text)
		}
	}
	fence := regexp.MustCompile("(?m)^(`{3,})diff$").FindStringSubmatch(fenced)
	if fence == nil || len(fence[1]) < 5 || strings.Count(fenced, "\n"+fence[1]+"\n") != 1 {
		t.Errorf("the code block ends before the diff does:\n%s", fenced)
	}
}

// TestMarkdownFits keeps a long plan from being refused as a comment, in which
// case nobody would see any of it.
func TestMarkdownFits(t *testing.T) {
	var findings []review.Finding
	for i := range 400 {
		findings = append(findings, review.Finding{ID: "code-changed", Severity: review.Medium, Address: fmt.Sprint(i), Message: strings.Repeat("m", 200), Diff: strings.Repeat("+line\n", 5000)})
	}
	var b bytes.Buffer
	if err := review.Markdown(&b, findings); err != nil {
		t.Fatal(err)
	}
	if b.Len() > 65_536 || !strings.Contains(b.String(), "more findings do not fit") || !strings.Contains(b.String(), "diffs do not fit") {
		t.Errorf("%d bytes, ending in %q", b.Len(), b.String()[b.Len()-200:])
	}
}

// TestSARIF holds what code scanning takes against the published schema.
func TestSARIF(t *testing.T) {
	withPosition := hostileFindings()
	withPosition[0].Position = &review.Position{File: "environments/my staging/main.tf", Line: 7}
	whole := []review.Finding{{ID: "plan-incomplete", Severity: review.Low, Message: "m"}}
	for name, findings := range map[string][]review.Finding{"none": nil, "hostile": hostileFindings(), "with a position": withPosition, "of the whole plan": whole} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := review.SARIF(&b, findings, "1.2.3"); err != nil {
				t.Fatal(err)
			}
			log := readSARIF(t, b.Bytes())
			if err := log.Validate(); err != nil {
				t.Errorf("code scanning refuses it: %v", err)
			}
			if len(log.Runs) != 1 || len(log.Runs[0].Results) != len(findings) {
				t.Errorf("%d findings give %s", len(findings), b.String())
			}
		})
	}
	var b bytes.Buffer
	if err := review.SARIF(&b, withPosition, "1.2.3"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), `"uri": "environments/my%20staging/main.tf"`) {
		t.Errorf("the file is not a URI:\n%s", b.String())
	}
}

// readSARIF reads what the schema has a place for, and no more. The library would
// write three defaults that the schema refuses, so they get values here.
func readSARIF(t *testing.T, data []byte) *sarif.Report {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(new(sarif.Report)); err != nil {
		t.Fatal(err)
	}
	log, err := sarif.FromBytes(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, run := range log.Runs {
		run.Language, run.Tool.Driver.Language, run.NewlineSequences = "en", "en", []string{"\n"}
	}
	return log
}

// TestNothingSensitiveIsShown searches everything that is written of every plan
// for values that a plan marks as sensitive.
func TestNothingSensitiveIsShown(t *testing.T) {
	const plan = `{"format_version": "1.2", "resource_changes": [
		{"address": "auth0sns_action.sms", "type": "auth0sns_action", "name": "sms", "change": {"actions": ["update"],
		 "before": {"code": "hush-hush", "code_sha256": "a", "runtime": "hush-hush", "sms": {"sender_id": "hush-hush"}}, "after": {"code": "psst-psst", "code_sha256": "b", "runtime": "psst-psst", "sms": {"sender_id": "psst-psst"}},
		 "before_sensitive": {"code": true, "runtime": true, "sms": {"sender_id": true}}, "after_sensitive": {"code": true, "runtime": true, "sms": {"sender_id": true}}}},
		{"address": "auth0sns_sms_factor.sms", "type": "auth0sns_sms_factor", "name": "sms", "change": {"actions": ["update"],
		 "before": {"enabled": true, "verification_message": "{{code}}"}, "after": {"enabled": true, "verification_message": "hush-hush"}, "after_sensitive": {"verification_message": true}}},
		{"address": "aws_iam_user_policy.x", "type": "aws_iam_user_policy", "name": "x", "change": {"actions": ["update"],
		 "before": {"user": "u", "policy": "{}"}, "after": {"user": "u", "policy": "hush-hush"}, "after_sensitive": true}},
		{"address": "auth0sns_iam_user.sms", "type": "auth0sns_iam_user", "name": "sms", "change": {"actions": ["no-op"], "before": {"name": "u"}, "after": {"name": "u"}}}]}`
	plans := []review.Finding{}
	plans = append(plans, review.Plan(read(t, []byte(plan)))...)
	plans = append(plans, review.Plan(cases(t)["auth0_action: code and secrets"].plan)...)
	if len(plans) < 6 {
		t.Fatalf("only %d findings: %v", len(plans), plans)
	}
	var b bytes.Buffer
	if err := review.SARIF(&b, plans, ""); err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"hush-hush", "psst-psst"} {
		if strings.Contains(b.String(), secret) {
			t.Errorf("%q is in\n%s", secret, b.String())
		}
	}
}

func TestSummary(t *testing.T) {
	for want, findings := range map[string][]review.Finding{
		"Nothing in this plan puts people's codes at risk": nil,
		"1 finding: 1 critical":                            hostileFindings(),
		"2 findings: 1 high, 1 low":                        {{Severity: review.High}, {Severity: review.Low}},
	} {
		if got := review.Summary(findings); got != want {
			t.Errorf("%d findings are %q, want %q", len(findings), got, want)
		}
	}
}
