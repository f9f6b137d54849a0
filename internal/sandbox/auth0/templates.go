package auth0

import (
	"cmp"
	"net/http"
	"slices"
	"time"
)

// Types of messages on the unified phone experience. The first two are those of
// MFA.
const (
	MessageEnroll         = "otp_enroll"
	MessageVerify         = "otp_verify"
	MessageChangePassword = "change_password"
	MessageBlockedAccount = "blocked_account"
	MessagePasswordBreach = "password_breach"
)

func messageTypeNames() []string {
	return []string{MessageBlockedAccount, MessageChangePassword, MessageEnroll, MessageVerify, MessagePasswordBreach}
}

// phoneTemplate is one type's message, written in Liquid. Auth0's own have no id.
type phoneTemplate struct {
	id, messageType, syntax string
	text, voice, from       string
	disabled                bool
	createdAt, updatedAt    time.Time
}

// defaultPhoneTemplate is Auth0's own message, of all but password_breach as
// recorded in …TestBrandingManager_ListPhoneNotificationTemplate.json and
// …ResetPhoneNotificationTemplate.json.
func defaultPhoneTemplate(messageType string, now time.Time) *phoneTemplate {
	const (
		place = "{{user.source_ip}}{% if user.city %} from {{user.city}}, {{user.country}}{% elsif user.country %} from {{user.country}}{% endif %}"

		otpText  = "{{ code | escape }} is your verification code for {{ friendly_name | escape }}"
		otpVoice = "Hello. Your verification code for {{ friendly_name | escape }} is {{ pause }} {{ code | escape }}. I repeat, your verification code is {{ pause }} {{ code | escape }}"

		passwordVoice = "Hello. Your password change code for {{ friendly_name | escape }} is {{ pause }} {{ code | escape }}. I repeat, your password change code is {{ pause }} {{ code | escape }}"

		blocked = "We detected suspicious activity on your account from the ip " + place + ". Logins from this IP have been blocked on your account. If this is your IP, please reset your password to unblock your account. Otherwise, disregard this message."
		breach  = "The password of your account was found in a breach. Please reset it."
	)
	t := &phoneTemplate{messageType: messageType, syntax: "liquid", createdAt: now, updatedAt: now}
	switch messageType {
	case MessageEnroll:
		t.text, t.voice = otpText+". Please enter this code to verify your enrollment.", otpVoice
	case MessageVerify:
		t.text, t.voice = otpText, otpVoice
	case MessageChangePassword:
		t.text, t.voice = "{{ code | escape }} is your password change code for {{ friendly_name | escape }}", passwordVoice
	case MessageBlockedAccount:
		t.text, t.voice = blocked, blocked
	default:
		t.text, t.voice = breach, breach
	}
	return t
}

func (m *phoneTemplate) view(tenant string) map[string]any {
	view := map[string]any{
		"tenant": tenant, "channel": "phone", "type": m.messageType, "disabled": m.disabled,
		"content":    map[string]any{"syntax": m.syntax, "from": m.from, "body": map[string]any{"text": m.text, "voice": m.voice}},
		"created_at": notificationTime(m.createdAt), "updated_at": notificationTime(m.updatedAt),
	}
	if m.id != "" {
		view["id"] = m.id
	}
	return view
}

func (m *phoneTemplate) state() PhoneTemplateState {
	return PhoneTemplateState{ID: m.id, Type: m.messageType, Disabled: m.disabled, Text: m.text, Voice: m.voice, From: m.from}
}

func phoneTemplateUpdateSchema() *schema {
	part := &schema{kind: "string", minLength: 1, maxLength: 20_000}
	return &schema{kind: "object", properties: map[string]*schema{
		"disabled": {kind: "boolean", description: "Whether the template is enabled (false) or disabled (true)."},
		"content": {kind: "object", minProperties: 1, properties: map[string]*schema{
			"from": {kind: "string", minLength: 1, maxLength: 16, description: "Default phone number to be used as 'from' when sending a phone notification."},
			"body": {kind: "object", minProperties: 1, properties: map[string]*schema{"text": part, "voice": part}},
		}},
	}}
}

func phoneTemplateCreateSchema() *schema {
	s := phoneTemplateUpdateSchema()
	s.properties["type"] = &schema{kind: "string", enum: messageTypeNames()}
	s.properties["content"].properties["syntax"] = &schema{kind: "string"}
	return s
}

// tryTemplateSchema lets properties through that it does not know, as the
// document does.
func tryTemplateSchema() *schema {
	s := trySchema()
	s.values = &schema{}
	return s
}

func (t *Tenant) phoneTemplate(id string) (*phoneTemplate, error) {
	if i := slices.IndexFunc(t.state.texts, func(m *phoneTemplate) bool { return m.id == id }); i >= 0 {
		return t.state.texts[i], nil
	}
	return nil, noNotificationResource()
}

// ownPhoneTemplate returns what the tenant has of a type, nil without.
func (t *Tenant) ownPhoneTemplate(messageType string) *phoneTemplate {
	if i := slices.IndexFunc(t.state.texts, func(m *phoneTemplate) bool { return m.messageType == messageType }); i >= 0 {
		return t.state.texts[i]
	}
	return nil
}

// listPhoneTemplates lists the customised ones and then Auth0's own, made just
// now, as recorded.
func (t *Tenant) listPhoneTemplates(c *call) (reply, error) {
	all := slices.Clone(t.state.texts)
	for _, messageType := range messageTypeNames() {
		if t.ownPhoneTemplate(messageType) == nil {
			all = append(all, defaultPhoneTemplate(messageType, t.config.Now()))
		}
	}
	views := []map[string]any{}
	for _, m := range all {
		if isAsked(c, m.disabled) {
			views = append(views, m.view(t.host()))
		}
	}
	return reply{http.StatusOK, map[string]any{"templates": views}}, nil
}

func (t *Tenant) readPhoneTemplate(c *call) (reply, error) {
	m, err := t.phoneTemplate(c.id())
	if err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, m.view(t.host())}, nil
}

// createPhoneTemplate starts from Auth0's own message: what the body leaves out
// is that one's. The document requires nothing of the body; that Auth0 needs to
// know the type is inferred.
func (t *Tenant) createPhoneTemplate(c *call) (reply, error) {
	messageType, ok := c.object()["type"].(string)
	if !ok {
		return reply{}, badNotificationResource()
	}
	if t.ownPhoneTemplate(messageType) != nil {
		return reply{}, refuse(http.StatusConflict, "Phone template already configured for tenant", "")
	}
	m := defaultPhoneTemplate(messageType, t.config.Now())
	m.id = "tem_" + randomText(22, alphanumeric)
	if err := t.changePhoneTemplate(m, c.object()); err != nil {
		return reply{}, err
	}
	t.state.texts = append(t.state.texts, m)
	return reply{http.StatusCreated, m.view(t.host())}, nil
}

func (t *Tenant) updatePhoneTemplate(c *call) (reply, error) {
	m, err := t.phoneTemplate(c.id())
	if err != nil {
		return reply{}, err
	}
	if err := t.changePhoneTemplate(m, c.object()); err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, m.view(t.host())}, nil
}

// changePhoneTemplate writes the properties of body to m, all of them or, with
// an error, none. That a part of the content which is not sent stays is inferred,
// and so is how Auth0 refuses a tenant without a provider.
// https://auth0.com/docs/customize/phone-messages/phone-templates/customize
func (t *Tenant) changePhoneTemplate(m *phoneTemplate, body map[string]any) error {
	if t.state.phone == nil && !t.state.switches.TemplatesWithoutProvider {
		return refuse(http.StatusBadRequest, "To customize phone templates, an external phone provider must be configured.", "")
	}
	changed := *m
	if disabled, ok := body["disabled"].(bool); ok {
		changed.disabled = disabled
	}
	content, _ := body["content"].(map[string]any)
	given, parts := textMap(content), textMap(content["body"])
	changed.syntax, changed.from = cmp.Or(given["syntax"], m.syntax), cmp.Or(given["from"], m.from)
	changed.text, changed.voice = cmp.Or(parts["text"], m.text), cmp.Or(parts["voice"], m.voice)
	for _, source := range []string{changed.text, changed.voice} {
		if _, err := renderLiquid(source, nil); err != nil {
			return refuse(http.StatusBadRequest, "auth0sns sandbox: this template cannot be rendered: "+err.Error(), "")
		}
	}
	changed.updatedAt = t.config.Now()
	*m = changed
	return nil
}

func (t *Tenant) deletePhoneTemplate(c *call) (reply, error) {
	m, err := t.phoneTemplate(c.id())
	if err != nil {
		return reply{}, err
	}
	t.state.texts = slices.DeleteFunc(t.state.texts, func(other *phoneTemplate) bool { return other == m })
	return reply{http.StatusNoContent, nil}, nil
}

// resetPhoneTemplate brings Auth0's own texts back. Recorded: from stays.
func (t *Tenant) resetPhoneTemplate(c *call) (reply, error) {
	m, err := t.phoneTemplate(c.id())
	if err != nil {
		return reply{}, err
	}
	original := defaultPhoneTemplate(m.messageType, t.config.Now())
	m.text, m.voice, m.updatedAt = original.text, original.voice, original.updatedAt
	return reply{http.StatusOK, m.view(t.host())}, nil
}

func (t *Tenant) tryPhoneTemplate(c *call) (reply, error) {
	m, err := t.phoneTemplate(c.id())
	if err != nil {
		return reply{}, err
	}
	return t.try(c, m.messageType)
}
