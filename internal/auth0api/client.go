// Package auth0api talks to the Auth0 Management API for the objects that a
// Send Phone Message sender needs: hooks, Actions, guardian factors, phone
// providers and templates, tenant settings and logs.
//
// The URLs, bodies and answers are go-auth0's. Everything around them is this
// package's own: the token, pacing, retries and errors written for the person
// who reads them. go-auth0 v2.14 sleeps without looking at the context, repeats
// a POST that may have been accepted and, even with its retries off, sleeps
// after each refusal, so it is never shown an answer it could retry.
package auth0api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	actions "github.com/auth0/go-auth0/v2/management/actions/client"
	"github.com/auth0/go-auth0/v2/management/branding/phone/templates"
	"github.com/auth0/go-auth0/v2/management/core"
	guardian "github.com/auth0/go-auth0/v2/management/guardian/client"
	hooks "github.com/auth0/go-auth0/v2/management/hooks/client"
	"github.com/auth0/go-auth0/v2/management/option"
	"github.com/auth0/go-auth0/v2/management/tenants/settings"
)

// apiPath is where every Management API lives on its tenant's domain.
const apiPath = "/api/v2"

// Config says which tenant to talk to and how to prove who is asking. Exactly
// one of ClientSecret, ClientAssertionPrivateKey (both with ClientID) and
// APIToken is set.
type Config struct {
	// Domain is the tenant's domain ("tenant.eu.auth0.com"), or a loopback
	// address with its scheme ("http://127.0.0.1:1234"). The caller has
	// validated it.
	Domain string

	// ClientID names the machine-to-machine application.
	ClientID string
	// ClientSecret is the application's secret.
	ClientSecret string
	// APIToken is a Management API token, used as it is and never renewed.
	APIToken string
	// ClientAssertionPrivateKey is an RSA key in PEM (PKCS #1 or #8).
	ClientAssertionPrivateKey string
	// ClientAssertionSigningAlg is RS256 (also when empty), RS384 or PS256.
	// https://auth0.com/docs/get-started/authentication-and-authorization-flow/authenticate-with-private-key-jwt
	ClientAssertionSigningAlg string

	// Audience is the Management API's identifier; empty means
	// https://{Domain}/api/v2/. It differs where Domain is a custom domain.
	Audience string
	// UserAgent is sent with every request.
	UserAgent string

	// HTTPClient lends its Transport, and its Timeout for one attempt; nil
	// means Go's default transport and one minute.
	HTTPClient *http.Client
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// Sleep waits, and returns the context's error when that ends first; nil
	// means real time.
	Sleep func(context.Context, time.Duration) error
}

// Client is one tenant's Management API. It is safe for concurrent use.
type Client struct {
	domain    string
	baseURL   string
	caller    caller
	tokens    *tokenSource
	actions   *actions.Client
	hooks     *hooks.Client
	guardian  *guardian.Client
	templates *templates.Client
	settings  *settings.Client
	editing   chan struct{} // held while bindings are edited
}

// New prepares a client. It sends nothing: the token is fetched by the first
// call that needs it.
func New(cfg Config) (*Client, error) {
	baseURL := strings.TrimSuffix(cfg.Domain, "/")
	if !strings.HasPrefix(baseURL, "http://") {
		baseURL = "https://" + strings.TrimPrefix(baseURL, "https://")
	}
	parsed, err := url.Parse(baseURL)
	if err != nil || parsed.Host == "" {
		return nil, fmt.Errorf("auth0: domain %q is not a host name", cfg.Domain)
	}
	if cfg.Audience == "" {
		cfg.Audience = baseURL + apiPath + "/"
	}

	// Token requests have a rate limit of their own, hence a transport each.
	tokens, err := newTokenSource(cfg, baseURL, newTransport(cfg))
	if err != nil {
		return nil, err
	}
	call := caller{client: http.Client{
		Transport:     &authorizer{next: newTransport(cfg), tokens: tokens},
		CheckRedirect: doNotRedirect,
	}}

	options := core.NewRequestOptions(
		option.WithBaseURL(baseURL+apiPath),
		option.WithHTTPClient(&call),
		option.WithoutRetries(),
	)
	return &Client{
		domain:    cfg.Domain,
		baseURL:   baseURL,
		caller:    call,
		tokens:    tokens,
		actions:   actions.NewClient(options),
		hooks:     hooks.NewClient(options),
		guardian:  guardian.NewClient(options),
		templates: templates.NewClient(options),
		settings:  settings.NewClient(options),
		editing:   make(chan struct{}, 1),
	}, nil
}

// Domain returns the tenant's domain as it was configured.
func (c *Client) Domain() string { return c.domain }

// GrantedScopes returns the scopes of the client's token, fetching it if there
// is none yet. They come from the token endpoint's answer or, failing that,
// from the token itself, whose signature is not verified: they explain, they do
// not authorise. known is false when neither says.
func (c *Client) GrantedScopes(ctx context.Context) (scopes []string, known bool, err error) {
	t, err := c.tokens.get(ctx)
	if err != nil {
		return nil, false, asError(&exchange{operation: tokenOperation}, err)
	}
	return t.scopes, t.scopesKnown, nil
}

// doNotRedirect keeps the token on the host it was meant for. The Management
// API never redirects, so a redirect means that the domain is a wrong one.
func doNotRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// exchange travels in the context of one call: it carries what an error has to
// name down to the transport, and what was seen there back up.
type exchange struct {
	operation          string
	hide               []string // secrets that an answer might repeat
	apiToken           string   // the token that is never renewed, if that is the way in
	method, path, host string
	status             int // of the last answer, 0 if there was none
	requestID          string
	uncertain          bool // an attempt before the last answer may have taken effect
}

type exchangeKey struct{}

// exchangeOf never returns nil, so that a call without one still works.
func exchangeOf(ctx context.Context) *exchange {
	if x, ok := ctx.Value(exchangeKey{}).(*exchange); ok {
		return x
	}
	return &exchange{}
}

// call runs one operation and turns whatever goes wrong into an *Error.
func call[T any](ctx context.Context, x exchange, do func(context.Context) (T, error)) (T, error) {
	value, err := do(context.WithValue(ctx, exchangeKey{}, &x))
	if err != nil {
		var zero T
		return zero, asError(&x, err)
	}
	return value, nil
}

// run is call for an operation without a result.
func run(ctx context.Context, x exchange, do func(context.Context) error) error {
	_, err := call(ctx, x, func(ctx context.Context) (struct{}, error) { return struct{}{}, do(ctx) })
	return err
}

// caller is the HTTP client that go-auth0 is given. It hands on successful
// answers only; any other becomes an *Error with all that Auth0 said.
type caller struct {
	client http.Client
}

// Do implements core.HTTPClient.
func (c *caller) Do(req *http.Request) (*http.Response, error) {
	x := exchangeOf(req.Context())
	x.method, x.path, x.host = req.Method, req.URL.Path, req.URL.Host
	res, err := c.client.Do(req)
	if err != nil {
		return nil, asError(x, err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, asError(x, err)
	}
	x.status, x.requestID = res.StatusCode, requestID(res.Header)
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, newError(x, body)
	}
	if len(body) == 0 {
		// go-auth0 v2.14 refuses an empty answer where it expects an object,
		// which GET …/phone/templates gives on a tenant that never set any.
		body = []byte("null")
	}
	res.Body = io.NopCloser(bytes.NewReader(body))
	return res, nil
}

// send makes a request that go-auth0 makes, or whose answer it reads, wrongly.
// body is nil for none, into where the answer does not matter.
func (c *Client) send(ctx context.Context, method, path string, body, into any) error {
	var content io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.baseURL+apiPath+path, content)
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.caller.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}

// asError keeps an *Error and wraps everything else.
func asError(x *exchange, err error) error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	e := &Error{
		Operation: x.operation, Method: x.method, Path: x.path,
		StatusCode: x.status, RequestID: x.requestID, Kind: Transport, host: x.host,
		// An answer that came but could not be used says nothing about the
		// change; only a request that never left is known to be harmless.
		ambiguous: true,
	}
	var failed *sendError
	var wrapped *url.Error
	switch {
	case errors.As(err, &failed):
		e.Err, e.ambiguous = failed.cause, failed.sent
		if failed.refused {
			e.Kind, e.StatusCode = TooManyRequests, http.StatusTooManyRequests
		}
	case errors.As(err, &wrapped):
		e.Err = wrapped.Err
	default:
		e.Err = err
		e.ambiguous = x.status != 0
	}
	e.Message = clean(e.Err.Error(), x.hide)
	return e
}
