//go:build unix

package main_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	// stopLimit is how long a person waits after Ctrl-C before pressing it again,
	// which kills the provider where it stands.
	stopLimit = 2 * time.Second
	// answerDelay is how long the other side takes to answer the request that
	// was under way at Ctrl-C.
	answerDelay = 200 * time.Millisecond
)

// moment is a point of an apply: a request has reached the other side, and took
// effect there or not yet.
type moment struct {
	operation string
	effect    control.Effect // control.HoldBefore or control.HoldAfter
	action    bool           // of the Action path, else of the hook path
	rotation  bool           // of a rotation, else of the creation of everything
	// says are patterns of where it stopped and what is true now.
	says []string
}

// TestAccCancelled presses Ctrl-C while a request is under way whose effect
// matters most. A person who does that wants to hear what is true now, and to go
// on later. [TestAccInterrupted] does it where an apply waits.
func TestAccCancelled(t *testing.T) {
	needAcc(t)
	const (
		undone = `The new key AKIA\w+ was deleted again\. The sender holds what it held before\.`
		halted = "execution halted" // Terraform's: the object is whole, the next ones are not begun
	)
	for name, m := range map[string]moment{
		"key not minted yet":     {operation: "iam:CreateAccessKey", effect: control.HoldBefore, says: []string{undone}},
		"key minted":             {operation: "iam:CreateAccessKey", effect: control.HoldAfter, says: []string{undone}},
		"key not delivered yet":  {operation: "POST /api/v2/hooks/{id}/secrets", effect: control.HoldBefore, says: []string{halted}},
		"key delivered":          {operation: "POST /api/v2/hooks/{id}/secrets", effect: control.HoldAfter, says: []string{halted}},
		"factor not on yet":      {operation: "PUT /api/v2/guardian/factors/{name}", effect: control.HoldBefore, says: []string{"SMS factor was not set up", "interrupted"}},
		"factor on":              {operation: "PUT /api/v2/guardian/factors/{name}", effect: control.HoldAfter, says: []string{"SMS factor was not set up", "interrupted"}},
		"next key not delivered": {operation: "PATCH /api/v2/hooks/{id}/secrets", effect: control.HoldBefore, rotation: true, says: []string{`The sender holds the new key AKIA\w+\. Still to be deleted, by the next apply: AKIA`}},
		"action being built":     {operation: "GET /api/v2/actions/actions/{id}", effect: control.HoldAfter, action: true, says: []string{"nothing is left behind"}},
		"action being deployed":  {operation: "POST /api/v2/actions/actions/{id}/deploy", effect: control.HoldAfter, action: true, says: []string{"nothing is left behind"}},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t, realTime)
			config := scenario(t)
			if m.action {
				config = acctest.Config(t, "scenarios/action/main.tf")
			}
			tf := acctest.NewTerraform(t, binary(t), config, env.Variables)
			apply := []string{"apply", "-auto-approve"}
			if m.rotation {
				tf.Must(t, apply...)
				apply = append(apply, "-var=rotation=2")
			}
			requireCleanStop(t, cancelAt(t, env, m, tf.Start(t, apply...)), m.says...)
			if m.rotation {
				env.Challenge(t)
			}
			tf.Must(t, apply...)
			env.Challenge(t)
			if left := keys(env); strings.Contains(left, " ") {
				t.Errorf("after the next apply the user has the keys %s, want one", left)
			}
			tf.Must(t, append([]string{"plan", "-detailed-exitcode"}, apply[2:]...)...)
		})
	}
}

// cancelAt presses Ctrl-C at that moment.
func cancelAt(t *testing.T, env *acctest.Env, m moment, p *acctest.Process) acctest.Output {
	t.Helper()
	faults := env.World.Kernel.Faults
	id, err := faults.Add(control.Fault{Operation: m.operation, Effect: m.effect, Times: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := faults.AwaitHeld(ctx, id); err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(answerDelay, func() { _ = faults.Remove(id) })
	return interrupt(t, p)
}

// interrupt presses Ctrl-C and looks at the clock.
func interrupt(t *testing.T, p *acctest.Process) acctest.Output {
	t.Helper()
	pressed := time.Now()
	out := p.Interrupt(t)
	if took := time.Since(pressed); took > stopLimit {
		t.Errorf("Terraform ended %s after Ctrl-C, want %s at most", took, stopLimit)
	}
	return out
}
