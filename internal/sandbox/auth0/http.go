package auth0

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	apiPrefix    = "/api/v2"
	maxBodyBytes = 1 << 20
)

// route is one line of the Management API's table: what a call needs to get
// through, and what it does then.
type route struct {
	method, path string
	scopes       []string // any one of them is enough
	gate         func(*Tenant, *call) error
	params       map[string]*schema // path parameters
	query        map[string]*schema // known query parameters; others are ignored, as recorded
	body         *schema            // a nullable one may be left out
	write        string             // description of the tenant log's sapi entry; "" for reads
	deprecated   string             // what the tenant log calls its use; "" for none
	handle       func(*Tenant, *call) (reply, error)
}

// table lists every route. One object of the API is one file; its handlers and
// schemas are there.
func table() []route {
	hookID := map[string]*schema{"id": hookIDSchema()}
	triggerID := map[string]*schema{"triggerId": actionTriggerSchema()}
	actions := func(scope string) []string { return []string{scope + ":actions"} }
	phoneProviders := func(scope string) []string { return []string{scope + ":phone_providers"} }
	phoneTemplates := func(scope string) []string { return []string{scope + ":phone_templates"} }
	notificationID := map[string]*schema{"id": notificationIDSchema()}
	factors := func(scope string) []string { return []string{scope + ":guardian_factors"} }
	routes := []route{
		{method: "GET", path: "/hooks", scopes: []string{"read:hooks"}, gate: hooksExist, query: hookListQuery(), handle: (*Tenant).listHooks},
		{method: "POST", path: "/hooks", scopes: []string{"create:hooks"}, gate: hooksEditable, body: hookCreateSchema(), write: "Create a Hook", handle: (*Tenant).createHook},
		{method: "GET", path: "/hooks/{id}", scopes: []string{"read:hooks"}, gate: hooksExist, params: hookID, query: hookFieldsQuery(), handle: (*Tenant).readHook},
		{method: "PATCH", path: "/hooks/{id}", scopes: []string{"update:hooks"}, gate: hooksEditable, params: hookID, body: hookUpdateSchema(), write: "Update a Hook", handle: (*Tenant).updateHook},
		{method: "DELETE", path: "/hooks/{id}", scopes: []string{"delete:hooks"}, gate: hooksExist, params: hookID, write: "Delete a Hook", handle: (*Tenant).deleteHook},
		{method: "GET", path: "/hooks/{id}/secrets", scopes: []string{"read:hooks"}, gate: hooksExist, params: hookID, handle: (*Tenant).readHookSecrets},
		{method: "POST", path: "/hooks/{id}/secrets", scopes: []string{"update:hooks"}, gate: hookSecretsEditable, params: hookID, body: hookSecretsSchema(), write: "Add Hook Secrets", handle: (*Tenant).createHookSecrets},
		{method: "PATCH", path: "/hooks/{id}/secrets", scopes: []string{"update:hooks"}, gate: hookSecretsEditable, params: hookID, body: hookSecretsSchema(), write: "Update Hook Secrets", handle: (*Tenant).updateHookSecrets},
		{method: "DELETE", path: "/hooks/{id}/secrets", scopes: []string{"delete:hooks"}, gate: hooksExist, params: hookID, body: hookSecretNamesSchema(), write: "Delete Hook Secrets", handle: (*Tenant).deleteHookSecrets},

		{method: "GET", path: "/actions/actions", scopes: actions("read"), query: actionListQuery(), handle: (*Tenant).listActions},
		{method: "POST", path: "/actions/actions", scopes: actions("create"), body: actionCreateSchema(), write: "Create an action", handle: (*Tenant).createAction},
		{method: "GET", path: "/actions/actions/{id}", scopes: actions("read"), handle: (*Tenant).readAction},
		{method: "PATCH", path: "/actions/actions/{id}", scopes: actions("update"), body: actionUpdateSchema(), write: "Update an action", handle: (*Tenant).updateAction},
		{method: "DELETE", path: "/actions/actions/{id}", scopes: actions("delete"), query: map[string]*schema{"force": {kind: "boolean"}}, write: "Delete an action", handle: (*Tenant).deleteAction},
		{method: "POST", path: "/actions/actions/{id}/deploy", scopes: actions("create"), write: "Deploy an action", handle: (*Tenant).deployAction},
		{method: "POST", path: "/actions/actions/{id}/test", scopes: actions("create"), body: actionTestSchema(), write: "Test an action", handle: (*Tenant).testAction},
		{method: "GET", path: "/actions/actions/{actionId}/versions", scopes: actions("read"), query: wrappedPagingQuery(), handle: (*Tenant).listActionVersions},
		{method: "GET", path: "/actions/actions/{actionId}/versions/{id}", scopes: actions("read"), handle: (*Tenant).readActionVersion},
		{method: "POST", path: "/actions/actions/{actionId}/versions/{id}/deploy", scopes: actions("create"), body: rollBackSchema(), write: "Deploy an action version", handle: (*Tenant).deployActionVersion},
		{method: "GET", path: "/actions/executions/{id}", scopes: actions("read"), handle: (*Tenant).readExecution},
		{method: "GET", path: "/actions/triggers", scopes: actions("read"), handle: (*Tenant).listTriggers},
		{method: "GET", path: "/actions/triggers/{triggerId}/bindings", scopes: actions("read"), params: triggerID, query: wrappedPagingQuery(), handle: (*Tenant).listBindings},
		{method: "PATCH", path: "/actions/triggers/{triggerId}/bindings", scopes: actions("update"), params: triggerID, body: bindingsSchema(), write: "Update trigger bindings", handle: (*Tenant).putBindings},

		{method: "GET", path: "/guardian/factors", scopes: factors("read"), handle: (*Tenant).listFactors},
		{method: "PUT", path: "/guardian/factors/{name}", scopes: factors("update"), params: map[string]*schema{"name": factorNameSchema()}, body: factorSchema(), write: "Update a Guardian Factor", handle: (*Tenant).putFactor},
		{method: "GET", path: "/guardian/factors/phone/message-types", scopes: factors("read"), handle: (*Tenant).readMessageTypes},
		{method: "PUT", path: "/guardian/factors/phone/message-types", scopes: factors("update"), body: messageTypesSchema(), write: "Update Guardian Phone Message Types", handle: (*Tenant).putMessageTypes},
		{method: "GET", path: "/guardian/policies", scopes: []string{"read:mfa_policies"}, handle: (*Tenant).readPolicies},
		{method: "PUT", path: "/guardian/policies", scopes: []string{"update:mfa_policies"}, body: policiesSchema(), write: "Set the Multi-factor Authentication policies", handle: (*Tenant).putPolicies},

		{method: "GET", path: "/branding/phone/providers", scopes: phoneProviders("read"), query: disabledQuery(), handle: (*Tenant).listPhoneProviders},
		{method: "POST", path: "/branding/phone/providers", scopes: phoneProviders("create"), body: phoneProviderCreateSchema(), write: "Configure the phone provider", handle: (*Tenant).createPhoneProvider},
		{method: "GET", path: "/branding/phone/providers/{id}", scopes: phoneProviders("read"), params: notificationID, handle: (*Tenant).readPhoneProvider},
		{method: "PATCH", path: "/branding/phone/providers/{id}", scopes: phoneProviders("update"), params: notificationID, body: phoneProviderUpdateSchema(), write: "Update the phone provider", handle: (*Tenant).updatePhoneProvider},
		{method: "DELETE", path: "/branding/phone/providers/{id}", scopes: phoneProviders("delete"), params: notificationID, write: "Deletes a Phone Provider", handle: (*Tenant).deletePhoneProvider},
		{method: "POST", path: "/branding/phone/providers/{id}/try", scopes: phoneProviders("create"), params: notificationID, body: trySchema(), write: "Send a test phone notification for the configured provider", handle: (*Tenant).tryPhoneProvider},
		{method: "GET", path: "/branding/phone/templates", scopes: phoneTemplates("read"), query: disabledQuery(), handle: (*Tenant).listPhoneTemplates},
		{method: "POST", path: "/branding/phone/templates", scopes: phoneTemplates("create"), body: phoneTemplateCreateSchema(), write: "Create a phone notification template", handle: (*Tenant).createPhoneTemplate},
		{method: "GET", path: "/branding/phone/templates/{id}", scopes: phoneTemplates("read"), params: notificationID, handle: (*Tenant).readPhoneTemplate},
		{method: "PATCH", path: "/branding/phone/templates/{id}", scopes: phoneTemplates("update"), params: notificationID, body: phoneTemplateUpdateSchema(), write: "Update a phone notification template", handle: (*Tenant).updatePhoneTemplate},
		{method: "DELETE", path: "/branding/phone/templates/{id}", scopes: phoneTemplates("delete"), params: notificationID, write: "Delete a phone notification template", handle: (*Tenant).deletePhoneTemplate},
		{method: "PATCH", path: "/branding/phone/templates/{id}/reset", scopes: phoneTemplates("update"), params: notificationID, body: &schema{nullable: true}, write: "Resets a phone notification template values", handle: (*Tenant).resetPhoneTemplate},
		{method: "POST", path: "/branding/phone/templates/{id}/try", scopes: phoneTemplates("create"), params: notificationID, body: tryTemplateSchema(), write: "Send a test phone notification for the given template", handle: (*Tenant).tryPhoneTemplate},

		{method: "GET", path: "/tenants/settings", scopes: []string{"read:tenant_settings"}, query: settingsQuery(), handle: (*Tenant).readSettings},
		{method: "PATCH", path: "/tenants/settings", scopes: []string{"update:tenant_settings"}, body: settingsSchema(), write: "Update tenant settings", handle: (*Tenant).updateSettings},

		{method: "GET", path: "/logs", scopes: []string{"read:logs", "read:logs_users"}, gate: deliverDue, query: logListQuery(), handle: (*Tenant).listLogs},
		{method: "GET", path: "/logs/{id}", scopes: []string{"read:logs", "read:logs_users"}, gate: deliverDue, handle: (*Tenant).readLog},

		{method: "GET", path: "/clients", scopes: clientReadScopes(), query: clientListQuery(), handle: (*Tenant).listClients},
		{method: "POST", path: "/clients", scopes: []string{"create:clients"}, body: clientCreateSchema(), write: "Create a client", handle: (*Tenant).createClient},
		{method: "GET", path: "/clients/{id}", scopes: clientReadScopes(), query: clientListQuery(), handle: (*Tenant).readClient},
		{method: "DELETE", path: "/clients/{id}", scopes: []string{"delete:clients"}, write: "Delete a client", handle: (*Tenant).deleteClient},
		{method: "GET", path: "/client-grants", scopes: []string{"read:client_grants"}, query: pagingQuery(), handle: (*Tenant).listGrants},
		{method: "POST", path: "/client-grants", scopes: []string{"create:client_grants"}, body: grantCreateSchema(), write: "Create a client grant", handle: (*Tenant).createGrant},
		{method: "GET", path: "/client-grants/{id}", scopes: []string{"read:client_grants"}, handle: (*Tenant).readGrant},
		{method: "PATCH", path: "/client-grants/{id}", scopes: []string{"update:client_grants"}, body: grantUpdateSchema(), write: "Update a client grant", handle: (*Tenant).updateGrant},
		{method: "DELETE", path: "/client-grants/{id}", scopes: []string{"delete:client_grants"}, write: "Delete a client grant", handle: (*Tenant).deleteGrant},
	}
	// "sms" is the older, deprecated name of the same three resources.
	for _, alias := range []string{"phone", "sms"} {
		base, deprecated := "/guardian/factors/"+alias, ""
		if alias == "sms" {
			deprecated = "guardian/factors/sms"
		}
		routes = append(routes,
			route{method: "GET", path: base + "/selected-provider", scopes: factors("read"), gate: legacyPhone, deprecated: deprecated, handle: (*Tenant).readProvider},
			route{method: "PUT", path: base + "/selected-provider", scopes: factors("update"), gate: legacyPhone, body: providerSchema(), write: "Update Guardian Phone Provider", deprecated: deprecated, handle: (*Tenant).putProvider},
			route{method: "GET", path: base + "/templates", scopes: factors("read"), gate: legacyPhone, deprecated: deprecated, handle: (*Tenant).readTemplates},
			route{method: "PUT", path: base + "/templates", scopes: factors("update"), gate: legacyPhone, body: templatesSchema(), write: "Update Guardian Phone Templates", deprecated: deprecated, handle: (*Tenant).putTemplates},
			route{method: "GET", path: base + "/providers/twilio", scopes: factors("read"), gate: legacyPhone, deprecated: deprecated, handle: (*Tenant).readTwilio},
			route{method: "PUT", path: base + "/providers/twilio", scopes: factors("update"), gate: legacyPhone, body: twilioSchema(), write: "Update Guardian Twilio Provider", deprecated: deprecated, handle: (*Tenant).putTwilio},
		)
	}
	return routes
}

// call is one request that has passed authentication. body is decoded JSON.
type call struct {
	request *http.Request
	query   url.Values
	body    any
	claims  claims
}

func (c *call) id() string { return c.request.PathValue("id") }

// object returns the body of a route whose schema says that it is an object.
func (c *call) object() map[string]any {
	object, _ := c.body.(map[string]any)
	return object
}

// reply is a success; a nil body is an empty response.
type reply struct {
	status int
	body   any
}

// problem is a failure in the Management API's own envelope.
type problem struct {
	StatusCode int               `json:"statusCode"`
	Name       string            `json:"error"`
	Message    string            `json:"message"`
	ErrorCode  string            `json:"errorCode,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s", p.StatusCode, p.Message) }

// refuse makes a failure. Many real ones have no errorCode: pass "" for those.
func refuse(status int, message, code string) error {
	return &problem{StatusCode: status, Name: http.StatusText(status), Message: message, ErrorCode: code}
}

func notFound() error { return refuse(http.StatusNotFound, "Not Found", "") }

// router builds the mux and returns it with every scope its routes ask for, also
// for a part of a body.
func (t *Tenant) router() (*http.ServeMux, []string) {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /oauth/token", t.serveToken)
	scopes := []string{createCredentials}
	for _, r := range table() {
		mux.HandleFunc(r.method+" "+apiPrefix+r.path, func(w http.ResponseWriter, request *http.Request) {
			t.serveRoute(w, request, r)
		})
		scopes = append(scopes, r.scopes...)
	}
	slices.Sort(scopes)
	return mux, slices.Compact(scopes)
}

// ServeHTTP serves the token endpoint and the Management API. Any other address
// gets the bare 404 that a wrong Auth0 domain gives.
func (t *Tenant) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Auth0's own name. Date is set because net/http would tell the machine's
	// time, and a client may well measure x-ratelimit-reset against it.
	w.Header().Set("x-auth0-requestid", randomHex(10))
	w.Header().Set("Date", t.config.Now().UTC().Format(http.TimeFormat))
	_, pattern := t.mux.Handler(r)
	switch {
	case pattern != "":
		t.mux.ServeHTTP(w, r)
	case strings.HasPrefix(r.URL.Path, apiPrefix+"/"):
		writeError(w, notFound())
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "Not found.")
	}
}

// Operation names a request by its route, e.g. "PATCH /api/v2/hooks/{id}/secrets".
// A request that no route takes is named by its own path.
func (t *Tenant) Operation(r *http.Request, _ []byte) string {
	if _, pattern := t.mux.Handler(r); pattern != "" {
		return pattern
	}
	return r.Method + " " + r.URL.Path
}

// Principal returns the client id in the request's access token, "" when it has
// none that this tenant signed.
func (t *Tenant) Principal(r *http.Request) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, err := t.verify(bearer(r))
	if err != nil && !errors.Is(err, errExpired) {
		return ""
	}
	return c.ClientID
}

func (t *Tenant) serveRoute(w http.ResponseWriter, r *http.Request, route route) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBodyBytes))
	if err != nil {
		writeError(w, refuse(http.StatusRequestEntityTooLarge, "Payload content length greater than maximum allowed", ""))
		return
	}
	t.mu.Lock()
	answer, err := t.perform(w.Header(), r, route, body)
	t.mu.Unlock()
	if err != nil {
		writeError(w, err)
		return
	}
	writeJSON(w, answer.status, answer.body)
}

// perform takes a request through the stages of the real API, in its order:
// who, how often, allowed, available, well-formed.
func (t *Tenant) perform(header http.Header, r *http.Request, route route, body []byte) (reply, error) {
	claims, err := t.authenticate(header, r)
	if err != nil {
		return reply{}, err
	}
	if err := t.limiter.take(header, t.config.Now()); err != nil {
		return reply{}, err
	}
	if !claims.hasAny(route.scopes) {
		return reply{}, refuse(http.StatusForbidden, "Insufficient scope, expected any of: "+strings.Join(route.scopes, ","), "insufficient_scope")
	}
	c := &call{request: r, query: r.URL.Query(), claims: claims}
	if route.body != nil && (len(body) > 0 || !route.body.nullable) {
		if err := json.NewDecoder(bytes.NewReader(body)).Decode(&c.body); err != nil {
			return reply{}, refuse(http.StatusBadRequest, "Invalid request payload JSON format", "invalid_body")
		}
	}
	if route.gate != nil {
		if err := route.gate(t, c); err != nil {
			return reply{}, err
		}
	}
	if err := route.validate(c); err != nil {
		return reply{}, err
	}
	answer, err := route.handle(t, c)
	if err == nil && route.write != "" {
		t.logWrite(c, route.write, answer.status)
	}
	if err == nil && route.deprecated != "" {
		t.logDeprecated(t.clients[claims.ClientID], route.deprecated)
	}
	return answer, err
}

func (r route) validate(c *call) error {
	if err := checkStrings(r.params, c.request.PathValue, "Path", "invalid_uri"); err != nil {
		return err
	}
	if err := checkStrings(r.query, c.query.Get, "Query", "invalid_query_string"); err != nil {
		return err
	}
	if r.body == nil {
		return nil
	}
	return r.body.check(c.body).as("Payload", "invalid_body")
}

func (t *Tenant) authenticate(header http.Header, r *http.Request) (claims, error) {
	token := bearer(r)
	if token == "" {
		return claims{}, refuse(http.StatusUnauthorized, "Missing authentication", "")
	}
	c, err := t.verify(token)
	if err != nil {
		header.Set("WWW-Authenticate", fmt.Sprintf("Bearer error=%q", err))
		return claims{}, &problem{
			StatusCode: http.StatusUnauthorized,
			Name:       http.StatusText(http.StatusUnauthorized),
			Message:    err.Error(),
			Attributes: map[string]string{"error": err.Error()},
		}
	}
	return c, nil
}

func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// RateLimit is a token bucket. A free tenant has 2 and 2, an enterprise
// development tenant 10 and 2, an enterprise production tenant 50 and 16.
// https://auth0.com/docs/troubleshoot/customer-support/operational-policies/rate-limit-policy
type RateLimit struct {
	Burst     int     `json:"burst"`
	PerSecond float64 `json:"per_second"`
}

type bucket struct {
	limit RateLimit
	spent float64 // tokens missing from a full bucket
	at    time.Time
}

// take spends one token and writes the x-ratelimit headers. The reset time is
// when the next token arrives, in whole UNIX seconds.
func (b *bucket) take(header http.Header, now time.Time) error {
	if b.limit.Burst <= 0 || b.limit.PerSecond <= 0 {
		return nil
	}
	burst := float64(b.limit.Burst)
	if elapsed := now.Sub(b.at); elapsed > 0 {
		b.spent = math.Max(0, b.spent-elapsed.Seconds()*b.limit.PerSecond)
	}
	b.at = now
	allowed := burst-b.spent >= 1
	if allowed {
		b.spent++
	}
	left := burst - b.spent
	wait := (math.Floor(left) + 1 - left) / b.limit.PerSecond
	reset := math.Ceil(float64(now.UnixNano())/1e9 + wait)
	header.Set("x-ratelimit-limit", strconv.Itoa(b.limit.Burst))
	header.Set("x-ratelimit-remaining", strconv.Itoa(int(left)))
	header.Set("x-ratelimit-reset", strconv.FormatInt(int64(reset), 10))
	if !allowed {
		return refuse(http.StatusTooManyRequests, "Global limit has been reached", "too_many_requests")
	}
	return nil
}

func writeError(w http.ResponseWriter, err error) {
	var p *problem
	if !errors.As(err, &p) {
		p = &problem{StatusCode: http.StatusInternalServerError, Name: http.StatusText(http.StatusInternalServerError), Message: err.Error()}
	}
	writeJSON(w, p.StatusCode, p)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if body == nil {
		w.WriteHeader(status)
		return
	}
	raw, err := json.Marshal(body)
	if err != nil {
		status, raw = http.StatusInternalServerError, nil
	}
	w.WriteHeader(status)
	_, _ = w.Write(raw) // an error means that the client is gone: nobody to tell
}

// page cuts items by page and per_page and wraps them the way include_totals asks.
func page[T any](c *call, name string, items []T) reply {
	part, number, size := cut(c, items, 50)
	if c.query.Get("include_totals") != "true" {
		return reply{http.StatusOK, part}
	}
	return reply{http.StatusOK, map[string]any{"start": number * size, "limit": size, "total": len(items), name: part}}
}

// wrappedPage cuts items like page. Its lists are wrapped always, and the number
// of the first page is left out, as recorded.
func wrappedPage[T any](c *call, name string, items []T) reply {
	part, number, size := cut(c, items, 20)
	body := map[string]any{name: part, "total": len(items), "per_page": size}
	if number > 0 {
		body["page"] = number
	}
	return reply{http.StatusOK, body}
}

func cut[T any](c *call, items []T, defaultSize int) (part []T, number, size int) {
	number, size = intParam(c, "page", 0), intParam(c, "per_page", defaultSize)
	start := min(number*size, len(items))
	part = items[start:min(start+size, len(items))]
	if part == nil {
		part = []T{}
	}
	return part, number, size
}

func wrappedPagingQuery() map[string]*schema {
	query := pagingQuery()
	delete(query, "include_totals")
	return query
}

func pagingQuery() map[string]*schema {
	return map[string]*schema{
		"page":           {kind: "integer", minimum: new(0)},
		"per_page":       {kind: "integer", minimum: new(0), maximum: new(100)},
		"include_totals": {kind: "boolean"},
	}
}

func intParam(c *call, name string, otherwise int) int {
	if n, err := strconv.Atoi(c.query.Get(name)); err == nil {
		return n
	}
	return otherwise
}

// project keeps the named keys of object, or drops them when include_fields is
// false. Keys in always are kept whatever was asked.
func project(c *call, object map[string]any, always ...string) map[string]any {
	fields := c.query.Get("fields")
	if fields == "" {
		return object
	}
	names, include := strings.Split(fields, ","), c.query.Get("include_fields") != "false"
	result := map[string]any{}
	for key, value := range object {
		if slices.Contains(names, key) == include || slices.Contains(always, key) {
			result[key] = value
		}
	}
	return result
}
