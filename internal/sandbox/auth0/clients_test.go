package auth0

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// keyPair returns an RSA key and its public half in PEM.
func keyPair(t *testing.T, bits int) (*rsa.PrivateKey, string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return key, string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}))
}

// keyClient is the body of an application with a public key.
func keyClient(t *testing.T, public string, change func(map[string]any)) string {
	t.Helper()
	body := map[string]any{
		"name": "auth0sns-staging", "app_type": "non_interactive", "grant_types": []string{"client_credentials"},
		"jwt_configuration": map[string]any{"alg": "RS256"},
		"client_authentication_methods": map[string]any{"private_key_jwt": map[string]any{"credentials": []any{
			map[string]any{"credential_type": "public_key", "name": "auth0sns", "pem": public, "alg": "RS256"},
		}}},
	}
	if change != nil {
		change(body)
	}
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestApplicationWithAPublicKey(t *testing.T) {
	b := newBed(t, RateLimit{})
	key, public := keyPair(t, 2048)
	created := b.must("POST", "/clients", keyClient(t, public, nil)).object(t)
	id := fmt.Sprint(created["client_id"])
	if created["client_secret"] != nil || created["token_endpoint_auth_method"] != nil {
		t.Errorf("an application with a key has no secret: %v", created)
	}
	ask := func() answer {
		claims := map[string]any{
			"iss": id, "sub": id, "aud": b.server.URL + "/", "jti": randomHex(8),
			"iat": b.clock().Unix(), "exp": b.clock().Add(time.Minute).Unix(),
		}
		return b.form(url.Values{
			"grant_type": {"client_credentials"}, "audience": {b.server.URL + "/api/v2/"},
			"client_assertion_type": {assertionType}, "client_assertion": {signJWT(t, key, "RS256", claims)},
		})
	}
	expect(t, "without a grant", ask(), 403, "client-grant")
	b.must("POST", "/client-grants", fmt.Sprintf(`{"client_id":%q,"audience":%q,"scope":["read:logs"]}`, id, b.server.URL+"/api/v2/"))
	expect(t, "with one", ask(), 200, `"scope":"read:logs"`)
	expect(t, "an empty secret is none", b.form(url.Values{
		"grant_type": {"client_credentials"}, "audience": {b.server.URL + "/api/v2/"}, "client_id": {id}, "client_secret": {""},
	}), 401, "Unauthorized")

	expect(t, "delete", b.api("DELETE", "/clients/"+id, ""), 204, "")
	expect(t, "no token any more", ask(), 401, "invalid_client")
	if grants := b.tenant.Snapshot().ClientGrants; len(grants) != 1 {
		t.Errorf("the grant of a deleted application stays: %v", grants)
	}
	expect(t, "delete again", b.api("DELETE", "/clients/"+id, ""), 204, "")
}

func TestApplicationWithASecret(t *testing.T) {
	b := newBed(t, RateLimit{})
	created := b.must("POST", "/clients", `{"name":"auth0sns-staging","app_type":"non_interactive"}`).object(t)
	id := fmt.Sprint(created["client_id"])
	form := url.Values{
		"grant_type": {"client_credentials"}, "audience": {b.server.URL + "/api/v2/"},
		"client_id": {id}, "client_secret": {fmt.Sprint(created["client_secret"])},
	}
	expect(t, "known, and without a grant", b.form(form), 403, "client-grant")
	spa := b.must("POST", "/clients", `{"name":"shop","app_type":"spa","token_endpoint_auth_method":"none"}`).object(t)
	form.Set("client_id", fmt.Sprint(spa["client_id"]))
	form.Set("client_secret", fmt.Sprint(spa["client_secret"]))
	expect(t, "not for machines", b.form(form), 403, `Grant type 'client_credentials' not allowed for the client.`)
	b.tenant.Reset()
	expect(t, "a reset forgets it", b.api("GET", "/clients/"+id, ""), 404, "inexistent_client")
}

func TestApplicationsRefused(t *testing.T) {
	b := newBed(t, RateLimit{})
	_, public := keyPair(t, 2048)
	_, short := keyPair(t, 1024)
	for name, test := range map[string]struct{ body, want string }{
		"no name":                   {`{}`, "Missing required property: name"},
		"a name with brackets":      {`{"name":"<b>"}`, "does not match pattern"},
		"an unknown property":       {`{"name":"x","sso":true}`, "Additional properties not allowed: sso"},
		"private_key_jwt by method": {`{"name":"x","token_endpoint_auth_method":"private_key_jwt"}`, "No enum match"},
		"key and method": {keyClient(t, public, func(body map[string]any) {
			body["token_endpoint_auth_method"] = "client_secret_post"
		}), "Cannot set both"},
		"another algorithm": {keyClient(t, public, func(body map[string]any) { delete(body, "jwt_configuration") }), "RS256"},
		"no key":            {keyClient(t, "x", nil), "not PEM"},
		"a short key":       {keyClient(t, short, nil), "1024 bits"},
	} {
		expect(t, name, b.api("POST", "/clients", test.body), 400, test.want)
	}
	post := b.request("POST", "/api/v2/clients", b.tenant.Token("create:clients"), keyClient(t, public, nil))
	expect(t, "a key needs a scope of its own", b.send(post), 403, "create:client_credentials")
	b.set(func(s *Switches) { s.NoPrivateKeyJWT = true })
	expect(t, "a plan without", b.api("POST", "/clients", keyClient(t, public, nil)), 403, "insufficient_entitlement")
	b.must("POST", "/clients", `{"name":"x"}`)
}

func TestApplicationsShowTheirSecretsToFew(t *testing.T) {
	b := newBed(t, RateLimit{})
	b.must("POST", "/clients", `{"name":"auth0sns-staging","app_type":"non_interactive"}`)
	for scope, sees := range map[string]bool{"read:clients": false, "read:client_summary": false, "read:client_keys": true} {
		list := b.send(b.request("GET", "/api/v2/clients?app_type=non_interactive&is_global=false", b.tenant.Token(scope), ""))
		expect(t, scope, list, 200, "auth0sns-staging")
		if strings.Contains(list.raw, "client_secret\"") != sees {
			t.Errorf("%s: %s", scope, list.raw)
		}
	}
	expect(t, "fields", b.must("GET", "/clients?fields=name,client_id&page=1&per_page=1&include_totals=true", ""), 200, `"clients":[{"client_id":`)
	if got := b.tenant.Snapshot().Clients; len(got) != 1 || got[0].Authentication != "client_secret_post" {
		t.Errorf("the state shows %+v", got)
	}
}
