package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestFormTakesKeys drives the drawn form as a person does: type, Enter, arrows.
// What is typed as a secret must not appear on the screen, be it as wide as it may.
func TestFormTakesKeys(t *testing.T) {
	const secret = "hunter2hunter2"
	for _, width := range []uint16{80, 30} {
		region, password, policy := "eu-central-1", "", "all-applications"
		screen, err := draw(t, t.Context(), width, []string{"\r", secret, "\r", "\x1b[B", "\r"},
			question{title: "AWS region", help: "SNS sends from it: one that supports SMS, near the people who log in.", value: &region, check: required},
			question{title: "Client secret", secret: true, value: &password, check: required},
			question{title: "MFA policy", options: []string{"all-applications", "never"}, value: &policy})
		if err != nil {
			t.Fatal(err)
		}
		if region != "eu-central-1" || password != secret || policy != "never" {
			t.Errorf("the answers are %q, %q and %q: a person's keys went elsewhere", region, password, policy)
		}
		if strings.Contains(screen, "hunter") {
			t.Errorf("the secret is on the screen:\n%s", screen)
		}
		for _, title := range []string{"AWS region", "Client secret", "MFA policy"} {
			if !strings.Contains(screen, title) {
				t.Errorf("%d columns: the form does not show %q:\n%q", width, title, screen)
			}
		}
	}
}

// TestFormEnds tells a Ctrl-C from an answer: 130, and nothing goes on.
func TestFormEnds(t *testing.T) {
	var answer string
	_, err := draw(t, t.Context(), 80, []string{"\x03"}, question{title: "AWS region", value: &answer})
	if code := exitCodeOf(t.Context(), err); code != exitInterrupted {
		t.Errorf("Ctrl-C in the form ends with %d (%v), want %d", code, err, exitInterrupted)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := draw(t, ctx, 80, nil, question{title: "AWS region", value: &answer}); !errors.Is(err, context.Canceled) {
		t.Errorf("a form outlives the command: %v", err)
	}
}

// TestPlainQuestionsEnd is the same line by line, where a read is under way that
// nobody will answer. A hidden prompt gives the terminal its echo back.
func TestPlainQuestionsEnd(t *testing.T) {
	controller, tty := openPTY(t, 80)
	defer controller.Close()
	person := &terminal{in: tty, out: tty, lines: bufio.NewReader(tty), plain: true}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	var answer string
	go func() { ended <- person.ask(ctx, question{title: "Client secret", secret: true, value: &answer}) }()
	for echoes(t, tty) { // until the prompt is there
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("Ctrl-C: %v", err)
	}
	if !echoes(t, tty) {
		t.Error("after Ctrl-C in a hidden prompt the person's shell shows nothing of what is typed")
	}
}

func echoes(t *testing.T, tty *os.File) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// draw shows a form on a terminal of that many columns, and types.
func draw(t *testing.T, ctx context.Context, width uint16, keys []string, questions ...question) (screen string, err error) { //nolint:revive // As in testing, t first.
	t.Helper()
	t.Setenv("TERM", "xterm")
	controller, tty := openPTY(t, width)
	var mu sync.Mutex
	var shown strings.Builder
	go func() {
		buffer := make([]byte, 4096)
		for {
			n, err := controller.Read(buffer)
			if err != nil {
				return
			}
			mu.Lock()
			shown.Write(buffer[:n])
			mu.Unlock()
		}
	}()
	go func() {
		for _, key := range keys {
			time.Sleep(200 * time.Millisecond) // The form moves on between two keys of a person.
			_, _ = controller.WriteString(key)
		}
	}()
	person := &terminal{in: tty, out: tty, lines: bufio.NewReader(tty)}
	err = person.ask(ctx, questions...)
	_ = controller.Close()
	mu.Lock()
	defer mu.Unlock()
	return shown.String(), err
}

// openPTY makes a terminal; what is written to the controller is typed on it.
func openPTY(t *testing.T, width uint16) (controller, tty *os.File) {
	t.Helper()
	controller, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("SKIPPED, no pseudo-terminal: %v", err)
	}
	fd := int(controller.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 40, Col: width}); err != nil {
		t.Fatal(err)
	}
	return controller, tty
}
