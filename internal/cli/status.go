package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/checks"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

const statusLong = `Shows through what people get their codes right now: path, sender, key, factor, policy, spending, and what failed lately.

It judges nothing: that is what auth0sns check does. What could not be read says unknown, and why.

It reads what the checks read, and changes nothing. It cannot read a secret.`

func newStatusCommand(version string) *cobra.Command {
	var flags inspectFlags
	cmd := &cobra.Command{
		Use:     "status",
		Short:   "Show what sends, with which key, and what failed lately",
		Long:    statusLong,
		Example: "  auth0sns status --env staging\n  auth0sns status --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := output{cmd.OutOrStdout(), cmd.ErrOrStderr(), flags.json}
			i, err := inspect(cmd.Context(), version, flags, out, false)
			if err != nil {
				return err
			}
			result, err := i.status(cmd.Context())
			if err != nil {
				return err
			}
			return out.result(result, result.text)
		},
	}
	flags.register(cmd)
	return cmd
}

// statusResult is the document of the command. What is null is not there, or
// unknown, and then has its reason.
type statusResult struct {
	Schema string `json:"schema"` // "status/1"
	inspected
	Path      *delivery.Path  `json:"path"` // "none", "hook", "action" or "unified"
	Sender    *statusSender   `json:"sender"`
	Key       *statusKey      `json:"key"`
	FactorOn  *bool           `json:"factor_on"`
	MFAPolicy *string         `json:"mfa_policy"`
	LimitUSD  *float64        `json:"monthly_spend_limit_usd"`
	SpentUSD  *float64        `json:"month_to_date_spent_usd"`
	LastSent  *time.Time      `json:"last_sent"` // null also for: not in the days that were looked at
	Failures  []statusFailure `json:"failures"`
	// Unknown says why a field of that name could not be told.
	Unknown map[string]string `json:"unknown"`
}

type statusSender struct {
	ID   string `json:"id"`
	Name string `json:"name"` // "" for one that is gone
	// Live says that people who log in get their codes through it.
	Live       bool       `json:"live"`
	DeployedAt *time.Time `json:"deployed_at"` // null for a hook, of which Auth0 does not tell
}

type statusKey struct {
	ID          string     `json:"id"`
	Active      bool       `json:"active"`
	CreatedAt   time.Time  `json:"created_at"`
	AgeDays     int        `json:"age_days"`
	LastUsedAt  *time.Time `json:"last_used_at"`      // null for never
	LastUsedFor string     `json:"last_used_service"` // "sns"
	RotationDue *time.Time `json:"rotation_due_at"`   // null where it is not known
}

type statusFailure struct {
	Cause string    `json:"cause"`
	Count int       `json:"count"`
	Last  time.Time `json:"last_at"`
}

// status reads everything. It fails only where Auth0 does not let the client in,
// or ctx ends: then there is nothing to show.
func (i *inspection) status(ctx context.Context) (*statusResult, error) {
	if _, _, err := i.auth0.GrantedScopes(ctx); err != nil {
		return nil, err
	}
	r := &statusResult{Schema: "status/1", inspected: i.inspected, Failures: []statusFailure{}, Unknown: map[string]string{}}
	for _, part := range []struct {
		field string
		read  func(context.Context, *checks.Subject) error
	}{
		{"sender", r.readSender},
		{"key", r.readKey},
		{"factor_on", r.readFactor},
		{"mfa_policy", r.readPolicy},
		{"month_to_date_spent_usd", r.readSpend},
		{"failures", r.readFailures},
	} {
		err := part.read(ctx, i.subject)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			r.Unknown[part.field] = err.Error()
		}
	}
	return r, nil
}

func (r *statusResult) readSender(ctx context.Context, s *checks.Subject) error {
	tenant, err := s.Tenant(ctx)
	if err != nil {
		return err
	}
	r.Path = &tenant.Path
	if tenant.Path == delivery.PathNone && len(tenant.Unknown) > 0 {
		r.Path = nil
		r.Unknown["path"] = strings.Join(tenant.Unknown, "; ")
	}
	sender, err := s.Sender(ctx)
	if err != nil || sender.ID == "" {
		return err
	}
	r.Sender = &statusSender{ID: sender.ID, Name: sender.Name(), Live: tenant.Live == sender.ID}
	if sender.Action != nil && sender.Action.Deployed != nil && !sender.Action.Deployed.BuiltAt.IsZero() {
		r.Sender.DeployedAt = &sender.Action.Deployed.BuiltAt
	}
	if sender.Hook != nil && sender.Hook.Enabled && !r.Sender.Live {
		return errors.New("whether it is live: Auth0 ended hooks on 2026-11-18, and a tenant may list what runs no more")
	}
	return nil
}

func (r *statusResult) readKey(ctx context.Context, s *checks.Subject) error {
	key, err := s.Key(ctx)
	if key.ID == "" {
		return err
	}
	r.Key = &statusKey{
		ID: key.ID, Active: key.Active, CreatedAt: key.CreatedAt, AgeDays: int(s.Now().Sub(key.CreatedAt).Hours() / 24),
		LastUsedAt: timeOrNull(key.LastUsed.At), LastUsedFor: key.LastUsed.Service, RotationDue: timeOrNull(key.Due),
	}
	return err // when it was last used may be what could not be read
}

func (r *statusResult) readFactor(ctx context.Context, s *checks.Subject) error {
	on, err := s.FactorOn(ctx)
	if err == nil {
		r.FactorOn = &on
	}
	return err
}

func (r *statusResult) readPolicy(ctx context.Context, s *checks.Subject) error {
	policy, err := s.MFAPolicy(ctx)
	if err == nil {
		r.MFAPolicy = &policy
	}
	return err
}

func (r *statusResult) readSpend(ctx context.Context, s *checks.Subject) error {
	spend, err := s.Spend(ctx)
	r.LimitUSD, r.SpentUSD = spend.LimitUSD, spend.SpentUSD
	if r.LimitUSD == nil && err != nil {
		r.Unknown["monthly_spend_limit_usd"] = err.Error()
	}
	if err == nil && r.SpentUSD == nil {
		err = errors.New("CloudWatch has no SMS spending of this month")
	}
	return err
}

func (r *statusResult) readFailures(ctx context.Context, s *checks.Subject) error {
	failures, err := s.Failures(ctx)
	if err != nil {
		return err
	}
	for _, f := range failures {
		r.Failures = append(r.Failures, statusFailure{f.Cause, f.Count, f.Last})
	}
	sent, err := s.LastSent(ctx)
	r.LastSent = timeOrNull(sent)
	return err
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// text prints a line for each thing, and beneath it why something is unknown.
func (r *statusResult) text(w io.Writer) error {
	p := page{w}
	row := func(label, value string, fields ...string) {
		label = fmt.Sprintf("%-13s", label)
		var reasons []string
		for _, field := range fields {
			if reason := r.Unknown[field]; reason != "" && !slices.Contains(reasons, reason) {
				reasons = append(reasons, reason)
			}
		}
		switch {
		case value == "" && len(reasons) == 0:
			value = "none"
		case value == "":
			value = "unknown"
		}
		p.hanging(label, value)
		for _, reason := range reasons {
			p.paragraph("             ", reason)
		}
	}
	row("Path", r.pathText(), "path")
	row("Sender", r.senderText(), "sender")
	row("Key", r.keyText(), "key")
	row("Rotation due", r.rotationText())
	row("SMS factor", onOff(r.FactorOn), "factor_on")
	row("MFA policy", orEmpty(r.MFAPolicy), "mfa_policy")
	row("Spending", r.spendText(), "monthly_spend_limit_usd", "month_to_date_spent_usd")
	row("Last sent", r.lastSentText(), "failures")
	for n, f := range r.Failures {
		label := ""
		if n == 0 {
			label = "Failures"
		}
		row(label, fmt.Sprintf("%d, the last at %s: %s", f.Count, minute(f.Last), f.Cause))
	}
	return nil
}

func (r *statusResult) pathText() string {
	if r.Path == nil {
		return ""
	}
	return string(*r.Path)
}

func (r *statusResult) senderText() string {
	x := r.Sender
	if x == nil {
		return ""
	}
	kind := "hook"
	if delivery.IsActionID(x.ID) {
		kind = "Action"
	}
	text := fmt.Sprintf("%s %q (%s)", kind, x.Name, x.ID)
	switch {
	case x.Name == "":
		return fmt.Sprintf("%s %s, which does not exist", kind, x.ID)
	case x.Live:
		text += ", live"
	case r.Unknown["sender"] == "":
		text += ", not live"
	}
	if x.DeployedAt != nil {
		text += ", deployed at " + minute(*x.DeployedAt)
	}
	return text
}

func (r *statusResult) keyText() string {
	k := r.Key
	if k == nil {
		return ""
	}
	days := "days"
	if k.AgeDays == 1 {
		days = "day"
	}
	text := fmt.Sprintf("%s, %d %s old", k.ID, k.AgeDays, days)
	if !k.Active {
		text += ", INACTIVE"
	}
	switch {
	case k.LastUsedAt != nil:
		return text + fmt.Sprintf(", last used at %s for %s", minute(*k.LastUsedAt), k.LastUsedFor)
	case r.Unknown["key"] == "":
		return text + ", never used as far as AWS knows"
	default:
		return text
	}
}

func (r *statusResult) rotationText() string {
	switch {
	case r.State == stateNotApplied:
		return "none: never applied"
	case r.State != "" && r.State != stateRead:
		return "unknown: Terraform's state could not be read"
	case r.State == "":
		return "unknown: Terraform's state says it (--env)"
	case r.Key == nil:
		return "unknown: so is the key"
	case r.Key.RotationDue == nil:
		return "never: no rotate_after"
	default:
		return minute(*r.Key.RotationDue)
	}
}

func (r *statusResult) spendText() string {
	switch {
	case r.LimitUSD == nil && r.SpentUSD == nil:
		return ""
	case r.LimitUSD == nil:
		return fmt.Sprintf("%.2f USD this month, of an unknown limit", *r.SpentUSD)
	case r.SpentUSD == nil:
		return fmt.Sprintf("unknown, of %.2f USD a month", *r.LimitUSD)
	default:
		return fmt.Sprintf("%.2f of %.2f USD this month", *r.SpentUSD, *r.LimitUSD)
	}
}

func (r *statusResult) lastSentText() string {
	switch {
	case r.LastSent != nil:
		return minute(*r.LastSent)
	case r.Unknown["failures"] != "":
		return ""
	default:
		return fmt.Sprintf("nothing in the last %d days", int(checks.LookBack.Hours()/24))
	}
}

func minute(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func onOff(b *bool) string {
	switch {
	case b == nil:
		return ""
	case *b:
		return "on"
	default:
		return "off"
	}
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
