package auth0

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// unifiedBed is a tenant on the unified phone experience whose provider is
// custom, and the id of its Action. Switches are changed before the provider is
// created.
func unifiedBed(t *testing.T, change ...func(*Switches)) (*bed, string) {
	t.Helper()
	b, action := phoneBed(t)
	for _, f := range change {
		b.set(f)
	}
	b.must("PATCH", "/tenants/settings", `{"phone_consolidated_experience":true}`)
	b.must("PUT", "/guardian/factors/sms", `{"enabled":true}`)
	b.must("PUT", "/guardian/factors/phone/message-types", `{"message_types":["sms"]}`)
	b.createPhoneProvider(customBody)
	return b, action
}

func (b *bed) provider() string {
	return providersPath + "/" + b.tenant.Snapshot().PhoneProviders[0].ID
}

// logged are the details of the entries of a type, oldest first.
func (b *bed) logged(kind string) []map[string]any {
	b.t.Helper()
	list, _ := b.must("GET", `/logs?sort=date:1&q=type:"`+kind+`"`, "").body.([]any)
	var details []map[string]any
	for _, item := range list {
		entry, _ := item.(map[string]any)
		object, _ := entry["details"].(map[string]any)
		details = append(details, object)
	}
	return details
}

func TestUnifiedChallengeRunsTheActionOfTheProvider(t *testing.T) {
	b, id := unifiedBed(t)
	b.must("PATCH", "/tenants/settings", `{"support_url":"https://example.com/help"}`)
	b.must("PATCH", "/actions/actions/"+id, `{"code":"draft","secrets":[]}`)
	b.runner.result = Result{Duration: time.Second, Logs: []string{"hello"}}
	got := b.challenge(ChallengeRequest{Code: "424242", Language: "en_US"})
	want := ChallengeResult{
		Sender: id, Execution: got.Execution, Provider: "custom", Sent: true, Prompted: true,
		Code: "424242", Text: "424242 is your verification code for staging",
		LogType: "gd_send_sms", Duration: time.Second, Logs: []string{"hello"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("challenge (-want +got):\n%s", diff)
	}
	secrets := map[string]string{"AWS_REGION": "eu-west-1"}
	job := Job{
		Kind: KindAction, Script: actionCode, Dependencies: map[string]string{}, Secrets: secrets,
		Recipient: phoneNumber, Text: want.Text, Timeout: 20 * time.Second, Handler: "onExecuteCustomPhoneProvider",
		Event: map[string]any{
			"notification": map[string]any{
				"recipient": phoneNumber, "as_text": want.Text,
				"as_voice":        "Hello. Your verification code for staging is ... 4. 2. 4. 2. 4. 2.. I repeat, your verification code is ... 4. 2. 4. 2. 4. 2.",
				"delivery_method": "text", "message_type": "otp_verify", "locale": "en_US", "code": "424242",
			},
			"client": map[string]any{"client_id": b.tenant.Client().ClientID, "name": "auth0sns", "metadata": map[string]any{}},
			"request": map[string]any{
				"ip": "127.0.0.1", "method": "POST", "geoip": map[string]any{}, "hostname": b.tenant.host(), "language": "en_US", "user_agent": "Mozilla/5.0",
			},
			"secrets": secrets,
			"tenant":  map[string]any{"id": "staging", "friendly_name": "staging", "support_url": "https://example.com/help"},
			"user":    userEvent(),
		},
	}
	if diff := cmp.Diff([]Job{job}, b.runner.jobs); diff != "" {
		t.Errorf("what deployed code is given (-want +got):\n%s", diff)
	}
	expect(t, "execution", b.must("GET", "/actions/executions/"+got.Execution, ""), 200, `"trigger_id":"custom-phone-provider"`)
	logs := b.must("GET", `/logs?q=type:"gd_send_sms"`, "")
	expect(t, "tenant log", logs, 200, `"actions":{"executions":["`+got.Execution+`"]}`)
	if strings.Contains(logs.raw, "424242") || strings.Contains(logs.raw, phoneNumber) {
		t.Errorf("the tenant log holds the code or the whole number: %s", logs.raw)
	}
}

func TestUnifiedMessages(t *testing.T) {
	b, _ := unifiedBed(t)
	b.must("PUT", "/guardian/factors/phone/message-types", `{"message_types":["sms","voice"]}`)
	b.must("PATCH", b.provider(), `{"configuration":{"delivery_methods":["text","voice"]}}`)
	b.must("POST", templatesPath, `{"type":"otp_enroll","content":{"from":"+15550001111","body":{"text":"{{ code }} for {{ friendly_name }}{{ pause }}, not {{tenant.friendly_name}}","voice":"{{ pause }}{{ code }}"}}}`)
	for _, test := range []struct {
		name    string
		request ChallengeRequest
		text    string // begins with
		logType string
		event   map[string]any // of notification; a nil one must not be there
	}{
		{"enrolment", ChallengeRequest{Action: ActionEnrollment}, "12 for staging, not ", "gd_send_sms", map[string]any{"message_type": "otp_enroll", "from": "+15550001111", "code": "12", "locale": "en"}},
		{"classic login", ChallengeRequest{Language: "N/A"}, "12 is your", "gd_send_sms", map[string]any{"message_type": "otp_verify", "from": nil, "locale": nil}},
		{"by its type", ChallengeRequest{MessageType: MessageEnroll}, "12 for", "gd_send_sms", map[string]any{"message_type": "otp_enroll"}},
		{"voice", ChallengeRequest{Action: ActionEnrollment, DeliveryMethod: "voice"}, "...1. 2.", "gd_send_voice", map[string]any{"delivery_method": "voice", "as_voice": "...1. 2."}},
		{"new password", ChallengeRequest{MessageType: MessageChangePassword}, "12 is your password change code", "", map[string]any{"message_type": "change_password", "code": nil}},
		{"blocked", ChallengeRequest{MessageType: MessageBlockedAccount}, "We detected suspicious activity on your account from the ip 127.0.0.1. Logins", "", map[string]any{"message_type": "blocked_account", "code": nil}},
		{"breach", ChallengeRequest{MessageType: MessagePasswordBreach}, "The password", "", map[string]any{"message_type": "password_breach", "code": nil}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.runner.jobs = nil
			test.request.Code = "12"
			got := b.challenge(test.request)
			if !got.Sent || !strings.HasPrefix(got.Text, test.text) || got.LogType != test.logType {
				t.Errorf("%+v, want %q sent, log %q", got, test.text, test.logType)
			}
			notification, _ := b.runner.jobs[0].Event["notification"].(map[string]any)
			for key, want := range test.event {
				if value, there := notification[key]; value != want || there != (want != nil) {
					t.Errorf("event.notification.%s is %v, want %v", key, value, want)
				}
			}
		})
	}
}

func TestUnifiedChallengeFollowsTheTenantsSettings(t *testing.T) {
	for _, test := range []struct {
		name     string
		prepare  func(b *bed, action string)
		wantErr  string
		wantType string
		prompted bool
	}{
		{"factor off", func(b *bed, _ string) { b.must("PUT", "/guardian/factors/sms", `{"enabled":false}`) }, "the sms factor is disabled", "", false},
		{"voice only", func(b *bed, _ string) {
			b.must("PUT", "/guardian/factors/phone/message-types", `{"message_types":["voice"]}`)
		}, "the phone message types do not include sms", "", false},
		{"no provider", func(b *bed, _ string) { b.must("DELETE", b.provider(), "") }, "the tenant has no phone provider", "fn", true},
		{"disabled", func(b *bed, _ string) { b.must("PATCH", b.provider(), `{"disabled":true}`) }, "provider is disabled", "fn", true},
		{"no text", func(b *bed, _ string) {
			b.must("PATCH", b.provider(), `{"configuration":{"delivery_methods":["voice"]}}`)
		}, "do not include text", "fn", true},
		{"no Action", func(b *bed, action string) { b.must("DELETE", "/actions/actions/"+action, "") }, "no Action for custom-phone-provider is deployed", "fn", true},
		{"not deployed", func(b *bed, action string) {
			b.must("DELETE", "/actions/actions/"+action, "")
			b.createAction("new", customPhoneProvider, nil)
		}, "no Action for custom-phone-provider is deployed", "fn", true},
		{"legacy senders", func(b *bed, action string) {
			b.must("DELETE", "/actions/actions/"+action, "")
			b.createHook("sns", true)
			legacy := b.createAction("legacy", sendPhoneMessage, nil)
			b.deployAction(legacy)
			b.bind(sendPhoneMessage, legacy)
		}, "no Action for custom-phone-provider is deployed", "fn", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, action := unifiedBed(t)
			test.prepare(b, action)
			got := b.challenge(ChallengeRequest{})
			if got.Sent || got.Sender != "" || got.Prompted != test.prompted || !strings.Contains(got.Error, test.wantErr) || got.LogType != test.wantType {
				t.Errorf("challenge %+v, want no sender, error %q, log %q", got, test.wantErr, test.wantType)
			}
			if len(b.runner.jobs) != 0 {
				t.Error("code was run although the tenant would not run it")
			}
		})
	}
}

// TestWhoSendsForATenantThatMoves fails when a move to or from the unified phone
// experience would look safe here although nobody, or both, would send.
func TestWhoSendsForATenantThatMoves(t *testing.T) {
	b, action := unifiedBed(t)
	flag := func(on bool) {
		b.must("PATCH", "/tenants/settings", fmt.Sprintf(`{"phone_consolidated_experience":%t}`, on))
	}
	flag(false)
	b.must("PUT", "/guardian/factors/phone/selected-provider", `{"provider":"phone-message-hook"}`)
	legacy := b.createAction("legacy", sendPhoneMessage, nil)
	b.deployAction(legacy)
	b.bind(sendPhoneMessage, legacy)
	for i, want := range []string{legacy, action, legacy} {
		flag(i == 1)
		b.runner.jobs = nil
		if got := b.challenge(ChallengeRequest{}); got.Sender != want || len(b.runner.jobs) != 1 {
			t.Errorf("flag %t: %d runs, the last of %s, want one of %s", i == 1, len(b.runner.jobs), got.Sender, want)
		}
	}
	b.set(func(s *Switches) { s.LegacyPhoneGone = true })
	expect(t, "without the migration flag", b.api("GET", "/guardian/factors/phone/selected-provider", ""), 403, "legacy_mfa_phone_provider_not_allowed")
	if got := b.challenge(ChallengeRequest{}); got.Sender != action {
		t.Errorf("without the migration flag %s sends, want %s", got.Sender, action)
	}
}

// TestOutcomesOnTheUnifiedPath fails when somebody who looks at the logs would
// miss that codes do not arrive: the users see nothing.
func TestOutcomesOnTheUnifiedPath(t *testing.T) {
	for name, test := range map[string]struct {
		result Result
		reason string
		retry  bool
		threw  int
	}{
		"retry": {Result{Verdict: &Verdict{VerdictRetry, "Throttled"}}, "Throttled", true, 0},
		"drop":  {Result{Verdict: &Verdict{VerdictDrop, "OptedOut"}}, "OptedOut", false, 0},
		"throw": {Result{Error: &RunError{Name: "TypeError", Message: "no"}}, "no", false, 1},
		"long":  {Result{Verdict: &Verdict{VerdictDrop, strings.Repeat("é", 2000)}}, strings.Repeat("é", 1024), false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b, id := unifiedBed(t)
			b.runner.result = test.result
			got := b.challenge(ChallengeRequest{})
			if got.Sent || !got.Prompted || got.Sender != id || got.Error != test.reason || got.LogType != "fn" || got.RetryAt.IsZero() == test.retry {
				t.Errorf("challenge %+v", got)
			}
			want := map[string]any{
				"notification_type": "sms", "to": "XXXXXXXX4567", "error": test.reason, "email_type": "otp_verify",
				"actions": map[string]any{"executions": []any{got.Execution}},
			}
			if diff := cmp.Diff([]map[string]any{want}, b.logged("fn")); diff != "" {
				t.Errorf("details of fn (-want +got):\n%s", diff)
			}
			if failed := b.logged("actions_execution_failed"); len(failed) != test.threw {
				t.Errorf("%d failed executions in the log, want %d", len(failed), test.threw)
			}
			if n := len(b.logged("gd_send_sms")) + len(b.logged("gd_send_sms_failure")); n != 0 {
				t.Errorf("%d entries of the legacy path, or of a success", n)
			}
			b.must("GET", "/actions/executions/"+got.Execution, "")
		})
	}
}

// TestRetries fails when a message that Auth0 would send later is lost here, or
// sent more often than there.
func TestRetries(t *testing.T) {
	b, action := unifiedBed(t)
	deliver := func() []ChallengeResult {
		t.Helper()
		results, err := b.tenant.Deliver(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return results
	}
	b.runner.result = Result{Verdict: &Verdict{VerdictRetry, "Throttled"}}
	first := b.challenge(ChallengeRequest{Code: "1"})
	if want := b.clock().Add(time.Minute); !first.RetryAt.Equal(want) {
		t.Errorf("tried again at %s, want %s", first.RetryAt, want)
	}
	b.advance(59 * time.Second)
	if got := deliver(); len(got) != 0 {
		t.Errorf("retried before its time: %+v", got)
	}
	b.advance(time.Second)
	if got := deliver(); len(got) != 1 || got[0].Sent || got[0].Text != first.Text || got[0].RetryAt.IsZero() {
		t.Errorf("first retry: %+v", got)
	}
	if diff := cmp.Diff(b.runner.jobs[0], b.runner.jobs[1]); diff != "" {
		t.Errorf("a retry is given something else (-first +second):\n%s", diff)
	}
	b.advance(time.Hour)
	if got := deliver(); len(got) != 4 || !got[3].RetryAt.IsZero() {
		t.Errorf("%d more retries, want four, the last without another: %+v", len(got), got)
	}
	b.advance(time.Hour)
	if got := deliver(); len(got) != 0 || len(b.runner.jobs) != 6 {
		t.Errorf("%d attempts, want one and five retries", len(b.runner.jobs))
	}
	if got := len(b.logged("fn")); got != 6 {
		t.Errorf("%d failures in the log, want 6", got)
	}

	b.challenge(ChallengeRequest{Code: "2"})
	b.advance(30 * time.Second)
	b.challenge(ChallengeRequest{Code: "3"})
	b.runner.result = Result{}
	b.must("DELETE", "/actions/actions/"+action, "")
	other := b.createAction("other", customPhoneProvider, nil)
	b.deployAction(other)
	b.advance(time.Hour)
	sent := b.logged("gd_send_sms") // Looking at the log plays what is due.
	if jobs := b.runner.jobs[8:]; len(sent) != 2 || len(jobs) != 2 || jobs[0].Text[0] != '2' || jobs[1].Text[0] != '3' {
		t.Errorf("%d sent; retries, in order, by the Action there is now: %+v", len(sent), jobs)
	}

	b.runner.result = Result{Verdict: &Verdict{VerdictRetry, "Throttled"}}
	b.challenge(ChallengeRequest{})
	b.tenant.Reset()
	b.advance(time.Hour)
	if got := deliver(); len(got) != 0 {
		t.Errorf("a reset tenant still sends: %+v", got)
	}
}

func TestARetryIsPlayedOnceHoweverManyLook(t *testing.T) {
	b, _ := unifiedBed(t)
	b.runner.result = Result{Verdict: &Verdict{VerdictRetry, "Throttled"}}
	for range 8 {
		b.challenge(ChallengeRequest{})
	}
	b.runner.jobs, b.runner.result = nil, Result{}
	b.advance(time.Minute)
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := b.tenant.Deliver(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if got := len(b.runner.jobs); got != 8 {
		t.Errorf("%d retries of 8 messages: codes arrive twice, or never", got)
	}
}

func TestRetryOutlivesARunnerThatCannotRun(t *testing.T) {
	b, _ := unifiedBed(t, func(s *Switches) { s.RetryInterval = Duration(time.Second) })
	b.runner.result = Result{Verdict: &Verdict{VerdictRetry, "Throttled"}}
	b.challenge(ChallengeRequest{})
	b.advance(time.Second)
	b.runner.err = fmt.Errorf("node is not installed")
	if _, err := b.tenant.Deliver(t.Context()); err == nil {
		t.Error("the sandbox's own failure went unnoticed")
	}
	b.runner.err, b.runner.result = nil, Result{}
	if got, err := b.tenant.Deliver(t.Context()); err != nil || len(got) != 1 || !got[0].Sent {
		t.Errorf("%+v %v: the message is lost", got, err)
	}
}

// TestWhatTwilioSendsIsNotOurs fails when a test could not tell a code that
// Twilio sent from one that nobody did.
func TestWhatTwilioSendsIsNotOurs(t *testing.T) {
	b, _ := unifiedBed(t)
	b.must("PATCH", b.provider(), twilioBody)
	unified := b.challenge(ChallengeRequest{})
	b.must("PATCH", "/tenants/settings", `{"phone_consolidated_experience":false}`)
	legacy := b.challenge(ChallengeRequest{Action: ActionEnrollment})
	if unified.Provider != "twilio" || legacy.Provider != "auth0" {
		t.Errorf("providers %q and %q, want twilio and auth0", unified.Provider, legacy.Provider)
	}
	for _, got := range []ChallengeResult{unified, legacy} {
		if got.Sent || !got.Prompted || got.LogType != "" || !strings.Contains(got.Error, "nothing goes through SNS") {
			t.Errorf("challenge %+v", got)
		}
	}
	want := []OutboxMessage{
		{Provider: "twilio", PhoneNumber: phoneNumber, DeliveryMethod: "text", Text: unified.Text, Time: b.clock()},
		{Provider: "auth0", PhoneNumber: phoneNumber, DeliveryMethod: "text", Text: legacy.Text, Time: b.clock()},
	}
	if diff := cmp.Diff(want, b.tenant.Outbox()); diff != "" {
		t.Errorf("outbox (-want +got):\n%s", diff)
	}
	if len(b.runner.jobs) != 0 {
		t.Error("our code was run too: the code would arrive twice")
	}
}

func TestUseOfWhatIsTakenAwayIsLogged(t *testing.T) {
	b, _ := smsBed(t)
	if got := b.logged("depnote"); len(got) != 0 {
		t.Errorf("notices before anything was used: %v", got)
	}
	b.challenge(ChallengeRequest{})
	b.must("GET", "/guardian/factors/sms/selected-provider", "")
	want := []map[string]any{{"feature": "hooks"}, {"feature": "guardian/factors/sms"}}
	if diff := cmp.Diff(want, b.logged("depnote")); diff != "" {
		t.Errorf("depnote (-want +got):\n%s", diff)
	}
}

func TestLogDelay(t *testing.T) {
	b, _ := unifiedBed(t, func(s *Switches) { s.LogDelay = Duration(5 * time.Second) })
	b.challenge(ChallengeRequest{})
	if got := b.logged("gd_send_sms"); len(got) != 0 {
		t.Errorf("found at once: %v", got)
	}
	b.advance(5 * time.Second)
	if got := b.logged("gd_send_sms"); len(got) != 1 {
		t.Errorf("not found after the delay: %v", got)
	}
}

func TestOnlyTheUnifiedPathHasOtherMessages(t *testing.T) {
	b, _ := smsBed(t)
	for name, request := range map[string]ChallengeRequest{
		"new password":            {MessageType: MessageChangePassword},
		"voice":                   {DeliveryMethod: "voice"},
		"unknown type":            {MessageType: "otp"},
		"unknown method":          {DeliveryMethod: "sms"},
		"action of another type":  {MessageType: MessageEnroll, Action: ActionSecondFactor},
		"action of no login step": {MessageType: MessageChangePassword, Action: ActionSecondFactor},
	} {
		request.PhoneNumber = phoneNumber
		if got, err := b.tenant.Challenge(t.Context(), request); err == nil {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := b.challenge(ChallengeRequest{MessageType: MessageEnroll}); !got.Sent || !strings.Contains(got.Text, "verify your enrollment") {
		t.Errorf("an enrolment by its type: %+v", got)
	}
}
