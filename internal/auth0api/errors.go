package auth0api

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Kind says why a call failed, as far as it decides what to do next.
type Kind int

// The kinds. Auth0 uses 403 for five different things, told apart by errorCode
// and, as that is often absent, by the message.
const (
	Unknown            Kind = iota
	BadRequest              // 400: a value was refused
	Unauthorized            // 401: the token is bad, expired or revoked
	MissingScope            // 403: the token lacks a scope
	MissingEntitlement      // 403: the tenant's subscription lacks the feature
	LegacyPhone             // 403: legacy phone endpoint on a tenant with the Unified Phone Experience
	FeatureDisabled         // 403, 404, 410, 501: not available on this tenant, as hooks are since their end of life
	Forbidden               // 403: any other
	NotFound                // 404
	Conflict                // 409
	Cardinality             // 403: the tenant has as many Actions of that trigger as it may
	NotDeployed             // 400 and others: an Action that has to be deployed is not
	TooManyRequests         // 429 until the context ended
	Server                  // 408 and 5xx
	Transport               // no usable answer
	Token                   // the token endpoint refused
)

// Error is a failed call. Its text is for the person who made it and holds no
// secret.
type Error struct {
	Operation  string // what was tried, "create hook"
	Method     string
	Path       string // "/api/v2/hooks", without the query
	StatusCode int    // 0 = no answer
	ErrorCode  string // Auth0's errorCode, or the token endpoint's error; often empty
	Message    string // what Auth0, or the network, said
	RequestID  string
	Kind       Kind
	Err        error // the cause, where there is one beneath the answer

	host      string
	hint      string // instead of the kind's own
	ambiguous bool   // an attempt went out to which no answer came
}

// Error says what was tried, what came back, why, and what to do.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Operation != "" {
		b.WriteString(e.Operation + ": ")
	}
	switch {
	case e.StatusCode != 0:
		fmt.Fprintf(&b, "%d %s", e.StatusCode, cmp.Or(http.StatusText(e.StatusCode), "answer"))
	default:
		b.WriteString("no usable answer")
	}
	if e.host != "" {
		b.WriteString(" from " + e.host)
	}
	if e.Method != "" { // else the run was interrupted before there was a request
		fmt.Fprintf(&b, " to %s %s", e.Method, e.Path)
	}
	var marks []string
	if e.ErrorCode != "" {
		marks = append(marks, "errorCode "+e.ErrorCode)
	}
	if e.RequestID != "" {
		marks = append(marks, "request id "+e.RequestID)
	}
	if len(marks) > 0 {
		b.WriteString(" (" + strings.Join(marks, ", ") + ")")
	}
	b.WriteString(": " + sentence(cmp.Or(e.Message, "no reason given")))
	if e.Ambiguous() {
		b.WriteString(" It is not known whether the change took effect.")
	}
	if hint := e.Hint(); hint != "" {
		b.WriteString(" " + hint)
	}
	return b.String()
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about it, in whole sentences; empty if nothing better
// can be said than the message.
func (e *Error) Hint() string {
	if e.hint != "" {
		return e.hint
	}
	switch e.Kind {
	case BadRequest:
		return "Correct the value that the message names; nothing was changed."
	case Unauthorized:
		return "Auth0 refuses a token that it has just issued: check that domain and audience name the same tenant."
	case MissingScope:
		return fmt.Sprintf("Grant %s: Auth0 Dashboard → Applications → APIs → Auth0 Management API → Machine to Machine Applications → your client → add it. A token made before has to be renewed.", scopeList(e.MissingScopes()))
	case MissingEntitlement:
		return "The subscription of this tenant does not include the feature: upgrade it, or leave the setting out."
	case LegacyPhone:
		return "This tenant uses the Unified Phone Experience, where Auth0 has closed the legacy phone endpoints: send through an Action with the trigger custom-phone-provider. Only a tenant that was moved there can be moved back, by its setting phone_consolidated_experience; one that was made there cannot, with any API token."
	case FeatureDisabled:
		if isHookPath(e.Path) {
			return "Auth0 made hooks read-only on 2024-11-18 and ended them on 2026-11-18: use an Action instead, with the trigger custom-phone-provider, or send-phone-message on a tenant with the legacy phone provider."
		}
		return "The feature is switched off for this tenant; only Auth0 support can switch it on."
	case Forbidden:
		return "The token is valid but may not do this: compare the tenant, the client's scopes and the subscription."
	case NotFound:
		return "It does not exist on this tenant: check the id, and that the domain is the intended one."
	case Conflict:
		return conflictHint(e.Method, e.Path)
	case Cardinality:
		return "A tenant has one Action with the trigger custom-phone-provider, and this one has it, though the Dashboard's library hides it: import that one, or delete it first."
	case NotDeployed:
		return "Auth0 takes an Action into service only when it is deployed: deploy it, wait until that is done, and try again."
	case TooManyRequests:
		return "Auth0's rate limit did not ease before the time ran out: try again later, or let fewer requests run at once."
	case Server:
		return "Auth0 failed, not the request: try again, and see https://status.auth0.com if it lasts."
	case Transport:
		if errors.Is(e.Err, context.Canceled) {
			return "The run was interrupted: run it again to go on."
		}
		return "Check the network, a proxy in between, and that the domain is that of an Auth0 tenant."
	default:
		return ""
	}
}

// conflictHint tells what exists already. Of some things a tenant has one.
func conflictHint(method, path string) string {
	switch {
	case method == http.MethodDelete:
		return "Something still uses it."
	case path == apiPath+phoneProvidersPath:
		return "A tenant has one phone provider, and this one has it, even if it is switched off: import it."
	case path == apiPath+phoneTemplatesPath:
		return "The text of this type is customised already: change that one."
	default:
		return "Something like it exists already: import it, or choose another name."
	}
}

// MissingScopes returns the scopes of which the token needs any one, nil if
// that is not what went wrong.
func (e *Error) MissingScopes() []string {
	if e.Kind != MissingScope {
		return nil
	}
	return expectedScopes(e.Message)
}

// Ambiguous reports whether the request may have changed something: it was a
// write, it was sent, and no answer says that it, or an earlier attempt of it,
// was refused.
func (e *Error) Ambiguous() bool {
	return e.Method != http.MethodGet && (e.Kind == Server || e.ambiguous)
}

// KindOf returns the kind of the *Error in err's chain, else Unknown.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}

// IsNotFound reports whether Auth0 said that the object does not exist.
func IsNotFound(err error) bool { return KindOf(err) == NotFound }

// newError reads the Management API's error envelope
// (recordings/errors__go-auth0+tf.json).
func newError(x *exchange, body []byte) *Error {
	var envelope struct {
		Error, Message, ErrorCode text
	}
	e := &Error{
		Operation: x.operation, Method: x.method, Path: x.path, host: x.host,
		StatusCode: x.status, RequestID: x.requestID, ambiguous: x.uncertain,
	}
	bare := len(body) == 0 && x.status > http.StatusBadRequest && x.status != http.StatusNotFound
	if json.Unmarshal(body, &envelope) == nil || bare {
		e.ErrorCode = clean(string(envelope.ErrorCode), x.hide)
		e.Message = clean(string(cmp.Or(envelope.Message, envelope.Error)), x.hide)
		e.Kind = classify(e)
	} else {
		// Not Auth0's own words. A 404 above all must not read as "the object
		// is gone" when it is the domain that is wrong.
		e.Message = "the answer is not the JSON of the Management API"
		e.hint = fmt.Sprintf("Check that %s is the tenant's domain and that no proxy answers instead.", x.host)
		if isServerFailure(x.status) {
			e.Kind, e.hint = Server, ""
		}
	}
	if e.Kind == Unauthorized {
		e.hint = staticTokenHint(x.apiToken)
	}
	return e
}

// text is a string that tolerates another type: a body that is almost the
// envelope is still worth reading.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(data []byte) error {
	var s string
	if json.Unmarshal(data, &s) == nil {
		*t = text(s)
	}
	return nil
}

func classify(e *Error) Kind {
	if strings.HasSuffix(e.ErrorCode, "_deployed_action_not_found") {
		// Auth0 documents the code for the phone provider with the e-mail
		// provider's name, and no status.
		return NotDeployed
	}
	switch e.StatusCode {
	case http.StatusBadRequest:
		if strings.Contains(e.Message, "has not been deployed") { // the refusal of a binding
			return NotDeployed
		}
		return BadRequest
	case http.StatusUnauthorized:
		return Unauthorized
	case http.StatusForbidden:
		return classifyForbidden(e)
	case http.StatusNotFound:
		if isHookCollection(e.Path) {
			return FeatureDisabled
		}
		return NotFound
	case http.StatusConflict:
		return Conflict
	case http.StatusGone, http.StatusNotImplemented:
		return FeatureDisabled
	case http.StatusTooManyRequests:
		return TooManyRequests
	default:
		if isServerFailure(e.StatusCode) {
			return Server
		}
		return Unknown
	}
}

// classifyForbidden goes by errorCode and then by message, both ways round:
// some endpoints give insufficient_scope for what is an entitlement.
func classifyForbidden(e *Error) Kind {
	message := strings.ToLower(e.Message)
	says := func(words string) bool { return strings.Contains(message, words) }
	switch {
	case strings.HasPrefix(e.ErrorCode, "actions_cardinality_"):
		return Cardinality
	case e.ErrorCode == "insufficient_entitlement", says("upgrade your subscription"), says("entitlement"):
		return MissingEntitlement
	case says("insufficient scope"), e.ErrorCode == "insufficient_scope":
		return MissingScope
	case isHookPath(e.Path):
		// What Auth0 answers to writes since the end of life is not recorded;
		// its own deploy-cli takes every other 403 here to mean this.
		return FeatureDisabled
	case e.ErrorCode == "legacy_mfa_phone_provider_not_allowed", says("tenant phone settings"), says("deprecated feature"):
		return LegacyPhone
	case e.ErrorCode == "feature_not_enabled", says("not enabled for this tenant"), says("disabled for your tenant"):
		return FeatureDisabled
	default:
		return Forbidden
	}
}

func isHookPath(path string) bool { return strings.HasPrefix(path, apiPath+"/hooks") }

// isHookCollection tells the path that exists for as long as hooks do.
func isHookCollection(path string) bool { return path == apiPath+"/hooks" }

// expectedScopes reads "Insufficient scope, expected any of: read:hooks,create:hooks".
// Auth0 says create:phone_provider there, and grants create:phone_providers.
func expectedScopes(message string) []string {
	_, list, found := strings.Cut(message, "expected any of:")
	if !found {
		return nil
	}
	scopes := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ';' || r == '.' || unicode.IsSpace(r) })
	for i, scope := range scopes {
		if strings.HasSuffix(scope, ":phone_provider") || strings.HasSuffix(scope, ":phone_template") {
			scopes[i] = scope + "s"
		}
	}
	return scopes
}

func scopeList(scopes []string) string {
	switch len(scopes) {
	case 0:
		return "the missing scope"
	case 1:
		return "the scope " + scopes[0]
	default:
		return "one of the scopes " + strings.Join(scopes, ", ")
	}
}

// staticTokenHint explains a refused API token, "" if there is none.
func staticTokenHint(token string) string {
	if token == "" {
		return ""
	}
	reason := "The API token is expired, revoked, or another tenant's"
	if expiry := readClaims(token).Expiry; expiry != nil {
		reason = "The API token is good until " + time.Unix(int64(*expiry), 0).UTC().Format(time.RFC3339) + "; it is expired, revoked, or another tenant's"
	}
	return reason + ". Make a new one (Auth0 Dashboard → Applications → APIs → Auth0 Management API → API Explorer), or use a client id and secret, which renew themselves."
}

// newTokenError explains a refusal of the token endpoint, which answers in the
// form of OAuth: error and error_description.
// https://auth0.com/docs/api/authentication/client-credentials-flow/get-token
func newTokenError(x *exchange, body []byte, cfg Config) *Error {
	var answer struct {
		Error       text `json:"error"`
		Description text `json:"error_description"`
	}
	e := &Error{
		Operation: x.operation, Method: x.method, Path: x.path, host: x.host,
		StatusCode: x.status, RequestID: x.requestID, Kind: Token,
	}
	if json.Unmarshal(body, &answer) == nil {
		e.ErrorCode = clean(string(answer.Error), x.hide)
		e.Message = clean(string(answer.Description), x.hide)
	} else {
		e.Message = "the answer is not the JSON of a token endpoint"
	}
	e.hint = tokenHint(e, cfg)
	return e
}

func tokenHint(e *Error, cfg Config) string {
	says := func(words string) bool { return strings.Contains(e.Message, words) }
	switch {
	case e.StatusCode < 400, e.StatusCode == http.StatusNotFound, e.StatusCode == http.StatusMethodNotAllowed, e.ErrorCode == "" && e.StatusCode < 500:
		return fmt.Sprintf("Check the domain: %s does not answer as an Auth0 tenant. Auth0 Dashboard → Applications → your application → Settings → Domain.", e.host)
	case e.StatusCode >= 500:
		return "If it lasts, a credentials-exchange Action or Hook of the tenant fails: Auth0 Dashboard → Monitoring → Logs. Auth0's own state is at https://status.auth0.com."
	case says("client-grant"), says("not authorized to access"):
		return fmt.Sprintf("Authorise the application %s for the Management API: Auth0 Dashboard → Applications → APIs → Auth0 Management API → Machine to Machine Applications.", cfg.ClientID)
	case says("Service not found"), says("Service not enabled"), says("audience"):
		return fmt.Sprintf("The audience %s is no API of this tenant. If %s is a custom domain, use the tenant's own, such as tenant.eu.auth0.com: the Management API has no other name.", cfg.Audience, e.host)
	case e.ErrorCode == "unauthorized_client", says("Grant type"):
		return fmt.Sprintf("The application %s may not use client credentials: make it a Machine to Machine application (Auth0 Dashboard → Applications → your application → Settings → Advanced Settings → Grant Types → Client Credentials).", cfg.ClientID)
	case cfg.ClientAssertionPrivateKey != "":
		return fmt.Sprintf("Auth0 does not accept the signature of application %s: check client id, private key and signing algorithm (%s) against Auth0 Dashboard → Applications → your application → Credentials, the machine's clock, and that the application belongs to this tenant.", cfg.ClientID, cfg.ClientAssertionSigningAlg)
	default:
		return fmt.Sprintf("Client id %s or its secret is wrong for this tenant: compare both with Auth0 Dashboard → Applications → your application → Settings.", cfg.ClientID)
	}
}

// requestID finds what Auth0 support asks for. The recordings have lost these
// headers; the names are inferred.
func requestID(header http.Header) string {
	id := cmp.Or(header.Get("X-Auth0-Requestid"), header.Get("X-Request-Id"), header.Get("Cf-Ray"))
	return clean(id, nil)
}

const (
	maxMessage = 600 // runes
	hidden     = "(hidden)"
	// shortestSecret keeps a value like "1" from blotting out every digit.
	shortestSecret = 4
)

// jwtPattern finds a token wherever an answer quotes one.
var jwtPattern = regexp.MustCompile(`eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{2,}(\.[A-Za-z0-9_-]*)?`)

// clean makes foreign text fit to show: no secret, no control characters, and
// not endless. Auth0's validation messages quote the value they refuse.
func clean(s string, secrets []string) string {
	for _, secret := range secrets {
		if len(secret) >= shortestSecret {
			s = strings.ReplaceAll(s, secret, hidden)
		}
	}
	s = jwtPattern.ReplaceAllString(s, hidden)
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if runes := []rune(s); len(runes) > maxMessage {
		s = string(runes[:maxMessage]) + "…"
	}
	return strings.TrimSpace(s)
}

// sentence ends text with a full stop.
func sentence(s string) string {
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}
