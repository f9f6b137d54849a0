package auth0api

import (
	"net/http"
	"strings"
	"testing"
)

func TestTestAction(t *testing.T) {
	const number = "+15005550001"
	for name, test := range map[string]struct {
		body string
		want ActionFailure
	}{
		"it ran":              {`{"payload":{"stats":{"action_duration_ms":50}}}`, ActionFailure{}},
		"it threw":            {`{"payload":{"error":{"message":"no way to +15005550001","name":"TypeError","stack":"…"},"stats":{}}}`, ActionFailure{"TypeError", "no way to (hidden)"}},
		"an error of a shape": {`{"payload":{"error":{"message":{"x":1},"name":"Error"}}}`, ActionFailure{Name: "Error"}},
	} {
		s := newTenant(t, map[string]http.HandlerFunc{"POST /api/v2/actions/actions/a1/test": answer(200, test.body)})
		got, err := s.client().TestAction(t.Context(), "a1", map[string]any{"to": number}, number)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
		if calls := s.calls("POST"); calls[0].Body != `{"payload":{"event":{"to":"+15005550001"}}}` {
			t.Errorf("%s: sent %s", name, calls[0].Body)
		}
	}
}

func TestAnActionIsTestedOnce(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"POST /api/v2/actions/actions/a1/test": answer(502, ``)})
	_, err := s.client().TestAction(t.Context(), "a1", nil, "+15005550001")
	if e := mustBeError(t, err); !e.Ambiguous() || len(s.calls("POST")) != 1 || strings.Contains(e.Error(), "+15005550001") {
		t.Errorf("%d requests, each of which may send: %v", len(s.calls("POST")), e)
	}
}
