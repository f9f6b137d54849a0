package auth0

import (
	"cmp"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

const (
	clientCredentials = "client_credentials"
	authMethodPost    = "client_secret_post"
	// createCredentials is the scope that a public key in a new application needs.
	createCredentials = "create:client_credentials"
)

// client is an application that may ask for a token.
type client struct {
	id, name, secret string
	description      string
	appType          string
	grantTypes       []string
	authMethod       string         // of the token endpoint, "" with a key
	publicKey        *rsa.PublicKey // for private_key_jwt, nil without one
	credentialID     string         // of the public key
}

// mayUse tells whether the application has a grant type.
func (c *client) mayUse(grantType string) bool { return slices.Contains(c.grantTypes, grantType) }

// summary is what every scope that reads applications may see.
func (c *client) summary() map[string]any {
	return map[string]any{"client_id": c.id, "name": c.name, "description": c.description, "app_type": c.appType}
}

// view is the whole of an application; keys says that the caller may see what it
// proves itself with. With a public key there is no secret to see.
func (c *client) view(tenant string, keys bool) map[string]any {
	view := c.summary()
	view["tenant"], view["global"], view["is_first_party"], view["oidc_conformant"] = tenant, false, true, true
	view["grant_types"] = slices.Clone(c.grantTypes)
	view["jwt_configuration"] = map[string]any{"alg": "RS256"}
	view["token_endpoint_auth_method"] = nil
	if c.authMethod != "" {
		view["token_endpoint_auth_method"] = c.authMethod
	}
	if !keys {
		return view
	}
	if c.publicKey == nil {
		view["client_secret"] = c.secret
	} else {
		view["client_authentication_methods"] = map[string]any{"private_key_jwt": map[string]any{
			"credentials": []any{map[string]any{"id": c.credentialID}},
		}}
	}
	return view
}

// ClientState is an application that was made through the API, without what it
// proves itself with.
type ClientState struct {
	ClientID string `json:"client_id"`
	Name     string `json:"name"`
	AppType  string `json:"app_type"`
	// Authentication is "private_key_jwt" or a token_endpoint_auth_method.
	Authentication string `json:"authentication"`
}

func (c *client) state() ClientState {
	return ClientState{ClientID: c.id, Name: c.name, AppType: c.appType, Authentication: cmp.Or(c.authMethod, "private_key_jwt")}
}

func clientReadScopes() []string {
	return []string{"read:clients", "read:client_keys", "read:client_credentials", "read:client_summary"}
}

func clientListQuery() map[string]*schema {
	query := pagingQuery()
	query["is_global"], query["is_first_party"] = &schema{kind: "boolean"}, &schema{kind: "boolean"}
	query["app_type"] = &schema{kind: "string", pattern: regexp.MustCompile(`^[a-z0-9_]+(,[a-z0-9_]+)*$`)}
	query["fields"] = fieldList("client_id", "name", "description", "app_type", "tenant", "global", "is_first_party", "oidc_conformant",
		"grant_types", "jwt_configuration", "token_endpoint_auth_method", "client_secret", "client_authentication_methods")
	query["include_fields"] = &schema{kind: "boolean"}
	return query
}

func clientCreateSchema() *schema {
	text, flag := &schema{kind: "string"}, &schema{kind: "boolean"}
	credential := &schema{kind: "object", required: []string{"credential_type", "pem"}, properties: map[string]*schema{
		"credential_type": {kind: "string", enum: []string{"public_key"}},
		"name":            {kind: "string", maxLength: 128},
		"pem":             text,
		"alg":             {kind: "string", enum: []string{"RS256", "RS384", "PS256"}},
		"kid":             {kind: "string", pattern: regexp.MustCompile(`^([0-9a-zA-Z-_]{10,64})$`)},
	}}
	return &schema{kind: "object", required: []string{"name"}, properties: map[string]*schema{
		"name":            {kind: "string", pattern: regexp.MustCompile(`^[^<>]+$`), description: "Name of this client (min length: 1 character, does not allow < or >)."},
		"description":     {kind: "string", maxLength: 140, description: "Free text description of this client (max length: 140 characters)."},
		"app_type":        {kind: "string", enum: []string{"native", "spa", "regular_web", "non_interactive"}},
		"grant_types":     {kind: "array", items: &schema{kind: "string", minLength: 1}},
		"is_first_party":  flag,
		"oidc_conformant": flag,
		"jwt_configuration": {kind: "object", properties: map[string]*schema{
			"alg":                 {kind: "string", enum: []string{"HS256", "RS256", "RS512", "PS256"}},
			"lifetime_in_seconds": {kind: "integer", minimum: new(0)},
		}},
		"token_endpoint_auth_method": {kind: "string", enum: []string{"none", authMethodPost, "client_secret_basic"}},
		"client_authentication_methods": {kind: "object", minProperties: 1, maxProperties: 1, properties: map[string]*schema{
			"private_key_jwt": {kind: "object", required: []string{"credentials"}, properties: map[string]*schema{
				"credentials": {kind: "array", minItems: 1, maxItems: 2, items: credential},
			}},
		}},
	}}
}

func (t *Tenant) listClients(c *call) (reply, error) {
	types := strings.FieldsFunc(c.query.Get("app_type"), func(r rune) bool { return r == ',' })
	var found []map[string]any
	for _, app := range t.applications() {
		if c.query.Get("is_global") != "true" && (len(types) == 0 || slices.Contains(types, app.appType)) {
			found = append(found, t.visibleClient(c, app))
		}
	}
	return page(c, "clients", found), nil
}

// applications are all of them in a stable order, the seeded one first.
func (t *Tenant) applications() []*client {
	apps := []*client{t.clients[t.client.ClientID]}
	for _, id := range t.state.clients {
		apps = append(apps, t.clients[id])
	}
	return apps
}

// visibleClient is what the scopes of a call let it see, and of that what it asks
// for with fields.
func (t *Tenant) visibleClient(c *call, app *client) map[string]any {
	keys := c.claims.hasAny([]string{"read:client_keys", "read:client_credentials"})
	view := app.summary()
	if keys || c.claims.hasAny([]string{"read:clients"}) {
		view = app.view(t.config.Name, keys)
	}
	fields := c.query.Get("fields")
	if fields == "" {
		return view
	}
	include := c.query.Get("include_fields") != "false"
	for name := range view {
		if slices.Contains(strings.Split(fields, ","), name) != include {
			delete(view, name)
		}
	}
	return view
}

func (t *Tenant) application(id string) (*client, error) {
	if app, ok := t.clients[id]; ok {
		return app, nil
	}
	return nil, refuse(http.StatusNotFound, "The client does not exist", "inexistent_client")
}

func (t *Tenant) readClient(c *call) (reply, error) {
	app, err := t.application(c.id())
	if err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, t.visibleClient(c, app)}, nil
}

// createClient makes an application. Two may have the same name. The rules of a
// public key are those of Auth0's notes on the endpoint, their words and those of
// the refusal to a plan without the feature are inferred.
// https://auth0.com/docs/get-started/applications/configure-private-key-jwt
func (t *Tenant) createClient(c *call) (reply, error) {
	body := c.object()
	app := &client{id: randomText(32, alphanumeric), grantTypes: texts(body["grant_types"])}
	app.name, _ = body["name"].(string)
	app.description, _ = body["description"].(string)
	app.appType, _ = body["app_type"].(string)
	if _, ok := body["grant_types"]; !ok && app.appType == "non_interactive" {
		app.grantTypes = []string{clientCredentials}
	}
	if methods, ok := body["client_authentication_methods"].(map[string]any); ok {
		if err := t.setPublicKey(c, app, methods); err != nil {
			return reply{}, err
		}
	} else {
		app.authMethod, _ = body["token_endpoint_auth_method"].(string)
		app.authMethod = cmp.Or(app.authMethod, authMethodPost)
		app.secret = randomText(64, alphanumeric)
	}
	t.clients[app.id] = app
	t.state.clients = append(t.state.clients, app.id)
	return reply{http.StatusCreated, app.view(t.config.Name, true)}, nil
}

func (t *Tenant) setPublicKey(c *call, app *client, methods map[string]any) error {
	body := c.object()
	jwt, _ := body["jwt_configuration"].(map[string]any)
	_, hasMethod := body["token_endpoint_auth_method"]
	switch {
	case !c.claims.hasAny([]string{createCredentials}):
		return refuse(http.StatusForbidden, "Insufficient scope, expected any of: "+createCredentials, "insufficient_scope")
	case t.state.switches.NoPrivateKeyJWT:
		return refuse(http.StatusForbidden, "Your current subscription does not include Private Key JWT. Please upgrade your subscription to use this feature.", "insufficient_entitlement")
	case hasMethod:
		return refuse(http.StatusBadRequest, "Cannot set both client_authentication_methods and token_endpoint_auth_method", "invalid_body")
	case jwt["alg"] != "RS256":
		return refuse(http.StatusBadRequest, "client_authentication_methods needs jwt_configuration.alg to be RS256", "invalid_body")
	}
	method, _ := methods["private_key_jwt"].(map[string]any)
	credentials, _ := method["credentials"].([]any)
	credential, _ := credentials[0].(map[string]any)
	key, err := parsePublicKey(fmt.Sprint(credential["pem"]))
	if err != nil {
		return refuse(http.StatusBadRequest, "Payload validation error: '"+err.Error()+"' on property pem.", "invalid_body")
	}
	app.publicKey, app.credentialID = key, "cred_"+randomText(22, alphanumeric)
	return nil
}

// parsePublicKey reads PKIX PEM. Auth0 takes keys of 2048 bits and more.
func parsePublicKey(text string) (*rsa.PublicKey, error) {
	block, _ := pem.Decode([]byte(text))
	if block == nil {
		return nil, errors.New("public key is not PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("parse public key: %w", err)
	}
	key, ok := parsed.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("public key is a %T, want RSA", parsed)
	}
	if key.N.BitLen() < 2048 {
		return nil, fmt.Errorf("public key has %d bits, want 2048 or more", key.N.BitLen())
	}
	return key, nil
}

// deleteClient takes the grants of the application with it. It answers 204 for an
// unknown one too: the OpenAPI document has no 404 here.
func (t *Tenant) deleteClient(c *call) (reply, error) {
	id := c.id()
	if id == t.client.ClientID {
		return reply{}, refuse(http.StatusBadRequest, "the sandbox keeps the application that it has printed", "")
	}
	delete(t.clients, id)
	t.state.clients = slices.DeleteFunc(t.state.clients, func(other string) bool { return other == id })
	t.state.grants = slices.DeleteFunc(t.state.grants, func(g *grant) bool { return g.clientID == id })
	return reply{http.StatusNoContent, nil}, nil
}
