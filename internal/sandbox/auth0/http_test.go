package auth0

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestAuthentication(t *testing.T) {
	b := newBed(t, RateLimit{})
	revoked := b.tenant.Token()
	b.tenant.RevokeTokens()

	for _, test := range []struct{ name, token, body string }{
		{"no token", "", `{"statusCode":401,"error":"Unauthorized","message":"Missing authentication"}`},
		{"no JWT", "nonsense", `{"statusCode":401,"error":"Unauthorized","message":"Invalid token","attributes":{"error":"Invalid token"}}`},
		{"revoked", revoked, `"message":"Invalid signature received for JSON Web Token validation."`},
	} {
		expect(t, test.name, b.send(b.request("GET", "/api/v2/hooks", test.token, "")), 401, test.body)
	}
	fresh := newBed(t, RateLimit{})
	expired := fresh.tenant.Token()
	fresh.advance(24 * time.Hour)
	a := fresh.send(fresh.request("GET", "/api/v2/hooks", expired, ""))
	expect(t, "expired", a, 401, `"message":"Expired token received for JSON Web Token validation"`)
	if a.header.Get("WWW-Authenticate") == "" {
		t.Error("a 401 for a bad token has no WWW-Authenticate header")
	}
	other := newBed(t, RateLimit{})
	expect(t, "token of another tenant", b.send(b.request("GET", "/api/v2/hooks", other.tenant.Token(), "")), 401, "Invalid signature")
}

func TestEveryRouteChecksItsScope(t *testing.T) {
	b := newBed(t, RateLimit{})
	for _, r := range table() {
		path := strings.NewReplacer("{id}", "x", "{name}", "sms").Replace(r.path)
		a := b.send(b.request(r.method, "/api/v2"+path, b.tenant.Token("read:nothing"), "{}"))
		expect(t, r.method+" "+r.path+" without its scope", a, 403,
			`{"statusCode":403,"error":"Forbidden","message":"Insufficient scope, expected any of: `+strings.Join(r.scopes, ",")+`","errorCode":"insufficient_scope"}`)
		for _, scope := range r.scopes {
			a := b.send(b.request(r.method, "/api/v2"+path, b.tenant.Token(scope), "{}"))
			if strings.Contains(a.raw, "insufficient_scope") {
				t.Errorf("%s %s refuses its own scope %s: %s", r.method, r.path, scope, a.raw)
			}
		}
	}
}

func TestUnknownAddresses(t *testing.T) {
	b := newBed(t, RateLimit{})
	for _, path := range []string{"/nothing", "/rules", "/guardian/factors/phone/message-types/x"} {
		expect(t, path, b.api("GET", path, ""), 404, `{"statusCode":404,"error":"Not Found","message":"Not Found"}`)
	}
	expect(t, "a verb that a path does not have", b.api("PUT", "/hooks", "{}"), 404, `"message":"Not Found"`)
	a := b.send(b.request("GET", "/login", "", ""))
	if a.status != 404 || a.raw != "Not found." {
		t.Errorf("an address outside the API answers %d %q, want the bare 404 of a wrong domain", a.status, a.raw)
	}
}

func TestResponsesCarryRequestIDAndTenantTime(t *testing.T) {
	b := newBed(t, RateLimit{})
	first, second := b.api("GET", "/hooks", ""), b.api("GET", "/hooks/none", "")
	ids := []string{first.header.Get("x-auth0-requestid"), second.header.Get("x-auth0-requestid")}
	if ids[0] == "" || ids[0] == ids[1] {
		t.Errorf("request ids %q: an error message could not name its request", ids)
	}
	if got, want := first.header.Get("Date"), b.clock().Format(http.TimeFormat); got != want {
		t.Errorf("Date is %q, want the tenant's clock %q: x-ratelimit-reset cannot be measured against it", got, want)
	}
	if got := first.header.Get("Content-Type"); got != "application/json; charset=utf-8" {
		t.Errorf("Content-Type %q", got)
	}
}

func TestRateLimit(t *testing.T) {
	b := newBed(t, RateLimit{Burst: 2, PerSecond: 2})
	for _, step := range []struct {
		wait      time.Duration
		status    int
		remaining string
	}{
		{0, 200, "1"},
		{0, 200, "0"},
		{0, 429, "0"},
		{499 * time.Millisecond, 429, "0"},
		{time.Millisecond, 200, "0"},
		{10 * time.Second, 200, "1"}, // the bucket does not grow beyond its burst
	} {
		b.advance(step.wait)
		a := b.api("GET", "/guardian/policies", "")
		if a.status != step.status || a.header.Get("x-ratelimit-remaining") != step.remaining || a.header.Get("x-ratelimit-limit") != "2" {
			t.Fatalf("after %v: %d %v, want %d with %s remaining", step.wait, a.status, a.header, step.status, step.remaining)
		}
		reset, err := strconv.ParseInt(a.header.Get("x-ratelimit-reset"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if at := time.Unix(reset, 0); !at.After(b.clock()) || at.Sub(b.clock()) > time.Second {
			t.Errorf("x-ratelimit-reset is %v, want within the second after %v", at, b.clock())
		}
		if a.status == 429 && a.raw != `{"statusCode":429,"error":"Too Many Requests","message":"Global limit has been reached","errorCode":"too_many_requests"}` {
			t.Errorf("429 body: %s", a.raw)
		}
	}
	if a := newBed(t, RateLimit{}).api("GET", "/hooks", ""); a.header.Get("x-ratelimit-limit") != "" {
		t.Error("a tenant without limit claims to have one")
	}
}

func TestOperationAndPrincipal(t *testing.T) {
	b := newBed(t, RateLimit{})
	r := b.request("PATCH", "/api/v2/hooks/01GQ/secrets", b.tenant.Token("update:hooks"), "{}")
	if got := b.tenant.Operation(r, nil); got != "PATCH /api/v2/hooks/{id}/secrets" {
		t.Errorf("a fault for this route would never fire: operation %q", got)
	}
	if got := b.tenant.Operation(b.request("GET", "/api/v2/nothing", "", ""), nil); got != "GET /api/v2/nothing" {
		t.Errorf("operation of an unknown route: %q", got)
	}
	if got := b.tenant.Operation(b.request("POST", "/oauth/token", "", ""), nil); got != "POST /oauth/token" {
		t.Errorf("operation of the token endpoint: %q", got)
	}
	if got := b.tenant.Principal(r); got != b.tenant.Client().ClientID {
		t.Errorf("principal %q, want the client id", got)
	}
	if got := b.tenant.Principal(b.request("GET", "/", "forged.token.x", "")); got != "" {
		t.Errorf("a forged token has the principal %q", got)
	}
}

func TestMalformedBodies(t *testing.T) {
	b := newBed(t, RateLimit{})
	for _, body := range []string{"", "{", "not json"} {
		expect(t, "POST /hooks "+body, b.api("POST", "/hooks", body), 400, `"errorCode":"invalid_body"`)
	}
	expect(t, "too long", b.api("POST", "/hooks", `{"script":"`+strings.Repeat("x", maxBodyBytes)+`"}`), 413, "Payload")
}
