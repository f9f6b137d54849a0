package workspace

import (
	"bytes"
	"cmp"
	"encoding/json"

	tfjson "github.com/hashicorp/terraform-json"
)

// Event is one thing that happens while Terraform works, a line of its output.
// https://developer.hashicorp.com/terraform/internals/machine-readable-ui
type Event struct {
	// Kind is Terraform's own name: refresh_start, refresh_complete,
	// planned_change, resource_drift, apply_start, apply_progress,
	// apply_complete, apply_errored, change_summary, diagnostic, log, …
	Kind    string
	Address string // of the resource, where it is about one
	Message string // for a person
	// Diagnostic is a warning or an error; nil for other kinds.
	Diagnostic *tfjson.Diagnostic
}

// eventWriter takes Terraform's output apart.
type eventWriter struct {
	progress func(Event)
	partial  []byte
	errors   []tfjson.Diagnostic
	other    bytes.Buffer // what is no event
}

func (w *eventWriter) Write(p []byte) (int, error) {
	w.partial = append(w.partial, p...)
	for {
		line, rest, ok := bytes.Cut(w.partial, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		w.line(line)
		w.partial = rest
	}
}

// flush takes what came without an end of line.
func (w *eventWriter) flush() {
	if len(w.partial) > 0 {
		w.line(w.partial)
		w.partial = nil
	}
}

func (w *eventWriter) line(line []byte) {
	type resource struct {
		Addr string `json:"addr"`
	}
	var message struct {
		Type       string                      `json:"type"`
		Message    string                      `json:"@message"`
		Diagnostic *tfjson.Diagnostic          `json:"diagnostic"`
		Change     struct{ Resource resource } `json:"change"`
		Hook       struct{ Resource resource } `json:"hook"`
	}
	if json.Unmarshal(line, &message) != nil || message.Type == "" {
		w.other.Write(append(line, '\n'))
		return
	}
	event := Event{
		Kind:       message.Type,
		Address:    cmp.Or(message.Change.Resource.Addr, message.Hook.Resource.Addr),
		Message:    message.Message,
		Diagnostic: message.Diagnostic,
	}
	if d := message.Diagnostic; d != nil {
		event.Address = cmp.Or(event.Address, d.Address)
		if d.Severity == tfjson.DiagnosticSeverityError {
			w.errors = append(w.errors, *d)
		}
	}
	w.progress(event)
}
