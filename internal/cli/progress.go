package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"
	"golang.org/x/term"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// display shows what Terraform is doing: a line for each resource that is done
// and, on a terminal, one live line beneath them for what is under way.
type display struct {
	w     io.Writer
	width int // of the terminal; 0 for no live line
	drawn bool
	drift map[string]workspace.Event // what was changed outside Terraform, by address, until the plan acts on it
}

func newDisplay(stderr io.Writer, environment config.Lookup) *display {
	d := &display{w: stderr, drift: map[string]workspace.Event{}}
	file, ok := stderr.(*os.File)
	if !ok || slices.Contains([]string{"", "dumb"}, environment("TERM")) {
		return d
	}
	if width, _, err := term.GetSize(int(file.Fd())); err == nil { //nolint:gosec // A file descriptor is an int.
		d.width = width
	}
	return d
}

// eraseLine goes to the start of the line and empties it.
const eraseLine = "\r\x1b[K"

// planning shows a line of the stream of terraform plan, and applying one of
// terraform apply, which says again what was planned. The types are those of
// https://developer.hashicorp.com/terraform/internals/machine-readable-ui.
// Errors are not shown: they end the command, which tells them in full.
func (d *display) planning(e workspace.Event) {
	switch e.Kind {
	case "refresh_start":
		d.live(e)
	case "resource_drift":
		// Terraform calls it drift, too, when an attribute that only it computes has
		// moved on. What matters is what the plan, which comes after it, acts on.
		d.drift[e.Address] = e
	case "planned_change":
		if drift, ok := d.drift[e.Address]; ok {
			d.line(drift)
		}
		d.line(e)
	case "diagnostic":
		if e.Diagnostic != nil && e.Diagnostic.Severity == tfjson.DiagnosticSeverityWarning {
			d.clear()
			page{d.w}.paragraph("  ", "Warning: "+e.Diagnostic.Summary+". "+e.Diagnostic.Detail)
		}
	}
}

func (d *display) applying(e workspace.Event) {
	switch e.Kind {
	case "apply_start", "apply_progress":
		d.live(e)
	case "apply_complete", "apply_errored":
		d.line(e)
	}
}

// modulePrefix is the part of every address that says nothing to a reader.
const modulePrefix = "module.sms_mfa."

func (d *display) line(e workspace.Event) {
	d.clear()
	fmt.Fprintln(d.w, lineOf(e))
}

func lineOf(e workspace.Event) string {
	return "  " + strings.ReplaceAll(e.Message, modulePrefix, "")
}

func (d *display) live(e workspace.Event) {
	if d.width == 0 {
		return
	}
	text := lineOf(e)
	if runes := []rune(text); len(runes) >= d.width { // A line that wraps could not be taken back.
		text = string(runes[:max(d.width-2, 0)]) + "…"
	}
	fmt.Fprint(d.w, eraseLine+text)
	d.drawn = true
}

// clear takes the live line away, for others to write.
func (d *display) clear() {
	if d.drawn {
		fmt.Fprint(d.w, eraseLine)
		d.drawn = false
	}
}
