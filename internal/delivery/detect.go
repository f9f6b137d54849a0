package delivery

import (
	"context"
	"fmt"
	"slices"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
)

// Path is how Auth0 comes to ask a tenant's own code to send a message.
type Path string

// The paths, oldest first. A tenant has one at a time.
const (
	// PathNone is that of a tenant without code of its own, or where
	// [Tenant].Unknown says why it cannot be told.
	PathNone Path = "none"
	// PathHook is the Send Phone Message hook. Auth0 ended hooks on 2026-11-18.
	PathHook Path = "hook"
	// PathAction is the Action bound to send-phone-message.
	PathAction Path = "action"
	// PathUnified is the Action of custom-phone-provider, asked by the phone
	// provider "custom" of the Unified Phone Experience.
	PathUnified Path = "unified"
)

// Tenant is who sends a tenant's MFA messages, as far as its API tells.
type Tenant struct {
	// Path is the unified one on every tenant with the Unified Phone Experience,
	// whether or not it has a sender: no other works there.
	Path Path
	// Flag is the setting phone_consolidated_experience. A tenant that was made
	// with the Unified Phone Experience may have the unified path without it.
	Flag bool
	// FactorOn says that the SMS factor is on.
	FactorOn bool
	// SelectedProvider is who sends on the legacy paths: auth0, twilio, or
	// phone-message-hook for the tenant's own code. "" on the unified one.
	SelectedProvider string
	// PhoneProvider is who sends on the unified path: custom, twilio, or one that
	// came later. Nil without one. A tenant on a legacy path may have it already.
	PhoneProvider *auth0api.PhoneProvider
	// Senders are the ids of the code that the path may ask, in the order in which
	// Auth0 is taken to: the bound Actions, all of which it runs for each message,
	// and then an enabled hook, beside which nobody has documented what it does;
	// on the unified path the deployed Action.
	Senders []string
	// Live is the sender through which people who log in get their codes right
	// now: the first one, where the factor is on and the provider asks it. "" where
	// there is none, or where it cannot be told.
	Live string
	// Unknown says what could not be told, and why, a sentence without its full
	// stop each. Nothing of it is guessed.
	Unknown []string
}

// UnifiedAPI is the part of the Management API that tells whether a tenant has
// the Unified Phone Experience.
type UnifiedAPI interface {
	TenantSettings(ctx context.Context) (auth0api.TenantSettings, error)
	SelectedProvider(ctx context.Context) (string, error)
}

// DetectAPI is the part of the Management API that tells a tenant's path.
type DetectAPI interface {
	UnifiedAPI
	Factors(ctx context.Context) (map[string]bool, error)
	Hooks(ctx context.Context, trigger string) ([]auth0api.Hook, error)
	Actions(ctx context.Context, trigger string) ([]auth0api.Action, error)
	PhoneProvidersAPI
	BindingsAPI
}

// Unified tells which way a tenant's messages go: by its setting, or else by
// whether Auth0 has closed the legacy way to it.
func Unified(ctx context.Context, api UnifiedAPI) (bool, error) {
	settings, err := api.TenantSettings(ctx)
	if err != nil || settings.PhoneConsolidatedExperience {
		return settings.PhoneConsolidatedExperience, err
	}
	if _, err = api.SelectedProvider(ctx); isUnified(err) {
		return true, nil
	}
	return false, err
}

// Detect finds out which path a tenant has and who is its live sender, in four
// requests on the unified path, or five where the flag does not tell it, and six
// on the others. What the client may not read, or Auth0 does not offer there, is
// in Unknown; only a failure that would go away is an error.
//
// A list of hooks proves little: Auth0 answered it with success, and none, on
// tenants that could not have any, and nothing says that it lists only what it
// runs.
func Detect(ctx context.Context, api DetectAPI) (Tenant, error) {
	var q inquiry
	settings, flagKnown := ask(ctx, &q, "whether the Unified Phone Experience is on", api.TenantSettings)
	factors, _ := ask(ctx, &q, "whether the SMS factor is on", api.Factors)
	providers, _ := ask(ctx, &q, "which phone provider the tenant has", api.PhoneProviders)
	t := Tenant{Path: PathNone, Flag: settings.PhoneConsolidatedExperience, FactorOn: factors[FactorSMS]}
	if len(providers) > 0 {
		t.PhoneProvider = &providers[0]
	}

	unified, selectedKnown := t.Flag, false
	if !unified {
		t.SelectedProvider, selectedKnown = ask(ctx, &q, "which provider is selected for phone messages", func(ctx context.Context) (string, error) {
			selected, err := api.SelectedProvider(ctx)
			if unified = isUnified(err); unified {
				return "", nil
			}
			return selected, err
		})
	}
	switch {
	case unified:
		t.detectUnified(ctx, &q, api)
	case flagKnown || selectedKnown:
		t.detectLegacy(ctx, &q, api)
	}
	if q.failure != nil {
		return Tenant{}, q.failure
	}
	t.Unknown = q.unknown
	return t, nil
}

func (t *Tenant) detectUnified(ctx context.Context, q *inquiry, api DetectAPI) {
	t.Path = PathUnified
	actions, _ := ask(ctx, q, "which Action has the trigger "+TriggerCustomPhoneProvider, func(ctx context.Context) ([]auth0api.Action, error) {
		return api.Actions(ctx, TriggerCustomPhoneProvider)
	})
	for _, a := range actions {
		if a.Deployed != nil {
			t.Senders = append(t.Senders, a.ID)
		}
	}
	if len(t.Senders) > 1 {
		q.doubt("which of the Actions %q the phone provider asks: Auth0 has allowed a tenant only one since 2026-03-02", t.Senders)
		return
	}
	if len(t.Senders) == 1 && t.FactorOn && t.PhoneProvider != nil && asksAction(*t.PhoneProvider) {
		t.Live = t.Senders[0]
	}
}

func (t *Tenant) detectLegacy(ctx context.Context, q *inquiry, api DetectAPI) {
	bindings, bindingsKnown := ask(ctx, q, "which Actions are bound to "+TriggerSendPhoneMessage, func(ctx context.Context) ([]auth0api.Binding, error) {
		return api.Bindings(ctx, TriggerSendPhoneMessage)
	})
	for _, b := range bindings {
		t.Path = PathAction
		t.Senders = append(t.Senders, b.ActionID)
	}
	hooks, _ := ask(ctx, q, "which Send Phone Message hook is enabled", func(ctx context.Context) ([]auth0api.Hook, error) {
		hooks, err := api.Hooks(ctx, TriggerHook)
		if auth0api.KindOf(err) == auth0api.FeatureDisabled {
			return nil, nil // the answer of a tenant without hooks
		}
		return hooks, err
	})
	if i := slices.IndexFunc(hooks, func(h auth0api.Hook) bool { return h.Enabled }); i >= 0 {
		t.addHook(q, hooks[i].ID)
	}
	// Of a hook that is certain only where no Action is known to be bound.
	if bindingsKnown && len(t.Senders) > 0 && t.FactorOn && t.SelectedProvider == ProviderCustom {
		t.Live = t.Senders[0]
	}
}

// addHook adds the enabled hook to the senders, with what is to be said of it.
func (t *Tenant) addHook(q *inquiry, id string) {
	if t.Path == PathAction {
		q.doubt("whether Auth0 asks the enabled hook %s beside or before Action %s: it ended hooks on 2026-11-18, and has documented no order", id, t.Senders[0])
	} else {
		t.Path = PathHook
		q.doubt("whether Auth0 still runs the enabled hook %s: it ended hooks on 2026-11-18, and a tenant may list what runs no more", id)
	}
	t.Senders = append(t.Senders, id)
}

// inquiry is a series of questions to a tenant: what it does not tell, and the
// failure that ended it.
type inquiry struct {
	unknown []string
	failure error
}

func (q *inquiry) doubt(format string, args ...any) {
	q.unknown = append(q.unknown, fmt.Sprintf(format, args...))
}

// ask reads one thing; known is false where the tenant does not tell. After a
// failure nothing is asked any more.
func ask[T any](ctx context.Context, q *inquiry, what string, read func(context.Context) (T, error)) (answer T, known bool) {
	if q.failure != nil {
		return answer, false
	}
	answer, err := read(ctx)
	switch auth0api.KindOf(err) {
	case auth0api.MissingScope, auth0api.MissingEntitlement, auth0api.Forbidden, auth0api.FeatureDisabled, auth0api.NotFound, auth0api.BadRequest:
		// Also of one trigger that this tenant does not know.
		q.doubt("%s: %v", what, err)
	default:
		q.failure = err
	}
	return answer, err == nil
}
