// Package delivery knows who sends a tenant's MFA messages.
package delivery

import (
	"context"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
)

// Auth0's names for the things that select a sender.
const (
	// FactorSMS is the guardian factor that carries phone messages.
	FactorSMS = "sms"
	// ProviderCustom is the selected provider that the Dashboard shows as
	// "Custom": the message goes to the Send Phone Message hook or Action.
	ProviderCustom = "phone-message-hook"
	// TriggerHook is the trigger of the Send Phone Message hook.
	TriggerHook = "send-phone-message"
)

// API is the part of the Management API that tells who is live.
type API interface {
	Factors(ctx context.Context) (map[string]bool, error)
	SelectedProvider(ctx context.Context) (string, error)
	Hook(ctx context.Context, id string) (auth0api.Hook, error)
}

// HookIsLive tells whether people who log in right now get their codes through
// this hook: SMS factor on, provider Custom, hook enabled. A hook that does not
// exist, or a tenant whose phone settings are the unified ones, has none live.
func HookIsLive(ctx context.Context, api API, hookID string) (bool, error) {
	factors, err := api.Factors(ctx)
	if err != nil || !factors[FactorSMS] {
		return false, err
	}
	provider, err := api.SelectedProvider(ctx)
	if auth0api.KindOf(err) == auth0api.LegacyPhone {
		return false, nil
	}
	if err != nil || provider != ProviderCustom {
		return false, err
	}
	hook, err := api.Hook(ctx, hookID)
	if auth0api.IsNotFound(err) {
		return false, nil
	}
	return hook.Enabled, err
}
