package auth0api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const actionsPath = "/api/v2/actions/actions"

// deployedAction is an Action as Auth0 shows it, in the form of
// recordings/go-auth0-v1__TestActionManager_CreateWithDeploy.json.
const deployedAction = `{"id":"295d7c28-06dc-4d72-93a6-da8a6d947fbe","name":"Amazon SNS",
	"supported_triggers":[{"id":"send-phone-message","version":"v2"}],
	"created_at":"2025-01-13T06:20:55.301776679Z","updated_at":"2025-01-13T06:20:55.434787308Z",
	"code":"draft","dependencies":[{"name":"aws-sdk","version":"2.1693.0"}],"runtime":"node18-actions","status":"built",
	"secrets":[{"name":"A","updated_at":"2025-01-13T06:20:55.322282673Z"}],
	"current_version":{"id":"0b4cb071-f22c-462a-b082-f0c01133da14","status":"BUILT","number":1},
	"deployed_version":{"code":"live","dependencies":[],"id":"0b4cb071-f22c-462a-b082-f0c01133da14","deployed":true,"number":3,
		"secrets":[{"name":"B","updated_at":"2025-01-12T06:20:55.322282673Z"}],"status":"built","built_at":"2025-01-12T06:20:56Z","runtime":"node22"},
	"all_changes_deployed":false,"something_new":{"a":[1]}}`

func TestActionTellsDraftFromDeployed(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"GET " + actionsPath + "/1": answer(200, deployedAction)})
	got, err := s.client().Action(t.Context(), "1")
	if err != nil {
		t.Fatal(err)
	}
	want := Action{
		ID: "295d7c28-06dc-4d72-93a6-da8a6d947fbe", Name: "Amazon SNS", Code: "draft", Runtime: "node18", Status: "built",
		Trigger:      ActionTrigger{ID: "send-phone-message", Version: "v2"},
		Dependencies: map[string]string{"aws-sdk": "2.1693.0"},
		Secrets:      map[string]time.Time{"A": time.Date(2025, 1, 13, 6, 20, 55, 322282673, time.UTC)},
		Deployed: &ActionVersion{
			ID: "0b4cb071-f22c-462a-b082-f0c01133da14", Number: 3, Deployed: true, Code: "live", Runtime: "node22",
			BuiltAt:      time.Date(2025, 1, 12, 6, 20, 56, 0, time.UTC),
			Dependencies: map[string]string{},
			Secrets:      map[string]time.Time{"B": time.Date(2025, 1, 12, 6, 20, 55, 322282673, time.UTC)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what runs and what was edited would be taken for each other (-want +got):\n%s", diff)
	}
}

func TestActionNeverDeployed(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"GET " + actionsPath + "/1": answer(200, `{"id":"1","name":"n","supported_triggers":[],"status":"pending","secrets":null,"all_changes_deployed":false}`),
	})
	got, err := s.client().Action(t.Context(), "1")
	if err != nil || got.Deployed != nil || got.Trigger != (ActionTrigger{}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestActionGoneIsNotFound(t *testing.T) {
	gone := answer(404, `{"statusCode":404,"error":"Not Found","message":"That action does not exist."}`)
	s := newTenant(t, map[string]http.HandlerFunc{"GET " + actionsPath + "/1": gone, "DELETE " + actionsPath + "/1": gone})
	_, err := s.client().Action(t.Context(), "1")
	if !IsNotFound(err) || !IsNotFound(s.client().DeleteAction(t.Context(), "1")) {
		t.Errorf("an Action without an errorCode in its 404 is not seen to be gone: %v", err)
	}
}

func TestActionsReadsEveryPageAndNoneTwice(t *testing.T) {
	page := func(from, to int) string {
		var actions []string
		for i := from; i < to; i++ {
			actions = append(actions, fmt.Sprintf(`{"id":"a%d","name":"n","code":"c","supported_triggers":[{"id":"send-phone-message","version":"v2"}],"status":"built"}`, i))
		}
		return fmt.Sprintf(`{"total":70,"per_page":50,"actions":[%s]}`, strings.Join(actions, ","))
	}
	s := newTenant(t, map[string]http.HandlerFunc{
		"GET " + actionsPath: sequence(answer(200, page(0, 50)), answer(200, page(50, 70)), answer(500, "")),
	})
	actions, err := s.client().Actions(t.Context(), "send-phone-message")
	if err != nil {
		t.Fatal(err)
	}
	if len(actions) != 70 || actions[69].ID != "a69" || actions[0].Code != "c" {
		t.Errorf("got %d Actions; one on page 2 would be overlooked", len(actions))
	}
	calls := s.calls("GET")
	if len(calls) != 2 {
		t.Fatalf("%d requests for 2 pages: each counts against 2 a second", len(calls))
	}
	query, _ := url.ParseQuery(calls[1].Query)
	if diff := cmp.Diff(url.Values{"page": {"1"}, "per_page": {"50"}, "triggerId": {"send-phone-message"}}, query); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
}

func TestActionsOfEveryTrigger(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{"GET " + actionsPath: answer(200, `{"actions":[],"total":0,"per_page":100}`)})
	actions, err := s.client().Actions(t.Context(), "")
	if err != nil || len(actions) != 0 || strings.Contains(s.calls("GET")[0].Query, "triggerId") {
		t.Errorf("got %v, %v, query %s", actions, err, s.calls("GET")[0].Query)
	}
}

func TestActionBodies(t *testing.T) {
	bindings := "/api/v2/actions/triggers/send-phone-message/bindings"
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST " + actionsPath:               answer(201, deployedAction),
		"PATCH " + actionsPath + "/1":       answer(200, deployedAction),
		"POST " + actionsPath + "/1/deploy": answer(200, `{"id":"v","deployed":false,"number":1,"status":"built"}`),
		"DELETE " + actionsPath + "/1":      answer(204, ``),
		"PATCH " + bindings:                 answer(200, `{"bindings":[]}`),
	})
	c, ctx := s.client(), t.Context()
	name, code, runtime, none := "n", "c", "node18", map[string]string{}
	steps := []struct {
		name, method, path, body string
		do                       func() error
	}{
		{
			"a new Action has no secrets and is not deployed by the way", "POST", actionsPath,
			`{"name":"n","supported_triggers":[{"id":"send-phone-message","version":"v2"}],"code":"c","runtime":"node18-actions","dependencies":[{"name":"a","version":"1"},{"name":"b","version":"2"}]}`,
			func() error {
				_, err := c.CreateAction(ctx, Action{
					ID: "x", Name: "n", Code: "c", Runtime: "node18", Trigger: ActionTrigger{"send-phone-message", "v2"},
					Dependencies: map[string]string{"b": "2", "a": "1"}, Secrets: map[string]time.Time{"A": {}},
				})
				return err
			},
		},
		{
			"a patch without dependencies keeps them, and the secrets", "PATCH", actionsPath + "/1",
			`{"name":"n","code":"c","runtime":"node18-actions"}`,
			func() error {
				_, err := c.UpdateAction(ctx, "1", ActionPatch{Name: &name, Code: &code, Runtime: &runtime})
				return err
			},
		},
		{
			"a patch can clear the dependencies", "PATCH", actionsPath + "/1", `{"dependencies":[]}`,
			func() error {
				_, err := c.UpdateAction(ctx, "1", ActionPatch{Dependencies: &none})
				return err
			},
		},
		{
			"secrets go alone, all in one list", "PATCH", actionsPath + "/1", `{"secrets":[{"name":"A","value":"` + awsSecret + `"},{"name":"B","value":"b"}]}`,
			func() error {
				_, err := c.SetActionSecrets(ctx, "1", map[string]string{"B": "b", "A": awsSecret})
				return err
			},
		},
		{
			"an empty list removes all secrets", "PATCH", actionsPath + "/1", `{"secrets":[]}`,
			func() error {
				_, err := c.SetActionSecrets(ctx, "1", nil)
				return err
			},
		},
		{"a draft is deployed", "POST", actionsPath + "/1/deploy", ``, func() error { return c.DeployAction(ctx, "1") }},
		{"an Action is deleted", "DELETE", actionsPath + "/1", ``, func() error { return c.DeleteAction(ctx, "1") }},
		{
			"bindings are replaced in their order, by the Actions' ids", "PATCH", bindings,
			`{"bindings":[{"ref":{"type":"action_id","value":"2"},"display_name":"two"},{"ref":{"type":"action_id","value":"1"},"display_name":"one"}]}`,
			func() error {
				return c.SetBindings(ctx, "send-phone-message", []Binding{{"2", "two"}, {"1", "one"}})
			},
		},
		{
			"no binding is an empty list", "PATCH", bindings, `{"bindings":[]}`,
			func() error { return c.SetBindings(ctx, "send-phone-message", nil) },
		},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.name, err)
			continue
		}
		calls := s.calls(step.method)
		last := calls[len(calls)-1]
		if last.Path != step.path || last.Query != "" {
			t.Errorf("%s: sent to %s?%s, want %s: with force a bound Action would be deleted", step.name, last.Path, last.Query, step.path)
		}
		if diff := cmp.Diff(decoded([]byte(step.body)), decoded([]byte(last.Body))); diff != "" {
			t.Errorf("%s: body (-want +sent):\n%s", step.name, diff)
		}
	}
}

// TestActionPostsAreSentOnce: a second POST would make a second Action.
func TestActionPostsAreSentOnce(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"POST " + actionsPath:               answer(503, ``),
		"POST " + actionsPath + "/1/deploy": drop,
	})
	_, err := s.client().CreateAction(t.Context(), Action{Name: "n"})
	if e := mustBeError(t, err); !e.Ambiguous() {
		t.Errorf("an Action that may exist is reported as not made: %v", e)
	}
	if e := mustBeError(t, s.client().DeployAction(t.Context(), "1")); !e.Ambiguous() {
		t.Errorf("a deploy that may have happened is reported as refused: %v", e)
	}
	if n := len(s.calls("POST")); n != 2 {
		t.Errorf("%d POST requests for 2 calls", n)
	}
}

// TestActionSecretsStayOutOfErrors: Auth0's validation quotes what it refuses.
func TestActionSecretsStayOutOfErrors(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"PATCH " + actionsPath + "/1": answer(400, `{"statusCode":400,"error":"Bad Request","message":"Payload validation error: '`+awsSecret+`' is too long","errorCode":"invalid_body"}`),
	})
	_, err := s.client().SetActionSecrets(t.Context(), "1", map[string]string{"A": awsSecret})
	if e := mustBeError(t, err); e.Kind != BadRequest || !strings.Contains(e.Message, "is too long") {
		t.Errorf("got %v", e)
	}
}

func TestBindingsInTheirOrder(t *testing.T) {
	const path = "/api/v2/actions/triggers/post-login/bindings"
	page := func(ids ...string) string {
		var all []string
		for _, id := range ids {
			all = append(all, `{"id":"b","trigger_id":"post-login","display_name":"name of `+id+`","action":{"id":"`+id+`","name":"n","all_changes_deployed":false}}`)
		}
		return `{"total":3,"per_page":2,"bindings":[` + strings.Join(all, ",") + `]}`
	}
	s := newTenant(t, map[string]http.HandlerFunc{"GET " + path: sequence(answer(200, page("2", "3")), answer(200, page("1")), answer(500, ""))})
	got, err := s.client().Bindings(t.Context(), "post-login")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]Binding{{"2", "name of 2"}, {"3", "name of 3"}, {"1", "name of 1"}}, got); diff != "" {
		t.Errorf("writing this back would change what runs, or its order (-want +got):\n%s", diff)
	}
}

// TestBindingWithoutAction: written back without its Action it would be lost.
func TestBindingWithoutAction(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"GET /api/v2/actions/triggers/post-login/bindings": answer(200, `{"total":1,"bindings":[{"id":"b-1","display_name":"odd"}]}`),
	})
	_, err := s.client().Bindings(t.Context(), "post-login")
	if err == nil || !strings.Contains(err.Error(), "odd") || !strings.Contains(err.Error(), "b-1") {
		t.Errorf("got %v, want an error that quotes the binding", err)
	}
}

// TestEditBindingsLosesNoEdit: two Actions that are bound at the same time must
// both be bound afterwards.
func TestEditBindingsLosesNoEdit(t *testing.T) {
	const path = "/api/v2/actions/triggers/send-phone-message/bindings"
	var mu sync.Mutex
	var bound []string
	s := newTenant(t, map[string]http.HandlerFunc{
		"GET " + path: func(w http.ResponseWriter, _ *http.Request) {
			mu.Lock()
			defer mu.Unlock()
			var list []string
			for _, id := range bound {
				list = append(list, `{"display_name":"`+id+`","action":{"id":"`+id+`"}}`)
			}
			_, _ = fmt.Fprintf(w, `{"total":%d,"bindings":[%s]}`, len(bound), strings.Join(list, ","))
		},
		"PATCH " + path: func(w http.ResponseWriter, r *http.Request) {
			var body struct {
				Bindings []struct {
					Ref struct{ Value string }
				}
			}
			_ = json.NewDecoder(r.Body).Decode(&body)
			mu.Lock()
			defer mu.Unlock()
			bound = nil
			for _, b := range body.Bindings {
				bound = append(bound, b.Ref.Value)
			}
			_, _ = io.WriteString(w, `{"bindings":[]}`)
		},
	})
	c := s.client()
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			err := c.EditBindings(t.Context(), "send-phone-message", func(all []Binding) []Binding {
				return append(all, Binding{ActionID: strconv.Itoa(i), DisplayName: strconv.Itoa(i)})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(bound) != 8 {
		t.Errorf("bound are %v: an Action that was bound is not any more", bound)
	}
}

func TestEditBindingsWritesNothingForNothing(t *testing.T) {
	s := newTenant(t, map[string]http.HandlerFunc{
		"GET /api/v2/actions/triggers/t/bindings": answer(200, `{"total":1,"bindings":[{"display_name":"n","action":{"id":"1"}}]}`),
	})
	if err := s.client().EditBindings(t.Context(), "t", func(all []Binding) []Binding { return all }); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.client().EditBindings(ctx, "t", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("after Ctrl-C it goes on: %v", err)
	}
}

// TestRecordedActions reads every Action that the real API is known to have
// shown.
func TestRecordedActions(t *testing.T) {
	for _, name := range []string{"CreateWithDeploy", "Deploy", "Update", "Read"} {
		for _, i := range readRecording(t, "go-auth0-v1__TestActionManager_"+name+".json").Interactions {
			if i.Method != http.MethodGet || i.Status != http.StatusOK || strings.Count(i.Path, "/") != 5 {
				continue
			}
			s := newTenant(t, map[string]http.HandlerFunc{"GET " + i.Path: answer(i.Status, string(i.ResponseBody))})
			id := i.Path[strings.LastIndex(i.Path, "/")+1:]
			got, err := s.client().Action(t.Context(), id)
			if err != nil || got.ID != id || got.Status == "" || got.Secrets["mySecretName"].IsZero() {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
			if got.AllChangesDeployed && (got.Deployed == nil || !got.Deployed.Secrets["mySecretName"].Equal(got.Secrets["mySecretName"])) {
				t.Errorf("%s: the deployed version does not show that it has the draft's secrets: %+v", name, got)
			}
		}
	}
}
