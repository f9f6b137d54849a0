package provider

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/terraform-plugin-framework/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

var mintedAt = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

func deliveredCredentials() credentialsModel {
	return credentialsModel{
		IAMUser:       types.StringValue("auth0-mfa-sms"),
		HookID:        types.StringValue("hook-1"),
		Region:        types.StringValue("us-east-1"),
		RotateAfter:   types.StringValue("90d"),
		Keepers:       mapValue(map[string]string{"rotation": "1"}),
		ForceDestroy:  types.BoolValue(false),
		AccessKeyID:   types.StringValue("AKIAOLD"),
		CreatedAt:     types.StringValue("2026-08-01T12:00:00Z"),
		RotationDueAt: types.StringValue("2026-10-30T12:00:00Z"),
		SenderID:      types.StringValue("hook-1"),
		Status:        types.StringValue(statusDelivered),
	}
}

func TestParseRotateAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"90d":    90 * 24 * time.Hour,
		"1d":     24 * time.Hour,
		"2160h":  90 * 24 * time.Hour,
		"1h30m":  90 * time.Minute,
		"1h":     time.Hour,
		"3650d":  3650 * 24 * time.Hour,
		"87600h": 87600 * time.Hour,
	} {
		if got, err := parseRotateAfter(text); err != nil || got != want {
			t.Errorf("rotate_after = %q: got %s, %v; the key would not be rotated after %s", text, got, err, want)
		}
	}
	// The last two are too long for a time.Duration: unchecked, they would wrap round to a valid one.
	for _, text := range []string{"", "d", "90", "90 d", "1.5d", "-1d", "0d", "59m", "0h", "3651d", "90days", "1w", "213505d", "9223372036854775807d"} {
		if got, err := parseRotateAfter(text); err == nil {
			t.Errorf("rotate_after = %q was taken as %s: a typing error would set the rotation", text, got)
		} else if !strings.Contains(err.Error(), `"`+text+`"`) {
			t.Errorf("rotate_after = %q: the message does not quote the value: %s", text, err)
		}
	}
}

func TestCredentialsDueAt(t *testing.T) {
	tests := map[string]struct {
		createdAt, rotateAfter, want types.String
	}{
		"both known":          {types.StringValue("2026-08-01T12:00:00Z"), types.StringValue("90d"), types.StringValue("2026-10-30T12:00:00Z")},
		"never":               {types.StringValue("2026-08-01T12:00:00Z"), types.StringNull(), types.StringNull()},
		"not minted yet":      {types.StringUnknown(), types.StringValue("90d"), types.StringNull()},
		"key that is missing": {types.StringNull(), types.StringValue("90d"), types.StringNull()},
		"limit not known yet": {types.StringValue("2026-08-01T12:00:00Z"), types.StringUnknown(), types.StringNull()},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := credentialsModel{CreatedAt: test.createdAt, RotateAfter: test.rotateAfter}
			if got := m.dueAt(); !got.Equal(test.want) {
				t.Errorf("rotation_due_at = %s, want %s", got, test.want)
			}
		})
	}
}

// TestCredentialsStatus: what is missing here, a plan does not show and no apply mends.
func TestCredentialsStatus(t *testing.T) {
	var (
		active   = []awsapi.AccessKey{{ID: "AKIAFOREIGN", Active: true}, {ID: "AKIAOLD", Active: true, CreatedAt: mintedAt}}
		inactive = []awsapi.AccessKey{{ID: "AKIAOLD", CreatedAt: mintedAt}}
		foreign  = []awsapi.AccessKey{{ID: "AKIAFOREIGN", Active: true}}
		all      = append(handover.SecretNames(), "OTHER")
		left     = []handover.Key{{User: "auth0-mfa-sms", ID: "AKIALEFT"}}
		early    = mintedAt.Add(time.Hour)
		late     = mintedAt.Add(90 * 24 * time.Hour)
	)
	hook := func(names []string) senderSecrets { return senderSecrets{exists: true, names: names} }
	action := senderSecrets{exists: true, names: all, written: mintedAt}
	inDoubt := handover.Record{Run: "1", Offered: left}
	oldLeft := handover.Record{Run: "1", Retiring: left}
	tests := map[string]struct {
		found seen
		now   time.Time
		want  string
	}{
		"as delivered":                {seen{keys: active, sender: hook(all)}, early, statusDelivered},
		"user without keys":           {seen{sender: hook(all)}, early, statusKeyMissing},
		"only a foreign key":          {seen{keys: foreign, sender: hook(all)}, early, statusKeyMissing},
		"key deactivated":             {seen{keys: inactive, sender: hook(all)}, early, statusKeyInactive},
		"hook gone":                   {seen{keys: active}, early, statusSenderMissing},
		"no secret":                   {seen{keys: active, sender: hook(nil)}, early, statusSecretsMissing},
		"one secret missing":          {seen{keys: active, sender: hook([]string{handover.SecretAccessKeyID, handover.SecretRegion, "OTHER"})}, early, statusSecretsMissing},
		"delivery in doubt":           {seen{keys: active, sender: hook(all), record: inDoubt}, early, statusInDoubt},
		"a second before the limit":   {seen{keys: active, sender: hook(all)}, late.Add(-time.Second), statusDelivered},
		"at the limit":                {seen{keys: active, sender: hook(all)}, late, statusRotationDue},
		"old key left":                {seen{keys: active, sender: hook(all), record: oldLeft}, early, statusOldKeyLeft},
		"old key left, and due":       {seen{keys: active, sender: hook(all), record: oldLeft}, late, statusRotationDue},
		"inactive, and hook gone":     {seen{keys: inactive}, late, statusKeyInactive},
		"Action as written":           {seen{keys: active, sender: action, written: mintedAt}, early, statusDelivered},
		"Action rewritten by hand":    {seen{keys: active, sender: action, written: early}, early, statusRewritten},
		"Action rolled back by hand":  {seen{keys: active, sender: senderSecrets{exists: true, names: all, written: mintedAt, outdated: true}, written: mintedAt}, early, statusRewritten},
		"Action never deployed since": {seen{keys: active, sender: action, written: early, record: inDoubt}, early, statusInDoubt},
		"Action never looked at":      {seen{keys: active, sender: action}, early, statusDelivered},
		"key of the bridge user": {seen{keys: foreign, sender: hook(all), record: handover.Record{
			Run: "1", Holds: handover.Key{User: "auth0-mfa-sms-bridge", ID: "AKIAOTHER"}, Bridge: true,
		}}, early, statusBridge},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := deliveredCredentials()
			m.Status = types.StringNull()
			m.read(test.found, test.now)
			if got := m.Status.ValueString(); got != test.want {
				t.Errorf("status %q, want %q", got, test.want)
			}
		})
	}
}

// TestCredentialsReadTheKeyOfTheRecord: an apply that was killed after the
// delivery leaves a state with the old key, and the key in use would be taken
// for a foreign one.
func TestCredentialsReadTheKeyOfTheRecord(t *testing.T) {
	m := deliveredCredentials()
	key := awsapi.AccessKey{ID: "AKIANEW", Active: true, CreatedAt: mintedAt.Add(time.Hour)}
	m.read(seen{
		keys: []awsapi.AccessKey{key}, sender: senderSecrets{exists: true, names: handover.SecretNames()},
		record: handover.Record{Run: "1", Holds: handover.Key{User: m.IAMUser.ValueString(), ID: "AKIANEW"}},
	}, mintedAt.Add(2*time.Hour))
	if m.AccessKeyID.ValueString() != "AKIANEW" || m.Status.ValueString() != statusDelivered || m.CreatedAt.ValueString() != key.CreatedAt.Format(time.RFC3339) {
		t.Errorf("key %s made %s is %s, want AKIANEW delivered", m.AccessKeyID, m.CreatedAt, m.Status)
	}
}

func TestCredentialsReadCompletesAnImport(t *testing.T) {
	want := deliveredCredentials()
	want.RotateAfter, want.RotationDueAt, want.Keepers = types.StringNull(), types.StringNull(), types.MapNull(types.StringType)
	m := credentialsModel{
		IAMUser: want.IAMUser, HookID: want.HookID, Region: want.Region, AccessKeyID: want.AccessKeyID,
		Keepers: types.MapNull(types.StringType),
	}
	m.read(seen{
		keys: []awsapi.AccessKey{{ID: "AKIAOLD", Active: true, CreatedAt: mintedAt}}, sender: senderSecrets{exists: true, names: handover.SecretNames()},
	}, mintedAt)
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("after an import the state is not what a create would have left (-want +got):\n%s", diff)
	}
}

// TestCredentialsRotates: a missing case keeps an old or broken key, a case too
// many changes the key of a live sender for nothing.
func TestCredentialsRotates(t *testing.T) {
	status := func(s string) func(plan, state *credentialsModel) {
		return func(_, state *credentialsModel) { state.Status = types.StringValue(s) }
	}
	tests := map[string]struct {
		change   func(plan, state *credentialsModel)
		imported bool
		want     bool
	}{
		"nothing":                     {func(_, _ *credentialsModel) {}, false, false},
		"keepers":                     {func(plan, _ *credentialsModel) { plan.Keepers = mapValue(map[string]string{"rotation": "2"}) }, false, true},
		"keepers removed":             {func(plan, _ *credentialsModel) { plan.Keepers = types.MapNull(types.StringType) }, false, true},
		"keepers not known yet":       {func(plan, _ *credentialsModel) { plan.Keepers = types.MapUnknown(types.StringType) }, false, true},
		"keepers first set":           {func(_, state *credentialsModel) { state.Keepers = types.MapNull(types.StringType) }, false, true},
		"keepers after an import":     {func(_, state *credentialsModel) { state.Keepers = types.MapNull(types.StringType) }, true, false},
		"region after an import":      {func(plan, _ *credentialsModel) { plan.Region = types.StringValue("eu-west-1") }, true, true},
		"region":                      {func(plan, _ *credentialsModel) { plan.Region = types.StringValue("eu-west-1") }, false, true},
		"user":                        {func(plan, _ *credentialsModel) { plan.IAMUser = types.StringValue("other") }, false, true},
		"user not known yet":          {func(plan, _ *credentialsModel) { plan.IAMUser = types.StringUnknown() }, false, true},
		"force_destroy":               {func(plan, _ *credentialsModel) { plan.ForceDestroy = types.BoolValue(true) }, false, false},
		"key missing":                 {status(statusKeyMissing), false, true},
		"key inactive":                {status(statusKeyInactive), false, true},
		"secrets missing":             {status(statusSecretsMissing), false, true},
		"sender missing":              {status(statusSenderMissing), false, true},
		"delivery in doubt":           {status(statusInDoubt), false, true},
		"due":                         {status(statusRotationDue), false, true},
		"old key left":                {status(statusOldKeyLeft), false, false},
		"limit passed since the read": {func(_, _ *credentialsModel) {}, false, false},
		"new limit in the future":     {func(plan, _ *credentialsModel) { plan.RotateAfter = types.StringValue("30d") }, false, false},
		"new limit in the past, which the next plan acts on": {func(plan, _ *credentialsModel) { plan.RotateAfter = types.StringValue("1h") }, false, false},
		"limit removed from a due key": {func(plan, state *credentialsModel) {
			plan.RotateAfter = types.StringNull()
			state.Status = types.StringValue(statusRotationDue)
		}, false, false},
		"limit extended of a due key": {func(plan, state *credentialsModel) {
			plan.RotateAfter = types.StringValue("365d")
			state.Status = types.StringValue(statusRotationDue)
		}, false, false},
		"new limit that is not known": {func(plan, _ *credentialsModel) { plan.RotateAfter = types.StringUnknown() }, false, false},
		"new limit, plan of a rotation": {func(plan, _ *credentialsModel) {
			plan.RotateAfter = types.StringValue("1h")
			plan.CreatedAt = types.StringUnknown()
		}, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			plan, state := deliveredCredentials(), deliveredCredentials()
			test.change(&plan, &state)
			if got := plan.rotates(state, test.imported); got != test.want {
				t.Errorf("takes a new key: %t, want %t", got, test.want)
			}
		})
	}
}

func TestParseCredentialsImportID(t *testing.T) {
	got, err := parseCredentialsImportID("auth0-mfa-sms/AKIAOLD/01HOOK/eu-central-1")
	if want := (credentialsImportID{"auth0-mfa-sms", "AKIAOLD", "01HOOK", "eu-central-1"}); err != nil || got != want {
		t.Errorf("got %v, %v", got, err)
	}
	for _, id := range []string{"", "user", "user/AKIAOLD/hook", "user/AKIAOLD/hook/", "/AKIAOLD/hook/eu-west-1", "user//hook/eu-west-1", "path/user/AKIAOLD/hook/eu-west-1", "user/AKIAOLD/hook/frankfurt"} {
		if got, err := parseCredentialsImportID(id); err == nil {
			t.Errorf("import id %q was taken as %v", id, got)
		} else if !strings.Contains(err.Error(), id) {
			t.Errorf("import id %q: the message does not quote it: %s", id, err)
		}
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		90 * time.Minute: "1h30m", 47 * time.Hour: "47h0m", 48 * time.Hour: "2 days", 91 * 24 * time.Hour: "91 days",
	} {
		if got := age(d); got != want {
			t.Errorf("age(%s) = %q, want %q", d, got, want)
		}
	}
}
