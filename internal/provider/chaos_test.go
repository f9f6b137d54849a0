//go:build unix

package provider_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// How much of the fault harness is run.
const (
	// envChaos is "all", or "1/2" for the first of two parts; without it every
	// sampleRate-th cell is run.
	envChaos = "AUTH0SNS_CHAOS"
	// envChaosOnly is a regular expression: the cells whose name it matches.
	envChaosOnly = "AUTH0SNS_CHAOS_ONLY"
	// envChaosResults is the file in which a part leaves its results.
	envChaosResults = "AUTH0SNS_CHAOS_RESULTS"

	sampleRate = 271
	// shardsPerCPU keeps processors busy while cells wait for the SDK of AWS, whose
	// retries pass in real time.
	shardsPerCPU = 2
)

// worldLife is how many cells share a world: what a tenant logs stays in memory.
const worldLife = 100

// Phases of the life of a sender.
const (
	phaseCreate  = "create"  // from nothing: user, sender, key, factor, policy
	phaseRotate  = "rotate"  // the keepers change
	phaseUpdate  = "update"  // the sender's code and the factor's texts change
	phaseDestroy = "destroy" // everything goes, and what was before comes back
)

// chaosPaths are the ways to send.
func chaosPaths() []string { return []string{"hook", "action", "unified"} }

// Values of the variable "variant".
const (
	firstVariant  = "First"
	secondVariant = "Second"
)

// chaosConfig is the scenario of a path, with code and texts that a variable changes.
func chaosConfig(t testing.TB, path string) string {
	t.Helper()
	const code = "  sms = { sender_id = var.variant }\n"
	const texts = "  enrollment_message   = \"{{code}} is for ${var.variant}\"\n  verification_message = \"{{code}} is for ${var.variant}\"\n"
	return addToScenario(t, path, code, texts) + "\nvariable \"variant\" {\n  type = string\n}\n"
}

// addToScenario is the scenario of a path with more lines for its sender and for
// its factor.
func addToScenario(t testing.TB, path, sender, factor string) string {
	t.Helper()
	config := acctest.Config(t, "scenarios/"+path+"/main.tf")
	name, id := "  name = \"Amazon SNS\"\n", "  sender_id = auth0sns_credentials.sms.sender_id\n"
	if path == "unified" {
		name, id = "  name    = \"Amazon SNS phone provider\"\n", "  sender_id = auth0sns_phone_provider.sms.id\n"
	}
	for line, more := range map[string]string{name: sender, id: factor} {
		if !strings.Contains(config, line) {
			t.Fatalf("scenario %s has no line %q any more", path, line)
		}
		config = strings.Replace(config, line, line+more, 1)
	}
	return config
}

// TestAccChaos makes every request of a sender's life go wrong in every way.
// Each cell ends in success, or in a clear error or warning after which the same
// command succeeds and leaves nothing to do. If it fails, somebody has to clean
// up by hand, or gets no codes.
func TestAccChaos(t *testing.T) {
	if os.Getenv("TF_ACC") == "" {
		t.Skip("Acceptance tests skipped unless env 'TF_ACC' set")
	}
	var report acctest.Report
	if os.Getenv(envChaos) == "all" {
		report = runShards(t)
	} else {
		for _, path := range chaosPaths() {
			report.Results = append(report.Results, runCells(t, path)...)
		}
	}
	if path := os.Getenv(envChaosResults); path != "" {
		encoded, err := json.Marshal(report)
		succeeds(t, err)
		succeeds(t, os.WriteFile(path, encoded, 0o600))
		return
	}
	t.Logf("\n%s", report)
	if failed := len(report.Failed()); failed > 0 {
		t.Errorf("%d of %d cells failed", failed, len(report.Results))
	}
}

// runShards runs the parts of the whole in processes of their own, side by side,
// because AWS is told to the provider by the environment.
func runShards(t *testing.T) acctest.Report {
	t.Helper()
	binary, err := os.Executable()
	succeeds(t, err)
	dir := t.TempDir()
	parts := make([]acctest.Report, shardsPerCPU*runtime.NumCPU())
	var group sync.WaitGroup
	for i := range parts {
		group.Go(func() {
			path := filepath.Join(dir, fmt.Sprint(i))
			shard := exec.CommandContext(t.Context(), binary, "-test.run=^TestAccChaos$", "-test.v", "-test.timeout=0")
			shard.Env = append(os.Environ(), fmt.Sprintf("%s=%d/%d", envChaos, i+1, len(parts)), envChaosResults+"="+path)
			shard.Stdout, shard.Stderr = os.Stdout, os.Stderr
			runErr := shard.Run()
			encoded, err := os.ReadFile(path)
			if err == nil {
				err = json.Unmarshal(encoded, &parts[i])
			}
			if err != nil {
				t.Errorf("part %d of %d left no results (%v): %v", i+1, len(parts), err, runErr)
			}
		})
	}
	group.Wait()
	var report acctest.Report
	for _, part := range parts {
		report.Results = append(report.Results, part.Results...)
	}
	return report
}

// runCells runs the cells that the environment asks for, as many as possible in
// one world: after a good cell it is where another one can begin.
func runCells(t *testing.T, path string) []acctest.Result {
	t.Helper()
	var shapes map[string]acctest.Shape
	var cells []acctest.Cell
	if !t.Run(path+", dry run", func(t *testing.T) { shapes, cells = dryRun(t, path) }) {
		t.FailNow()
	}
	cells = chosen(t, cells)
	var results []acctest.Result
	for len(cells) > 0 {
		left := len(cells)
		t.Run(path+", world", func(t *testing.T) {
			t.Logf("%d cells to go", len(cells))
			w := newChaosWorld(t, path, shapes)
			for life := worldLife; life > 0 && len(cells) > 0; life-- {
				cell := w.pick(&cells)
				result := cell.Result()
				result.Problems = []string{"the test itself failed, see its log"}
				results = append(results, result)
				begin := time.Now()
				result = w.cell(cell)
				results[len(results)-1] = result
				t.Logf("%5.1f s %s", time.Since(begin).Seconds(), cell)
				if len(result.Problems) > 0 {
					t.Logf("said: %s\nnot as promised: %s", result.Said, strings.Join(result.Problems, "\n"))
					return
				}
			}
		})
		if len(cells) == left {
			t.FailNow() // No world can be made, which has nothing to do with the cells.
		}
	}
	return results
}

// chosen are the cells that the environment asks for.
func chosen(t *testing.T, cells []acctest.Cell) []acctest.Cell {
	t.Helper()
	only, part := os.Getenv(envChaosOnly), os.Getenv(envChaos)
	if only != "" {
		pattern := regexp.MustCompile(only)
		cells = slices.DeleteFunc(cells, func(c acctest.Cell) bool { return !pattern.MatchString(c.String()) })
	}
	switch {
	case part == "" && only == "":
		return acctest.Sample(cells, sampleRate)
	case part == "":
		return cells
	}
	var i, n int
	if _, err := fmt.Sscanf(part, "%d/%d", &i, &n); err != nil || i < 1 || i > n {
		t.Fatalf("%s=%q: want all, or a part such as 1/2", envChaos, part)
	}
	return acctest.Shard(cells, i, n)
}

// dryRun learns which requests each phase makes, and what a good end looks like.
func dryRun(t *testing.T, path string) (map[string]acctest.Shape, []acctest.Cell) {
	t.Helper()
	w := newChaosWorld(t, path, nil)
	shapes := map[string]acctest.Shape{}
	var cells []acctest.Cell
	for _, phase := range []string{phaseCreate, phaseRotate, phaseUpdate, phaseDestroy} {
		o := w.must(w.aim(phase), w.args...)
		cells = append(cells, acctest.Cells(path, phase, acctest.Requests(o.requests))...)
		if phase == phaseCreate || phase == phaseUpdate {
			shape, err := w.env.State().Shape()
			succeeds(t, err)
			shapes[w.variant] = shape
		}
		w.shapes = shapes
		if problems := append(w.settled(), w.witness.Take()...); len(problems) > 0 {
			t.Fatalf("%s without any fault: %s", phase, strings.Join(problems, "\n"))
		}
	}
	t.Logf("%d cells", len(cells))
	return shapes, cells
}

// chaosWorld is a world with a configuration, and where it stands.
type chaosWorld struct {
	*workspace
	witness *acctest.Witness
	before  acctest.State
	shapes  map[string]acctest.Shape // of a good end, by variant
	killer  *killer

	exists   bool
	rotation int
	variant  string
	args     []string
}

func newChaosWorld(t *testing.T, path string, shapes map[string]acctest.Shape) *chaosWorld {
	t.Helper()
	env, witness := acctest.NewWatched(t)
	w := &chaosWorld{workspace: newWorkspace(t, env, chaosConfig(t, path)), witness: witness, shapes: shapes, variant: firstVariant}
	w.addForeign()
	w.before = env.State()
	w.killer = newKiller(t, env)
	w.aim(phaseCreate)
	w.exists = false
	return w
}

// addForeign puts objects of others beside, which nothing may touch, and
// settings which destroy has to give back.
func (w *chaosWorld) addForeign() {
	w.t.Helper()
	ctx, tenant, account := w.t.Context(), w.env.Auth0(w.t), w.env.AWS(w.t)
	_, err := tenant.CreateHook(ctx, auth0api.Hook{Name: "Foreign", TriggerID: "send-phone-message", Script: "module.exports = () => {}"})
	succeeds(w.t, err)
	succeeds(w.t, tenant.SetTemplates(ctx, textsBefore()))
	_, err = account.CreateUser(ctx, awsapi.User{Name: "foreign", Path: "/"})
	succeeds(w.t, err)
	_, err = account.CreateAccessKey(ctx, "foreign")
	succeeds(w.t, err)
}

// aim sets the variables to what a phase is to bring about and returns its command.
func (w *chaosWorld) aim(phase string) (command string) {
	command, w.exists = "apply", true
	switch phase {
	case phaseRotate:
		w.rotation++
	case phaseUpdate:
		if w.variant == firstVariant {
			w.variant = secondVariant
		} else {
			w.variant = firstVariant
		}
	case phaseDestroy:
		command, w.exists = "destroy", false
	}
	w.args = []string{fmt.Sprintf("-var=rotation=%d", w.rotation), "-var=variant=" + w.variant}
	return command
}

// pick takes the first cell that can begin where the world stands, or brings
// the world to where the first one can.
func (w *chaosWorld) pick(cells *[]acctest.Cell) acctest.Cell {
	w.t.Helper()
	i := slices.IndexFunc(*cells, func(c acctest.Cell) bool { return (c.Phase == phaseCreate) != w.exists })
	if i < 0 {
		i = 0
		phase := phaseCreate
		if w.exists {
			phase = phaseDestroy
		}
		w.must(w.aim(phase), w.args...)
	}
	cell := (*cells)[i]
	*cells = slices.Delete(*cells, i, i+1)
	return cell
}

// cell strikes once, repeats the command without a fault where it failed or said
// that something is left, and looks at the end.
func (w *chaosWorld) cell(c acctest.Cell) acctest.Result {
	w.t.Helper()
	w.env.World.Kernel.Journal.Reset()
	secrets := len(w.env.Account.Secrets())
	w.witness.Take()
	result := c.Result()
	command := w.aim(c.Phase)

	struck, reached := w.strike(c, command)
	result.Reached, result.Said = reached, found(struck)
	if c.Strike.Kill == acctest.VictimNone {
		result.Problems = badErrors(struck)
	} else if reached {
		result.Found = found(w.run("plan", w.planArgs()...))
	}
	if struck.exit != 0 || result.Said != "" {
		again := w.run(command, w.args...)
		if again.exit != 0 {
			result.Problems = append(result.Problems, fmt.Sprintf("%s again fails: %s", command, again.errorText()))
		}
		struck.diagnostics = append(struck.diagnostics, again.diagnostics...)
	}
	result.Problems = slices.Concat(result.Problems, w.settled(), w.witness.Take(), w.leaks(struck, w.env.Account.Secrets()[secrets:]))
	if w.exists && len(result.Problems) == 0 && (c.Phase == phaseCreate || struck.exit != 0) {
		result.Forgot, result.Problems = w.givenBack(c.Phase == phaseCreate && leavesRuins(c, result.Said))
	}
	return result
}

// leavesRuins tells whether a strike at a creation may leave nobody to remember
// what was there before: a kill in the middle of what an object is taken over
// with, or an undoing that failed too, and says so.
func leavesRuins(c acctest.Cell, said string) bool {
	writes := func(part string) bool { return strings.Contains(c.Request.Operation, part) }
	killed := c.Strike.Kill != acctest.VictimNone
	return killed && (writes("/guardian/factors") || writes("POST /api/v2/branding/phone/templates") || writes("PATCH /api/v2/tenants/settings")) ||
		strings.Contains(said, "SMS factor is half set up") || strings.Contains(said, "What was done before could not be taken back")
}

// givenBack destroys everything. What an apply that was struck takes for what
// was there before, or forgot of it, shows only then. ruins are what a creation
// left that was killed, or that says that it could not be undone.
func (w *chaosWorld) givenBack(ruins bool) (forgot string, problems []string) {
	w.t.Helper()
	if o := w.run(w.aim(phaseDestroy), w.args...); o.exit != 0 {
		return "", []string{"destroy after it fails: " + o.errorText()}
	}
	if ruins {
		forgot = w.forgotten()
	}
	problems = w.settled()
	for i := range problems {
		problems[i] = "after the destroy that followed: " + problems[i]
	}
	return forgot, problems
}

// forgotten puts right, and names, what a creation that ends in the middle leaves
// nobody to remember: the tenant's flag, and the provider and the texts of a
// factor that was off and is off again.
func (w *chaosWorld) forgotten() string {
	w.t.Helper()
	ctx, tenant, before, now := w.t.Context(), w.env.Auth0(w.t), w.before.Tenant, w.env.State().Tenant
	var forgot []string
	put := func(what string, right bool, back func() error) {
		if !right {
			forgot = append(forgot, what)
			succeeds(w.t, back())
		}
	}
	// The flag first: it closes the endpoints of the other two.
	const flag = "phone_consolidated_experience"
	put("flag", now.Settings[flag] == before.Settings[flag], func() error { return tenant.SetPhoneConsolidatedExperience(ctx, false) })
	put("provider", now.Provider == before.Provider, func() error { return tenant.SetSelectedProvider(ctx, before.Provider) })
	put("texts", maps.Equal(now.Templates, before.Templates), func() error { return tenant.SetTemplates(ctx, textsBefore()) })
	put("texts", len(now.PhoneTemplates) == 0, func() error {
		var errs []error
		for _, template := range now.PhoneTemplates {
			errs = append(errs, tenant.DeletePhoneTemplate(ctx, template.ID))
		}
		return errors.Join(errs...)
	})
	if len(forgot) == 0 {
		return ""
	}
	return "not given back of a factor that is off: " + strings.Join(forgot, " and ")
}

// textsBefore are the tenant's own message texts.
func textsBefore() auth0api.Templates {
	return auth0api.Templates{EnrollmentMessage: "{{code}} before", VerificationMessage: "{{code}} before"}
}

// found is what a command says about the world: not that a resource is
// deprecated, or where the provider came from.
func found(o outcome) string {
	o.diagnostics = slices.DeleteFunc(slices.Clone(o.diagnostics), func(d diagnostic) bool {
		return slices.Contains([]string{"Deprecated", "Provider development overrides are in effect"}, d.Summary)
	})
	return strings.TrimSpace(o.text("warning") + "\n" + o.errorText())
}

// strike runs a command with one thing going wrong and tells whether it did.
func (w *chaosWorld) strike(c acctest.Cell, command string) (o outcome, reached bool) {
	w.t.Helper()
	faults := w.env.World.Kernel.Faults
	id, err := faults.Add(c.Strike.Fault)
	succeeds(w.t, err)
	defer func() { faults.Reset(); w.awaitServices() }()
	if c.Strike.Kill == acctest.VictimNone {
		o = w.run(command, w.args...)
	} else {
		o = w.killer.run(w.workspace, id, c.Strike.Kill, command, w.args...)
		w.mendState()
	}
	return o, slices.ContainsFunc(faults.List(), func(f control.FaultStatus) bool { return f.ID == id && f.Applied > 0 })
}

// mendState does what a person does where Terraform was killed in the middle of
// writing its state, which it truncates first: takes Terraform's own backup,
// the state at the beginning of the command.
func (w *chaosWorld) mendState() {
	w.t.Helper()
	state := filepath.Join(w.dir, "terraform.tfstate")
	if data, err := os.ReadFile(state); err != nil || json.Valid(data) {
		return
	}
	backup, err := os.ReadFile(state + ".backup")
	switch {
	case errors.Is(err, os.ErrNotExist): // There was no state then.
		err = os.Remove(state)
	case err == nil:
		err = os.WriteFile(state, backup, 0o600)
	}
	succeeds(w.t, err)
}

// awaitServices waits until an outage is over.
func (w *chaosWorld) awaitServices() {
	w.t.Helper()
	for _, address := range []string{w.env.TenantURL, w.env.AccountURL} {
		for {
			conn, err := new(net.Dialer).DialContext(w.t.Context(), "tcp", strings.TrimPrefix(address, "http://"))
			if err == nil {
				_ = conn.Close()
				break
			}
			if !errors.Is(err, syscall.ECONNREFUSED) {
				w.t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
}

// defects are phrases in which Terraform, or Go, reports a broken provider.
func defects() []string {
	return []string{
		"inconsistent result", "inconsistent final plan", "invalid result object", "invalid new value", "unexpected new value",
		"Plugin did not respond", "Plugin error", "panic", "defect of the provider", "Value Conversion Error", "%!",
	}
}

// badErrors tells what is wrong with how a command failed; nothing of one that
// succeeded.
func badErrors(o outcome) []string {
	var problems []string
	said := o.errorText()
	if (o.exit == 0) != (said == "") {
		problems = append(problems, fmt.Sprintf("exit %d with the errors %q", o.exit, said))
	}
	for _, phrase := range defects() {
		if strings.Contains(said, phrase) {
			problems = append(problems, fmt.Sprintf("the error is of a defect (%q): %s", phrase, said))
		}
	}
	for _, d := range o.diagnostics {
		if d.Severity == "error" && strings.TrimSpace(d.Detail) == "" {
			problems = append(problems, fmt.Sprintf("the error %q says nothing more", d.Summary))
		}
	}
	return problems
}

// planArgs ask for the plan that is empty when a phase has reached its end.
func (w *chaosWorld) planArgs() []string {
	args := append([]string{"-detailed-exitcode"}, w.args...)
	if !w.exists {
		args = append(args, "-destroy")
	}
	return args
}

// settled tells what is not as it is to be after a good end.
func (w *chaosWorld) settled() []string {
	w.t.Helper()
	var problems []string
	if plan := w.run("plan", w.planArgs()...); plan.exit != 0 {
		problems = append(problems, fmt.Sprintf("the plan at the end is not empty: %v %s", plan.changes, plan.errorText()))
	}
	if !w.exists {
		if diff := w.before.Diff(w.env.State()); diff != "" {
			problems = append(problems, "destroy did not give back what was there before (-before +after):\n"+diff)
		}
		return problems
	}
	shape, err := w.env.State().Shape()
	succeeds(w.t, err)
	if diff := w.shapes[w.variant].Diff(shape); diff != "" {
		problems = append(problems, "tenant and account are not what an undisturbed apply makes (-undisturbed +here):\n"+diff)
	}
	secrets, err := w.witness.Secrets(w.t.Context())
	if held, known := secrets["AWS_ACCESS_KEY_ID"], w.stateKey(); err != nil || held == "" || held != known {
		problems = append(problems, fmt.Sprintf("the live sender holds key %q, the state has %q (%v)", held, known, err))
	}
	if unusable := w.witness.Unusable(w.t.Context()); unusable != "" {
		problems = append(problems, "at the end: "+unusable)
	}
	return problems
}

// stateKey is the id of the key that the state has.
func (w *chaosWorld) stateKey() string {
	w.t.Helper()
	var state struct {
		Outputs map[string]struct{ Value string }
	}
	data, err := os.ReadFile(filepath.Join(w.dir, "terraform.tfstate"))
	succeeds(w.t, err)
	succeeds(w.t, json.Unmarshal(data, &state))
	return state.Outputs["access_key_id"].Value
}

// leaks tells where a secret came out.
func (w *chaosWorld) leaks(said outcome, minted []string) []string {
	w.t.Helper()
	secrets := map[string]string{"the Auth0 client secret": w.env.Variables["AUTH0_CLIENT_SECRET"]}
	for i, secret := range minted {
		secrets[fmt.Sprintf("AWS secret %d", i)] = secret
	}
	scanner, err := acctest.NewScanner(secrets)
	succeeds(w.t, err)
	findings := scanner.Scan("diagnostics", []byte(said.text("error")+said.text("warning")))
	for _, name := range []string{"terraform.tfstate", "terraform.tfstate.backup"} {
		if data, err := os.ReadFile(filepath.Join(w.dir, name)); err == nil {
			findings = append(findings, scanner.Scan(name, data)...)
		}
	}
	var problems []string
	for _, finding := range findings {
		problems = append(problems, "a secret left memory: "+finding.String())
	}
	return problems
}
