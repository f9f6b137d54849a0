package review

import (
	"fmt"
	"io"
	"strings"
)

// MaxMarkdownBytes keeps the text below what GitHub takes as a comment, 65,536
// characters; GitLab takes more.
const MaxMarkdownBytes = 60_000

// Markdown writes findings as a comment for a pull request. What comes from the
// plan is text there: it can name nobody, link to nothing and open no element.
func Markdown(w io.Writer, findings []Finding) error {
	var b strings.Builder
	fmt.Fprintf(&b, "### SMS codes: %s\n", Summary(findings))
	omitted := 0
	for i, f := range findings {
		text := f.markdown()
		if b.Len()+len(text) > MaxMarkdownBytes && f.Diff != "" {
			f.Diff, omitted = "", omitted+1
			text = f.markdown()
		}
		if b.Len()+len(text) > MaxMarkdownBytes {
			fmt.Fprintf(&b, "\n%d more findings do not fit here.\n", len(findings)-i)
			break
		}
		b.WriteString(text)
	}
	if omitted > 0 {
		fmt.Fprintf(&b, "\n%d diffs do not fit here: `auth0sns review` shows them.\n", omitted)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (f Finding) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n**%s** %s\n\n", f.Severity, escaped(f.Message))
	fmt.Fprintf(&b, "%s %s%s\n", codeSpan(f.ID), codeSpanOf(f.Address), escaped(f.at()))
	if f.Detail != "" {
		fmt.Fprintf(&b, "\n%s\n", escaped(f.Detail))
	}
	if f.Diff != "" {
		fence := strings.Repeat("`", max(3, longestRun(f.Diff)+1))
		fmt.Fprintf(&b, "\n<details><summary>diff</summary>\n\n%sdiff\n%s\n%s\n\n</details>\n", fence, strings.TrimSuffix(printable(f.Diff), "\n"), fence)
	}
	return b.String()
}

// asText escapes what Markdown, and GitHub's and GitLab's additions to it, would
// take for more than text. Behind @, # and the like goes a space without a width:
// neither a backslash nor an entity keeps these from seeing a name or a number.
var asText = strings.NewReplacer(
	"<", "&lt;", ">", "&gt;", "&", "&amp;&#8203;",
	"@", "@&#8203;", "#", "#&#8203;", "!", "!&#8203;", "$", "$&#8203;", "%", "%&#8203;", "~", "~&#8203;",
	"://", ":&#8203;//", "www.", "www&#8203;.",
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "|", `\|`,
)

func escaped(s string) string { return asText.Replace(oneLine(s)) }

func codeSpanOf(s string) string {
	if s == "" {
		return ""
	}
	return codeSpan(s)
}

// codeSpan is a text in which Markdown sees nothing.
func codeSpan(s string) string {
	s = oneLine(s)
	fence := strings.Repeat("`", longestRun(s)+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// longestRun is the length of the longest run of backticks.
func longestRun(s string) int {
	longest, run := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return longest
}

// printable is oneLine for many.
func printable(s string) string {
	var b strings.Builder
	for line := range strings.Lines(s) {
		text, newline := strings.CutSuffix(line, "\n")
		b.WriteString(oneLine(text))
		if newline {
			b.WriteByte('\n')
		}
	}
	return b.String()
}
