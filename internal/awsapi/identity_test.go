package awsapi

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIdentityIsAskedOnce(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"GetCallerIdentity": {
		callerIs(testAccount, "arn:aws-us-gov:sts::123456789012:assumed-role/deployer/me"),
	}})
	client := newClient(t, Config{EndpointURL: aws.URL})
	want := Identity{AccountID: testAccount, ARN: "arn:aws-us-gov:sts::123456789012:assumed-role/deployer/me", Partition: "aws-us-gov"}
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if got, err := client.Identity(t.Context()); err != nil || got != want {
				t.Errorf("%+v, %v; want %+v", got, err, want)
			}
		})
	}
	group.Wait()
	if calls := count(aws, "GetCallerIdentity"); calls != 1 {
		t.Errorf("asked %d times: a plan is to make few calls", calls)
	}
}

func TestIdentityAsksAgainAfterAFailure(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"GetCallerIdentity": {
		failure(403, "ExpiredToken", "expired"), callerIs(testAccount, callerARN),
	}})
	client := newClient(t, Config{EndpointURL: aws.URL})
	if _, err := client.Identity(t.Context()); KindOf(err) != ExpiredCredentials {
		t.Fatalf("%v", err)
	}
	if _, err := client.Identity(t.Context()); err != nil {
		t.Errorf("renewed credentials do not help until the process ends: %v", err)
	}
}

func TestAccountGuard(t *testing.T) {
	const other = "999999999999"
	caller := map[string]reply{
		testAccount: callerIs(testAccount, callerARN),
		other:       callerIs(other, "arn:aws:iam::999999999999:user/operator"),
	}
	user := result("GetUser", userXML)
	missing := failure(404, "NoSuchEntity", "no user sender")
	denied := failure(403, "AccessDenied", "no")
	tests := map[string]struct {
		allowed []string
		account string // of the credentials
		getUser reply
		kind    Kind // of the error; Unknown for none
		wrong   bool // AccountError
		calls   []string
	}{
		"any account":                 {nil, testAccount, user, Unknown, false, []string{"GetUser"}},
		"any account, missing":        {nil, testAccount, missing, NotFound, false, []string{"GetUser"}},
		"right account":               {[]string{other, testAccount}, testAccount, user, Unknown, false, []string{"GetUser"}},
		"right account, missing":      {[]string{testAccount}, testAccount, missing, NotFound, false, []string{"GetUser", "GetCallerIdentity"}},
		"right account, denied":       {[]string{testAccount}, testAccount, denied, AccessDenied, false, []string{"GetUser", "GetCallerIdentity"}},
		"wrong account, a namesake":   {[]string{other}, testAccount, user, Unknown, true, []string{"GetUser"}},
		"wrong account, missing":      {[]string{testAccount}, other, missing, Unknown, true, []string{"GetUser", "GetCallerIdentity"}},
		"wrong account, denied":       {[]string{testAccount}, other, denied, Unknown, true, []string{"GetUser", "GetCallerIdentity"}},
		"expired, so nothing is told": {[]string{testAccount}, other, failure(403, "ExpiredToken", "expired"), ExpiredCredentials, false, []string{"GetUser"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := newFake(t, map[string][]reply{"GetUser": {test.getUser}, "GetCallerIdentity": {caller[test.account]}})
			client := newClient(t, Config{EndpointURL: aws.URL, AllowedAccountIDs: test.allowed})
			_, err := client.User(t.Context(), "sender")
			var wrong *AccountError
			if errors.As(err, &wrong) != test.wrong {
				t.Fatalf("%v: in a wrong account a missing user must not pass for deleted, nor a namesake for ours", err)
			}
			if KindOf(err) != test.kind || (err == nil) != (test.kind == Unknown && !test.wrong) {
				t.Errorf("%v, want kind %d", err, test.kind)
			}
			if diff := cmp.Diff(test.calls, aws.actions()); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			again := client.CheckAccount(t.Context())
			if errors.As(again, &wrong) != test.wrong && test.kind != ExpiredCredentials {
				t.Errorf("CheckAccount says otherwise: %v", again)
			}
		})
	}
}

func TestAccountErrorIsForTheReader(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"GetCallerIdentity": {callerIs(testAccount, callerARN)}})
	client := newClient(t, Config{EndpointURL: aws.URL, AllowedAccountIDs: []string{"111111111111", "222222222222"}})
	err := client.CheckAccount(t.Context())
	for _, part := range []string{testAccount, callerARN, "111111111111, 222222222222", "allowed_account_ids", "profile"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("the text lacks %q: %v", part, err)
		}
	}
}

func TestNothingIsDoneInAWrongAccount(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"GetCallerIdentity": {callerIs(testAccount, callerARN)}})
	client := newClient(t, Config{EndpointURL: aws.URL, AllowedAccountIDs: []string{"111111111111"}})
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"CreateUser":             func() error { _, err := client.CreateUser(ctx, User{Name: "u"}); return err },
		"RenameUser":             func() error { return client.RenameUser(ctx, "u", "v", "") },
		"SetPermissionsBoundary": func() error { return client.SetPermissionsBoundary(ctx, "u", "") },
		"TagUser":                func() error { return client.TagUser(ctx, "u", map[string]string{"a": "b"}) },
		"UntagUser":              func() error { return client.UntagUser(ctx, "u", []string{"a"}) },
		"DeleteUser":             func() error { return client.DeleteUser(ctx, "u") },
		"UserPolicy":             func() error { _, err := client.UserPolicy(ctx, "u", "p"); return err },
		"PutUserPolicy":          func() error { return client.PutUserPolicy(ctx, "u", "p", "{}") },
		"DeleteUserPolicy":       func() error { return client.DeleteUserPolicy(ctx, "u", "p") },
		"AccessKeys":             func() error { _, err := client.AccessKeys(ctx, "u"); return err },
		"CreateAccessKey":        func() error { _, err := client.CreateAccessKey(ctx, "u"); return err },
		"SetAccessKeyActive":     func() error { return client.SetAccessKeyActive(ctx, "u", testKeyID, false) },
		"DeleteAccessKey":        func() error { return client.DeleteAccessKey(ctx, "u", testKeyID) },
		"AccessKeyLastUsed":      func() error { _, err := client.AccessKeyLastUsed(ctx, testKeyID); return err },
	} {
		var wrong *AccountError
		if err := call(); !errors.As(err, &wrong) {
			t.Errorf("%s: %v, want an AccountError", name, err)
		}
	}
	if diff := cmp.Diff([]string{"GetCallerIdentity"}, aws.actions()); diff != "" {
		t.Errorf("calls reached the wrong account (-want +got):\n%s", diff)
	}
}

func TestAnEmptyAnswerIsNoAccount(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"GetCallerIdentity": {{200, ""}}})
	client := newClient(t, Config{EndpointURL: aws.URL, AllowedAccountIDs: []string{testAccount}})
	if err := client.CheckAccount(t.Context()); KindOf(err) != Transport {
		t.Errorf("%v: an answer of some proxy was taken for an account", err)
	}
}
