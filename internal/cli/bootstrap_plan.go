package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	tfjson "github.com/hashicorp/terraform-json"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/review"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// makePlan runs Terraform as far as the plan, and says what it means.
func (b *bootstrap) makePlan(ctx context.Context) error {
	environment, err := b.files.Read(b.flags.environment)
	if err != nil {
		return err
	}
	if asked, there := b.settings, environment.Settings; asked.Path != there.Path || cmp.Or(asked.Backend.Kind, "local") != there.Backend.Kind {
		return refuse("the files stay with the path %s and the backend %s, and not %s and %s: one that was edited by hand was kept. Change it by hand, or let it be overwritten. %s",
			there.Path, there.Backend.Kind, asked.Path, cmp.Or(asked.Backend.Kind, "local"), b.untouched())
	}
	b.settings, b.result.Directory = environment.Settings, environment.Dir // with what the defaults came to
	b.out.progress("\nterraform init, plan")
	b.terraform, b.plan, err = b.planOf(ctx, environment.Dir, b.variables, b.planFile(), b.display.planning)
	if err != nil {
		return err
	}
	b.result.Plan = countChanges(b.plan)
	b.summarize()
	return nil
}

// planOf plans one root module.
func (b *bootstrap) planOf(ctx context.Context, dir string, variables map[string]string, planFile string, progress func(workspace.Event)) (*workspace.Terraform, *tfjson.Plan, error) {
	terraform, err := workspace.NewTerraform(dir, variables)
	if err != nil {
		return nil, nil, err
	}
	if err := terraform.Init(ctx); err != nil {
		return nil, nil, b.terraformFailed(ctx, initRemedy(err), err)
	}
	if _, err := terraform.Plan(ctx, planFile, progress); err != nil {
		return nil, nil, b.terraformFailed(ctx, "Neither tenant nor account was changed. Fix the error below, in the files or on the tenant or account, and run the same command again", err)
	}
	plan, err := terraform.ShowPlan(ctx, planFile)
	if err != nil {
		return nil, nil, b.terraformFailed(ctx, "Neither tenant nor account was changed", err)
	}
	return terraform, plan, nil
}

// initRemedy is what to do where terraform init failed. Until the provider is in
// the registry, and with builds of one's own, it is mostly about the provider.
func initRemedy(err error) string {
	const nothing = "Neither tenant nor account was changed. "
	switch text := err.Error(); {
	case strings.Contains(text, "auth0sns/auth0sns") && strings.Contains(text, "checksums") && strings.Contains(text, "lock file"):
		return nothing + "The provider that is installed is another build of the version in .terraform.lock.hcl. If you built it yourself, remove that file from the environment's folder and run the same command again"
	case strings.Contains(text, "auth0sns/auth0sns") && strings.Contains(text, "Failed to query available provider packages"):
		return nothing + "Terraform did not find the provider. Where the registry does not have it yet, make install in the source of auth0sns puts it where terraform init looks. Then run the same command again"
	default:
		return nothing + "Terraform has to reach its registry and, with the credentials of this shell, the backend. Fix the error below and run the same command again"
	}
}

// terraformFailed puts what to do above Terraform's own words, which are given
// in full. An interruption ends the command with one word; what Terraform said
// on its way out is not lost.
func (b *bootstrap) terraformFailed(ctx context.Context, remedy string, err error) error {
	b.display.clear()
	if ctx.Err() != nil {
		b.out.progress("\nInterrupted: the same command goes on from here.\n%v", err)
		return err
	}
	if strings.Contains(err.Error(), "Error acquiring the state lock") {
		remedy = "Neither tenant nor account was changed. Somebody else is at it, or a run was killed and has left its lock. Once you know that nobody is, run terraform force-unlock with the ID below in the environment's folder, and the same command again"
	}
	return fmt.Errorf("%s.\n\n%w", remedy, err)
}

// agree gets a yes. One that was given beforehand does not cover what takes
// people's codes away: whoever wrote it into a script did not mean that.
func (b *bootstrap) agree(ctx context.Context) error {
	risks := strings.Join(b.grave(), ", ")
	if b.flags.force {
		risks = ""
	}
	switch {
	case b.flags.yes && risks != "":
		return refuse("the plan has risks that a yes alone does not cover: %s. %s. If that is meant, add --force", risks, b.untouched())
	case b.flags.yes:
		return nil
	case b.terminal == nil:
		return refuse("there is nobody to ask. %s. Read the plan above, and add --yes to apply it or --plan-only to stop here without an error", b.untouched())
	}
	yes, err := b.confirm(ctx, fmt.Sprintf("Change tenant %s and AWS account %s?", b.settings.Domain, b.settings.AccountID), risks)
	if err == nil && !yes {
		return refuse("%s", b.untouched())
	}
	return err
}

// confirm asks; what has risks takes more than a yes out of habit.
func (b *bootstrap) confirm(ctx context.Context, title, risks string) (bool, error) {
	if risks == "" {
		return b.terminal.confirm(ctx, title)
	}
	var answer string
	err := b.terminal.ask(ctx, question{
		title: "Type " + b.flags.environment + " to go on, or nothing to stop here",
		help:  title + " The plan has critical findings: " + risks + ".", value: &answer,
	})
	return answer == b.flags.environment, err
}

func (b *bootstrap) apply(ctx context.Context) error {
	b.out.progress("\nterraform apply")
	told := context.AfterFunc(ctx, func() {
		b.out.progress("\nInterrupted: finishing or undoing what is under way, so that no key is lost. It may take two minutes …")
	})
	err := b.terraform.Apply(ctx, b.planFile(), b.display.applying)
	told()
	b.display.clear()
	if err != nil {
		b.result.stopped = true
		return b.terraformFailed(ctx, "What was done before the error stays, and is in the state. Fix the error below and run the same command again: it goes on from there", err)
	}
	b.result.Applied = true
	return nil
}

// planCounts are the changes of a plan by what is done.
type planCounts struct {
	Changes bool `json:"changes"`
	Create  int  `json:"create"`
	Update  int  `json:"update"`
	Replace int  `json:"replace"`
	Delete  int  `json:"delete"`
	Forget  int  `json:"forget"`
	Import  int  `json:"import"`
}

// changes tells whether a resource would change, or come into the state.
func changes(c *tfjson.ResourceChange) bool {
	actions := c.Change.Actions
	return c.Mode == tfjson.ManagedResourceMode && (c.Change.Importing != nil || !actions.NoOp() && !actions.Read())
}

func countChanges(plan *tfjson.Plan) *planCounts {
	counts := &planCounts{}
	for _, c := range plan.ResourceChanges {
		if !changes(c) {
			continue
		}
		counts.Changes = true
		if c.Change.Importing != nil {
			counts.Import++
		}
		switch actions := c.Change.Actions; {
		case actions.Replace():
			counts.Replace++
		case actions.Create():
			counts.Create++
		case actions.Update():
			counts.Update++
		case actions.Delete():
			counts.Delete++
		case actions.Forget():
			counts.Forget++
		}
	}
	for _, c := range plan.OutputChanges {
		counts.Changes = counts.Changes || !c.Actions.NoOp()
	}
	return counts
}

// String is "3 to import, 1 to create".
func (c *planCounts) String() string {
	return c.words("to import", "to create", "to update", "to replace", "to delete", "to forget")
}

// done is "3 imported, 1 created".
func (c *planCounts) done() string {
	return c.words("imported", "created", "updated", "replaced", "deleted", "forgotten")
}

func (c *planCounts) words(verbs ...string) string {
	if !c.Changes {
		return "no changes"
	}
	var parts []string
	for i, n := range []int{c.Import, c.Create, c.Update, c.Replace, c.Delete, c.Forget} {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, verbs[i]))
		}
	}
	if len(parts) == 0 {
		return "outputs only"
	}
	return strings.Join(parts, ", ")
}

// summarize says in words what the plan does, and what it means for people who
// log in.
func (b *bootstrap) summarize() {
	b.display.clear()
	b.out.progress("\nPlan: %s", b.result.Plan)
	if !b.result.Plan.Changes {
		return
	}
	b.result.Findings = append(b.result.Findings, review.Plan(b.plan)...)
	lines := meanings(b.plan)
	if len(lines) == 0 && review.Count(b.result.Findings, review.Low) == 0 {
		lines = []string{"Nothing changes for them."}
	}
	b.out.progress("For people who log in:")
	for _, line := range lines {
		b.say("  ", line)
	}
	for _, f := range b.result.Findings {
		if f.ID == "unified-changed" && f.Severity == review.Info {
			continue // The path, shown before, says it in full.
		}
		b.out.progress("  %s  %s  %s", f.Severity, f.ID, strings.TrimPrefix(f.Address, modulePrefix))
		if f.Severity > review.Info {
			b.say("    ", f.Message)
			b.say("    ", f.Detail)
		}
	}
}

// grave are the findings that mean that people get no code, or are not asked for one.
func (b *bootstrap) grave() []string {
	var grave []string
	for _, f := range b.result.Findings {
		if f.Severity >= review.Critical {
			grave = append(grave, f.ID)
		}
	}
	return slices.Compact(grave)
}

// meanings are what a plan means for people who log in, in the order in which an
// apply does it. Risks are what internal/review finds.
func meanings(plan *tfjson.Plan) []string {
	var lines []string
	planned := map[string]*tfjson.Change{}
	for _, c := range plan.ResourceChanges {
		planned[c.Type] = c.Change
	}
	if c := planned["auth0sns_credentials"]; c != nil && c.Actions.Update() {
		lines = append(lines, "The sender's key is put right or rotated: the old one works until the new one is in place, and no code is lost.")
	}
	switch c := planned["auth0sns_sms_factor"]; {
	case c == nil || !becomes(c, "sender_id"):
	case isOn(c.Before):
		lines = append(lines, "The SMS factor is on already. Codes come as before until it is turned to Amazon SNS, which is done last, with a sender that holds a working key.")
	default:
		lines = append(lines, "Codes by SMS come through Amazon SNS as soon as the factor is turned to it, which is done last, with a sender that holds a working key.")
	}
	if c := planned["auth0sns_mfa_policy"]; c != nil && becomes(c, "policy") {
		lines = append(lines, policyMeaning(attribute(c.After, "policy")))
	}
	return lines
}

// becomes tells whether an attribute gets a value that it did not have, known or not.
func becomes(c *tfjson.Change, name string) bool {
	unknown, _ := c.AfterUnknown.(map[string]any)
	after := attribute(c.After, name)
	return unknown[name] == true || after != "" && after != attribute(c.Before, name)
}

// isOn tells whether a factor as it was is on.
func isOn(factor any) bool {
	values, _ := factor.(map[string]any)
	on, _ := values["enabled"].(bool)
	return on
}

func policyMeaning(policy string) string {
	switch policy {
	case "all-applications":
		return "Everybody is asked for a second factor at every login, to every application of the tenant. Whoever has none is asked to enroll."
	case "confidence-score":
		return "People are asked for a second factor where Auth0 has doubts about a login (Adaptive MFA)."
	default:
		return "Nobody is asked for a second factor, unless a rule or an Action of the tenant asks."
	}
}

// attribute is a text of a planned object, "" where it is not known.
func attribute(object any, name string) string {
	values, _ := object.(map[string]any)
	text, _ := values[name].(string)
	return text
}

// listed is "a, b and 3 more".
func listed(names []string) string {
	const shown = 3
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
