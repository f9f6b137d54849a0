package awsapi

import (
	"errors"
	"net/http"
	"strings"
	"testing"
)

const captivePage = "<html>\n<head><title>200 OK</title></head>\n<body>Please sign in</body>\n</html>\n"

// TestAProxysPageIsNoSuccess: the SDK would take it for one where a call has no
// result, and the user or the key would stay for good.
func TestAProxysPageIsNoSuccess(t *testing.T) {
	calls := map[string]func(*Client) error{
		"DeleteUser":      func(c *Client) error { return c.DeleteUser(t.Context(), "sender") },
		"DeleteAccessKey": func(c *Client) error { return c.DeleteAccessKey(t.Context(), "sender", testKeyID) },
		"UpdateAccessKey": func(c *Client) error { return c.SetAccessKeyActive(t.Context(), "sender", testKeyID, false) },
		"PutUserPolicy":   func(c *Client) error { return c.PutUserPolicy(t.Context(), "sender", "publish", "{}") },
		"ListAccessKeys":  func(c *Client) error { _, err := c.AccessKeys(t.Context(), "sender"); return err },
	}
	for action, call := range calls {
		for body, name := range map[string]string{captivePage: "HTML", "": "nothing"} {
			t.Run(action+" "+name, func(t *testing.T) {
				server := newFake(t, map[string][]reply{action: {{http.StatusOK, body}}})
				var failed *Error
				if err := call(newClient(t, Config{Region: "us-east-1", EndpointURL: server.URL})); !errors.As(err, &failed) {
					t.Fatalf("error = %v: an answer that is not AWS's counts as done", err)
				}
				write := action != "ListAccessKeys"
				if failed.Kind != Transport || failed.Ambiguous() != write || !strings.Contains(failed.Error(), "not an answer of AWS") {
					t.Errorf("kind %d, ambiguous %t, %q: want what came back, and that a write may have happened", failed.Kind, failed.Ambiguous(), failed)
				}
				if got := len(server.actions()); got != 1 {
					t.Errorf("it was sent %d times: a change may have been made twice", got)
				}
			})
		}
	}
}

// TestTheHeadOfAnAnswerIsEnough: the change was made, and saying otherwise would
// have a person look for what is not there.
func TestTheHeadOfAnAnswerIsEnough(t *testing.T) {
	whole := result("DeleteUser", "")
	server := newFake(t, map[string][]reply{"DeleteUser": {{http.StatusOK, whole.body[:len(whole.body)/2]}}})
	if err := newClient(t, Config{Region: "us-east-1", EndpointURL: server.URL}).DeleteUser(t.Context(), "sender"); err != nil {
		t.Errorf("a user that AWS says is deleted: %v", err)
	}
}
