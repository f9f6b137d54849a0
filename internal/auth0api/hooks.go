package auth0api

import (
	"context"
	"maps"
	"slices"

	"github.com/auth0/go-auth0/v2/management"
)

const (
	hookFields = "id,name,script,dependencies,enabled,triggerId"
	// hooksPerPage is the most that Auth0 allows.
	hooksPerPage = 100
)

// Hook is a hook without its secrets. TriggerID is fixed once it exists.
// https://auth0.com/docs/customize/hooks
type Hook struct {
	ID, Name, Script, TriggerID string
	Enabled                     bool
	Dependencies                map[string]string // npm package → version
}

// Equal tells whether two hooks are the same in every respect.
func (h Hook) Equal(other Hook) bool {
	return h.ID == other.ID && h.Name == other.Name && h.Script == other.Script && h.TriggerID == other.TriggerID &&
		h.Enabled == other.Enabled && maps.Equal(h.Dependencies, other.Dependencies)
}

// HookPatch changes what is not nil. Dependencies are replaced as a whole.
type HookPatch struct {
	Name, Script *string
	Enabled      *bool
	Dependencies *map[string]string
}

// Hooks returns all hooks of a trigger, "" for all there are, with their code. An empty list does not
// mean that one may be created: Auth0 answers it on tenants that have no hooks.
func (c *Client) Hooks(ctx context.Context, triggerID string) ([]Hook, error) {
	return allPages(func(page int) ([]Hook, int, error) { return c.hookPage(ctx, triggerID, page) })
}

func (c *Client) hookPage(ctx context.Context, triggerID string, page int) (batch []Hook, total int, err error) {
	answer, err := call(ctx, exchange{operation: "list hooks"}, func(ctx context.Context) (*management.ListHooksOffsetPaginatedResponseContent, error) {
		query := &management.ListHooksRequestParameters{Page: &page, PerPage: management.Int(hooksPerPage), Fields: management.String(hookFields)}
		if triggerID != "" {
			query.TriggerID = management.HookTriggerIDEnum(triggerID).Ptr()
		}
		page, err := c.hooks.List(ctx, query)
		if err != nil {
			return nil, err
		}
		return page.Response, nil
	})
	if err != nil {
		return nil, 0, err
	}
	for _, h := range answer.GetHooks() {
		batch = append(batch, readHook(h))
	}
	return batch, int(answer.GetTotal()), nil
}

// Hook reads one hook.
func (c *Client) Hook(ctx context.Context, id string) (Hook, error) {
	return call(ctx, exchange{operation: "read hook"}, func(ctx context.Context) (Hook, error) {
		h, err := c.hooks.Get(ctx, id, &management.GetHookRequestParameters{})
		return readHook(h), err
	})
}

// CreateHook creates a hook; its ID is ignored. Enabled and Dependencies are
// always sent, as what Auth0 does without them is documented in two ways.
func (c *Client) CreateHook(ctx context.Context, hook Hook) (Hook, error) {
	dependencies := hook.Dependencies
	if dependencies == nil {
		dependencies = map[string]string{}
	}
	return call(ctx, exchange{operation: "create hook"}, func(ctx context.Context) (Hook, error) {
		h, err := c.hooks.Create(ctx, &management.CreateHookRequestContent{
			Name:         hook.Name,
			Script:       hook.Script,
			TriggerID:    management.HookTriggerIDEnum(hook.TriggerID),
			Enabled:      &hook.Enabled,
			Dependencies: &dependencies,
		})
		return readHook(h), err
	})
}

// UpdateHook changes a hook and returns the whole of it.
func (c *Client) UpdateHook(ctx context.Context, id string, patch HookPatch) (Hook, error) {
	return call(ctx, exchange{operation: "update hook"}, func(ctx context.Context) (Hook, error) {
		h, err := c.hooks.Update(ctx, id, &management.UpdateHookRequestContent{
			Name:         patch.Name,
			Script:       patch.Script,
			Enabled:      patch.Enabled,
			Dependencies: patch.Dependencies,
		})
		return readHook(h), err
	})
}

// DeleteHook deletes a hook and its secrets. A hook that does not exist is an
// error for which IsNotFound holds.
func (c *Client) DeleteHook(ctx context.Context, id string) error {
	return run(ctx, exchange{operation: "delete hook"}, func(ctx context.Context) error {
		return c.hooks.Delete(ctx, id)
	})
}

// HookSecretNames returns the sorted names of a hook's secrets. Their values
// cannot be read back.
func (c *Client) HookSecretNames(ctx context.Context, id string) ([]string, error) {
	return call(ctx, exchange{operation: "read hook secret names"}, func(ctx context.Context) ([]string, error) {
		secrets, err := c.hooks.Secrets.Get(ctx, id)
		return sortedKeys(secrets), err
	})
}

// AddHookSecrets adds secrets whose names are new; one that exists is a
// Conflict. Without any it does nothing, as Auth0 refuses an empty object.
func (c *Client) AddHookSecrets(ctx context.Context, id string, secrets map[string]string) error {
	if len(secrets) == 0 {
		return nil
	}
	return run(ctx, exchange{operation: "add hook secrets", hide: valuesOf(secrets)}, func(ctx context.Context) error {
		return c.hooks.Secrets.Create(ctx, id, secrets)
	})
}

// UpdateHookSecrets sets secrets that exist; one that does not is NotFound.
func (c *Client) UpdateHookSecrets(ctx context.Context, id string, secrets map[string]string) error {
	if len(secrets) == 0 {
		return nil
	}
	return run(ctx, exchange{operation: "update hook secrets", hide: valuesOf(secrets)}, func(ctx context.Context) error {
		return c.hooks.Secrets.Update(ctx, id, secrets)
	})
}

// RemoveHookSecrets removes secrets by name.
func (c *Client) RemoveHookSecrets(ctx context.Context, id string, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return run(ctx, exchange{operation: "remove hook secrets"}, func(ctx context.Context) error {
		return c.hooks.Secrets.Delete(ctx, id, names)
	})
}

// hookContent is what go-auth0's four types for a hook have in common.
type hookContent interface {
	GetID() string
	GetName() string
	GetScript() string
	GetTriggerID() string
	GetEnabled() bool
	GetDependencies() management.HookDependencies
}

func readHook(h hookContent) Hook {
	return Hook{
		ID: h.GetID(), Name: h.GetName(), Script: h.GetScript(), TriggerID: h.GetTriggerID(),
		Enabled: h.GetEnabled(), Dependencies: h.GetDependencies(),
	}
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}

func valuesOf(m map[string]string) []string {
	values := make([]string, 0, len(m))
	for _, value := range m {
		values = append(values, value)
	}
	return values
}
