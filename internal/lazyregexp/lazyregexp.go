// Package lazyregexp has regular expressions that are compiled when they are
// first used. Terraform starts the provider several times for each command, and
// most of the binary's expressions serve only the command line.
package lazyregexp

import (
	"regexp"
	"sync"
)

// Regexp is an expression in source that is known to compile, as tests show by
// using it. It is safe for concurrent use.
type Regexp struct {
	compiled func() *regexp.Regexp
}

// New returns an expression that panics at its first use if it does not compile.
func New(expression string) *Regexp {
	return &Regexp{sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })}
}

// MatchString is that of [regexp.Regexp].
func (r *Regexp) MatchString(s string) bool { return r.compiled().MatchString(s) }

// FindStringSubmatch is that of [regexp.Regexp].
func (r *Regexp) FindStringSubmatch(s string) []string { return r.compiled().FindStringSubmatch(s) }

// ReplaceAllString is that of [regexp.Regexp].
func (r *Regexp) ReplaceAllString(s, replacement string) string {
	return r.compiled().ReplaceAllString(s, replacement)
}

// FindSubmatch is that of [regexp.Regexp].
func (r *Regexp) FindSubmatch(b []byte) [][]byte { return r.compiled().FindSubmatch(b) }
