package auth0api

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/auth0/go-auth0/v2/management"
)

const (
	// actionsPerPage is recorded to work, for Actions and for bindings. It keeps
	// an answer small: an Action comes with up to three copies of its code.
	actionsPerPage = 50

	// Auth0 spells one runtime of the triggers used here in two ways: people and
	// its own Terraform provider say node18, the API node18-actions
	// (recordings/go-auth0-v1__TestActionManager_Triggers.json).
	runtimeNode18     = "node18"
	runtimeNode18Wire = "node18-actions"
)

// ActionTrigger is the event that an Action is for, and the version of its
// contract: {"send-phone-message", "v2"}.
type ActionTrigger struct{ ID, Version string }

// Action is an Action's draft, which is what can be edited, beside the version
// that runs. https://auth0.com/docs/customize/actions
type Action struct {
	ID, Name, Code string
	Runtime        string // "node22", "node18"
	Status         string // of the draft's build: pending, building, packaged, built, retrying or failed
	Trigger        ActionTrigger
	Dependencies   map[string]string    // npm package → version
	Secrets        map[string]time.Time // name → when its value was set, of the draft
	Deployed       *ActionVersion       // nil before the first deploy
	// AllChangesDeployed says that the draft is what is deployed.
	AllChangesDeployed bool
}

// ActionVersion is a copy of a draft that does not change any more.
type ActionVersion struct {
	ID       string
	Number   int
	Deployed bool // false while a deploy is under way
	BuiltAt  time.Time
	Code     string
	Runtime  string
	// Dependencies and Secrets as in [Action]: the version has the values that
	// the draft had when it was deployed.
	Dependencies map[string]string
	Secrets      map[string]time.Time
}

// ActionPatch changes what is not nil. Dependencies are replaced as a whole.
type ActionPatch struct {
	Name, Code, Runtime *string
	Dependencies        *map[string]string
}

// Binding makes a trigger run an Action.
type Binding struct{ ActionID, DisplayName string }

// Actions returns all Actions of a trigger, "" for all there are. Those of
// custom-phone-provider are among them, although the Dashboard hides them.
func (c *Client) Actions(ctx context.Context, triggerID string) ([]Action, error) {
	return allPages(func(page int) ([]Action, int, error) {
		query := &management.ListActionsRequestParameters{Page: &page, PerPage: management.Int(actionsPerPage)}
		if triggerID != "" {
			query.TriggerID = management.ActionTriggerTypeEnum(triggerID).Ptr()
		}
		answer, err := call(ctx, exchange{operation: "list Actions"}, func(ctx context.Context) (*management.ListActionsPaginatedResponseContent, error) {
			page, err := c.actions.List(ctx, query)
			if err != nil {
				return nil, err
			}
			return page.Response, nil
		})
		if err != nil {
			return nil, 0, err
		}
		var batch []Action
		for _, a := range answer.GetActions() {
			batch = append(batch, readAction(a))
		}
		return batch, int(answer.GetTotal()), nil
	})
}

// Action reads one Action.
func (c *Client) Action(ctx context.Context, id string) (Action, error) {
	return call(ctx, exchange{operation: "read Action"}, func(ctx context.Context) (Action, error) {
		a, err := c.actions.Get(ctx, id)
		return readAction(a), err
	})
}

// CreateAction creates a draft from name, trigger, code, runtime and
// dependencies. It is neither built when this returns nor deployed. Cardinality
// where the tenant has the one Action of custom-phone-provider already.
func (c *Client) CreateAction(ctx context.Context, action Action) (Action, error) {
	return call(ctx, exchange{operation: "create Action"}, func(ctx context.Context) (Action, error) {
		a, err := c.actions.Create(ctx, &management.CreateActionRequestContent{
			Name:              action.Name,
			SupportedTriggers: []*management.ActionTrigger{{ID: management.ActionTriggerTypeEnum(action.Trigger.ID), Version: &action.Trigger.Version}},
			Code:              &action.Code,
			Runtime:           management.String(writeRuntime(action.Runtime)),
			Dependencies:      writeDependencies(action.Dependencies),
		})
		return readAction(a), err
	})
}

// UpdateAction changes the draft; what is deployed runs on as it is.
func (c *Client) UpdateAction(ctx context.Context, id string, patch ActionPatch) (Action, error) {
	request := &management.UpdateActionRequestContent{Name: patch.Name, Code: patch.Code}
	if patch.Runtime != nil {
		request.Runtime = management.String(writeRuntime(*patch.Runtime))
	}
	if patch.Dependencies != nil {
		request.SetDependencies(writeDependencies(*patch.Dependencies))
	}
	return call(ctx, exchange{operation: "update Action"}, func(ctx context.Context) (Action, error) {
		a, err := c.actions.Update(ctx, id, request)
		return readAction(a), err
	})
}

// SetActionSecrets replaces all secrets of the draft by these: a name that is
// left out is removed. They take effect with the next deploy, whoever makes it.
func (c *Client) SetActionSecrets(ctx context.Context, id string, secrets map[string]string) (Action, error) {
	list := []*management.ActionSecretRequest{}
	for _, name := range sortedKeys(secrets) {
		list = append(list, &management.ActionSecretRequest{Name: &name, Value: management.String(secrets[name])})
	}
	request := &management.UpdateActionRequestContent{}
	request.SetSecrets(list)
	return call(ctx, exchange{operation: "set Action secrets", hide: valuesOf(secrets)}, func(ctx context.Context) (Action, error) {
		a, err := c.actions.Update(ctx, id, request)
		return readAction(a), err
	})
}

// DeployAction asks for the draft to be deployed, which must be built. It is
// deployed some time after this returns: [Action.Deployed] tells.
func (c *Client) DeployAction(ctx context.Context, id string) error {
	return run(ctx, exchange{operation: "deploy Action"}, func(ctx context.Context) error {
		_, err := c.actions.Deploy(ctx, id)
		return err
	})
}

// DeleteAction deletes an Action with its versions and secrets. One that is
// bound is a Conflict, one that does not exist is NotFound.
func (c *Client) DeleteAction(ctx context.Context, id string) error {
	return run(ctx, exchange{operation: "delete Action"}, func(ctx context.Context) error {
		return c.actions.Delete(ctx, id, &management.DeleteActionRequestParameters{})
	})
}

// Bindings returns what a trigger runs, in its order. A binding that names no
// Action is an error: it could not be written back.
func (c *Client) Bindings(ctx context.Context, trigger string) ([]Binding, error) {
	return allPages(func(page int) ([]Binding, int, error) {
		query := &management.ListActionTriggerBindingsRequestParameters{Page: &page, PerPage: management.Int(actionsPerPage)}
		answer, err := call(ctx, exchange{operation: "list bindings"}, func(ctx context.Context) (*management.ListActionBindingsPaginatedResponseContent, error) {
			page, err := c.actions.Triggers.Bindings.List(ctx, management.ActionTriggerTypeEnum(trigger).Ptr(), query)
			if err != nil {
				return nil, err
			}
			return page.Response, nil
		})
		if err != nil {
			return nil, 0, err
		}
		var batch []Binding
		for _, b := range answer.GetBindings() {
			action := b.GetAction()
			if action.GetID() == "" {
				return nil, 0, fmt.Errorf("binding %q (%s) of trigger %s names no Action, which this version does not know", b.GetDisplayName(), b.GetID(), trigger)
			}
			batch = append(batch, Binding{ActionID: action.GetID(), DisplayName: b.GetDisplayName()})
		}
		return batch, int(answer.GetTotal()), nil
	})
}

// SetBindings replaces all that a trigger runs by these, in this order. Each
// Action must be deployed.
func (c *Client) SetBindings(ctx context.Context, trigger string, bindings []Binding) error {
	list := []*management.ActionBindingWithRef{}
	for _, b := range bindings {
		list = append(list, &management.ActionBindingWithRef{
			Ref:         &management.ActionBindingRef{Type: management.ActionBindingRefTypeEnumActionID.Ptr(), Value: &b.ActionID},
			DisplayName: &b.DisplayName,
		})
	}
	request := &management.UpdateActionBindingsRequestContent{}
	request.SetBindings(list)
	return run(ctx, exchange{operation: "set bindings"}, func(ctx context.Context) error {
		_, err := c.actions.Triggers.Bindings.UpdateMany(ctx, management.ActionTriggerTypeEnum(trigger).Ptr(), request)
		return err
	})
}

// EditBindings reads what a trigger runs and writes what edit makes of it,
// nothing where that is the same. One edit of this client is done before the
// next begins; Auth0 offers no protection from an edit somewhere else.
func (c *Client) EditBindings(ctx context.Context, trigger string, edit func([]Binding) []Binding) error {
	select {
	case c.editing <- struct{}{}:
	case <-ctx.Done():
		return fmt.Errorf("waiting to edit the bindings of %s: %w", trigger, ctx.Err())
	}
	defer func() { <-c.editing }()
	bindings, err := c.Bindings(ctx, trigger)
	if err != nil {
		return err
	}
	edited := edit(slices.Clone(bindings))
	if slices.Equal(bindings, edited) {
		return nil
	}
	return c.SetBindings(ctx, trigger, edited)
}

// allPages asks for pages until it has the total: go-auth0's own iterator
// always asks for one more than there is.
func allPages[T any](ask func(page int) (batch []T, total int, err error)) ([]T, error) {
	var all []T
	for page := 0; ; page++ {
		batch, total, err := ask(page)
		if err != nil {
			return nil, err
		}
		all = append(all, batch...)
		if len(batch) == 0 || len(all) >= total {
			return all, nil
		}
	}
}

// actionContent is what go-auth0's four types for an Action have in common.
type actionContent interface {
	GetID() string
	GetName() string
	GetCode() string
	GetRuntime() string
	GetStatus() management.ActionBuildStatusEnum
	GetSupportedTriggers() []*management.ActionTrigger
	GetDependencies() []*management.ActionVersionDependency
	GetSecrets() []*management.ActionSecretResponse
	GetDeployedVersion() management.ActionDeployedVersion
	GetAllChangesDeployed() bool
}

func readAction(a actionContent) Action {
	action := Action{
		ID: a.GetID(), Name: a.GetName(), Code: a.GetCode(), Runtime: readRuntime(a.GetRuntime()), Status: string(a.GetStatus()),
		Dependencies: readDependencies(a.GetDependencies()), Secrets: readSecrets(a.GetSecrets()),
		AllChangesDeployed: a.GetAllChangesDeployed(),
	}
	// Auth0 has a list here and allows one.
	for _, t := range a.GetSupportedTriggers() {
		action.Trigger = ActionTrigger{ID: string(t.GetID()), Version: t.GetVersion()}
	}
	if v := a.GetDeployedVersion(); v.GetID() != "" {
		action.Deployed = &ActionVersion{
			ID: v.GetID(), Number: int(v.GetNumber()), Deployed: v.GetDeployed(), BuiltAt: v.GetBuiltAt(), Code: v.GetCode(), Runtime: readRuntime(v.GetRuntime()),
			Dependencies: readDependencies(v.GetDependencies()), Secrets: readSecrets(v.GetSecrets()),
		}
	}
	return action
}

func readDependencies(list []*management.ActionVersionDependency) map[string]string {
	dependencies := map[string]string{}
	for _, d := range list {
		dependencies[d.GetName()] = d.GetVersion()
	}
	return dependencies
}

func writeDependencies(dependencies map[string]string) []*management.ActionVersionDependency {
	list := []*management.ActionVersionDependency{}
	for _, name := range sortedKeys(dependencies) {
		list = append(list, &management.ActionVersionDependency{Name: &name, Version: management.String(dependencies[name])})
	}
	return list
}

func readSecrets(list []*management.ActionSecretResponse) map[string]time.Time {
	secrets := map[string]time.Time{}
	for _, s := range list {
		secrets[s.GetName()] = s.GetUpdatedAt()
	}
	return secrets
}

func readRuntime(runtime string) string {
	if runtime == runtimeNode18Wire {
		return runtimeNode18
	}
	return runtime
}

func writeRuntime(runtime string) string {
	if runtime == runtimeNode18 {
		return runtimeNode18Wire
	}
	return runtime
}
