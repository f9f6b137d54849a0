// Package textwrap breaks running text into lines.
package textwrap

import (
	"strings"
	"unicode/utf8"
)

// Lines are those of a text, of at most width characters each. Blanks of any kind
// count as one; a word is never broken, and a longer one is a line of its own.
func Lines(text string, width int) []string {
	var lines []string
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last >= 0 && utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) <= width {
			lines[last] += " " + word
		} else {
			lines = append(lines, word)
		}
	}
	return lines
}
