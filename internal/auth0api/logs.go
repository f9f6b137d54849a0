package auth0api

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// logsPerPage is the most that Auth0 allows.
const logsPerPage = 100

// LogEntry is one entry of the tenant's log, without the details that name a
// person's phone.
type LogEntry struct {
	ID          string
	Date        time.Time
	Type        string // "gd_send_sms_failure": https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes
	Description string
	// Reason is what a failed message gave as its error, empty for other
	// entries.
	Reason string
	// Email says that a failed notification (fn) was an e-mail: Auth0 has one
	// type for those and for phone messages.
	Email      bool
	ClientID   string
	ClientName string
	UserID     string
}

// Logs returns the newest entries that match a Lucene query such as
// type:"gd_send_sms_failure", newest first, at most limit of them. Auth0 pages
// through no more than 1000 and forgets entries after days, depending on the
// subscription.
func (c *Client) Logs(ctx context.Context, query string, limit int) ([]LogEntry, error) {
	return call(ctx, exchange{operation: "search logs"}, func(ctx context.Context) ([]LogEntry, error) {
		var entries []LogEntry
		for page := 0; len(entries) < limit; page++ {
			batch, err := c.logPage(ctx, query, page, min(limit, logsPerPage))
			if err != nil {
				return nil, err
			}
			entries = append(entries, batch...)
			if len(batch) < logsPerPage {
				break
			}
		}
		return entries[:min(len(entries), limit)], nil
	})
}

// logPage goes round go-auth0, which names the query search where the API reads
// q (recordings/go-auth0-v1__TestLogManager_Search.json) and asks for totals,
// whose form is not recorded.
func (c *Client) logPage(ctx context.Context, query string, page, size int) ([]LogEntry, error) {
	var batch []LogEntry
	search := url.Values{
		"q":        {query},
		"sort":     {"date:-1"},
		"page":     {strconv.Itoa(page)},
		"per_page": {strconv.Itoa(size)},
	}
	err := c.send(ctx, http.MethodGet, "/logs?"+search.Encode(), nil, &batch)
	return batch, err
}

// UnmarshalJSON reads an entry as the API gives it.
func (l *LogEntry) UnmarshalJSON(data []byte) error {
	var entry struct {
		ID          string     `json:"log_id"`
		Date        time.Time  `json:"date"`
		Type        string     `json:"type"`
		Description text       `json:"description"`
		ClientID    text       `json:"client_id"`
		ClientName  text       `json:"client_name"`
		UserID      text       `json:"user_id"`
		Details     logDetails `json:"details"`
	}
	if err := json.Unmarshal(data, &entry); err != nil {
		return err
	}
	*l = LogEntry{
		ID: entry.ID, Date: entry.Date, Type: entry.Type, Description: clean(string(entry.Description), nil),
		Reason: entry.Details.reason(), Email: strings.Contains(string(entry.Details.To), "@"),
		ClientID: string(entry.ClientID), ClientName: string(entry.ClientName), UserID: string(entry.UserID),
	}
	return nil
}

// logDetails are the places where entries of gd_send_sms_failure, fn and
// actions_execution_failed keep their reason, the last of them inferred.
type logDetails struct {
	ProviderError  logReason `json:"provider_error"`
	FailureDetails logReason `json:"failure_details"`
	Error          logReason `json:"error"`
	ActionError    logReason `json:"action_error"`
	To             text      `json:"to"`
}

// UnmarshalJSON implements json.Unmarshaler. Details in a form that is not
// known give no reason rather than no entry.
func (d *logDetails) UnmarshalJSON(data []byte) error {
	type plain logDetails
	var details plain
	if json.Unmarshal(data, &details) == nil {
		*d = logDetails(details)
	}
	return nil
}

func (d logDetails) reason() string {
	return cmp.Or(string(d.ProviderError), string(d.FailureDetails), string(d.Error), string(d.ActionError))
}

// logReason is either a text or an object with errorCode and message.
type logReason string

// UnmarshalJSON implements json.Unmarshaler.
func (r *logReason) UnmarshalJSON(data []byte) error {
	var object struct{ ErrorCode, Message text }
	var reason text
	switch {
	case json.Unmarshal(data, &reason) == nil && reason != "":
	case json.Unmarshal(data, &object) == nil && object.ErrorCode != "":
		reason = object.ErrorCode + ": " + object.Message
	default:
		reason = object.Message
	}
	*r = logReason(clean(string(reason), nil))
	return nil
}
