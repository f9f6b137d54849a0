package provider

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework-timeouts/resource/timeouts"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// Values of credentials.status: what a plan can show as due or wrong. Every one
// but delivered is put right by the next apply.
const (
	statusDelivered      = "delivered"
	statusKeyMissing     = "key missing"
	statusKeyInactive    = "key inactive"
	statusSecretsMissing = "secrets missing"
	statusRewritten      = "secrets rewritten"
	statusSenderMissing  = "sender missing"
	statusInDoubt        = "delivery in doubt"
	statusForeign        = "key of another object"
	statusBridge         = "key of the bridge user"
	statusRotationDue    = "rotation due"
	statusOldKeyLeft     = "old key left"
)

// seen is what a refresh found out about credentials.
type seen struct {
	keys []awsapi.AccessKey
	// record is the zero value where the keys alone say that all is well.
	record handover.Record
	// owner is whose the record is; "" where it was not asked.
	owner string
	// foreign says that the record is another object's, and that the sender holds
	// a key of that. It was made by an apply that did not live to write the state.
	foreign bool
	sender  senderSecrets
	// written is when the secrets were last written by Terraform.
	written time.Time
}

type credentialsModel struct {
	IAMUser       types.String `tfsdk:"iam_user"`
	HookID        types.String `tfsdk:"hook_id"`
	ActionID      types.String `tfsdk:"action_id"`
	Region        types.String `tfsdk:"region"`
	RotateAfter   types.String `tfsdk:"rotate_after"`
	Keepers       types.Map    `tfsdk:"keepers"`
	ForceDestroy  types.Bool   `tfsdk:"force_destroy"`
	AccessKeyID   types.String `tfsdk:"access_key_id"`
	CreatedAt     types.String `tfsdk:"created_at"`
	RotationDueAt types.String `tfsdk:"rotation_due_at"`
	SenderID      types.String `tfsdk:"sender_id"`
	Status        types.String `tfsdk:"status"`
	RecordOwner   types.String `tfsdk:"record_owner"`

	Timeouts timeouts.Value `tfsdk:"timeouts"`
}

// sender is the id of the hook or Action.
func (m credentialsModel) sender() string {
	if m.ActionID.ValueString() != "" {
		return m.ActionID.ValueString()
	}
	return m.HookID.ValueString()
}

// imported tells whether the model is that of an import, before its first read.
func (m credentialsModel) imported() bool { return m.SenderID.IsNull() }

// current is the key that the sender holds.
func (m credentialsModel) current() handover.Key {
	return handover.Key{User: m.IAMUser.ValueString(), ID: m.AccessKeyID.ValueString()}
}

// deliver records a key that the sender has taken.
func (m *credentialsModel) deliver(key awsapi.AccessKey) {
	m.AccessKeyID = types.StringValue(key.ID)
	m.CreatedAt = types.StringValue(key.CreatedAt.UTC().Format(time.RFC3339))
	m.SenderID = types.StringValue(m.sender())
	m.Status = types.StringValue(statusDelivered)
	m.RotationDueAt = m.dueAt()
}

// read takes over what both sides say. The key is the one that the record names:
// the run that delivered it may not have lived to write the state.
func (m *credentialsModel) read(found seen, now time.Time) {
	if holds := found.record.Holds.ID; holds != "" {
		m.AccessKeyID = types.StringValue(holds)
	}
	if i := m.find(found.keys); i >= 0 {
		m.CreatedAt = types.StringValue(found.keys[i].CreatedAt.UTC().Format(time.RFC3339))
	}
	if m.imported() {
		m.RecordOwner = optionalString(found.owner)
	}
	m.SenderID = types.StringValue(m.sender())
	m.RotationDueAt = m.dueAt()
	m.Status = types.StringValue(m.statusOf(found, now))
	if m.ForceDestroy.IsNull() {
		m.ForceDestroy = types.BoolValue(false)
	}
}

// find is the index of the model's key, -1 where it is not among keys.
func (m credentialsModel) find(keys []awsapi.AccessKey) int {
	return slices.IndexFunc(keys, func(k awsapi.AccessKey) bool { return k.ID == m.AccessKeyID.ValueString() })
}

func (m credentialsModel) statusOf(found seen, now time.Time) string {
	i := m.find(found.keys)
	switch {
	case found.record.Holds.ID == m.AccessKeyID.ValueString() && found.record.Holds.User != m.IAMUser.ValueString():
		return statusBridge
	case found.foreign:
		return statusForeign
	case i < 0:
		return statusKeyMissing
	case !found.keys[i].Active:
		return statusKeyInactive
	case !found.sender.exists:
		return statusSenderMissing
	case slices.ContainsFunc(handover.SecretNames(), func(n string) bool { return !slices.Contains(found.sender.names, n) }):
		return statusSecretsMissing
	case len(found.record.Offered) > 0: // Then it was Terraform that wrote last.
		return statusInDoubt
	case found.sender.outdated || !found.written.IsZero() && !found.sender.written.Equal(found.written):
		return statusRewritten
	case m.pastDue(now):
		return statusRotationDue
	case found.record.Open():
		return statusOldKeyLeft
	default:
		return statusDelivered
	}
}

// dueAt is created_at plus rotate_after, null where either is missing.
func (m credentialsModel) dueAt() types.String {
	after, err := parseRotateAfter(m.RotateAfter.ValueString())
	created, createdErr := time.Parse(time.RFC3339, m.CreatedAt.ValueString())
	if err != nil || createdErr != nil {
		return types.StringNull()
	}
	return types.StringValue(created.Add(after).UTC().Format(time.RFC3339))
}

// pastDue tells whether the key has reached its age limit.
func (m credentialsModel) pastDue(now time.Time) bool {
	at, err := time.Parse(time.RFC3339, m.dueAt().ValueString())
	return err == nil && !now.Before(at)
}

// due tells whether going from state to the plan m finds the key at its age
// limit. The refresh has decided that: Terraform plans again while it applies,
// and a limit that passed in between would make the second plan contradict the
// approved one. For the same reason a new limit counts from the next plan on.
func (m credentialsModel) due(state credentialsModel) bool {
	return m.RotateAfter.Equal(state.RotateAfter) && state.Status.ValueString() == statusRotationDue
}

// rotates tells whether going from state to the plan m takes a new key.
// keepers of an import are recorded, not acted on: the key that was found is
// as good as the one a rotation would make.
func (m credentialsModel) rotates(state credentialsModel, imported bool) bool {
	keepersChanged := !m.Keepers.Equal(state.Keepers) && !imported
	return keepersChanged || state.broken() || !m.Region.Equal(state.Region) || !m.IAMUser.Equal(state.IAMUser) || m.due(state)
}

// broken tells whether the sender cannot send with the key, or perhaps has
// another, so that it is to get a new one.
func (m credentialsModel) broken() bool {
	return slices.Contains([]string{
		statusKeyMissing, statusKeyInactive, statusSecretsMissing, statusRewritten, statusSenderMissing, statusInDoubt, statusForeign, statusBridge,
	}, m.Status.ValueString())
}

// minRotateAfter keeps a typing error from rotating in every apply.
const (
	minRotateAfter = time.Hour
	maxRotateAfter = 10 * 365 * 24 * time.Hour
)

// parseRotateAfter reads "90d" or a Go duration such as "2160h".
func parseRotateAfter(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int64
		n, err = strconv.ParseInt(days, 10, 16)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, fmt.Errorf("%q is no duration: use days such as \"90d\", or hours such as \"2160h\"", s)
	}
	if err != nil || d < minRotateAfter || d > maxRotateAfter {
		return 0, fmt.Errorf("%q is not between 1 hour and 10 years", s)
	}
	return d, nil
}

// age puts a duration in days, or in hours and minutes below two days.
func age(d time.Duration) string {
	if d < 48*time.Hour {
		return strings.TrimSuffix(d.Truncate(time.Minute).String(), "0s")
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// credentialsImportID is the id of an import: the four things that cannot be
// found out, since Auth0 returns no secret values.
type credentialsImportID struct{ user, accessKeyID, senderID, region string }

func parseCredentialsImportID(id string) (credentialsImportID, error) {
	parts := strings.Split(id, "/")
	if len(parts) != 4 || slices.Contains(parts, "") {
		return credentialsImportID{}, fmt.Errorf("%q is not <IAM user>/<access key id>/<hook or Action id>/<region>", id)
	}
	if !awsapi.ValidRegionName(parts[3]) {
		return credentialsImportID{}, fmt.Errorf("%q in %q is not the name of an AWS region", parts[3], id)
	}
	return credentialsImportID{parts[0], parts[1], parts[2], parts[3]}, nil
}
