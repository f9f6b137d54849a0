package auth0

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

func (b *bed) secretForm() url.Values {
	c := b.tenant.Client()
	return url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.ClientID}, "client_secret": {c.ClientSecret},
		"audience": {b.server.URL + "/api/v2/"},
	}
}

func TestTokenByClientSecret(t *testing.T) {
	b := newBed(t, RateLimit{})
	b.tenant.SetGrantScopes(b.tenant.Client().ClientID, []string{"read:hooks", "read:logs"})

	a := b.form(b.secretForm())
	if a.status != 200 {
		t.Fatalf("client credentials: %d %s", a.status, a.raw)
	}
	got := a.object(t)
	if got["token_type"] != "Bearer" || got["scope"] != "read:hooks read:logs" || got["expires_in"] != 86400.0 {
		t.Errorf("token response: %s", a.raw)
	}
	token := fmt.Sprint(got["access_token"])
	expect(t, "granted scope", b.send(b.request("GET", "/api/v2/hooks", token, "")), 200, "[]")
	expect(t, "scope not granted", b.send(b.request("POST", "/api/v2/hooks", token, "{}")), 403, "insufficient_scope")

	asJSON := map[string]string{"extra": "ignored"}
	for key := range b.secretForm() {
		asJSON[key] = b.secretForm().Get(key)
	}
	raw, err := json.Marshal(asJSON)
	if err != nil {
		t.Fatal(err)
	}
	expect(t, "JSON body", b.send(b.request("POST", "/oauth/token", "", string(raw))), 200, `"token_type":"Bearer"`)
}

func TestTokenErrors(t *testing.T) {
	b := newBed(t, RateLimit{})
	for _, test := range []struct {
		name   string
		change func(url.Values)
		status int
		body   string
	}{
		{"wrong secret", func(f url.Values) { f.Set("client_secret", "x") }, 401, `{"error":"access_denied","error_description":"Unauthorized"}`},
		{"unknown client", func(f url.Values) { f.Set("client_id", "x") }, 401, `{"error":"access_denied","error_description":"Unauthorized"}`},
		{"audience without slash", func(f url.Values) { f.Set("audience", b.server.URL+"/api/v2") }, 403, `"error_description":"Service not found: ` + b.server.URL + `/api/v2"`},
		{"no audience", func(f url.Values) { f.Del("audience") }, 403, `"error":"access_denied"`},
		{"other grant type", func(f url.Values) { f.Set("grant_type", "password") }, 403, `"error":"unauthorized_client","error_description":"Grant type 'password' not allowed for the client.","error_uri"`},
		{"no grant type", func(f url.Values) { f.Del("grant_type") }, 400, `"error":"invalid_request"`},
	} {
		form := b.secretForm()
		test.change(form)
		expect(t, test.name, b.form(form), test.status, test.body)
	}
	b.tenant.DeleteGrant(b.tenant.Client().ClientID)
	expect(t, "no client grant", b.form(b.secretForm()), 403, `{"error":"access_denied","error_description":"Client is not authorized to access \"`+b.server.URL+`/api/v2/\". You need to create a \"client-grant\"`)
}

func TestTokenLifetime(t *testing.T) {
	b := newBed(t, RateLimit{})
	b.set(func(s *Switches) { s.TokenLifetimeSeconds = 60 })
	token := fmt.Sprint(b.form(b.secretForm()).object(t)["access_token"])
	b.advance(59 * time.Second)
	expect(t, "just before expiry", b.send(b.request("GET", "/api/v2/hooks", token, "")), 200, "")
	b.advance(time.Second)
	expect(t, "at expiry", b.send(b.request("GET", "/api/v2/hooks", token, "")), 401, "Expired token")
}

func TestTokenByPrivateKeyJWT(t *testing.T) {
	b := newBed(t, RateLimit{})
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	clientID := b.tenant.Client().ClientID
	if err := b.tenant.SetClientPublicKey(clientID, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))); err != nil {
		t.Fatal(err)
	}
	send := func(algorithm string, change func(map[string]any)) answer {
		claims := map[string]any{
			"iss": clientID, "sub": clientID, "aud": b.server.URL + "/", "jti": randomHex(8),
			"iat": b.clock().Unix(), "exp": b.clock().Add(time.Minute).Unix(),
		}
		change(claims)
		return b.form(url.Values{
			"grant_type": {"client_credentials"}, "audience": {b.server.URL + "/api/v2/"},
			"client_assertion_type": {assertionType}, "client_assertion": {signJWT(t, key, algorithm, claims)},
		})
	}
	for _, algorithm := range []string{"RS256", "RS384", "PS256"} {
		expect(t, algorithm, send(algorithm, func(map[string]any) {}), 200, `"access_token"`)
	}
	expect(t, "clock 9 s fast", send("RS256", func(c map[string]any) { c["iat"] = b.clock().Add(9 * time.Second).Unix() }), 200, "")
	for name, change := range map[string]func(map[string]any){
		"audience as array":         func(c map[string]any) { c["aud"] = []string{b.server.URL + "/"} },
		"audience is the API":       func(c map[string]any) { c["aud"] = b.server.URL + "/api/v2/" },
		"expired":                   func(c map[string]any) { c["exp"] = b.clock().Add(-time.Second).Unix() },
		"valid for too long":        func(c map[string]any) { c["exp"] = b.clock().Add(time.Hour).Unix() },
		"clock 11 s fast":           func(c map[string]any) { c["iat"] = b.clock().Add(11 * time.Second).Unix() },
		"no jti":                    func(c map[string]any) { delete(c, "jti") },
		"subject is another client": func(c map[string]any) { c["sub"] = "x" },
		"unknown client":            func(c map[string]any) { c["iss"] = "x" },
	} {
		expect(t, name, send("RS256", change), 401, `{"error":"invalid_client","error_description":"Client authentication failed"}`)
	}
	once := func(c map[string]any) { c["jti"] = "once" }
	expect(t, "first use of a jti", send("RS256", once), 200, "")
	expect(t, "second use of a jti", send("RS256", once), 401, "invalid_client")
	expect(t, "unsigned", send("none", func(map[string]any) {}), 401, "invalid_client")
}

func signJWT(t *testing.T, key *rsa.PrivateKey, algorithm string, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"`+algorithm+`"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	var signature []byte
	sum256, sum384 := sha256.Sum256([]byte(signed)), sha512.Sum384([]byte(signed))
	switch algorithm {
	case "RS256":
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum256[:])
	case "RS384":
		signature, err = rsa.SignPKCS1v15(nil, key, crypto.SHA384, sum384[:])
	case "PS256":
		signature, err = rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum256[:], nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func TestSetClientPublicKeyRefusesWhatItCannotUse(t *testing.T) {
	b := newBed(t, RateLimit{})
	for _, key := range []string{"", "no pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"} {
		if err := b.tenant.SetClientPublicKey(b.tenant.Client().ClientID, key); err == nil {
			t.Errorf("key %q accepted", strings.TrimSpace(key))
		}
	}
}
