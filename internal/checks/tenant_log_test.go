package checks_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
)

// tenantLog is a tenant of which only the log is asked.
type tenantLog struct {
	checks.Auth0
	failed, sent []auth0api.LogEntry
}

func (l tenantLog) Logs(_ context.Context, query string, limit int) ([]auth0api.LogEntry, error) {
	var entries []auth0api.LogEntry
	for _, e := range slices.Concat(l.failed, l.sent) {
		if strings.Contains(query, `"`+e.Type+`"`) && len(entries) < limit {
			entries = append(entries, e)
		}
	}
	return entries, nil
}

func logNow() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) }

func (l tenantLog) look(t *testing.T) map[string]checks.Finding {
	t.Helper()
	selected, err := checks.Select(checks.After, "recent-failures", "phone-format")
	if err != nil {
		t.Fatal(err)
	}
	findings, err := checks.Run(t.Context(), &checks.Subject{Auth0: l, Now: logNow}, selected)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]checks.Finding{findings[0].ID: findings[0], findings[1].ID: findings[1]}
}

// TestFailureCauses reads what the sender's code, AWS, the SDK of Auth0's guide
// and Auth0 itself say: a cause that is not known is quoted, and one that is
// taken for another sends a person the wrong way.
func TestFailureCauses(t *testing.T) {
	sent := []auth0api.LogEntry{{Type: "gd_send_sms", Date: logNow().Add(-time.Minute)}}
	for reason, want := range map[string]struct {
		says       string
		sender     checks.Result // with a message that got through later
		format     checks.Result
		lastFailed checks.Result // with none
	}{
		"Error: Amazon SNS: InvalidClientTokenId (HTTP 403). AWS does not know the access key":                                {"deleted, deactivated or mistyped", checks.Pass, checks.Pass, checks.Fail},
		"The security token included in the request is invalid.":                                                              {"deleted, deactivated or mistyped", checks.Pass, checks.Pass, checks.Fail},
		"SignatureDoesNotMatch: The request signature we calculated does not match":                                           {"does not belong to its access key", checks.Pass, checks.Pass, checks.Fail},
		"AuthorizationError: User: arn:aws:iam::1:user/x is not authorized to perform: SNS:Publish on resource: +15005550001": {"may not publish", checks.Pass, checks.Pass, checks.Fail},
		"Missing secret: AWS_REGION.": {"lacks a secret", checks.Pass, checks.Pass, checks.Fail},
		"CredentialsError: Missing credentials in config, if using AWS_CONFIG_FILE":                         {"lacks a secret", checks.Pass, checks.Pass, checks.Fail},
		"Amazon SNS: OptedOutException (HTTP 400). The owner of the number has opted out":                   {"", checks.Pass, checks.Pass, checks.Pass},
		"The country of the phone number is not among the allowed country codes.":                           {"", checks.Pass, checks.Pass, checks.Pass},
		"The phone number is not E.164: it must start with + and the country code.":                         {"not E.164", checks.Pass, checks.Fail, checks.Pass},
		"InvalidParameter: Invalid parameter: PhoneNumber Reason: 0123 is not valid to publish to":          {"not E.164", checks.Pass, checks.Fail, checks.Pass},
		"Amazon SNS: InvalidParameter (HTTP 400). AWS refused the phone number, the text or an SMS setting": {"sns-sandbox", checks.Fail, checks.Pass, checks.Fail},
		"Amazon SNS: Throttling (HTTP 400). The AWS account reached its quota":                              {"messages per second", checks.Fail, checks.Pass, checks.Fail},
		"Amazon SNS: TimeoutError. No answer from AWS.":                                                     {"did not answer in time", checks.Fail, checks.Pass, checks.Fail},
		"The Action timed out after 20 seconds":                                                             {"did not answer in time", checks.Fail, checks.Pass, checks.Fail},
		"Amazon SNS: ENOTFOUND. The host name of the region was not found":                                  {"AWS_REGION", checks.Pass, checks.Pass, checks.Fail},
		"Amazon SNS sends SMS only, no voice calls: turn off voice at Auth0.":                               {"", checks.Pass, checks.Pass, checks.Pass},
		"Cannot find module 'aws-sdk'":                                                                      {"npm package", checks.Pass, checks.Pass, checks.Fail},
		"the tenant's phone provider is disabled":                                                           {"nobody to send", checks.Pass, checks.Pass, checks.Fail},
		"kaputt at +4915112345678":                                                                          {`the log says "kaputt at (number)"`, checks.Pass, checks.Pass, checks.Fail},
	} {
		failed := []auth0api.LogEntry{{Type: "fn", Date: logNow().Add(-time.Hour), Reason: reason}}
		later, never := tenantLog{failed: failed, sent: sent}.look(t), tenantLog{failed: failed}.look(t)
		if got := later["recent-failures"].Result; got != want.sender {
			t.Errorf("%q, and then one that got through: %s", reason, got)
		}
		if got := never["recent-failures"].Result; got != want.lastFailed {
			t.Errorf("%q: %s", reason, got)
		}
		if got := never["phone-format"].Result; got != want.format {
			t.Errorf("%q: phone-format %s", reason, got)
		}
		all := fmt.Sprint(never)
		if !strings.Contains(all, want.says) {
			t.Errorf("%q is not told as %q: %s", reason, want.says, all)
		}
		if strings.Contains(all, "4915112345678") || strings.Contains(all, "15005550001") {
			t.Errorf("a person's number is printed: %s", all)
		}
	}
}

// TestFailuresOfOthersAreSeen keeps a check that says "none" from standing beside a
// status that counts one.
func TestFailuresOfOthersAreSeen(t *testing.T) {
	failed := []auth0api.LogEntry{{Type: "gd_send_sms_failure", Date: logNow().Add(-time.Hour), Reason: "The country of the phone number is not among the allowed country codes."}}
	f := tenantLog{failed: failed}.look(t)["recent-failures"]
	const want = "none of the sender's. Of others: 1 failed, the last at 2026-11-23 11:00 UTC: a number is of a country that the sender does not send to."
	if f.Result != checks.Pass || !strings.Contains(f.Cause, want) {
		t.Errorf("%+v", f)
	}
}

// TestRunsThatMayBeAnothers keeps a broken Action of somebody else from failing
// the sender, and from going unseen.
func TestRunsThatMayBeAnothers(t *testing.T) {
	run := auth0api.LogEntry{Type: "actions_execution_failed", Date: logNow().Add(-time.Hour), Reason: "m"}
	message := auth0api.LogEntry{Type: "gd_send_sms_failure", Date: logNow().Add(-time.Hour), Reason: "Throttling"}
	email := auth0api.LogEntry{Type: "fn", Date: logNow().Add(-time.Hour), Reason: "550 no such box", Email: true}
	old := auth0api.LogEntry{Type: "fn", Date: logNow().Add(-checks.LookBack - time.Minute), Reason: "Throttling"}
	later := auth0api.LogEntry{Type: "gd_send_sms", Date: logNow()}
	many := func(e auth0api.LogEntry) []auth0api.LogEntry { return slices.Repeat([]auth0api.LogEntry{e}, 100) }
	for name, test := range map[string]struct {
		log  tenantLog
		want checks.Result
	}{
		"a message behind many e-mails":  {tenantLog{failed: append(many(email), message), sent: []auth0api.LogEntry{later}}, checks.Unknown},
		"a message behind many runs":     {tenantLog{failed: append(many(run), message), sent: []auth0api.LogEntry{later}}, checks.Fail},
		"a call that somebody asked for": {tenantLog{failed: []auth0api.LogEntry{{Type: "gd_send_voice_failure", Date: logNow(), Reason: "no"}}}, checks.Pass},
		"only runs":                      {tenantLog{failed: []auth0api.LogEntry{run}}, checks.Unknown},
		"runs, and then a code":          {tenantLog{failed: []auth0api.LogEntry{run}, sent: []auth0api.LogEntry{later}}, checks.Pass},
		"a message and its run":          {tenantLog{failed: []auth0api.LogEntry{run, message}}, checks.Fail},
		"an e-mail":                      {tenantLog{failed: []auth0api.LogEntry{email}}, checks.Pass},
		"older than is looked at":        {tenantLog{failed: []auth0api.LogEntry{old}, sent: []auth0api.LogEntry{old}}, checks.Pass},
		"too many calls":                 {tenantLog{failed: []auth0api.LogEntry{{Type: "limit_phone", Date: logNow()}}}, checks.Fail},
		"an eager person":                {tenantLog{failed: []auth0api.LogEntry{{Type: "gd_otp_rate_limit_exceed", Date: logNow()}}}, checks.Pass},
	} {
		if f := test.log.look(t)["recent-failures"]; f.Result != test.want {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
