package auth0

import (
	"fmt"
	"strings"
	"testing"
)

func TestHookValidation(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createHook("taken", false)
	valid := func(change string) string {
		return `{"name":"a","script":"x","triggerId":"send-phone-message"` + change + `}`
	}
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"no name", "POST", "/hooks", `{"script":"x","triggerId":"send-phone-message"}`, 400, `"message":"Payload validation error: 'Missing required property: name'.","errorCode":"invalid_body"`},
		{"bad name", "POST", "/hooks", `{"name":"sns_hook","script":"x","triggerId":"send-phone-message"}`, 400, `on property name (Name of this hook.).`},
		{"name ends in a space", "POST", "/hooks", `{"name":"sns ","script":"x","triggerId":"send-phone-message"}`, 400, `String does not match pattern`},
		{"empty script", "POST", "/hooks", `{"name":"a","script":"","triggerId":"send-phone-message"}`, 400, `'String is too short (0 chars), minimum 1' on property script`},
		{"unknown trigger", "POST", "/hooks", `{"name":"a","script":"x","triggerId":"post-login"}`, 400, `'No enum match for: post-login' on property triggerId`},
		{"extra properties", "POST", "/hooks", valid(`,"b":1,"a":2`), 400, `'Additional properties not allowed: a,b'`},
		{"enabled as text", "POST", "/hooks", valid(`,"enabled":"true"`), 400, `'Expected type boolean but found type string' on property enabled`},
		{"dependency version as number", "POST", "/hooks", valid(`,"dependencies":{"aws-sdk":2}`), 400, `'Expected type string but found type integer' on property dependencies.aws-sdk`},
		{"name in use", "POST", "/hooks", `{"name":"taken","script":"x","triggerId":"send-phone-message"}`, 409, `{"statusCode":409,"error":"Conflict","message":"Hook with the same name already exists."}`},
		{"trigger is immutable", "PATCH", "/hooks/" + id, `{"triggerId":"send-phone-message"}`, 400, `'Additional properties not allowed: triggerId'`},
		{"empty change", "PATCH", "/hooks/" + id, `{}`, 400, `'Too few properties defined (0), minimum 1'`},
		{"no such hook", "PATCH", "/hooks/nope", `{"enabled":true}`, 404, `{"statusCode":404,"error":"Not Found","message":"Error: Hook does not exist","errorCode":"HookDoesNotExist"}`},
		{"impossible id", "GET", "/hooks/no_pe", ``, 400, `"message":"Path validation error: 'String does not match pattern ^[A-Za-z0-9-]*$: no_pe' on property id (ID of the hook.).","errorCode":"invalid_uri"`},
		{"unknown field", "GET", "/hooks?fields=secrets", ``, 400, `"errorCode":"invalid_query_string"`},
		{"page too large", "GET", "/hooks?per_page=101", ``, 400, `'Value 101 is greater than maximum 100' on property per_page`},
		{"enabled is no boolean", "GET", "/hooks?enabled=yes", ``, 400, `'Expected type boolean but found type string' on property enabled`},
		{"no secrets", "POST", "/hooks/" + id + "/secrets", `{}`, 400, `'Too few properties defined (0), minimum 1'`},
		{"secret is no text", "POST", "/hooks/" + id + "/secrets", `{"A":1}`, 400, `'Expected type string but found type integer' on property A`},
		{"names as object", "DELETE", "/hooks/" + id + "/secrets", `{"A":"x"}`, 400, `'Expected type array but found type object'`},
		{"no names", "DELETE", "/hooks/" + id + "/secrets", `[]`, 400, `'Array is too short (0), minimum 1'`},
	} {
		expect(t, test.name, b.api(test.method, test.path, test.body), test.status, test.want)
	}
	if got := len(b.tenant.Snapshot().Hooks); got != 1 {
		t.Errorf("refused calls left %d hooks, want 1", got)
	}
}

func TestHookLifeCycle(t *testing.T) {
	b := newBed(t, RateLimit{})
	created := b.must("POST", "/hooks", `{"name":"sns","script":"a","triggerId":"send-phone-message"}`)
	hook := created.object(t)
	if created.status != 201 || hook["enabled"] != false || len(fmt.Sprint(hook["id"])) != 26 {
		t.Errorf("created hook: %d %s; want it disabled unless asked, with a ULID", created.status, created.raw)
	}
	path := "/hooks/" + fmt.Sprint(hook["id"])
	b.must("PATCH", path, `{"dependencies":{"aws-sdk":"2.1693.0","x":"1.0.0"}}`)
	changed := b.must("PATCH", path, `{"dependencies":{"aws-sdk":"2.1693.0"},"enabled":true}`)
	expect(t, "dependencies are replaced as a whole", changed, 200, `"dependencies":{"aws-sdk":"2.1693.0"},"enabled":true`)
	b.must("POST", "/hooks", `{"name":"other","script":"b","triggerId":"post-change-password"}`)

	for query, want := range map[string]string{
		"":                                  `"name":"other"`,
		"?triggerId=send-phone-message":     `"enabled":true`,
		"?fields=id,script&enabled=true":    `"script":"a"`,
		"?include_totals=true&per_page=1":   `"limit":1,"start":0,"total":2`,
		"?include_totals=true&page=7":       `"hooks":[]`,
		"?page=1&per_page=1":                `"name":"other"`,
		"?enabled=false&fields=name":        `[{"name":"other"}]`,
		"?triggerId=post-user-registration": `[]`,
	} {
		a := b.must("GET", "/hooks"+strings.ReplaceAll(query, `"`, ""), "")
		a.raw = strings.TrimSpace(a.raw)
		if query == "?include_totals=true&per_page=1" {
			if o := a.object(t); o["limit"] != 1.0 || o["start"] != 0.0 || o["total"] != 2.0 || len(o) != 4 {
				t.Errorf("totals: %s", a.raw)
			}
			continue
		}
		expect(t, "GET /hooks"+query, a, 200, want)
	}
	if a := b.must("GET", "/hooks", ""); strings.Contains(a.raw, `"script"`) {
		t.Errorf("a plain list shows scripts, which the real one does not: %s", a.raw)
	}
	expect(t, "fields of one hook", b.must("GET", path+"?fields=name", ""), 200, `{"name":"sns"}`)
	expect(t, "delete", b.api("DELETE", path, ""), 204, "")
	expect(t, "delete again", b.api("DELETE", path, ""), 404, "HookDoesNotExist")
	expect(t, "secrets of a deleted hook", b.api("GET", path+"/secrets", ""), 404, "HookDoesNotExist")
}

func TestHookSecrets(t *testing.T) {
	b := newBed(t, RateLimit{})
	path := "/hooks/" + b.createHook("sns", false) + "/secrets"
	expect(t, "none", b.must("GET", path, ""), 200, "{}")
	expect(t, "add", b.api("POST", path, `{"A":"canary-1","B":"canary-2"}`), 201, "{}")
	expect(t, "add an existing one", b.api("POST", path, `{"C":"x","A":"y"}`), 409, "Secret with the same name already exists.")
	expect(t, "change an unknown one", b.api("PATCH", path, `{"A":"z","C":"x"}`), 404, "Hook or secret not found")
	expect(t, "change", b.api("PATCH", path, `{"A":"canary-3"}`), 201, "{}")
	expect(t, "masked", b.must("GET", path, ""), 200, `{"A":"_VALUE_NOT_SHOWN_","B":"_VALUE_NOT_SHOWN_"}`)
	if got := b.tenant.state.hooks[0].secrets; got["A"] != "canary-3" || got["B"] != "canary-2" || len(got) != 2 {
		t.Errorf("a refused call changed secrets in part: %v", got)
	}
	expect(t, "remove", b.api("DELETE", path, `["A"]`), 204, "")
	expect(t, "rest", b.must("GET", path, ""), 200, `{"B":"_VALUE_NOT_SHOWN_"}`)

	var many []string
	for i := range 20 {
		many = append(many, fmt.Sprintf(`"S%d":"x"`, i))
	}
	expect(t, "the 21st secret", b.api("POST", path, "{"+strings.Join(many, ",")+"}"), 400, "'Too many properties defined (21), maximum 20'")
	expect(t, "up to 20", b.api("POST", path, "{"+strings.Join(many[:19], ",")+"}"), 201, "{}")
}

func TestHooksModes(t *testing.T) {
	calls := []struct{ name, method, path, body string }{
		{"list", "GET", "/hooks", ""},
		{"create", "POST", "/hooks", `{"name":"new","script":"x","triggerId":"send-phone-message"}`},
		{"read", "GET", "/hooks/ID", ""},
		{"edit script", "PATCH", "/hooks/ID", `{"script":"y"}`},
		{"enable", "PATCH", "/hooks/ID", `{"enabled":true}`},
		{"read secrets", "GET", "/hooks/ID/secrets", ""},
		{"add secret", "POST", "/hooks/ID/secrets", `{"B":"x"}`},
		{"change secret", "PATCH", "/hooks/ID/secrets", `{"A":"x"}`},
		{"remove secret", "DELETE", "/hooks/ID/secrets", `["A"]`},
		{"delete", "DELETE", "/hooks/ID", ""},
	}
	readOnly := "This endpoint is disabled for your tenant."
	for _, mode := range []struct {
		name    string
		set     func(*Switches)
		refused map[string]bool // nil: every call
		status  int
		message string
	}{
		{"available", func(*Switches) {}, map[string]bool{}, 0, ""},
		{"read_only", func(s *Switches) { s.HooksMode = HooksReadOnly }, map[string]bool{"create": true, "edit script": true}, 403, readOnly},
		{
			"read_only with secrets",
			func(s *Switches) { s.HooksMode, s.HookSecretsReadOnly = HooksReadOnly, true },
			map[string]bool{"create": true, "edit script": true, "add secret": true, "change secret": true},
			403, readOnly,
		},
		{"disabled", func(s *Switches) { s.HooksMode = HooksDisabled }, nil, 403, "deprecated feature"},
		{"gone", func(s *Switches) { s.HooksMode = HooksGone }, nil, 404, `"message":"Not Found"`},
	} {
		b := newBed(t, RateLimit{})
		id := b.createHook("sns", false)
		b.must("POST", "/hooks/"+id+"/secrets", `{"A":"x"}`)
		b.set(mode.set)
		for _, c := range calls {
			a := b.api(c.method, strings.Replace(c.path, "ID", id, 1), c.body)
			if mode.refused == nil || mode.refused[c.name] {
				expect(t, mode.name+": "+c.name, a, mode.status, mode.message)
			} else if a.status >= 400 {
				t.Errorf("%s: %s is refused: %d %s", mode.name, c.name, a.status, a.raw)
			}
		}
	}
}

func TestSecondEnabledHook(t *testing.T) {
	for _, test := range []struct {
		mode          SecondEnabledHook
		status        int
		first, second bool
	}{
		{SecondHookConflict, 409, true, false},
		{SecondHookSwitchOver, 200, false, true},
		{SecondHookDisableNew, 200, true, false},
	} {
		b := newBed(t, RateLimit{})
		b.set(func(s *Switches) { s.SecondEnabledHook = test.mode })
		first, second := b.createHook("first", true), b.createHook("second", false)
		expect(t, string(test.mode), b.api("PATCH", "/hooks/"+second, `{"enabled":true}`), test.status, "")
		b.must("PATCH", "/hooks/"+first, `{"script":"still allowed"}`)
		hooks := b.tenant.Snapshot().Hooks
		if hooks[0].Enabled != test.first || hooks[1].Enabled != test.second {
			t.Errorf("%s: enabled are first=%v second=%v, want %v %v", test.mode, hooks[0].Enabled, hooks[1].Enabled, test.first, test.second)
		}
		b.must("POST", "/hooks", `{"name":"third","script":"x","triggerId":"post-change-password","enabled":true}`)
	}
}
