// Package delivery knows who sends a tenant's MFA messages, and how an Action
// comes to be the one.
package delivery

import (
	"context"
	"regexp"
	"slices"

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
	// TriggerSendPhoneMessage is the trigger of the Action that came after the
	// hook. Auth0 gave it the same name.
	TriggerSendPhoneMessage = "send-phone-message"
)

// API is the part of the Management API that tells who is live.
type API interface {
	Factors(ctx context.Context) (map[string]bool, error)
	SelectedProvider(ctx context.Context) (string, error)
	Hook(ctx context.Context, id string) (auth0api.Hook, error)
	BindingsAPI
}

// BindingsAPI is the part of the Management API that tells what a trigger runs.
type BindingsAPI interface {
	Bindings(ctx context.Context, trigger string) ([]auth0api.Binding, error)
}

// actionIDPattern is a UUID; the id of a hook is 26 letters and digits.
var actionIDPattern = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// IsActionID tells the id of an Action from that of a hook.
func IsActionID(id string) bool { return actionIDPattern.MatchString(id) }

// SenderIsLive tells whether people who log in right now get their codes through
// this hook or Action: SMS factor on, provider Custom, and the hook enabled or
// the Action bound, which it can be only when deployed. A sender that does not
// exist is not live, and none is on a tenant whose phone settings are the
// unified ones.
func SenderIsLive(ctx context.Context, api API, id string) (bool, error) {
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
	if IsActionID(id) {
		return IsBound(ctx, api, id)
	}
	hook, err := api.Hook(ctx, id)
	if auth0api.IsNotFound(err) {
		return false, nil
	}
	return hook.Enabled, err
}

// IsBound tells whether send-phone-message runs an Action.
func IsBound(ctx context.Context, api BindingsAPI, actionID string) (bool, error) {
	bindings, err := api.Bindings(ctx, TriggerSendPhoneMessage)
	return slices.ContainsFunc(bindings, names(actionID)), err
}

func names(actionID string) func(auth0api.Binding) bool {
	return func(b auth0api.Binding) bool { return b.ActionID == actionID }
}
