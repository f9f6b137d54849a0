package delivery_test

import (
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// TestMoveInWords keeps a person from agreeing to a move without having been
// told what cannot be undone, and who else it reaches.
func TestMoveInWords(t *testing.T) {
	t.Parallel()
	twilio := &auth0api.PhoneProvider{ID: "pro_1", Name: "twilio"}
	for name, test := range map[string]struct {
		from           delivery.Tenant
		to             delivery.Path
		says           []string
		possible, sure bool
	}{
		"new tenant": {
			delivery.Tenant{Path: delivery.PathUnified},
			delivery.PathUnified,
			[]string{"Nothing moves", "factor is off"},
			true, true,
		},
		"done": {
			delivery.Tenant{Path: delivery.PathUnified, FactorOn: true, Senders: []string{"a"}, Live: "a"},
			delivery.PathUnified,
			[]string{"Nothing moves"},
			true, true,
		},
		"Twilio on the unified path": {
			delivery.Tenant{Path: delivery.PathUnified, FactorOn: true, PhoneProvider: twilio},
			delivery.PathUnified,
			[]string{"through twilio", "take_over", "cannot be given back", "passwordless"},
			true, true,
		},
		"from nothing": {
			delivery.Tenant{Path: delivery.PathNone, FactorOn: true, SelectedProvider: "twilio"},
			delivery.PathUnified,
			[]string{"phone_consolidated_experience", "codes come through twilio until", "passwordless", "way back"},
			true, true,
		},
		"from an Action": {
			delivery.Tenant{Path: delivery.PathAction, FactorOn: true, SelectedProvider: delivery.ProviderCustom, Senders: []string{"a"}, Live: "a"},
			delivery.PathUnified,
			[]string{"The old Action sends until then", "no code is lost", "20 seconds", "passwordless", "force_destroy"},
			true, true,
		},
		"from a hook": {
			delivery.Tenant{Path: delivery.PathHook, FactorOn: true, Senders: []string{"h"}},
			delivery.PathUnified,
			[]string{"The hook sends until then", "passwordless", "no way back to the hook"},
			true, true,
		},
		"from a hook to an Action": {
			delivery.Tenant{Path: delivery.PathHook, FactorOn: true, Senders: []string{"h"}},
			delivery.PathAction,
			[]string{"takes the place of the hook", "no code is lost", "no way back"},
			true, true,
		},
		"from nothing to an Action": {
			delivery.Tenant{Path: delivery.PathNone},
			delivery.PathAction,
			[]string{"is made and bound", "factor is off", "Newer is"},
			true, true,
		},
		"back": {
			delivery.Tenant{Path: delivery.PathUnified, Flag: true},
			delivery.PathAction,
			[]string{"if Auth0 lets it", "force_destroy"},
			true, false,
		},
		"back where there is no way": {
			delivery.Tenant{Path: delivery.PathUnified},
			delivery.PathAction,
			[]string{"There is no way back", "support"},
			false, true,
		},
		"to a hook":         {delivery.Tenant{Path: delivery.PathAction}, delivery.PathHook, []string{"no way to a hook"}, false, true},
		"nothing was asked": {delivery.Tenant{Path: delivery.PathAction}, delivery.PathNone, []string{"nothing moves"}, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := strings.Join(delivery.Move(test.from, test.to), " ")
			for _, want := range test.says {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
			if possible, sure := delivery.CanMove(test.from, test.to); possible != test.possible || sure != test.sure {
				t.Errorf("possible %t, sure %t", possible, sure)
			}
		})
	}
}
