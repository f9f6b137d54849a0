// Package config settles where each setting of the two clients comes from: the
// configuration first, the environment second. It is the only package of the
// project that reads the environment; the AWS default chain is the SDK's own.
package config

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Environment names of the Auth0 settings, the ones Auth0's own tools read.
const (
	EnvDomain       = "AUTH0_DOMAIN"
	EnvClientID     = "AUTH0_CLIENT_ID"
	EnvClientSecret = "AUTH0_CLIENT_SECRET"
	EnvAPIToken     = "AUTH0_API_TOKEN"
	EnvPrivateKey   = "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"
	EnvSigningAlg   = "AUTH0_CLIENT_ASSERTION_SIGNING_ALG"
)

// DefaultSigningAlg signs client assertions when none is named.
const DefaultSigningAlg = "RS256"

// SigningAlgs are the algorithms Auth0 accepts for private-key JWT, see
// https://auth0.com/docs/get-started/authentication-and-authorization-flow/authenticate-with-private-key-jwt.
func SigningAlgs() []string { return []string{"RS256", "RS384", "PS256"} }

// Lookup answers the value of an environment variable, "" when it is not set.
type Lookup func(name string) string

// Environment is the Lookup of this process.
func Environment() Lookup { return os.Getenv }

// Auth0 holds the settings of the Management API client. Empty means not set.
type Auth0 struct {
	Domain                    string
	ClientID                  string
	ClientSecret              string
	APIToken                  string
	ClientAssertionPrivateKey string
	ClientAssertionSigningAlg string
}

// Problem is one setting that cannot work. Setting is its name in the
// configuration, e.g. "domain".
type Problem struct {
	Setting string
	Message string
}

// WithEnvironment fills what the configuration leaves open. A way to
// authenticate that the configuration names wins as a whole: a token in the
// environment never replaces a client that somebody wrote down. Left to the
// environment alone, the order is API token, private key, client secret.
func (a Auth0) WithEnvironment(env Lookup) Auth0 {
	namesClient := a.ClientID != "" || a.ClientAssertionSigningAlg != ""
	a.Domain = first(a.Domain, env(EnvDomain))
	a.ClientID = first(a.ClientID, env(EnvClientID))
	if a.APIToken == "" && a.ClientSecret == "" && a.ClientAssertionPrivateKey == "" {
		switch {
		case env(EnvAPIToken) != "" && !namesClient:
			a.APIToken = env(EnvAPIToken)
		case env(EnvPrivateKey) != "":
			a.ClientAssertionPrivateKey = env(EnvPrivateKey)
		default:
			a.ClientSecret = env(EnvClientSecret)
		}
	}
	if a.ClientAssertionPrivateKey != "" {
		a.ClientAssertionSigningAlg = first(a.ClientAssertionSigningAlg, env(EnvSigningAlg), DefaultSigningAlg)
	}
	return a
}

// Validate names every setting that is missing or malformed, with the variable
// of the environment that it may come from as well.
func (a Auth0) Validate() []Problem {
	var problems []Problem
	report := func(setting, format string, args ...any) {
		problems = append(problems, Problem{setting, fmt.Sprintf(format, args...)})
	}
	if a.Domain == "" {
		report("domain", "The domain of the Auth0 tenant is not set. Set auth0.domain or %s, for example tenant.eu.auth0.com.", EnvDomain)
	} else if _, err := NormalizeDomain(a.Domain); err != nil {
		report("domain", "auth0.domain or %s: %v.", EnvDomain, err)
	}
	switch {
	case a.APIToken != "":
	case a.ClientSecret == "" && a.ClientAssertionPrivateKey == "":
		report("client_secret", "No way to authenticate at Auth0 is set. Set auth0.client_id (%s) and auth0.client_secret (%s); "+
			"or auth0.client_id and auth0.client_assertion_private_key (%s); or auth0.api_token (%s), which counts only where the configuration names no client.",
			EnvClientID, EnvClientSecret, EnvPrivateKey, EnvAPIToken)
	case a.ClientID == "":
		report("client_id", "A client secret or private key needs the id of its client. Set auth0.client_id or %s.", EnvClientID)
	}
	if alg := a.ClientAssertionSigningAlg; alg != "" && !slices.Contains(SigningAlgs(), alg) {
		report("client_assertion_signing_alg", "auth0.client_assertion_signing_alg or %s: Auth0 accepts %s, not %q.",
			EnvSigningAlg, strings.Join(SigningAlgs(), ", "), alg)
	}
	return problems
}

// Missing are the variables that would complete the settings, of the ways to
// authenticate those of the client secret. What is malformed, Validate tells.
func (a Auth0) Missing() []string {
	var missing []string
	if a.Domain == "" {
		missing = append(missing, EnvDomain)
	}
	if a.APIToken != "" {
		return missing
	}
	if a.ClientID == "" {
		missing = append(missing, EnvClientID)
	}
	if a.ClientSecret == "" && a.ClientAssertionPrivateKey == "" {
		missing = append(missing, EnvClientSecret)
	}
	return missing
}

// domainPattern is a host name with at least one dot whose last label is not a
// number, as tenant and custom domains are and addresses are not.
var domainPattern = regexp.MustCompile(`^([a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?\.)+[a-zA-Z]([a-zA-Z0-9-]*[a-zA-Z0-9])$`)

// NormalizeDomain returns the bare host of a tenant, or "http://host:port" for
// a loopback address such as the sandbox's. Plain HTTP to any other host would
// send the token in clear and is refused.
func NormalizeDomain(domain string) (string, error) {
	trimmed := strings.TrimSuffix(strings.TrimSpace(domain), "/")
	if rest, ok := strings.CutPrefix(trimmed, "http://"); ok {
		u, err := url.Parse(trimmed)
		if err != nil || u.Host != rest || !IsLoopback(u.Hostname()) {
			return "", fmt.Errorf("%q uses http://, which is accepted for loopback addresses only (127.0.0.1, ::1, localhost): anywhere else the access token would travel in clear", domain)
		}
		return trimmed, nil
	}
	host := strings.TrimPrefix(trimmed, "https://")
	if !domainPattern.MatchString(host) {
		return "", fmt.Errorf("%q is not a domain: use the bare name that the Auth0 Dashboard shows under Settings, for example tenant.eu.auth0.com", domain)
	}
	return strings.ToLower(host), nil
}

// IsLoopback tells whether a host, without a port, is this machine.
func IsLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// magicCookie is set by Terraform for every plugin it starts, see
// https://github.com/hashicorp/go-plugin.
const magicCookie = "TF_PLUGIN_MAGIC_COOKIE"

// StartedByTerraform tells whether this process is a plugin of Terraform.
func StartedByTerraform(env Lookup) bool { return env(magicCookie) != "" }
