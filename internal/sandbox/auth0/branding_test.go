package auth0

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	providersPath = "/branding/phone/providers"
	customBody    = `{"name":"custom","disabled":false,"configuration":{"delivery_methods":["text"]},"credentials":{}}`
	twilioBody    = `{"name":"twilio","configuration":{"sid":"AC1","default_from":"+15550001111","delivery_methods":["text"]},"credentials":{"auth_token":"twilio-canary"}}`
)

// phoneBed is a tenant with a deployed Action for custom-phone-provider, whose
// id it returns, and nothing else.
func phoneBed(t *testing.T) (*bed, string) {
	t.Helper()
	b := newBed(t, RateLimit{})
	id := b.createAction("phone", customPhoneProvider, map[string]any{
		"secrets": []any{map[string]any{"name": "AWS_REGION", "value": "eu-west-1"}},
	})
	b.deployAction(id)
	return b, id
}

func (b *bed) createPhoneProvider(body string) string {
	b.t.Helper()
	id, _ := b.must("POST", providersPath, body).object(b.t)["id"].(string)
	return id
}

func TestPhoneProvider(t *testing.T) {
	b, _ := phoneBed(t)
	const conflict = `{"statusCode":409,"error":"Conflict","message":"Custom phone provider conflict."}`
	const missing = `{"statusCode":404,"error":"Not Found","message":"Notification Resource not found"}`
	const bad = `{"statusCode":400,"error":"Bad Request","message":"Bad Operation on Notification Resource"}`
	post := func(what, body string, status int, want string) {
		t.Helper()
		expect(t, what, b.api("POST", providersPath, body), status, want)
	}
	expect(t, "none", b.must("GET", providersPath, ""), 200, `{"providers":[]}`)
	post("without credentials", `{"name":"custom","configuration":{"delivery_methods":["text"]}}`, 400,
		`"message":"Payload validation error: 'Missing required property: credentials'.","errorCode":"invalid_body"`)
	post("another name", `{"name":"sns","credentials":{}}`, 400, `'No enum match for: sns' on property name`)
	post("no delivery method", `{"name":"custom","configuration":{"delivery_methods":[]},"credentials":{}}`, 400, `'Data does not match any schemas from 'anyOf'' on property configuration`)
	post("a method that never was", `{"name":"custom","configuration":{"delivery_methods":["sms"]},"credentials":{}}`, 400, `'anyOf'' on property configuration`)
	post("other credentials", `{"name":"custom","configuration":{"delivery_methods":["text"]},"credentials":{"key":"x"}}`, 400, `'anyOf'' on property credentials`)
	post("no configuration", `{"name":"custom","credentials":{}}`, 400, bad)
	post("Twilio without a sender", `{"name":"twilio","configuration":{"sid":"AC1","delivery_methods":["text"]},"credentials":{"auth_token":"x"}}`, 400, bad)
	post("Twilio without a token", strings.Replace(twilioBody, `{"auth_token":"twilio-canary"}`, `{}`, 1), 400, bad)
	if got := b.tenant.Snapshot().PhoneProviders; len(got) != 0 {
		t.Fatalf("refused calls left %+v", got)
	}

	id := b.createPhoneProvider(twilioBody)
	path := providersPath + "/" + id
	if !strings.HasPrefix(id, "pro_") || len(id) != 26 {
		t.Errorf("id %q", id)
	}
	post("a second one", customBody, 409, conflict)
	list := b.must("GET", providersPath+"?disabled=false", "")
	expect(t, "list", list, 200, `"credentials":null`)
	expect(t, "filter", b.must("GET", providersPath+"?disabled=true", ""), 200, `{"providers":[]}`)
	for _, a := range []answer{list, b.must("GET", path, ""), b.must("GET", "/logs", "")} {
		if strings.Contains(a.raw, "canary") {
			t.Errorf("shows Twilio's token: %s", a.raw)
		}
	}
	want := PhoneProviderState{
		ID: id, Name: "twilio", CredentialNames: []string{"auth_token"},
		Configuration: map[string]any{"sid": "AC1", "default_from": "+15550001111", "delivery_methods": []any{"text"}},
	}
	if diff := cmp.Diff([]PhoneProviderState{want}, b.tenant.Snapshot().PhoneProviders); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}

	expect(t, "nothing to change", b.api("PATCH", path, `{}`), 400, "Too few properties")
	expect(t, "an unknown property", b.api("PATCH", path, `{"channel":"phone"}`), 400, "Additional properties not allowed: channel")
	custom := b.must("PATCH", path, `{"name":"custom","configuration":{"delivery_methods":["text","voice"]}}`)
	expect(t, "becomes custom", custom, 200, `"configuration":{"delivery_methods":["text","voice"]}`)
	expect(t, "and keeps its id", custom, 200, id)
	expect(t, "Twilio's token is gone", b.api("PATCH", path, `{"name":"twilio","configuration":{"sid":"AC1","mssid":"MG1","delivery_methods":["text"]}}`), 400, bad)
	expect(t, "disable", b.must("PATCH", path, `{"disabled":true}`), 200, `"disabled":true`)
	expect(t, "back to Twilio", b.must("PATCH", path, twilioBody), 200, `"name":"twilio"`)

	expect(t, "delete", b.api("DELETE", path, ""), 204, "")
	for _, call := range []struct{ method, path, body string }{
		{"GET", path, ""}, {"DELETE", path, ""}, {"PATCH", path, `{"disabled":true}`}, {"POST", path + "/try", `{"to":"+15005550001"}`},
	} {
		expect(t, call.method+" "+call.path+", which is gone", b.api(call.method, call.path, call.body), 404, missing)
	}
}

func TestPhoneProviderNeedsItsScopes(t *testing.T) {
	b, _ := phoneBed(t)
	token := b.tenant.Token("read:branding")
	for call, scope := range map[string]string{
		"GET providers": "read:phone_providers", "POST providers": "create:phone_providers", "GET providers/x": "read:phone_providers",
		"PATCH providers/x": "update:phone_providers", "DELETE providers/x": "delete:phone_providers", "POST providers/x/try": "create:phone_providers",
		"GET templates": "read:phone_templates", "POST templates": "create:phone_templates", "GET templates/x": "read:phone_templates",
		"PATCH templates/x": "update:phone_templates", "DELETE templates/x": "delete:phone_templates",
		"PATCH templates/x/reset": "update:phone_templates", "POST templates/x/try": "create:phone_templates",
	} {
		method, path, _ := strings.Cut(call, " ")
		a := b.send(b.request(method, "/api/v2/branding/phone/"+path, token, "{}"))
		expect(t, call, a, 403, `"message":"Insufficient scope, expected any of: `+scope+`","errorCode":"insufficient_scope"`)
	}
}

// TestCustomPhoneProviderNeedsADeployedAction fails when a client that creates
// the provider too early would get through.
func TestCustomPhoneProviderNeedsADeployedAction(t *testing.T) {
	b := newBed(t, RateLimit{})
	action := b.createAction("phone", customPhoneProvider, nil)
	const code = `"errorCode":"custom_phone_provider_deployed_action_not_found"`
	expect(t, "create", b.api("POST", providersPath, customBody), 400, code)
	b.set(func(s *Switches) { s.PhoneActionMissingCode = "custom_email_provider_deployed_action_not_found" })
	expect(t, "create, with the code of the article", b.api("POST", providersPath, customBody), 400, "custom_email_provider")
	id := b.createPhoneProvider(twilioBody)
	expect(t, "become custom", b.api("PATCH", providersPath+"/"+id, `{"name":"custom"}`), 400, "custom_email_provider")
	b.deployAction(action)
	b.must("PATCH", providersPath+"/"+id, `{"name":"custom","disabled":true}`)
	b.must("DELETE", "/actions/actions/"+action, "")
	expect(t, "enable", b.api("PATCH", providersPath+"/"+id, `{"disabled":false}`), 400, "custom_email_provider")
	b.must("PATCH", providersPath+"/"+id, `{"disabled":true}`)
}

func TestWhoBindsThePhoneAction(t *testing.T) {
	for mode, want := range map[PhoneBinding]struct{ bound, sent bool }{
		PhoneBindingUnneeded:   {false, true},
		PhoneBindingByProvider: {true, true},
		PhoneBindingByHand:     {false, false},
	} {
		b, action := unifiedBed(t, func(s *Switches) { s.PhoneBinding = mode })
		if got := len(b.tenant.Snapshot().Bindings[customPhoneProvider]) == 1; got != want.bound {
			t.Errorf("%s: bound %t after the provider was created", mode, got)
		}
		if got := b.challenge(ChallengeRequest{}); got.Sent != want.sent {
			t.Errorf("%s: %+v", mode, got)
		}
		expect(t, "bind", b.bind(customPhoneProvider, action), 200, action)
		if got := b.challenge(ChallengeRequest{}); !got.Sent {
			t.Errorf("%s, bound by hand: %+v", mode, got)
		}
	}
}

// TestTry fails when somebody who tries a provider would see a success that was
// none, or send nothing at all.
func TestTry(t *testing.T) {
	b, action := unifiedBed(t)
	provider := b.tenant.Snapshot().PhoneProviders[0].ID
	const accepted = `{"code":202,"message":"Test notification successfully sent for processing"}`
	expect(t, "without a number", b.api("POST", providersPath+"/"+provider+"/try", `{}`), 400, `'Missing required property: to'`)
	expect(t, "a long number", b.api("POST", providersPath+"/"+provider+"/try", `{"to":"12345678901234567"}`), 400, `maximum 16' on property to`)
	try := func() {
		t.Helper()
		expect(t, "try", b.api("POST", providersPath+"/"+provider+"/try", `{"to":"`+phoneNumber+`","delivery_method":"text"}`), 202, accepted)
	}
	try()
	if jobs := b.runner.jobs; len(jobs) != 1 || jobs[0].Recipient != phoneNumber || !strings.HasSuffix(jobs[0].Text, "is your verification code for staging") {
		t.Errorf("what was run: %+v", jobs)
	}
	expect(t, "log", b.must("GET", `/logs?q=type:"gd_send_sms"`, ""), 200, `"phone_number":"XXXXXXXX4567"`)
	b.runner.result = Result{Verdict: &Verdict{VerdictDrop, "no such number"}}
	try()
	expect(t, "log", b.must("GET", `/logs?q=type:"fn"`, ""), 200, `"error":"no such number"`)
	b.must("DELETE", "/actions/actions/"+action, "")
	try()
	expect(t, "log", b.must("GET", `/logs?q=type:"fn"`, ""), 200, `"error":"no Action for custom-phone-provider is deployed"`)
}
