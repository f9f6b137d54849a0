package handover

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

const actionID = "295d7c28-06dc-4d72-93a6-da8a6d947fbe"

// actionClock passes at once, and does something else first where a test says so.
type actionClock struct {
	now   time.Time
	sleep func()
}

func (c *actionClock) Now() time.Time { return c.now }

func (c *actionClock) Sleep(ctx context.Context, d time.Duration) error {
	if c.sleep != nil {
		c.sleep()
	}
	c.now = c.now.Add(d)
	return ctx.Err()
}

// fakeAction is an Action as Auth0 keeps it. Builds and deploys take a second
// each, on the clock of the test.
type fakeAction struct {
	t      *testing.T
	clock  *actionClock
	action auth0api.Action
	bound  []auth0api.Binding
	gone   bool

	values, deployed, deploying map[string]string // secrets: draft's, running version's, version's to come
	built, ready                time.Time
	writes                      []string
	// fail, by "read", "secrets", "deploy" and "bind", is an error in the place
	// of the answer; took says that the request takes effect all the same.
	fail map[string]error
	took bool
}

func newFakeAction(t *testing.T, secrets map[string]string) *fakeAction {
	t.Helper()
	f := &fakeAction{t: t, clock: &actionClock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}, values: map[string]string{}, deployed: map[string]string{}, fail: map[string]error{}}
	f.action = auth0api.Action{ID: actionID, Name: "Amazon SNS", Code: "code", Runtime: "node22", Status: "built", AllChangesDeployed: true}
	f.action.Deployed = &auth0api.ActionVersion{ID: "v1", Number: 1, Deployed: true, Code: "code", Runtime: "node22"}
	f.setSecrets(secrets)
	f.action.Deployed.Secrets, f.deployed = f.action.Secrets, f.values
	f.action.Status, f.action.AllChangesDeployed = "built", true
	return f
}

func (f *fakeAction) setSecrets(secrets map[string]string) {
	at := f.clock.now
	f.values, f.action.Secrets = maps.Clone(secrets), map[string]time.Time{}
	for name := range secrets {
		f.action.Secrets[name] = at
	}
	f.action.Status, f.action.AllChangesDeployed, f.built = "pending", false, at.Add(time.Second)
}

// answer gives a planned failure. effect is skipped unless it takes effect.
func (f *fakeAction) answer(call, id string, effect func()) error {
	if id != actionID {
		f.t.Errorf("%s of Action %q", call, id)
	}
	if f.gone {
		return notFound()
	}
	err := f.fail[call]
	if err == nil || f.took {
		effect()
	}
	return err
}

func (f *fakeAction) Action(_ context.Context, id string) (auth0api.Action, error) {
	now := f.clock.now
	if !now.Before(f.built) {
		f.action.Status = "built"
	}
	if !f.ready.IsZero() && !now.Before(f.ready) {
		f.action.Deployed = &auth0api.ActionVersion{
			ID: "v2", Deployed: true, Code: f.action.Code, Runtime: f.action.Runtime, Dependencies: f.action.Dependencies, Secrets: f.action.Secrets,
		}
		f.deployed, f.action.AllChangesDeployed, f.ready = f.deploying, true, time.Time{}
	}
	err := f.answer("read", id, func() {})
	return f.action, err
}

func (f *fakeAction) SetActionSecrets(_ context.Context, id string, secrets map[string]string) (auth0api.Action, error) {
	err := f.answer("secrets", id, func() {
		f.writes = append(f.writes, "PATCH "+strings.Join(sorted(secrets), " "))
		f.clock.now = f.clock.now.Add(time.Millisecond)
		f.setSecrets(secrets)
	})
	return f.action, err
}

func (f *fakeAction) DeployAction(_ context.Context, id string) error {
	return f.answer("deploy", id, func() {
		f.writes = append(f.writes, "deploy")
		f.deploying, f.ready = maps.Clone(f.values), f.clock.now.Add(time.Second)
	})
}

func (f *fakeAction) EditBindings(_ context.Context, _ string, edit func([]auth0api.Binding) []auth0api.Binding) error {
	edited := edit(slices.Clone(f.bound))
	if slices.Equal(edited, f.bound) {
		return f.fail["bind"]
	}
	return f.answer("bind", actionID, func() {
		f.writes = append(f.writes, fmt.Sprintf("bind %d", len(edited)))
		f.bound = edited
	})
}

func (f *fakeAction) sender() Action { return Action{API: f, Clock: f.clock, ID: actionID} }

func (f *fakeAction) isBound() bool {
	return slices.ContainsFunc(f.bound, func(b auth0api.Binding) bool { return b.ActionID == actionID })
}

func delivered() map[string]string {
	return map[string]string{SecretAccessKeyID: "AKIANEW", SecretSecretAccessKey: "new/secret", SecretRegion: region}
}

// TestActionDeliver: who relies on a delivery deletes the old key next, so the
// new one must run by then, and not only be in the draft.
func TestActionDeliver(t *testing.T) {
	t.Parallel()
	other := auth0api.Binding{ActionID: "other", DisplayName: "Other"}
	const patch = "PATCH AWS_ACCESS_KEY_ID AWS_REGION AWS_SECRET_ACCESS_KEY"
	tests := map[string]struct {
		has    map[string]string
		bound  []auth0api.Binding
		given  func(f *fakeAction)
		writes []string
	}{
		"a new Action is bound last, with its key": {nil, nil, nil, []string{patch, "deploy", "bind 1"}},
		"a live one gets all three at once":        {held(), []auth0api.Binding{other, {ActionID: actionID}}, nil, []string{patch, "deploy"}},
		"bound after what is bound already":        {held(), []auth0api.Binding{other}, nil, []string{patch, "deploy", "bind 2"}},
		"after a run that ended before the deploy": {held(), nil, func(f *fakeAction) { f.setSecrets(held()) }, []string{patch, "deploy", "bind 1"}},
		"one of the three was removed by hand":     {map[string]string{SecretRegion: "x"}, nil, nil, []string{patch, "deploy", "bind 1"}},
		"never deployed before":                    {nil, nil, func(f *fakeAction) { f.action.Deployed = nil }, []string{patch, "deploy", "bind 1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAction(t, test.has)
			f.bound = test.bound
			if test.given != nil {
				test.given(f)
			}
			if err := f.sender().Deliver(t.Context(), newSecrets()); err != nil {
				t.Fatalf("not delivered: %v", err)
			}
			if diff := cmp.Diff(test.writes, f.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(delivered(), f.deployed); diff != "" {
				t.Errorf("secrets of the version that runs (-want +got):\n%s", diff)
			}
			if !f.isBound() {
				t.Error("the Action is not bound, so nobody gets a code")
			}
			if err := f.sender().Deliver(t.Context(), newSecrets()); err != nil || len(f.bound) > len(test.bound)+1 {
				t.Errorf("repeating it: %v, bindings %v", err, f.bound)
			}
		})
	}
}

// TestActionDeliverRefused: what would be lost or go live beside the key is
// somebody's work.
func TestActionDeliverRefused(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		given func(f *fakeAction)
		want  []string
	}{
		"secrets of other names":    {func(f *fakeAction) { f.setSecrets(with(held(), "API_KEY", "theirs")) }, []string{"Amazon SNS", actionID, "API_KEY", "would be lost", "nothing was written"}},
		"code that is not deployed": {func(f *fakeAction) { f.action.Code = "edited" }, []string{"Amazon SNS", actionID, "not deployed", "nothing was written"}},
		"packages that are not deployed": {func(f *fakeAction) {
			f.action.Dependencies = map[string]string{"a": "1"}
		}, []string{"not deployed"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAction(t, held())
			test.given(f)
			err := f.sender().Deliver(t.Context(), newSecrets())
			if err == nil || delivery.Ambiguous(err) || len(f.writes) != 0 {
				t.Fatalf("error %v after the writes %q", err, f.writes)
			}
			for _, phrase := range test.want {
				if !strings.Contains(err.Error(), phrase) {
					t.Errorf("%q is missing in: %v", phrase, err)
				}
			}
		})
	}
}

// TestActionDeliverFails: what the machine does after a failure hangs on whether
// the new key may be live, now or later.
func TestActionDeliverFails(t *testing.T) {
	t.Parallel()
	down := &auth0api.Error{Kind: auth0api.Server, StatusCode: http.StatusServiceUnavailable, Method: http.MethodPatch}
	refusal := &auth0api.Error{Kind: auth0api.MissingScope, StatusCode: http.StatusForbidden, Method: http.MethodPatch}
	unread := &auth0api.Error{Kind: auth0api.Server, StatusCode: http.StatusServiceUnavailable, Method: http.MethodGet}
	tests := map[string]struct {
		call string
		err  error
		took bool
		open bool
	}{
		"the Action cannot be read: nothing was written":      {"read", unread, false, false},
		"the secrets are refused: the draft has the old ones": {"secrets", refusal, false, false},
		"the answer to the secrets is lost":                   {"secrets", down, true, true},
		"the deploy is refused: anybody's next one goes live": {"deploy", refusal, false, true},
		"the answer to the deploy is lost":                    {"deploy", down, false, true},
		"the binding is refused: it is deployed":              {"bind", refusal, false, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAction(t, held())
			f.fail[test.call], f.took = test.err, test.took
			err := f.sender().Deliver(t.Context(), newSecrets())
			if err == nil || delivery.Ambiguous(err) != test.open {
				t.Fatalf("open whether the key may be live: %t, want %t: %v", delivery.Ambiguous(err), test.open, err)
			}
			if shown := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(shown, "new/secret") {
				t.Errorf("the secret key can be read in %s", shown)
			}
			if f.isBound() {
				t.Error("an Action is live without a key that is known to work")
			}
		})
	}
}

func TestActionDeliverFailedBuild(t *testing.T) {
	t.Parallel()
	f := newFakeAction(t, held())
	api := failingBuild{f}
	err := Action{API: api, Clock: f.clock, ID: actionID}.Deliver(t.Context(), newSecrets())
	if !delivery.Ambiguous(err) || !strings.Contains(err.Error(), "build") {
		t.Errorf("the draft holds the new key, and a later deploy makes it live: %v", err)
	}
}

// failingBuild is an Action whose builds fail once it has new secrets.
type failingBuild struct{ *fakeAction }

func (f failingBuild) Action(ctx context.Context, id string) (auth0api.Action, error) {
	action, err := f.fakeAction.Action(ctx, id)
	if len(f.writes) > 0 {
		action.Status = "failed"
	}
	return action, err
}

// TestActionDeliverTwiceAtOnce: the one whose secrets were overwritten must not
// take its own key for the live one and delete the other.
func TestActionDeliverTwiceAtOnce(t *testing.T) {
	t.Parallel()
	f := newFakeAction(t, held())
	f.clock.sleep = func() {
		f.clock.sleep = nil
		f.clock.now = f.clock.now.Add(time.Millisecond)
		f.setSecrets(with(held(), SecretAccessKeyID, "AKIAOTHER"))
	}
	err := f.sender().Deliver(t.Context(), newSecrets())
	if err == nil || !delivery.Ambiguous(err) || !strings.Contains(err.Error(), "something else writes its secrets") {
		t.Errorf("got %v while the Action runs with %s", err, f.deployed[SecretAccessKeyID])
	}
}

func TestActionDeliverInterrupted(t *testing.T) {
	t.Parallel()
	f := newFakeAction(t, held())
	ctx, cancel := context.WithCancel(t.Context())
	f.clock.sleep = cancel
	if err := f.sender().Deliver(ctx, newSecrets()); !delivery.Ambiguous(err) {
		t.Errorf("interrupted between draft and deploy: %v", err)
	}
}

func TestActionWithdraw(t *testing.T) {
	t.Parallel()
	refusal := &auth0api.Error{Kind: auth0api.MissingScope, StatusCode: http.StatusForbidden}
	both := []auth0api.Binding{{ActionID: "other"}, {ActionID: actionID}}
	tests := map[string]struct {
		has    map[string]string
		bound  []auth0api.Binding
		given  func(f *fakeAction)
		left   map[string]string // in the version that is deployed
		writes []string
		err    error
	}{
		"unbound first, so that it never runs without a key": {held(), both, nil, map[string]string{}, []string{"bind 1", "PATCH ", "deploy"}, nil},
		"not bound":                       {held(), nil, nil, map[string]string{}, []string{"PATCH ", "deploy"}, nil},
		"nothing there":                   {nil, nil, nil, nil, nil, nil},
		"secrets of other names":          {with(held(), "API_KEY", "x"), both, nil, with(held(), "API_KEY", "x"), []string{"bind 1"}, nil},
		"somebody's work is not deployed": {held(), both, func(f *fakeAction) { f.action.Code = "edited" }, held(), []string{"bind 1", "PATCH "}, nil},
		"gone":                            {held(), nil, func(f *fakeAction) { f.gone = true }, held(), nil, nil},
		"cannot be unbound":               {held(), both, func(f *fakeAction) { f.fail["bind"] = refusal }, held(), nil, refusal},
		"cannot be read":                  {held(), both, func(f *fakeAction) { f.fail["read"] = refusal }, held(), nil, refusal},
		"refused":                         {held(), both, func(f *fakeAction) { f.fail["secrets"] = refusal }, held(), []string{"bind 1"}, refusal},
		"not deployed":                    {held(), both, func(f *fakeAction) { f.fail["deploy"] = refusal }, held(), []string{"bind 1", "PATCH "}, refusal},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAction(t, test.has)
			f.bound = test.bound
			if test.given != nil {
				test.given(f)
			}
			if err := f.sender().Withdraw(t.Context()); (test.err == nil) != (err == nil) || (err != nil && !strings.Contains(err.Error(), test.err.Error())) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.left, f.deployed, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("secrets of the version that is deployed (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.writes, f.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
			if test.err == nil && f.isBound() {
				t.Error("the Action runs on without a key")
			}
		})
	}
}

// TestHoldsSecrets: an Action is bound again only where it can send.
func TestHoldsSecrets(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given func(f *fakeAction)
		want  bool
	}{
		"draft and version":   {func(*fakeAction) {}, true},
		"others beside":       {func(f *fakeAction) { f.action.Secrets["API_KEY"] = time.Time{} }, true},
		"draft alone":         {func(f *fakeAction) { f.action.Deployed.Secrets = nil }, false},
		"version alone":       {func(f *fakeAction) { f.action.Secrets = nil }, false},
		"one is missing":      {func(f *fakeAction) { delete(f.action.Secrets, SecretRegion) }, false},
		"not deployed at all": {func(f *fakeAction) { f.action.Deployed = nil }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFakeAction(t, held())
			f.action.Deployed.Secrets = maps.Clone(f.action.Secrets)
			test.given(f)
			if got := HoldsSecrets(f.action); got != test.want {
				t.Errorf("got %t", got)
			}
		})
	}
}
