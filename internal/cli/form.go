package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"golang.org/x/term"
)

// terminal is where a person can be asked, line by line: it works on a terminal
// of any width, with a screen reader, in an editor's shell. It is the controlling
// terminal, so that what is asked is seen while stdout and stderr go to files.
type terminal struct {
	in, out *os.File
	lines   *bufio.Reader
}

// openTerminal returns nil where nobody can be asked: stdin is a pipe, a file or
// CI's. The caller closes it.
func openTerminal(stdin io.Reader) *terminal {
	in, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) { //nolint:gosec // A file descriptor is an int.
		return nil
	}
	t := &terminal{in: in, out: os.Stderr}
	if tty, err := os.OpenFile("/dev/tty", os.O_RDWR, 0); err == nil { // Windows has none.
		t.in, t.out = tty, tty
	}
	t.lines = bufio.NewReader(t.in)
	return t
}

func (t *terminal) close() {
	if t != nil && t.out != os.Stderr {
		_ = t.out.Close()
	}
}

// question is one thing to ask.
type question struct {
	title string // "AWS region"
	help  string // what to know before answering, a line or two; may be empty
	// options are the only answers; none means any text.
	options []string
	secret  bool
	// value holds what is proposed and gets the answer.
	value *string
	// check refuses an answer with a reason; nil takes any.
	check func(string) error
}

func (q question) verify(answer string) error {
	if len(q.options) > 0 && !slices.Contains(q.options, answer) {
		return fmt.Errorf("want one of %s", strings.Join(q.options, ", "))
	}
	if q.check != nil {
		return q.check(answer)
	}
	return nil
}

// required is the check of a question that has to be answered.
func required(answer string) error {
	if answer == "" {
		return errors.New("this is needed")
	}
	return nil
}

// ask asks one question after the other.
func (t *terminal) ask(ctx context.Context, questions ...question) error {
	for _, q := range questions {
		if err := t.askOne(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

// confirm asks a question whose answer is no, unless somebody says yes.
func (t *terminal) confirm(ctx context.Context, title string) (bool, error) {
	answer := "no"
	err := t.ask(ctx, question{title: title, options: []string{"no", "yes"}, value: &answer})
	return answer == "yes", err
}

func (t *terminal) askOne(ctx context.Context, q question) error {
	if q.help != "" {
		fmt.Fprintln(t.out, q.help)
	}
	for {
		fmt.Fprint(t.out, prompt(q))
		answer, err := t.read(ctx, q.secret)
		if err != nil {
			return err
		}
		answer = complete(q.options, cmp.Or(answer, *q.value))
		err = q.verify(answer)
		if err == nil {
			*q.value = answer
			return nil
		}
		fmt.Fprintf(t.out, "  %v\n", err)
	}
}

// complete makes "yes" of "y", where only one option begins so.
func complete(options []string, answer string) string {
	var fitting []string
	for _, option := range options {
		if strings.HasPrefix(option, answer) {
			fitting = append(fitting, option)
		}
	}
	if len(fitting) == 1 {
		return fitting[0]
	}
	return answer
}

// prompt is "MFA policy (never, all-applications) [never]: ".
func prompt(q question) string {
	text := q.title
	if len(q.options) > 0 {
		text += " (" + strings.Join(q.options, ", ") + ")"
	}
	if *q.value != "" && !q.secret {
		text += " [" + *q.value + "]"
	}
	if strings.HasSuffix(text, "?") {
		return text + " "
	}
	return text + ": "
}

// read returns one line. The end of ctx does not wait for it: whoever presses
// Ctrl-C will not press Enter as well.
func (t *terminal) read(ctx context.Context, secret bool) (string, error) {
	type line struct {
		text string
		err  error
	}
	done := make(chan line, 1)
	fd := int(t.in.Fd()) //nolint:gosec // A file descriptor is an int.
	before, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	go func() {
		if secret {
			text, err := term.ReadPassword(fd)
			done <- line{string(text), err}
			return
		}
		text, err := t.lines.ReadString('\n')
		done <- line{text, err}
	}()
	select {
	case <-ctx.Done():
		_ = term.Restore(fd, before) // A hidden prompt has switched echo off.
		fmt.Fprintln(t.out)
		return "", ctx.Err()
	case l := <-done:
		if secret {
			fmt.Fprintln(t.out)
		}
		if errors.Is(l.err, io.EOF) {
			l.err = codedError{exitInterrupted, errors.New("interrupted")} // Ctrl-D
		}
		return strings.TrimSpace(l.text), l.err
	}
}
