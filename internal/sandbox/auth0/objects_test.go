package auth0

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestGuardian(t *testing.T) {
	b := newBed(t, RateLimit{})
	factor := "/guardian/factors/sms"
	phone := "/guardian/factors/phone"
	for _, step := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"factors", "GET", "/guardian/factors", "", 200, `[{"name":"sms","enabled":false,"trial_expired":false},{"name":"push-notification",`},
		{"message types before the factor", "PUT", phone + "/message-types", `{"message_types":["sms"]}`, 404, "The phone factor does not exist."},
		{"message types can be read", "GET", phone + "/message-types", "", 200, `{"message_types":[]}`},
		{"provider in the factor", "PUT", factor, `{"enabled":true,"provider":"x"}`, 400, `'Additional properties not allowed: provider'`},
		{"no phone factor", "PUT", phone, `{"enabled":true}`, 400, `Path validation error: 'No enum match for: phone' on property name`},
		{"enable", "PUT", factor, `{"enabled":true}`, 200, `{"enabled":true}`},
		{"message types", "PUT", phone + "/message-types", `{"message_types":["sms"]}`, 200, `{"message_types":["sms"]}`},
		{"bad message type", "PUT", phone + "/message-types", `{"message_types":["text"]}`, 400, `'No enum match for: text' on property message_types[0]`},
		{"twice", "PUT", phone + "/message-types", `{"message_types":["sms","sms"]}`, 400, `'Array items are not unique (indexes 0 and 1)' on property message_types`},
		{"first provider", "GET", phone + "/selected-provider", "", 200, `{"provider":"auth0"}`},
		{"bad provider", "PUT", phone + "/selected-provider", `{"provider":"sns"}`, 400, `'No enum match for: sns' on property provider`},
		{"provider", "PUT", phone + "/selected-provider", `{"provider":"phone-message-hook"}`, 200, `{"provider":"phone-message-hook"}`},
		{"provider, old name", "GET", factor + "/selected-provider", "", 200, `{"provider":"phone-message-hook"}`},
		{"templates never set", "GET", phone + "/templates", "", 204, ""},
		{"half the templates", "PUT", phone + "/templates", `{"enrollment_message":"x"}`, 400, `'Missing required property: verification_message'`},
		{"templates", "PUT", factor + "/templates", `{"enrollment_message":"e","verification_message":"v"}`, 200, `{"enrollment_message":"e","verification_message":"v"}`},
		{"templates set", "GET", phone + "/templates", "", 200, `"enrollment_message":"e"`},
		{"twilio empty", "GET", phone + "/providers/twilio", "", 200, `{"auth_token":null,"from":null,"messaging_service_sid":null,"sid":null}`},
		{"twilio", "PUT", phone + "/providers/twilio", `{"from":"123","sid":"s","auth_token":"t"}`, 200, `{"auth_token":"t","from":"123","sid":"s"}`},
		{"twilio token in clear", "GET", factor + "/providers/twilio", "", 200, `"auth_token":"t"`},
		{"no policy", "GET", "/guardian/policies", "", 200, `[]`},
		{"bad policy", "PUT", "/guardian/policies", `["never"]`, 400, `'No enum match for: never' on property [0]`},
		{"policy", "PUT", "/guardian/policies", `["all-applications"]`, 200, `["all-applications"]`},
		{"entitlement", "PUT", "/guardian/policies", `["confidence-score"]`, 403, `"errorCode":"insufficient_entitlement"`},
		{"last factor", "PUT", factor, `{"enabled":false}`, 400, `At least one factor`},
		{"another factor", "PUT", "/guardian/factors/otp", `{"enabled":true}`, 200, ``},
		{"no longer the last", "PUT", factor, `{"enabled":false}`, 200, `{"enabled":false}`},
		{"never", "PUT", "/guardian/policies", `[]`, 200, `[]`},
		{"last factor without policy", "PUT", "/guardian/factors/otp", `{"enabled":false}`, 200, ``},
	} {
		expect(t, step.name, b.api(step.method, step.path, step.body), step.status, step.want)
	}
	b.set(func(s *Switches) { s.ConfidenceScore, s.AllowLastFactorOff = true, true })
	b.must("PUT", factor, `{"enabled":true}`)
	expect(t, "confidence-score with the entitlement", b.api("PUT", "/guardian/policies", `["confidence-score"]`), 200, "confidence-score")
	expect(t, "last factor, allowed by the switch", b.api("PUT", factor, `{"enabled":false}`), 200, "")
}

func TestUnifiedPhoneExperienceClosesTheLegacyEndpoints(t *testing.T) {
	b := newBed(t, RateLimit{})
	b.must("PATCH", "/tenants/settings", `{"phone_consolidated_experience":true}`)
	for _, alias := range []string{"phone", "sms"} {
		for _, resource := range []string{"selected-provider", "templates", "providers/twilio"} {
			for _, method := range []string{"GET", "PUT"} {
				expect(t, method+" "+alias+"/"+resource, b.api(method, "/guardian/factors/"+alias+"/"+resource, "{}"), 403,
					`{"statusCode":403,"error":"Forbidden","message":"Insufficient privileges to use this deprecated feature. To handle Phone Provider/Templates refer to Tenant Phone Settings","errorCode":"legacy_mfa_phone_provider_not_allowed"}`)
			}
		}
	}
	b.must("PUT", "/guardian/factors/sms", `{"enabled":true}`)
	b.must("PUT", "/guardian/factors/phone/message-types", `{"message_types":["sms"]}`)
	b.must("PUT", "/guardian/policies", `["all-applications"]`)

	b.set(func(s *Switches) { s.UnifiedPhoneLocked = true })
	expect(t, "turning it off on a tenant born with it", b.api("PATCH", "/tenants/settings", `{"phone_consolidated_experience":false}`), 403, "operation_not_supported")
	b.set(func(s *Switches) { s.UnifiedPhoneLocked = false })
	b.must("PATCH", "/tenants/settings", `{"phone_consolidated_experience":false}`)
	b.must("GET", "/guardian/factors/phone/selected-provider", "")
}

func TestTenantSettings(t *testing.T) {
	b := newBed(t, RateLimit{})
	before := b.must("GET", "/tenants/settings", "").object(t)
	if _, ok := before["phone_consolidated_experience"]; ok || before["friendly_name"] != "staging" {
		t.Errorf("a legacy tenant's settings: %v", before)
	}
	b.must("PATCH", "/tenants/settings", `{"flags":{"enable_sso":false},"friendly_name":"Acme","mtls":{"enable_endpoint_aliases":true},"idle_session_lifetime_in_minutes":90}`)
	after := b.must("GET", "/tenants/settings", "").object(t)
	flags, _ := after["flags"].(map[string]any)
	if flags["enable_sso"] != false || flags["universal_login"] != true {
		t.Errorf("one flag was sent, all others must stay: %v", flags)
	}
	if after["session_lifetime"] != before["session_lifetime"] || after["idle_session_lifetime"] != 1.5 {
		t.Errorf("settings after the change: %v", after)
	}
	b.must("PATCH", "/tenants/settings", `{"mtls":null}`)
	if _, ok := b.must("GET", "/tenants/settings", "").object(t)["mtls"]; ok {
		t.Error("null does not remove a setting")
	}
	expect(t, "fields", b.must("GET", "/tenants/settings?fields=friendly_name&include_fields=true", ""), 200,
		`{"friendly_name":"Acme","sandbox_version":"22","sandbox_versions_available":["22","18"]}`)
	if a := b.must("GET", "/tenants/settings?fields=flags&include_fields=false", "").object(t); a["flags"] != nil || a["friendly_name"] != "Acme" {
		t.Errorf("include_fields=false keeps the field: %v", a)
	}
	for body, want := range map[string]string{
		`{}`:                     "Too few properties",
		`{"universal_login":{}}`: "Additional properties not allowed: universal_login",
		`{"flags":{"new_universal_login_experience_enabled":true}}`: "on property flags",
		`{"phone_consolidated_experience":null}`:                    "Expected type boolean but found type null",
		`{"session_lifetime":1.5}`:                                  "Expected type integer but found type number",
	} {
		expect(t, "PATCH "+body, b.api("PATCH", "/tenants/settings", body), 400, want)
	}
}

func TestClientGrants(t *testing.T) {
	b := newBed(t, RateLimit{})
	clientID, audience := b.tenant.Client().ClientID, b.server.URL+"/api/v2/"
	list := "/client-grants?client_id=" + clientID + "&audience=" + url.QueryEscape(audience)
	grants, _ := b.must("GET", list, "").body.([]any)
	if len(grants) != 1 {
		t.Fatalf("the seeded client has %d grants: a tool could not add a scope", len(grants))
	}
	first, _ := grants[0].(map[string]any)
	path := "/client-grants/" + fmt.Sprint(first["id"])
	expect(t, "read", b.must("GET", path, ""), 200, clientID)
	expect(t, "replace scopes", b.api("PATCH", path, `{"scope":["read:hooks"]}`), 200, `"scope":["read:hooks"]`)
	expect(t, "new tokens have them", b.form(b.secretForm()), 200, `"scope":"read:hooks"`)
	expect(t, "totals", b.must("GET", "/client-grants?include_totals=true", ""), 200, `"client_grants":[{`)
	expect(t, "none for another audience", b.must("GET", "/client-grants?audience=x", ""), 200, "[]")

	grant := func(client, audience string) string {
		return fmt.Sprintf(`{"client_id":%q,"audience":%q,"scope":["read:logs"]}`, client, audience)
	}
	expect(t, "exists", b.api("POST", "/client-grants", grant(clientID, audience)), 409, "Conflict")
	expect(t, "unknown client", b.api("POST", "/client-grants", grant("x", audience)), 404, "inexistent_client")
	expect(t, "unknown API", b.api("POST", "/client-grants", grant(clientID, "x")), 404, "inexistent_resource_server")
	expect(t, "property without effect", b.api("POST", "/client-grants", `{"client_id":"x","audience":"y","organization_usage":"deny"}`), 400, "Additional properties")
	expect(t, "delete", b.api("DELETE", path, ""), 204, "")
	expect(t, "gone", b.api("GET", path, ""), 404, `"message":"The grant does not exist.","errorCode":"inexistent_client_grant"`)
	expect(t, "no change", b.api("PATCH", path, `{"scope":[]}`), 404, "inexistent_client_grant")
	expect(t, "create", b.api("POST", "/client-grants", grant(clientID, audience)), 201, `"scope":["read:logs"]`)
}

func TestLogs(t *testing.T) {
	b := newBed(t, RateLimit{})
	for _, enabled := range []string{"true", "false", "true"} {
		b.must("PUT", "/guardian/factors/otp", `{"enabled":`+enabled+`}`)
		b.advance(time.Minute)
	}
	b.form(b.secretForm())
	wrong := b.secretForm()
	wrong.Set("client_secret", "x")
	b.form(wrong)

	types := func(query string) string {
		list, _ := b.must("GET", "/logs?"+query, "").body.([]any)
		var found []string
		for _, entry := range list {
			object, _ := entry.(map[string]any)
			found = append(found, fmt.Sprint(object["type"]))
		}
		return strings.Join(found, " ")
	}
	q := func(query string) string { return "q=" + url.QueryEscape(query) }
	for query, want := range map[string]string{
		"":                               "feccft seccft sapi sapi sapi",
		"sort=date:1":                    "sapi sapi sapi seccft feccft",
		"per_page=2&page=1":              "sapi sapi",
		q(`type:"sapi"`) + "&per_page=2": "sapi sapi",
		q(`type:seccft`):                 "seccft",
		q(`type:("feccft" OR "seccft")`): "feccft seccft",
		q(`type:"gd_send_sms_failure"`):  "",
		q(`type:"sapi" AND date:[2026-11-23T12:01:00Z TO *]`): "sapi sapi",
		q(`date:[2026-11-24 TO *]`):                           "",
		"take=2":                                              "sapi sapi",
	} {
		if got := types(query); got != want {
			t.Errorf("GET /logs?%s: %q, want %q", query, got, want)
		}
	}
	oldest, _ := b.must("GET", "/logs?take=1", "").body.([]any)
	entry, _ := oldest[0].(map[string]any)
	id := fmt.Sprint(entry["log_id"])
	if got := types("from=" + id + "&take=9"); got != "sapi sapi seccft feccft" {
		t.Errorf("from a checkpoint: %q, want all newer entries, oldest first", got)
	}
	expect(t, "one entry", b.must("GET", "/logs/"+id, ""), 200, `"description":"Update a Guardian Factor"`)
	expect(t, "no entry", b.api("GET", "/logs/nope", ""), 404, "Log not found")
	expect(t, "totals", b.must("GET", "/logs?include_totals=true&per_page=2", ""), 200, `"length":2,"limit":2,"logs":[`)
	if a := b.must("GET", "/logs?fields=type&per_page=1", ""); len(a.body.([]any)[0].(map[string]any)) != 2 { //nolint:forcetypeassert // a test
		t.Errorf("fields=type: %s, want type and _id", a.raw)
	}
	for _, query := range []string{"type", `type:"a" OR type:"b"`, `description:*sms*`, `date:[yesterday TO *]`, `(type:"a")`} {
		expect(t, query, b.api("GET", "/logs?"+q(query), ""), 400, "invalid_query_string")
	}
	expect(t, "page size", b.api("GET", "/logs?per_page=101", ""), 400, "invalid_query_string")
}
