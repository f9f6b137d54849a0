package auth0

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// Names of a phone provider.
const (
	providerTwilio = "twilio"
	providerCustom = "custom"
)

// phoneProvider sends a tenant's messages on the unified phone experience. A
// tenant has one at most.
type phoneProvider struct {
	id, name             string
	disabled             bool
	configuration        map[string]any // nil when never given
	credentials          map[string]any
	createdAt, updatedAt time.Time
}

// view has no credentials, which the document says it must have: the recordings
// show none of a single provider, and null in a list.
func (p *phoneProvider) view(tenant string) map[string]any {
	return map[string]any{
		"id": p.id, "tenant": tenant, "name": p.name, "channel": "phone", "disabled": p.disabled,
		"configuration": cloneJSON(p.configuration),
		"created_at":    notificationTime(p.createdAt), "updated_at": notificationTime(p.updatedAt),
	}
}

func (p *phoneProvider) state() PhoneProviderState {
	return PhoneProviderState{
		ID: p.id, Name: p.name, Disabled: p.disabled, Configuration: cloneJSON(p.configuration),
		CredentialNames: slices.Sorted(maps.Keys(p.credentials)),
	}
}

// isComplete tells whether the provider has what it needs to send. Recorded is
// the refusal of a Twilio provider with neither default_from nor mssid.
func (p *phoneProvider) isComplete() bool {
	has := func(object map[string]any, key string) bool { text, _ := object[key].(string); return text != "" }
	if p.name != providerTwilio || p.configuration == nil {
		return p.configuration != nil
	}
	from := has(p.configuration, "default_from") || has(p.configuration, "mssid")
	return from && has(p.configuration, "sid") && has(p.credentials, "auth_token")
}

func (p *phoneProvider) delivers(method string) bool {
	return slices.Contains(texts(p.configuration["delivery_methods"]), method)
}

// notificationTime is how the API writes times in phone providers and templates.
func notificationTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func notificationIDSchema() *schema {
	return &schema{kind: "string", minLength: 1, maxLength: 255}
}

func disabledQuery() map[string]*schema {
	return map[string]*schema{"disabled": {kind: "boolean"}}
}

func deliveryMethodSchema() *schema {
	return &schema{kind: "string", enum: []string{deliverText, deliverVoice}, description: "The delivery method for the notification."}
}

// phoneProviderUpdateSchema does not tie configuration and credentials to the
// name, as the document does not: recorded is a custom provider with Twilio's.
func phoneProviderUpdateSchema() *schema {
	text, methods := &schema{kind: "string"}, &schema{kind: "array", minItems: 1, items: deliveryMethodSchema()}
	twilio := &schema{kind: "object", required: []string{"sid", "delivery_methods"}, properties: map[string]*schema{
		"default_from": text, "mssid": text, "sid": text, "delivery_methods": methods,
	}}
	custom := &schema{kind: "object", required: []string{"delivery_methods"}, properties: map[string]*schema{"delivery_methods": methods}}
	token := &schema{kind: "object", required: []string{"auth_token"}, properties: map[string]*schema{
		"auth_token": {kind: "string", minLength: 1, maxLength: 255},
	}}
	return &schema{kind: "object", minProperties: 1, properties: map[string]*schema{
		"name":          {kind: "string", enum: []string{providerTwilio, providerCustom}, description: "Name of the phone notification provider."},
		"disabled":      {kind: "boolean", description: "Whether the provider is enabled (false) or disabled (true)."},
		"configuration": {anyOf: []*schema{twilio, custom}},
		"credentials":   {anyOf: []*schema{token, {kind: "object"}}},
	}}
}

// phoneProviderCreateSchema lets properties through that it does not know, as
// the document does.
func phoneProviderCreateSchema() *schema {
	s := phoneProviderUpdateSchema()
	s.required, s.values = []string{"name", "credentials"}, &schema{}
	return s
}

func trySchema() *schema {
	return &schema{kind: "object", required: []string{"to"}, properties: map[string]*schema{
		"to":              {kind: "string", minLength: 1, maxLength: 16, description: "The recipient phone number to receive a given notification."},
		"delivery_method": deliveryMethodSchema(),
	}}
}

func noNotificationResource() error {
	return refuse(http.StatusNotFound, "Notification Resource not found", "")
}

func badNotificationResource() error {
	return refuse(http.StatusBadRequest, "Bad Operation on Notification Resource", "")
}

func (t *Tenant) phoneProvider(id string) (*phoneProvider, error) {
	if p := t.state.phone; p != nil && p.id == id {
		return p, nil
	}
	return nil, noNotificationResource()
}

func (t *Tenant) listPhoneProviders(c *call) (reply, error) {
	views := []map[string]any{}
	if p := t.state.phone; p != nil && isAsked(c, p.disabled) {
		view := p.view(t.host())
		view["credentials"] = nil
		views = append(views, view)
	}
	return reply{http.StatusOK, map[string]any{"providers": views}}, nil
}

// isAsked tells whether a list that can be filtered by disabled has room for an
// object.
func isAsked(c *call, disabled bool) bool {
	asked := c.query.Get("disabled")
	return asked == "" || disabled == (asked == "true")
}

func (t *Tenant) readPhoneProvider(c *call) (reply, error) {
	p, err := t.phoneProvider(c.id())
	if err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, p.view(t.host())}, nil
}

func (t *Tenant) createPhoneProvider(c *call) (reply, error) {
	if t.state.phone != nil {
		return reply{}, refuse(http.StatusConflict, "Custom phone provider conflict.", "")
	}
	p := &phoneProvider{id: "pro_" + randomText(22, alphanumeric), createdAt: t.config.Now()}
	if err := t.changePhoneProvider(p, c.object()); err != nil {
		return reply{}, err
	}
	t.state.phone = p
	return reply{http.StatusCreated, p.view(t.host())}, nil
}

func (t *Tenant) updatePhoneProvider(c *call) (reply, error) {
	p, err := t.phoneProvider(c.id())
	if err != nil {
		return reply{}, err
	}
	if err := t.changePhoneProvider(p, c.object()); err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, p.view(t.host())}, nil
}

// changePhoneProvider writes the properties of body to p, all of them or, with
// an error, none. Recorded: configuration is replaced as a whole, and another
// name keeps the id. That it loses the credentials is inferred.
func (t *Tenant) changePhoneProvider(p *phoneProvider, body map[string]any) error {
	changed := *p
	if name, ok := body["name"].(string); ok && name != p.name {
		changed.name, changed.credentials = name, nil
	}
	if disabled, ok := body["disabled"].(bool); ok {
		changed.disabled = disabled
	}
	if configuration, ok := body["configuration"].(map[string]any); ok {
		changed.configuration = configuration
	}
	if credentials, ok := body["credentials"].(map[string]any); ok {
		changed.credentials = credentials
	}
	if !changed.isComplete() {
		return badNotificationResource()
	}
	if err := t.checkPhoneAction(&changed, body); err != nil {
		return err
	}
	changed.updatedAt = t.config.Now()
	*p = changed
	return nil
}

// checkPhoneAction wants a deployed Action when a provider becomes custom, or is
// enabled as such, and binds it where the tenant is one that does. The status
// and the text are inferred, see Switches.PhoneActionMissingCode.
func (t *Tenant) checkPhoneAction(p *phoneProvider, body map[string]any) error {
	enabled, set := body["disabled"].(bool)
	enables := set && !enabled
	if p.name != providerCustom || body["name"] != providerCustom && !enables {
		return nil
	}
	a, version := t.phoneAction()
	if version == nil {
		return refuse(http.StatusBadRequest, "Custom phone provider requires a deployed action for the trigger custom-phone-provider.", t.state.switches.PhoneActionMissingCode)
	}
	if t.state.switches.PhoneBinding == PhoneBindingByProvider && !t.isBound(a) {
		t.state.bindings[customPhoneProvider] = []binding{{id: newUUID(), displayName: a.name, action: a, at: t.config.Now()}}
	}
	return nil
}

// phoneAction returns the tenant's Action for custom-phone-provider and the
// version that would run; both are nil without one, the latter before a deploy.
func (t *Tenant) phoneAction() (*action, *actionVersion) {
	a, err := t.findAction(func(a *action) bool { return a.draft.trigger.id == customPhoneProvider })
	if err != nil {
		return nil, nil
	}
	return a, a.running(t.config.Now())
}

func (t *Tenant) deletePhoneProvider(c *call) (reply, error) {
	if _, err := t.phoneProvider(c.id()); err != nil {
		return reply{}, err
	}
	t.state.phone = nil
	return reply{http.StatusNoContent, nil}, nil
}

// tryPhoneProvider sends the text of a verification: which one Auth0 sends was
// not recorded.
func (t *Tenant) tryPhoneProvider(c *call) (reply, error) {
	if _, err := t.phoneProvider(c.id()); err != nil {
		return reply{}, err
	}
	return t.try(c, MessageVerify)
}

// try plays one delivery. Its answer says only that there was one to play, what
// came of it is in the tenant log.
func (t *Tenant) try(c *call, messageType string) (reply, error) {
	to, _ := c.object()["to"].(string)
	method, _ := c.object()["delivery_method"].(string)
	request := ChallengeRequest{PhoneNumber: to, MessageType: messageType, DeliveryMethod: method, ClientID: c.claims.ClientID}
	if err := t.complete(&request); err != nil {
		return reply{}, err
	}
	n, err := t.newNotification(request)
	if err != nil {
		return reply{}, err
	}
	if _, err := t.send(c.request.Context(), n); err != nil {
		return reply{}, err
	}
	return reply{http.StatusAccepted, map[string]any{"code": http.StatusAccepted, "message": "Test notification successfully sent for processing"}}, nil
}
