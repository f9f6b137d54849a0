package sandbox

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// maxControlBody bounds a request of the control API.
const maxControlBody = 1 << 20

// endpoint is one operation of the control API. Its result is sent as JSON; nil is 204 No Content.
type endpoint struct {
	pattern string
	handle  func(*http.Request) (any, error)
}

func (w *World) endpoints() []endpoint {
	return []endpoint{
		{"GET /sandbox/", func(*http.Request) (any, error) { return w.Describe(), nil }},
		{"POST /sandbox/reset", func(*http.Request) (any, error) { return nil, w.Reset() }},
		{"POST /sandbox/clock", w.advanceClock},
		{"GET /sandbox/faults", w.listFaults},
		{"POST /sandbox/faults", w.addFault},
		{"DELETE /sandbox/faults", w.removeFaults},
		{"DELETE /sandbox/faults/{id}", w.removeFault},
		{"POST /sandbox/faults/{id}/release", w.releaseFault},
		{"GET /sandbox/journal", w.readJournal},
		{"GET /sandbox/{instance}/state", w.onInstance(readState)},
		{"POST /sandbox/{instance}/seed", w.onInstance(seed)},
		{"GET /sandbox/{instance}/inbox", w.onInstance(readInbox)},
		{"GET /sandbox/{instance}/outbox", w.onInstance(readOutbox)},
		{"POST /sandbox/{instance}/challenge", w.onInstance(challenge)},
	}
}

func (w *World) controlAPI() http.Handler {
	mux := http.NewServeMux()
	for _, e := range w.endpoints() {
		pattern := e.pattern
		if strings.HasSuffix(pattern, "/") {
			pattern += "{$}"
		}
		mux.HandleFunc(pattern, func(rw http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(rw, r.Body, maxControlBody)
			result, err := e.handle(r)
			respond(rw, result, err)
		})
	}
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		respond(rw, nil, &apiError{http.StatusNotFound, fmt.Sprintf("no %s %s here: GET /sandbox/ lists what there is", r.Method, r.URL.Path)})
	})
	return mux
}

// apiError is a failure with its HTTP status. Any other error is answered 500.
type apiError struct {
	status  int
	message string
}

func (e *apiError) Error() string { return e.message }

func badRequest(format string, args ...any) error {
	return &apiError{http.StatusBadRequest, fmt.Sprintf(format, args...)}
}

func respond(w http.ResponseWriter, result any, err error) {
	status := http.StatusOK
	if err != nil {
		status = http.StatusInternalServerError
		if known, ok := errors.AsType[*apiError](err); ok {
			status = known.status
		}
		result = map[string]string{"error": err.Error()}
	}
	if result == nil {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(result) // Fails only when the receiver is gone.
}

// decode reads the one JSON object of a request. A field that does not exist is an error that names it: a mistyped
// switch must not look like one that does nothing.
func decode(r *http.Request, into any) error {
	decoder := json.NewDecoder(r.Body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return badRequest("request body: %v", err)
	}
	if err := decoder.Decode(new(json.RawMessage)); !errors.Is(err, io.EOF) {
		return badRequest("request body: more than one JSON value")
	}
	return nil
}

func (w *World) advanceClock(r *http.Request) (any, error) {
	var body struct {
		Advance string `json:"advance"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(body.Advance)
	if err != nil || d <= 0 {
		return nil, badRequest(`advance: want a positive duration like "24h", got %q`, body.Advance)
	}
	w.Kernel.Clock.Advance(d)
	for _, instance := range w.instances {
		if _, err := instance.Tenant.Deliver(r.Context()); err != nil {
			return nil, fmt.Errorf("the clock has moved, and a message that was due could not be played: %w", err)
		}
	}
	return map[string]time.Time{"now": w.Kernel.Clock.Now()}, nil
}

// faultBody is a fault as people write it: the delay as "2s".
type faultBody struct {
	control.FaultStatus
	Delay string `json:"delay,omitempty"`
}

func (w *World) listFaults(*http.Request) (any, error) {
	list := []faultBody{}
	for _, status := range w.Kernel.Faults.List() {
		body := faultBody{FaultStatus: status}
		if status.Delay > 0 {
			body.Delay = status.Delay.String()
		}
		list = append(list, body)
	}
	return list, nil
}

func (w *World) addFault(r *http.Request) (any, error) {
	var body struct {
		control.Fault
		Delay string `json:"delay"`
	}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if body.Delay != "" {
		d, err := time.ParseDuration(body.Delay)
		if err != nil {
			return nil, badRequest(`delay: want a duration like "2s", got %q`, body.Delay)
		}
		body.Fault.Delay = d
	}
	id, err := w.Kernel.Faults.Add(body.Fault)
	if err != nil {
		return nil, badRequest("%v", err)
	}
	return map[string]string{"id": id}, nil
}

func (w *World) removeFaults(*http.Request) (any, error) {
	w.Kernel.Faults.Reset()
	return nil, nil
}

func (w *World) removeFault(r *http.Request) (any, error) {
	return nil, notFound(w.Kernel.Faults.Remove(r.PathValue("id")))
}

func (w *World) releaseFault(r *http.Request) (any, error) {
	return nil, notFound(w.Kernel.Faults.Release(r.PathValue("id")))
}

// notFound gives the only error of looking a fault up its status.
func notFound(err error) error {
	if err == nil {
		return nil
	}
	return &apiError{http.StatusNotFound, err.Error()}
}

func (w *World) readJournal(r *http.Request) (any, error) {
	var since int64
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = strconv.ParseInt(text, 10, 64); err != nil {
			return nil, badRequest("since: want the seq of an entry, got %q", text)
		}
	}
	return append([]control.Entry{}, w.Kernel.Journal.Entries(since)...), nil
}

// onInstance finds the instance that the path names.
func (w *World) onInstance(handle func(*Instance, *http.Request) (any, error)) func(*http.Request) (any, error) {
	return func(r *http.Request) (any, error) {
		instance := w.Instance(r.PathValue("instance"))
		if instance == nil {
			return nil, &apiError{http.StatusNotFound, fmt.Sprintf("no instance %q: this sandbox has %s", r.PathValue("instance"), strings.Join(w.options.Instances, ", "))}
		}
		return handle(instance, r)
	}
}

func readState(i *Instance, _ *http.Request) (any, error) {
	return map[string]any{"auth0": i.Tenant.Snapshot(), "aws": i.Account.Snapshot()}, nil
}

// readInbox plays what is due first, so that somebody who waits sees it arrive.
func readInbox(i *Instance, r *http.Request) (any, error) {
	if _, err := i.Tenant.Deliver(r.Context()); err != nil {
		return nil, err
	}
	return i.Account.Inbox(), nil
}

// readOutbox lists what the tenant sent by itself or through Twilio.
func readOutbox(i *Instance, _ *http.Request) (any, error) {
	return append([]auth0.OutboxMessage{}, i.Tenant.Outbox()...), nil
}

// Seed sets the switches of both sides of an instance. What it leaves out stays as it is.
type Seed struct {
	Auth0 Auth0Seed `json:"auth0"`
	AWS   AWSSeed   `json:"aws"`
}

// Auth0Seed are the switches of a tenant, and what happens to the application that a description names.
type Auth0Seed struct {
	auth0.Switches
	// ClientScopes replaces the scopes of the application's grant, and makes the grant if there is none.
	ClientScopes *GrantScopes `json:"client_scopes,omitempty"`
	// DeleteClientGrant takes the grant away. ClientScopes gives it back.
	DeleteClientGrant bool `json:"delete_client_grant,omitempty"`
	// RevokeTokens makes every access token issued so far invalid.
	RevokeTokens bool `json:"revoke_tokens,omitempty"`
}

// GrantScopes are scopes of the Management API: in JSON a list of names, or "all".
type GrantScopes struct {
	All   bool
	Names []string
}

// UnmarshalJSON reads either form.
func (s *GrantScopes) UnmarshalJSON(data []byte) error {
	if string(data) == `"all"` {
		*s = GrantScopes{All: true}
		return nil
	}
	*s = GrantScopes{}
	if err := json.Unmarshal(data, &s.Names); err != nil {
		return errors.New(`client_scopes: want "all" or a list of scopes, such as ["read:hooks"]`)
	}
	return nil
}

// AWSSeed are the switches of an account.
type AWSSeed struct {
	SMSSandbox   *SMSSandboxSeed   `json:"sms_sandbox,omitempty"`
	MonthlySpend *MonthlySpendSeed `json:"monthly_spend,omitempty"`
	// OptedOut replaces the numbers that want no messages.
	OptedOut *[]string `json:"opted_out,omitempty"`
	// OriginationNumbers replaces the numbers that the account's messages can come from.
	OriginationNumbers *[]aws.OriginationNumber `json:"origination_numbers,omitempty"`
	// OperatorPolicy is the policy document that replaces the operator's AdministratorAccess; "" gives that back.
	OperatorPolicy *string `json:"operator_policy,omitempty"`
}

// SMSSandboxSeed puts the account into the SMS sandbox, where only verified numbers get messages, or takes it out.
type SMSSandboxSeed struct {
	Inside   bool     `json:"inside"`
	Verified []string `json:"verified,omitempty"`
}

// MonthlySpendSeed is the limit AWS granted and the month's spending so far, in USD.
type MonthlySpendSeed struct {
	Limit float64 `json:"limit"`
	Spent float64 `json:"spent"`
}

func seed(i *Instance, r *http.Request) (any, error) {
	body := Seed{Auth0: Auth0Seed{Switches: i.Tenant.Switches()}}
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	if err := body.Auth0.apply(i.Tenant); err != nil {
		return nil, badRequest("auth0: %v", err)
	}
	if err := body.AWS.apply(i); err != nil {
		return nil, badRequest("aws: %v", err)
	}
	return nil, nil
}

func (s Auth0Seed) apply(tenant *auth0.Tenant) error {
	if err := tenant.SetSwitches(s.Switches); err != nil {
		return err
	}
	if s.ClientScopes != nil {
		scopes := s.ClientScopes.Names
		if s.ClientScopes.All {
			scopes = tenant.AllScopes()
		}
		tenant.SetGrantScopes(tenant.Client().ClientID, scopes)
	}
	if s.DeleteClientGrant {
		tenant.DeleteGrant(tenant.Client().ClientID)
	}
	if s.RevokeTokens {
		tenant.RevokeTokens()
	}
	return nil
}

func (s AWSSeed) apply(i *Instance) error {
	if s.OperatorPolicy != nil {
		if err := i.Account.SetOperatorPolicy(*s.OperatorPolicy); err != nil {
			return err
		}
	}
	if s.SMSSandbox != nil {
		i.Account.SetSMSSandbox(s.SMSSandbox.Inside, s.SMSSandbox.Verified)
	}
	if s.MonthlySpend != nil {
		i.Account.SetMonthlySpend(s.MonthlySpend.Limit, s.MonthlySpend.Spent)
	}
	if s.OptedOut != nil {
		i.Account.SetOptedOut(*s.OptedOut)
	}
	if s.OriginationNumbers != nil {
		i.Account.SetOriginationNumbers(*s.OriginationNumbers)
	}
	return nil
}

func challenge(i *Instance, r *http.Request) (any, error) {
	var body auth0.ChallengeRequest
	if err := decode(r, &body); err != nil {
		return nil, err
	}
	result, err := i.Tenant.Challenge(r.Context(), body)
	if err != nil {
		return nil, &apiError{http.StatusUnprocessableEntity, err.Error()}
	}
	return result, nil
}
