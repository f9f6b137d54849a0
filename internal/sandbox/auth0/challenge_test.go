package auth0

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const phoneNumber = "+15551234567"

// smsBed is a tenant whose factor, message types and provider lead to its hook.
func smsBed(t *testing.T) (*bed, string) {
	t.Helper()
	b := newBed(t, RateLimit{})
	b.must("PUT", "/guardian/factors/sms", `{"enabled":true}`)
	b.must("PUT", "/guardian/factors/phone/message-types", `{"message_types":["sms"]}`)
	b.must("PUT", "/guardian/factors/phone/selected-provider", `{"provider":"phone-message-hook"}`)
	id := b.createHook("sns", true)
	b.must("PATCH", "/hooks/"+id, `{"dependencies":{"aws-sdk":"2.1693.0"}}`)
	b.must("POST", "/hooks/"+id+"/secrets", `{"AWS_REGION":"eu-west-1"}`)
	return b, id
}

func (b *bed) challenge(request ChallengeRequest) ChallengeResult {
	b.t.Helper()
	request.PhoneNumber = phoneNumber
	result, err := b.tenant.Challenge(b.t.Context(), request)
	if err != nil {
		b.t.Fatal(err)
	}
	return result
}

func TestChallengeRunsTheDeployedHook(t *testing.T) {
	b, id := smsBed(t)
	b.runner.result = Result{Duration: time.Second, Logs: []string{"hello"}}
	got := b.challenge(ChallengeRequest{Code: "424242", Language: "fr"})
	want := ChallengeResult{
		Sender: id, Provider: "phone-message-hook", Sent: true, Prompted: true, Code: "424242", Text: "424242 is your verification code for staging",
		LogType: "gd_send_sms", Duration: time.Second, Logs: []string{"hello"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("challenge (-want +got):\n%s", diff)
	}
	secrets := map[string]string{"AWS_REGION": "eu-west-1"}
	client := map[string]any{"client_id": b.tenant.Client().ClientID, "name": "auth0sns", "client_metadata": map[string]any{}}
	user := map[string]any{"user_id": sandboxUserID, "name": sandboxUserName, "email": "ada@example.com", "app_metadata": map[string]any{}, "user_metadata": map[string]any{}}
	job := Job{
		Kind: "hook", Script: hookScript, Dependencies: map[string]string{"aws-sdk": "2.1693.0"}, Secrets: secrets,
		Recipient: phoneNumber, Text: want.Text, Timeout: 20 * time.Second,
		Context: map[string]any{
			"message_type": "sms", "action": "second-factor-authentication", "language": "fr", "code": "424242",
			"ip": "127.0.0.1", "user_agent": "Mozilla/5.0", "request": map[string]any{"ip": "127.0.0.1", "user_agent": "Mozilla/5.0"},
			"client": client, "user": user, "webtask": map[string]any{"secrets": secrets},
		},
	}
	if diff := cmp.Diff([]Job{job}, b.runner.jobs); diff != "" {
		t.Errorf("what deployed code is given (-want +got):\n%s", diff)
	}
	logs := b.must("GET", `/logs?q=type:"gd_send_sms"`, "")
	expect(t, "tenant log", logs, 200, `"phone_number":"XXXXXXXX4567"`)
	if strings.Contains(logs.raw, "424242") || strings.Contains(logs.raw, phoneNumber) {
		t.Errorf("the tenant log holds the code or the whole number: %s", logs.raw)
	}
}

func TestChallengeFailureIsLogged(t *testing.T) {
	b, id := smsBed(t)
	b.runner.result = Result{Error: &RunError{Name: "AuthorizationError", Message: "not allowed", Code: "AuthorizationError"}}
	got := b.challenge(ChallengeRequest{})
	if got.Sent || got.Sender != id || got.Error != "not allowed" || got.LogType != "gd_send_sms_failure" {
		t.Errorf("a hook that reports an error: %+v", got)
	}
	entries, _ := b.must("GET", `/logs?q=type:"gd_send_sms_failure"`, "").body.([]any)
	if len(entries) != 1 {
		t.Fatalf("%d failures in the tenant log, want 1: nobody would see that codes do not arrive", len(entries))
	}
	entry, _ := entries[0].(map[string]any)
	details, err := json.Marshal(entry["details"])
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{
		`"provider_error":{"errorCode":"AuthorizationError","message":"not allowed"}`,
		`"failure_details":{"errorCode":"AuthorizationError","message":"not allowed"}`,
		`"authenticator":{`, `"enrollment":{`,
	} {
		if !strings.Contains(string(details), part) {
			t.Errorf("details %s lack %s", details, part)
		}
	}
}

func TestChallengeFollowsTheTenantsSettings(t *testing.T) {
	for _, test := range []struct {
		name     string
		prepare  func(*bed, string)
		wantErr  string
		wantType string
	}{
		{"factor off", func(b *bed, _ string) { b.must("PUT", "/guardian/factors/sms", `{"enabled":false}`) }, "the sms factor is disabled", ""},
		{"voice only", func(b *bed, _ string) {
			b.must("PUT", "/guardian/factors/phone/message-types", `{"message_types":["voice"]}`)
		}, "message types do not include sms", ""},
		{"twilio", func(b *bed, _ string) {
			b.must("PUT", "/guardian/factors/phone/selected-provider", `{"provider":"twilio"}`)
		}, `provider "twilio" would send this message`, ""},
		{"auth0", func(b *bed, _ string) {
			b.must("PUT", "/guardian/factors/phone/selected-provider", `{"provider":"auth0"}`)
		}, `provider "auth0" would send this message`, ""},
		{"unified", func(b *bed, _ string) {
			b.must("PATCH", "/tenants/settings", `{"phone_consolidated_experience":true}`)
		}, "the tenant has no phone provider", "fn"},
		{"hook disabled", func(b *bed, id string) { b.must("PATCH", "/hooks/"+id, `{"enabled":false}`) }, "no enabled send-phone-message hook", "gd_send_sms_failure"},
		{"hooks mode disabled", func(b *bed, _ string) { b.set(func(s *Switches) { s.HooksMode = HooksDisabled }) }, "no enabled send-phone-message hook", "gd_send_sms_failure"},
		{"hooks mode gone", func(b *bed, _ string) { b.set(func(s *Switches) { s.HooksMode = HooksGone }) }, "no enabled send-phone-message hook", "gd_send_sms_failure"},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, id := smsBed(t)
			test.prepare(b, id)
			got := b.challenge(ChallengeRequest{})
			if got.Sent || got.Sender != "" || !strings.Contains(got.Error, test.wantErr) || got.LogType != test.wantType {
				t.Errorf("challenge %+v, want no sender, error %q, log %q", got, test.wantErr, test.wantType)
			}
			if len(b.runner.jobs) != 0 {
				t.Error("the hook was run although the tenant would not run it")
			}
		})
	}
	b, _ := smsBed(t)
	b.set(func(s *Switches) { s.HooksMode = HooksReadOnly })
	if got := b.challenge(ChallengeRequest{}); !got.Sent {
		t.Errorf("a read-only tenant still runs its hook: %+v", got)
	}
}

// actionBed is a tenant whose factor, message types and provider lead to an
// Action.
func actionBed(t *testing.T) (*bed, string) {
	t.Helper()
	b, hook := smsBed(t)
	b.must("DELETE", "/hooks/"+hook, "")
	id := b.createAction("sms", sendPhoneMessage, map[string]any{
		"dependencies": []any{map[string]any{"name": "aws-sdk", "version": "2.1693.0"}},
		"secrets":      []any{map[string]any{"name": "AWS_REGION", "value": "eu-west-1"}},
	})
	b.deployAction(id)
	expect(t, "bind", b.bind(sendPhoneMessage, id), 200, id)
	return b, id
}

func TestChallengeRunsTheDeployedAction(t *testing.T) {
	b, id := actionBed(t)
	b.must("PATCH", "/actions/actions/"+id, `{"code":"draft","dependencies":[],"secrets":[]}`)
	b.runner.result = Result{Duration: time.Second, Logs: []string{"hello"}}
	got := b.challenge(ChallengeRequest{Code: "424242", Language: "fr"})
	want := ChallengeResult{
		Sender: id, Provider: "phone-message-hook", Sent: true, Prompted: true, Code: "424242", Text: "424242 is your verification code for staging",
		LogType: "gd_send_sms", Duration: time.Second, Logs: []string{"hello"}, Execution: got.Execution,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("challenge (-want +got):\n%s", diff)
	}
	secrets := map[string]string{"AWS_REGION": "eu-west-1"}
	job := Job{
		Kind: KindAction, Script: actionCode, Dependencies: map[string]string{"aws-sdk": "2.1693.0"}, Secrets: secrets,
		Recipient: phoneNumber, Text: want.Text, Timeout: 20 * time.Second, Handler: "onExecuteSendPhoneMessage",
		Event: map[string]any{
			"client": map[string]any{"client_id": b.tenant.Client().ClientID, "name": "auth0sns", "metadata": map[string]any{}},
			"message_options": map[string]any{
				"action": "second-factor-authentication", "code": "424242", "message_type": "sms", "recipient": phoneNumber, "text": want.Text,
			},
			"request": map[string]any{
				"ip": "127.0.0.1", "method": "POST", "geoip": map[string]any{}, "hostname": b.tenant.host(), "language": "fr", "user_agent": "Mozilla/5.0",
			},
			"secrets": secrets,
			"tenant":  map[string]any{"id": "staging"},
			"user": map[string]any{
				"user_id": sandboxUserID, "name": sandboxUserName, "email": "ada@example.com", "email_verified": true,
				"app_metadata": map[string]any{}, "user_metadata": map[string]any{}, "identities": []any{},
				"created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
			},
		},
	}
	if diff := cmp.Diff([]Job{job}, b.runner.jobs); diff != "" {
		t.Errorf("what deployed code is given (-want +got):\n%s", diff)
	}
	execution := b.must("GET", "/actions/executions/"+got.Execution, "")
	expect(t, "execution", execution, 200, `"trigger_id":"send-phone-message"`)
	expect(t, "execution", execution, 200, `"results":[{"action_name":"sms","ended_at":"2026-11-23T12:00:04.000000000Z","started_at":"2026-11-23T12:00:03.000000000Z"}]`)
	b.advance(10 * 24 * time.Hour)
	expect(t, "execution after ten days", b.api("GET", "/actions/executions/"+got.Execution, ""), 404, "That execution does not exist.")
}

func TestChallengeFailureOfAnActionIsLogged(t *testing.T) {
	b, id := actionBed(t)
	b.runner.result = Result{Error: &RunError{Name: "AuthorizationError", Message: "not allowed", Code: "AuthorizationError"}}
	got := b.challenge(ChallengeRequest{})
	if got.Sent || got.Sender != id || got.Error != "not allowed" || got.LogType != "gd_send_sms_failure" {
		t.Errorf("an Action that throws: %+v", got)
	}
	for _, kind := range []string{"gd_send_sms_failure", "actions_execution_failed"} {
		logs := b.must("GET", `/logs?q=type:"`+kind+`"`, "")
		expect(t, kind, logs, 200, `"actions":{"executions":["`+got.Execution+`"]}`)
		expect(t, kind, logs, 200, `"message":"not allowed"`)
	}
	expect(t, "execution", b.must("GET", "/actions/executions/"+got.Execution, ""), 200, `"error":{"id":"AuthorizationError","msg":"not allowed"}`)
}

// TestOneSenderPerMessage fails when a move from one sender to the next would
// look safe here although a code is sent twice, or by the wrong one.
func TestOneSenderPerMessage(t *testing.T) {
	b, id := actionBed(t)
	hook := b.createHook("sns", true)
	if got := b.challenge(ChallengeRequest{}); got.Sender != id {
		t.Errorf("hook %s and Action %s: %s sent, want the Action", hook, id, got.Sender)
	}
	b.set(func(s *Switches) { s.PreferHook = true })
	if got := b.challenge(ChallengeRequest{}); got.Sender != hook {
		t.Errorf("hook %s and Action %s with prefer_hook: %s sent", hook, id, got.Sender)
	}
	b.set(func(s *Switches) { s.HooksMode = HooksGone })
	if got := b.challenge(ChallengeRequest{}); got.Sender != id || !got.Sent {
		t.Errorf("on a tenant whose hooks are gone %q sent, want the Action: %+v", got.Sender, got)
	}
	second := b.createAction("second", sendPhoneMessage, nil)
	b.deployAction(second)
	b.bind(sendPhoneMessage, second, id)
	b.runner.jobs = nil
	if got := b.challenge(ChallengeRequest{}); len(b.runner.jobs) != 2 || got.Sender != id {
		t.Errorf("%d runs, the last of %s: two bound Actions send two messages", len(b.runner.jobs), got.Sender)
	}
	b.runner.jobs, b.runner.result = nil, Result{Error: &RunError{Message: "no"}}
	if got := b.challenge(ChallengeRequest{}); len(b.runner.jobs) != 1 || got.Sender != second {
		t.Errorf("%d runs, the last of %s: a flow ends with the Action that fails", len(b.runner.jobs), got.Sender)
	}
	b.bind(sendPhoneMessage)
	if got := b.challenge(ChallengeRequest{}); got.Sender != "" || got.LogType != "gd_send_sms_failure" {
		t.Errorf("an Action that is not bound was run: %+v", got)
	}
}

func TestChallengeRendersTemplates(t *testing.T) {
	b, _ := smsBed(t)
	if got := b.challenge(ChallengeRequest{Action: ActionEnrollment, Code: "1"}).Text; got != "1 is your verification code for staging. Please enter this code to verify your enrollment." {
		t.Errorf("default enrolment text: %q", got)
	}
	b.must("PATCH", "/tenants/settings", `{"friendly_name":"Acme"}`)
	b.must("PUT", "/guardian/factors/phone/templates", `{"enrollment_message":"","verification_message":"{{ code }}! {{tenant.friendly_name}}{{unknown}}"}`)
	if got := b.challenge(ChallengeRequest{Code: "1"}).Text; got != "1! Acme" {
		t.Errorf("own template: %q", got)
	}
	if got := b.challenge(ChallengeRequest{Action: ActionEnrollment, Code: "1"}).Text; !strings.HasPrefix(got, "1 is your verification code for Acme.") {
		t.Errorf("an empty template falls back to the default, got %q", got)
	}
	if code := b.challenge(ChallengeRequest{}).Code; !regexp.MustCompile(`^\d{6}$`).MatchString(code) {
		t.Errorf("random code %q, want six digits", code)
	}
}

func TestChallengeErrors(t *testing.T) {
	b, _ := smsBed(t)
	for name, request := range map[string]ChallengeRequest{
		"no number":      {},
		"unknown action": {PhoneNumber: phoneNumber, Action: "authentication"},
		"unknown client": {PhoneNumber: phoneNumber, ClientID: "x"},
	} {
		if _, err := b.tenant.Challenge(t.Context(), request); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	b.runner.err = errors.New("node is not installed")
	_, err := b.tenant.Challenge(t.Context(), ChallengeRequest{PhoneNumber: phoneNumber})
	if !errors.Is(err, b.runner.err) {
		t.Errorf("a runner that cannot run must not look like a hook that failed: %v", err)
	}
	if a := b.must("GET", `/logs?q=type:"gd_send_sms_failure"`, ""); a.raw != "[]" {
		t.Errorf("the sandbox's own failure is in the tenant log: %s", a.raw)
	}
}
