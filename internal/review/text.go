package review

import (
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/textwrap"
)

// Text writes findings for a terminal, by severity.
func Text(w io.Writer, findings []Finding) error {
	var b strings.Builder
	b.WriteString(Summary(findings) + "\n")
	for _, s := range Severities() {
		of := ofSeverity(findings, s)
		if len(of) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", strings.ToUpper(s.String()))
		for _, f := range of {
			wrap(&b, "  ", f.Message)
			b.WriteString("    " + strings.TrimSpace(f.ID+"  "+oneLine(f.Address)+f.at()) + "\n")
			wrap(&b, "    ", f.Detail)
			for line := range strings.Lines(f.Diff) {
				b.WriteString("      " + oneLine(strings.TrimSuffix(line, "\n")) + "\n")
			}
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// textWidth is where sentences end: half of a screen that is split. Addresses and
// code are longer as they are.
const textWidth = 60

// wrap writes a text between words, each line behind an indent.
func wrap(b *strings.Builder, indent, text string) {
	for _, line := range textwrap.Lines(oneLine(text), textWidth-len(indent)) {
		b.WriteString(indent + line + "\n")
	}
}

// Summary counts findings in a sentence without a full stop.
func Summary(findings []Finding) string {
	if len(findings) == 0 {
		return "Nothing in this plan puts people's codes at risk"
	}
	var counts []string
	for _, s := range Severities() {
		if n := len(ofSeverity(findings, s)); n > 0 {
			counts = append(counts, fmt.Sprintf("%d %s", n, s))
		}
	}
	noun := "findings"
	if len(findings) == 1 {
		noun = "finding"
	}
	return fmt.Sprintf("%d %s: %s", len(findings), noun, strings.Join(counts, ", "))
}

func ofSeverity(findings []Finding, s Severity) []Finding {
	var of []Finding
	for _, f := range findings {
		if f.Severity == s {
			of = append(of, f)
		}
	}
	return of
}

// at is the position for a person, with a space in front.
func (f Finding) at() string {
	if f.Position == nil {
		return ""
	}
	return fmt.Sprintf(" (%s:%d)", f.Position.File, f.Position.Line)
}

// oneLine keeps what a plan holds from steering a terminal: keys of for_each and
// texts are whatever somebody wrote.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || !unicode.IsControl(r) && !unicode.Is(unicode.Cf, r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
