package awsapi

import (
	"context"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestUserIsReadWhole(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"GetUser": {result("GetUser", userXML)}, "CreateUser": {result("CreateUser", userXML)}})
	client := newClient(t, Config{EndpointURL: aws.URL})
	want := User{
		Name: "sender", Path: "/auth0/", ARN: userARN, UniqueID: "AIDASENDER", Tags: map[string]string{"team": "identity"},
		PermissionsBoundary: "arn:aws:iam::123456789012:policy/bound", CreatedAt: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC),
	}
	got, err := client.User(t.Context(), "sender")
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v; drift would go unseen (-want +got):\n%s", err, diff)
	}
	created, err := client.CreateUser(t.Context(), User{Name: "sender"})
	if diff := cmp.Diff(want, created); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestAnEmptyAnswerIsNoUser(t *testing.T) {
	t.Parallel()
	aws := newFake(t, map[string][]reply{"GetUser": {{200, ""}}, "CreateUser": {{200, ""}}, "GetUserPolicy": {{200, ""}}})
	client := newClient(t, Config{EndpointURL: aws.URL})
	_, readErr := client.User(t.Context(), "sender")
	_, createErr := client.CreateUser(t.Context(), User{Name: "sender"})
	_, policyErr := client.UserPolicy(t.Context(), "sender", "p")
	for call, err := range map[string]error{"GetUser": readErr, "CreateUser": createErr, "GetUserPolicy": policyErr} {
		if KindOf(err) != Transport {
			t.Errorf("%s: %v, want an error: an empty answer of some proxy was taken for the object", call, err)
		}
	}
}

// What goes over the wire, besides Action and Version.
func TestWritesSayWhatIsMeant(t *testing.T) {
	const boundary = "arn:aws:iam::123456789012:policy/bound"
	tests := map[string]struct {
		action string
		call   func(context.Context, *Client) error
		want   url.Values
	}{
		"create, all given": {"CreateUser", func(ctx context.Context, c *Client) error {
			_, err := c.CreateUser(ctx, User{Name: "u", Path: "/p/", Tags: map[string]string{"b": "2", "a": ""}, PermissionsBoundary: boundary})
			return err
		}, url.Values{
			"UserName": {"u"}, "Path": {"/p/"}, "PermissionsBoundary": {boundary},
			"Tags.member.1.Key": {"a"}, "Tags.member.1.Value": {""}, "Tags.member.2.Key": {"b"}, "Tags.member.2.Value": {"2"},
		}},
		"create, name only": {"CreateUser", func(ctx context.Context, c *Client) error {
			_, err := c.CreateUser(ctx, User{Name: "u"})
			return err
		}, url.Values{"UserName": {"u"}, "Tags": {""}}},
		"rename":       {"UpdateUser", func(ctx context.Context, c *Client) error { return c.RenameUser(ctx, "u", "v", "/q/") }, url.Values{"UserName": {"u"}, "NewUserName": {"v"}, "NewPath": {"/q/"}}},
		"path only":    {"UpdateUser", func(ctx context.Context, c *Client) error { return c.RenameUser(ctx, "u", "", "/q/") }, url.Values{"UserName": {"u"}, "NewPath": {"/q/"}}},
		"bound":        {"PutUserPermissionsBoundary", func(ctx context.Context, c *Client) error { return c.SetPermissionsBoundary(ctx, "u", boundary) }, url.Values{"UserName": {"u"}, "PermissionsBoundary": {boundary}}},
		"unbound":      {"DeleteUserPermissionsBoundary", func(ctx context.Context, c *Client) error { return c.SetPermissionsBoundary(ctx, "u", "") }, url.Values{"UserName": {"u"}}},
		"tag":          {"TagUser", func(ctx context.Context, c *Client) error { return c.TagUser(ctx, "u", map[string]string{"a": "1"}) }, url.Values{"UserName": {"u"}, "Tags.member.1.Key": {"a"}, "Tags.member.1.Value": {"1"}}},
		"untag":        {"UntagUser", func(ctx context.Context, c *Client) error { return c.UntagUser(ctx, "u", []string{"a", "b"}) }, url.Values{"UserName": {"u"}, "TagKeys.member.1": {"a"}, "TagKeys.member.2": {"b"}}},
		"delete":       {"DeleteUser", func(ctx context.Context, c *Client) error { return c.DeleteUser(ctx, "u") }, url.Values{"UserName": {"u"}}},
		"put policy":   {"PutUserPolicy", func(ctx context.Context, c *Client) error { return c.PutUserPolicy(ctx, "u", "p", "{}") }, url.Values{"UserName": {"u"}, "PolicyName": {"p"}, "PolicyDocument": {"{}"}}},
		"drop policy":  {"DeleteUserPolicy", func(ctx context.Context, c *Client) error { return c.DeleteUserPolicy(ctx, "u", "p") }, url.Values{"UserName": {"u"}, "PolicyName": {"p"}}},
		"deactivate":   {"UpdateAccessKey", func(ctx context.Context, c *Client) error { return c.SetAccessKeyActive(ctx, "u", testKeyID, false) }, url.Values{"UserName": {"u"}, "AccessKeyId": {testKeyID}, "Status": {"Inactive"}}},
		"activate":     {"UpdateAccessKey", func(ctx context.Context, c *Client) error { return c.SetAccessKeyActive(ctx, "u", testKeyID, true) }, url.Values{"UserName": {"u"}, "AccessKeyId": {testKeyID}, "Status": {"Active"}}},
		"delete a key": {"DeleteAccessKey", func(ctx context.Context, c *Client) error { return c.DeleteAccessKey(ctx, "u", testKeyID) }, url.Values{"UserName": {"u"}, "AccessKeyId": {testKeyID}}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := ""
			if test.action == "CreateUser" {
				content = userXML
			}
			aws := newFake(t, map[string][]reply{test.action: {result(test.action, content)}})
			if err := test.call(t.Context(), newClient(t, Config{EndpointURL: aws.URL})); err != nil {
				t.Fatal(err)
			}
			sent := aws.last(t).Form
			sent.Del("Action")
			sent.Del("Version")
			if diff := cmp.Diff(test.want, sent); diff != "" {
				t.Errorf("AWS was told something else (-want +got):\n%s", diff)
			}
		})
	}
}

func TestUserPolicyIsDecoded(t *testing.T) {
	t.Parallel()
	document := PublishPolicy("aws")
	for name, encoded := range map[string]string{"%20 for a space": url.PathEscape(document), "+ for a space": url.QueryEscape(document)} {
		aws := newFake(t, map[string][]reply{"GetUserPolicy": {
			result("GetUserPolicy", "<PolicyName>p</PolicyName><UserName>u</UserName><PolicyDocument>"+encoded+"</PolicyDocument>"),
		}})
		got, err := newClient(t, Config{EndpointURL: aws.URL}).UserPolicy(t.Context(), "u", "p")
		if err != nil || got != document {
			t.Errorf("%s: every plan would show a changed policy: %v, %s", name, err, got)
		}
	}
}
