package auth0

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Auth0's published limits.
// https://auth0.com/docs/customize/actions/limitations
const (
	maxActions            = 100
	maxActionsPerTrigger  = 20
	maxActionVersions     = 50
	maxActionSecrets      = 30
	maxActionDependencies = 10
	maxActionCode         = 100_000
	maxSecretName         = 128
	maxSecretValue        = 4096
)

// action is a draft and the versions that were deployed from it. How far builds
// and deploys have come is not stored: the clock tells.
type action struct {
	id, name             string
	createdAt, updatedAt time.Time
	draft                *actionContent
	versions             []*actionVersion // oldest first
	numbers              int              // of versions ever made
}

// actionContent is what a version freezes of a draft. None is changed once it is
// there: a draft and the versions that were made from it share one.
type actionContent struct {
	trigger       actionTrigger
	code, runtime string
	dependencies  []actionDependency
	secrets       []actionSecret
	build         actionBuild
}

type actionDependency struct {
	name, version, registryURL string
}

type actionSecret struct {
	name, value string
	updatedAt   time.Time
}

type actionBuild struct {
	begins, ends time.Time
	fails        bool
}

// status is packaged and retrying in no build here: both are documented names
// that no recording has.
func (b actionBuild) status(now time.Time) string {
	switch {
	case !now.Before(b.ends) && b.fails:
		return "failed"
	case !now.Before(b.ends):
		return "built"
	case now.After(b.begins):
		return "building"
	default:
		return "pending"
	}
}

type actionVersion struct {
	*actionContent
	id                         string
	number                     int
	createdAt, liveAt, builtAt time.Time
}

// deployed returns the version that the API calls deployed, nil before there is one.
func (a *action) deployed(now time.Time) *actionVersion {
	return a.latest(func(v *actionVersion) bool { return !v.liveAt.After(now) })
}

func (v *actionVersion) isBuilt(now time.Time) bool {
	return !v.builtAt.After(now) && v.build.status(now) == "built"
}

// running returns the version that a trigger would run, nil before there is one.
// It differs from the deployed one only while an Action that was created with
// deploy is still being built.
func (a *action) running(now time.Time) *actionVersion {
	return a.latest(func(v *actionVersion) bool { return !v.liveAt.After(now) && v.isBuilt(now) })
}

func (a *action) latest(match func(*actionVersion) bool) *actionVersion {
	for _, v := range slices.Backward(a.versions) {
		if match(v) {
			return v
		}
	}
	return nil
}

func (a *action) allChangesDeployed(now time.Time) bool {
	v := a.deployed(now)
	return v != nil && v.actionContent == a.draft
}

// addVersion freezes content, to be deployed at liveAt and built at builtAt.
func (a *action) addVersion(content *actionContent, now, liveAt, builtAt time.Time) *actionVersion {
	a.numbers++
	v := &actionVersion{actionContent: content, id: newUUID(), number: a.numbers, createdAt: now, liveAt: liveAt, builtAt: builtAt}
	a.versions = append(a.versions, v)
	if len(a.versions) > maxActionVersions {
		a.versions = slices.Delete(a.versions, 0, 1)
	}
	return v
}

func (c *actionContent) secretValues() map[string]string {
	values := map[string]string{}
	for _, s := range c.secrets {
		values[s.name] = s.value
	}
	return values
}

func (c *actionContent) packages() map[string]string {
	packages := map[string]string{}
	for _, d := range c.dependencies {
		packages[d.name] = d.version
	}
	return packages
}

func (c *actionContent) state() ActionContent {
	return ActionContent{
		Code: c.code, Runtime: c.runtime, Dependencies: c.packages(),
		SecretNames: slices.Sorted(maps.Keys(c.secretValues())),
	}
}

func (a *action) state(now time.Time) ActionState {
	s := ActionState{
		ID: a.id, Name: a.name, TriggerID: a.draft.trigger.id, TriggerVersion: a.draft.trigger.version,
		Status: a.draft.build.status(now), Draft: a.draft.state(), AllChangesDeployed: a.allChangesDeployed(now),
	}
	if v := a.deployed(now); v != nil {
		s.Deployed = &ActionDeploy{ActionContent: v.state(), Number: v.number}
	}
	return s
}

// actionTime is how the API writes times in Actions, always with nine digits.
func actionTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000000Z") }

// view is what draft and version have in common. A registry is shown until the
// build is done and then forgotten, as recorded.
func (c *actionContent) view(now time.Time) map[string]any {
	status := c.build.status(now)
	dependencies, secrets := []map[string]any{}, []map[string]any{}
	for _, d := range c.dependencies {
		view := map[string]any{"name": d.name, "version": d.version}
		if d.registryURL != "" && status != "built" {
			view["registry_url"] = d.registryURL
		}
		dependencies = append(dependencies, view)
	}
	for _, s := range c.secrets {
		secrets = append(secrets, map[string]any{"name": s.name, "updated_at": actionTime(s.updatedAt)})
	}
	return map[string]any{
		"code": c.code, "runtime": c.runtime, "dependencies": dependencies, "secrets": secrets, "status": status,
		"supported_triggers": c.trigger.view(),
	}
}

// view is a version without the Action around it. Recorded: built_at comes with
// the deploy.
func (v *actionVersion) view(now time.Time, deployed bool) map[string]any {
	view := v.actionContent.view(now)
	view["id"], view["number"], view["deployed"] = v.id, v.number, deployed
	view["created_at"], view["updated_at"] = actionTime(v.createdAt), actionTime(v.createdAt)
	if v.isBuilt(now) {
		view["built_at"], view["updated_at"] = actionTime(v.builtAt), actionTime(v.builtAt)
	}
	return view
}

// current is the older form of the deployed version, which an Action shows too.
func (v *actionVersion) current(now time.Time) map[string]any {
	view := map[string]any{
		"id": v.id, "code": v.code, "runtime": v.runtime, "number": v.number,
		"status":     strings.ToUpper(v.build.status(now)),
		"created_at": actionTime(v.createdAt), "updated_at": actionTime(v.createdAt),
	}
	if v.isBuilt(now) {
		view["build_time"], view["updated_at"] = actionTime(v.builtAt), actionTime(v.builtAt)
	}
	return view
}

// brief is an Action inside of versions and bindings. Recorded: its dates are
// those of the creation, and all_changes_deployed is false whatever is deployed.
func (a *action) brief() map[string]any {
	return map[string]any{
		"id": a.id, "name": a.name, "supported_triggers": a.draft.trigger.view(),
		"created_at": actionTime(a.createdAt), "updated_at": actionTime(a.createdAt), "all_changes_deployed": false,
	}
}

// bound is an Action inside of a binding.
func (a *action) bound(now time.Time) map[string]any {
	view := a.brief()
	if v := a.deployed(now); v != nil {
		view["current_version"], view["deployed_version"] = v.current(now), v.view(now, true)
	}
	return view
}

func (a *action) view(now time.Time) map[string]any {
	view := a.bound(now)
	maps.Copy(view, a.draft.view(now))
	view["updated_at"], view["all_changes_deployed"] = actionTime(a.updatedAt), a.allChangesDeployed(now)
	return view
}

// versionView is a version with the Action around it.
func (a *action) versionView(v *actionVersion, now time.Time) map[string]any {
	view := v.view(now, v == a.deployed(now))
	view["action"] = a.brief()
	return view
}

func actionListQuery() map[string]*schema {
	query := wrappedPagingQuery()
	query["triggerId"] = actionTriggerSchema()
	query["deployed"], query["installed"] = &schema{kind: "boolean"}, &schema{kind: "boolean"}
	return query
}

func actionUpdateSchema() *schema {
	anything := &schema{}
	return &schema{kind: "object", properties: map[string]*schema{
		"name": {kind: "string", minLength: 1, description: "The name of an action."},
		// Triggers may be sent as they are listed, with all their properties.
		"supported_triggers": {
			kind: "array", minItems: 1, maxItems: 1, description: "The list of triggers that this action supports.",
			items: &schema{kind: "object", required: []string{"id"}, properties: map[string]*schema{
				"id": actionTriggerSchema(), "version": {kind: "string"}, "status": anything, "runtimes": anything,
				"default_runtime": anything, "compatible_triggers": anything, "binding_policy": anything,
			}},
		},
		"code":    {kind: "string", maxLength: maxActionCode, description: "The source code of the action."},
		"runtime": {kind: "string", description: "The Node runtime."},
		"dependencies": {
			kind: "array", maxItems: maxActionDependencies, description: "The list of third party npm modules that this action depends on.",
			items: &schema{kind: "object", required: []string{"name", "version"}, properties: map[string]*schema{
				"name": {kind: "string", minLength: 1}, "version": {kind: "string", minLength: 1}, "registry_url": {kind: "string"},
			}},
		},
		// Recorded: clients send updated_at back, and it is ignored.
		"secrets": {
			kind: "array", maxItems: maxActionSecrets, description: "The list of secrets that are included in an action.",
			items: &schema{kind: "object", required: []string{"name"}, values: anything, properties: map[string]*schema{
				"name": {kind: "string", minLength: 1, maxLength: maxSecretName}, "value": {kind: "string", maxLength: maxSecretValue},
			}},
		},
	}}
}

func actionCreateSchema() *schema {
	s := actionUpdateSchema()
	s.properties["deploy"] = &schema{kind: "boolean", description: "True if the action should be deployed after creation."}
	s.required = []string{"name", "supported_triggers"}
	return s
}

func rollBackSchema() *schema {
	return &schema{kind: "object", nullable: true, properties: map[string]*schema{"update_draft": {kind: "boolean"}}}
}

func (t *Tenant) action(id string) (*action, error) {
	return t.findAction(func(a *action) bool { return a.id == id })
}

func (t *Tenant) findAction(match func(*action) bool) (*action, error) {
	if i := slices.IndexFunc(t.state.actions, match); i >= 0 {
		return t.state.actions[i], nil
	}
	return nil, refuse(http.StatusNotFound, "That action does not exist.", "")
}

// listActions filters. No Action here is one of the marketplace's, which are
// called installed.
func (t *Tenant) listActions(c *call) (reply, error) {
	now := t.config.Now()
	trigger, name, deployed := c.query.Get("triggerId"), c.query.Get("actionName"), c.query.Get("deployed")
	var found []map[string]any
	for _, a := range t.state.actions {
		if trigger != "" && a.draft.trigger.id != trigger || name != "" && a.name != name ||
			deployed != "" && (a.deployed(now) != nil) != (deployed == "true") || c.query.Get("installed") == "true" {
			continue
		}
		found = append(found, a.view(now))
	}
	return wrappedPage(c, "actions", found), nil
}

func (t *Tenant) readAction(c *call) (reply, error) {
	a, err := t.action(c.id())
	if err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, a.view(t.config.Now())}, nil
}

func (t *Tenant) createAction(c *call) (reply, error) {
	if len(t.state.actions) == maxActions { // the answer is inferred
		return reply{}, refuse(http.StatusForbidden, "You have reached the limit of actions for this tenant.", "")
	}
	now := t.config.Now()
	a := &action{id: newUUID(), createdAt: now, draft: &actionContent{}}
	if err := t.changeAction(a, c.object(), now); err != nil {
		return reply{}, err
	}
	if deploy, _ := c.object()["deploy"].(bool); deploy {
		a.addVersion(a.draft, now, now, a.draft.build.ends)
	}
	t.state.actions = append(t.state.actions, a)
	return reply{http.StatusCreated, a.view(now)}, nil
}

func (t *Tenant) updateAction(c *call) (reply, error) {
	a, err := t.action(c.id())
	if err != nil {
		return reply{}, err
	}
	now := t.config.Now()
	if err := t.changeAction(a, c.object(), now); err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, a.view(now)}, nil
}

// changeAction writes the properties of body to a, all of them or, with an
// error, none, and begins to build the draft. The lists are replaced as a whole.
func (t *Tenant) changeAction(a *action, body map[string]any, now time.Time) error {
	changed, draft := *a, *a.draft
	if name, ok := body["name"].(string); ok {
		changed.name = name
	}
	if err := t.checkActionName(&changed); err != nil {
		return err
	}
	if triggers, ok := body["supported_triggers"].([]any); ok {
		trigger, err := t.newTrigger(a, triggers[0])
		if err != nil {
			return err
		}
		draft.trigger = trigger
	}
	if code, ok := body["code"].(string); ok {
		draft.code = code
	}
	runtime, err := draft.trigger.runtime(body["runtime"], draft.runtime)
	if err != nil {
		return err
	}
	draft.runtime = runtime
	if dependencies, ok := body["dependencies"].([]any); ok {
		draft.dependencies = newDependencies(dependencies)
	} else {
		draft.dependencies = withoutRegistries(draft.dependencies)
	}
	if secrets, ok := body["secrets"].([]any); ok {
		if draft.secrets, err = newSecrets(secrets, draft.secretValues(), now); err != nil {
			return err
		}
	}
	s := t.state.switches
	draft.build = actionBuild{begins: now, ends: now.Add(time.Duration(s.BuildTime)), fails: s.BuildFails}
	changed.draft, changed.updatedAt = &draft, now
	*a = changed
	return nil
}

func (t *Tenant) checkActionName(a *action) error {
	taken := slices.ContainsFunc(t.state.actions, func(other *action) bool { return other.id != a.id && other.name == a.name })
	if taken && !t.state.switches.DuplicateActionNames {
		return refuse(http.StatusConflict, "An action with the same name already exists.", "")
	}
	return nil
}

func newDependencies(items []any) []actionDependency {
	var dependencies []actionDependency
	for _, item := range items {
		d := textMap(item)
		dependencies = append(dependencies, actionDependency{d["name"], d["version"], d["registry_url"]})
	}
	return dependencies
}

func withoutRegistries(dependencies []actionDependency) []actionDependency {
	bare := slices.Clone(dependencies)
	for i := range bare {
		bare[i].registryURL = ""
	}
	return bare
}

// newSecrets gives every secret the same new date, also one that only its name
// keeps. That a name alone keeps the value is what Auth0's deploy-cli counts on;
// no recording has it.
func newSecrets(items []any, old map[string]string, now time.Time) ([]actionSecret, error) {
	var secrets []actionSecret
	seen := map[string]bool{}
	for _, item := range items {
		object, _ := item.(map[string]any)
		name, _ := object["name"].(string)
		value, given := object["value"].(string)
		if !given {
			value, given = old[name]
		}
		if !given || seen[name] {
			bad := violation{reason: "Secret " + name + " has no value or is there twice", path: "secrets"}
			return nil, bad.as("Payload", "invalid_body")
		}
		seen[name] = true
		secrets = append(secrets, actionSecret{name, value, now})
	}
	return secrets, nil
}

func (t *Tenant) deleteAction(c *call) (reply, error) {
	a, err := t.action(c.id())
	if err != nil {
		return reply{}, err
	}
	if t.isBound(a) && c.query.Get("force") != "true" {
		return reply{}, refuse(http.StatusConflict, "Unable to delete an action bound to a trigger.", "")
	}
	t.unbind(a)
	t.state.actions = slices.DeleteFunc(t.state.actions, func(other *action) bool { return other == a })
	return reply{http.StatusNoContent, nil}, nil
}

// deployAction answers at once with a version that is not deployed yet; the one
// before it runs until then.
func (t *Tenant) deployAction(c *call) (reply, error) {
	a, err := t.action(c.id())
	if err != nil {
		return reply{}, err
	}
	if a.draft.build.status(t.config.Now()) != "built" {
		return reply{}, refuse(http.StatusBadRequest, "A draft must be in the 'built' state before it can be deployed.", "")
	}
	return t.deploy(a, a.draft)
}

func (t *Tenant) deploy(a *action, content *actionContent) (reply, error) {
	now := t.config.Now()
	liveAt := now.Add(time.Duration(t.state.switches.DeployTime))
	v := a.addVersion(content, now, liveAt, liveAt)
	return reply{http.StatusOK, a.versionView(v, now)}, nil
}

func (t *Tenant) actionVersion(c *call) (*action, *actionVersion, error) {
	a, err := t.action(c.request.PathValue("actionId"))
	if err != nil {
		return nil, nil, err
	}
	if v := a.latest(func(v *actionVersion) bool { return v.id == c.id() }); v != nil {
		return a, v, nil
	}
	return nil, nil, refuse(http.StatusNotFound, "That version does not exist.", "")
}

// listActionVersions lists the newest first. The order is inferred.
func (t *Tenant) listActionVersions(c *call) (reply, error) {
	a, err := t.action(c.request.PathValue("actionId"))
	if err != nil {
		return reply{}, err
	}
	var views []map[string]any
	for _, v := range slices.Backward(a.versions) {
		views = append(views, a.versionView(v, t.config.Now()))
	}
	return wrappedPage(c, "versions", views), nil
}

func (t *Tenant) readActionVersion(c *call) (reply, error) {
	a, v, err := t.actionVersion(c)
	if err != nil {
		return reply{}, err
	}
	return reply{http.StatusOK, a.versionView(v, t.config.Now())}, nil
}

// deployActionVersion rolls back: it deploys a copy of an older version, with the
// secrets of that time, and takes it over into the draft only when asked to.
func (t *Tenant) deployActionVersion(c *call) (reply, error) {
	a, v, err := t.actionVersion(c)
	if err != nil {
		return reply{}, err
	}
	if v.build.status(t.config.Now()) != "built" {
		return reply{}, refuse(http.StatusBadRequest, "A version must be in the 'built' state before it can be deployed.", "")
	}
	if v.trigger != a.draft.trigger {
		return reply{}, cannotUpgrade()
	}
	if update, _ := c.object()["update_draft"].(bool); update {
		a.draft, a.updatedAt = v.actionContent, t.config.Now()
	}
	return t.deploy(a, v.actionContent)
}
