package auth0api

import (
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/auth0/go-auth0/v2/management/core"
	"github.com/auth0/go-auth0/v2/management/option"
	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	tokenPath      = "/oauth/token"
	tokenOperation = "get a Management API token"
	// renewalMargin is how long before its end a token is no longer used: the
	// longest a request may be under way.
	renewalMargin = time.Minute
)

// token is a Management API token and what it is known to allow.
type token struct {
	value       string
	expiry      time.Time // zero if not told
	scopes      []string
	scopesKnown bool
}

// tokenSource fetches tokens, one at a time, and keeps the newest in memory.
type tokenSource struct {
	cfg     Config
	baseURL string
	client  http.Client
	now     func() time.Time
	sleep   func(context.Context, time.Duration) error

	turn    chan struct{} // guards what follows; a channel, so that waiting can be cancelled
	current token
	refused *Error // what Auth0 will say again: the credentials do not change
}

func newTokenSource(cfg Config, baseURL string, t *transport) (*tokenSource, error) {
	s := &tokenSource{
		cfg: cfg, baseURL: baseURL, now: t.now, sleep: t.sleep,
		client: http.Client{Transport: t, CheckRedirect: doNotRedirect},
		turn:   make(chan struct{}, 1),
	}
	switch {
	case cfg.APIToken != "":
		claims := readClaims(cfg.APIToken)
		s.current = token{value: cfg.APIToken, scopes: claims.scopes(), scopesKnown: claims.Scope != nil}
		return s, nil
	case cfg.ClientID == "":
		return nil, errors.New("auth0: no credentials: set an API token, or a client id with a client secret or a private key")
	case cfg.ClientAssertionPrivateKey != "":
		return s, checkPrivateKey(&s.cfg)
	case cfg.ClientSecret == "":
		return nil, errors.New("auth0: a client id needs a client secret or a private key")
	default:
		return s, nil
	}
}

// checkPrivateKey finds out before anything is sent what go-auth0 would only
// find out with the first token.
func checkPrivateKey(cfg *Config) error {
	if cfg.ClientAssertionSigningAlg == "" {
		cfg.ClientAssertionSigningAlg = "RS256"
	}
	if !slices.Contains([]string{"RS256", "RS384", "PS256"}, cfg.ClientAssertionSigningAlg) {
		return fmt.Errorf("auth0: client assertion signing algorithm %q: Auth0 accepts RS256, RS384 and PS256", cfg.ClientAssertionSigningAlg)
	}
	block, _ := pem.Decode([]byte(cfg.ClientAssertionPrivateKey))
	if block == nil {
		return errors.New("auth0: the client assertion private key is not PEM (-----BEGIN PRIVATE KEY-----)")
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return nil
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return fmt.Errorf("auth0: the client assertion private key, PEM type %q, cannot be read; an unencrypted RSA key is needed", block.Type)
	}
	if _, ok := key.(*rsa.PrivateKey); !ok {
		return fmt.Errorf("auth0: the client assertion private key is a %T; an RSA key is needed", key)
	}
	return nil
}

func (s *tokenSource) renewable() bool { return s.cfg.APIToken == "" }

// get returns a token that is good for one more request. Callers that come
// while it is being fetched wait for it, each as long as its own context.
func (s *tokenSource) get(ctx context.Context) (token, error) {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return token{}, &sendError{cause: ctx.Err()}
	}
	defer func() { <-s.turn }()
	if !s.renewable() || (s.current.value != "" && (s.current.expiry.IsZero() || s.now().Before(s.current.expiry))) {
		return s.current, nil
	}
	if s.refused != nil {
		return token{}, s.refused
	}
	fetched, err := s.fetch(ctx)
	if err != nil {
		if err.Kind == Token && !err.passing() {
			s.refused = err
		}
		return token{}, err
	}
	s.current = fetched
	return fetched, nil
}

// discard forgets a token that Auth0 has refused, unless somebody else has
// already brought a newer one.
func (s *tokenSource) discard(ctx context.Context, used string) error {
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-s.turn }()
	if s.current.value == used {
		s.current = token{}
	}
	return nil
}

// fetch asks for a token and asks again when no answer came. Unlike other
// POSTs this one may be repeated, as a second token does no harm; it is done
// here, not in the transport, because a client assertion may be used only once.
func (s *tokenSource) fetch(ctx context.Context) (token, *Error) {
	for failures := 0; ; {
		t, err := s.request(ctx)
		if err == nil || failures == maxRetries || ctx.Err() != nil || !err.passing() {
			return t, err
		}
		failures++
		if s.sleep(ctx, backoff(failures)) != nil {
			return token{}, err
		}
	}
}

// passing tells a failure of the token endpoint that may not come again. A 500
// is the tenant's own credentials-exchange code and stays.
func (e *Error) passing() bool {
	return (e.Kind == Transport && !isLasting(e.Err)) || e.StatusCode > http.StatusInternalServerError
}

func (s *tokenSource) request(ctx context.Context) (token, *Error) {
	answer, err := s.grant(context.WithValue(ctx, oauth2.HTTPClient, &s.client)).Token()
	if err != nil {
		return token{}, s.failure(err)
	}
	t := token{value: answer.AccessToken}
	if !answer.Expiry.IsZero() {
		// oauth2 reckons with the machine's clock, this package with its own.
		life := time.Until(answer.Expiry)
		t.expiry = s.now().Add(life - min(renewalMargin, life/4))
	}
	if scope, ok := answer.Extra("scope").(string); ok {
		t.scopes, t.scopesKnown = strings.Fields(scope), true
	} else {
		claims := readClaims(t.value)
		t.scopes, t.scopesKnown = claims.scopes(), claims.Scope != nil
	}
	return t, nil
}

// grant is the client credentials grant with either proof of identity. The
// secret goes into the body: trying HTTP Basic first, as oauth2 would, leaves a
// failed login in the tenant's log.
func (s *tokenSource) grant(ctx context.Context) oauth2.TokenSource {
	if s.cfg.ClientAssertionPrivateKey != "" {
		return core.NewRequestOptions(
			option.WithBaseURL(s.baseURL),
			option.WithClientCredentialsPrivateKeyJwtAndAudience(ctx,
				s.cfg.ClientID, s.cfg.ClientAssertionPrivateKey, s.cfg.ClientAssertionSigningAlg, s.cfg.Audience),
		).TokenSource
	}
	config := clientcredentials.Config{
		ClientID:       s.cfg.ClientID,
		ClientSecret:   s.cfg.ClientSecret,
		TokenURL:       s.baseURL + tokenPath,
		AuthStyle:      oauth2.AuthStyleInParams,
		EndpointParams: url.Values{"audience": {s.cfg.Audience}},
	}
	return config.TokenSource(ctx)
}

// failure turns what oauth2 returns into an *Error. Its own text is never
// shown: it quotes the whole body.
func (s *tokenSource) failure(err error) *Error {
	host := strings.TrimPrefix(strings.TrimPrefix(s.baseURL, "https://"), "http://")
	x := &exchange{operation: tokenOperation, method: http.MethodPost, path: tokenPath, host: host, hide: s.secrets()}
	var answered *oauth2.RetrieveError
	if errors.As(err, &answered) && answered.Response != nil {
		x.status, x.requestID = answered.Response.StatusCode, requestID(answered.Response.Header)
		return newTokenError(x, answered.Body, s.cfg)
	}
	var failed *sendError
	if errors.As(err, &failed) {
		e := &Error{
			Operation: x.operation, Method: x.method, Path: x.path, Kind: Transport, Err: failed.cause,
			Message: clean(failed.cause.Error(), x.hide), host: host,
		}
		if failed.refused {
			e.Kind, e.StatusCode = TooManyRequests, http.StatusTooManyRequests
		}
		return e
	}
	return &Error{
		Operation: x.operation, Method: x.method, Path: x.path, Kind: Token, host: host,
		Message: "the answer holds no access token",
		hint:    fmt.Sprintf("Check that %s is the domain of an Auth0 tenant.", host),
	}
}

func (s *tokenSource) secrets() []string {
	return []string{s.cfg.ClientSecret, s.cfg.ClientAssertionPrivateKey, s.cfg.APIToken}
}

// claims are those parts of a token that help to explain a refusal. Nobody has
// verified them.
type claims struct {
	Scope  *string  `json:"scope"`
	Expiry *float64 `json:"exp"`
}

// readClaims returns no claims for a token that is opaque.
func readClaims(jwt string) claims {
	var c claims
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return c
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(payload, &c) != nil {
		return claims{}
	}
	return c
}

func (c claims) scopes() []string {
	if c.Scope == nil {
		return nil
	}
	return strings.Fields(*c.Scope)
}

// authorizer adds the token to each request and renews it, once per request,
// when Auth0 refuses it. A 401 means that nothing was done, so any method may
// go again.
type authorizer struct {
	next   http.RoundTripper
	tokens *tokenSource
}

// RoundTrip implements http.RoundTripper.
func (a *authorizer) RoundTrip(req *http.Request) (*http.Response, error) {
	used, res, err := a.send(req)
	if err != nil || res.StatusCode != http.StatusUnauthorized || !a.tokens.renewable() {
		return res, err
	}
	if err := a.tokens.discard(req.Context(), used); err != nil {
		return nil, &sendError{cause: err}
	}
	_, res, err = a.send(req)
	return res, err
}

func (a *authorizer) send(req *http.Request) (used string, res *http.Response, err error) {
	t, err := a.tokens.get(req.Context())
	if err != nil {
		return "", nil, err
	}
	x := exchangeOf(req.Context())
	x.hide = append(x.hide, t.value)
	x.hide = append(x.hide, a.tokens.secrets()...)
	x.apiToken = a.tokens.cfg.APIToken
	out := req.Clone(req.Context())
	out.Header.Set("Authorization", "Bearer "+t.value)
	res, err = a.next.RoundTrip(out)
	return t.value, res, err
}
