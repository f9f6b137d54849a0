package cli

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// difference is one thing in which two environments are not the same.
type difference struct {
	Name  string `json:"name"`  // of the setting in terraform.tfvars, or "sms_factor.enabled" of a resource
	Where string `json:"where"` // "files", "state" or "files and state"
	// Values are by environment; "" is not set.
	Values map[string]string `json:"values"`
}

// diffSide is what one environment says, by the names of differences.
type diffSide struct{ files, state map[string]string }

// diffOrder is what matters to people who log in, the most first. What is not
// named here comes last, by name.
func diffOrder() []string {
	return []string{
		// Whether they get a code at all.
		"path", "resource sms_factor", "resource sender", "resource credentials", "resource phone_provider", "sms_factor.enabled", "sms_factor.selected_provider", "sms_factor.message_types",
		"phone_provider.disabled", "phone_provider.unified_phone_experience", "phone_provider.delivery_methods",
		"sender.bound", "sender.enabled", "credentials.status",
		// Whether they are asked for one.
		"mfa_policy", "resource mfa_policy",
		// What they read, and who of them.
		"enrollment_message", "verification_message", "sms_allowed_country_codes", "sender.sms.texts",
		"sms_sender_id", "sms_origination_number", "sms_max_price_usd", "sms_entity_id", "sms_template_id", "sms_fallback_regions",
		"sender.sms.sms_type", "sender.sms.client", "sender.sms.timeout", "sender.code_sha256", "sender.dependencies", "sender.runtime",
		// What they would notice later.
		"iam_user.policy_json", "iam_user.permissions_boundary", "rotate_after", "backend",
		"iam_user", "sender_name",
	}
}

// compareSides lists the differences. A resource that one environment has, and
// the other does not, is one difference, and its attributes are none.
func compareSides(names []string, sides [2]diffSide, states bool) []difference {
	if !states {
		sides[0].state, sides[1].state = nil, nil
	}
	list := []difference{}
	for _, name := range diffNames(sides) {
		if resource, _, ok := strings.Cut(name, "."); ok && isOneSided(resource, sides) {
			continue
		}
		add := func(where string, a, b string) {
			list = append(list, difference{name, where, map[string]string{names[0]: a, names[1]: b}})
		}
		filesA, filesB := sides[0].files[name], sides[1].files[name]
		stateA, stateB := sides[0].state[name], sides[1].state[name]
		if filesA != filesB && filesA == stateA && filesB == stateB {
			add("files and state", filesA, filesB)
			continue
		}
		if filesA != filesB {
			add("files", filesA, filesB)
		}
		if stateA != stateB {
			add("state", stateA, stateB)
		}
	}
	if slices.ContainsFunc(list, difference.isSMSOption) { // which is why the code differs
		list = slices.DeleteFunc(list, func(d difference) bool { return d.Name == "sender.code_sha256" })
	}
	return list
}

// diffNames are all names that any side knows, in order.
func diffNames(sides [2]diffSide) []string {
	known := map[string]bool{}
	for _, side := range sides {
		for _, values := range []map[string]string{side.files, side.state} {
			for name := range values {
				known[name] = true
			}
		}
	}
	names := diffOrder()
	for _, name := range slices.Sorted(maps.Keys(known)) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// isOneSided tells whether a resource is in one state alone.
func isOneSided(resource string, sides [2]diffSide) bool {
	return sides[0].state["resource "+resource] != sides[1].state["resource "+resource]
}

// isSMSOption tells whether it is an option of the code that was applied.
func (d difference) isSMSOption() bool {
	return d.Where != "files" && (strings.HasPrefix(d.Name, "sender.sms.") || strings.HasPrefix(d.Name, "sms_") && !strings.Contains(d.Name, "."))
}

// fileValues are the settings of an environment but its identity.
func fileValues(s workspace.Settings) map[string]string {
	values := map[string]string{
		"path": s.Path, "mfa_policy": s.MFAPolicy, "rotate_after": s.RotateAfter, "iam_user": s.IAMUser, "sender_name": s.SenderName,
		"enrollment_message": s.EnrollmentMessage, "verification_message": s.VerificationMessage,
		"sms_sender_id": s.SMS.SenderID, "sms_origination_number": s.SMS.OriginationNumber, "sms_max_price_usd": s.SMS.MaxPriceUSD,
		"sms_entity_id": s.SMS.EntityID, "sms_template_id": s.SMS.TemplateID,
		"sms_allowed_country_codes": strings.Join(slices.Sorted(slices.Values(s.SMS.AllowedCountryCodes)), ", "),
		"sms_fallback_regions":      strings.Join(s.SMS.FallbackRegions, ", "),
		"backend":                   s.Backend.Kind,
	}
	if s.Backend.Kind == "" {
		values["backend"] = "local"
	}
	maps.DeleteFunc(values, func(_, value string) bool { return value == "" })
	return values
}

// settingOf is the setting of terraform.tfvars that an attribute comes from.
func settingOf(name string) string {
	switch name {
	case "mfa_policy.policy":
		return "mfa_policy"
	case "sms_factor.enrollment_message", "sms_factor.verification_message":
		return strings.TrimPrefix(name, "sms_factor.")
	case "credentials.rotate_after":
		return "rotate_after"
	case "iam_user.name":
		return "iam_user"
	case "sender.name":
		return "sender_name"
	}
	if option, ok := strings.CutPrefix(name, "sender.sms."); ok && slices.Contains([]string{
		"sender_id", "origination_number", "max_price_usd", "entity_id", "template_id", "allowed_country_codes", "fallback_regions",
	}, option) {
		return "sms_" + option
	}
	return name
}

// differsByNature are the attributes that no two environments share: ids, dates,
// references, the region, what was there before, and what a rotation changes. The
// code is known by its digest.
func differsByNature(resource, attribute string) bool {
	return slices.Contains([]string{
		"id", "arn", "unique_id", "version_id", "code_size", "code", "prior", "timeouts", "created_at", "rotation_due_at", "record_owner",
		"access_key_id", "sender_id", "hook_id", "action_id", "region", "keepers",
	}, attribute) || resource == "credentials" && attribute == "iam_user"
}

// stateValues are the attributes of what was applied, by the settings that they
// come from where there are such; empty where nothing was applied. That there is
// a resource at all is the value of "resource sms_factor". The hook and the
// Action are both the sender.
func stateValues(state *tfjson.State) map[string]string {
	values := map[string]string{}
	if state == nil || state.Values == nil {
		return values
	}
	var walk func(*tfjson.StateModule)
	walk = func(module *tfjson.StateModule) {
		if module == nil {
			return
		}
		for _, resource := range module.Resources {
			name, ours := strings.CutPrefix(resource.Type, "auth0sns_")
			if !ours || resource.Mode != tfjson.ManagedResourceMode || resource.DeposedKey != "" {
				continue
			}
			if name == "hook" || name == "action" {
				name = "sender"
			}
			if resource.Name != "sms" { // A second one, in the middle of a move.
				name += " " + resource.Name
			}
			values["resource "+name] = "managed"
			flatten(values, name, resource.AttributeValues)
		}
		for _, child := range module.ChildModules {
			walk(child)
		}
	}
	walk(state.Values.RootModule)
	return values
}

func flatten(values map[string]string, resource string, attributes map[string]any) {
	for attribute, value := range attributes {
		if of, ok := strings.CutPrefix(attribute, "script"); ok { // script and script_sha256 of a hook
			attribute = "code" + of
		}
		options, isBlock := value.(map[string]any)
		switch {
		case differsByNature(resource, attribute):
		case attribute == "sms" && isBlock:
			for option, value := range options {
				setValue(values, settingOf(resource+".sms."+option), value)
			}
		default:
			setValue(values, settingOf(resource+"."+attribute), value)
		}
	}
}

// setValue writes a value as a person reads it, null as none.
func setValue(values map[string]string, name string, value any) {
	switch v := value.(type) {
	case nil:
	case string:
		values[name] = v
	case []any:
		texts := make([]string, len(v))
		for i, element := range v {
			text, ok := element.(string)
			if !ok {
				values[name] = compact(v)
				return
			}
			texts[i] = text
		}
		values[name] = strings.Join(texts, ", ")
	default:
		values[name] = compact(v)
	}
}

func compact(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error() // It came out of JSON.
	}
	return string(text)
}
