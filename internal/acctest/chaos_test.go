package acctest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

func chaosRequests() []acctest.Request {
	return []acctest.Request{
		{Side: control.SideAuth0, Operation: "POST /oauth/token", Nth: 1},
		{Side: control.SideAuth0, Operation: "GET /api/v2/guardian/factors/phone/selected-provider", Nth: 1},
		{Side: control.SideAuth0, Operation: "GET /api/v2/hooks", Nth: 2},
		{Side: control.SideAWS, Operation: "iam:GetUser", Nth: 1},
		{Side: control.SideAWS, Operation: "sts:GetCallerIdentity", Nth: 1},
	}
}

func TestRequestsAreNamedByTheirPlaceAmongTheirKind(t *testing.T) {
	entries := []control.Entry{
		{Side: "aws", Operation: "iam:GetUser"}, {Side: "auth0", Operation: "GET /x"}, {Side: "aws", Operation: "iam:GetUser"},
	}
	if got := fmt.Sprint(acctest.Requests(entries)); got != "[iam:GetUser#1 GET /x#1 iam:GetUser#2]" {
		t.Errorf("requests = %s: a cell would strike another request than it names", got)
	}
}

func TestEveryStrikeIsAFaultAndNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	var faults control.Faults
	for _, cell := range acctest.Cells("hook", "create", chaosRequests()) {
		if seen[cell.String()] {
			t.Errorf("%s comes twice: one of its results would hide the other", cell)
		}
		seen[cell.String()] = true
		if _, err := faults.Add(cell.Strike.Fault); err != nil {
			t.Errorf("%s: %v", cell, err)
		}
		if f := cell.Strike.Fault; f.Operation != cell.Request.Operation || f.Side != cell.Request.Side || f.Skip != cell.Request.Nth-1 {
			t.Errorf("%s strikes %s %s after %d", cell, f.Side, f.Operation, f.Skip)
		}
	}
}

// TestStrikesAreWhatTheirClassSays: a refusal that a client reads as another one
// would leave a line of the table untested.
func TestStrikesAreWhatTheirClassSays(t *testing.T) {
	ofAuth0 := map[string]auth0api.Kind{
		"400": auth0api.BadRequest, "401 lasting": auth0api.Unauthorized, "403 scope": auth0api.MissingScope,
		"403 entitlement": auth0api.MissingEntitlement, "403 feature off": auth0api.FeatureDisabled, "403 legacy phone": auth0api.LegacyPhone,
		"404": auth0api.NotFound, "409": auth0api.Conflict, "500 lasting": auth0api.Server, "dropped before, lasting": auth0api.Transport,
	}
	ofAWS := map[string]awsapi.Kind{
		"400 ValidationError": awsapi.Invalid, "400 Throttling, lasting": awsapi.Throttled, "403 AccessDenied": awsapi.AccessDenied,
		"403 InvalidClientTokenId": awsapi.InvalidCredentials, "403 ExpiredToken": awsapi.ExpiredCredentials, "404 NoSuchEntity": awsapi.NotFound,
		"409 EntityAlreadyExists": awsapi.AlreadyExists, "409 LimitExceeded": awsapi.LimitExceeded, "409 DeleteConflict": awsapi.DeleteConflict,
		"500 lasting": awsapi.Server,
	}
	env := acctest.New(t)
	struck := func(r acctest.Request, class string, call func() error) error {
		i := slices.IndexFunc(acctest.Strikes(r), func(s acctest.Strike) bool { return s.Class == class })
		if i < 0 {
			t.Fatalf("%s is not struck by %q", r, class)
		}
		fault := acctest.Strikes(r)[i].Fault
		fault.Operation = r.Operation
		if _, err := env.World.Kernel.Faults.Add(fault); err != nil {
			t.Fatal(err)
		}
		defer env.World.Kernel.Faults.Reset()
		return call()
	}
	provider := chaosRequests()[1]
	tenant, err := auth0api.New(auth0api.Config{
		Domain: env.TenantURL, ClientID: env.Variables["AUTH0_CLIENT_ID"], ClientSecret: env.Variables["AUTH0_CLIENT_SECRET"],
		Now: env.Clock.Now, Sleep: env.Clock.Sleep,
	})
	if err != nil {
		t.Fatal(err)
	}
	for class, want := range ofAuth0 {
		err := struck(provider, class, func() error { _, err := tenant.SelectedProvider(t.Context()); return err })
		if got := auth0api.KindOf(err); got != want {
			t.Errorf("%s: kind %d, want %d: %v", class, got, want, err)
		}
	}
	account := env.AWS(t)
	for class, want := range ofAWS {
		err := struck(chaosRequests()[3], class, func() error { _, err := account.User(t.Context(), "operator"); return err })
		if got := awsapi.KindOf(err); got != want {
			t.Errorf("%s: kind %d, want %d: %v", class, got, want, err)
		}
	}
}

func TestShardsAreTheWhole(t *testing.T) {
	cells := acctest.Cells("hook", "create", chaosRequests())
	seen := map[string]int{}
	for i := 1; i <= 3; i++ {
		for _, cell := range acctest.Shard(cells, i, 3) {
			seen[cell.String()]++
		}
	}
	for _, cell := range cells {
		if seen[cell.String()] != 1 {
			t.Errorf("%s is in %d parts, want 1", cell, seen[cell.String()])
		}
	}
}

func TestSampleIsEven(t *testing.T) {
	var cells []acctest.Cell
	for _, phase := range []string{"create", "destroy"} {
		cells = append(cells, acctest.Cells("hook", phase, chaosRequests())...)
	}
	const rate = 7
	sample := acctest.Sample(cells, rate)
	if again := acctest.Sample(cells, rate); fmt.Sprint(sample) != fmt.Sprint(again) {
		t.Error("two samples differ: a failure would come and go")
	}
	requests, phases, classes := map[string]bool{}, map[string]bool{}, map[string]int{}
	for _, cell := range sample {
		requests[cell.Request.String()], phases[cell.Phase] = true, true
		classes[cell.Strike.Class]++
		if cell.Strike.Slow {
			t.Errorf("%s would hold up every test run", cell)
		}
	}
	if len(phases) != 2 || len(requests) != len(chaosRequests()) || len(classes) < len(sample)/2 {
		t.Errorf("the sample knows only the phases %v, the requests %v and the classes %v", phases, requests, classes)
	}
}

func TestReportCountsByClassAndPhase(t *testing.T) {
	report := acctest.Report{Results: []acctest.Result{
		{Phase: "create", Class: "500", Cell: "create/a#1/500", Reached: true},
		{Phase: "create", Class: "500", Cell: "create/b#1/500", Reached: true, Said: "it broke", Problems: []string{`no key AKIAIOSFODNN7EXAMPLE at "x"`}},
		{Phase: "rotate", Class: "500", Cell: "rotate/b#1/500", Reached: true, Problems: []string{`no key AKIAI44QH8DHBEXAMPLE at "y"`}},
		{Phase: "rotate", Class: "404", Cell: "rotate/c#1/404"},
		{Phase: "rotate", Class: "SIGKILL", Cell: "rotate/c#1/SIGKILL", Reached: true, Killed: true, Found: "a key AKIAI44QH8DHBEXAMPLE that nobody holds\nand so on"},
	}}
	want := `  cells/failures  create  rotate   all
             404             1/0   1/0
             500    2/1!    1/1!  3/2!
         SIGKILL             1/0   1/0
             all    2/1!    3/1!  5/2!

5 cells, 1 not reached, 2 failed.

── 2 × no key … at …
  create/b#1/500
  rotate/b#1/500
In create/b#1/500 the struck command said:
    it broke
Not as promised:
    no key AKIAIOSFODNN7EXAMPLE at "x"

1 × the plan after a SIGKILL said: a key … that nobody holds
  such as after rotate/c#1/SIGKILL
`
	if got := report.String(); got != want {
		t.Errorf("report:\n%s\nwant:\n%s", got, want)
	}
}

// TestWitnessSeesALiveSenderWithoutAKey: it is what every cell's invariant is
// judged by.
func TestWitnessSeesALiveSenderWithoutAKey(t *testing.T) {
	env, witness := acctest.NewWatched(t)
	ctx, tenant, account := t.Context(), env.Auth0(t), env.AWS(t)
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	_, err := account.CreateUser(ctx, awsapi.User{Name: "sms", Path: "/"})
	ok(err)
	key, err := account.CreateAccessKey(ctx, "sms")
	ok(err)
	hook, err := tenant.CreateHook(ctx, auth0api.Hook{Name: "sms", TriggerID: "send-phone-message", Script: "module.exports = () => {}", Enabled: true})
	ok(err)
	ok(tenant.SetSelectedProvider(ctx, "phone-message-hook"))
	ok(tenant.SetFactor(ctx, "sms", true))
	if broken := witness.Take(); len(broken) > 0 {
		t.Errorf("before people are sent messages: %v", broken)
	}

	ok(tenant.SetMessageTypes(ctx, []string{"sms"}))
	requireBroken(t, witness, "has no region")
	ok(tenant.AddHookSecrets(ctx, hook.ID, map[string]string{"AWS_ACCESS_KEY_ID": key.ID, "AWS_SECRET_ACCESS_KEY": key.Secret.Reveal(), "AWS_REGION": "us-east-1"}))
	requireBroken(t, witness, "AWS refuses the key") // Too new.
	ok(env.Clock.Sleep(ctx, 5*time.Second))
	ok(account.SetAccessKeyActive(ctx, "sms", key.ID, true))
	if broken := witness.Take(); len(broken) > 0 {
		t.Errorf("with a key that works: %v", broken)
	}
	if secrets, err := witness.Secrets(ctx); err != nil || secrets["AWS_ACCESS_KEY_ID"] != key.ID {
		t.Errorf("the sender holds %v, %v; want %s", secrets, err, key.ID)
	}
	ok(tenant.UpdateHookSecrets(ctx, hook.ID, map[string]string{"AWS_SECRET_ACCESS_KEY": "of another key, as after half a delivery"}))
	requireBroken(t, witness, "AWS refuses the key")
	ok(tenant.UpdateHookSecrets(ctx, hook.ID, map[string]string{"AWS_SECRET_ACCESS_KEY": key.Secret.Reveal()}))
	witness.Take()
	ok(account.SetAccessKeyActive(ctx, "sms", key.ID, false))
	requireBroken(t, witness, "AWS refuses the key")
	ok(tenant.DeleteHook(ctx, hook.ID))
	requireBroken(t, witness, "has no sender")
}

func requireBroken(t *testing.T, witness *acctest.Witness, words string) {
	t.Helper()
	if broken := witness.Take(); len(broken) != 1 || !strings.Contains(broken[0], words) {
		t.Errorf("the witness saw %q, want %q once", broken, words)
	}
}

func TestShapeTellsWorldsApartByWhatTheyHold(t *testing.T) {
	shape := func(keys int) acctest.Shape {
		env := acctest.New(t)
		account := env.AWS(t)
		if _, err := account.CreateUser(t.Context(), awsapi.User{Name: "sms", Path: "/", Tags: map[string]string{"record": "run=" + t.TempDir()}}); err != nil {
			t.Fatal(err)
		}
		for range keys {
			if _, err := account.CreateAccessKey(t.Context(), "sms"); err != nil {
				t.Fatal(err)
			}
		}
		got, err := env.State().Shape()
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	one := shape(1)
	if diff := one.Diff(shape(1)); diff != "" {
		t.Errorf("two worlds made alike differ, so every cell would fail:\n%s", diff)
	}
	if one.Diff(shape(2)) == "" {
		t.Error("a second key makes no difference: one that was left behind would not be seen")
	}
}
