package provider

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestTextFor proves that one text does for every path, whatever else is in it.
func TestTextFor(t *testing.T) {
	for text, want := range map[string]struct{ legacy, unified string }{
		"{{code}} for {{tenant.friendly_name}}":         {"{{code}} for {{tenant.friendly_name}}", "{{code}} for {{friendly_name}}"},
		"{{ code }} for {{ friendly_name }}":            {"{{ code }} for {{tenant.friendly_name}}", "{{ code }} for {{ friendly_name }}"},
		"{{code}} {{tenant.friendly_name | escape}}":    {"{{code}} {{tenant.friendly_name | escape}}", "{{code}} {{friendly_name| escape}}"},
		"{{code}} {{tenant.friendly_names}} {{pause}} ": {"{{code}} {{tenant.friendly_names}} {{pause}} ", "{{code}} {{tenant.friendly_names}} {{pause}} "},
	} {
		if got := textFor(false, text); got != want.legacy {
			t.Errorf("%q on a legacy path: %q", text, got)
		}
		if got := textFor(true, text); got != want.unified {
			t.Errorf("%q on the Unified Phone Experience: %q", text, got)
		}
		for _, unified := range []bool{false, true} {
			if once := textFor(unified, text); textFor(unified, once) != once {
				t.Errorf("%q is not what is read back of it, so no plan would ever be empty", once)
			}
		}
	}
}

func TestStrangers(t *testing.T) {
	for text, want := range map[string]struct{ legacy, unified []string }{
		"{{code}} {{tenant.friendly_name}} {{friendly_name|escape}}": {nil, nil},
		"{{code}} {{user.city}} {{pause}}":                           {[]string{"user.city", "pause"}, nil},
		"{{code}} {{brand}}":                                         {[]string{"brand"}, []string{"brand"}},
	} {
		for unified, names := range map[bool][]string{false: want.legacy, true: want.unified} {
			if diff := cmp.Diff(names, strangers(unified, text), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%q, unified %t (-want +got):\n%s", text, unified, diff)
			}
		}
	}
}

// TestValidTemplateBraces: what is no placeholder is sent as it is, or the whole
// template is refused, after half of the apply.
func TestValidTemplateBraces(t *testing.T) {
	for _, text := range []string{"{{code}} and {more}", "{{code | escape}}", "{% if user.city %}{{user.city}}{% endif %} {{code}}"} {
		if err := validTemplate(text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"{{code}} {{", "{{code}} }}", "{{code}} {{friendly_name}", "{{{code}}}", "{{code}} {{}}", "{{code}} {{ {{friendly_name}} }}"} {
		if validTemplate(text) == nil {
			t.Errorf("%q was accepted", text)
		}
	}
}
