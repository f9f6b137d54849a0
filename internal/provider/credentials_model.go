package provider

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// Values of credentials.status: what a plan can show as wrong. Every one but
// delivered is put right by the next apply.
const (
	statusDelivered      = "delivered"
	statusKeyMissing     = "key missing"
	statusKeyInactive    = "key inactive"
	statusSecretsMissing = "secrets missing"
	statusSenderMissing  = "sender missing"
	statusOldKeyLeft     = "old key left"
)

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
}

// current is the key that the sender holds.
func (m credentialsModel) current() handover.Key {
	return handover.Key{User: m.IAMUser.ValueString(), ID: m.AccessKeyID.ValueString()}
}

// deliver records a key that the sender has taken.
func (m *credentialsModel) deliver(key awsapi.AccessKey) {
	m.AccessKeyID = types.StringValue(key.ID)
	m.CreatedAt = types.StringValue(key.CreatedAt.UTC().Format(time.RFC3339))
	m.SenderID = m.HookID
	m.Status = types.StringValue(statusDelivered)
	m.RotationDueAt = m.dueAt()
}

// read takes over what both sides say. present are the names of the sender's
// secrets; nil means that the sender itself is gone.
func (m *credentialsModel) read(keys []awsapi.AccessKey, present []string, superseded []handover.Key) {
	m.SenderID = m.HookID
	m.Status = types.StringValue(m.statusOf(keys, present, superseded))
	if i := slices.IndexFunc(keys, func(k awsapi.AccessKey) bool { return k.ID == m.AccessKeyID.ValueString() }); i >= 0 {
		m.CreatedAt = types.StringValue(keys[i].CreatedAt.UTC().Format(time.RFC3339))
	}
	m.RotationDueAt = m.dueAt()
	if m.ForceDestroy.IsNull() {
		m.ForceDestroy = types.BoolValue(false)
	}
}

func (m credentialsModel) statusOf(keys []awsapi.AccessKey, present []string, superseded []handover.Key) string {
	i := slices.IndexFunc(keys, func(k awsapi.AccessKey) bool { return k.ID == m.AccessKeyID.ValueString() })
	switch {
	case i < 0:
		return statusKeyMissing
	case !keys[i].Active:
		return statusKeyInactive
	case present == nil:
		return statusSenderMissing
	case slices.ContainsFunc(handover.SecretNames(), func(n string) bool { return !slices.Contains(present, n) }):
		return statusSecretsMissing
	case len(superseded) > 0:
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

// due tells whether the key has reached its age limit.
func (m credentialsModel) due(now time.Time) bool {
	at, err := time.Parse(time.RFC3339, m.RotationDueAt.ValueString())
	return err == nil && !now.Before(at)
}

// rotates tells whether going from state to the plan m takes a new key.
// keepers of an import are recorded, not acted on: the key that was found is
// as good as the one a rotation would make.
func (m credentialsModel) rotates(state credentialsModel, imported bool, now time.Time) bool {
	keepersChanged := !m.Keepers.Equal(state.Keepers) && !imported
	broken := state.Status.ValueString() != statusDelivered && state.Status.ValueString() != statusOldKeyLeft
	return keepersChanged || broken || !m.Region.Equal(state.Region) || !m.IAMUser.Equal(state.IAMUser) || m.due(now)
}

// minRotateAfter keeps a typing error from rotating in every apply.
const minRotateAfter = time.Hour

// parseRotateAfter reads "90d" or a Go duration such as "2160h".
func parseRotateAfter(s string) (time.Duration, error) {
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil {
		return 0, fmt.Errorf("%q is no duration: use days such as \"90d\", or hours such as \"2160h\"", s)
	}
	if d < minRotateAfter || d > 10*365*24*time.Hour {
		return 0, fmt.Errorf("%q is not between 1 hour and 10 years", s)
	}
	return d, nil
}

// age puts a duration in days, or in hours below two days.
func age(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// credentialsImportID is the id of an import: the four things that cannot be
// found out, since Auth0 returns no secret values.
type credentialsImportID struct{ user, accessKeyID, hookID, region string }

func parseCredentialsImportID(id string) (credentialsImportID, error) {
	parts := strings.Split(id, "/")
	if len(parts) != 4 || slices.Contains(parts, "") {
		return credentialsImportID{}, fmt.Errorf("%q is not <IAM user>/<access key id>/<hook id>/<region>", id)
	}
	if !awsapi.ValidRegionName(parts[3]) {
		return credentialsImportID{}, fmt.Errorf("%q in %q is not the name of an AWS region", parts[3], id)
	}
	return credentialsImportID{parts[0], parts[1], parts[2], parts[3]}, nil
}
