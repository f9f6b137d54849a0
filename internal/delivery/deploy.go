package delivery

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
)

// DeployLimit is how long [Deploy] takes at most where the context has no
// deadline. Auth0 installs the npm packages of an Action when it builds it:
// under a second without any, 45 seconds seen with heavy ones.
const DeployLimit = 10 * time.Minute

const (
	firstPoll = time.Second
	// slowestPoll is what is left of two requests a second, a free tenant's
	// whole quota, for everybody else.
	slowestPoll = 5 * time.Second
	// deployAttempts bounds repeats of a deploy whose outcome is unknown.
	deployAttempts = 3
)

// Build states of a draft that this package acts on. In any other it waits, so
// that a new one of Auth0's does no harm.
const (
	statusBuilt = "built"
	// StatusFailed is that of a draft that Auth0 could not build.
	StatusFailed = "failed"
)

// Clock is time, replaced in tests.
type Clock interface {
	Now() time.Time
	// Sleep waits, and returns the context's error when that ends first.
	Sleep(ctx context.Context, d time.Duration) error
}

// DeployAPI is the part of the Management API that deploys.
type DeployAPI interface {
	Action(ctx context.Context, id string) (auth0api.Action, error)
	DeployAction(ctx context.Context, id string) error
}

// Deploy makes the draft of an Action what runs: it waits until Auth0 has built
// the draft, deploys it, and returns the Action when all of the draft is in the
// deployed version. Where that is so already it changes nothing.
//
// It stops when the context does, after [DeployLimit] where that has no
// deadline, and at once when the build has failed. A deadline counts on the
// clock, from the beginning.
func Deploy(ctx context.Context, api DeployAPI, clock Clock, id string) (auth0api.Action, error) {
	limit := DeployLimit
	if deadline, ok := ctx.Deadline(); ok {
		limit = time.Until(deadline)
	}
	end := clock.Now().Add(limit)
	action, asked, attempts := auth0api.Action{ID: id}, false, 0
	for wait := firstPoll; ; wait = min(wait*3/2, slowestPoll) {
		read, err := api.Action(ctx, id)
		if err != nil {
			return action, stopped(ctx, action, err)
		}
		action = read
		switch {
		case action.Status == StatusFailed:
			return action, buildFailed(action)
		case IsDeployed(action):
			return action, nil
		case action.Status == statusBuilt && !asked:
			// Asking again is harmless: a deploy that was made after all is
			// followed by one of the same draft.
			err = api.DeployAction(ctx, id)
			if attempts++; err != nil && (!Ambiguous(err) || attempts == deployAttempts || ctx.Err() != nil) {
				return action, stopped(ctx, action, err)
			}
			asked = err == nil
		}
		if !clock.Now().Add(wait).Before(end) {
			return action, notDeployed(action, limit)
		}
		if err := clock.Sleep(ctx, wait); err != nil {
			return action, stopped(ctx, action, err)
		}
	}
}

// IsDeployed tells whether the draft of an Action is what is deployed.
func IsDeployed(a auth0api.Action) bool {
	return a.Status == statusBuilt && a.AllChangesDeployed && a.Deployed != nil && a.Deployed.Deployed
}

// stopped says what was waited for when the context ended, in a request or
// between two. Any other error speaks for itself.
func stopped(ctx context.Context, a auth0api.Action, err error) error {
	if ctx.Err() == nil {
		return err
	}
	which := a.ID
	if a.Name != "" { // else it was not read even once
		which = fmt.Sprintf("%q (%s)", a.Name, a.ID)
	}
	return fmt.Errorf("waiting until Action %s is deployed: %w", which, err)
}

// buildFailed says all that can be known: Auth0's API gives no reason.
func buildFailed(a auth0api.Action) error {
	packages := make([]string, 0, len(a.Dependencies))
	for _, name := range slices.Sorted(maps.Keys(a.Dependencies)) {
		packages = append(packages, name+"@"+a.Dependencies[name])
	}
	cause := "It has no npm packages, so this may pass: try again."
	if len(packages) > 0 {
		cause = "Check that these npm packages exist in these versions: " + strings.Join(packages, ", ") + "."
	}
	return fmt.Errorf("the build of Action %q (%s) failed at Auth0, which gives no reason through its API. %s "+
		"The Dashboard shows more: Actions → Library → %s. What was deployed before still runs", a.Name, a.ID, cause, a.Name)
}

func notDeployed(a auth0api.Action, limit time.Duration) error {
	return fmt.Errorf("the Action %q (%s) was not deployed within %s: its build is %q. What was deployed before still runs; Auth0's own state is at https://status.auth0.com",
		a.Name, a.ID, limit.Round(time.Second), a.Status)
}

// Ambiguous tells whether a request that failed may have taken effect, which its
// error says by a method Ambiguous() bool.
func Ambiguous(err error) bool {
	var a interface{ Ambiguous() bool }
	return errors.As(err, &a) && a.Ambiguous()
}

// BindAPI is the part of the Management API that binds.
type BindAPI interface {
	EditBindings(ctx context.Context, trigger string, edit func([]auth0api.Binding) []auth0api.Binding) error
}

// Bind makes a trigger run an Action, after all that it runs already. The Action
// must be deployed, and be one of that trigger. name is what the Dashboard shows.
func Bind(ctx context.Context, api BindAPI, trigger, actionID, name string) error {
	return api.EditBindings(ctx, trigger, func(bindings []auth0api.Binding) []auth0api.Binding {
		if slices.ContainsFunc(bindings, names(actionID)) {
			return bindings
		}
		return append(bindings, auth0api.Binding{ActionID: actionID, DisplayName: name})
	})
}

// Unbind takes an Action out of what a trigger runs, and nothing else.
func Unbind(ctx context.Context, api BindAPI, trigger, actionID string) error {
	return api.EditBindings(ctx, trigger, func(bindings []auth0api.Binding) []auth0api.Binding {
		return slices.DeleteFunc(bindings, names(actionID))
	})
}
