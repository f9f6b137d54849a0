package cli

import (
	"fmt"
	"io"
	"strings"
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
	for _, line := range wrapWords(text, pageWidth-len(indent)) {
		p.line("%s%s", indent, line)
	}
}

// wrapWords breaks a text into lines of at most width characters; a longer word
// is a line of its own.
func wrapWords(text string, width int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last >= 0 && len([]rune(lines[last]))+1+len([]rune(word)) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
