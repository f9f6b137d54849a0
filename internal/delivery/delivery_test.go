package delivery_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

const (
	hookID   = "01GQ7W5M3B8ZC9T4R6X2Y1K0HN"
	actionID = "295d7c28-06dc-4d72-93a6-da8a6d947fbe"
)

// fakeTenant is a tenant whose every answer a test can replace.
type fakeTenant struct {
	factors  func() (map[string]bool, error)
	provider func() (string, error)
	hook     func() (auth0api.Hook, error)
	bindings func() ([]auth0api.Binding, error)
	reads    int
}

// live is a tenant that sends through the hook, and through the Action.
func live() *fakeTenant {
	return &fakeTenant{
		factors:  func() (map[string]bool, error) { return map[string]bool{"sms": true, "otp": true}, nil },
		provider: func() (string, error) { return "phone-message-hook", nil },
		hook:     func() (auth0api.Hook, error) { return auth0api.Hook{ID: hookID, Enabled: true}, nil },
		bindings: func() ([]auth0api.Binding, error) {
			return []auth0api.Binding{{ActionID: "other"}, {ActionID: actionID}}, nil
		},
	}
}

func (f *fakeTenant) Factors(context.Context) (map[string]bool, error) {
	f.reads++
	return f.factors()
}

func (f *fakeTenant) SelectedProvider(context.Context) (string, error) {
	f.reads++
	return f.provider()
}

func (f *fakeTenant) Hook(_ context.Context, id string) (auth0api.Hook, error) {
	f.reads++
	if id != hookID {
		return auth0api.Hook{}, errors.New("asked for hook " + id)
	}
	return f.hook()
}

func (f *fakeTenant) Bindings(_ context.Context, trigger string) ([]auth0api.Binding, error) {
	f.reads++
	if trigger != "send-phone-message" {
		return nil, errors.New("asked for trigger " + trigger)
	}
	return f.bindings()
}

// TestSenderIsLive guards invariant 3: a wrong "no" lets an apply lock everybody
// out, a wrong "yes" keeps a sender from being destroyed for ever.
func TestSenderIsLive(t *testing.T) {
	t.Parallel()
	down := &auth0api.Error{Kind: auth0api.Server, StatusCode: http.StatusServiceUnavailable}
	answer := func(kind auth0api.Kind) error { return &auth0api.Error{Kind: kind, StatusCode: http.StatusForbidden} }
	tests := []struct {
		name  string
		id    string // "" stands for both
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
			f.factors = func() (map[string]bool, error) { return nil, down }
		}, false, down, 1},
		{"Auth0's own provider", "", func(f *fakeTenant) {
			f.provider = func() (string, error) { return "auth0", nil }
		}, false, nil, 2},
		{"Twilio", "", func(f *fakeTenant) {
			f.provider = func() (string, error) { return "twilio", nil }
		}, false, nil, 2},
		{"a tenant with the Unified Phone Experience", "", func(f *fakeTenant) {
			f.provider = func() (string, error) { return "", answer(auth0api.LegacyPhone) }
		}, false, nil, 2},
		{"provider cannot be read", "", func(f *fakeTenant) {
			f.provider = func() (string, error) { return "", down }
		}, false, down, 2},
		{"hook disabled", hookID, func(f *fakeTenant) {
			f.hook = func() (auth0api.Hook, error) { return auth0api.Hook{ID: hookID}, nil }
		}, false, nil, 3},
		{"hook gone", hookID, func(f *fakeTenant) {
			f.hook = func() (auth0api.Hook, error) { return auth0api.Hook{}, answer(auth0api.NotFound) }
		}, false, nil, 3},
		{"hook cannot be read", hookID, func(f *fakeTenant) {
			f.hook = func() (auth0api.Hook, error) { return auth0api.Hook{}, down }
		}, false, down, 3},
		{"Action not bound, or gone", actionID, func(f *fakeTenant) {
			f.bindings = func() ([]auth0api.Binding, error) { return []auth0api.Binding{{ActionID: "other"}}, nil }
		}, false, nil, 3},
		{"bindings cannot be read", actionID, func(f *fakeTenant) {
			f.bindings = func() ([]auth0api.Binding, error) { return nil, down }
		}, false, down, 3},
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
				got, err := delivery.SenderIsLive(t.Context(), tenant, id)
				if !errors.Is(err, test.err) {
					t.Errorf("error %v, want %v", err, test.err)
				}
				if got != test.live {
					t.Errorf("live: %t, want %t", got, test.live)
				}
				if tenant.reads != test.reads {
					t.Errorf("%d requests, want %d", tenant.reads, test.reads)
				}
			})
		}
	}
}

func TestIsActionID(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		actionID:                               true,
		"295D7C28-06DC-4D72-93A6-DA8A6D947FBE": true,
		hookID:                                 false,
		"":                                     false,
		actionID + "0":                         false,
		"295d7c2806dc4d7293a6da8a6d947fbe":     false,
	} {
		if got := delivery.IsActionID(id); got != want {
			t.Errorf("%q is taken for an Action's: %t, so the wrong object would be asked about", id, got)
		}
	}
}
