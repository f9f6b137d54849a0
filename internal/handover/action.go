package handover

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// ActionAPI is the part of the Management API that makes an Action send with
// other secrets.
type ActionAPI interface {
	delivery.DeployAPI
	delivery.BindAPI
	SetActionSecrets(ctx context.Context, id string, secrets map[string]string) (auth0api.Action, error)
}

// Action is a Send Phone Message Action as a sender. Auth0 replaces the secrets
// of an Action all at once and never shows their values, so an Action that has
// secrets of other names is not touched.
type Action struct {
	API   ActionAPI
	Clock Clock
	ID    string
}

// HoldsSecrets tells whether an Action has all three secrets, in its draft and
// in the version that is deployed: one without them sends nothing.
func HoldsSecrets(a auth0api.Action) bool {
	return a.Deployed != nil && !slices.ContainsFunc(SecretNames(), func(name string) bool {
		_, drafted := a.Secrets[name]
		_, deployed := a.Deployed.Secrets[name]
		return !drafted || !deployed
	})
}

// Deliver writes the three secrets into the draft, deploys it, and binds the
// Action if it is not bound: from then on people get their codes through it.
// Every step of it may be repeated: the secrets replace themselves, a deploy
// that was made already is not made again or is followed by the same version,
// and an Action that is bound is not bound twice.
//
// As soon as the draft has the secrets, the next deploy makes them live, whoever
// asks for it. So every error from then on is ambiguous, also one that says that
// nothing was deployed.
func (a Action) Deliver(ctx context.Context, s Secrets) error {
	before, err := a.API.Action(ctx, a.ID)
	if err == nil {
		err = deliverable(before)
	}
	if err != nil {
		return nothingWritten{err}
	}
	draft, err := a.API.SetActionSecrets(ctx, a.ID, map[string]string{
		SecretAccessKeyID:     s.AccessKeyID,
		SecretSecretAccessKey: s.SecretAccessKey.Reveal(),
		SecretRegion:          s.Region,
	})
	if err != nil {
		return err
	}
	if err := a.putIntoService(ctx, draft); err != nil {
		return drafted{err}
	}
	return nil
}

// putIntoService deploys a draft and makes sure that the version which runs has
// that draft's secrets: two deliveries at once would overwrite each other.
func (a Action) putIntoService(ctx context.Context, draft auth0api.Action) error {
	action, err := delivery.Deploy(ctx, a.API, a.Clock, a.ID)
	if err != nil {
		return err
	}
	for _, name := range SecretNames() {
		// The times are the API's only sign of which value a version has.
		if at, found := action.Deployed.Secrets[name]; !found || !at.Equal(draft.Secrets[name]) {
			return fmt.Errorf("the deployed version of Action %q (%s) has another %s than was just written: something else writes its secrets", action.Name, a.ID, name)
		}
	}
	return delivery.Bind(ctx, a.API, action.Trigger.ID, a.ID, action.Name)
}

// Withdraw unbinds the Action, so that it runs no more, and then removes its
// secrets and deploys it without them. Repeating it is harmless: each step does
// nothing where there is nothing left to do.
//
// Secrets of other names cannot be kept while ours go, and are not ours to
// remove. Then all stay: the Action is not bound, and the caller is about to
// delete the key they name.
func (a Action) Withdraw(ctx context.Context) error {
	action, err := a.API.Action(ctx, a.ID)
	if err != nil {
		return ignoreNotFound(err) // what is gone is bound to nothing
	}
	if err := delivery.Unbind(ctx, a.API, action.Trigger.ID, a.ID); err != nil {
		return err
	}
	if len(action.Secrets) == 0 || len(foreignSecrets(action)) > 0 {
		return nil
	}
	if _, err := a.API.SetActionSecrets(ctx, a.ID, nil); err != nil {
		return ignoreNotFound(err)
	}
	if action.Deployed == nil || draftEdited(action) {
		return nil
	}
	_, err = delivery.Deploy(ctx, a.API, a.Clock, a.ID)
	return ignoreNotFound(err)
}

// deliverable refuses an Action to which a delivery would do more than deliver.
func deliverable(a auth0api.Action) error {
	if foreign := foreignSecrets(a); len(foreign) > 0 {
		return fmt.Errorf("the Action %q (%s) has secrets of its own: %s. Auth0 replaces all secrets of an Action at once and shows no value, so they would be lost, and nothing was written. "+
			"Remove them, or send through an Action that has none", a.Name, a.ID, strings.Join(foreign, ", "))
	}
	if draftEdited(a) {
		return fmt.Errorf("the Action %q (%s) has changes of its code, runtime or packages that are not deployed. Delivering a key deploys the draft, and them with it, so nothing was written. "+
			"Deploy or undo them first: Auth0 Dashboard → Actions → Library → %s, or an apply of its auth0sns_action", a.Name, a.ID, a.Name)
	}
	return nil
}

// draftEdited tells whether a deploy would change what the Action does.
func draftEdited(a auth0api.Action) bool {
	v := a.Deployed
	return v != nil && (a.Code != v.Code || a.Runtime != v.Runtime || !maps.Equal(a.Dependencies, v.Dependencies))
}

func foreignSecrets(a auth0api.Action) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(a.Secrets)), func(name string) bool { return slices.Contains(SecretNames(), name) })
}

// drafted is a failure after the draft got the secrets. However it failed, they
// may be live by now, or by tomorrow.
type drafted struct{ error }

func (drafted) Ambiguous() bool { return true }

func (e drafted) Unwrap() error { return e.error }
