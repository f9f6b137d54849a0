package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

const (
	mib = 1 << 20 // memory
	mb  = 1e6     // files, as download pages count them
)

// metric is one row of the table.
type metric struct {
	name   string
	format string // of its values
	of     func(*subject) float64
	limit  *limit
}

// limit is what the project promises of a metric of ours.
type limit struct {
	text string
	met  func(ours, floor float64) bool
}

func metrics() []metric {
	return []metric{
		{
			"no-op plan, s", "%.2f", over(func(r run) float64 { return r.noop.wall.Seconds() }),
			&limit{"at most 2.0 × floor", func(ours, floor float64) bool { return ours <= 2*floor }},
		},
		{"apply, s", "%.2f", over(func(r run) float64 { return r.apply.wall.Seconds() }), nil},
		{"destroy, s", "%.2f", over(func(r run) float64 { return r.destroy.wall.Seconds() }), nil},
		{
			"requests of a no-op plan", "%.0f", over(func(r run) float64 { return float64(r.noop.requests) }),
			&limit{"at most 10", func(ours, _ float64) bool { return ours <= 10 }},
		},
		{"requests of an apply", "%.0f", over(func(r run) float64 { return float64(r.apply.requests) }), nil},
		{"requests of a destroy", "%.0f", over(func(r run) float64 { return float64(r.destroy.requests) }), nil},
		{
			"providers, resident peak (VmHWM), MiB", "%.1f", peak(func(m memory) int64 { return m.resident }),
			&limit{"at most 40", func(ours, _ float64) bool { return ours <= 40 }},
		},
		{"providers, anonymous peak (RssAnon), MiB", "%.1f", peak(func(m memory) int64 { return m.anonymous }), nil},
		{"Terraform itself, resident peak (VmHWM), MiB", "%.1f", peak(func(m memory) int64 { return m.terraform }), nil},
		{
			"provider binaries (-s -w -trimpath), MB", "%.1f", func(s *subject) float64 { return float64(s.size) / mb },
			// 30 until the command line drove Terraform: its libraries for that take 2 MB, those of SNS and CloudWatch half of one.
			&limit{"under 36", func(ours, _ float64) bool { return ours < 36 }},
		},
	}
}

// over is the median of a number over a subject's runs.
func over(of func(run) float64) func(*subject) float64 {
	return func(s *subject) float64 {
		values := make([]float64, 0, len(s.runs))
		for _, r := range s.runs {
			values = append(values, of(r))
		}
		return median(values)
	}
}

// peak is the median over runs of the highest of the run's phases, in MiB.
func peak(of func(memory) int64) func(*subject) float64 {
	return over(func(r run) float64 {
		return float64(max(of(r.apply.memory), of(r.noop.memory), of(r.destroy.memory))) / mib
	})
}

// median is 0 where there is no value.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	middle := len(values) / 2
	if len(values)%2 == 1 {
		return values[middle]
	}
	return (values[middle-1] + values[middle]) / 2
}

// report prints the table and says whether a limit was missed.
func report(out io.Writer, subjects []*subject) (missed bool) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	names := make([]string, 0, len(subjects))
	for _, s := range subjects {
		names = append(names, s.name)
	}
	fmt.Fprintf(table, "\t%s\t÷ floor\tlimit\n", strings.Join(names, "\t"))
	for _, m := range metrics() {
		values := map[string]float64{}
		cells := make([]string, 0, len(subjects))
		for _, s := range subjects {
			values[s.name] = m.of(s)
			cells = append(cells, fmt.Sprintf(m.format, values[s.name]))
		}
		ratio := "–"
		if values[floor] > 0 {
			ratio = fmt.Sprintf("%.2f", values[ours]/values[floor])
		}
		verdict := ""
		if m.limit != nil {
			verdict = m.limit.text + ": ok"
			if !m.limit.met(values[ours], values[floor]) {
				verdict, missed = m.limit.text+": MISSED", true
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", m.name, strings.Join(cells, "\t"), ratio, verdict)
	}
	_ = table.Flush()
	return missed
}
