package awsapi

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAccessKeysOfAllPagesOldestFirst(t *testing.T) {
	t.Parallel()
	member := func(id, status, at string) string {
		return "<member><AccessKeyId>" + id + "</AccessKeyId><Status>" + status + "</Status><CreateDate>" + at + "</CreateDate></member>"
	}
	aws := newFake(t, map[string][]reply{"ListAccessKeys": {
		result("ListAccessKeys", "<IsTruncated>true</IsTruncated><Marker>next</Marker><AccessKeyMetadata>"+member("AKIANEW", "Active", "2026-11-23T10:00:00Z")+"</AccessKeyMetadata>"),
		result("ListAccessKeys", "<IsTruncated>false</IsTruncated><AccessKeyMetadata>"+member("AKIAOLD", "Inactive", "2025-01-01T00:00:00Z")+"</AccessKeyMetadata>"),
	}})
	got, err := newClient(t, Config{EndpointURL: aws.URL}).AccessKeys(t.Context(), "sender")
	want := []AccessKey{
		{ID: "AKIAOLD", CreatedAt: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)},
		{ID: "AKIANEW", Active: true, CreatedAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; a rotation would retire the wrong key (-want +got):\n%s", err, diff)
	}
}

func TestCreateAccessKeyHandsOverTheSecret(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"CreateAccessKey": {result("CreateAccessKey", keyXML)}})
	key, err := newClient(t, Config{EndpointURL: aws.URL}).CreateAccessKey(t.Context(), "sender")
	if err != nil || key.ID != testKeyID || !key.Active || key.Secret.Reveal() != testSecret {
		t.Errorf("%v, %+v: the sender would get a key that does not work", err, key)
	}
}

func TestAccessKeyLastUsed(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer string
		want   LastUsed
	}{
		"used":  {"<LastUsedDate>2026-11-23T10:00:00Z</LastUsedDate><ServiceName>sns</ServiceName><Region>eu-west-1</Region>", LastUsed{time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), "sns", "eu-west-1"}},
		"never": {"<ServiceName>N/A</ServiceName><Region>N/A</Region>", LastUsed{}},
	}
	for name, test := range tests {
		aws := newFake(t, map[string][]reply{"GetAccessKeyLastUsed": {
			result("GetAccessKeyLastUsed", "<UserName>sender</UserName><AccessKeyLastUsed>"+test.answer+"</AccessKeyLastUsed>"),
		}})
		got, err := newClient(t, Config{EndpointURL: aws.URL}).AccessKeyLastUsed(t.Context(), testKeyID)
		if err != nil || got != test.want {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answer   reply
		accepted bool
		asked    bool
	}{
		"accepted":         {callerIs(testAccount, userARN), true, true},
		"not known yet":    {failure(403, "InvalidClientTokenId", "The security token included in the request is invalid."), false, true},
		"secret not known": {failure(403, "SignatureDoesNotMatch", "no match"), false, true},
		"expired":          {failure(403, "ExpiredToken", "expired"), false, false},
		"server failure":   {failure(500, "InternalFailure", "sorry"), false, false},
		"dropped":          {reply{}, false, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := newFake(t, map[string][]reply{"GetCallerIdentity": {test.answer}})
			client := newClient(t, Config{EndpointURL: aws.URL, Region: "us-east-1"})
			key := NewAccessKey{AccessKey: AccessKey{ID: testKeyID}, Secret: NewSecret(testSecret)}
			accepted, err := client.Accepted(t.Context(), "eu-west-1", key)
			if accepted != test.accepted || (err == nil) != test.asked {
				t.Errorf("%t, %v: a key would be delivered too early, or never", accepted, err)
			}
			if err != nil && strings.Contains(err.Error(), testSecret) {
				t.Errorf("the secret is in the error: %v", err)
			}
			if calls := count(aws, "GetCallerIdentity"); calls != 1 {
				t.Errorf("asked %d times: the caller sets the pace", calls)
			}
			if signed := aws.last(t).Authorization; !strings.Contains(signed, testKeyID+"/") || !strings.Contains(signed, "/eu-west-1/sts/") {
				t.Errorf("signed %q: not the new key's, or not where it will be used", signed)
			}
		})
	}
}

func TestAcceptedDoesNotTeachTheOperatorsIdentity(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"GetCallerIdentity": {callerIs(testAccount, userARN), callerIs(testAccount, callerARN)}})
	client := newClient(t, Config{EndpointURL: aws.URL})
	if _, err := client.Accepted(t.Context(), "eu-west-1", NewAccessKey{AccessKey: AccessKey{ID: testKeyID}, Secret: NewSecret(testSecret)}); err != nil {
		t.Fatal(err)
	}
	if caller, err := client.Identity(t.Context()); err != nil || caller.ARN != callerARN {
		t.Errorf("%+v, %v: the sender passes for the operator", caller, err)
	}
}
