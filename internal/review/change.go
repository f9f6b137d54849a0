package review

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	tfjson "github.com/hashicorp/terraform-json"
)

// The resource types of this provider.
const (
	typeFactor        = "auth0sns_sms_factor"
	typePolicy        = "auth0sns_mfa_policy"
	typeHook          = "auth0sns_hook"
	typeAction        = "auth0sns_action"
	typePhoneProvider = "auth0sns_phone_provider"
	typeCredentials   = "auth0sns_credentials"
	typeUser          = "auth0sns_iam_user"
)

// planned is a plan whose parts are all there.
type planned struct {
	*tfjson.Plan
	changes []change
}

func newPlanned(plan *tfjson.Plan) *planned {
	p := &planned{Plan: plan}
	for _, r := range plan.ResourceChanges {
		if r != nil && r.Change != nil && r.Mode != tfjson.DataResourceMode {
			p.changes = append(p.changes, change{r, p})
		}
	}
	return p
}

// of are the changes of resources of some types; what is unchanged is among them.
func (p *planned) of(types ...string) []change {
	var of []change
	for _, c := range p.changes {
		if slices.Contains(types, c.Type) {
			of = append(of, c)
		}
	}
	return of
}

// isFirst tells whether the plan finds no factor of ours, which comes last: it
// sets everything up, or goes on with that after an interruption.
func (p *planned) isFirst() bool {
	return !slices.ContainsFunc(p.of(typeFactor), change.existed)
}

// live tells whether people may be getting their codes by SMS before the plan:
// always, unless the state knows factors, and all of them are off.
func (p *planned) live() bool {
	factors := slices.DeleteFunc(p.of(typeFactor), func(c change) bool { return !c.existed() })
	return len(factors) == 0 || slices.ContainsFunc(factors, func(c change) bool { return !c.before("enabled").is(false) })
}

// moves tells whether the plan sets up another sender and leads the factor there.
func (p *planned) moves() bool {
	return slices.ContainsFunc(p.of(typeHook, typeAction), change.created) &&
		slices.ContainsFunc(p.of(typeFactor), func(c change) bool {
			return c.remains() && !c.after("enabled").is(false) && (!c.existed() || c.differs("sender_id"))
		})
}

// takesFactorAway tells whether the plan destroys the factor, which Terraform does
// before it destroys what the factor refers to, and does not leave it on.
func (p *planned) takesFactorAway() bool {
	return slices.ContainsFunc(p.of(typeFactor), func(c change) bool {
		return c.destroyed() && !c.before("on_destroy").is("leave")
	})
}

// takesSenderAway tells whether the plan destroys or replaces what sends, which
// has findings of its own.
func (p *planned) takesSenderAway() bool {
	return slices.ContainsFunc(p.of(typeHook, typeAction, typePhoneProvider, typeCredentials), func(c change) bool {
		return c.has(tfjson.ActionDelete)
	})
}

// change is what a plan does to one resource, or that it leaves it alone.
type change struct {
	*tfjson.ResourceChange
	plan *planned
}

func (c change) has(a tfjson.Action) bool { return slices.Contains(c.Change.Actions, a) }

// existed tells whether there was something before the plan.
func (c change) existed() bool { return c.Change.Before != nil }

// remains tells whether there is something after the plan that Terraform manages.
func (c change) remains() bool {
	return c.Change.After != nil && !c.isDeposed() && (!c.has(tfjson.ActionDelete) || c.has(tfjson.ActionCreate))
}

func (c change) created() bool  { return c.has(tfjson.ActionCreate) && !c.has(tfjson.ActionDelete) }
func (c change) updated() bool  { return c.has(tfjson.ActionUpdate) }
func (c change) replaced() bool { return c.has(tfjson.ActionCreate) && c.has(tfjson.ActionDelete) }

// destroyed tells whether the resource goes and nothing takes its address.
func (c change) destroyed() bool {
	return c.has(tfjson.ActionDelete) && !c.has(tfjson.ActionCreate) && !c.isDeposed()
}

// isDeposed tells of what an earlier replacement left to be deleted: its
// successor is at work already.
func (c change) isDeposed() bool { return c.DeposedKey != "" }

func (c change) before(path ...string) value {
	return value{raw: at(c.Change.Before, path), sensitive: marked(c.Change.BeforeSensitive, path)}
}

func (c change) after(path ...string) value {
	return value{raw: at(c.Change.After, path), unknown: marked(c.Change.AfterUnknown, path), sensitive: marked(c.Change.AfterSensitive, path)}
}

// differs tells whether the plan changes an attribute, or may.
func (c change) differs(path ...string) bool {
	after := c.after(path...)
	return after.unknown || !reflect.DeepEqual(c.before(path...).raw, after.raw)
}

// references are what the configuration of a resource's attribute names, as
// "auth0sns_iam_user.sms".
func (c change) references(attribute string) []string {
	if c.plan.Config == nil {
		return nil
	}
	names := configurationAddress(c.ModuleAddress, c.Type, c.Name)
	if r, ok := configured(c.plan.Config.RootModule, "")[names]; ok {
		if e := r.Expressions[attribute]; e != nil && e.ExpressionData != nil {
			return e.References
		}
	}
	return nil
}

func (c change) finding(id string, severity Severity, message string, args ...any) Finding {
	return Finding{ID: id, Severity: severity, Address: c.Address, Message: fmt.Sprintf(message, args...)}
}

// because adds the detail.
func (f Finding) because(detail string, args ...any) Finding {
	f.Detail = fmt.Sprintf(detail, args...)
	return f
}

// one is a finding if it is one.
func one(is bool, f Finding) []Finding {
	if !is {
		return nil
	}
	return []Finding{f}
}

// value is an attribute before or after a plan. What is not known has no raw.
type value struct {
	raw                any
	unknown, sensitive bool
}

func (v value) isNull() bool      { return v.raw == nil && !v.unknown }
func (v value) is(other any) bool { return !v.unknown && v.raw == other }

// text is the string, "" where it is none.
func (v value) text() string {
	s, _ := v.raw.(string)
	return s
}

// texts are the strings of a list or a set, sorted.
func (v value) texts() []string {
	list, _ := v.raw.([]any)
	var texts []string
	for _, e := range list {
		if s, ok := e.(string); ok {
			texts = append(texts, s)
		}
	}
	slices.Sort(texts)
	return texts
}

// number reads a number or a string that is one.
func (v value) number() (float64, bool) {
	switch raw := v.raw.(type) {
	case float64:
		return raw, true
	case json.Number: // of terraform-exec
		n, err := raw.Float64()
		return n, err == nil
	case string:
		n, err := strconv.ParseFloat(raw, 64)
		return n, err == nil
	default:
		return 0, false
	}
}

// String is the value for a reader.
func (v value) String() string {
	switch {
	case v.unknown:
		return "(known after apply)"
	case v.sensitive:
		return "(sensitive)"
	case v.raw == nil:
		return "(not set)"
	}
	if s, ok := v.raw.(string); ok {
		return strconv.Quote(s)
	}
	data, err := json.Marshal(v.raw)
	if err != nil {
		return "(unreadable)"
	}
	return string(data)
}

// at follows a path of names, and of indices into lists.
func at(tree any, path []string) any {
	for _, step := range path {
		switch node := tree.(type) {
		case map[string]any:
			tree = node[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(node) {
				return nil
			}
			tree = node[i]
		default:
			return nil
		}
	}
	return tree
}

// marked tells whether one of the trees in which a plan marks values as unknown
// or sensitive has a mark on the path, or below it.
func marked(tree any, path []string) bool {
	for i := range path {
		if is, ok := at(tree, path[:i]).(bool); ok && is {
			return true
		}
	}
	return marks(at(tree, path))
}

func marks(tree any) bool {
	switch node := tree.(type) {
	case bool:
		return node
	case []any:
		return slices.ContainsFunc(node, marks)
	case map[string]any:
		for _, below := range node {
			if marks(below) {
				return true
			}
		}
	}
	return false
}
