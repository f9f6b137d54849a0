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
	// TriggerCustomPhoneProvider is the trigger of the one Action that the phone
	// provider "custom" asks.
	TriggerCustomPhoneProvider = "custom-phone-provider"
	// PhoneProviderCustom is the phone provider that asks the tenant's own Action,
	// on the Unified Phone Experience.
	PhoneProviderCustom = "custom"
)

// API is the part of the Management API that tells who is live.
type API interface {
	Factors(ctx context.Context) (map[string]bool, error)
	SelectedProvider(ctx context.Context) (string, error)
	Hook(ctx context.Context, id string) (auth0api.Hook, error)
	Action(ctx context.Context, id string) (auth0api.Action, error)
	PhoneProvidersAPI
	BindingsAPI
}

// PhoneProvidersAPI is the part of the Management API that tells who sends on
// the Unified Phone Experience.
type PhoneProvidersAPI interface {
	PhoneProviders(ctx context.Context) ([]auth0api.PhoneProvider, error)
}

// BindingsAPI is the part of the Management API that tells what a trigger runs.
type BindingsAPI interface {
	Bindings(ctx context.Context, trigger string) ([]auth0api.Binding, error)
}

// An Action has a UUID, a phone provider a mark in front of its id (recordings/
// go-auth0-v1__TestBrandingManager_CreatePhoneProvider.json), and a hook 26
// letters and digits.
var (
	actionIDPattern        = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)
	phoneProviderIDPattern = regexp.MustCompile(`^pro_[0-9A-Za-z]+$`)
)

// IsActionID tells the id of an Action from that of a hook.
func IsActionID(id string) bool { return actionIDPattern.MatchString(id) }

// IsPhoneProviderID tells the id of a phone provider from that of a hook or an
// Action.
func IsPhoneProviderID(id string) bool { return phoneProviderIDPattern.MatchString(id) }

// SenderIsLive tells whether people who log in right now get their codes through
// this hook or Action: SMS factor on, provider Custom, and the hook enabled or
// the Action bound, which it can be only when deployed. A sender that does not
// exist is not live.
//
// On the Unified Phone Experience it is the deployed Action of
// custom-phone-provider, where the phone provider is "custom" and not disabled;
// and of that provider id may be as well. That a tenant has the experience is
// told by the closed legacy endpoint, so that no other tenant pays a request for
// the question.
func SenderIsLive(ctx context.Context, api API, id string) (bool, error) {
	factors, err := api.Factors(ctx)
	if err != nil || !factors[FactorSMS] {
		return false, err
	}
	provider, err := api.SelectedProvider(ctx)
	if isUnified(err) {
		return unifiedSenderIsLive(ctx, api, id)
	}
	switch {
	case err != nil || provider != ProviderCustom || IsPhoneProviderID(id):
		return false, err
	case IsActionID(id):
		return IsBound(ctx, api, TriggerSendPhoneMessage, id)
	}
	hook, err := api.Hook(ctx, id)
	if auth0api.IsNotFound(err) {
		return false, nil
	}
	return hook.Enabled, err
}

// isUnified tells by the answer of a legacy endpoint that a tenant has the
// Unified Phone Experience.
func isUnified(err error) bool { return auth0api.KindOf(err) == auth0api.LegacyPhone }

func unifiedSenderIsLive(ctx context.Context, api API, id string) (bool, error) {
	isProvider := IsPhoneProviderID(id)
	switch {
	case IsActionID(id):
		action, err := api.Action(ctx, id)
		if auth0api.IsNotFound(err) {
			return false, nil
		}
		if err != nil || action.Trigger.ID != TriggerCustomPhoneProvider || action.Deployed == nil {
			return false, err
		}
	case !isProvider:
		return false, nil // a hook, which is not asked there
	}
	providers, err := api.PhoneProviders(ctx)
	return slices.ContainsFunc(providers, func(p auth0api.PhoneProvider) bool {
		return asksAction(p) && (!isProvider || p.ID == id)
	}), err
}

// asksAction tells whether a phone provider hands messages to the tenant's Action.
func asksAction(p auth0api.PhoneProvider) bool { return p.Name == PhoneProviderCustom && !p.Disabled }

// IsBound tells whether a trigger runs an Action.
func IsBound(ctx context.Context, api BindingsAPI, trigger, actionID string) (bool, error) {
	bindings, err := api.Bindings(ctx, trigger)
	return slices.ContainsFunc(bindings, names(actionID)), err
}

func names(actionID string) func(auth0api.Binding) bool {
	return func(b auth0api.Binding) bool { return b.ActionID == actionID }
}
