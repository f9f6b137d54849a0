package auth0

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const actionCode = "exports.onExecuteSendPhoneMessage = async (event, api) => {};"

// actionBody is a request body that creates an Action, with extra properties.
func actionBody(b *bed, name, trigger string, extra map[string]any) string {
	b.t.Helper()
	body := map[string]any{"name": name, "code": actionCode, "supported_triggers": []any{map[string]any{"id": trigger}}}
	for key, value := range extra {
		body[key] = value
	}
	raw, err := json.Marshal(body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(raw)
}

func (b *bed) createAction(name, trigger string, extra map[string]any) string {
	b.t.Helper()
	id, _ := b.must("POST", "/actions/actions", actionBody(b, name, trigger, extra)).object(b.t)["id"].(string)
	return id
}

// deployAction builds and deploys an Action and waits for both.
func (b *bed) deployAction(id string) {
	b.t.Helper()
	b.advance(2 * time.Second)
	b.must("POST", "/actions/actions/"+id+"/deploy", "")
	b.advance(time.Second)
}

func (b *bed) bind(trigger string, ids ...string) answer {
	b.t.Helper()
	bindings := []any{}
	for _, id := range ids {
		bindings = append(bindings, map[string]any{"ref": map[string]any{"type": "action_id", "value": id}})
	}
	raw, err := json.Marshal(map[string]any{"bindings": bindings})
	if err != nil {
		b.t.Fatal(err)
	}
	return b.api("PATCH", "/actions/triggers/"+trigger+"/bindings", string(raw))
}

func (b *bed) actionState(id string) ActionState {
	b.t.Helper()
	for _, a := range b.tenant.Snapshot().Actions {
		if a.ID == id {
			return a
		}
	}
	b.t.Fatalf("no action %s", id)
	return ActionState{}
}

func TestActionValidation(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createAction("taken", sendPhoneMessage, nil)
	path := "/actions/actions/" + id
	list := func(n int, item string) string {
		return "[" + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + "]"
	}
	const trigger = `"supported_triggers":[{"id":"send-phone-message","version":"v2"}]`
	const missing = "00000000-0000-4000-8000-000000000000"
	const bindings = "/actions/triggers/send-phone-message/bindings"
	for _, test := range []struct {
		name, method, path, body string
		status                   int
		want                     string
	}{
		{"no name", "POST", "/actions/actions", `{` + trigger + `}`, 400, `"message":"Payload validation error: 'Missing required property: name'.","errorCode":"invalid_body"`},
		{"no trigger", "POST", "/actions/actions", `{"name":"a"}`, 400, `'Missing required property: supported_triggers'`},
		{"two triggers", "POST", "/actions/actions", `{"name":"a","supported_triggers":[{"id":"post-login"},{"id":"send-phone-message"}]}`, 400, `'Array is too long (2), maximum 1' on property supported_triggers`},
		{"a trigger that never was", "POST", "/actions/actions", `{"name":"a","supported_triggers":[{"id":"send-sms"}]}`, 400, `'No enum match for: send-sms' on property supported_triggers[0].id`},
		{"a version that never was", "POST", "/actions/actions", `{"name":"a","supported_triggers":[{"id":"send-phone-message","version":"v9"}]}`, 400, "send-phone-message v9"},
		{"a runtime of another trigger", "POST", "/actions/actions", `{"name":"a","runtime":"node18",` + trigger + `}`, 400, "node18 is not supported"},
		{"extra properties", "POST", "/actions/actions", `{"name":"a","enabled":true,` + trigger + `}`, 400, `'Additional properties not allowed: enabled'`},
		{"dependencies as of a hook", "POST", "/actions/actions", `{"name":"a","dependencies":{"aws-sdk":"2.1693.0"},` + trigger + `}`, 400, `'Expected type array but found type object' on property dependencies`},
		{"secrets as of a hook", "POST", "/actions/actions", `{"name":"a","secrets":{"A":"x"},` + trigger + `}`, 400, `'Expected type array but found type object' on property secrets`},
		{"31 secrets", "PATCH", path, `{"secrets":` + list(31, `{"name":"A","value":"x"}`) + `}`, 400, `'Array is too long (31), maximum 30' on property secrets`},
		{"a secret without a value", "PATCH", path, `{"secrets":[{"name":"A"}]}`, 400, "Secret A has no value"},
		{"a secret that is there twice", "PATCH", path, `{"secrets":[{"name":"A","value":"x"},{"name":"A","value":"y"}]}`, 400, "Secret A"},
		{"a long secret", "PATCH", path, `{"secrets":[{"name":"A","value":"` + strings.Repeat("x", 4097) + `"}]}`, 400, `maximum 4096' on property secrets[0].value`},
		{"a long secret name", "PATCH", path, `{"secrets":[{"name":"` + strings.Repeat("x", 129) + `","value":""}]}`, 400, `maximum 128' on property secrets[0].name`},
		{"11 packages", "PATCH", path, `{"dependencies":` + list(11, `{"name":"a","version":"1.0.0"}`) + `}`, 400, `'Array is too long (11), maximum 10'`},
		{"long code", "PATCH", path, `{"code":"` + strings.Repeat("x", 100_001) + `"}`, 400, `maximum 100000' on property code`},
		{"deploy in a change", "PATCH", path, `{"deploy":true}`, 400, `'Additional properties not allowed: deploy'`},
		{"name in use", "POST", "/actions/actions", `{"name":"taken",` + trigger + `}`, 409, `"error":"Conflict"`},
		{"no such action", "GET", "/actions/actions/" + missing, "", 404, `{"statusCode":404,"error":"Not Found","message":"That action does not exist."}`},
		{"deploy no such action", "POST", "/actions/actions/" + missing + "/deploy", "", 404, "That action does not exist."},
		{"versions of no such action", "GET", "/actions/actions/" + missing + "/versions", "", 404, "That action does not exist."},
		{"no such version", "GET", path + "/versions/" + missing, "", 404, `"error":"Not Found"`},
		{"no such execution", "GET", "/actions/executions/x", "", 404, `{"statusCode":404,"error":"Not Found","message":"That execution does not exist."}`},
		{"test without payload", "POST", path + "/test", `{}`, 400, `'Missing required property: payload'`},
		{"page too large", "GET", "/actions/actions?per_page=101", "", 400, `'Value 101 is greater than maximum 100' on property per_page`},
		{"list a trigger that never was", "GET", "/actions/actions?triggerId=sms", "", 400, `"errorCode":"invalid_query_string"`},
		{"bindings of a trigger that never was", "GET", "/actions/triggers/sms/bindings", "", 400, `"errorCode":"invalid_uri"`},
		{"bindings of an entity-bound trigger", "GET", "/actions/triggers/custom-token-exchange/bindings", "", 400, "cannot list action bindings for an entity-bound trigger"},
		{"a binding without ref", "PATCH", bindings, `{"bindings":[{"display_name":"a"}]}`, 400, `"message":"Payload validation error: 'Data does not match any schemas from 'oneOf'' on property bindings[0].","errorCode":"invalid_body"`},
		{"a binding by hand", "PATCH", bindings, `{"bindings":[{"ref":{"type":"id","value":"x"}}]}`, 400, `'oneOf'' on property bindings[0]`},
		{"a binding to no action", "PATCH", bindings, `{"bindings":[{"ref":{"type":"action_name","value":"nobody"}}]}`, 404, "That action does not exist."},
	} {
		expect(t, test.name, b.api(test.method, test.path, test.body), test.status, test.want)
	}
	if got := b.tenant.Snapshot().Actions; len(got) != 1 || len(got[0].Draft.SecretNames) != 0 {
		t.Errorf("refused calls left %+v, want the one Action as it was", got)
	}
}

func TestActionsNeedTheirScopes(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createAction("sms", sendPhoneMessage, nil)
	token := b.tenant.Token("read:actions", "update:actions")
	for _, path := range []string{"", "/" + id + "/deploy", "/" + id + "/test", "/" + id + "/versions/x/deploy"} {
		a := b.send(b.request("POST", "/api/v2/actions/actions"+path, token, "{}"))
		expect(t, "POST "+path, a, 403, "Insufficient scope, expected any of: create:actions")
	}
	a := b.send(b.request("DELETE", "/api/v2/actions/actions/"+id, token, ""))
	expect(t, "DELETE", a, 403, "expected any of: delete:actions")
	a = b.send(b.request("PATCH", "/api/v2/actions/triggers/post-login/bindings", b.tenant.Token("create:actions"), `{"bindings":[]}`))
	expect(t, "bind", a, 403, "expected any of: update:actions")
}

// TestActionsTakeTime fails when a client that does not wait would get through.
func TestActionsTakeTime(t *testing.T) {
	b := newBed(t, RateLimit{})
	created := b.must("POST", "/actions/actions", actionBody(b, "sms", sendPhoneMessage, map[string]any{
		"dependencies": []any{map[string]any{"name": "aws-sdk", "version": "2.1693.0", "registry_url": "https://registry.example.com"}},
	}))
	action := created.object(t)
	path := fmt.Sprint("/actions/actions/", action["id"])
	expect(t, "create", created, 201, `"status":"pending"`)
	expect(t, "create chooses the current version and its runtime", created, 201, `"runtime":"node22"`)
	if action["deployed_version"] != nil || action["all_changes_deployed"] != false {
		t.Errorf("a new Action looks deployed: %s", created.raw)
	}
	const early = `{"statusCode":400,"error":"Bad Request","message":"A draft must be in the 'built' state before it can be deployed."}`
	expect(t, "deploy while pending", b.api("POST", path+"/deploy", ""), 400, early)
	b.advance(1999 * time.Millisecond)
	expect(t, "still building, with its registry", b.must("GET", path, ""), 200, `"registry_url":"https://registry.example.com","version"`)
	expect(t, "still building", b.must("GET", path, ""), 200, `"status":"building"`)
	expect(t, "deploy while building", b.api("POST", path+"/deploy", ""), 400, early)
	b.advance(time.Millisecond)
	expect(t, "built, without its registry", b.must("GET", path, ""), 200, `"dependencies":[{"name":"aws-sdk","version":"2.1693.0"}]`)
	expect(t, "built", b.must("GET", path, ""), 200, `"status":"built"`)

	const unbound = `{"statusCode":400,"error":"Bad Request","message":"Trying to create a binding for an action that has not been deployed yet."}`
	id := fmt.Sprint(action["id"])
	expect(t, "bind before deploy", b.bind(sendPhoneMessage, id), 400, unbound)
	deploy := b.must("POST", path+"/deploy", "")
	if v := deploy.object(t); deploy.status != 200 || v["deployed"] != false || v["number"] != 1.0 || v["status"] != "built" {
		t.Errorf("deploy answers %d %s, want a version that is not deployed yet", deploy.status, deploy.raw)
	}
	b.advance(999 * time.Millisecond)
	expect(t, "bind while deploying", b.bind(sendPhoneMessage, id), 400, unbound)
	if got := b.actionState(id); got.Deployed != nil || got.AllChangesDeployed {
		t.Errorf("deployed too early: %+v", got)
	}
	b.advance(time.Millisecond)
	settled := b.must("GET", path, "").object(t)
	version, _ := settled["deployed_version"].(map[string]any)
	current, _ := settled["current_version"].(map[string]any)
	if version["deployed"] != true || version["number"] != 1.0 || current["status"] != "BUILT" || settled["all_changes_deployed"] != true {
		t.Errorf("after the deploy: %v", settled)
	}
	expect(t, "bind to another trigger", b.bind("post-login", id), 400, "Trying to create a binding between an incompatible action and trigger.")
	expect(t, "bind", b.bind(sendPhoneMessage, id), 200, `"display_name":"sms"`)

	changed := b.must("PATCH", path, `{"code":"new"}`)
	expect(t, "a change begins a build", changed, 200, `"status":"pending"`)
	expect(t, "a change is not deployed", changed, 200, `"all_changes_deployed":false,"code":"new"`)
	expect(t, "what runs is the old version", changed, 200, `"dependencies":[{"name":"aws-sdk","version":"2.1693.0"}],"deployed":true`)
	if got := b.actionState(id).Deployed; got == nil || got.Code != actionCode {
		t.Errorf("a draft that is not deployed changes what runs: %+v", got)
	}
}

func TestActionBuildFails(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createAction("sms", sendPhoneMessage, nil)
	b.deployAction(id)
	b.set(func(s *Switches) { s.BuildFails, s.BuildTime = true, Duration(30*time.Second) })
	path := "/actions/actions/" + id
	b.must("PATCH", path, `{"code":"broken"}`)
	b.set(func(s *Switches) { s.BuildFails = false })
	b.advance(29 * time.Second)
	expect(t, "not yet", b.must("GET", path, ""), 200, `"status":"building"`)
	b.advance(time.Second)
	failed := b.must("GET", path, "")
	expect(t, "failed", failed, 200, `"status":"failed"`)
	if strings.Contains(failed.raw, `"errors"`) {
		t.Errorf("the real API does not say why a build failed, this one does: %s", failed.raw)
	}
	expect(t, "deploy what failed", b.api("POST", path+"/deploy", ""), 400, "must be in the 'built' state")
	if got := b.actionState(id).Deployed; got == nil || got.Code != actionCode {
		t.Errorf("a failed build touched what runs: %+v", got)
	}
	b.must("PATCH", path, `{"code":"mended"}`)
	b.advance(30 * time.Second)
	expect(t, "the next build is a good one", b.api("POST", path+"/deploy", ""), 200, `"number":2`)
}

func TestActionCreatedWithDeploy(t *testing.T) {
	b := newBed(t, RateLimit{})
	created := b.must("POST", "/actions/actions", actionBody(b, "sms", sendPhoneMessage, map[string]any{"deploy": true}))
	version, _ := created.object(t)["deployed_version"].(map[string]any)
	if version["deployed"] != true || version["status"] != "pending" || created.object(t)["all_changes_deployed"] != true {
		t.Errorf("recorded is a version that is deployed and pending at once: %s", created.raw)
	}
	id := fmt.Sprint(created.object(t)["id"])
	expect(t, "bind before the build is done", b.bind(sendPhoneMessage, id), 400, "has not been deployed")
	b.advance(2 * time.Second)
	expect(t, "bind", b.bind(sendPhoneMessage, id), 200, id)
}

func TestActionSecrets(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createAction("sms", sendPhoneMessage, map[string]any{"secrets": []any{
		map[string]any{"name": "A", "value": "canary-1"}, map[string]any{"name": "B", "value": "canary-2"},
	}})
	path := "/actions/actions/" + id
	dates := func(a answer) []any {
		var dates []any
		secrets, _ := a.object(t)["secrets"].([]any)
		for _, s := range secrets {
			secret, _ := s.(map[string]any)
			if len(secret) != 2 {
				t.Errorf("a secret shows more than name and date: %v", secret)
			}
			dates = append(dates, secret["updated_at"])
		}
		return dates
	}
	before := dates(b.must("GET", path, ""))
	b.deployAction(id)
	kept := b.must("PATCH", path, `{"code":"x"}`)
	if diff := cmp.Diff(before, dates(kept)); diff != "" || len(before) != 2 {
		t.Errorf("a change without secrets touches them: %s", diff)
	}
	b.advance(time.Second)
	after := dates(b.must("PATCH", path, `{"secrets":[{"name":"A"},{"name":"C","value":"canary-3"}]}`))
	if len(after) != 2 || after[0] != after[1] || after[0] == before[0] {
		t.Errorf("dates %v after %v, want all of them new: that is how a rewrite is seen", after, before)
	}
	if got := b.tenant.SenderSecrets(id); got["A"] != "canary-1" || got["B"] != "canary-2" || len(got) != 2 {
		t.Errorf("secrets of what runs are %v before the deploy, want the old ones", got)
	}
	b.deployAction(id)
	if got := b.tenant.SenderSecrets(id); got["A"] != "canary-1" || got["C"] != "canary-3" || len(got) != 2 {
		t.Errorf("secrets of what runs are %v after the deploy, want the new list, whole", got)
	}
	for _, path := range []string{path, path + "/versions", "/actions/actions", "/logs"} {
		if a := b.must("GET", path, ""); strings.Contains(a.raw, "canary") {
			t.Errorf("GET %s shows a secret: %s", path, a.raw)
		}
	}
	if raw, err := json.Marshal(b.tenant.Snapshot()); err != nil || strings.Contains(string(raw), "canary") || !strings.Contains(string(raw), `"secret_names":["A","C"]`) {
		t.Errorf("snapshot %s, %v, want names and no values", raw, err)
	}
	b.must("PATCH", path, `{"secrets":[]}`)
	if got := b.actionState(id).Draft.SecretNames; len(got) != 0 {
		t.Errorf("an empty list leaves %v", got)
	}
	if got := b.tenant.SenderSecrets("nobody"); got != nil {
		t.Errorf("secrets of nobody: %v", got)
	}
	hook := b.createHook("sns", false)
	b.must("POST", "/hooks/"+hook+"/secrets", `{"A":"of-a-hook"}`)
	if got := b.tenant.SenderSecrets(hook); got["A"] != "of-a-hook" {
		t.Errorf("secrets of a hook: %v", got)
	}
}

func TestActionVersions(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createAction("sms", sendPhoneMessage, map[string]any{"secrets": []any{map[string]any{"name": "A", "value": "old"}}})
	path := "/actions/actions/" + id
	b.deployAction(id)
	b.must("PATCH", path, `{"code":"two","secrets":[{"name":"A","value":"new"}]}`)
	b.deployAction(id)

	list := b.must("GET", path+"/versions", "").object(t)
	versions, _ := list["versions"].([]any)
	if len(versions) != 2 || list["total"] != 2.0 || list["per_page"] != 20.0 || list["page"] != nil {
		t.Fatalf("versions: %v", list)
	}
	newest, _ := versions[0].(map[string]any)
	oldest, _ := versions[1].(map[string]any)
	if newest["deployed"] != true || newest["number"] != 2.0 || oldest["deployed"] != false || oldest["code"] != actionCode {
		t.Errorf("versions are %v and %v", newest, oldest)
	}
	one := fmt.Sprint(path, "/versions/", oldest["id"])
	expect(t, "one version", b.must("GET", one, ""), 200, `"number":1`)

	expect(t, "roll back", b.must("POST", one+"/deploy", ""), 200, `"deployed":false`)
	b.advance(time.Second)
	got := b.actionState(id)
	if got.Deployed.Number != 3 || got.Deployed.Code != actionCode || got.Draft.Code != "two" || got.AllChangesDeployed {
		t.Errorf("after a roll-back: %+v, want the old code as version 3 and the draft as it was", got)
	}
	if secrets := b.tenant.SenderSecrets(id); secrets["A"] != "old" {
		t.Errorf("a roll-back runs with secrets %v, want those of that version", secrets)
	}
	b.must("POST", one+"/deploy", `{"update_draft":true}`)
	b.advance(time.Second)
	if got := b.actionState(id); got.Draft.Code != actionCode || !got.AllChangesDeployed {
		t.Errorf("after a roll-back of the draft too: %+v", got)
	}
	for range 50 {
		b.must("POST", path+"/deploy", "")
	}
	if total := b.must("GET", path+"/versions", "").object(t)["total"]; total != 50.0 {
		t.Errorf("%v versions are kept, want 50", total)
	}
}

func TestActionListFilters(t *testing.T) {
	b := newBed(t, RateLimit{})
	first := b.createAction("first", sendPhoneMessage, nil)
	b.deployAction(first)
	b.createAction("second", "post-login", nil)
	for query, want := range map[string][]string{
		"":                              {"first", "second"},
		"?triggerId=send-phone-message": {"first"},
		"?actionName=second":            {"second"},
		"?deployed=true":                {"first"},
		"?deployed=false":               {"second"},
		"?installed=true":               {},
		"?installed=false&per_page=1":   {"first"},
		"?page=1&per_page=1":            {"second"},
		"?page=7":                       {},
	} {
		list := b.must("GET", "/actions/actions"+query, "").object(t)
		names := []string{}
		items, _ := list["actions"].([]any)
		for _, item := range items {
			object, _ := item.(map[string]any)
			names = append(names, fmt.Sprint(object["name"]))
		}
		if !slices.Equal(names, want) {
			t.Errorf("GET /actions/actions%s: %v, want %v", query, names, want)
		}
		if number, paged := list["page"]; paged != strings.Contains(query, "page=1&") && query != "?page=7" {
			t.Errorf("GET /actions/actions%s: page %v", query, number)
		}
	}
}

func TestCustomPhoneProviderIsOneActionOnly(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createAction("phone", customPhoneProvider, nil)
	const refusal = `{"statusCode":403,"error":"Forbidden","message":"custom-phone-provider can only have one supported Action","errorCode":"actions_cardinality_custom_phone_provider_not_allowed"}`
	expect(t, "a second one", b.api("POST", "/actions/actions", actionBody(b, "phone 2", customPhoneProvider, nil)), 403, refusal)
	b.must("PATCH", "/actions/actions/"+id, `{"supported_triggers":[{"id":"custom-phone-provider","version":"v1"}]}`)
	b.must("DELETE", "/actions/actions/"+id, "")
	b.createAction("phone 3", customPhoneProvider, nil)
}

func TestTwoActionsOfOneName(t *testing.T) {
	b := newBed(t, RateLimit{})
	b.set(func(s *Switches) { s.DuplicateActionNames = true })
	b.createAction("sms", sendPhoneMessage, nil)
	b.createAction("sms", sendPhoneMessage, nil)
	if got := b.must("GET", "/actions/actions?actionName=sms", "").object(t)["total"]; got != 2.0 {
		t.Errorf("%v Actions, want 2: nothing else shows a client that creates twice", got)
	}
}

func TestTenantHasRoomForAHundredActions(t *testing.T) {
	b := newBed(t, RateLimit{})
	for i := range 100 {
		b.createAction(fmt.Sprint("a", i), sendPhoneMessage, nil)
	}
	expect(t, "the 101st", b.api("POST", "/actions/actions", actionBody(b, "one more", sendPhoneMessage, nil)), 403, "limit of actions")
}

func TestBindingsAreReplacedAsAWhole(t *testing.T) {
	b := newBed(t, RateLimit{})
	theirs, ours := b.createAction("theirs", "post-login", nil), b.createAction("ours", sendPhoneMessage, nil)
	other := b.createAction("other", sendPhoneMessage, nil)
	for _, id := range []string{theirs, ours, other} {
		b.deployAction(id)
	}
	expect(t, "another trigger's", b.bind("post-login", theirs), 200, theirs)
	first := b.bind(sendPhoneMessage, other).object(t)
	const path = "/actions/triggers/send-phone-message/bindings"
	byID := func(list map[string]any) string {
		items, _ := list["bindings"].([]any)
		item, _ := items[0].(map[string]any)
		return fmt.Sprint(item["id"])
	}
	second := b.must("PATCH", path, `{"bindings":[{"ref":{"type":"binding_id","value":"`+byID(first)+`"},"display_name":"Other"},{"ref":{"type":"action_name","value":"ours"},"display_name":"Ours"}]}`)
	if byID(first) == byID(second.object(t)) {
		t.Errorf("a binding kept its id %s over a write, which none does at Auth0", byID(first))
	}
	want := map[string][]BindingState{
		"post-login":     {{theirs, "theirs"}},
		sendPhoneMessage: {{other, "Other"}, {ours, "Ours"}},
	}
	if diff := cmp.Diff(want, b.tenant.Snapshot().Bindings); diff != "" {
		t.Errorf("bindings (-want +got):\n%s", diff)
	}
	list := b.must("GET", path+"?per_page=1&page=1", "")
	expect(t, "page", list, 200, `"display_name":"Ours"`)
	if o := list.object(t); o["total"] != 2.0 || o["per_page"] != 1.0 || o["page"] != 1.0 {
		t.Errorf("page: %s", list.raw)
	}
	expect(t, "in part wrong", b.bind(sendPhoneMessage, ours, theirs), 400, "incompatible action and trigger")
	expect(t, "a bound Action keeps its trigger", b.api("PATCH", "/actions/actions/"+ours, `{"supported_triggers":[{"id":"post-login"}],"runtime":"node22"}`), 400, "can't upgrade to this trigger.")
	expect(t, "a bound Action stays", b.api("DELETE", "/actions/actions/"+ours, ""), 409, `{"statusCode":409,"error":"Conflict","message":"Unable to delete an action bound to a trigger."}`)
	if diff := cmp.Diff(want, b.tenant.Snapshot().Bindings); diff != "" {
		t.Errorf("a refused write changed bindings (-want +got):\n%s", diff)
	}
	b.must("DELETE", "/actions/actions/"+ours+"?force=true", "")
	b.must("PATCH", path, `{"bindings":[]}`)
	if diff := cmp.Diff(map[string][]BindingState{"post-login": {{theirs, "theirs"}}}, b.tenant.Snapshot().Bindings); diff != "" {
		t.Errorf("bindings after the removal (-want +got):\n%s", diff)
	}
	expect(t, "delete what is not bound", b.api("DELETE", "/actions/actions/"+other, ""), 204, "")
	b.must("PATCH", "/actions/triggers/post-change-password/bindings", `{"bindings":[]}`)
}

func TestActionTestRunsTheDraft(t *testing.T) {
	b := newBed(t, RateLimit{})
	id := b.createAction("sms", sendPhoneMessage, map[string]any{"secrets": []any{map[string]any{"name": "A", "value": "x"}}})
	b.deployAction(id)
	b.must("PATCH", "/actions/actions/"+id, `{"code":"draft"}`)
	b.runner.result = Result{Error: &RunError{Name: "TypeError", Message: "no"}, Duration: 5 * time.Millisecond}
	a := b.must("POST", "/actions/actions/"+id+"/test", `{"payload":{"event":{"message_options":{"recipient":"+15005550001"}}}}`)
	expect(t, "what the code throws is in a good answer", a, 200, `"error":{"message":"no","name":"TypeError","stack":"TypeError: no"}`)
	want := []Job{{
		Kind: KindAction, Script: "draft", Dependencies: map[string]string{}, Secrets: map[string]string{"A": "x"},
		Handler: "onExecuteSendPhoneMessage", Timeout: 20 * time.Second,
		Event: map[string]any{
			"message_options": map[string]any{"recipient": "+15005550001"},
			"secrets":         map[string]string{"A": "x"},
		},
	}}
	if diff := cmp.Diff(want, b.runner.jobs); diff != "" {
		t.Errorf("what was run (-want +got):\n%s", diff)
	}
}
