package auth0

import (
	"crypto"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// claims are those of a Management API access token.
type claims struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	IssuedAt  int64  `json:"iat"`
	ExpiresAt int64  `json:"exp"`
	Scope     string `json:"scope"`
	GrantType string `json:"gty"`
	ClientID  string `json:"azp"`
}

func (c claims) scopes() []string { return strings.Fields(c.Scope) }

func (c claims) hasAny(scopes []string) bool {
	return slices.ContainsFunc(c.scopes(), func(s string) bool { return slices.Contains(scopes, s) })
}

// tokenError is the reason of a 401, in the API's words.
type tokenError string

func (e tokenError) Error() string { return string(e) }

const (
	errInvalid   tokenError = "Invalid token"
	errExpired   tokenError = "Expired token received for JSON Web Token validation"
	errSignature tokenError = "Invalid signature received for JSON Web Token validation."
)

// Token returns an access token of the seeded application without a request to
// the token endpoint. Without arguments it carries every scope the tenant knows.
func (t *Tenant) Token(scopes ...string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(scopes) == 0 {
		scopes = t.scopes
	}
	return t.mint(t.client.ClientID, scopes)
}

// RevokeTokens makes every access token issued so far invalid, as a rotated and
// revoked signing key does.
func (t *Tenant) RevokeTokens() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.key = randomBytes(32)
}

// SetClientPublicKey lets an application authenticate with private_key_jwt. The
// key is an RSA public key in PKIX PEM. The client secret keeps working, which
// Auth0 would not allow, so that one tenant serves both ways. Survives Reset.
func (t *Tenant) SetClientPublicKey(clientID, publicKey string) error {
	key, err := parsePublicKey(publicKey)
	if err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.clients[clientID]
	if !ok {
		return fmt.Errorf("no client %q", clientID)
	}
	c.publicKey = key
	return nil
}

func (t *Tenant) audience() string { return t.config.BaseURL() + apiPrefix + "/" }

func (t *Tenant) mint(clientID string, scopes []string) string {
	now := t.config.Now()
	lifetime := time.Duration(t.state.switches.TokenLifetimeSeconds) * time.Second
	payload, err := json.Marshal(claims{
		Issuer:    t.config.BaseURL() + "/",
		Subject:   clientID + "@clients",
		Audience:  t.audience(),
		IssuedAt:  now.Unix(),
		ExpiresAt: now.Add(lifetime).Unix(),
		Scope:     strings.Join(scopes, " "),
		GrantType: "client-credentials",
		ClientID:  clientID,
	})
	if err != nil {
		panic(err) // unreachable: strings and numbers only
	}
	signed := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + base64.RawURLEncoding.EncodeToString(payload)
	return signed + "." + base64.RawURLEncoding.EncodeToString(t.hmac(signed))
}

func (t *Tenant) hmac(signed string) []byte {
	mac := hmac.New(sha256.New, t.key)
	_, _ = io.WriteString(mac, signed) // a hash never fails to write
	return mac.Sum(nil)
}

// verify returns the claims of an access token; with errExpired they are valid
// but for their age.
func (t *Tenant) verify(token string) (claims, error) {
	var header struct {
		Algorithm string `json:"alg"`
	}
	var c claims
	signed, signature, err := splitJWT(token, &header, &c)
	if err != nil || header.Algorithm != "HS256" {
		return claims{}, errInvalid
	}
	if !hmac.Equal(signature, t.hmac(signed)) {
		return claims{}, errSignature
	}
	if c.Audience != t.audience() {
		return claims{}, errInvalid
	}
	if t.config.Now().Unix() >= c.ExpiresAt {
		return c, errExpired
	}
	return c, nil
}

// splitJWT decodes a compact JWS into header and payload and returns what was
// signed and the signature, which it does not check.
func splitJWT(token string, header, payload any) (signed string, signature []byte, err error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", nil, errors.New("not three parts")
	}
	for i, target := range []any{header, payload} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			return "", nil, err
		}
		if err := json.Unmarshal(raw, target); err != nil {
			return "", nil, err
		}
	}
	signature, err = base64.RawURLEncoding.DecodeString(parts[2])
	return parts[0] + "." + parts[1], signature, err
}

// oauthError is the token endpoint's failure, which has OAuth's shape and not
// the Management API's.
type oauthError struct {
	status      int
	Code        string `json:"error"`
	Description string `json:"error_description"`
	URI         string `json:"error_uri,omitempty"`
}

func (e *oauthError) Error() string { return e.Code + ": " + e.Description }

func accessDenied(status int, description string) *oauthError {
	return &oauthError{status: status, Code: "access_denied", Description: description}
}

func grantTypeNotAllowed(grantType string) *oauthError {
	return &oauthError{
		status: http.StatusForbidden, Code: "unauthorized_client",
		Description: fmt.Sprintf("Grant type '%s' not allowed for the client.", grantType),
		URI:         "https://auth0.com/docs/clients/client-grant-types",
	}
}

func clientAuthenticationFailed() *oauthError {
	return &oauthError{status: http.StatusUnauthorized, Code: "invalid_client", Description: "Client authentication failed"}
}

func (t *Tenant) serveToken(w http.ResponseWriter, r *http.Request) {
	form, err := tokenForm(w, r)
	if err != nil {
		failure := oauthError{Code: "invalid_request", Description: err.Error()}
		writeJSON(w, http.StatusBadRequest, failure)
		return
	}
	t.mu.Lock()
	clientID, scopes, failure := t.grantToken(form)
	t.logToken(r, clientID, scopes, failure)
	var token string
	if failure == nil {
		token = t.mint(clientID, scopes)
	}
	lifetime := t.state.switches.TokenLifetimeSeconds
	t.mu.Unlock()

	if failure != nil {
		writeJSON(w, failure.status, failure)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": token,
		"expires_in":   lifetime,
		"scope":        strings.Join(scopes, " "),
		"token_type":   "Bearer",
	})
}

// tokenForm reads the parameters of a form or of a JSON object.
func tokenForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxBodyBytes)
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if mediaType != "application/json" {
		if err := r.ParseForm(); err != nil {
			return nil, fmt.Errorf("read form: %w", err)
		}
		return r.PostForm, nil
	}
	var object map[string]any
	if err := json.NewDecoder(r.Body).Decode(&object); err != nil {
		return nil, fmt.Errorf("read JSON: %w", err)
	}
	form := url.Values{}
	for key, value := range object {
		if text, ok := value.(string); ok {
			form.Set(key, text)
		}
	}
	return form, nil
}

// grantToken decides a token request. The client id is returned with a failure
// too, as far as the request named one.
func (t *Tenant) grantToken(form url.Values) (clientID string, scopes []string, failure *oauthError) {
	clientID = form.Get("client_id")
	switch grantType := form.Get("grant_type"); grantType {
	case clientCredentials:
	case "":
		return clientID, nil, &oauthError{status: http.StatusBadRequest, Code: "invalid_request", Description: "Missing required parameter: grant_type"}
	default:
		return clientID, nil, grantTypeNotAllowed(grantType)
	}
	c, failure := t.authenticateClient(form)
	if failure != nil {
		return clientID, nil, failure
	}
	if !c.mayUse(clientCredentials) {
		return c.id, nil, grantTypeNotAllowed(clientCredentials)
	}
	audience := form.Get("audience")
	switch audience {
	case t.audience():
	case "":
		return c.id, nil, accessDenied(http.StatusForbidden, "No audience parameter was provided, and no default audience has been configured")
	default:
		return c.id, nil, accessDenied(http.StatusForbidden, "Service not found: "+audience)
	}
	g := t.grantOf(c.id, audience)
	if g == nil {
		return c.id, nil, accessDenied(http.StatusForbidden, fmt.Sprintf("Client is not authorized to access %q. You need to create a \"client-grant\" associated to this API. See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants", audience))
	}
	return c.id, g.scope, nil
}

func (t *Tenant) authenticateClient(form url.Values) (*client, *oauthError) {
	if form.Has("client_assertion") {
		return t.authenticateAssertion(form)
	}
	c, ok := t.clients[form.Get("client_id")]
	if !ok || c.secret == "" || subtle.ConstantTimeCompare([]byte(form.Get("client_secret")), []byte(c.secret)) != 1 {
		return nil, accessDenied(http.StatusUnauthorized, "Unauthorized")
	}
	return c, nil
}

const (
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	assertionSkew     = 10 * time.Second
	assertionLifetime = 5 * time.Minute
)

// assertion holds the claims of a private_key_jwt. Audience is a string on
// purpose: Auth0 refuses an array.
// https://auth0.com/docs/get-started/authentication-and-authorization-flow/authenticate-with-private-key-jwt
type assertion struct {
	Issuer    string `json:"iss"`
	Subject   string `json:"sub"`
	Audience  string `json:"aud"`
	IssuedAt  int64  `json:"iat"`
	NotBefore int64  `json:"nbf"`
	ExpiresAt int64  `json:"exp"`
	ID        string `json:"jti"`
}

func (t *Tenant) authenticateAssertion(form url.Values) (*client, *oauthError) {
	var header struct {
		Algorithm string `json:"alg"`
	}
	var a assertion
	signed, signature, err := splitJWT(form.Get("client_assertion"), &header, &a)
	if err != nil || form.Get("client_assertion_type") != assertionType {
		return nil, clientAuthenticationFailed()
	}
	c, ok := t.clients[a.Issuer]
	if !ok || c.publicKey == nil || verifyRSA(c.publicKey, header.Algorithm, signed, signature) != nil {
		return nil, clientAuthenticationFailed()
	}
	if id := form.Get("client_id"); a.Subject != c.id || id != "" && id != c.id {
		return nil, clientAuthenticationFailed()
	}
	if !t.acceptAssertion(a) {
		return nil, clientAuthenticationFailed()
	}
	return c, nil
}

// acceptAssertion checks audience and times and spends the assertion's id.
func (t *Tenant) acceptAssertion(a assertion) bool {
	now := t.config.Now()
	expires := time.Unix(a.ExpiresAt, 0)
	latest := now.Add(assertionSkew)
	if a.Audience != t.config.BaseURL()+"/" || a.ID == "" || !expires.After(now) || expires.After(latest.Add(assertionLifetime)) {
		return false
	}
	if time.Unix(a.IssuedAt, 0).After(latest) || time.Unix(a.NotBefore, 0).After(latest) {
		return false
	}
	for id, expiry := range t.state.assertions {
		if expiry.Before(now) {
			delete(t.state.assertions, id)
		}
	}
	if _, used := t.state.assertions[a.ID]; used {
		return false
	}
	t.state.assertions[a.ID] = expires
	return true
}

func verifyRSA(key *rsa.PublicKey, algorithm, signed string, signature []byte) error {
	switch algorithm {
	case "RS256":
		sum := sha256.Sum256([]byte(signed))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	case "RS384":
		sum := sha512.Sum384([]byte(signed))
		return rsa.VerifyPKCS1v15(key, crypto.SHA384, sum[:], signature)
	case "PS256":
		sum := sha256.Sum256([]byte(signed))
		return rsa.VerifyPSS(key, crypto.SHA256, sum[:], signature, nil)
	default:
		return fmt.Errorf("algorithm %q is not one of RS256, RS384, PS256", algorithm)
	}
}
