package auth0api

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
)

const (
	clientsPath      = "/clients"
	clientGrantsPath = "/client-grants"
	// appMachine is the type of a machine-to-machine application.
	appMachine = "non_interactive"
	// grantClientCredentials is the one grant type of such an application.
	grantClientCredentials = "client_credentials"
	clientsPerPage         = 100
)

// Application is a machine-to-machine application, which Auth0's API calls a
// client. https://auth0.com/docs/get-started/auth0-overview/create-applications
type Application struct {
	ClientID, Name string
	// ClientSecret is what Auth0 made for an application that was created without
	// a public key; only the answer to its creation has it here.
	ClientSecret string
}

// NewApplication is what CreateApplication makes.
type NewApplication struct {
	Name, Description string
	// PublicKey is an RSA key in PEM (PKIX). Empty means that Auth0 makes a client
	// secret instead.
	PublicKey string
}

// applicationView is an application as the API gives it.
type applicationView struct {
	ClientID string `json:"client_id"`
	Name     string `json:"name"`
	Secret   string `json:"client_secret"`
}

// applicationRequest is an application as the API takes it. What it proves
// itself with is one of the last two, never both.
type applicationRequest struct {
	Name             string          `json:"name"`
	Description      string          `json:"description,omitempty"`
	AppType          string          `json:"app_type"`
	GrantTypes       []string        `json:"grant_types"`
	OIDCConformant   bool            `json:"oidc_conformant"`
	JWTConfiguration jwtAlgorithm    `json:"jwt_configuration"`
	AuthMethod       string          `json:"token_endpoint_auth_method,omitempty"`
	AuthMethods      *keyAuthMethods `json:"client_authentication_methods,omitempty"`
}

type jwtAlgorithm struct {
	Alg string `json:"alg"`
}

type keyAuthMethods struct {
	PrivateKeyJWT struct {
		Credentials []publicKeyCredential `json:"credentials"`
	} `json:"private_key_jwt"`
}

type publicKeyCredential struct {
	Type string `json:"credential_type"`
	Name string `json:"name"`
	PEM  string `json:"pem"`
	Alg  string `json:"alg"`
}

func (a NewApplication) request() applicationRequest {
	request := applicationRequest{
		Name: a.Name, Description: a.Description, AppType: appMachine, GrantTypes: []string{grantClientCredentials},
		// Auth0 wants RS256 here before it takes a public key.
		OIDCConformant: true, JWTConfiguration: jwtAlgorithm{"RS256"},
	}
	if a.PublicKey == "" {
		request.AuthMethod = "client_secret_post"
		return request
	}
	request.AuthMethods = &keyAuthMethods{}
	request.AuthMethods.PrivateKeyJWT.Credentials = []publicKeyCredential{{Type: "public_key", Name: a.Name, PEM: a.PublicKey, Alg: "RS256"}}
	return request
}

// Applications returns the tenant's machine-to-machine applications, without
// what they prove themselves with. Auth0 lets several have one name.
func (c *Client) Applications(ctx context.Context) ([]Application, error) {
	return allPages(func(page int) ([]Application, int, error) {
		query := url.Values{
			"app_type": {appMachine}, "is_global": {"false"}, "fields": {"client_id,name"},
			"page": {strconv.Itoa(page)}, "per_page": {strconv.Itoa(clientsPerPage)}, "include_totals": {"true"},
		}
		var answer struct {
			Total   int               `json:"total"`
			Clients []applicationView `json:"clients"`
		}
		err := run(ctx, exchange{operation: "list applications"}, func(ctx context.Context) error {
			return c.send(ctx, http.MethodGet, clientsPath+"?"+query.Encode(), nil, &answer)
		})
		var batch []Application
		for _, view := range answer.Clients {
			batch = append(batch, Application{ClientID: view.ClientID, Name: view.Name})
		}
		return batch, answer.Total, err
	})
}

// CreateApplication makes a machine-to-machine application that may get tokens
// once it has a grant. A public key needs the scope create:client_credentials,
// and a plan with Private Key JWT:
// https://auth0.com/docs/get-started/applications/configure-private-key-jwt
//
// It goes round go-auth0, whose type for this object has 50 more properties.
func (c *Client) CreateApplication(ctx context.Context, application NewApplication) (Application, error) {
	return call(ctx, exchange{operation: "create application " + application.Name}, func(ctx context.Context) (Application, error) {
		var created applicationView
		if err := c.send(ctx, http.MethodPost, clientsPath, application.request(), &created); err != nil {
			return Application{}, err
		}
		if created.ClientID == "" {
			return Application{}, fmt.Errorf("the answer names no client_id")
		}
		return Application{ClientID: created.ClientID, Name: created.Name, ClientSecret: created.Secret}, nil
	})
}

// DeleteApplication deletes an application with its grants. Auth0 does not say
// whether there was one.
func (c *Client) DeleteApplication(ctx context.Context, clientID string) error {
	return run(ctx, exchange{operation: "delete application"}, func(ctx context.Context) error {
		return c.send(ctx, http.MethodDelete, clientsPath+"/"+url.PathEscape(clientID), nil, nil)
	})
}

// GrantScopes lets an application ask for tokens of the Management API with
// these scopes. Conflict where it has a grant already.
func (c *Client) GrantScopes(ctx context.Context, clientID string, scopes []string) error {
	request := struct {
		ClientID string   `json:"client_id"`
		Audience string   `json:"audience"`
		Scope    []string `json:"scope"`
	}{clientID, c.baseURL + apiPath + "/", scopes}
	return run(ctx, exchange{operation: "authorise the application for the Management API"}, func(ctx context.Context) error {
		return c.send(ctx, http.MethodPost, clientGrantsPath, request, nil)
	})
}
