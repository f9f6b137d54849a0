package delivery_test

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

const (
	hookID     = "01GQ7W5M3B8ZC9T4R6X2Y1K0HN"
	actionID   = "295d7c28-06dc-4d72-93a6-da8a6d947fbe"
	providerID = "pro_6n3tVjusDnQuuf9f3S8L8Q"
)

// fakeTenant is a tenant whose every answer a test can replace.
type fakeTenant struct {
	settings  func() (auth0api.TenantSettings, error)
	factors   func() (map[string]bool, error)
	provider  func() (string, error)
	hooks     func() ([]auth0api.Hook, error)
	bindings  func() ([]auth0api.Binding, error)
	actions   func() ([]auth0api.Action, error) // of custom-phone-provider
	providers func() ([]auth0api.PhoneProvider, error)
	reads     []string
}

// live is a tenant that sends through the hook, and through the Action.
func live() *fakeTenant {
	return &fakeTenant{
		settings: func() (auth0api.TenantSettings, error) { return auth0api.TenantSettings{}, nil },
		factors:  func() (map[string]bool, error) { return map[string]bool{"sms": true, "otp": true}, nil },
		provider: func() (string, error) { return "phone-message-hook", nil },
		hooks: func() ([]auth0api.Hook, error) {
			return []auth0api.Hook{{ID: "OFF"}, {ID: hookID, Enabled: true}}, nil
		},
		bindings: func() ([]auth0api.Binding, error) {
			return []auth0api.Binding{{ActionID: actionID}, {ActionID: "other"}}, nil
		},
		actions:   func() ([]auth0api.Action, error) { return nil, nil },
		providers: func() ([]auth0api.PhoneProvider, error) { return nil, nil },
	}
}

// liveUnified is a tenant that sends through the Action of its phone provider. A
// hook is enabled and an Action bound there from former times.
func liveUnified() *fakeTenant {
	f := live()
	f.settings = func() (auth0api.TenantSettings, error) {
		return auth0api.TenantSettings{PhoneConsolidatedExperience: true}, nil
	}
	f.provider = func() (string, error) { return "", refusal(auth0api.LegacyPhone) }
	f.actions = func() ([]auth0api.Action, error) { return []auth0api.Action{custom()}, nil }
	f.providers = func() ([]auth0api.PhoneProvider, error) {
		return []auth0api.PhoneProvider{{ID: providerID, Name: "custom", DeliveryMethods: []string{"text"}}}, nil
	}
	return f
}

// custom is a deployed Action of custom-phone-provider.
func custom() auth0api.Action {
	return auth0api.Action{ID: actionID, Trigger: auth0api.ActionTrigger{ID: "custom-phone-provider", Version: "v1"}, Deployed: &auth0api.ActionVersion{Deployed: true}}
}

var errDown = &auth0api.Error{Kind: auth0api.Server, StatusCode: http.StatusServiceUnavailable}

func refusal(kind auth0api.Kind) error {
	return &auth0api.Error{Operation: "read", Kind: kind, StatusCode: http.StatusForbidden}
}

func (f *fakeTenant) TenantSettings(context.Context) (auth0api.TenantSettings, error) {
	f.reads = append(f.reads, "settings")
	return f.settings()
}

func (f *fakeTenant) Factors(context.Context) (map[string]bool, error) {
	f.reads = append(f.reads, "factors")
	return f.factors()
}

func (f *fakeTenant) SelectedProvider(context.Context) (string, error) {
	f.reads = append(f.reads, "selected-provider")
	return f.provider()
}

func (f *fakeTenant) Hooks(_ context.Context, trigger string) ([]auth0api.Hook, error) {
	f.reads = append(f.reads, "hooks of "+trigger)
	return f.hooks()
}

func (f *fakeTenant) Hook(_ context.Context, id string) (auth0api.Hook, error) {
	f.reads = append(f.reads, "hook "+id)
	hooks, err := f.hooks()
	if i := slices.IndexFunc(hooks, func(h auth0api.Hook) bool { return h.ID == id }); i >= 0 {
		return hooks[i], err
	}
	return auth0api.Hook{}, cmp.Or(err, refusal(auth0api.NotFound))
}

func (f *fakeTenant) Actions(_ context.Context, trigger string) ([]auth0api.Action, error) {
	f.reads = append(f.reads, "Actions of "+trigger)
	return f.actions()
}

func (f *fakeTenant) Action(_ context.Context, id string) (auth0api.Action, error) {
	f.reads = append(f.reads, "Action "+id)
	actions, err := f.actions()
	if i := slices.IndexFunc(actions, func(a auth0api.Action) bool { return a.ID == id }); i >= 0 {
		return actions[i], err
	}
	return auth0api.Action{}, cmp.Or(err, refusal(auth0api.NotFound))
}

func (f *fakeTenant) PhoneProviders(context.Context) ([]auth0api.PhoneProvider, error) {
	f.reads = append(f.reads, "phone provider")
	return f.providers()
}

func (f *fakeTenant) Bindings(_ context.Context, trigger string) ([]auth0api.Binding, error) {
	f.reads = append(f.reads, "bindings of "+trigger)
	return f.bindings()
}

// TestSenderIsLive guards invariant 3: a wrong "no" lets an apply lock everybody
// out, a wrong "yes" keeps a sender from being destroyed for ever.
func TestSenderIsLive(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		id    string // "" stands for a hook and an Action
		given func(f *fakeTenant)
		live  bool
		err   error
		reads int
	}{
		{"factor on, provider Custom, hook enabled, Action bound", "", func(*fakeTenant) {}, true, nil, 3},
		{"factor off", "", func(f *fakeTenant) {
			f.factors = func() (map[string]bool, error) { return map[string]bool{"sms": false, "otp": true}, nil }
		}, false, nil, 1},
		{"a tenant without the factor", "", func(f *fakeTenant) {
			f.factors = func() (map[string]bool, error) { return map[string]bool{}, nil }
		}, false, nil, 1},
		{"factors cannot be read", "", func(f *fakeTenant) {
			f.factors = func() (map[string]bool, error) { return nil, errDown }
		}, false, errDown, 1},
		{"Auth0's own provider", "", func(f *fakeTenant) {
			f.provider = func() (string, error) { return "auth0", nil }
		}, false, nil, 2},
		{"Twilio", "", func(f *fakeTenant) {
			f.provider = func() (string, error) { return "twilio", nil }
		}, false, nil, 2},
		{"provider cannot be read", "", func(f *fakeTenant) {
			f.provider = func() (string, error) { return "", errDown }
		}, false, errDown, 2},
		{"hook disabled", hookID, func(f *fakeTenant) {
			f.hooks = func() ([]auth0api.Hook, error) { return []auth0api.Hook{{ID: hookID}}, nil }
		}, false, nil, 3},
		{"hook gone", hookID, func(f *fakeTenant) {
			f.hooks = func() ([]auth0api.Hook, error) { return nil, nil }
		}, false, nil, 3},
		{"hook cannot be read", hookID, func(f *fakeTenant) {
			f.hooks = func() ([]auth0api.Hook, error) { return nil, errDown }
		}, false, errDown, 3},
		{"Action not bound, or gone", actionID, func(f *fakeTenant) {
			f.bindings = func() ([]auth0api.Binding, error) { return []auth0api.Binding{{ActionID: "other"}}, nil }
		}, false, nil, 3},
		{"bindings cannot be read", actionID, func(f *fakeTenant) {
			f.bindings = func() ([]auth0api.Binding, error) { return nil, errDown }
		}, false, errDown, 3},
		{"a phone provider, before the tenant has moved", providerID, func(f *fakeTenant) {
			f.providers = liveUnified().providers
		}, false, nil, 2},
	}
	for _, test := range tests {
		ids := []string{test.id}
		if test.id == "" {
			ids = []string{hookID, actionID}
		}
		for _, id := range ids {
			t.Run(test.name+"/"+id, func(t *testing.T) {
				t.Parallel()
				tenant := live()
				test.given(tenant)
				requireLive(t, tenant, id, test.live, test.err, test.reads)
			})
		}
	}
}

// TestSenderIsLiveUnified is TestSenderIsLive on a tenant with the Unified Phone
// Experience, where hooks and bindings mean nothing.
func TestSenderIsLiveUnified(t *testing.T) {
	t.Parallel()
	withAction := func(change func(a *auth0api.Action)) func(f *fakeTenant) {
		return func(f *fakeTenant) {
			a := custom()
			change(&a)
			f.actions = func() ([]auth0api.Action, error) { return []auth0api.Action{a}, nil }
		}
	}
	withProviders := func(providers ...auth0api.PhoneProvider) func(f *fakeTenant) {
		return func(f *fakeTenant) {
			f.providers = func() ([]auth0api.PhoneProvider, error) { return providers, nil }
		}
	}
	tests := []struct {
		name  string
		id    string
		given func(f *fakeTenant)
		live  bool
		err   error
		reads int
	}{
		{"the Action of its phone provider", actionID, func(*fakeTenant) {}, true, nil, 4},
		{"its phone provider", providerID, func(*fakeTenant) {}, true, nil, 3},
		{"a hook", hookID, func(*fakeTenant) {}, false, nil, 2},
		{"factor off", actionID, func(f *fakeTenant) {
			f.factors = func() (map[string]bool, error) { return map[string]bool{"sms": false}, nil }
		}, false, nil, 1},
		{"an Action of send-phone-message, though bound", actionID, withAction(func(a *auth0api.Action) { a.Trigger.ID = "send-phone-message" }), false, nil, 3},
		{"an Action that is not deployed", actionID, withAction(func(a *auth0api.Action) { a.Deployed = nil }), false, nil, 3},
		{"an Action that is deployed again", actionID, withAction(func(a *auth0api.Action) { a.Deployed.Deployed = false }), true, nil, 4},
		{"an Action that is gone", actionID, withAction(func(a *auth0api.Action) { a.ID = "other" }), false, nil, 3},
		{"an Action that cannot be read", actionID, func(f *fakeTenant) {
			f.actions = func() ([]auth0api.Action, error) { return nil, errDown }
		}, false, errDown, 3},
		{"no phone provider", actionID, withProviders(), false, nil, 4},
		{"Twilio", actionID, withProviders(auth0api.PhoneProvider{ID: providerID, Name: "twilio"}), false, nil, 4},
		{"Twilio, asked about itself", providerID, withProviders(auth0api.PhoneProvider{ID: providerID, Name: "twilio"}), false, nil, 3},
		{"one of next year", actionID, withProviders(auth0api.PhoneProvider{ID: providerID, Name: "vonage"}), false, nil, 4},
		{"disabled", actionID, withProviders(auth0api.PhoneProvider{ID: providerID, Name: "custom", Disabled: true}), false, nil, 4},
		{"disabled, asked about itself", providerID, withProviders(auth0api.PhoneProvider{ID: providerID, Name: "custom", Disabled: true}), false, nil, 3},
		{"another phone provider took the place of this one", providerID, withProviders(auth0api.PhoneProvider{ID: "pro_2", Name: "custom"}), false, nil, 3},
		{"phone provider cannot be read", actionID, func(f *fakeTenant) {
			f.providers = func() ([]auth0api.PhoneProvider, error) { return nil, errDown }
		}, false, errDown, 4},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			tenant := liveUnified()
			test.given(tenant)
			requireLive(t, tenant, test.id, test.live, test.err, test.reads)
		})
	}
}

func requireLive(t *testing.T, tenant *fakeTenant, id string, live bool, failure error, reads int) {
	t.Helper()
	got, err := delivery.SenderIsLive(t.Context(), tenant, id)
	if !errors.Is(err, failure) {
		t.Errorf("error %v, want %v", err, failure)
	}
	if got != live {
		t.Errorf("live: %t, want %t", got, live)
	}
	if len(tenant.reads) != reads {
		t.Errorf("%d requests, want %d: %q", len(tenant.reads), reads, tenant.reads)
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]struct{ action, phoneProvider bool }{
		actionID:                               {action: true},
		"295D7C28-06DC-4D72-93A6-DA8A6D947FBE": {action: true},
		providerID:                             {phoneProvider: true},
		hookID:                                 {},
		"":                                     {},
		actionID + "0":                         {},
		"295d7c2806dc4d7293a6da8a6d947fbe":     {},
		"pro_":                                 {},
		"pro_1/try":                            {},
		"con_6n3tVjusDnQuuf9f3S8L8Q":           {},
	} {
		if delivery.IsActionID(id) != want.action || delivery.IsPhoneProviderID(id) != want.phoneProvider {
			t.Errorf("%q is taken for an Action's: %t, a phone provider's: %t, so the wrong object would be asked about", id, delivery.IsActionID(id), delivery.IsPhoneProviderID(id))
		}
	}
}

func TestIsBoundToItsTrigger(t *testing.T) {
	t.Parallel()
	tenant := live()
	for id, want := range map[string]bool{actionID: true, "third": false} {
		if bound, err := delivery.IsBound(t.Context(), tenant, "custom-phone-provider", id); bound != want || err != nil {
			t.Errorf("%s is bound: %t, %v", id, bound, err)
		}
	}
	if tenant.reads[0] != "bindings of custom-phone-provider" {
		t.Errorf("asked for %q", tenant.reads)
	}
}
