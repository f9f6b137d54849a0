package auth0api

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// always answers every request alike.
type always struct {
	status int
	header http.Header
	body   string
}

func (a always) RoundTrip(req *http.Request) (*http.Response, error) {
	header := a.header.Clone()
	if header == nil {
		header = http.Header{"Content-Type": {"application/json; charset=utf-8"}}
	}
	return &http.Response{StatusCode: a.status, Header: header, Body: io.NopCloser(strings.NewReader(a.body)), Request: req}, nil
}

// impatient is a clock on which somebody gives up after some waits, as a 429 is
// asked about for as long as somebody waits.
type impatient struct {
	clock *clock
	waits int
}

var errGivenUp = errors.New("nobody waits any longer")

func (i *impatient) Sleep(ctx context.Context, d time.Duration) error {
	if i.waits++; i.waits > 8 {
		return errGivenUp
	}
	return i.clock.Sleep(ctx, d)
}

// fuzzedClient talks to a tenant that answers as told.
func fuzzedClient(t *testing.T, cfg Config, answer http.RoundTripper) *Client {
	t.Helper()
	i := &impatient{clock: newClock()}
	cfg.Domain, cfg.Now, cfg.Sleep, cfg.HTTPClient = "tenant.auth0.com", i.clock.Now, i.Sleep, &http.Client{Transport: answer}
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// anyStatus maps a number to a final HTTP status.
func anyStatus(n int) int { return 200 + abs(n)%400 }

func abs(n int) int { return max(n, -(n + 1)) }

// requirePresentable fails unless an error can be shown to a person.
func requirePresentable(t *testing.T, err error, secrets ...string) {
	t.Helper()
	text := err.Error()
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("shows a secret: %q", text)
		}
	}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) || utf8.RuneCountInString(text) > 3*maxMessage {
		t.Errorf("not fit for a terminal: %q", text)
	}
}

func FuzzTokenAnswer(f *testing.F) {
	f.Add(0, `{"access_token":"`+jwt(`{"scope":"read:hooks","exp":1}`)+`","expires_in":86400,"scope":"read:hooks update:hooks","token_type":"Bearer"}`)
	f.Add(0, `{"access_token":"opaque","expires_in":"86400"}`)
	f.Add(0, `{"access_token":"opaque","expires_in":-9223372036854775808}`)
	f.Add(0, `{"access_token":"opaque","expires_in":1e300,"scope":["read:hooks"]}`)
	f.Add(0, `<html>`)
	f.Add(201, `{"error":"access_denied","error_description":"Unauthorized `+testClientSecret+`"}`)
	f.Add(229, `{"error":"too_many_requests"}`)
	f.Add(303, ``)
	f.Fuzz(func(t *testing.T, status int, body string) {
		c := fuzzedClient(t, Config{ClientID: testClientID, ClientSecret: testClientSecret}, always{status: anyStatus(status), body: body})
		now := c.tokens.now()
		got, err := c.tokens.get(t.Context())
		if err != nil {
			var failed *Error
			if !errors.As(asError(&exchange{operation: tokenOperation}, err), &failed) {
				t.Fatalf("a person is told %T: %v", err, err)
			}
			requirePresentable(t, failed, testClientSecret)
			return
		}
		if got.value == "" {
			t.Error("an empty token would be sent, and its refusal blamed on Auth0")
		}
		if !got.expiry.IsZero() && got.expiry.Before(now.Add(-10*365*24*time.Hour)) {
			t.Errorf("a token that expired at %s", got.expiry)
		}
		if !got.scopesKnown && got.scopes != nil || slices.Contains(got.scopes, "") {
			t.Errorf("scopes %q, known %t: a plan would be refused for one that is granted", got.scopes, got.scopesKnown)
		}
	})
}

func FuzzTokenClaims(f *testing.F) {
	f.Add(jwt(`{"scope":"read:hooks update:hooks","exp":1764000000.5}`))
	f.Add(jwt(`{"scope":null,"exp":-1e300}`))
	f.Add("a.e30.c")
	f.Add("opaque")
	f.Fuzz(func(t *testing.T, token string) {
		read := readClaims(token)
		parts := strings.Split(token, ".")
		if len(parts) != 3 && (read.Scope != nil || read.Expiry != nil) {
			t.Errorf("claims of %q, which is no JWT", token)
		}
		// What was read says the same when it is written and read again.
		payload, err := json.Marshal(read)
		if err != nil {
			t.Fatalf("%q: %v", token, err)
		}
		again := readClaims("h." + base64.RawURLEncoding.EncodeToString(payload) + ".s")
		if !slices.Equal(read.scopes(), again.scopes()) || (read.Expiry == nil) != (again.Expiry == nil) {
			t.Errorf("%q: %v, and again %v", token, read.scopes(), again.scopes())
		}
		if token != "" {
			requirePresentable(t, errors.New(staticTokenHint(token)))
		}
	})
}

// FuzzRateLimitHeaders proves that no header stops a run: after whatever Auth0,
// or a proxy, says, the next request goes within a minute.
func FuzzRateLimitHeaders(f *testing.F) {
	now := newClock().Now()
	in := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	f.Add("10", "9", in(time.Second), "", now.Format(http.TimeFormat), 1)
	f.Add("2", "0", in(time.Second), "1", now.Format(http.TimeFormat), 2)
	f.Add("0", "-1", in(-time.Hour), "-1", now.Add(24*time.Hour).Format(http.TimeFormat), 3)
	f.Add("-5", "-9223372036854775808", "9223372036854775807", "9223372036854775807", "Thu, 01 Jan 1970 00:00:00 GMT", 60)
	f.Add("2", "0", "-9223372036854775808", "Fri, 31 Dec 9999 23:59:59 GMT", "", 0)
	f.Add("", "", "", in(time.Hour), "yesterday", 1)
	f.Fuzz(func(t *testing.T, limit, remaining, reset, retryAfter, date string, refusals int) {
		header := http.Header{}
		for name, value := range map[string]string{
			"X-Ratelimit-Limit": limit, "X-Ratelimit-Remaining": remaining, "X-Ratelimit-Reset": reset, "Retry-After": retryAfter, "Date": date,
		} {
			header.Set(name, value)
		}
		clock := newClock()
		delay := refusalDelay(header, clock.Now(), 1+abs(refusals)%100)
		if delay <= 0 || delay > maxWait {
			t.Errorf("after a 429 everybody waits %s", delay)
		}
		p := newPace(clock.Now, clock.Sleep)
		for range 3 {
			before := clock.Now()
			if err := p.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
			if waited := clock.Now().Sub(before); waited > maxWait {
				t.Errorf("a request waited %s", waited)
			}
			p.leave(&http.Response{Header: header})
		}
		if p.inFlight != 0 {
			t.Errorf("%d requests are counted as under way, none is", p.inFlight)
		}
	})
}

// asked keeps the path of the last request.
type asked struct {
	always
	path string
}

func (a *asked) RoundTrip(req *http.Request) (*http.Response, error) {
	a.path = req.URL.EscapedPath()
	return a.always.RoundTrip(req)
}

// FuzzObjectID proves that an id, which people type into import blocks, stays
// one segment of the path: no other object is read, or deleted, instead.
func FuzzObjectID(f *testing.F) {
	for _, id := range []string{"01ARZ3NDEKTSV4RRFFQ69G5FAV", "910b1053-577f-4d81-a8c8-020e7319a38a", "a/b", "../clients/x", "a?b=c#d", "%2e%2e%2f", " \x00\xff", "ä+&;=@:,$"} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		// Nothing is left out by the provider, and HTTP itself gives dots a meaning.
		if strings.Trim(id, ".") == "" {
			t.Skip()
		}
		record := &asked{always: always{status: http.StatusOK, body: `{}`}}
		c := fuzzedClient(t, Config{APIToken: "token"}, record)
		for kind, read := range map[string]func() error{
			"hooks":                    func() error { _, err := c.Hook(t.Context(), id); return err },
			"actions/actions":          func() error { _, err := c.Action(t.Context(), id); return err },
			"branding/phone/providers": func() error { _, err := c.PhoneProvider(t.Context(), id); return err },
			"branding/phone/templates": func() error { return c.DeletePhoneTemplate(t.Context(), id) },
		} {
			if err := read(); err != nil {
				requirePresentable(t, err)
				continue
			}
			segment, found := strings.CutPrefix(record.path, apiPath+"/"+kind+"/")
			if got, err := url.PathUnescape(segment); !found || err != nil || strings.Contains(segment, "/") || got != id {
				t.Errorf("id %q asks for %s", id, record.path)
			}
		}
	})
}

// valid gives a value of body, and whether it is one of the type at all.
func valid[T any](body string) (value T, ok bool) {
	err := json.Unmarshal([]byte(body), &value)
	return value, err == nil
}

func FuzzHookSecretNames(f *testing.F) {
	f.Add(`{"AWS_ACCESS_KEY_ID":"_VALUE_NOT_SHOWN_","AWS_REGION":"_VALUE_NOT_SHOWN_"}`)
	f.Add(`{"b":"1","a":"2","a":"3"}`)
	f.Add(`{"AWS_SECRET_ACCESS_KEY":"` + awsSecret + `"`)
	f.Add(`["AWS_REGION"]`)
	f.Add(`{"AWS_REGION":1}`)
	f.Add(`null`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, body string) {
		names, err := fuzzedClient(t, Config{APIToken: "token"}, always{status: http.StatusOK, body: body}).HookSecretNames(t.Context(), "1")
		if err != nil {
			requirePresentable(t, err, awsSecret)
			return
		}
		secrets, ok := valid[map[string]string](body)
		if body != "" && !ok {
			t.Fatalf("%q was taken for a list of secrets: %q", body, names)
		}
		if names == nil || !slices.Equal(names, slices.Sorted(maps.Keys(secrets))) {
			t.Errorf("names %q of %q: a secret would be posted that exists, or patched that does not", names, body)
		}
	})
}

func FuzzActionAnswer(f *testing.F) {
	f.Add(`{"id":"910b1053-577f-4d81-a8c8-020e7319a38a","name":"SNS","supported_triggers":[{"id":"send-phone-message","version":"v2"}],` +
		`"code":"exports.onExecuteSendPhoneMessage = async () => {};","dependencies":[{"name":"a","version":"1.0.0"}],"runtime":"node18-actions","status":"built",` +
		`"secrets":[{"name":"AWS_REGION","updated_at":"2026-11-23T10:00:00.123456789Z"}],"all_changes_deployed":true,` +
		`"deployed_version":{"id":"1","deployed":true,"number":1,"secrets":[{"name":"AWS_REGION","updated_at":"2026-11-23T10:00:00Z"}]}}`)
	f.Add(`{"id":"1","secrets":[null,{},{"name":"AWS_REGION","updated_at":"yesterday"}],"supported_triggers":[null],"dependencies":[null],"deployed_version":{}}`)
	f.Add(`{"id":"1","deployed_version":{"number":1e300,"id":"2"},"secrets":null}`)
	f.Add(`{"actions":[{}],"total":1}`)
	f.Add(`null`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, body string) {
		action, err := fuzzedClient(t, Config{APIToken: "token"}, always{status: http.StatusOK, body: body}).Action(t.Context(), "1")
		if err != nil {
			requirePresentable(t, err)
			return
		}
		type secret struct{ Name string }
		want, ok := valid[struct {
			ID              string
			Secrets         []*secret
			DeployedVersion *struct {
				ID      string
				Secrets []*secret
			} `json:"deployed_version"`
		}](body)
		if body != "" && !ok {
			t.Fatalf("%q was taken for an Action: %+v", body, action)
		}
		requireNames := func(got map[string]time.Time, secrets []*secret) {
			named := map[string]bool{}
			for _, s := range secrets {
				if s != nil {
					named[s.Name] = true
				}
			}
			for name := range got {
				if !named[name] && name != "" {
					t.Errorf("secret %q is not in %q: an Action would be bound without it", name, body)
				}
			}
			for name := range named {
				if _, found := got[name]; !found {
					t.Errorf("secret %q of %q is missed: it would be delivered for ever", name, body)
				}
			}
		}
		if action.ID != want.ID {
			t.Errorf("id %q of %q", action.ID, body)
		}
		requireNames(action.Secrets, want.Secrets)
		deployed := want.DeployedVersion != nil && want.DeployedVersion.ID != ""
		if (action.Deployed != nil) != deployed {
			t.Fatalf("deployed %+v of %q: a draft would pass for what runs", action.Deployed, body)
		}
		if deployed {
			requireNames(action.Deployed.Secrets, want.DeployedVersion.Secrets)
		}
	})
}

func FuzzPhoneProviders(f *testing.F) {
	f.Add(`{"providers":[{"id":"pro_6n3tVjusDnQuuf9f3S8L8Q","tenant":"t","name":"custom","channel":"phone","disabled":false,"configuration":{"delivery_methods":["text"]},"credentials":null,"created_at":"2025-02-03T12:43:10.827Z"}]}`)
	f.Add(`{"providers":[{"id":"pro_1","name":"vonage","disabled":true,"configuration":{"delivery_methods":["text","rcs"],"region":{"a":1}},"credentials":"***"},null,{}]}`)
	f.Add(`{"providers":[{"id":"pro_1","name":"custom","configuration":null,"created_at":"yesterday"}],"next":1}`)
	f.Add(`{"providers":[{"id":1}]}`)
	f.Add(`{"providers":{}}`)
	f.Add(`null`)
	f.Add(``)
	f.Fuzz(func(t *testing.T, body string) {
		providers, err := fuzzedClient(t, Config{APIToken: "token"}, always{status: http.StatusOK, body: body}).PhoneProviders(t.Context())
		if err != nil {
			requirePresentable(t, err)
			return
		}
		want, ok := valid[struct{ Providers []struct{ ID, Name string } }](body)
		if body != "" && !ok {
			t.Fatalf("%q was taken for a list of phone providers: %+v", body, providers)
		}
		if len(providers) != len(want.Providers) {
			t.Fatalf("%d providers of %q: one that is there would be overlooked", len(providers), body)
		}
		for i, p := range providers {
			if p.ID != want.Providers[i].ID || p.Name != want.Providers[i].Name {
				t.Errorf("provider %+v of %q: another one's would be taken for ours", p, body)
			}
		}
	})
}

func FuzzPhoneTemplates(f *testing.F) {
	f.Add(`{"templates":[{"id":"tem_4AgSVs5KcemmkX2Swf2opZ","type":"otp_verify","disabled":false,"content":{"syntax":"liquid","body":{"text":"{{ code }}","voice":"v"},"from":"1"}},` +
		`{"tenant":"t","channel":"phone","type":"otp_enroll","created_at":"2025-02-11T12:07:30.363Z","content":{"syntax":"liquid","body":{"text":"t"},"from":""}}]}`)
	f.Add(`{"templates":[null,{},{"type":"new_type","content":null},{"type":"x","content":{"body":null}}]}`)
	f.Add(`{"templates":[{"content":[]}]}`)
	f.Add(`[]`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, body string) {
		templates, err := fuzzedClient(t, Config{APIToken: "token"}, always{status: http.StatusOK, body: body}).PhoneTemplates(t.Context())
		if err != nil {
			requirePresentable(t, err)
			return
		}
		want, ok := valid[struct{ Templates []struct{ ID string } }](body)
		if body != "" && !ok {
			t.Fatalf("%q was taken for a list of phone templates: %+v", body, templates)
		}
		if len(templates) != len(want.Templates) {
			t.Fatalf("%d templates of %q", len(templates), body)
		}
		for i, template := range templates {
			if template.ID != want.Templates[i].ID {
				t.Errorf("template %+v of %q: Auth0's own text and a customised one are not told apart", template, body)
			}
		}
	})
}
