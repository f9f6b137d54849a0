package auth0

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"time"
)

// executionsKept is how long Auth0 keeps the record of an execution.
const executionsKept = 10 * 24 * time.Hour

// execution is one run of a trigger's flow.
type execution struct {
	id, trigger string
	results     []executionResult
	at          time.Time
}

type executionResult struct {
	action     string
	err        *RunError
	verdict    *Verdict
	start, end time.Time
}

func (e execution) view() map[string]any {
	var results []map[string]any
	for _, r := range e.results {
		view := map[string]any{"action_name": r.action, "started_at": actionTime(r.start), "ended_at": actionTime(r.end)}
		if r.err != nil {
			view["error"] = map[string]any{"id": cmp.Or(r.err.Code, r.err.Name), "msg": r.err.Message}
		}
		results = append(results, view)
	}
	return map[string]any{
		"id": e.id, "trigger_id": e.trigger, "status": "final", "results": results,
		"created_at": actionTime(e.at), "updated_at": actionTime(e.at),
	}
}

// addExecution records a run and returns its id, which as recorded is base64
// that ends with the day.
func (t *Tenant) addExecution(trigger string, results []executionResult) string {
	now := t.config.Now()
	id := base64.RawURLEncoding.EncodeToString(append(randomBytes(16), now.UTC().Format("20060102")...))
	t.state.executions = append(t.state.executions, execution{id: id, trigger: trigger, results: results, at: now})
	return id
}

func (t *Tenant) readExecution(c *call) (reply, error) {
	for _, e := range t.state.executions {
		if e.id == c.id() && t.config.Now().Sub(e.at) < executionsKept {
			return reply{http.StatusOK, e.view()}, nil
		}
	}
	return reply{}, refuse(http.StatusNotFound, "That execution does not exist.", "")
}

func actionTestSchema() *schema {
	return &schema{kind: "object", required: []string{"payload"}, properties: map[string]*schema{
		"payload": {kind: "object", values: &schema{}},
	}}
}

// testAction runs the draft with the event of the request. What the code throws
// is part of a good answer. The lock is free meanwhile, as in Challenge.
func (t *Tenant) testAction(c *call) (reply, error) {
	a, err := t.action(c.id())
	if err != nil {
		return reply{}, err
	}
	if t.config.Runner == nil {
		return reply{}, errNoRunner
	}
	payload, _ := c.object()["payload"].(map[string]any)
	event, _ := payload["event"].(map[string]any)
	job := a.draft.job(event)
	t.mu.Unlock()
	ran, err := t.config.Runner.Run(c.request.Context(), job)
	t.mu.Lock()
	if err != nil {
		return reply{}, err
	}
	ms := ran.Duration.Milliseconds()
	result := map[string]any{"stats": map[string]any{
		"total_request_duration_ms": ms, "total_runtime_execution_duration_ms": ms, "action_duration_ms": ms,
		"runtime_processing_duration_ms": 0, "runtime_external_call_duration_ms": 0, "boot_duration_ms": 0, "network_duration_ms": 0,
	}}
	if e := ran.Error; e != nil {
		result["error"] = map[string]any{"name": e.Name, "message": e.Message, "stack": e.Name + ": " + e.Message}
	}
	return reply{http.StatusOK, map[string]any{"payload": result}}, nil
}

// job runs content with an event, to which its secrets are added.
func (c *actionContent) job(event map[string]any) Job {
	full := cloneJSON(event)
	full["secrets"] = c.secretValues()
	return Job{
		Kind: KindAction, Script: c.code, Dependencies: c.packages(), Secrets: c.secretValues(),
		Handler: c.trigger.triggerType().handler, Event: full, Timeout: runTimeout,
	}
}
