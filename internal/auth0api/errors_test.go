package auth0api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func envelope(status int, message, code string) string {
	if code != "" {
		code = `,"errorCode":"` + code + `"`
	}
	return fmt.Sprintf(`{"statusCode":%d,"error":"%s","message":"%s"%s}`, status, http.StatusText(status), message, code)
}

// families are the answers a user meets, with what has to be told apart.
var families = []struct {
	name, method, path string
	status             int
	body               string
	want               Kind
	says               []string
}{
	{"bad value", "POST", "/hooks", 400, envelope(400, "Payload validation error: 'String is too short' on property script.", "invalid_body"), BadRequest, []string{"script", "invalid_body", "nothing was changed"}},
	{"bad token", "GET", "/hooks/1", 401, envelope(401, "Invalid token", ""), Unauthorized, []string{"domain", "audience"}},
	{"one scope", "POST", "/hooks", 403, envelope(403, "Insufficient scope, expected any of: create:hooks", "insufficient_scope"), MissingScope, []string{"Grant the scope create:hooks", "Auth0 Management API → Machine to Machine Applications"}},
	{"several scopes", "POST", "/hooks/1/secrets", 403, envelope(403, "Insufficient scope, expected any of: create:hooks,update:hooks", "insufficient_scope"), MissingScope, []string{"one of the scopes create:hooks, update:hooks"}},
	{"scope without its name", "GET", "/guardian/factors", 403, envelope(403, "Forbidden", "insufficient_scope"), MissingScope, []string{"the missing scope"}},
	{"scope without a code", "GET", "/guardian/factors", 403, envelope(403, "Insufficient scope, expected any of: read:guardian_factors", ""), MissingScope, []string{"read:guardian_factors"}},
	{"entitlement", "PUT", "/guardian/policies", 403, envelope(403, "confidence-score is not available", "insufficient_entitlement"), MissingEntitlement, []string{"subscription"}},
	{"entitlement that calls itself scope", "PUT", "/guardian/policies", 403, envelope(403, "Please upgrade your subscription to use this", "insufficient_scope"), MissingEntitlement, []string{"subscription"}},
	{"legacy phone", "GET", "/guardian/factors/phone/selected-provider", 403, envelope(403, "Insufficient privileges to use this deprecated feature. To handle Phone Provider/Templates refer to Tenant Phone Settings", "legacy_mfa_phone_provider_not_allowed"), LegacyPhone, []string{"Unified Phone Experience", "custom-phone-provider"}},
	{"legacy phone, short and without code", "PUT", "/guardian/factors/phone/templates", 403, envelope(403, "Insufficient privileges to use this deprecated feature.", ""), LegacyPhone, []string{"Unified Phone Experience"}},
	{"hooks disabled", "POST", "/hooks", 403, envelope(403, "This endpoint is disabled for your tenant.", ""), FeatureDisabled, []string{"2026-11-18", "Action"}},
	{"hooks read-only", "PATCH", "/hooks/1", 403, envelope(403, "Insufficient privileges to use this deprecated feature.", ""), FeatureDisabled, []string{"read-only", "Action"}},
	{"hooks gone", "GET", "/hooks", 404, envelope(404, "Not Found", ""), FeatureDisabled, []string{"2026-11-18"}},
	{"hooks gone, 410", "DELETE", "/hooks/1", 410, envelope(410, "Gone", ""), FeatureDisabled, []string{"2026-11-18"}},
	{"hooks gone, 501", "POST", "/hooks", 501, envelope(501, "Not Implemented", ""), FeatureDisabled, []string{"2026-11-18"}},
	{"feature not enabled", "PUT", "/guardian/policies", 403, envelope(403, "This feature is not enabled for this tenant.", "feature_not_enabled"), FeatureDisabled, []string{"Auth0 support"}},
	{"another 403", "PUT", "/guardian/policies", 403, envelope(403, "No.", "operation_not_supported"), Forbidden, []string{"operation_not_supported"}},
	{"bare 403", "PUT", "/guardian/policies", 403, ``, Forbidden, []string{"no reason given"}},
	{"hook not found", "GET", "/hooks/1", 404, envelope(404, "Error: Hook does not exist", "HookDoesNotExist"), NotFound, []string{"HookDoesNotExist"}},
	{"bare 404", "GET", "/hooks/1", 404, ``, Unknown, []string{"domain"}},
	{"conflict", "POST", "/hooks", 409, envelope(409, "Hook with the same name already exists.", ""), Conflict, []string{"import"}},
	{"the one custom phone Action is there", "POST", "/actions/actions", 403, envelope(403, "custom-phone-provider can only have one supported Action", "actions_cardinality_custom_phone_provider_not_allowed"), Cardinality, []string{"import that one", "hides it"}},
	{"a provider without an Action", "POST", "/branding/phone/providers", 400, envelope(400, "No deployed action.", "custom_phone_provider_deployed_action_not_found"), NotDeployed, []string{"deploy it"}},
	{"a provider without an Action, as documented", "POST", "/branding/phone/providers", 404, envelope(404, "No deployed action.", "custom_email_provider_deployed_action_not_found"), NotDeployed, []string{"deploy it"}},
	{"a binding of what is not deployed", "PATCH", "/actions/triggers/custom-phone-provider/bindings", 400, envelope(400, "Trying to create a binding for an action that has not been deployed", ""), NotDeployed, []string{"deploy it"}},
	{"a second phone provider", "POST", "/branding/phone/providers", 409, envelope(409, "Custom phone provider conflict.", ""), Conflict, []string{"one phone provider", "switched off", "import it"}},
	{"a text that is customised", "POST", "/branding/phone/templates", 409, envelope(409, "Phone template already configured for tenant", ""), Conflict, []string{"customised already"}},
	{"the scope in the singular", "POST", "/branding/phone/providers", 403, envelope(403, "Insufficient scope, expected any of: create:phone_provider", "insufficient_scope"), MissingScope, []string{"Grant the scope create:phone_providers:"}},
	{"a number that Auth0 refuses", "POST", "/branding/phone/providers", 400, envelope(400, "Bad Operation on Notification Resource", ""), BadRequest, []string{"Bad Operation"}},
	{"failure", "POST", "/hooks", 500, envelope(500, "An internal server error occurred", ""), Server, []string{"not known whether", "status.auth0.com"}},
	{"teapot", "GET", "/hooks/1", 418, envelope(418, "I am a teapot", ""), Unknown, []string{"418"}},
	{"envelope of odd types", "GET", "/hooks/1", 404, `{"statusCode":"404","message":{"a":1},"error":"Not Found","errorCode":7}`, NotFound, []string{"Not Found"}},
}

func TestErrorFamilies(t *testing.T) {
	for _, test := range families {
		t.Run(test.name, func(t *testing.T) {
			s := newTenant(t, map[string]http.HandlerFunc{
				test.method + " /api/v2" + test.path: func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("x-auth0-requestid", "req-42")
					answer(test.status, test.body)(w, r)
				},
			})
			err := perform(t, s.client(), test.method+" "+test.path)
			e := mustBeError(t, err)
			if e.Kind != test.want || KindOf(fmt.Errorf("wrapped: %w", err)) != test.want || IsNotFound(err) != (test.want == NotFound) {
				t.Errorf("kind %v, want %v: %v", e.Kind, test.want, e)
			}
			path := "/api/v2" + test.path
			for _, want := range append(test.says, e.Operation+": ", fmt.Sprint(test.status), test.method+" "+path, "req-42") {
				if !strings.Contains(e.Error(), want) {
					t.Errorf("the reader is not told %q:\n%v", want, e)
				}
			}
			if e.StatusCode != test.status || e.Method != test.method || e.Path != path || e.RequestID != "req-42" || e.Operation == "" {
				t.Errorf("fields: %+v", e)
			}
		})
	}
}

// perform makes the call that sends the request.
func perform(t *testing.T, c *Client, route string) (err error) {
	t.Helper()
	ctx := t.Context()
	switch route {
	case "GET /hooks":
		_, err = c.Hooks(ctx, "send-phone-message")
	case "GET /hooks/1":
		_, err = c.Hook(ctx, "1")
	case "POST /hooks":
		_, err = c.CreateHook(ctx, Hook{})
	case "PATCH /hooks/1":
		_, err = c.UpdateHook(ctx, "1", HookPatch{})
	case "DELETE /hooks/1":
		err = c.DeleteHook(ctx, "1")
	case "POST /hooks/1/secrets":
		err = c.AddHookSecrets(ctx, "1", map[string]string{"K": awsSecret})
	case "GET /guardian/factors":
		_, err = c.Factors(ctx)
	case "PUT /guardian/policies":
		err = c.SetPolicies(ctx, []string{"confidence-score"})
	case "GET /guardian/factors/phone/selected-provider":
		_, err = c.SelectedProvider(ctx)
	case "PUT /guardian/factors/phone/templates":
		err = c.SetTemplates(ctx, Templates{})
	case "POST /actions/actions":
		_, err = c.CreateAction(ctx, Action{})
	case "PATCH /actions/triggers/custom-phone-provider/bindings":
		err = c.SetBindings(ctx, "custom-phone-provider", nil)
	case "POST /branding/phone/providers":
		_, err = c.CreatePhoneProvider(ctx, PhoneProvider{})
	case "POST /branding/phone/templates":
		_, err = c.CreatePhoneTemplate(ctx, PhoneTemplate{})
	default:
		t.Fatalf("no call for %s", route)
	}
	return err
}

func TestMissingScopes(t *testing.T) {
	e := &Error{Kind: MissingScope, Message: "Insufficient scope, expected any of: create:hooks, update:hooks."}
	if diff := cmp.Diff([]string{"create:hooks", "update:hooks"}, e.MissingScopes()); diff != "" {
		t.Error(diff)
	}
	if got := (&Error{Kind: Forbidden, Message: e.Message}).MissingScopes(); got != nil {
		t.Errorf("got %v for another kind", got)
	}
}

// Auth0 grants no create:phone_template: whoever was told to add it would not find it.
func TestMissingScopesAreThoseThatAreGranted(t *testing.T) {
	e := &Error{Kind: MissingScope, Message: "Insufficient scope, expected any of: create:phone_template,update:phone_templates"}
	if diff := cmp.Diff([]string{"create:phone_templates", "update:phone_templates"}, e.MissingScopes()); diff != "" {
		t.Error(diff)
	}
}

func TestEveryKindHasAHint(t *testing.T) {
	for kind := BadRequest; kind < Token; kind++ {
		if (&Error{Kind: kind}).Hint() == "" {
			t.Errorf("kind %d leaves the reader alone", kind)
		}
	}
}

func TestAnswersThatQuoteSecrets(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST /api/v2/hooks/1/secrets":  quote(400),
		"PATCH /api/v2/hooks/1/secrets": quote(403),
		"GET /api/v2/hooks/1":           quote(403),
	})
	c := s.client()
	_ = mustBeError(t, c.AddHookSecrets(t.Context(), "1", map[string]string{"AWS_SECRET_ACCESS_KEY": awsSecret}))
	_ = mustBeError(t, c.UpdateHookSecrets(t.Context(), "1", map[string]string{"AWS_SECRET_ACCESS_KEY": awsSecret}))
	_, err := c.Hook(t.Context(), "1")
	if e := mustBeError(t, err); !strings.Contains(e.Error(), hidden) {
		t.Errorf("the token was not quoted, so this proves nothing: %v", e)
	}
}

func TestAnswerOfAnotherShape(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"GET /api/v2/guardian/factors": answer(200, `{"sms":true}`),
		"POST /api/v2/hooks":           answer(201, `[1]`),
	})
	c := s.client()
	_, err := c.Factors(t.Context())
	if e := mustBeError(t, err); e.Kind != Transport || e.StatusCode != 200 {
		t.Errorf("got %v", e)
	}
	_, err = c.CreateHook(t.Context(), Hook{})
	if e := mustBeError(t, err); !e.Ambiguous() {
		t.Errorf("the hook exists, though its description cannot be read: %v", e)
	}
}

func TestCancelledBeforehand(t *testing.T) {
	s := newTenant(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.client().CreateHook(ctx, Hook{})
	e := mustBeError(t, err)
	if e.Ambiguous() || !errors.Is(err, context.Canceled) || len(s.tokenRequests()) != 0 {
		t.Errorf("got %v", e)
	}
	if text := e.Error(); !strings.HasPrefix(text, "create hook: no usable answer: context canceled.") {
		t.Errorf("speaks of a request that was never made: %s", text)
	}
}

func FuzzErrorBody(f *testing.F) {
	for _, test := range families {
		f.Add(test.status, test.body)
	}
	for _, test := range refusals {
		f.Add(test.status, test.body)
	}
	f.Add(403, "\x1b[31m\xff"+awsSecret)
	f.Add(400, `{"message":"`+jwt(`{"scope":"x"}`)+awsSecret+`"}`)
	cfg := Config{ClientID: testClientID, ClientSecret: testClientSecret, Audience: "https://x/api/v2/"}
	f.Fuzz(func(t *testing.T, status int, body string) {
		x := &exchange{
			operation: "try", method: "POST", path: "/api/v2/hooks", host: "tenant.auth0.com", status: status,
			hide: []string{awsSecret, testClientSecret},
		}
		for _, e := range []*Error{newError(x, []byte(body)), newTokenError(x, []byte(body), cfg)} {
			text := e.Error()
			if strings.Contains(text, awsSecret) || strings.Contains(text, testClientSecret) || jwtPattern.MatchString(text) {
				t.Errorf("shows a secret: %q", text)
			}
			if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("not fit for a terminal: %q", text)
			}
			if utf8.RuneCountInString(text) > 3*maxMessage {
				t.Errorf("%d runes", utf8.RuneCountInString(text))
			}
			_ = e.MissingScopes()
		}
	})
}

func TestAnInterruptIsNoNetworkFault(t *testing.T) {
	e := &Error{Operation: "read hook", Method: "GET", Path: "/api/v2/hooks/1", Kind: Transport, Err: context.Canceled, Message: "context canceled"}
	if text := e.Error(); !strings.Contains(text, "interrupted") || strings.Contains(text, "network") {
		t.Errorf("sends a person who pressed Ctrl-C looking for a network fault: %s", text)
	}
}
