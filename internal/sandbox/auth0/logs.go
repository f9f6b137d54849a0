package auth0

import (
	"cmp"
	"fmt"
	"maps"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

// logEntry is one tenant log entry as GET /logs shows it, with all keys that
// recordings/…TestLogManager.json has.
type logEntry map[string]any

func (e logEntry) text(key string) string {
	text, _ := e[key].(string)
	return text
}

func logListQuery() map[string]*schema {
	query := pagingQuery()
	maps.Copy(query, map[string]*schema{
		"sort":           {kind: "string", pattern: regexp.MustCompile(`^date:(1|-1)$`)},
		"include_fields": {kind: "boolean"},
		"take":           {kind: "integer", minimum: new(1), maximum: new(100)},
		"fields": fieldList("date", "connection", "client_id", "client_name", "ip", "user_id", "user_name",
			"description", "user_agent", "type", "details", "strategy", "strategy_type"),
	})
	return query
}

// addLog appends an entry. The id grows with time, so that checkpoints work.
func (t *Tenant) addLog(kind string, c *client, fields map[string]any) {
	now := t.config.Now().UTC()
	id := fmt.Sprintf("900%s%06d%033d", now.Format("20060102150405"), now.Nanosecond()/1000, len(t.state.logs)+1)
	entry := logEntry{
		"_id": id, "log_id": id, "date": now.Format("2006-01-02T15:04:05.000Z"), "type": kind, "description": "",
		"connection": nil, "connection_id": "", "organization_id": nil, "organization_name": nil,
		"client_id": "", "client_name": "", "ip": "127.0.0.1", "hostname": t.host(), "details": nil,
		"user_id": "", "user_name": "", "user_agent": "Other 0.0.0 / Other 0.0.0", "audience": nil,
		"strategy": nil, "strategy_type": nil, "isMobile": false, "location_info": nil,
	}
	if c != nil {
		entry["client_id"], entry["client_name"] = c.id, c.name
	}
	maps.Copy(entry, fields)
	t.state.logs = append(t.state.logs, entry)
}

func (t *Tenant) host() string {
	_, host, _ := strings.Cut(t.config.BaseURL(), "://")
	return host
}

// logWrite records a Management API write. Auth0 puts request and response
// bodies there; here both stay empty, because they may hold secrets.
func (t *Tenant) logWrite(c *call, description string, status int) {
	query := map[string]any{}
	for name := range c.query {
		query[name] = c.query.Get(name)
	}
	t.addLog("sapi", t.clients[c.claims.ClientID], map[string]any{
		"description": description,
		"ip":          remoteIP(c.request),
		"audience":    c.claims.Audience,
		"details": map[string]any{
			"request": map[string]any{
				"method": strings.ToLower(c.request.Method), "path": c.request.URL.EscapedPath(), "query": query,
				"userAgent": c.request.UserAgent(), "ip": remoteIP(c.request), "channel": "api", "body": nil,
				"auth": map[string]any{
					"strategy": "jwt", "user": map[string]any{},
					"credentials": map[string]any{"scopes": c.claims.scopes()},
				},
			},
			"response": map[string]any{"statusCode": status, "body": map[string]any{}},
		},
	})
}

// logToken records a token exchange, good (seccft) or failed (feccft).
func (t *Tenant) logToken(r *http.Request, clientID string, scopes []string, failure *oauthError) {
	fields := map[string]any{"ip": remoteIP(r), "audience": t.audience(), "scope": strings.Join(scopes, " ")}
	kind := "seccft"
	if failure != nil {
		kind = "feccft"
		fields["description"] = failure.Description
		fields["details"] = map[string]any{"error": map[string]any{"message": failure.Description}}
	}
	t.addLog(kind, t.clients[clientID], fields)
}

// logDeprecated records that something was used which Auth0 takes away. The real
// tenant writes fewer of these entries than there are uses.
func (t *Tenant) logDeprecated(c *client, feature string) {
	t.addLog("depnote", c, map[string]any{
		"description": "Legacy feature used: " + feature,
		"details":     map[string]any{"feature": feature},
	})
}

func remoteIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// listLogs searches newest first, or, given a checkpoint, pages forward from it,
// oldest first.
func (t *Tenant) listLogs(c *call) (reply, error) {
	view := func(entries []logEntry) []map[string]any {
		var views []map[string]any
		for _, e := range entries {
			views = append(views, project(c, e, "_id"))
		}
		return views
	}
	if c.query.Has("from") || c.query.Has("take") {
		entries := t.logsAfter(c.query.Get("from"))
		entries = entries[:min(len(entries), intParam(c, "take", 50))]
		return reply{http.StatusOK, append([]map[string]any{}, view(entries)...)}, nil
	}
	// The OpenAPI document calls it search, every client and recording q.
	match, err := parseLogQuery(cmp.Or(c.query.Get("q"), c.query.Get("search")))
	if err != nil {
		return reply{}, refuse(http.StatusBadRequest, fmt.Sprintf("Query validation error: '%s' on property q.", err), "invalid_query_string")
	}
	var found []logEntry
	for _, e := range t.shownLogs() {
		if match(e) {
			found = append(found, e)
		}
	}
	if c.query.Get("sort") != "date:1" {
		slices.Reverse(found)
	}
	result := page(c, "logs", view(found))
	if wrapped, ok := result.body.(map[string]any); ok {
		logs, _ := wrapped["logs"].([]map[string]any)
		wrapped["length"] = len(logs)
	}
	return result, nil
}

func (t *Tenant) logsAfter(id string) []logEntry {
	logs := t.shownLogs()
	for i, e := range logs {
		if e.text("log_id") > id {
			return logs[i:]
		}
	}
	return nil
}

// shownLogs are the entries that are old enough to be found.
func (t *Tenant) shownLogs() []logEntry {
	delay := time.Duration(t.state.switches.LogDelay)
	if delay == 0 {
		return t.state.logs
	}
	latest := t.config.Now().Add(-delay)
	return slices.DeleteFunc(slices.Clone(t.state.logs), func(e logEntry) bool {
		date, err := time.Parse(time.RFC3339, e.text("date"))
		return err != nil || date.After(latest)
	})
}

func (t *Tenant) readLog(c *call) (reply, error) {
	for _, e := range t.shownLogs() {
		if e.text("log_id") == c.id() {
			return reply{http.StatusOK, e}, nil
		}
	}
	return reply{}, refuse(http.StatusNotFound, "Log not found", "")
}

type logMatch func(logEntry) bool

// parseLogQuery understands the part of Auth0's search syntax that tools use:
// clauses joined by AND, each `field:value`, `field:"value"`,
// `field:("a" OR "b")` or `date:[from TO to]` with * for an open end. Anything
// else is an error, because a query that silently matches too much would hide a
// mistake.
func parseLogQuery(query string) (logMatch, error) {
	var clauses []logMatch
	for clause := range strings.SplitSeq(query, " AND ") {
		if strings.TrimSpace(clause) == "" {
			continue
		}
		match, err := parseLogClause(strings.TrimSpace(clause))
		if err != nil {
			return nil, err
		}
		clauses = append(clauses, match)
	}
	return func(e logEntry) bool {
		return !slices.ContainsFunc(clauses, func(m logMatch) bool { return !m(e) })
	}, nil
}

func parseLogClause(clause string) (logMatch, error) {
	field, value, ok := strings.Cut(clause, ":")
	if !ok || field == "" || value == "" || strings.ContainsAny(field, ` "()`) {
		return nil, fmt.Errorf("cannot parse clause %s", clause)
	}
	if interval, ok := enclosed(value, "[", "]"); ok && field == "date" {
		return parseLogInterval(interval)
	}
	alternatives := []string{value}
	if list, ok := enclosed(value, "(", ")"); ok {
		alternatives = strings.Split(list, " OR ")
	}
	for i, alternative := range alternatives {
		word, quoted := enclosed(strings.TrimSpace(alternative), `"`, `"`)
		if strings.Contains(word, `"`) || !quoted && strings.ContainsAny(word, " ()[]*?") {
			return nil, fmt.Errorf("cannot parse value %s", alternative)
		}
		alternatives[i] = word
	}
	return func(e logEntry) bool { return slices.Contains(alternatives, e.text(field)) }, nil
}

func parseLogInterval(interval string) (logMatch, error) {
	first, last, ok := strings.Cut(interval, " TO ")
	if !ok {
		return nil, fmt.Errorf("cannot parse interval %s", interval)
	}
	from, err := parseLogDate(first)
	if err != nil {
		return nil, err
	}
	to, err := parseLogDate(last)
	if err != nil {
		return nil, err
	}
	return func(e logEntry) bool {
		date, err := time.Parse(time.RFC3339, e.text("date"))
		return err == nil && (from.IsZero() || !date.Before(from)) && (to.IsZero() || !date.After(to))
	}, nil
}

func parseLogDate(text string) (time.Time, error) {
	if text == "*" {
		return time.Time{}, nil
	}
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	date, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("cannot parse date %s", text)
	}
	return date, nil
}

// enclosed returns what is between two marks, or the whole text without them.
func enclosed(text, before, after string) (string, bool) {
	if inner, ok := strings.CutPrefix(text, before); ok {
		if inner, ok := strings.CutSuffix(inner, after); ok {
			return inner, true
		}
	}
	return text, false
}
