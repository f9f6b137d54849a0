package auth0api

import (
	"context"
	"net/http"
	"net/url"
)

// ActionFailure is what the code of an Action threw, in its own words; empty
// where it did not.
type ActionFailure struct{ Name, Message string }

// TestAction runs an Action's draft with an event, and with the secrets of the
// draft: it is the deployed code only where [Action.AllChangesDeployed] says so.
// What the code does it really does, so it is asked for once. A failure of the
// code is no error (recordings/go-auth0-v1__TestActionManager_Test.json). hide
// are parts of the event that no error may repeat.
func (c *Client) TestAction(ctx context.Context, id string, event map[string]any, hide ...string) (ActionFailure, error) {
	type payload struct {
		Event map[string]any `json:"event"`
	}
	request := struct {
		Payload payload `json:"payload"`
	}{payload{event}}
	return call(ctx, exchange{operation: "test Action", hide: hide}, func(ctx context.Context) (ActionFailure, error) {
		var answer struct {
			Payload struct {
				Error struct{ Name, Message text } `json:"error"`
			} `json:"payload"`
		}
		err := c.send(ctx, http.MethodPost, "/actions/actions/"+url.PathEscape(id)+"/test", request, &answer)
		thrown := answer.Payload.Error
		return ActionFailure{Name: clean(string(thrown.Name), hide), Message: clean(string(thrown.Message), hide)}, err
	})
}
