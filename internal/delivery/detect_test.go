package delivery_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// What the tests do to a tenant.
type change = func(f *fakeTenant)

func all(changes ...change) change {
	return func(f *fakeTenant) {
		for _, c := range changes {
			c(f)
		}
	}
}

func noHooks(f *fakeTenant) { f.hooks = func() ([]auth0api.Hook, error) { return nil, nil } }

func noBindings(f *fakeTenant) { f.bindings = func() ([]auth0api.Binding, error) { return nil, nil } }

func bound(ids ...string) change {
	return func(f *fakeTenant) {
		f.bindings = func() (list []auth0api.Binding, err error) {
			for _, id := range ids {
				list = append(list, auth0api.Binding{ActionID: id})
			}
			return list, nil
		}
	}
}

func selected(provider string) change {
	return func(f *fakeTenant) { f.provider = func() (string, error) { return provider, nil } }
}

func phoneProvider(p auth0api.PhoneProvider) change {
	return func(f *fakeTenant) {
		f.providers = func() ([]auth0api.PhoneProvider, error) { return []auth0api.PhoneProvider{p}, nil }
	}
}

func factorOff(f *fakeTenant) {
	f.factors = func() (map[string]bool, error) { return map[string]bool{"sms": false}, nil }
}

// Clients that were not granted everything.
func noActionScopes(f *fakeTenant) {
	f.bindings = func() ([]auth0api.Binding, error) { return nil, refusal(auth0api.MissingScope) }
	f.actions = func() ([]auth0api.Action, error) { return nil, refusal(auth0api.MissingScope) }
}

func noHookScopes(f *fakeTenant) {
	f.hooks = func() ([]auth0api.Hook, error) { return nil, refusal(auth0api.MissingScope) }
}

func noPhoneScopes(f *fakeTenant) {
	f.providers = func() ([]auth0api.PhoneProvider, error) { return nil, refusal(auth0api.MissingScope) }
}

func noSettingsScopes(f *fakeTenant) {
	f.settings = func() (auth0api.TenantSettings, error) {
		return auth0api.TenantSettings{}, refusal(auth0api.MissingScope)
	}
}

func noGuardianScopes(f *fakeTenant) {
	f.factors = func() (map[string]bool, error) { return nil, refusal(auth0api.MissingScope) }
	if _, err := f.provider(); err == nil {
		f.provider = func() (string, error) { return "", refusal(auth0api.MissingScope) }
	}
}

// TestDetect: everything that a plan proposes and a check says of a tenant
// begins here.
func TestDetect(t *testing.T) {
	t.Parallel()
	custom := &auth0api.PhoneProvider{ID: providerID, Name: "custom", DeliveryMethods: []string{"text"}}
	twilio := auth0api.PhoneProvider{ID: providerID, Name: "twilio"}
	legacy := delivery.Tenant{FactorOn: true, SelectedProvider: "phone-message-hook"}
	unified := delivery.Tenant{Path: delivery.PathUnified, Flag: true, FactorOn: true, PhoneProvider: custom, Senders: []string{actionID}}
	from := func(t delivery.Tenant, changes ...func(t *delivery.Tenant)) delivery.Tenant {
		for _, c := range changes {
			c(&t)
		}
		return t
	}
	path := func(p delivery.Path) func(*delivery.Tenant) { return func(t *delivery.Tenant) { t.Path = p } }
	senders := func(ids ...string) func(*delivery.Tenant) { return func(t *delivery.Tenant) { t.Senders = ids } }
	lives := func(id string) func(*delivery.Tenant) { return func(t *delivery.Tenant) { t.Live = id } }

	for _, test := range []struct {
		name    string
		tenant  *fakeTenant
		given   change
		want    delivery.Tenant
		unknown []string // a phrase of each, in their order
		reads   int
	}{
		{"an Action", live(), noHooks, from(legacy, path(delivery.PathAction), senders(actionID, "other"), lives(actionID)), nil, 6},
		{
			"a hook, which may run no more", live(), noBindings,
			from(legacy, path(delivery.PathHook), senders(hookID), lives(hookID)),
			[]string{"whether Auth0 still runs the enabled hook " + hookID},
			6,
		},
		{
			"both: each is named", live(), bound(actionID),
			from(legacy, path(delivery.PathAction), senders(actionID, hookID), lives(actionID)),
			[]string{"hook " + hookID + " beside or before Action " + actionID},
			6,
		},
		{"a list of hooks proves nothing", live(), all(noHooks, noBindings), from(legacy, path(delivery.PathNone)), nil, 6},
		{"hooks that cannot be listed are none", live(), all(bound(actionID), func(f *fakeTenant) {
			f.hooks = func() ([]auth0api.Hook, error) { return nil, refusal(auth0api.FeatureDisabled) }
		}), from(legacy, path(delivery.PathAction), senders(actionID), lives(actionID)), nil, 6},
		{
			"Twilio sends, with an Action at hand", live(), all(noHooks, bound(actionID), selected("twilio")),
			from(legacy, path(delivery.PathAction), senders(actionID), func(t *delivery.Tenant) { t.SelectedProvider = "twilio" }), nil, 6,
		},
		{
			"the factor is off", live(), all(noHooks, bound(actionID), factorOff),
			from(legacy, path(delivery.PathAction), senders(actionID), func(t *delivery.Tenant) { t.FactorOn = false }), nil, 6,
		},
		{
			"a tenant that has a phone provider, but has not moved yet", live(), all(noHooks, bound(actionID), phoneProvider(twilio)),
			from(legacy, path(delivery.PathAction), senders(actionID), lives(actionID), func(t *delivery.Tenant) { t.PhoneProvider = &twilio }), nil, 6,
		},

		{"unified", liveUnified(), func(*fakeTenant) {}, from(unified, lives(actionID)), nil, 4},
		{
			"unified from birth, without the flag", liveUnified(), func(f *fakeTenant) { f.settings = live().settings },
			from(unified, lives(actionID), func(t *delivery.Tenant) { t.Flag = false }), nil, 5,
		},
		{
			"unified, without a phone provider", liveUnified(), func(f *fakeTenant) { f.providers = live().providers },
			from(unified, func(t *delivery.Tenant) { t.PhoneProvider = nil }), nil, 4,
		},
		{"unified, through Twilio", liveUnified(), phoneProvider(twilio), from(unified, func(t *delivery.Tenant) { t.PhoneProvider = &twilio }), nil, 4},
		{
			"unified, through one of next year", liveUnified(), phoneProvider(auth0api.PhoneProvider{ID: providerID, Name: "vonage"}),
			from(unified, func(t *delivery.Tenant) { t.PhoneProvider = &auth0api.PhoneProvider{ID: providerID, Name: "vonage"} }), nil, 4,
		},
		{
			"unified, switched off", liveUnified(), phoneProvider(auth0api.PhoneProvider{ID: providerID, Name: "custom", Disabled: true}),
			from(unified, func(t *delivery.Tenant) {
				t.PhoneProvider = &auth0api.PhoneProvider{ID: providerID, Name: "custom", Disabled: true}
			}), nil, 4,
		},
		{"unified, factor off", liveUnified(), factorOff, from(unified, func(t *delivery.Tenant) { t.FactorOn = false }), nil, 4},
		{"unified, the Action never deployed", liveUnified(), func(f *fakeTenant) {
			f.actions = func() ([]auth0api.Action, error) { return []auth0api.Action{{ID: actionID}}, nil }
		}, from(unified, senders()), nil, 4},
		{"unified, more Actions than Auth0 allows now", liveUnified(), func(f *fakeTenant) {
			f.actions = func() ([]auth0api.Action, error) {
				return []auth0api.Action{{ID: "1", Deployed: &auth0api.ActionVersion{}}, {ID: "2", Deployed: &auth0api.ActionVersion{}}}, nil
			}
		}, from(unified, senders("1", "2")), []string{`which of the Actions ["1" "2"]`}, 4},

		{
			"a client with hook scopes only: an Action may be bound", live(), all(noActionScopes, noPhoneScopes),
			from(legacy, path(delivery.PathHook), senders(hookID)),
			[]string{"which phone provider", "which Actions are bound", "still runs the enabled hook"},
			6,
		},
		{
			"a client with Action scopes only: a bound Action runs, whatever hooks there are", live(), all(noHookScopes, bound(actionID)),
			from(legacy, path(delivery.PathAction), senders(actionID), lives(actionID)),
			[]string{"which Send Phone Message hook is enabled"},
			6,
		},
		{
			"neither", live(), all(noHookScopes, noActionScopes), from(legacy, path(delivery.PathNone)),
			[]string{"which Actions are bound", "which Send Phone Message hook"},
			6,
		},
		{
			"settings are closed to the client, the legacy endpoint is open", live(), all(noSettingsScopes, noHooks, bound(actionID)),
			from(legacy, path(delivery.PathAction), senders(actionID), lives(actionID)),
			[]string{"whether the Unified Phone Experience is on"},
			6,
		},
		{
			"settings are closed to the client, the legacy endpoint to the tenant", liveUnified(), noSettingsScopes,
			from(unified, lives(actionID), func(t *delivery.Tenant) { t.Flag = false }),
			[]string{"whether the Unified Phone Experience is on"},
			5,
		},
		{
			"neither flag nor provider: the path cannot be told", live(), all(noSettingsScopes, noGuardianScopes),
			delivery.Tenant{Path: delivery.PathNone},
			[]string{"whether the Unified Phone Experience is on", "whether the SMS factor is on", "which provider is selected"},
			4,
		},
		{
			"the factor is closed to the client", live(), all(noGuardianScopes, noHooks, bound(actionID)),
			delivery.Tenant{Path: delivery.PathAction, Senders: []string{actionID}},
			[]string{"whether the SMS factor is on", "which provider is selected"},
			6,
		},
		{
			"unified, the phone provider is closed to the client", liveUnified(), noPhoneScopes,
			from(unified, func(t *delivery.Tenant) { t.PhoneProvider = nil }),
			[]string{"which phone provider"},
			4,
		},
		{
			"unified, Actions are closed to the client", liveUnified(), noActionScopes, from(unified, senders()),
			[]string{"which Action has the trigger custom-phone-provider"},
			4,
		},
		{"a trigger that the tenant does not know", liveUnified(), func(f *fakeTenant) {
			f.actions = func() ([]auth0api.Action, error) { return nil, refusal(auth0api.BadRequest) }
		}, from(unified, senders()), []string{"which Action has the trigger"}, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			test.given(test.tenant)
			got, err := delivery.Detect(t.Context(), test.tenant)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(delivery.Tenant{}, "Unknown")); diff != "" {
				t.Errorf("tenant (-want +got):\n%s", diff)
			}
			requirePhrases(t, test.unknown, got.Unknown)
			if len(test.tenant.reads) != test.reads {
				t.Errorf("%d requests, want %d: %q", len(test.tenant.reads), test.reads, test.tenant.reads)
			}
		})
	}
}

// requirePhrases fails unless each sentence has its phrase.
func requirePhrases(t *testing.T, phrases, sentences []string) {
	t.Helper()
	if len(phrases) != len(sentences) {
		t.Fatalf("unknown is %q, want %q", sentences, phrases)
	}
	for i, phrase := range phrases {
		if !strings.Contains(sentences[i], phrase) {
			t.Errorf("%q is missing in %q", phrase, sentences[i])
		}
	}
}

// TestDetectFails: a tenant that did not answer is not one without a sender.
func TestDetectFails(t *testing.T) {
	t.Parallel()
	for name, given := range map[string]change{
		"settings": func(f *fakeTenant) {
			f.settings = func() (auth0api.TenantSettings, error) { return auth0api.TenantSettings{}, errDown }
		},
		"factors":   func(f *fakeTenant) { f.factors = func() (map[string]bool, error) { return nil, errDown } },
		"selected":  func(f *fakeTenant) { f.provider = func() (string, error) { return "", errDown } },
		"providers": func(f *fakeTenant) { f.providers = func() ([]auth0api.PhoneProvider, error) { return nil, errDown } },
		"bindings":  func(f *fakeTenant) { f.bindings = func() ([]auth0api.Binding, error) { return nil, errDown } },
		"hooks":     func(f *fakeTenant) { f.hooks = func() ([]auth0api.Hook, error) { return nil, errDown } },
		"Actions": all(func(f *fakeTenant) { f.settings = liveUnified().settings }, func(f *fakeTenant) {
			f.actions = func() ([]auth0api.Action, error) { return nil, errDown }
		}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tenant := live()
			given(tenant)
			got, err := delivery.Detect(t.Context(), tenant)
			if !errors.Is(err, errDown) || got.Live != "" {
				t.Errorf("got %+v, %v", got, err)
			}
			last := tenant.reads[len(tenant.reads)-1]
			for _, read := range tenant.reads[:len(tenant.reads)-1] {
				if read == last {
					t.Errorf("asks again after a failure: %q", tenant.reads)
				}
			}
		})
	}
	revoked := live()
	revoked.settings = func() (auth0api.TenantSettings, error) {
		return auth0api.TenantSettings{}, fmt.Errorf("wrapped: %w", refusal(auth0api.Unauthorized))
	}
	if _, err := delivery.Detect(t.Context(), revoked); auth0api.KindOf(err) != auth0api.Unauthorized || len(revoked.reads) != 1 {
		t.Errorf("a revoked token is reported as unknown: %v after %q", err, revoked.reads)
	}
}
