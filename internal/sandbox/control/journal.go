package control

import (
	"net/url"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// journalSize bounds the memory of a sandbox that is left running.
const journalSize = 10_000

// Entry is one request that reached an emulated service. It holds no body, and no secret of the query string.
type Entry struct {
	Seq       int64     `json:"seq"`       // Counts from 1 and is never given twice, not even after a reset.
	Time      time.Time `json:"time"`      // Sandbox time of arrival.
	Side      string    `json:"side"`      // SideAuth0 or SideAWS.
	Instance  string    `json:"instance"`  // "staging".
	Operation string    `json:"operation"` // "PATCH /api/v2/hooks/{id}", "iam:CreateAccessKey".
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Query     string    `json:"query,omitempty"`
	Principal string    `json:"principal,omitempty"` // Client id of the token, or access key id of the signature.
	UserAgent string    `json:"user_agent,omitempty"`
	Status    int       `json:"status"`          // Of the answer that was made; 0 when none was, or it was thrown away.
	Fault     string    `json:"fault,omitempty"` // Id of the fault that was applied.
	// Duration is real time, from arrival until the answer was ready.
	Duration time.Duration `json:"duration_ns"`
}

// Journal is the list of requests in the order in which they were finished, the latest 10,000 of them.
type Journal struct {
	mu      sync.Mutex
	last    int64
	entries []Entry
}

// Add appends e with the next Seq, and returns it with that Seq.
func (j *Journal) Add(e Entry) Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.last++
	e.Seq = j.last
	if len(j.entries) == journalSize {
		j.entries = j.entries[1:]
	}
	j.entries = append(j.entries, e)
	return e
}

// Entries returns the entries after the one whose Seq is since; 0 asks for all.
func (j *Journal) Entries(since int64) []Entry {
	j.mu.Lock()
	defer j.mu.Unlock()
	i := sort.Search(len(j.entries), func(i int) bool { return j.entries[i].Seq > since })
	return slices.Clone(j.entries[i:])
}

// Reset forgets every entry.
func (j *Journal) Reset() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.entries = nil
}

// redactQuery keeps a query readable without the values of parameters that carry credentials.
func redactQuery(query url.Values) string {
	for name, values := range query {
		if carriesCredential(name) {
			for i := range values {
				values[i] = "REDACTED"
			}
		}
	}
	return query.Encode()
}

func carriesCredential(parameter string) bool {
	parameter = strings.ToLower(parameter)
	return slices.ContainsFunc([]string{"secret", "token", "password", "assertion", "signature", "authorization"},
		func(part string) bool { return strings.Contains(parameter, part) })
}
