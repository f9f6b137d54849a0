package cli

import (
	"io"
	"os"
	"strings"
	"testing"
)

// TestNobodyIsAskedWithoutATerminal keeps a pipeline from hanging on a question.
func TestNobodyIsAskedWithoutATerminal(t *testing.T) {
	pipe, _, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	for name, stdin := range map[string]io.Reader{"a text": strings.NewReader("yes\n"), "a pipe": pipe, "nothing": null} {
		if openTerminal(stdin) != nil {
			t.Errorf("%s is taken for a person", name)
		}
	}
}

func TestAnswersAreCompletedAndChecked(t *testing.T) {
	yesNo := question{options: []string{"no", "yes"}}
	for answer, want := range map[string]string{"y": "yes", "no": "no", "": "", "maybe": "maybe"} {
		got := complete(yesNo.options, answer)
		if got != want {
			t.Errorf("%q becomes %q, want %q", answer, got, want)
		}
		if err := yesNo.verify(got); (err == nil) != (want == "yes" || want == "no") {
			t.Errorf("%q: %v", got, err)
		}
	}
}
