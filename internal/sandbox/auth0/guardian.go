package auth0

import (
	"maps"
	"net/http"
	"slices"
)

// Factor is an entry of GET /guardian/factors.
type Factor struct {
	Name         string `json:"name"`
	Enabled      bool   `json:"enabled"`
	TrialExpired bool   `json:"trial_expired"`
}

// factorNames are all factors in the order of recordings/…MultiFactor.List.json.
// The phone factor is called sms.
func factorNames() []string {
	return []string{"sms", "push-notification", "otp", "email", "duo", "webauthn-roaming", "webauthn-platform", "recovery-code"}
}

type templates struct {
	enrollment, verification string
}

func (m *templates) view() map[string]any {
	return map[string]any{"enrollment_message": m.enrollment, "verification_message": m.verification}
}

func factorNameSchema() *schema {
	return &schema{kind: "string", enum: factorNames(), description: "Factor name."}
}

func factorSchema() *schema {
	return &schema{kind: "object", required: []string{"enabled"}, properties: map[string]*schema{
		"enabled": {kind: "boolean", description: "Whether this factor is enabled (true) or disabled (false)."},
	}}
}

func messageTypesSchema() *schema {
	return &schema{kind: "object", required: []string{"message_types"}, properties: map[string]*schema{
		"message_types": {
			kind: "array", unique: true, items: &schema{kind: "string", enum: []string{"sms", "voice"}},
			description: "The list of phone factors to enable on the tenant.",
		},
	}}
}

func providerSchema() *schema {
	return &schema{kind: "object", required: []string{"provider"}, properties: map[string]*schema{
		"provider": {kind: "string", enum: []string{"auth0", "twilio", "phone-message-hook"}, description: "Provider of the phone factor."},
	}}
}

func templatesSchema() *schema {
	return &schema{kind: "object", required: []string{"enrollment_message", "verification_message"}, properties: map[string]*schema{
		"enrollment_message":   {kind: "string", description: "Message sent to the user when they are invited to enroll with a phone number."},
		"verification_message": {kind: "string", description: "Message sent to the user when they are prompted to verify their account."},
	}}
}

func twilioSchema() *schema {
	return &schema{kind: "object", properties: map[string]*schema{
		"from":                  {kind: "string", nullable: true, maxLength: 64, description: "From number."},
		"messaging_service_sid": {kind: "string", nullable: true, minLength: 1, maxLength: 1000, description: "Copilot SID."},
		"auth_token":            {kind: "string", nullable: true, minLength: 1, maxLength: 1000, description: "Twilio Authentication token."},
		"sid":                   {kind: "string", nullable: true, minLength: 1, maxLength: 1000, description: "Twilio SID."},
	}}
}

func policiesSchema() *schema {
	return &schema{kind: "array", items: &schema{kind: "string", enum: []string{"all-applications", "confidence-score"}}}
}

// legacyPhone is the gate of tenants on the unified phone experience. Its text
// and code are quoted by users, no recording has them.
func legacyPhone(t *Tenant, _ *call) error {
	if !t.unified() {
		return nil
	}
	return refuse(http.StatusForbidden,
		"Insufficient privileges to use this deprecated feature. To handle Phone Provider/Templates refer to Tenant Phone Settings",
		"legacy_mfa_phone_provider_not_allowed")
}

// unified tells whether the tenant is on the unified phone experience.
func (t *Tenant) unified() bool {
	on, _ := t.state.settings["phone_consolidated_experience"].(bool)
	return on || t.state.switches.LegacyPhoneGone
}

func (t *Tenant) factors() []Factor {
	var factors []Factor
	for _, name := range factorNames() {
		factors = append(factors, Factor{Name: name, Enabled: t.state.factors[name]})
	}
	return factors
}

func (t *Tenant) listFactors(*call) (reply, error) {
	return reply{http.StatusOK, t.factors()}, nil
}

func (t *Tenant) putFactor(c *call) (reply, error) {
	name := c.request.PathValue("name")
	enabled, _ := c.object()["enabled"].(bool)
	if !enabled && t.isLastFactor(name) && len(t.state.policies) > 0 && !t.state.switches.AllowLastFactorOff {
		return reply{}, refuse(http.StatusBadRequest, "At least one factor must be enabled while multi-factor authentication policies are set.", "")
	}
	t.state.factors[name] = enabled
	return reply{http.StatusOK, map[string]any{"enabled": enabled}}, nil
}

func (t *Tenant) isLastFactor(name string) bool {
	return t.state.factors[name] && !slices.ContainsFunc(factorNames(), func(other string) bool {
		return other != name && t.state.factors[other]
	})
}

func (t *Tenant) readMessageTypes(*call) (reply, error) {
	return reply{http.StatusOK, map[string]any{"message_types": t.state.messageTypes}}, nil
}

func (t *Tenant) putMessageTypes(c *call) (reply, error) {
	if !t.state.factors["sms"] {
		return reply{}, refuse(http.StatusNotFound, "The phone factor does not exist.", "")
	}
	t.state.messageTypes = texts(c.object()["message_types"])
	return t.readMessageTypes(c)
}

func (t *Tenant) readProvider(*call) (reply, error) {
	return reply{http.StatusOK, map[string]any{"provider": t.state.provider}}, nil
}

func (t *Tenant) putProvider(c *call) (reply, error) {
	t.state.provider, _ = c.object()["provider"].(string)
	return t.readProvider(c)
}

func (t *Tenant) readTemplates(*call) (reply, error) {
	if t.state.templates == nil {
		return reply{http.StatusNoContent, nil}, nil
	}
	return reply{http.StatusOK, t.state.templates.view()}, nil
}

func (t *Tenant) putTemplates(c *call) (reply, error) {
	m := &templates{}
	m.enrollment, _ = c.object()["enrollment_message"].(string)
	m.verification, _ = c.object()["verification_message"].(string)
	t.state.templates = m
	return t.readTemplates(c)
}

// readTwilio shows the token in clear, as the real API does.
func (t *Tenant) readTwilio(*call) (reply, error) {
	view := map[string]any{"from": nil, "messaging_service_sid": nil, "auth_token": nil, "sid": nil}
	maps.Copy(view, t.state.twilio)
	return reply{http.StatusOK, view}, nil
}

// putTwilio replaces the whole object and echoes only what was sent, as recorded.
func (t *Tenant) putTwilio(c *call) (reply, error) {
	t.state.twilio = c.object()
	return reply{http.StatusOK, maps.Clone(t.state.twilio)}, nil
}

func (t *Tenant) readPolicies(*call) (reply, error) {
	return reply{http.StatusOK, t.state.policies}, nil
}

func (t *Tenant) putPolicies(c *call) (reply, error) {
	policies := texts(c.body)
	if slices.Contains(policies, "confidence-score") && !t.state.switches.ConfidenceScore {
		return reply{}, refuse(http.StatusForbidden, "Please upgrade your subscription to use Adaptive MFA", "insufficient_entitlement")
	}
	t.state.policies = policies
	return t.readPolicies(c)
}
