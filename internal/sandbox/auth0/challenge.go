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

// runTimeout is Auth0's published limit for one run of an Action; for a hook
// none was ever published.
const runTimeout = 20 * time.Second

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
	// MessageType is one of the Message constants; default: that of the Action.
	// Others than those of MFA exist on the unified path only, and need no factor.
	MessageType string `json:"message_type"`
	// DeliveryMethod is "text" (default) or, on the unified path, "voice".
	DeliveryMethod string `json:"delivery_method"`
}

// ChallengeResult says who was asked to send and what came of it.
type ChallengeResult struct {
	// Sender is the id of the hook or Action that was run, "" when none was; of
	// several Actions the last one that ran.
	Sender string `json:"sender"`
	// Execution is the id of the run's record at /actions/executions, "" for a hook.
	Execution string `json:"execution"`
	// Provider is what the tenant's settings select: auth0, twilio or
	// phone-message-hook on the legacy path, twilio or custom on the unified one,
	// and "" when the message did not come as far as that.
	Provider string `json:"provider"`
	// Sent tells that deployed code reported success. What others sent is in
	// Tenant.Outbox.
	Sent bool `json:"sent"`
	// Prompted tells that the user is asked for the code: on the unified path
	// also when nothing was sent, which is why nobody there sees a failure.
	Prompted bool   `json:"prompted"`
	Code     string `json:"code"`
	Text     string `json:"text"`
	// Error is why nothing was sent, "" when Sent.
	Error string `json:"error"`
	// LogType is the tenant log entry that was written: gd_send_sms or
	// gd_send_voice; gd_send_sms_failure on the legacy path, fn on the unified
	// one; or "" when Auth0 would not have come as far as handing a message to the
	// custom sender, and for the success of what is no code.
	LogType string `json:"log_type"`
	// RetryAt is when the message will be tried again, see Tenant.Deliver.
	RetryAt  time.Time     `json:"retry_at,omitzero"`
	Duration time.Duration `json:"duration_ns"`
	Logs     []string      `json:"logs"`
}

// errNoRunner is the sandbox's failure, not the tenant's.
var errNoRunner = errors.New("tenant has no runner for deployed code")

// Challenge plays one step of a login that needs a message: it picks the sender
// the tenant's settings select, runs it, and writes the tenant log. A tenant that
// would not send is a Result with Error; an error is a request that makes no
// sense or a Runner that could not run.
func (t *Tenant) Challenge(ctx context.Context, request ChallengeRequest) (ChallengeResult, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.complete(&request); err != nil {
		return ChallengeResult{}, err
	}
	if t.unified() {
		return t.notify(ctx, request)
	}
	if request.Action == "" || request.DeliveryMethod != deliverText {
		return ChallengeResult{}, fmt.Errorf("message_type %s, delivery_method %s: only a tenant on the unified phone experience sends this", request.MessageType, request.DeliveryMethod)
	}
	return t.challengeLegacy(ctx, request)
}

// complete fills in what a request leaves out, and refuses what makes no sense.
// Action and MessageType are two names of one thing where both exist.
func (t *Tenant) complete(request *ChallengeRequest) error {
	if request.PhoneNumber == "" {
		return errors.New("challenge needs a phone number")
	}
	types := map[string]string{ActionEnrollment: MessageEnroll, ActionSecondFactor: MessageVerify}
	actions := map[string]string{MessageEnroll: ActionEnrollment, MessageVerify: ActionSecondFactor}
	if request.MessageType == "" {
		request.Action = cmp.Or(request.Action, ActionSecondFactor)
		request.MessageType = types[request.Action]
	}
	action := actions[request.MessageType]
	switch {
	case request.MessageType == "":
		return fmt.Errorf("action %q: want %s or %s", request.Action, ActionEnrollment, ActionSecondFactor)
	case !slices.Contains(messageTypeNames(), request.MessageType):
		return fmt.Errorf("message_type %q: want one of %s", request.MessageType, strings.Join(messageTypeNames(), ", "))
	case request.Action != "" && request.Action != action:
		return fmt.Errorf("action %q is not that of the message_type %s", request.Action, request.MessageType)
	}
	request.Action = action
	request.DeliveryMethod = cmp.Or(request.DeliveryMethod, deliverText)
	if request.DeliveryMethod != deliverText && request.DeliveryMethod != deliverVoice {
		return fmt.Errorf("delivery_method %q: want %s or %s", request.DeliveryMethod, deliverText, deliverVoice)
	}
	request.Language = cmp.Or(request.Language, "en")
	request.ClientID = cmp.Or(request.ClientID, t.client.ClientID)
	request.Code = cmp.Or(request.Code, randomText(6, digits))
	if _, ok := t.clients[request.ClientID]; !ok {
		return fmt.Errorf("no client %q", request.ClientID)
	}
	return nil
}

// challengeLegacy plays a message on the legacy path. t.mu is held, and free
// while code runs.
func (t *Tenant) challengeLegacy(ctx context.Context, request ChallengeRequest) (ChallengeResult, error) {
	result := ChallengeResult{Code: request.Code, Text: t.messageText(request)}
	senders := t.selectSenders(request, &result)
	if result.Error != "" {
		return result, nil
	}
	if t.config.Runner == nil {
		return result, errNoRunner
	}
	results, err := t.run(ctx, senders, &result)
	if err != nil {
		return result, err
	}
	if senders[0].job.Kind == KindAction {
		result.Execution = t.addExecution(sendPhoneMessage, results)
	} else {
		t.logDeprecated(t.clients[request.ClientID], "hooks")
	}
	t.settle(request, &result, results[len(results)-1].err)
	return result, nil
}

// run runs senders one after the other until one fails, as the flow of a trigger
// does, and returns a result for each that ran. t.mu is held, and free meanwhile:
// code may take long, and the tenant's API must answer.
func (t *Tenant) run(ctx context.Context, senders []smsSender, result *ChallengeResult) ([]executionResult, error) {
	t.mu.Unlock()
	defer t.mu.Lock()
	var results []executionResult
	for _, sender := range senders {
		result.Sender = sender.id
		start := t.config.Now()
		ran, err := t.config.Runner.Run(ctx, sender.job)
		if err != nil {
			return nil, fmt.Errorf("run %s %s: %w", sender.job.Kind, sender.id, err)
		}
		result.Duration += ran.Duration
		result.Logs = append(result.Logs, ran.Logs...)
		results = append(results, executionResult{action: sender.name, err: ran.Error, verdict: ran.Verdict, start: start, end: start.Add(ran.Duration)})
		if ran.Error != nil {
			break
		}
	}
	return results, nil
}

// smsSender is deployed code that is to send one message.
type smsSender struct {
	id, name string
	job      Job
}

// noSecondFactor says why a login is not asked for a code on a phone, "" when it is.
func (t *Tenant) noSecondFactor(request ChallengeRequest) string {
	switch kind := messageTypeOf(request.DeliveryMethod); {
	case !t.state.factors["sms"]:
		return "the sms factor is disabled"
	case !slices.Contains(t.state.messageTypes, kind):
		return "the phone message types do not include " + kind
	}
	return ""
}

// selectSenders returns who would send the message, or writes into the result
// why no code of this tenant would.
func (t *Tenant) selectSenders(request ChallengeRequest, result *ChallengeResult) []smsSender {
	if result.Error = t.noSecondFactor(request); result.Error != "" {
		return nil
	}
	result.Provider = t.state.provider
	if t.state.provider != "phone-message-hook" {
		t.sendElsewhere(t.state.provider, request, result)
		return nil
	}
	app := t.clients[request.ClientID]
	hook, actions := t.hookSender(request, app, result.Text), t.actionSenders(request, result.Text)
	switch {
	case hook != nil && (t.state.switches.PreferHook || len(actions) == 0):
		return []smsSender{*hook}
	case len(actions) > 0:
		return actions
	}
	t.settle(request, result, &RunError{Name: "Error", Message: "no enabled send-phone-message hook, and no Action bound to send-phone-message"})
	return nil
}

// hookSender returns the tenant's hook, nil without one that runs.
func (t *Tenant) hookSender(request ChallengeRequest, app *client, text string) *smsSender {
	h := t.enabledHook(sendPhoneMessage)
	if h == nil || !t.runsHooks() {
		return nil
	}
	return &smsSender{id: h.id, name: h.name, job: Job{
		Kind:         KindHook,
		Script:       h.script,
		Dependencies: maps.Clone(h.dependencies),
		Secrets:      maps.Clone(h.secrets),
		Recipient:    request.PhoneNumber,
		Text:         text,
		Context:      hookContext(request, app, maps.Clone(h.secrets)),
		Timeout:      runTimeout,
	}}
}

// actionSenders returns the deployed versions of the bound Actions, in order.
func (t *Tenant) actionSenders(request ChallengeRequest, text string) []smsSender {
	var senders []smsSender
	for _, b := range t.state.bindings[sendPhoneMessage] {
		version := b.action.running(t.config.Now())
		if version == nil {
			continue
		}
		job := version.job(t.actionEvent(request, text))
		job.Recipient, job.Text = request.PhoneNumber, text
		senders = append(senders, smsSender{id: b.action.id, name: b.action.name, job: job})
	}
	return senders
}

const (
	sandboxIP        = "127.0.0.1"
	sandboxUserAgent = "Mozilla/5.0"
)

// actionEvent is the first argument of onExecuteSendPhoneMessage, without the
// secrets and without what is documented as not always there.
// https://auth0.com/docs/customize/actions/explore-triggers/send-phone-message
func (t *Tenant) actionEvent(request ChallengeRequest, text string) map[string]any {
	return map[string]any{
		"message_options": map[string]any{
			"action": request.Action, "code": request.Code, "message_type": "sms", "recipient": request.PhoneNumber, "text": text,
		},
		"tenant": map[string]any{"id": t.config.Name},
		"client": t.clientEvent(request.ClientID), "request": t.requestEvent(request), "user": userEvent(),
	}
}

func (t *Tenant) clientEvent(id string) map[string]any {
	return map[string]any{"client_id": id, "name": t.clients[id].name, "metadata": map[string]any{}}
}

func (t *Tenant) requestEvent(request ChallengeRequest) map[string]any {
	return map[string]any{
		"ip": sandboxIP, "method": "POST", "geoip": map[string]any{}, "hostname": t.host(),
		"language": request.Language, "user_agent": sandboxUserAgent,
	}
}

func userEvent() map[string]any {
	return map[string]any{
		"user_id": sandboxUserID, "name": sandboxUserName, "email": sandboxUserEmail, "email_verified": true,
		"app_metadata": map[string]any{}, "user_metadata": map[string]any{}, "identities": []any{},
		"created_at": "2026-01-01T00:00:00.000Z", "updated_at": "2026-01-01T00:00:00.000Z",
	}
}

// hookContext is the third argument of a Send Phone Message hook. The address is
// in both places where versions of Auth0's reference page have put it.
func hookContext(request ChallengeRequest, app *client, secrets map[string]string) map[string]any {
	return map[string]any{
		"message_type": "sms",
		"action":       request.Action,
		"language":     request.Language,
		"code":         request.Code,
		"ip":           sandboxIP,
		"user_agent":   sandboxUserAgent,
		"request":      map[string]any{"ip": sandboxIP, "user_agent": sandboxUserAgent},
		"client":       map[string]any{"client_id": app.id, "name": app.name, "client_metadata": map[string]any{}},
		"user": map[string]any{
			"user_id": sandboxUserID, "name": sandboxUserName, "email": sandboxUserEmail,
			"app_metadata": map[string]any{}, "user_metadata": map[string]any{},
		},
		"webtask": map[string]any{"secrets": secrets},
	}
}

const (
	sandboxUserID    = "auth0|000000000000000000000001"
	sandboxUserName  = "Ada Example"
	sandboxUserEmail = "ada@example.com"
)

// settle writes the outcome into the result and the tenant log. Neither the code
// nor the whole phone number goes into the log.
func (t *Tenant) settle(request ChallengeRequest, result *ChallengeResult, failure *RunError) {
	details := map[string]any{
		"authenticator": map[string]any{"id": "sms|dev_sandbox", "type": "sms", "phone_number": maskPhone(request.PhoneNumber)},
		"enrollment":    map[string]any{"id": "dev_sandbox", "type": "sms", "phone_number": maskPhone(request.PhoneNumber)},
	}
	result.LogType = "gd_send_sms"
	result.Sent, result.Prompted = failure == nil, failure == nil
	description := "Guardian - Second factor sms sent"
	if failure != nil {
		result.LogType = "gd_send_sms_failure"
		result.Error = failure.Message
		description = "Guardian - Failed to send SMS"
		reason := map[string]any{"errorCode": cmp.Or(failure.Code, failure.Name), "message": failure.Message}
		details["provider_error"], details["failure_details"] = reason, reason
	}
	if result.Execution != "" {
		details["actions"] = executionDetails(result.Execution)
	}
	entry := map[string]any{"description": description, "details": details, "user_id": sandboxUserID, "user_name": sandboxUserName}
	t.addLog(result.LogType, t.clients[request.ClientID], entry)
	if failure != nil && result.Execution != "" {
		t.logExecutionFailed(request.ClientID, result.Execution, failure)
	}
}

func executionDetails(id string) map[string]any { return map[string]any{"executions": []string{id}} }

// logExecutionFailed records that code of an Action threw. The details are
// inferred.
func (t *Tenant) logExecutionFailed(clientID, execution string, failure *RunError) {
	t.addLog("actions_execution_failed", t.clients[clientID], map[string]any{
		"description": "Execution of an Action failed", "user_id": sandboxUserID, "user_name": sandboxUserName,
		"details": map[string]any{
			"actions":      executionDetails(execution),
			"action_error": map[string]any{"name": failure.Name, "message": failure.Message},
		},
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
	variables := map[string]string{"code": request.Code, "tenant.friendly_name": t.friendlyName()}
	placeholder := regexp.MustCompile(`\{\{\s*([\w.]+)\s*\}\}`)
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		return variables[strings.TrimSpace(strings.Trim(match, "{}"))]
	})
}
