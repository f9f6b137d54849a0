package delivery_test

import (
	"context"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
)

// sent is a runner whose every message is sent.
type sent struct{}

func (sent) Run(context.Context, auth0.Job) (auth0.Result, error) { return auth0.Result{}, nil }

// sandboxTenant is an emulated tenant on the clock, and a client with every scope.
func sandboxTenant(t *testing.T, c *clock) (*auth0.Tenant, *auth0api.Client) {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	tenant := auth0.New(auth0.Config{
		Name: "staging", Now: c.Now, Runner: sent{},
		BaseURL: func() string { return "http://" + server.Listener.Addr().String() },
	})
	server.Config.Handler = tenant
	server.Start()
	t.Cleanup(server.Close)
	client, err := auth0api.New(auth0api.Config{
		Domain: server.URL, ClientID: tenant.Client().ClientID, ClientSecret: tenant.Client().ClientSecret, Now: c.Now, Sleep: c.Sleep,
	})
	if err != nil {
		t.Fatal(err)
	}
	return tenant, client
}

// TestMove moves a tenant from an Action to the unified path and back, and asks
// at every step who sends: a plan that is wrong about it anywhere on the way
// destroys the one who does.
func TestMove(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), &clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	tenant, api := sandboxTenant(t, c)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	deployed := func(trigger, version string) string {
		t.Helper()
		a, err := api.CreateAction(ctx, auth0api.Action{Name: trigger, Code: "exports.x = 1;", Runtime: "node22", Trigger: auth0api.ActionTrigger{ID: trigger, Version: version}})
		ok(err)
		_, err = delivery.Deploy(ctx, api, c, a.ID)
		ok(err)
		return a.ID
	}
	var ids []string
	sends := func(step string, want delivery.Tenant) {
		t.Helper()
		got, err := delivery.Detect(ctx, api)
		ok(err)
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step, diff)
		}
		lives := []string{want.Live}
		if want.Path == delivery.PathUnified && want.Live != "" {
			lives = append(lives, want.PhoneProvider.ID)
		}
		for _, id := range ids {
			live, err := delivery.SenderIsLive(ctx, api, id)
			ok(err)
			if live != slices.Contains(lives, id) {
				t.Errorf("%s: %s is live: %t", step, id, live)
			}
		}
	}
	sends("new", delivery.Tenant{Path: delivery.PathNone, SelectedProvider: "auth0"})

	old := deployed(delivery.TriggerSendPhoneMessage, "v2")
	ok(delivery.Bind(ctx, api, delivery.TriggerSendPhoneMessage, old, "Old"))
	ok(api.SetFactor(ctx, delivery.FactorSMS, true))
	ok(api.SetSelectedProvider(ctx, delivery.ProviderCustom))
	ids = append(ids, old)
	legacy := delivery.Tenant{Path: delivery.PathAction, FactorOn: true, SelectedProvider: delivery.ProviderCustom, Senders: []string{old}, Live: old}
	sends("Action", legacy)

	custom := auth0api.PhoneProvider{Name: delivery.PhoneProviderCustom, DeliveryMethods: []string{"text"}}
	if _, err := api.CreatePhoneProvider(ctx, custom); auth0api.KindOf(err) != auth0api.NotDeployed {
		t.Errorf("a phone provider without an Action: %v", err)
	}
	action := deployed(delivery.TriggerCustomPhoneProvider, "v1")
	_, err := api.CreateAction(ctx, auth0api.Action{Name: "second", Code: "exports.x = 1;", Runtime: "node22", Trigger: auth0api.ActionTrigger{ID: delivery.TriggerCustomPhoneProvider, Version: "v1"}})
	if auth0api.KindOf(err) != auth0api.Cardinality {
		t.Errorf("a second Action of %s: %v", delivery.TriggerCustomPhoneProvider, err)
	}
	ok(delivery.Bind(ctx, api, delivery.TriggerCustomPhoneProvider, action, "New"))
	provider, err := api.CreatePhoneProvider(ctx, custom)
	ok(err)
	if _, err := api.CreatePhoneProvider(ctx, custom); auth0api.KindOf(err) != auth0api.Conflict {
		t.Errorf("a second phone provider: %v", err)
	}
	ids = append(ids, action, provider.ID)
	legacy.PhoneProvider = &provider
	sends("prepared", legacy)

	ok(api.SetPhoneConsolidatedExperience(ctx, true))
	unified := delivery.Tenant{Path: delivery.PathUnified, Flag: true, FactorOn: true, PhoneProvider: &provider, Senders: []string{action}, Live: action}
	sends("moved", unified)
	ok(api.TryPhoneProvider(ctx, provider.ID, "+15551234567"))

	off := true
	disabled, err := api.UpdatePhoneProvider(ctx, provider.ID, auth0api.PhoneProviderPatch{Disabled: &off})
	ok(err)
	quiet := unified
	quiet.PhoneProvider, quiet.Live = &disabled, ""
	sends("switched off", quiet)

	template, err := api.CreatePhoneTemplate(ctx, auth0api.PhoneTemplate{Type: "otp_verify", Text: "{{ code }}", Voice: "{{ code }}"})
	ok(err)
	text := "{{ code }} for {{ friendly_name }}"
	changed, err := api.UpdatePhoneTemplate(ctx, template.ID, auth0api.PhoneTemplatePatch{Text: &text, Voice: &template.Voice})
	if err != nil || changed.Text != text || changed.Voice != template.Voice || changed.Type != "otp_verify" {
		t.Errorf("text %+v, %v", changed, err)
	}
	ok(api.DeletePhoneTemplate(ctx, template.ID))

	ok(api.SetPhoneConsolidatedExperience(ctx, false))
	legacy.PhoneProvider = &disabled
	sends("back", legacy)
	ok(api.DeletePhoneProvider(ctx, provider.ID))
	legacy.PhoneProvider = nil
	sends("back, without a phone provider", legacy)

	// Tenants that were made with the Unified Phone Experience may lack the flag.
	switches := tenant.Switches()
	switches.LegacyPhoneGone = true
	ok(tenant.SetSwitches(switches))
	sends("born unified", delivery.Tenant{Path: delivery.PathUnified, FactorOn: true, Senders: []string{action}})
}
