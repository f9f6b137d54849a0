package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// senderSecrets is what Auth0 tells of the secrets of a hook or an Action.
type senderSecrets struct {
	exists bool
	names  []string
	// written is when the secret key was last written, for an Action; zero for a
	// hook, of which Auth0 does not tell.
	written time.Time
	// outdated says that an Action runs with other values than those: they wait in
	// its draft, or somebody rolled back to an older version.
	outdated bool
}

// sender is the hook or Action of an id, to be handed a key.
func (c *clients) sender(id string) handover.Sender {
	if delivery.IsActionID(id) {
		return handover.Action{API: c.auth0, Clock: c.clock, ID: id}
	}
	return handover.Hook{API: c.auth0, ID: id}
}

// senderSecrets reads what there is to know. A sender that is gone is no error.
func (c *clients) senderSecrets(ctx context.Context, id string) (senderSecrets, error) {
	if !delivery.IsActionID(id) {
		names, err := c.auth0.HookSecretNames(ctx, id)
		if auth0api.IsNotFound(err) {
			return senderSecrets{}, nil
		}
		return senderSecrets{exists: err == nil, names: names}, err
	}
	action, err := c.auth0.Action(ctx, id)
	if auth0api.IsNotFound(err) {
		return senderSecrets{}, nil
	}
	if err != nil {
		return senderSecrets{}, err
	}
	return actionSecrets(action), nil
}

// refreshedSecrets is senderSecrets in a refresh, where the Action may have been
// read already. What was read serves once: it is no cache.
func (c *clients) refreshedSecrets(ctx context.Context, id string) (senderSecrets, error) {
	if read, ok := c.refreshed.LoadAndDelete(id); ok {
		if action, ok := read.(auth0api.Action); ok {
			return actionSecrets(action), nil
		}
	}
	return c.senderSecrets(ctx, id)
}

// actionSecrets are those that the deployed version has. One that waits in the
// draft counts as written: whoever deploys next makes it live.
func actionSecrets(action auth0api.Action) senderSecrets {
	found := senderSecrets{exists: true, written: action.Secrets[handover.SecretSecretAccessKey]}
	if action.Deployed != nil {
		found.names = slices.Sorted(maps.Keys(action.Deployed.Secrets))
		found.outdated = !action.Deployed.Secrets[handover.SecretSecretAccessKey].Equal(found.written)
	}
	return found
}

// senderScopes are the Auth0 scopes that a hand-over to the sender needs.
func senderScopes(id string) []string {
	if delivery.IsActionID(id) {
		return []string{"read:actions", "create:actions", "update:actions", "read:guardian_factors"}
	}
	return []string{"read:hooks", "create:hooks", "update:hooks", "delete:hooks", "read:guardian_factors"}
}

// refuseLive is invariant 3 of the design: what people who log in depend on
// right now is not taken away.
func (c *clients) refuseLive(ctx context.Context, object, senderID string) diag.Diagnostics {
	var diags diag.Diagnostics
	live, err := delivery.SenderIsLive(ctx, c.auth0, senderID)
	if err != nil {
		diags.AddError("Cannot tell whether the "+object+" is in use", err.Error()+"\n\nNothing was changed.")
	} else if live {
		diags.AddError("The "+object+" is in use", fmt.Sprintf(
			"People who log in to %s get their codes through %s right now: the SMS factor is on and its provider is Custom. Without the %s nobody gets one, so nothing was changed.\n\n"+
				"Ways out: destroy or switch off auth0sns_sms_factor in the same apply (with create_before_destroy in its lifecycle where another sender takes over); set its on_destroy to \"disable\"; or set force_destroy = true here, apply, and try again.",
			c.auth0.Domain(), describeSender(senderID), object))
	}
	return diags
}

// warnLive says in plan what refuseLive will look at in apply. Whether the
// factor goes first in the same apply, a plan of one object cannot know.
func (c *clients) warnLive(ctx context.Context, object, senderID string) diag.Diagnostics {
	var diags diag.Diagnostics
	if c.auth0 == nil {
		return diags
	}
	if live, err := c.live.of(ctx, c.auth0, senderID); err == nil && live {
		diags.AddWarning("The "+object+" is in use now", fmt.Sprintf(
			"People who log in to %s get their codes through %s. The apply takes the %s away only after auth0sns_sms_factor has been destroyed, switched off or turned to another sender in the same apply; else it stops there and changes nothing.",
			c.auth0.Domain(), describeSender(senderID), object))
	}
	return diags
}

func describeSender(id string) string {
	if delivery.IsPhoneProviderID(id) {
		return "phone provider " + id
	}
	if delivery.IsActionID(id) {
		return "Action " + id
	}
	return "hook " + id
}

// liveSenders is who is live, asked once for each sender in a run of plan.
type liveSenders struct {
	sync.Mutex
	known map[string]bool
}

func (l *liveSenders) of(ctx context.Context, api delivery.API, id string) (bool, error) {
	l.Lock()
	defer l.Unlock()
	if live, known := l.known[id]; known {
		return live, nil
	}
	live, err := delivery.SenderIsLive(ctx, api, id)
	if err != nil {
		return false, err
	}
	if l.known == nil {
		l.known = map[string]bool{}
	}
	l.known[id] = live
	return live, nil
}
