package auth0

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	sendPhoneMessage = "send-phone-message"
	maskedSecret     = "_VALUE_NOT_SHOWN_"
	maxHookSecrets   = 20
)

type hook struct {
	id, name, script, triggerID string
	enabled                     bool
	dependencies                map[string]string
	secrets                     map[string]string
}

func (h *hook) view() map[string]any {
	return map[string]any{
		"id": h.id, "name": h.name, "script": h.script, "triggerId": h.triggerID,
		"enabled": h.enabled, "dependencies": maps.Clone(h.dependencies),
	}
}

func hookIDSchema() *schema {
	return &schema{kind: "string", pattern: regexp.MustCompile(`^[A-Za-z0-9-]*$`), description: "ID of the hook."}
}

func hookTriggerSchema() *schema {
	return &schema{kind: "string", description: "Trigger ID of the hook.", enum: []string{
		"credentials-exchange", "pre-user-registration", "post-user-registration", "post-change-password", sendPhoneMessage,
	}}
}

func hookFieldsQuery() map[string]*schema {
	return map[string]*schema{"fields": fieldList("id", "name", "script", "dependencies", "enabled", "triggerId")}
}

func hookListQuery() map[string]*schema {
	query := pagingQuery()
	maps.Copy(query, hookFieldsQuery())
	query["enabled"] = &schema{kind: "boolean"}
	query["triggerId"] = hookTriggerSchema()
	return query
}

func hookUpdateSchema() *schema {
	return &schema{kind: "object", minProperties: 1, properties: map[string]*schema{
		"name":         {kind: "string", pattern: regexp.MustCompile(`^[a-zA-Z0-9]([ \-a-zA-Z0-9]*[a-zA-Z0-9])?$`), description: "Name of this hook."},
		"script":       {kind: "string", minLength: 1, description: "Code to be executed when this hook runs."},
		"enabled":      {kind: "boolean", description: "Whether this hook will be executed (true) or ignored (false)."},
		"dependencies": {kind: "object", values: &schema{kind: "string"}, description: "Dependencies of this hook used by webtask server."},
	}}
}

func hookCreateSchema() *schema {
	s := hookUpdateSchema()
	s.properties["triggerId"] = hookTriggerSchema()
	s.required = []string{"name", "script", "triggerId"}
	return s
}

func hookSecretsSchema() *schema {
	return &schema{
		kind: "object", minProperties: 1, maxProperties: maxHookSecrets,
		values: &schema{kind: "string"}, description: "Hashmap of key-value pairs where the value must be a string.",
	}
}

func hookSecretNamesSchema() *schema {
	return &schema{kind: "array", minItems: 1, items: &schema{kind: "string"}, description: "Array of secret names to delete."}
}

// hooksExist lets calls through unless the tenant has no hooks (any more).
func hooksExist(t *Tenant, _ *call) error {
	switch t.state.switches.HooksMode {
	case HooksDisabled:
		return refuse(http.StatusForbidden, "Insufficient privileges to use this deprecated feature.", "")
	case HooksGone:
		return notFound()
	default:
		return nil
	}
}

// runsHooks tells whether the tenant still executes its hooks.
func (t *Tenant) runsHooks() bool {
	mode := t.state.switches.HooksMode
	return mode == HooksAvailable || mode == HooksReadOnly
}

// hooksEditable refuses on a read-only tenant all but enabling and disabling. A
// new hook has a name and is refused by that.
func hooksEditable(t *Tenant, c *call) error {
	if err := hooksExist(t, c); err != nil || t.state.switches.HooksMode != HooksReadOnly {
		return err
	}
	edits := slices.ContainsFunc([]string{"name", "script", "dependencies"}, func(key string) bool {
		_, ok := c.object()[key]
		return ok
	})
	if edits {
		return endpointDisabled()
	}
	return nil
}

func hookSecretsEditable(t *Tenant, c *call) error {
	if err := hooksExist(t, c); err != nil {
		return err
	}
	if s := t.state.switches; s.HooksMode == HooksReadOnly && s.HookSecretsReadOnly {
		return endpointDisabled()
	}
	return nil
}

func endpointDisabled() error {
	return refuse(http.StatusForbidden, "This endpoint is disabled for your tenant.", "")
}

func (t *Tenant) hook(id string) (*hook, error) {
	for _, h := range t.state.hooks {
		if h.id == id {
			return h, nil
		}
	}
	return nil, refuse(http.StatusNotFound, "Error: Hook does not exist", "HookDoesNotExist")
}

func (t *Tenant) listHooks(c *call) (reply, error) {
	trigger, enabled := c.query.Get("triggerId"), c.query.Get("enabled")
	var found []map[string]any
	for _, h := range t.state.hooks {
		if trigger != "" && h.triggerID != trigger || enabled != "" && h.enabled != (enabled == "true") {
			continue
		}
		view := h.view()
		if c.query.Get("fields") == "" {
			delete(view, "script") // a list has scripts only when asked for them
		}
		found = append(found, project(c, view))
	}
	return page(c, "hooks", found), nil
}

func (t *Tenant) readHook(c *call) (reply, error) {
	h, err := t.hook(c.id())
	if err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, project(c, h.view())}, nil
}

func (t *Tenant) createHook(c *call) (reply, error) {
	body := c.object()
	h := &hook{id: newULID(t.config.Now()), dependencies: map[string]string{}, secrets: map[string]string{}}
	h.triggerID, _ = body["triggerId"].(string)
	if err := t.changeHook(h, body); err != nil {
		return reply{}, err
	}
	t.state.hooks = append(t.state.hooks, h)
	return reply{http.StatusCreated, h.view()}, nil
}

func (t *Tenant) updateHook(c *call) (reply, error) {
	h, err := t.hook(c.id())
	if err != nil {
		return reply{}, err
	}
	if err := t.changeHook(h, c.object()); err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, h.view()}, nil
}

// changeHook writes the properties of body to h, all of them or, with an error,
// none. dependencies are replaced as a whole.
func (t *Tenant) changeHook(h *hook, body map[string]any) error {
	changed := *h
	if name, ok := body["name"].(string); ok {
		changed.name = name
	}
	if slices.ContainsFunc(t.state.hooks, func(other *hook) bool { return other.id != h.id && other.name == changed.name }) {
		return refuse(http.StatusConflict, "Hook with the same name already exists.", "")
	}
	if script, ok := body["script"].(string); ok {
		changed.script = script
	}
	if dependencies, ok := body["dependencies"]; ok {
		changed.dependencies = textMap(dependencies)
	}
	if enabled, ok := body["enabled"].(bool); ok {
		changed.enabled = enabled
	}
	if err := t.resolveSecondHook(&changed); err != nil {
		return err
	}
	*h = changed
	return nil
}

// resolveSecondHook keeps it true that one hook per trigger is enabled, in the
// way the SecondEnabledHook switch says.
func (t *Tenant) resolveSecondHook(h *hook) error {
	other := t.enabledHook(h.triggerID)
	if !h.enabled || other == nil || other.id == h.id {
		return nil
	}
	switch t.state.switches.SecondEnabledHook {
	case SecondHookSwitchOver:
		other.enabled = false
	case SecondHookDisableNew:
		h.enabled = false
	default:
		return refuse(http.StatusConflict, "A hook for the trigger "+h.triggerID+" is already enabled.", "")
	}
	return nil
}

func (t *Tenant) enabledHook(trigger string) *hook {
	for _, h := range t.state.hooks {
		if h.enabled && h.triggerID == trigger {
			return h
		}
	}
	return nil
}

func (t *Tenant) deleteHook(c *call) (reply, error) {
	h, err := t.hook(c.id())
	if err != nil {
		return reply{}, err
	}
	t.state.hooks = slices.DeleteFunc(t.state.hooks, func(other *hook) bool { return other == h })
	return reply{http.StatusNoContent, nil}, nil
}

func (t *Tenant) readHookSecrets(c *call) (reply, error) {
	h, err := t.hook(c.id())
	if err != nil {
		return reply{}, err
	}
	masked := map[string]string{}
	for name := range h.secrets {
		masked[name] = maskedSecret
	}
	return reply{http.StatusOK, masked}, nil
}

func (t *Tenant) createHookSecrets(c *call) (reply, error) {
	h, err := t.hook(c.id())
	if err != nil {
		return reply{}, err
	}
	added := textMap(c.body)
	for name := range added {
		if _, ok := h.secrets[name]; ok {
			return reply{}, refuse(http.StatusConflict, "Secret with the same name already exists.", "")
		}
	}
	if total := len(h.secrets) + len(added); total > maxHookSecrets {
		tooMany := violation{reason: fmt.Sprintf("Too many properties defined (%d), maximum %d", total, maxHookSecrets)}
		return reply{}, tooMany.as("Payload", "invalid_body")
	}
	maps.Copy(h.secrets, added)
	return reply{http.StatusCreated, map[string]any{}}, nil
}

func (t *Tenant) updateHookSecrets(c *call) (reply, error) {
	h, err := t.hook(c.id())
	if err != nil {
		return reply{}, err
	}
	changed := textMap(c.body)
	for name := range changed {
		if _, ok := h.secrets[name]; !ok {
			return reply{}, refuse(http.StatusNotFound, "Hook or secret not found", "")
		}
	}
	maps.Copy(h.secrets, changed)
	return reply{http.StatusCreated, map[string]any{}}, nil
}

func (t *Tenant) deleteHookSecrets(c *call) (reply, error) {
	h, err := t.hook(c.id())
	if err != nil {
		return reply{}, err
	}
	for _, name := range texts(c.body) {
		delete(h.secrets, name)
	}
	return reply{http.StatusNoContent, nil}, nil
}

// newULID returns an id of 26 characters that sorts by time, as hooks have.
func newULID(now time.Time) string {
	var id strings.Builder
	for shift := 45; shift >= 0; shift -= 5 {
		id.WriteByte(crockford[now.UnixMilli()>>shift&31])
	}
	return id.String() + randomText(16, crockford)
}
