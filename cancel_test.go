//go:build unix

package main_test

import (
	"cmp"
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
	path      string         // whose scenario is applied; "" for hook
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
		"action being built":     {operation: "GET /api/v2/actions/actions/{id}", effect: control.HoldAfter, path: "action", says: []string{"nothing is left behind"}},
		"action being deployed":  {operation: "POST /api/v2/actions/actions/{id}/deploy", effect: control.HoldAfter, path: "action", says: []string{"nothing is left behind"}},
		"flag not turned yet":    {operation: turnFlag, effect: control.HoldBefore, path: "unified", says: notMoved()},
		"flag turned":            {operation: turnFlag, effect: control.HoldAfter, path: "unified", says: notMoved()},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t, realTime)
			config := acctest.Config(t, "scenarios/"+cmp.Or(m.path, "hook")+"/main.tf")
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

// turnFlag is the request that moves a tenant to the Unified Phone Experience.
const turnFlag = "PATCH /api/v2/tenants/settings"

func notMoved() []string {
	return []string{"Phone provider was not set up", "nothing is left behind"}
}

// TestAccCancelledMove presses Ctrl-C while a tenant with people in it is moved,
// and once more while the codes on their way are waited for. They get theirs on
// the old path, then on the new one.
func TestAccCancelledMove(t *testing.T) {
	needAcc(t)
	env := acctest.New(t, realTime)
	apply := []string{"apply", "-auto-approve"}
	tf := acctest.NewTerraform(t, binary(t), acctest.Config(t, "scenarios/action/main.tf"), env.Variables)
	tf.Must(t, apply...)
	old := env.Challenge(t).Sender

	tf.Write(t, acctest.Config(t, "scenarios/unified/main.tf"))
	requireCleanStop(t, cancelAt(t, env, moment{operation: turnFlag, effect: control.HoldAfter}, tf.Start(t, apply...)), notMoved()...)
	if env.Challenge(t).Sender != old {
		t.Error("the tenant was moved, and the error says that nothing is left behind")
	}
	env.World.Kernel.Journal.Reset()
	out := interruptAfter(t, env, tf.Start(t, apply...), turnFlag)
	requireCleanStop(t, out, "execution halted")
	if !strings.Contains(out.Stdout, "Codes on their way may be lost") {
		t.Errorf("nobody was told that codes on their way may be lost:\n%s", out.Stdout)
	}
	if env.Challenge(t).Sender == old {
		t.Error("the tenant was not moved, and the warning says that it was")
	}
	tf.Must(t, apply...)
	env.Challenge(t)
	if left := keys(env); strings.Contains(left, " ") {
		t.Errorf("after the next apply the user has the keys %s, want one", left)
	}
	tf.Must(t, "plan", "-detailed-exitcode")
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
