package sender

import (
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// numberShapes are what people and systems write numbers with, and what looks
// like it.
const numberShapes = "+0123456789 ().-\t\n\u00a0\u2003\ufeffx#*;,/＋٣３eE_\u200b\x00🙂"

// TestNumberOfAnyShape proves that a code goes to the number that was asked
// for, in E.164, or to nobody: it runs the sender's own check in Node on many
// made-up recipients.
func TestNumberOfAnyShape(t *testing.T) {
	need(t, "node")
	random := rand.New(rand.NewPCG(2026, 11)) //nolint:gosec // The same numbers every time.
	shapes := []rune(numberShapes)
	numbers := []string{"+4915112345678", "+1 (500) 555-0001", "+12", "+123456789012345"}
	plain := len(numbers)
	for range 20_000 {
		number := []rune("+4915112345678"[:1+random.IntN(14)])
		for range random.IntN(5) {
			at := random.IntN(len(number) + 1)
			number = append(number[:at:at], append([]rune{shapes[random.IntN(len(shapes))]}, number[at:]...)...)
		}
		numbers = append(numbers, string(number))
	}
	accepted := allowedNumbers(t, numbers)
	e164 := regexp.MustCompile(`^\+[1-9][0-9]{1,14}$`)
	count := 0
	for i, number := range accepted {
		switch {
		case number == "" && i < plain:
			t.Errorf("%q is refused: nobody with such a number gets a code", numbers[i])
		case number == "":
		case !e164.MatchString(number):
			t.Errorf("%q becomes %q, which is not E.164", numbers[i], number)
		case number != "+"+digits(numbers[i]):
			t.Errorf("%q becomes %q: the code goes to a stranger", numbers[i], number)
		default:
			count++
		}
	}
	if count < len(numbers)/10 || count > len(numbers)*9/10 {
		t.Errorf("%d of %d were accepted: the test does not try what it should", count, len(numbers))
	}
}

// allowedNumbers gives what the sender makes of recipients, "" for refused.
func allowedNumbers(t *testing.T, recipients []string) []string {
	t.Helper()
	corpus, err := json.Marshal(recipients)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", "-")
	cmd.Stdin = strings.NewReader(render(t, Options{Client: Builtin}).Script + `
const made = (recipient) => { try { return allowedNumber(recipient); } catch (error) { return ''; } };
process.stdout.write(JSON.stringify(` + string(corpus) + `.map(made)));
`)
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v", err)
	}
	var numbers []string
	if err := json.Unmarshal(out, &numbers); err != nil || len(numbers) != len(recipients) {
		t.Fatalf("node said %.200q: %v", out, err)
	}
	return numbers
}

func digits(text string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, text)
}
