package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestHiddenPromptEnds is about Ctrl-C while a read is under way that nobody will
// answer: the command ends, and the terminal gets its echo back.
func TestHiddenPromptEnds(t *testing.T) {
	controller, tty := openPTY(t)
	defer controller.Close()
	person := &terminal{in: tty, out: tty, lines: bufio.NewReader(tty)}
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

// openPTY makes a terminal.
func openPTY(t *testing.T) (controller, tty *os.File) {
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
	return controller, tty
}
