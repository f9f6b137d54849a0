package auth0

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const templatesPath = "/branding/phone/templates"

func TestPhoneTemplates(t *testing.T) {
	b, _ := unifiedBed(t)
	list := b.must("GET", templatesPath, "")
	for _, name := range messageTypeNames() {
		expect(t, "Auth0's own", list, 200, `"type":"`+name+`"`)
	}
	if strings.Contains(list.raw, `"id"`) {
		t.Errorf("Auth0's own messages have no id: %s", list.raw)
	}
	const content = `"content":{"syntax":"liquid","from":"+15550001111","body":{"text":"Code {{ code }}","voice":"Say {{ code }}"}}`
	expect(t, "no type", b.api("POST", templatesPath, `{`+content+`}`), 400, "Bad Operation on Notification Resource")
	expect(t, "another type", b.api("POST", templatesPath, `{"type":"otp",`+content+`}`), 400, `'No enum match for: otp' on property type`)
	expect(t, "an empty text", b.api("POST", templatesPath, `{"type":"otp_verify","content":{"body":{"text":""}}}`), 400, `on property content.body.text`)
	expect(t, "a long sender", b.api("POST", templatesPath, `{"type":"otp_verify","content":{"from":"12345678901234567"}}`), 400, `maximum 16' on property content.from`)
	expect(t, "a mistake in it", b.api("POST", templatesPath, `{"type":"otp_verify","content":{"body":{"text":"{% if code %}"}}}`), 400, "an if without endif")

	id, _ := b.must("POST", templatesPath, `{"type":"otp_verify","disabled":false,`+content+`}`).object(t)["id"].(string)
	path := templatesPath + "/" + id
	expect(t, "a second one", b.api("POST", templatesPath, `{"type":"otp_verify",`+content+`}`), 409, `{"statusCode":409,"error":"Conflict","message":"Phone template already configured for tenant"}`)
	expect(t, "read", b.must("GET", path, ""), 200, `"text":"Code {{ code }}"`)
	expect(t, "customised first", b.must("GET", templatesPath, ""), 200, `{"templates":[{"channel":"phone","content":{"body":{"text":"Code {{ code }}"`)
	expect(t, "type is no change", b.api("PATCH", path, `{"type":"otp_enroll"}`), 400, "Additional properties not allowed: type")
	expect(t, "nor is syntax", b.api("PATCH", path, `{"content":{"syntax":"liquid"}}`), 400, "Additional properties not allowed: syntax")
	b.must("PATCH", path, `{"content":{"body":{"text":"{{ code }}!"}},"disabled":true}`)
	want := PhoneTemplateState{ID: id, Type: "otp_verify", Disabled: true, Text: "{{ code }}!", Voice: "Say {{ code }}", From: "+15550001111"}
	if diff := cmp.Diff([]PhoneTemplateState{want}, b.tenant.Snapshot().PhoneTemplates); diff != "" {
		t.Errorf("snapshot (-want +got):\n%s", diff)
	}
	expect(t, "filter", b.must("GET", templatesPath+"?disabled=true", ""), 200, `{"templates":[{`)
	if got := b.challenge(ChallengeRequest{Code: "1"}).Text; got != "1 is your verification code for staging" {
		t.Errorf("a disabled template was used: %q", got)
	}
	b.must("PATCH", path, `{"disabled":false}`)
	if got := b.challenge(ChallengeRequest{Code: "1"}).Text; got != "1!" {
		t.Errorf("the template was not used: %q", got)
	}

	expect(t, "try", b.api("POST", path+"/try", `{"to":"`+phoneNumber+`"}`), 202, `"code":202`)
	if jobs := b.runner.jobs; !strings.HasSuffix(jobs[len(jobs)-1].Text, "!") {
		t.Errorf("try sent %q, not the template", jobs[len(jobs)-1].Text)
	}
	reset := b.must("PATCH", path+"/reset", "")
	expect(t, "reset", reset, 200, `is your verification code for {{ friendly_name | escape }}"`)
	expect(t, "reset leaves the sender, as recorded", reset, 200, `"from":"+15550001111"`)
	expect(t, "delete", b.api("DELETE", path, ""), 204, "")
	for _, call := range []string{"GET ", "DELETE ", "PATCH /reset"} {
		method, suffix, _ := strings.Cut(call, " ")
		expect(t, call+" of one that is gone", b.api(method, path+suffix, ""), 404, `{"statusCode":404,"error":"Not Found","message":"Notification Resource not found"}`)
	}
}

func TestPhoneTemplatesNeedAProvider(t *testing.T) {
	b := newBed(t, RateLimit{})
	const body = `{"type":"otp_verify","content":{"body":{"text":"{{ code }}"}}}`
	b.must("GET", templatesPath, "")
	expect(t, "customise", b.api("POST", templatesPath, body), 400, "external phone provider")
	b.set(func(s *Switches) { s.TemplatesWithoutProvider = true })
	b.must("POST", templatesPath, body)
}

func TestLiquid(t *testing.T) {
	variables := map[string]string{"code": "123", "friendly_name": `A & "B"`, "locale": "fr-CA", "user.country": "France"}
	for source, want := range map[string]string{
		"plain":                             "plain",
		"{{ code }} {{code}} {{- code -}}":  "123 123 123",
		"{{ friendly_name | escape }}":      "A &amp; &#34;B&#34;",
		"{{tenant.friendly_name}}|{{none}}": "|",
		"{% if user.city %} from {{user.city}}{% elsif user.country %} from {{user.country}}{% endif %}.":     " from France.",
		"{% if locale contains \"fr\" %}oui{% else %}yes{% endif %}":                                          "oui",
		"{% if locale == 'fr' %}a{% elsif locale != 'fr' %}b{% else %}c{% endif %}":                           "b",
		"{% if code %}{% if none %}x{% endif %}y{% endif %}{% if none %}{% if code %}z{% endif %}{% endif %}": "y",
		"{{ 'a b' }}": "a b",
	} {
		if got, err := renderLiquid(source, variables); err != nil || got != want {
			t.Errorf("%s renders %q (%v), want %q", source, got, err, want)
		}
	}
	for _, source := range []string{
		"{% if code %}", "{% endif %}", "{% for a in b %}{% endfor %}", "{{ code | upcase }}", "{% if code < 1 %}{% endif %}", "{{ 1 + 1 }}", "{% if a b %}{% endif %}",
	} {
		if got, err := renderLiquid(source, variables); err == nil {
			t.Errorf("%s renders %q without an error: a mistake would not show", source, got)
		}
	}
}
