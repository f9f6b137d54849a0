package delivery_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// clock passes at once and remembers how it was waited on.
type clock struct {
	now    time.Time
	waits  []time.Duration
	cancel func() // called by the first wait; nil for none
}

func (c *clock) Now() time.Time { return c.now }

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	if c.cancel != nil {
		c.cancel()
	}
	c.now = c.now.Add(d)
	c.waits = append(c.waits, d)
	return ctx.Err()
}

// builder is an Action whose builds and deploys take time, as Auth0's do.
type builder struct {
	clock    *clock
	action   auth0api.Action
	builds   time.Time // when the draft is built
	deploys  time.Time // when what was deployed last is deployed; zero for nothing under way
	fails    bool
	stuck    bool
	requests []string
	deploy   func(attempt int) error // answers a deploy; nil for success
	read     func() error            // fails a read; nil for none
	attempts int
}

// draft is an Action with a change that takes 3 s to build.
func draft() *builder {
	c := &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	return &builder{
		clock: c, builds: c.now.Add(3 * time.Second),
		action: auth0api.Action{
			ID: actionID, Name: "Amazon SNS", Code: "new", Status: "pending", Dependencies: map[string]string{"b": "2.0.0", "a": "1.0.0"},
			Deployed: &auth0api.ActionVersion{ID: "v1", Number: 1, Deployed: true, Code: "old"},
		},
	}
}

func (b *builder) Action(context.Context, string) (auth0api.Action, error) {
	b.requests = append(b.requests, "GET")
	if b.read != nil {
		if err := b.read(); err != nil {
			return auth0api.Action{}, err
		}
	}
	built := !b.stuck && !b.clock.now.Before(b.builds)
	switch {
	case built && b.fails:
		b.action.Status = "failed"
	case built:
		b.action.Status = "built"
	default:
		b.action.Status = "building"
	}
	if !b.deploys.IsZero() && !b.clock.now.Before(b.deploys) {
		b.action.Deployed = &auth0api.ActionVersion{ID: "v2", Number: 2, Deployed: true, Code: b.action.Code}
		b.action.AllChangesDeployed = true
	}
	return b.action, nil
}

func (b *builder) DeployAction(context.Context, string) error {
	b.requests = append(b.requests, "POST")
	b.attempts++
	if b.action.Status != "built" {
		return errors.New("A draft must be in the 'built' state before it can be deployed.") //nolint:staticcheck,revive // Auth0's own words.
	}
	if b.deploy != nil {
		return b.deploy(b.attempts)
	}
	b.deploys = b.clock.now.Add(2 * time.Second)
	return nil
}

func TestDeployWaitsForBuildAndDeploy(t *testing.T) {
	t.Parallel()
	b := draft()
	action, err := delivery.Deploy(t.Context(), b, b.clock, actionID)
	if err != nil {
		t.Fatal(err)
	}
	if action.Deployed.ID != "v2" || action.Deployed.Code != "new" {
		t.Errorf("returned while %+v was deployed: whoever relies on the new code or key is wrong", action.Deployed)
	}
	if b.attempts != 1 {
		t.Errorf("%d deploys: each makes a version, of which Auth0 keeps 50", b.attempts)
	}
}

func TestDeployOfNothingChangesNothing(t *testing.T) {
	t.Parallel()
	b := draft()
	b.builds, b.action.AllChangesDeployed = b.clock.now, true
	if _, err := delivery.Deploy(t.Context(), b, b.clock, actionID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"GET"}, b.requests); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestDeployFailedBuild(t *testing.T) {
	t.Parallel()
	b := draft()
	b.fails = true
	_, err := delivery.Deploy(t.Context(), b, b.clock, actionID)
	says(t, err, `Action "Amazon SNS" (`+actionID+`)`, "no reason", "a@1.0.0, b@2.0.0", "still runs")
	if b.attempts != 0 {
		t.Error("a draft that was not built was deployed")
	}
	b.action.Dependencies = nil
	_, err = delivery.Deploy(t.Context(), b, b.clock, actionID)
	says(t, err, "no npm packages")
}

func TestDeployLimit(t *testing.T) {
	t.Parallel()
	b := draft()
	b.stuck = true
	start := b.clock.now
	_, err := delivery.Deploy(t.Context(), b, b.clock, actionID)
	says(t, err, "not deployed within 10m0s", `"building"`)
	if waited := b.clock.now.Sub(start); waited > delivery.DeployLimit || waited < delivery.DeployLimit-5*time.Second {
		t.Errorf("waited %s", waited)
	}
	if n := len(b.requests); n > 150 {
		t.Errorf("%d requests take a free tenant's whole rate limit", n)
	}

	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	_, err = delivery.Deploy(ctx, b, b.clock, actionID)
	says(t, err, "not deployed within 1h0m0s")
}

func TestDeployStopsWithTheContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	b := draft()
	b.clock.cancel = cancel
	_, err := delivery.Deploy(ctx, b, b.clock, actionID)
	if !errors.Is(err, context.Canceled) || len(b.clock.waits) != 1 {
		t.Errorf("after Ctrl-C it went on for %v: %v", b.clock.waits, err)
	}
	says(t, err, `Action "Amazon SNS"`)
}

// TestDeployStopsInARequest: whoever pressed Ctrl-C reads which Action it was, at
// whatever moment it came.
func TestDeployStopsInARequest(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		given func(b *builder, cancel func())
		says  string
	}{
		"in the first read": {func(b *builder, cancel func()) {
			b.read = func() error { cancel(); return context.Canceled }
		}, "waiting until Action " + actionID + " is deployed: context canceled"},
		"in a later read": {func(b *builder, cancel func()) {
			b.read = func() error {
				if len(b.requests) == 1 {
					return nil
				}
				cancel()
				return context.Canceled
			}
		}, `waiting until Action "Amazon SNS" (` + actionID + `) is deployed: context canceled`},
		"in the deploy": {func(b *builder, cancel func()) {
			b.deploy = func(int) error { cancel(); return lost{context.Canceled} }
		}, `waiting until Action "Amazon SNS" (` + actionID + `) is deployed: context canceled`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			b := draft()
			test.given(b, cancel)
			_, err := delivery.Deploy(ctx, b, b.clock, actionID)
			if !errors.Is(err, context.Canceled) || err.Error() != test.says {
				t.Errorf("said %q, want %q", err, test.says)
			}
			if sent := b.attempts > 0; delivery.Ambiguous(err) != sent {
				t.Errorf("a deploy was sent: %t, but its error says that it may have happened: %t", sent, delivery.Ambiguous(err))
			}
		})
	}
}

// lost is a request whose answer never came.
type lost struct{ error }

func (lost) Ambiguous() bool { return true }

func (l lost) Unwrap() error { return l.error }

func TestDeployErrorsSpeakForThemselves(t *testing.T) {
	t.Parallel()
	b := draft()
	gone := &auth0api.Error{Kind: auth0api.NotFound, StatusCode: http.StatusNotFound, Method: http.MethodGet}
	b.read = func() error { return gone }
	if _, err := delivery.Deploy(t.Context(), b, b.clock, actionID); err != error(gone) { //nolint:errorlint // this one and no other
		t.Errorf("an Action that is gone is reported as waited for: %v", err)
	}
}

func TestDeployAnswers(t *testing.T) {
	t.Parallel()
	down := &auth0api.Error{Kind: auth0api.Server, StatusCode: http.StatusServiceUnavailable, Method: http.MethodPost}
	refused := &auth0api.Error{Kind: auth0api.MissingScope, StatusCode: http.StatusForbidden, Method: http.MethodPost}
	tests := map[string]struct {
		deploy   func(b *builder) func(int) error
		err      error
		attempts int
	}{
		"the answer is lost, the deploy is made": {func(b *builder) func(int) error {
			return func(int) error {
				b.deploys = b.clock.now
				return down
			}
		}, nil, 1},
		"the first is lost, the second is made": {func(b *builder) func(int) error {
			return func(attempt int) error {
				if attempt == 1 {
					return down
				}
				b.deploys = b.clock.now
				return nil
			}
		}, nil, 2},
		"all are lost": {func(*builder) func(int) error { return func(int) error { return down } }, down, 3},
		"refused":      {func(*builder) func(int) error { return func(int) error { return refused } }, refused, 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := draft()
			b.deploy = test.deploy(b)
			_, err := delivery.Deploy(t.Context(), b, b.clock, actionID)
			if !errors.Is(err, test.err) || b.attempts != test.attempts {
				t.Errorf("%d attempts and %v, want %d and %v", b.attempts, err, test.attempts, test.err)
			}
		})
	}
}

// bindings are those of each trigger.
type bindings map[string][]auth0api.Binding

func (b bindings) EditBindings(_ context.Context, trigger string, edit func([]auth0api.Binding) []auth0api.Binding) error {
	b[trigger] = edit(slices.Clone(b[trigger]))
	return nil
}

// TestBindLeavesOthersAlone: what else a tenant runs, and in which order, is
// its own business, and what other triggers run all the more.
func TestBindLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	type list = []auth0api.Binding
	one, two, ours := auth0api.Binding{ActionID: "1", DisplayName: "One"}, auth0api.Binding{ActionID: "2"}, auth0api.Binding{ActionID: actionID, DisplayName: "Mine"}
	renamed := auth0api.Binding{ActionID: actionID, DisplayName: "Renamed"}
	for name, test := range map[string]struct {
		edit         func(ctx context.Context, api delivery.BindAPI, trigger string) error
		before, want list
	}{
		"bound to nothing":     {bind, nil, list{ours}},
		"bound after others":   {bind, list{two, one}, list{two, one, ours}},
		"bound already":        {bind, list{two, renamed, one}, list{two, renamed, one}},
		"unbound from others":  {unbind, list{two, ours, one}, list{two, one}},
		"unbound alone":        {unbind, list{ours}, list{}},
		"unbound, never bound": {unbind, list{two, one}, list{two, one}},
	} {
		for _, trigger := range []string{delivery.TriggerSendPhoneMessage, delivery.TriggerCustomPhoneProvider} {
			t.Run(name+"/"+trigger, func(t *testing.T) {
				t.Parallel()
				b := bindings{trigger: test.before, "post-login": {ours}}
				if err := test.edit(t.Context(), b, trigger); err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(bindings{trigger: test.want, "post-login": {ours}}, b); diff != "" {
					t.Errorf("bindings (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func bind(ctx context.Context, api delivery.BindAPI, trigger string) error {
	return delivery.Bind(ctx, api, trigger, actionID, "Mine")
}

func unbind(ctx context.Context, api delivery.BindAPI, trigger string) error {
	return delivery.Unbind(ctx, api, trigger, actionID)
}

func says(t *testing.T, err error, phrases ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, phrase := range phrases {
		if !strings.Contains(err.Error(), phrase) {
			t.Errorf("%q is missing in: %v", phrase, err)
		}
	}
}
