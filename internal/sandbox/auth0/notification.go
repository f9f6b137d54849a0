package auth0

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Delivery methods of the unified phone experience, which messages of MFA call
// sms and voice.
const (
	deliverText  = "text"
	deliverVoice = "voice"
)

const (
	// maxRetries is Auth0's limit for one message.
	maxRetries = 5
	// maxReason is how much of the reason of a Verdict Auth0 keeps.
	maxReason = 1024
)

// OutboxMessage is a message that a tenant sent by itself or through Twilio, and
// no code of its own did.
type OutboxMessage struct {
	// Provider is "auth0" or "twilio".
	Provider    string `json:"provider"`
	PhoneNumber string `json:"phone_number"`
	// DeliveryMethod is "text" or "voice".
	DeliveryMethod string    `json:"delivery_method"`
	Text           string    `json:"text"`
	Time           time.Time `json:"time"`
}

// Outbox returns the messages that did not go through deployed code, oldest
// first.
func (t *Tenant) Outbox() []OutboxMessage {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.state.outbox)
}

// sendElsewhere records that provider, and no code of the tenant, sends.
func (t *Tenant) sendElsewhere(provider string, request ChallengeRequest, result *ChallengeResult) {
	result.Prompted = true
	result.Error = fmt.Sprintf("provider %q would send this message: nothing goes through SNS", provider)
	t.state.outbox = append(t.state.outbox, OutboxMessage{
		Provider: provider, PhoneNumber: request.PhoneNumber, DeliveryMethod: request.DeliveryMethod, Text: result.Text, Time: t.config.Now(),
	})
}

// notification is one message of the unified phone experience. Its texts are
// those of the moment it was asked for; who sends it is looked up at each attempt.
type notification struct {
	request           ChallengeRequest
	text, voice, from string
	retries           int       // so far
	due               time.Time // of the next attempt
}

// spoken is what the recipient gets to read or to hear.
func (n notification) spoken() string {
	if n.request.DeliveryMethod == deliverVoice {
		return n.voice
	}
	return n.text
}

func (n notification) isOTP() bool {
	return n.request.MessageType == MessageEnroll || n.request.MessageType == MessageVerify
}

// newNotification renders the texts of a request. A customised template that is
// disabled counts as none, which is inferred.
func (t *Tenant) newNotification(request ChallengeRequest) (notification, error) {
	template := t.ownPhoneTemplate(request.MessageType)
	if template == nil || template.disabled {
		template = defaultPhoneTemplate(request.MessageType, t.config.Now())
	}
	n := notification{request: request, from: template.from, due: t.config.Now()}
	var textErr, voiceErr error
	n.text, textErr = renderLiquid(template.text, t.liquidVariables(request, deliverText))
	n.voice, voiceErr = renderLiquid(template.voice, t.liquidVariables(request, deliverVoice))
	return n, errors.Join(textErr, voiceErr)
}

// liquidVariables are those that phone templates can use. In a text to be heard
// the digits of the code come one by one; what a pause becomes was not recorded.
func (t *Tenant) liquidVariables(request ChallengeRequest, method string) map[string]string {
	variables := map[string]string{
		"code": request.Code, "friendly_name": t.friendlyName(), "locale": request.Language,
		"user.source_ip": sandboxIP, "user.name": sandboxUserName, "user.email": sandboxUserEmail, "user.user_id": sandboxUserID,
	}
	if method == deliverVoice {
		variables["code"] = strings.Join(strings.Split(request.Code, ""), ". ") + "."
		variables["pause"] = "..."
	}
	return variables
}

func (t *Tenant) friendlyName() string {
	name, _ := t.state.settings["friendly_name"].(string)
	return cmp.Or(name, t.config.Name)
}

// notify plays a message on the unified path. t.mu is held, and free while code
// runs.
func (t *Tenant) notify(ctx context.Context, request ChallengeRequest) (ChallengeResult, error) {
	n, err := t.newNotification(request)
	if err != nil {
		return ChallengeResult{}, err
	}
	if n.isOTP() {
		if refusal := t.noSecondFactor(request); refusal != "" {
			return ChallengeResult{Code: request.Code, Text: n.spoken(), Error: refusal}, nil
		}
	}
	return t.send(ctx, n)
}

// Deliver plays the retries that have come due by now, oldest first, and returns
// what came of each. The tenant does so too when it is asked for its log;
// nothing happens in between. A message that asks again and again is played until
// it is up to date. The error is a Runner that could not run.
func (t *Tenant) Deliver(ctx context.Context) ([]ChallengeResult, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.deliver(ctx)
}

func (t *Tenant) deliver(ctx context.Context) ([]ChallengeResult, error) {
	var results []ChallengeResult
	for {
		n, ok := t.takeDue()
		if !ok {
			return results, nil
		}
		result, err := t.send(ctx, n)
		if err != nil {
			t.state.retries = append(t.state.retries, n)
			return results, err
		}
		results = append(results, result)
	}
}

// deliverDue plays due retries before a call, which is to see them.
func deliverDue(t *Tenant, c *call) error {
	_, err := t.deliver(c.request.Context())
	return err
}

func (t *Tenant) takeDue() (notification, bool) {
	if len(t.state.retries) == 0 {
		return notification{}, false
	}
	first := slices.MinFunc(t.state.retries, func(a, b notification) int { return a.due.Compare(b.due) })
	if first.due.After(t.config.Now()) {
		return notification{}, false
	}
	i := slices.Index(t.state.retries, first)
	t.state.retries = slices.Delete(t.state.retries, i, i+1)
	return first, true
}

// send hands a message to the phone provider there is now. t.mu is held, and
// free while code runs. Whatever comes of it, the user is asked for the code.
func (t *Tenant) send(ctx context.Context, n notification) (ChallengeResult, error) {
	result := ChallengeResult{Code: n.request.Code, Text: n.spoken(), Prompted: true}
	if t.state.phone != nil {
		result.Provider = t.state.phone.name
	}
	if reason := t.undeliverable(n); reason != "" {
		t.settleNotification(n, &result, executionResult{verdict: &Verdict{VerdictDrop, reason}})
		return result, nil
	}
	if t.state.phone.name == providerTwilio {
		t.sendElsewhere(providerTwilio, n.request, &result)
		return result, nil
	}
	if t.config.Runner == nil {
		return result, errNoRunner
	}
	a, version := t.phoneAction()
	job := version.job(t.notificationEvent(n))
	job.Recipient, job.Text = n.request.PhoneNumber, n.spoken()
	results, err := t.run(ctx, []smsSender{{id: a.id, name: a.name, job: job}}, &result)
	if err != nil {
		return result, err
	}
	result.Execution = t.addExecution(customPhoneProvider, results)
	t.settleNotification(n, &result, results[0])
	return result, nil
}

// undeliverable says why the tenant has nobody to send a message, "" when it has.
func (t *Tenant) undeliverable(n notification) string {
	p := t.state.phone
	switch {
	case p == nil:
		return "the tenant has no phone provider"
	case p.disabled:
		return "the tenant's phone provider is disabled"
	case !p.delivers(n.request.DeliveryMethod):
		return fmt.Sprintf("the delivery methods of the phone provider do not include %s", n.request.DeliveryMethod)
	case p.name == providerTwilio:
		return ""
	}
	a, version := t.phoneAction()
	switch {
	case version == nil:
		return "no Action for custom-phone-provider is deployed"
	case t.state.switches.PhoneBinding != PhoneBindingUnneeded && !t.isBound(a):
		return "no Action is bound to custom-phone-provider"
	}
	return ""
}

// settleNotification writes what became of an attempt into the result and the
// tenant log, and puts a message that is to be tried again back in the queue.
// Code that throws is not tried again: what Auth0 does then is not described.
func (t *Tenant) settleNotification(n notification, result *ChallengeResult, ran executionResult) {
	app := t.clients[n.request.ClientID]
	entry := map[string]any{"user_id": sandboxUserID, "user_name": sandboxUserName}
	details := map[string]any{}
	if result.Execution != "" {
		details["actions"] = executionDetails(result.Execution)
	}
	verdict := ran.verdict
	if ran.err != nil {
		verdict = &Verdict{VerdictDrop, ran.err.Message}
	}
	if verdict == nil {
		result.Sent = true
		t.logSent(n, result, entry, details)
		return
	}

	result.LogType, result.Error = "fn", cutReason(verdict.Reason)
	if verdict.Outcome == VerdictRetry && n.retries < maxRetries {
		n.retries++
		n.due = n.due.Add(time.Duration(t.state.switches.RetryInterval))
		t.state.retries = append(t.state.retries, n)
		result.RetryAt = n.due
	}
	entry["description"] = "Failed sending notification: " + result.Error
	details["notification_type"], details["to"] = messageTypeOf(n.request.DeliveryMethod), maskPhone(n.request.PhoneNumber)
	details["error"], details["email_type"] = result.Error, n.request.MessageType
	entry["details"] = details
	t.addLog(result.LogType, app, entry)
	if ran.err != nil {
		t.logExecutionFailed(n.request.ClientID, result.Execution, ran.err)
	}
}

// logSent records a code that was handed over, gd_send_sms or gd_send_voice.
// Which entry other messages leave was not recorded: none here.
func (t *Tenant) logSent(n notification, result *ChallengeResult, entry, details map[string]any) {
	if !n.isOTP() {
		return
	}
	kind := messageTypeOf(n.request.DeliveryMethod)
	result.LogType = "gd_send_" + kind
	details["authenticator"] = map[string]any{"id": "sms|dev_sandbox", "type": kind, "phone_number": maskPhone(n.request.PhoneNumber)}
	details["enrollment"] = map[string]any{"id": "dev_sandbox", "type": kind, "phone_number": maskPhone(n.request.PhoneNumber)}
	entry["description"], entry["details"] = "Guardian - Second factor "+kind+" sent", details
	t.addLog(result.LogType, t.clients[n.request.ClientID], entry)
}

// messageTypeOf is what MFA calls a delivery method.
func messageTypeOf(method string) string {
	if method == deliverText {
		return "sms"
	}
	return method
}

func cutReason(reason string) string {
	letters := []rune(reason)
	return string(letters[:min(len(letters), maxReason)])
}

// notificationEvent is the first argument of onExecuteCustomPhoneProvider,
// without the secrets and without what is documented as not always there.
// https://auth0.com/docs/customize/phone-messages/configure-phone-messaging-providers/configure-a-custom-phone-provider/actions-triggers-custom-phone-provider-event-object
func (t *Tenant) notificationEvent(n notification) map[string]any {
	message := map[string]any{
		"recipient": n.request.PhoneNumber, "as_text": n.text, "as_voice": n.voice,
		"delivery_method": n.request.DeliveryMethod, "message_type": n.request.MessageType,
	}
	if n.request.Language != "N/A" {
		message["locale"] = n.request.Language
	}
	if n.isOTP() {
		message["code"] = n.request.Code
	}
	defaultFrom, _ := t.state.phone.configuration["default_from"].(string)
	if from := cmp.Or(n.from, defaultFrom); from != "" {
		message["from"] = from
	}
	tenant := map[string]any{"id": t.config.Name, "friendly_name": t.friendlyName()}
	for key, setting := range map[string]string{"logo_url": "picture_url", "support_email": "support_email", "support_url": "support_url"} {
		if text, ok := t.state.settings[setting].(string); ok {
			tenant[key] = text
		}
	}
	return map[string]any{
		"notification": message, "tenant": tenant,
		"client": t.clientEvent(n.request.ClientID), "request": t.requestEvent(n.request), "user": userEvent(),
	}
}
