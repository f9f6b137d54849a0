package awsapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestEveryAnswerHasItsKind(t *testing.T) {
	denied := "User: " + callerARN + " is not authorized to perform: iam:GetUser on resource: user sender because no identity-based policy allows the iam:GetUser action"
	tests := map[string]struct {
		reply reply
		kind  Kind
		says  []string // of the text, beside operation, code, status and request id
	}{
		"NoSuchEntity":            {failure(404, "NoSuchEntity", "no user sender"), NotFound, []string{"no user sender"}},
		"EntityAlreadyExists":     {failure(409, "EntityAlreadyExists", "taken"), AlreadyExists, []string{"Import"}},
		"LimitExceeded":           {failure(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"), LimitExceeded, []string{"AccessKeysPerUser", "quota"}},
		"DeleteConflict":          {failure(409, "DeleteConflict", "must delete access keys first"), DeleteConflict, []string{"Remove what"}},
		"AccessDenied":            {failure(403, "AccessDenied", denied), AccessDenied, []string{callerARN, "Allow iam:GetUser"}},
		"AccessDenied, explicit":  {failure(403, "AccessDenied", "not authorized to perform: iam:GetUser on resource: x with an explicit deny in a service control policy"), AccessDenied, []string{"A policy denies iam:GetUser"}},
		"AuthorizationError":      {failure(403, "AuthorizationError", "no"), AccessDenied, []string{"Allow iam:GetUser"}},
		"InvalidClientTokenId":    {failure(403, "InvalidClientTokenId", "invalid token"), InvalidCredentials, []string{"partition"}},
		"SignatureDoesNotMatch":   {failure(403, "SignatureDoesNotMatch", "wrong"), InvalidCredentials, []string{"secret"}},
		"UnrecognizedClient":      {failure(403, "UnrecognizedClient", "unknown"), InvalidCredentials, nil},
		"ExpiredToken":            {failure(403, "ExpiredToken", "expired"), ExpiredCredentials, []string{"aws sso login"}},
		"RequestExpired":          {failure(400, "RequestExpired", "expired"), ExpiredCredentials, []string{"clock"}},
		"MalformedPolicyDocument": {failure(400, "MalformedPolicyDocument", "Syntax errors in policy."), Malformed, []string{"policy document"}},
		"InvalidInput":            {failure(400, "InvalidInput", "bad tag"), Invalid, []string{"bad tag"}},
		"ValidationError":         {failure(400, "ValidationError", "bad name"), Invalid, []string{"bad name"}},
		"a code nobody knows":     {failure(418, "Teapot", "short and stout"), Unknown, []string{"short and stout"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := newFake(t, map[string][]reply{"GetUser": {test.reply}})
			_, err := newClient(t, Config{EndpointURL: aws.URL}).User(t.Context(), "sender")
			e := asError(t, err)
			if e.Kind != test.kind || KindOf(fmt.Errorf("wrapped: %w", err)) != test.kind {
				t.Errorf("kind %d, want %d: the wrong remedy would be shown", e.Kind, test.kind)
			}
			if e.Ambiguous() {
				t.Error("a refusal is told as if it might have taken effect")
			}
			says := append(test.says, "iam:GetUser: AWS answered ", e.Code, fmt.Sprintf("HTTP %d", test.reply.status), "request id request-1", e.Hint())
			for _, part := range says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("the text lacks %q: %s", part, err)
				}
			}
		})
	}
}

func TestAnswersThatAreRepeatedHaveTheirKind(t *testing.T) {
	tests := map[string]struct {
		reply reply
		kind  Kind
	}{
		"Throttling":      {failure(400, "Throttling", "Rate exceeded"), Throttled},
		"Throttled":       {failure(429, "Throttled", "Rate exceeded"), Throttled},
		"429 of a proxy":  {reply{429, "<html>slow down</html>"}, Throttled},
		"ServiceFailure":  {failure(500, "ServiceFailure", "sorry"), Server},
		"500 of a proxy":  {reply{500, "<html>oops</html>"}, Server},
		"502 in old HTML": {reply{502, "<html><body bgcolor=white>Bad Gateway</html>"}, Server},
		"dropped":         {reply{}, Transport},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := newFake(t, map[string][]reply{"GetUser": {test.reply}})
			_, err := newClient(t, Config{EndpointURL: aws.URL}).User(t.Context(), "sender")
			if e := asError(t, err); e.Kind != test.kind || e.Ambiguous() {
				t.Errorf("kind %d, want %d; ambiguous %t, want false of a read: %v", e.Kind, test.kind, e.Ambiguous(), err)
			}
			if foreign := strings.HasPrefix(test.reply.body, "<html>"); foreign != strings.Contains(err.Error(), "proxy") {
				t.Errorf("the reader would look for the fault in the wrong place: %v", err)
			}
		})
	}
}

func TestMissingActionIsTheOneAWSNames(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"CreateUser": {
		failure(403, "AccessDenied", "User: x is not authorized to perform: iam:TagUser on resource: y because no identity-based policy allows it"),
	}})
	_, err := newClient(t, Config{EndpointURL: aws.URL}).CreateUser(t.Context(), User{Name: "sender"})
	if e := asError(t, err); e.MissingAction != "iam:TagUser" || !strings.Contains(err.Error(), "Allow iam:TagUser") {
		t.Errorf("%v: the reader would grant iam:CreateUser and fail again", err)
	}
}

func TestNoCredentials(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	aws := newFake(t, nil)
	client := newClient(t, Config{EndpointURL: aws.URL})
	_, err := client.CreateAccessKey(t.Context(), "sender")
	e := asError(t, err)
	if e.Kind != NoCredentials || e.Operation != "iam:CreateAccessKey" || e.Ambiguous() {
		t.Errorf("%+v", *e)
	}
	for _, part := range []string{"no AWS credentials", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "aws sso login"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("a first-time user is not told about %s: %s", part, err)
		}
	}
	if len(aws.actions()) != 0 {
		t.Errorf("unsigned calls were sent: %v", aws.actions())
	}
}

func TestNoCredentialsOfAProfile(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_CONFIG_FILE", writeFile(t, "[profile broken]\ncredential_process = false\n"))
	client := newClient(t, Config{Profile: "broken"})
	_, err := client.User(t.Context(), "sender")
	if e := asError(t, err); e.Kind != NoCredentials || !strings.Contains(err.Error(), "process") {
		t.Errorf("%v: it is to say that the profile's process failed", err)
	}
}

// The answer to CreateAccessKey is the one place where a secret crosses the wire.
func TestNoErrorHoldsTheSecret(t *testing.T) {
	good := result("CreateAccessKey", keyXML).body
	for name, body := range map[string]string{
		"cut after the secret": good[:strings.Index(good, testSecret)+len(testSecret)],
		"cut in the next tag":  good[:strings.Index(good, "</SecretAccessKey>")+5],
		"broken nesting":       strings.Replace(good, "</SecretAccessKey>", "</Secret>", 1),
		"broken date":          strings.Replace(good, "2026-11-23T10:00:00Z", "yesterday "+testSecret, 1),
		"secret as an entity":  strings.Replace(good, testSecret, "&"+testSecret+";", 1),
	} {
		for _, status := range []int{http.StatusOK, http.StatusBadRequest, http.StatusInternalServerError} {
			t.Run(fmt.Sprintf("%s, %d", name, status), func(t *testing.T) {
				t.Parallel()
				aws := newFake(t, map[string][]reply{"CreateAccessKey": {{status, body}}})
				_, err := newClient(t, Config{EndpointURL: aws.URL}).CreateAccessKey(t.Context(), "sender")
				if err == nil {
					t.Fatal("a broken answer was taken for a key")
				}
				encoded, _ := json.Marshal(err)
				for cause := err; cause != nil; {
					text := fmt.Sprintf("%v %+v %#v %s", cause, cause, cause, encoded)
					if strings.Contains(text, testSecret) || strings.Contains(text, "d0phbHJYVXRuRkVN") {
						t.Fatalf("the secret key is in an error, and so in the log: %s", text)
					}
					wrapped, ok := cause.(interface{ Unwrap() error })
					if !ok {
						return
					}
					cause = wrapped.Unwrap()
				}
			})
		}
	}
}

func TestErrorsOfOthersHaveNoKind(t *testing.T) {
	t.Parallel()
	if KindOf(nil) != Unknown || KindOf(context.Canceled) != Unknown || IsNotFound(nil) {
		t.Error("a missing or foreign error was given a kind")
	}
}

func TestAnInterruptIsNoNetworkFault(t *testing.T) {
	e := &Error{Operation: "sts:GetCallerIdentity", Kind: Transport, Err: context.Canceled}
	if text := e.Error(); !strings.Contains(text, "interrupted") || strings.Contains(text, "Check the network") {
		t.Errorf("sends a person who pressed Ctrl-C looking for a network fault: %s", text)
	}
}
