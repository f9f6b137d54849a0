package main

import (
	"strings"
	"testing"
	"time"
)

func TestMissedLimitIsSaidAndCounted(t *testing.T) {
	with := func(name string, noop time.Duration, requests int, resident, size int64) *subject {
		r := run{
			apply: sample{memory: memory{resident: resident}},
			noop:  sample{wall: noop, requests: requests},
		}
		return &subject{name: name, size: size, runs: []run{{}, r, r}}
	}
	base := with(floor, 100*time.Millisecond, 0, 30*mib, 23*mb)

	for name, test := range map[string]struct {
		ours   *subject
		missed string
	}{
		"all met":           {with(ours, 200*time.Millisecond, 10, 40*mib, 35.9*mb), ""},
		"slow plan":         {with(ours, 201*time.Millisecond, 10, 40*mib, 35.9*mb), "no-op plan, s"},
		"chatty plan":       {with(ours, 200*time.Millisecond, 11, 40*mib, 35.9*mb), "requests of a no-op plan"},
		"large in memory":   {with(ours, 200*time.Millisecond, 10, 41*mib, 35.9*mb), "providers, resident peak"},
		"large to download": {with(ours, 200*time.Millisecond, 10, 40*mib, 36*mb), "provider binaries"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			missed := report(&out, []*subject{base, test.ours})
			if missed != (test.missed != "") {
				t.Errorf("report says missed = %t; `make bench` would exit wrongly", missed)
			}
			for line := range strings.Lines(out.String()) {
				expected := test.missed != "" && strings.HasPrefix(line, test.missed)
				if marked := strings.Contains(line, "MISSED"); marked != expected {
					t.Errorf("marked = %t, want %t: %s", marked, expected, line)
				}
			}
		})
	}
}

func TestClientThatIsNoFasterIsSaidAndCounted(t *testing.T) {
	with := func(name string, limit bool, milliseconds float64) *starter {
		return &starter{name: name, limit: limit, starts: []start{{Milliseconds: 1e9}, {Milliseconds: milliseconds}, {}}}
	}
	for name, test := range map[string]struct {
		guide, v3 float64
		missed    string
	}{
		"both slower":      {200, 250, ""},
		"guide nearly":     {199, 250, "guide"},
		"v3 has caught up": {800, 100, "v3"},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			missed := reportColdStart(&out, []*starter{
				with("builtin", false, 100), with("part", false, 110), with("guide", true, test.guide), with("v3", true, test.v3),
			})
			if missed != (test.missed != "") {
				t.Errorf("report says missed = %t; `make bench` would exit wrongly", missed)
			}
			for line := range strings.Lines(out.String()) {
				expected := test.missed != "" && strings.HasPrefix(line, test.missed)
				if marked := strings.Contains(line, "MISSED"); marked != expected {
					t.Errorf("marked = %t, want %t: %s", marked, expected, line)
				}
			}
		})
	}
}
