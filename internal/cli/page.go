package cli

import (
	"fmt"
	"io"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/textwrap"
)

// pageWidth is where running text ends: half of a screen that is split.
const pageWidth = 60

// page writes a result for a person.
type page struct{ io.Writer }

func (p page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p page) heading(text string) {
	p.line("")
	p.paragraph("", text)
}

// paragraph wraps a text, each line after an indent. A word is never broken.
func (p page) paragraph(indent, text string) {
	for _, line := range textwrap.Lines(text, pageWidth-len(indent)) {
		p.line("%s%s", indent, line)
	}
}

// hanging wraps a text after a label, with its further lines beneath the text.
func (p page) hanging(label, text string) {
	for n, line := range textwrap.Lines(text, pageWidth-len(label)) {
		if n > 0 {
			label = fmt.Sprintf("%*s", len(label), "")
		}
		p.line("%s%s", label, line)
	}
}
