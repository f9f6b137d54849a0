package auth0

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Actions of a challenge.
const (
	ActionEnrollment   = "enrollment"
	ActionSecondFactor = "second-factor-authentication"
)

// hookTimeout is Auth0's published limit for one run of an Action; for a hook
// none was ever published.
const hookTimeout = 20 * time.Second

// The templates of a tenant that never set its own, from the OpenAPI document.
const (
	defaultEnrollmentMessage   = "{{code}} is your verification code for {{tenant.friendly_name}}. Please enter this code to verify your enrollment."
	defaultVerificationMessage = "{{code}} is your verification code for {{tenant.friendly_name}}"
)

// ChallengeRequest is one step of a login that needs a code sent.
type ChallengeRequest struct {
	// PhoneNumber is the user's, E.164.
	PhoneNumber string `json:"phone_number"`
	// Action is ActionEnrollment or ActionSecondFactor (default).
	Action string `json:"action"`
	// Language is what the login page speaks, default "en"; Auth0 passes "N/A"
	// in Classic Universal Login.
	Language string `json:"language"`
	// ClientID is the application the user logs in to; default: the seeded one.
	ClientID string `json:"client_id"`
	// Code is the one-time code; six random digits when empty.
	Code string `json:"code"`
}

// ChallengeResult says who was asked to send and what came of it.
type ChallengeResult struct {
	// Sender is the id of the hook that was run, "" when none was.
	Sender string `json:"sender"`
	// Sent tells that the hook reported success.
	Sent bool   `json:"sent"`
	Code string `json:"code"`
	Text string `json:"text"`
	// Error is why nothing was sent, "" when Sent.
	Error string `json:"error"`
	// LogType is the tenant log entry that was written: gd_send_sms,
	// gd_send_sms_failure, or "" when Auth0 would not have come as far as
	// handing a message to the custom sender.
	LogType  string        `json:"log_type"`
	Duration time.Duration `json:"duration_ns"`
	Logs     []string      `json:"logs"`
}

// Challenge plays one SMS step of a login on the legacy path: it picks the sender
// the tenant's settings select, runs it, and writes the tenant log. A tenant that
// would not send is a Result with Error; an error is a request that makes no
// sense or a Runner that could not run.
func (t *Tenant) Challenge(ctx context.Context, request ChallengeRequest) (ChallengeResult, error) {
	if request.PhoneNumber == "" {
		return ChallengeResult{}, errors.New("challenge needs a phone number")
	}
	request.Action = cmp.Or(request.Action, ActionSecondFactor)
	if request.Action != ActionEnrollment && request.Action != ActionSecondFactor {
		return ChallengeResult{}, fmt.Errorf("action %q: want %s or %s", request.Action, ActionEnrollment, ActionSecondFactor)
	}
	request.Language = cmp.Or(request.Language, "en")
	request.ClientID = cmp.Or(request.ClientID, t.client.ClientID)
	request.Code = cmp.Or(request.Code, randomText(6, digits))

	t.mu.Lock()
	result := ChallengeResult{Code: request.Code, Text: t.messageText(request)}
	job, err := t.selectSender(request, &result)
	t.mu.Unlock()
	if err != nil || result.Error != "" {
		return result, err
	}
	if t.config.Runner == nil {
		return result, errors.New("tenant has no runner for deployed code")
	}

	// The lock is free while code runs: it may take long, and the tenant's API
	// must answer meanwhile.
	ran, err := t.config.Runner.Run(ctx, job)
	if err != nil {
		return result, fmt.Errorf("run hook %s: %w", result.Sender, err)
	}
	result.Duration, result.Logs = ran.Duration, ran.Logs

	t.mu.Lock()
	defer t.mu.Unlock()
	t.settle(request, &result, ran.Error)
	return result, nil
}

// selectSender returns the job that would send the message, or writes into the
// result why no code of this tenant would.
func (t *Tenant) selectSender(request ChallengeRequest, result *ChallengeResult) (Job, error) {
	app, ok := t.clients[request.ClientID]
	if !ok {
		return Job{}, fmt.Errorf("no client %q", request.ClientID)
	}
	switch {
	case !t.state.factors["sms"]:
		result.Error = "the sms factor is disabled"
		return Job{}, nil
	case !slices.Contains(t.state.messageTypes, "sms"):
		result.Error = "the phone message types do not include sms"
		return Job{}, nil
	case t.unified():
		result.Error = "the tenant is on the unified phone experience: its branding phone provider would send this message, not a hook"
		return Job{}, nil
	case t.state.provider != "phone-message-hook":
		result.Error = fmt.Sprintf("provider %q would send this message: nothing goes through SNS", t.state.provider)
		return Job{}, nil
	}
	h := t.enabledHook(sendPhoneMessage)
	if h == nil || !t.runsHooks() {
		t.settle(request, result, &RunError{Name: "Error", Message: "no enabled send-phone-message hook"})
		return Job{}, nil
	}
	result.Sender = h.id
	return Job{
		Kind:         "hook",
		Script:       h.script,
		Dependencies: maps.Clone(h.dependencies),
		Secrets:      maps.Clone(h.secrets),
		Recipient:    request.PhoneNumber,
		Text:         result.Text,
		Context:      hookContext(request, app, maps.Clone(h.secrets)),
		Timeout:      hookTimeout,
	}, nil
}

// hookContext is the third argument of a Send Phone Message hook. The address is
// in both places where versions of Auth0's reference page have put it.
func hookContext(request ChallengeRequest, app *client, secrets map[string]string) map[string]any {
	const ip, userAgent = "127.0.0.1", "Mozilla/5.0"
	return map[string]any{
		"message_type": "sms",
		"action":       request.Action,
		"language":     request.Language,
		"code":         request.Code,
		"ip":           ip,
		"user_agent":   userAgent,
		"request":      map[string]any{"ip": ip, "user_agent": userAgent},
		"client":       map[string]any{"client_id": app.id, "name": app.name, "client_metadata": map[string]any{}},
		"user": map[string]any{
			"user_id": sandboxUserID, "name": sandboxUserName, "email": "ada@example.com",
			"app_metadata": map[string]any{}, "user_metadata": map[string]any{},
		},
		"webtask": map[string]any{"secrets": secrets},
	}
}

const (
	sandboxUserID   = "auth0|000000000000000000000001"
	sandboxUserName = "Ada Example"
)

// settle writes the outcome into the result and the tenant log. Neither the code
// nor the whole phone number goes into the log.
func (t *Tenant) settle(request ChallengeRequest, result *ChallengeResult, failure *RunError) {
	details := map[string]any{
		"authenticator": map[string]any{"id": "sms|dev_sandbox", "type": "sms", "phone_number": maskPhone(request.PhoneNumber)},
		"enrollment":    map[string]any{"id": "dev_sandbox", "type": "sms", "phone_number": maskPhone(request.PhoneNumber)},
	}
	result.LogType = "gd_send_sms"
	result.Sent = failure == nil
	description := "Guardian - Second factor sms sent"
	if failure != nil {
		result.LogType = "gd_send_sms_failure"
		result.Error = failure.Message
		description = "Guardian - Failed to send SMS"
		reason := map[string]any{"errorCode": cmp.Or(failure.Code, failure.Name), "message": failure.Message}
		details["provider_error"], details["failure_details"] = reason, reason
	}
	t.addLog(result.LogType, t.clients[request.ClientID], map[string]any{
		"description": description,
		"details":     details,
		"user_id":     sandboxUserID,
		"user_name":   sandboxUserName,
	})
}

func maskPhone(number string) string {
	shown := min(4, len(number))
	return strings.Repeat("X", len(number)-shown) + number[len(number)-shown:]
}

// messageText renders the template of the request's action. An unknown variable
// renders empty.
func (t *Tenant) messageText(request ChallengeRequest) string {
	m := templates{enrollment: defaultEnrollmentMessage, verification: defaultVerificationMessage}
	if own := t.state.templates; own != nil {
		m.enrollment = cmp.Or(own.enrollment, m.enrollment)
		m.verification = cmp.Or(own.verification, m.verification)
	}
	text := m.verification
	if request.Action == ActionEnrollment {
		text = m.enrollment
	}
	friendlyName, _ := t.state.settings["friendly_name"].(string)
	variables := map[string]string{
		"code":                 request.Code,
		"tenant.friendly_name": cmp.Or(friendlyName, t.config.Name),
	}
	placeholder := regexp.MustCompile(`\{\{\s*([\w.]+)\s*\}\}`)
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		return variables[strings.TrimSpace(strings.Trim(match, "{}"))]
	})
}
