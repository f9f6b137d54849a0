package acctest

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

// Result is how one cell ended. It is written as JSON from one process to
// another.
type Result struct {
	Phase, Class, Cell string
	// Reached is false where the request was not made this time, so that nothing
	// went wrong.
	Reached bool
	// Killed is true where a process was killed, rather than a request answered badly.
	Killed bool
	// Said are the errors and warnings of the struck command.
	Said string
	// Found is what the plan after a SIGKILL said.
	Found string
	// Forgot is what the destroy that followed could not give back, because a
	// create ended in the middle, before anything could remember it.
	Forgot string
	// Problems are the promises that were not kept; none for a good cell.
	Problems []string
}

// Report is the table of a run.
type Report struct{ Results []Result }

// Failed are the cells that did not end as promised.
func (r Report) Failed() []Result {
	return slices.DeleteFunc(slices.Clone(r.Results), func(result Result) bool { return len(result.Problems) == 0 })
}

// Unreached counts cells whose request was not made.
func (r Report) Unreached() int {
	return len(r.Results) - len(slices.DeleteFunc(slices.Clone(r.Results), func(result Result) bool { return !result.Reached }))
}

// String is the table, a line for each class and a column for each phase, each
// with "cells/failures"; then every kind of failure with its cells, and what
// people are told after a SIGKILL.
func (r Report) String() string {
	var text strings.Builder
	table := tabwriter.NewWriter(&text, 0, 0, 2, ' ', tabwriter.AlignRight)
	phases := distinct(r.Results, func(result Result) string { return result.Phase })
	fmt.Fprintf(table, "cells/failures\t%s\tall\t\n", strings.Join(phases, "\t"))
	classes := distinct(r.Results, func(result Result) string { return result.Class })
	slices.Sort(classes)
	for _, class := range append(classes, "") {
		name := class
		if class == "" {
			name = "all"
		}
		fmt.Fprintf(table, "%s\t", name)
		for _, phase := range append(slices.Clone(phases), "") {
			fmt.Fprintf(table, "%s\t", r.count(class, phase))
		}
		fmt.Fprintln(table)
	}
	_ = table.Flush() // A strings.Builder never fails.
	fmt.Fprintf(&text, "\n%d cells, %d not reached, %d failed.\n", len(r.Results), r.Unreached(), len(r.Failed()))
	for _, g := range kinds(r.Failed(), func(result Result) string { return result.Problems[0] }) {
		text.WriteString(g.failure())
	}
	forgot := slices.DeleteFunc(slices.Clone(r.Results), func(result Result) bool { return result.Forgot == "" })
	for _, g := range kinds(forgot, func(result Result) string { return result.Forgot }) {
		fmt.Fprintf(&text, "\n%d × known exception: %s\n  such as after %s\n", len(g.results), g.kind, g.results[0].Cell)
	}
	killed := slices.DeleteFunc(slices.Clone(r.Results), func(result Result) bool { return !result.Killed || !result.Reached })
	for _, g := range kinds(killed, func(result Result) string { return cmp.Or(result.Found, "nothing") }) {
		fmt.Fprintf(&text, "\n%d × the plan after a SIGKILL said: %s\n  such as after %s\n", len(g.results), g.kind, g.results[0].Cell)
	}
	return text.String()
}

// count is one field of the table; "" stands for every class and every phase.
func (r Report) count(class, phase string) string {
	var cells, failures int
	for _, result := range r.Results {
		if class != "" && result.Class != class || phase != "" && result.Phase != phase {
			continue
		}
		cells++
		if len(result.Problems) > 0 {
			failures++
		}
	}
	switch {
	case cells == 0:
		return ""
	case failures == 0:
		return fmt.Sprintf("%d/0", cells)
	default:
		return fmt.Sprintf("%d/%d!", cells, failures)
	}
}

// kindred are results that read the same but for ids.
type kindred struct {
	kind    string
	results []Result
}

// kinds puts together what reads the same but for ids, the largest group first.
func kinds(results []Result, text func(Result) string) []kindred {
	var groups []kindred
	for _, result := range results {
		kind := kindOf(text(result))
		i := slices.IndexFunc(groups, func(g kindred) bool { return g.kind == kind })
		if i < 0 {
			groups = append(groups, kindred{kind: kind})
			i = len(groups) - 1
		}
		groups[i].results = append(groups[i].results, result)
	}
	slices.SortStableFunc(groups, func(a, b kindred) int { return cmp.Compare(len(b.results), len(a.results)) })
	return groups
}

// anyID is what differs between two failures of the same kind.
var anyID = regexp.MustCompile(`(?:pro|tem)_\w+|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[A-Z0-9]{16,26}\b|127\.0\.0\.1:\d+|"[^"]*"|\d+`)

func kindOf(text string) string {
	kind, _, _ := strings.Cut(anyID.ReplaceAllString(text, "…"), "\n")
	return fmt.Sprintf("%.160s", kind)
}

// failure names all cells of a group and tells one of them whole.
func (g kindred) failure() string {
	var text strings.Builder
	example := g.results[0]
	fmt.Fprintf(&text, "\n── %d × %s\n", len(g.results), g.kind)
	for _, result := range g.results {
		fmt.Fprintf(&text, "  %s\n", result.Cell)
	}
	fmt.Fprintf(&text, "In %s the struck command said:\n%s\n", example.Cell, indent(cmp.Or(example.Said, "nothing, it succeeded")))
	if example.Found != "" {
		fmt.Fprintf(&text, "The plan after it:\n%s\n", indent(example.Found))
	}
	fmt.Fprintf(&text, "Not as promised:\n%s\n", indent(strings.Join(example.Problems, "\n")))
	return text.String()
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n    ")
}

// distinct are the values of a field in the order in which they come.
func distinct(results []Result, field func(Result) string) []string {
	var values []string
	for _, result := range results {
		if value := field(result); !slices.Contains(values, value) {
			values = append(values, value)
		}
	}
	return values
}
