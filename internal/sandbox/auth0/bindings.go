package auth0

import (
	"fmt"
	"net/http"
	"slices"
	"time"
)

const customPhoneProvider = "custom-phone-provider"

// actionTrigger is one version of an extensibility point.
type actionTrigger struct {
	id, version string
}

// triggerType is what GET /actions/triggers says about a trigger.
type triggerType struct {
	actionTrigger
	status         string
	runtimes       []string
	defaultRuntime string
	policy         string // trigger-bound, or entity-bound, which has no bindings
	handler        string // the function that code has to export
}

// triggerTypes are those of the tenant's triggers that matter here, and two that
// other people's Actions use. Runtimes are as recorded in 2026, of deprecated
// versions as recorded in 2023.
func triggerTypes() []triggerType {
	node18, phone := []string{"node18", "node22"}, []string{"node18-actions", "node22"}
	return []triggerType{
		{actionTrigger{"post-login", "v2"}, "DEPRECATED", []string{"node12", "node16", "node18"}, "node16", "trigger-bound", "onExecutePostLogin"},
		{actionTrigger{"post-login", "v3"}, "CURRENT", node18, "node22", "trigger-bound", "onExecutePostLogin"},
		{actionTrigger{sendPhoneMessage, "v1"}, "DEPRECATED", []string{"node12"}, "node12", "trigger-bound", "onExecuteSendPhoneMessage"},
		{actionTrigger{sendPhoneMessage, "v2"}, "CURRENT", phone, "node22", "trigger-bound", "onExecuteSendPhoneMessage"},
		{actionTrigger{customPhoneProvider, "v1"}, "CURRENT", phone, "node22", "trigger-bound", "onExecuteCustomPhoneProvider"},
		{actionTrigger{"custom-token-exchange", "v1"}, "CURRENT", node18, "node22", "entity-bound", "onExecuteCustomTokenExchange"},
	}
}

func (t actionTrigger) view() []map[string]any {
	return []map[string]any{{"id": t.id, "version": t.version}}
}

// triggerType is the zero value for a trigger that this tenant does not have.
func (t actionTrigger) triggerType() triggerType {
	types := triggerTypes()
	if i := slices.IndexFunc(types, func(known triggerType) bool { return known.actionTrigger == t }); i >= 0 {
		return types[i]
	}
	return triggerType{}
}

// runtime returns the one asked for, else the one there is, else the trigger's
// default. The refusal's text is inferred.
func (t actionTrigger) runtime(asked any, old string) (string, error) {
	known, runtime := t.triggerType(), old
	if text, ok := asked.(string); ok {
		runtime = text
	}
	if runtime == "" {
		runtime = known.defaultRuntime
	}
	if !slices.Contains(known.runtimes, runtime) {
		return "", refuse(http.StatusBadRequest, fmt.Sprintf("The runtime %s is not supported by the trigger %s %s.", runtime, t.id, t.version), "")
	}
	return runtime, nil
}

// actionTriggerSchema is the OpenAPI document's list: a trigger that is in it
// but not in triggerTypes has no bindings here and takes no Action.
func actionTriggerSchema() *schema {
	return &schema{kind: "string", description: "An actions extensibility point.", enum: []string{
		"post-login", "credentials-exchange", "pre-user-registration", "post-user-registration", "post-change-password",
		sendPhoneMessage, customPhoneProvider, "custom-email-provider", "password-reset-post-challenge", "custom-token-exchange",
		"event-stream", "password-hash-migration", "login-post-identifier", "signup-post-identifier",
	}}
}

func bindingsSchema() *schema {
	return &schema{kind: "object", required: []string{"bindings"}, properties: map[string]*schema{
		"bindings": {kind: "array", maxItems: maxActionsPerTrigger, items: &schema{oneOf: &schema{
			kind: "object", required: []string{"ref"}, properties: map[string]*schema{
				"display_name": {kind: "string"},
				"ref": {kind: "object", required: []string{"type", "value"}, values: &schema{}, properties: map[string]*schema{
					"type": {kind: "string", enum: []string{"binding_id", "action_id", "action_name"}}, "value": {kind: "string"},
				}},
			},
		}}},
	}}
}

// binding is an Action's place in the flow of its trigger.
type binding struct {
	id, displayName string
	action          *action
	at              time.Time
}

func (b binding) view(trigger string, now time.Time) map[string]any {
	return map[string]any{
		"id": b.id, "trigger_id": trigger, "display_name": b.displayName, "action": b.action.bound(now),
		"created_at": actionTime(b.at), "updated_at": actionTime(b.at),
	}
}

// newTrigger reads the trigger that an Action is to support; without a version
// it is the current one. old is the Action as it is.
func (t *Tenant) newTrigger(old *action, item any) (actionTrigger, error) {
	asked := textMap(item)
	types := triggerTypes()
	i := slices.IndexFunc(types, func(known triggerType) bool {
		return known.id == asked["id"] && (known.version == asked["version"] || asked["version"] == "" && known.status == "CURRENT")
	})
	if i < 0 {
		return actionTrigger{}, refuse(http.StatusBadRequest, fmt.Sprintf("The trigger %s %s does not exist.", asked["id"], asked["version"]), "")
	}
	trigger := types[i].actionTrigger
	if trigger != old.draft.trigger && t.isBound(old) {
		return actionTrigger{}, cannotUpgrade()
	}
	another := slices.ContainsFunc(t.state.actions, func(other *action) bool {
		return other.id != old.id && other.draft.trigger.id == customPhoneProvider
	})
	if another && trigger.id == customPhoneProvider {
		return actionTrigger{}, refuse(http.StatusForbidden, "custom-phone-provider can only have one supported Action", "actions_cardinality_custom_phone_provider_not_allowed")
	}
	return trigger, nil
}

func cannotUpgrade() error {
	return refuse(http.StatusBadRequest, "can't upgrade to this trigger.", "")
}

func (t *Tenant) listTriggers(*call) (reply, error) {
	var views []map[string]any
	for _, known := range triggerTypes() {
		views = append(views, map[string]any{
			"id": known.id, "version": known.version, "status": known.status, "runtimes": known.runtimes,
			"default_runtime": known.defaultRuntime, "binding_policy": known.policy, "compatible_triggers": []any{},
		})
	}
	return reply{http.StatusOK, map[string]any{"triggers": views}}, nil
}

// boundTrigger returns the trigger that a call's path names.
func boundTrigger(c *call) (string, error) {
	trigger := c.request.PathValue("triggerId")
	if slices.ContainsFunc(triggerTypes(), func(known triggerType) bool { return known.id == trigger && known.policy == "entity-bound" }) {
		return "", refuse(http.StatusBadRequest, "cannot list action bindings for an entity-bound trigger", "")
	}
	return trigger, nil
}

func (t *Tenant) bindingViews(trigger string) []map[string]any {
	views := []map[string]any{}
	for _, b := range t.state.bindings[trigger] {
		views = append(views, b.view(trigger, t.config.Now()))
	}
	return views
}

func (t *Tenant) listBindings(c *call) (reply, error) {
	trigger, err := boundTrigger(c)
	if err != nil {
		return reply{}, err
	}
	return wrappedPage(c, "bindings", t.bindingViews(trigger)), nil
}

// putBindings replaces the whole list. Recorded: every binding gets a new id,
// also one that was there before.
func (t *Tenant) putBindings(c *call) (reply, error) {
	trigger, err := boundTrigger(c)
	if err != nil {
		return reply{}, err
	}
	items, _ := c.object()["bindings"].([]any)
	var bindings []binding
	for _, item := range items {
		b, err := t.newBinding(trigger, item)
		if err != nil {
			return reply{}, err
		}
		bindings = append(bindings, b)
	}
	delete(t.state.bindings, trigger)
	if len(bindings) > 0 {
		t.state.bindings[trigger] = bindings
	}
	return reply{http.StatusOK, map[string]any{"bindings": t.bindingViews(trigger)}}, nil
}

func (t *Tenant) newBinding(trigger string, item any) (binding, error) {
	object, _ := item.(map[string]any)
	ref := textMap(object["ref"])
	a, err := t.findAction(func(a *action) bool {
		switch ref["type"] {
		case "action_id":
			return a.id == ref["value"]
		case "action_name":
			return a.name == ref["value"]
		default:
			return slices.ContainsFunc(t.state.bindings[trigger], func(b binding) bool { return b.id == ref["value"] && b.action == a })
		}
	})
	if err != nil {
		return binding{}, err
	}
	if a.draft.trigger.id != trigger {
		return binding{}, refuse(http.StatusBadRequest, "Trying to create a binding between an incompatible action and trigger.", "")
	}
	// The end of the sentence is not in every source that quotes it.
	if a.running(t.config.Now()) == nil {
		return binding{}, refuse(http.StatusBadRequest, "Trying to create a binding for an action that has not been deployed yet.", "")
	}
	name, ok := object["display_name"].(string)
	if !ok {
		name = a.name
	}
	return binding{id: newUUID(), displayName: name, action: a, at: t.config.Now()}, nil
}

func (t *Tenant) isBound(a *action) bool {
	return slices.ContainsFunc(t.state.bindings[a.draft.trigger.id], func(b binding) bool { return b.action == a })
}

func (t *Tenant) unbind(a *action) {
	trigger := a.draft.trigger.id
	rest := slices.DeleteFunc(t.state.bindings[trigger], func(b binding) bool { return b.action == a })
	if len(rest) == 0 {
		delete(t.state.bindings, trigger)
		return
	}
	t.state.bindings[trigger] = rest
}
