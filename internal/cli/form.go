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

	"charm.land/huh/v2"
	"golang.org/x/term"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
)

// terminal is where a person can be asked. It is the controlling terminal, so
// that what is asked is seen while stdout and stderr go to files.
type terminal struct {
	in, out *os.File
	lines   *bufio.Reader
	// plain asks line by line instead of drawing a form: for screen readers, and
	// for terminals that cannot be drawn on.
	plain bool
}

// openTerminal returns nil where nobody can be asked: stdin is a pipe, a file or
// CI's. The caller closes it.
func openTerminal(stdin io.Reader, plain bool, environment config.Lookup) *terminal {
	in, ok := stdin.(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) { //nolint:gosec // A file descriptor is an int.
		return nil
	}
	t := &terminal{in: in, out: os.Stderr, plain: true}
	if tty, err := openTTY(); err == nil { // Windows has none, and gets no form.
		t.in, t.out, t.plain = tty, tty, plain || cannotDraw(environment)
	}
	t.lines = bufio.NewReader(t.in)
	return t
}

// openTTY opens the controlling terminal.
func openTTY() (*os.File, error) { return os.OpenFile("/dev/tty", os.O_RDWR, 0) }

func cannotDraw(environment config.Lookup) bool {
	return slices.Contains([]string{"", "dumb"}, environment("TERM"))
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

// errAborted is Ctrl-C in a form, which takes it as a key.
func errAborted() error { return codedError{exitInterrupted, errors.New("interrupted")} }

// ask asks all questions, in a form or one after the other.
func (t *terminal) ask(ctx context.Context, questions ...question) error {
	if len(questions) == 0 {
		return nil
	}
	if !t.plain {
		return t.draw(ctx, questions)
	}
	for _, q := range questions {
		if err := t.askPlainly(ctx, q); err != nil {
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

func (t *terminal) draw(ctx context.Context, questions []question) error {
	fields := make([]huh.Field, len(questions))
	for i, q := range questions {
		if len(q.options) > 0 {
			fields[i] = huh.NewSelect[string]().Title(q.title).Description(q.help).Options(huh.NewOptions(q.options...)...).Value(q.value)
			continue
		}
		input := huh.NewInput().Title(q.title).Description(q.help).Value(q.value).Validate(q.verify)
		if q.secret {
			input.EchoMode(huh.EchoModeNone)
		}
		fields[i] = input
	}
	// What reads the keys of a form may outlive it, and would take the first ones
	// of the next: with a file of its own its hold on them ends.
	in, err := openTTY()
	if err != nil {
		return err
	}
	form := huh.NewForm(huh.NewGroup(fields...)).WithTheme(huh.ThemeFunc(huh.ThemeBase)).WithInput(in).WithOutput(t.out)
	err = errors.Join(form.RunWithContext(ctx), in.Close())
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, huh.ErrUserAborted):
		return errAborted()
	}
	return err
}

func (t *terminal) askPlainly(ctx context.Context, q question) error {
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
			l.err = errAborted() // Ctrl-D
		}
		return strings.TrimSpace(l.text), l.err
	}
}
