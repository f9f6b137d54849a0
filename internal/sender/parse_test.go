package sender_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// TestParse proves that an import finds what a hook was rendered from. If it
// fails, the plan after an import shows changes that are none.
func TestParse(t *testing.T) {
	for name, options := range map[string]sender.Options{
		"defaults": {},
		"builtin":  {Client: sender.Builtin},
		"everything": {
			Client: sender.Builtin, SMSType: "Promotional", SenderID: "Auth0", OriginationNumber: "+12065550100", MaxPriceUSD: "0.10",
			EntityID: "1101", TemplateID: "1107<>&", AllowedCountryCodes: []string{"+1", "+49"},
			FallbackRegions: []string{"eu-west-1", "eu-central-1"}, Timeout: 2500 * time.Millisecond,
			Texts: []sender.Text{
				{ClientID: "1235", Language: "pt-BR", EnrollmentMessage: "<{{code}}>\u2028\n;", VerificationMessage: "{{ code }}"},
				{VerificationMessage: "{{code}}"},
			},
		},
	} {
		for _, trigger := range []sender.Trigger{sender.Hook, sender.SendPhoneMessage, sender.CustomPhoneProvider} {
			t.Run(string(trigger)+" "+name, func(t *testing.T) {
				options := options
				if trigger != sender.Hook && options.Client != "" {
					options.Client = sender.AWSSDK // The one that is not the default.
				}
				code, err := sender.Render(trigger, options)
				if err != nil {
					t.Fatal(err)
				}
				parsed, ok := sender.Parse(trigger, code.Script)
				if !ok {
					t.Fatal("a script of ours is taken for foreign code")
				}
				if diff := cmp.Diff(options, parsed); diff != "" {
					t.Errorf("options are lost by an import (-rendered +parsed):\n%s", diff)
				}
			})
		}
	}
}

func TestParseLeavesDefaultsOut(t *testing.T) {
	code, err := sender.Render(sender.Hook, sender.Options{Client: sender.AWSSDK, SMSType: "Transactional", Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	options, ok := sender.Parse(sender.Hook, code.Script)
	if diff := cmp.Diff(sender.Options{}, options); !ok || diff != "" {
		t.Errorf("a hook with the defaults is imported as one with options: %s", diff)
	}
}

// TestParseForeign proves that code which an apply would replace is never taken
// for the sender: a plan would hide the replacement.
func TestParseForeign(t *testing.T) {
	code, err := sender.Render(sender.Hook, sender.Options{})
	if err != nil {
		t.Fatal(err)
	}
	action, err := sender.Render(sender.SendPhoneMessage, sender.Options{})
	if err != nil {
		t.Fatal(err)
	}
	provider, err := sender.Render(sender.CustomPhoneProvider, sender.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"empty":           "",
		"own code":        "module.exports = function (recipient, text, context, cb) { cb(null, {}); };",
		"edited below":    code.Script + "// edited",
		"edited options":  strings.Replace(code.Script, `"timeoutMs": 5000`, `"timeoutMs":  5000`, 1),
		"invalid option":  strings.Replace(code.Script, `"timeoutMs": 5000`, `"timeoutMs": 1`, 1),
		"another trigger": action.Script,
		"the third":       provider.Script,
		"options cut off": code.Script[:strings.Index(code.Script, "timeoutMs")],
	} {
		t.Run(name, func(t *testing.T) {
			if options, ok := sender.Parse(sender.Hook, script); ok {
				t.Errorf("foreign code is taken for the sender with %+v", options)
			}
		})
	}
}
