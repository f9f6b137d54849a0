package cli

import (
	"os"
	"strings"
	"testing"

	tfjson "github.com/hashicorp/terraform-json"
	"github.com/spf13/pflag"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

func planned(address, kind string, actions tfjson.Actions, before, after map[string]any) *tfjson.ResourceChange {
	return &tfjson.ResourceChange{
		Address: address, Type: kind, Mode: tfjson.ManagedResourceMode,
		Change: &tfjson.Change{Actions: actions, Before: before, After: after},
	}
}

// TestPlanInWords is what a person reads before saying yes.
func TestPlanInWords(t *testing.T) {
	create, update, noop := tfjson.Actions{tfjson.ActionCreate}, tfjson.Actions{tfjson.ActionUpdate}, tfjson.Actions{tfjson.ActionNoop}
	replace, forget := tfjson.Actions{tfjson.ActionDelete, tfjson.ActionCreate}, tfjson.Actions{tfjson.ActionForget}
	everybody := map[string]any{"policy": "all-applications"}
	imported := planned("p", "auth0sns_mfa_policy", noop, everybody, everybody)
	imported.Change.Importing = &tfjson.Importing{ID: "mfa-policy"}
	known := planned("f", "auth0sns_sms_factor", update, map[string]any{"sender_id": "a"}, map[string]any{})
	known.Change.AfterUnknown = map[string]any{"sender_id": true}
	for name, test := range map[string]struct {
		changes []*tfjson.ResourceChange
		counts  string
		says    string
	}{
		"nothing":                 {[]*tfjson.ResourceChange{planned("p", "auth0sns_mfa_policy", noop, everybody, everybody)}, "no changes", ""},
		"an import":               {[]*tfjson.ResourceChange{imported}, "1 to import", ""},
		"a policy":                {[]*tfjson.ResourceChange{planned("p", "auth0sns_mfa_policy", create, nil, everybody)}, "1 to create", "Everybody is asked"},
		"an end of MFA":           {[]*tfjson.ResourceChange{planned("p", "auth0sns_mfa_policy", update, everybody, map[string]any{"policy": "never"})}, "1 to update", "Nobody is asked"},
		"a rotation":              {[]*tfjson.ResourceChange{planned("c", "auth0sns_credentials", update, nil, nil)}, "1 to update", "no code is lost"},
		"another sender":          {[]*tfjson.ResourceChange{known}, "1 to update", "through Amazon SNS"},
		"a sender while it is on": {[]*tfjson.ResourceChange{planned("f", "auth0sns_sms_factor", update, map[string]any{"sender_id": "a", "enabled": true}, map[string]any{"sender_id": "b"})}, "1 to update", "is on already"},
		"a new name of it":        {[]*tfjson.ResourceChange{planned("a", "auth0sns_action", update, nil, nil)}, "1 to update", ""},
		"replaced, forgotten":     {[]*tfjson.ResourceChange{planned("a", "x", replace, nil, nil), planned("b", "x", forget, nil, nil)}, "1 to replace, 1 to forget", ""},
	} {
		plan := &tfjson.Plan{ResourceChanges: test.changes}
		if got := countChanges(plan).String(); got != test.counts {
			t.Errorf("%s: %q, want %q", name, got, test.counts)
		}
		if got := strings.Join(meanings(plan), " "); !strings.Contains(got, test.says) || (got == "") != (test.says == "") {
			t.Errorf("%s: a person reads %q, want %q in it", name, got, test.says)
		}
	}
}

// TestUnsettledTellsDriftFromNewer is what makes somebody look in the right
// place: at the tenant, or at the last merge.
func TestUnsettledTellsDriftFromNewer(t *testing.T) {
	update := tfjson.Actions{tfjson.ActionUpdate}
	pending := []*tfjson.ResourceChange{planned("factor", "auth0sns_sms_factor", update, nil, nil)}
	elsewhere := []*tfjson.ResourceChange{planned("user", "auth0sns_iam_user", update, nil, nil)}
	for name, test := range map[string]struct {
		plan tfjson.Plan
		says string
	}{
		"settled":                        {tfjson.Plan{}, ""},
		"drift that plans nothing":       {tfjson.Plan{ResourceDrift: elsewhere}, ""},
		"drift":                          {tfjson.Plan{ResourceChanges: pending, ResourceDrift: pending}, "it has drifted: factor"},
		"newer":                          {tfjson.Plan{ResourceChanges: pending}, "newer than its last apply: factor"},
		"newer, and drift that is kept":  {tfjson.Plan{ResourceChanges: pending, ResourceDrift: elsewhere}, "newer than its last apply: factor"},
		"newer by more than can be told": {tfjson.Plan{ResourceChanges: append(pending, planned("b", "x", update, nil, nil), planned("c", "x", update, nil, nil), planned("d", "x", update, nil, nil))}, "factor, b, c and 1 more"},
	} {
		err := unsettled(&test.plan)
		if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}

// TestAnotherEnvironmentKeepsItsState keeps production from writing over
// staging's state in the bucket that both have.
func TestAnotherEnvironmentKeepsItsState(t *testing.T) {
	staging := workspace.Backend{Kind: "s3", Settings: map[string]string{"bucket": "states", "region": "eu-central-1", "key": "sms-mfa/staging.tfstate"}}
	got := elsewhere(staging)
	if _, ok := got.Settings["key"]; ok || got.Kind != "s3" || got.Settings["bucket"] != "states" {
		t.Errorf("production gets the backend %+v", got)
	}
	if staging.Settings["key"] == "" {
		t.Error("staging's own backend was changed")
	}
}

// TestTheGuideHasEveryFlag keeps a flag from being there for nobody.
func TestTheGuideHasEveryFlag(t *testing.T) {
	guide, err := os.ReadFile("../../templates/guides/bootstrap.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	newBootstrapCommand("1.2.3").Flags().VisitAll(func(f *pflag.Flag) {
		if !strings.Contains(string(guide), "--"+f.Name) {
			t.Errorf("the guide does not have --%s", f.Name)
		}
	})
}

// TestOutcomeOfAnInterruption keeps a run that was stopped half way from reading
// like one that was only planned.
func TestOutcomeOfAnInterruption(t *testing.T) {
	plan := &planCounts{Changes: true, Create: 6}
	for want, result := range map[string]bootstrapResult{
		"planned (6 to create)":                               {Plan: plan},
		"applied in part (of 6 to create)":                    {Plan: plan, stopped: true},
		"interrupted, applied in part (of 6 to create)":       {Plan: plan, stopped: true, interrupted: true},
		"interrupted, nothing applied (planned: 6 to create)": {Plan: plan, interrupted: true},
		"applied (6 created)":                                 {Plan: plan, Applied: true, interrupted: true},
	} {
		if got := result.outcome(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
