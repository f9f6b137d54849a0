package aws_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
)

const publishPolicy = `{"Version":"2012-10-17","Statement":[` +
	`{"Sid":"PublishSMS","Effect":"Allow","Action":"sns:Publish","Resource":"*"},` +
	`{"Sid":"DenyTopicsAndEndpoints","Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*"}]}`

func TestAUserLivesAsInIAM(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	name := awssdk.String("auth0-sms")
	boundary := awssdk.String("arn:aws:iam::aws:policy/AmazonSNSFullAccess")

	created, err := w.iam.CreateUser(ctx, &iam.CreateUserInput{
		UserName: name, Path: awssdk.String("/auth0/"), PermissionsBoundary: boundary,
		Tags: []types.Tag{{Key: awssdk.String("env"), Value: awssdk.String("staging")}},
	})
	ok(t, err)
	equal(t, "ARN", *created.User.Arn, "arn:aws:iam::111122223333:user/auth0/auth0-sms")
	if id := *created.User.UserId; !strings.HasPrefix(id, "AIDA") || len(id) != 21 {
		t.Fatalf("unique id %q has not IAM's form", id)
	}
	if time.Since(*created.User.CreateDate).Abs() > time.Minute {
		t.Fatalf("create date is %s", created.User.CreateDate)
	}

	got, err := w.iam.GetUser(ctx, &iam.GetUserInput{UserName: name})
	ok(t, err)
	equal(t, "boundary", *got.User.PermissionsBoundary.PermissionsBoundaryArn, *boundary)
	equal(t, "tag", *got.User.Tags[0].Value, "staging")

	_, err = w.iam.TagUser(ctx, &iam.TagUserInput{UserName: name, Tags: []types.Tag{
		{Key: awssdk.String("env"), Value: awssdk.String("production")}, {Key: awssdk.String("team"), Value: awssdk.String("login")},
	}})
	ok(t, err)
	_, err = w.iam.UntagUser(ctx, &iam.UntagUserInput{UserName: name, TagKeys: []string{"team"}})
	ok(t, err)
	tags, err := w.iam.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: name})
	ok(t, err)
	equal(t, "tags", len(tags.Tags), 1)
	equal(t, "tag", *tags.Tags[0].Value, "production")

	_, err = w.iam.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: name})
	ok(t, err)
	_, err = w.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: name, PermissionsBoundary: boundary})
	ok(t, err)

	renamed := awssdk.String("auth0-sms-2")
	_, err = w.iam.UpdateUser(ctx, &iam.UpdateUserInput{UserName: name, NewUserName: renamed, NewPath: awssdk.String("/")})
	ok(t, err)
	got, err = w.iam.GetUser(ctx, &iam.GetUserInput{UserName: renamed})
	ok(t, err)
	equal(t, "ARN", *got.User.Arn, "arn:aws:iam::111122223333:user/auth0-sms-2")
	equal(t, "unique id survives a rename", *got.User.UserId, *created.User.UserId)

	users, err := w.iam.ListUsers(ctx, &iam.ListUsersInput{})
	ok(t, err)
	equal(t, "users", len(users.Users), 2)

	_, err = w.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: renamed})
	ok(t, err)
	_, err = w.iam.GetUser(ctx, &iam.GetUserInput{UserName: renamed})
	refused(t, err, "NoSuchEntity", "The user with name auth0-sms-2 cannot be found.")
	typed[*types.NoSuchEntityException](t, err)
}

func TestGetUserWithoutANameIsTheCaller(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	got, err := w.iam.GetUser(t.Context(), &iam.GetUserInput{})
	ok(t, err)
	equal(t, "name", *got.User.UserName, "operator")
}

func TestInlinePoliciesLiveAsInIAM(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	name, policy := awssdk.String("sender"), awssdk.String("sms")
	w.mint(t, *name, "")

	_, err := w.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: name, PolicyName: policy, PolicyDocument: awssdk.String(publishPolicy)})
	ok(t, err)
	got, err := w.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: name, PolicyName: policy})
	ok(t, err)
	if strings.ContainsAny(*got.PolicyDocument, `{" +`) {
		t.Fatalf("AWS percent-encodes the document, this is %s", *got.PolicyDocument)
	}
	text, err := url.QueryUnescape(*got.PolicyDocument)
	ok(t, err)
	equal(t, "document", text, publishPolicy)

	names, err := w.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: name})
	ok(t, err)
	equal(t, "policies", strings.Join(names.PolicyNames, " "), "sms")
	attached, err := w.iam.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: awssdk.String("operator")})
	ok(t, err)
	equal(t, "attached", *attached.AttachedPolicies[0].PolicyArn, "arn:aws:iam::aws:policy/AdministratorAccess")

	_, err = w.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: policy})
	ok(t, err)
	_, err = w.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: name, PolicyName: policy})
	refused(t, err, "NoSuchEntity", "The user policy with name sms cannot be found.")
	_, err = w.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: name, PolicyName: policy})
	typed[*types.NoSuchEntityException](t, err)
}

func TestAccessKeysLiveAsInIAM(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	name := awssdk.String("sender")
	key := w.mint(t, *name, "")
	if !strings.HasPrefix(key.AccessKeyID, "AKIA") || len(key.AccessKeyID) != 20 || len(key.SecretAccessKey) != 40 {
		t.Fatalf("the key has not AWS's form: %s, secret of %d characters", key.AccessKeyID, len(key.SecretAccessKey))
	}

	used, err := w.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &key.AccessKeyID})
	ok(t, err)
	equal(t, "service of an unused key", *used.AccessKeyLastUsed.ServiceName, "N/A")
	if used.AccessKeyLastUsed.LastUsedDate != nil {
		t.Fatal("an unused key has no date of last use")
	}
	ok(t, w.whoami(ctx, key))
	used, err = w.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &key.AccessKeyID})
	ok(t, err)
	equal(t, "service", *used.AccessKeyLastUsed.ServiceName, "sts")
	equal(t, "user", *used.UserName, "sender")

	second, err := w.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	ok(t, err)
	_, err = w.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: name})
	refused(t, err, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2")
	typed[*types.LimitExceededException](t, err)

	_, err = w.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: &key.AccessKeyID, Status: types.StatusTypeInactive})
	ok(t, err)
	keys, err := w.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: name})
	ok(t, err)
	equal(t, "keys", len(keys.AccessKeyMetadata), 2)
	equal(t, "status", keys.AccessKeyMetadata[0].Status, types.StatusTypeInactive)
	_, err = w.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: name, AccessKeyId: &key.AccessKeyID, Status: "Off"})
	refused(t, err, "ValidationError", "'status'")

	for _, id := range []*string{&key.AccessKeyID, second.AccessKey.AccessKeyId} {
		_, err = w.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
		refused(t, err, "DeleteConflict", "must delete access keys first")
		typed[*types.DeleteConflictException](t, err)
		_, err = w.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: id})
		ok(t, err)
	}
	_, err = w.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: name, AccessKeyId: &key.AccessKeyID})
	refused(t, err, "NoSuchEntity", "The Access Key with id "+key.AccessKeyID+" cannot be found.")
	_, err = w.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: name})
	ok(t, err)
}

func TestDeleteUserWantsPoliciesGone(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	_, err := w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: awssdk.String("sender")})
	ok(t, err)
	_, err = w.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: awssdk.String("sender"), PolicyName: awssdk.String("p"), PolicyDocument: awssdk.String(publishPolicy)})
	ok(t, err)
	_, err = w.iam.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: awssdk.String("sender")})
	refused(t, err, "DeleteConflict", "must delete policies first")
}

func TestNamesAreUniqueWhateverTheirCase(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	w.mint(t, "Sender", "")
	_, err := w.iam.CreateUser(ctx, &iam.CreateUserInput{UserName: awssdk.String("sendeR")})
	refused(t, err, "EntityAlreadyExists", "User with name sendeR already exists.")
	typed[*types.EntityAlreadyExistsException](t, err)
	_, err = w.iam.UpdateUser(ctx, &iam.UpdateUserInput{UserName: awssdk.String("Sender"), NewUserName: awssdk.String("Operator")})
	typed[*types.EntityAlreadyExistsException](t, err)
	_, err = w.iam.UpdateUser(ctx, &iam.UpdateUserInput{UserName: awssdk.String("Sender"), NewUserName: awssdk.String("sender")})
	ok(t, err)
}

func TestCreateUserRefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	tags := func(n int, key, value string) []types.Tag {
		var list []types.Tag
		for i := range n {
			list = append(list, types.Tag{Key: awssdk.String(fmt.Sprintf(key, i)), Value: &value})
		}
		return list
	}
	for what, c := range map[string]struct {
		input iam.CreateUserInput
		code  string
	}{
		"a space in the name":  {iam.CreateUserInput{UserName: awssdk.String("a b")}, "ValidationError"},
		"an empty name":        {iam.CreateUserInput{UserName: awssdk.String("")}, "ValidationError"},
		"65 characters":        {iam.CreateUserInput{UserName: awssdk.String(strings.Repeat("a", 65))}, "ValidationError"},
		"no slash at the ends": {iam.CreateUserInput{UserName: awssdk.String("a"), Path: awssdk.String("auth0")}, "ValidationError"},
		"a space in the path":  {iam.CreateUserInput{UserName: awssdk.String("a"), Path: awssdk.String("/a b/")}, "ValidationError"},
		"51 tags":              {iam.CreateUserInput{UserName: awssdk.String("a"), Tags: tags(51, "k%d", "v")}, "ValidationError"},
		"a long tag key":       {iam.CreateUserInput{UserName: awssdk.String("a"), Tags: tags(1, strings.Repeat("k", 128)+"%d", "v")}, "ValidationError"},
		"a long tag value":     {iam.CreateUserInput{UserName: awssdk.String("a"), Tags: tags(1, "k%d", strings.Repeat("v", 257))}, "ValidationError"},
		"a bad tag value":      {iam.CreateUserInput{UserName: awssdk.String("a"), Tags: tags(1, "k%d", "<v>")}, "ValidationError"},
		"a reserved tag key":   {iam.CreateUserInput{UserName: awssdk.String("a"), Tags: tags(1, "aws:%d", "v")}, "InvalidInput"},
		"one tag key twice":    {iam.CreateUserInput{UserName: awssdk.String("a"), Tags: append(tags(1, "K%d", "v"), tags(1, "k%d", "v")...)}, "InvalidInput"},
		"an unknown boundary":  {iam.CreateUserInput{UserName: awssdk.String("a"), PermissionsBoundary: awssdk.String("arn:aws:iam::aws:policy/None")}, "NoSuchEntity"},
	} {
		_, err := w.iam.CreateUser(t.Context(), &c.input)
		t.Run(what, func(t *testing.T) { refused(t, err, c.code, "") })
	}
	equal(t, "users", len(w.Snapshot().Users), 1)
	_, err := w.iam.CreateUser(t.Context(), &iam.CreateUserInput{UserName: awssdk.String(strings.Repeat("a", 64)), Path: awssdk.String("/a/b/"), Tags: tags(50, "k%d", "")})
	ok(t, err)
}

func TestPutUserPolicyRefusesWhatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	w.mint(t, "sender", "")
	statement := func(s string) string { return `{"Version":"2012-10-17","Statement":[` + s + `]}` }
	for what, c := range map[string]struct{ document, code, text string }{
		"not JSON":          {"{", "MalformedPolicyDocument", "Syntax errors in policy."},
		"no statement":      {`{"Version":"2012-10-17"}`, "MalformedPolicyDocument", "Syntax errors"},
		"unknown element":   {statement(`{"Effect":"Allow","Action":"*","Resource":"*","When":"now"}`), "MalformedPolicyDocument", "Syntax errors"},
		"unknown version":   {`{"Version":"2020-01-01","Statement":[]}`, "MalformedPolicyDocument", "version"},
		"wrong effect":      {statement(`{"Effect":"allow","Action":"*","Resource":"*"}`), "MalformedPolicyDocument", "Syntax errors"},
		"no action":         {statement(`{"Effect":"Allow","Resource":"*"}`), "MalformedPolicyDocument", "must contain actions"},
		"no resource":       {statement(`{"Effect":"Allow","Action":"*"}`), "MalformedPolicyDocument", "must contain resources"},
		"no vendor":         {statement(`{"Effect":"Allow","Action":"Publish","Resource":"*"}`), "MalformedPolicyDocument", "vendor"},
		"a number":          {statement(`{"Effect":"Allow","Action":"sns:Publish","Resource":"+14155550100"}`), "MalformedPolicyDocument", `must be in ARN format or "*"`},
		"another partition": {statement(`{"Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws-cn:sns:*:*:*"}`), "MalformedPolicyDocument", `Partition "aws-cn" is not valid`},
		"a principal":       {statement(`{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}`), "MalformedPolicyDocument", "principal"},
		"a dash in the Sid": {statement(`{"Sid":"a-b","Effect":"Allow","Action":"*","Resource":"*"}`), "MalformedPolicyDocument", "alpha-numeric"},
		"2049 characters":   {statement(`{"Effect":"Allow","Action":"sns:` + strings.Repeat("P", 2000) + `","Resource":"*"}`), "LimitExceeded", "Maximum policy size of 2048 bytes exceeded for user sender"},
	} {
		_, err := w.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{UserName: awssdk.String("sender"), PolicyName: awssdk.String("p"), PolicyDocument: &c.document})
		t.Run(what, func(t *testing.T) { refused(t, err, c.code, c.text) })
	}
	_, err := w.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: awssdk.String("sender"), PolicyName: awssdk.String("p"), PolicyDocument: awssdk.String(publishPolicy + strings.Repeat(" ", 3000)),
	})
	if err != nil {
		t.Fatalf("white space does not count: %v", err)
	}
}

func TestEveryActionOnAUserWantsTheUserToExist(t *testing.T) {
	t.Parallel()
	w, ctx := start(t, aws.Config{}), t.Context()
	nobody, policy, key := awssdk.String("nobody"), awssdk.String("p"), awssdk.String("AKIAUNKNOWNUNKNOWN00")
	for action, call := range map[string]func() error{
		"UpdateUser": func() error { _, err := w.iam.UpdateUser(ctx, &iam.UpdateUserInput{UserName: nobody}); return err },
		"DeleteUser": func() error { _, err := w.iam.DeleteUser(ctx, &iam.DeleteUserInput{UserName: nobody}); return err },
		"TagUser": func() error {
			_, err := w.iam.TagUser(ctx, &iam.TagUserInput{UserName: nobody, Tags: []types.Tag{}})
			return err
		},
		"UntagUser": func() error {
			_, err := w.iam.UntagUser(ctx, &iam.UntagUserInput{UserName: nobody, TagKeys: []string{}})
			return err
		},
		"ListUserTags": func() error { _, err := w.iam.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: nobody}); return err },
		"PutUserPermissionsBoundary": func() error {
			_, err := w.iam.PutUserPermissionsBoundary(ctx, &iam.PutUserPermissionsBoundaryInput{UserName: nobody, PermissionsBoundary: policy})
			return err
		},
		"DeleteUserPermissionsBoundary": func() error {
			_, err := w.iam.DeleteUserPermissionsBoundary(ctx, &iam.DeleteUserPermissionsBoundaryInput{UserName: nobody})
			return err
		},
		"PutUserPolicy": func() error {
			_, err := w.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: nobody, PolicyName: policy, PolicyDocument: policy})
			return err
		},
		"GetUserPolicy": func() error {
			_, err := w.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{UserName: nobody, PolicyName: policy})
			return err
		},
		"DeleteUserPolicy": func() error {
			_, err := w.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: nobody, PolicyName: policy})
			return err
		},
		"ListUserPolicies": func() error {
			_, err := w.iam.ListUserPolicies(ctx, &iam.ListUserPoliciesInput{UserName: nobody})
			return err
		},
		"ListAttachedUserPolicies": func() error {
			_, err := w.iam.ListAttachedUserPolicies(ctx, &iam.ListAttachedUserPoliciesInput{UserName: nobody})
			return err
		},
		"ListGroupsForUser": func() error {
			_, err := w.iam.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: nobody})
			return err
		},
		"CreateAccessKey": func() error {
			_, err := w.iam.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: nobody})
			return err
		},
		"ListAccessKeys": func() error {
			_, err := w.iam.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: nobody})
			return err
		},
		"UpdateAccessKey": func() error {
			_, err := w.iam.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: nobody, AccessKeyId: key, Status: "Active"})
			return err
		},
		"DeleteAccessKey": func() error {
			_, err := w.iam.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: nobody, AccessKeyId: key})
			return err
		},
		"GetAccessKeyLastUsed": func() error {
			_, err := w.iam.GetAccessKeyLastUsed(ctx, &iam.GetAccessKeyLastUsedInput{AccessKeyId: key})
			return err
		},
	} {
		err := call()
		t.Run(action, func(t *testing.T) { refused(t, err, "NoSuchEntity", "cannot be found.") })
	}
}

func TestAUserIsInNoGroup(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	w.mint(t, "sender", "")
	groups, err := w.iam.ListGroupsForUser(t.Context(), &iam.ListGroupsForUserInput{UserName: awssdk.String("sender")})
	ok(t, err)
	if len(groups.Groups) != 0 || groups.IsTruncated {
		t.Errorf("hashicorp/aws asks for the groups before it deletes a user, and got %+v", groups)
	}
}

func TestListsComeInPages(t *testing.T) {
	t.Parallel()
	w := start(t, aws.Config{})
	for i := range 5 {
		w.mint(t, fmt.Sprintf("user-%d", i), "")
	}
	pages, names := 0, []string{}
	pager := iam.NewListUsersPaginator(w.iam, &iam.ListUsersInput{MaxItems: awssdk.Int32(2)})
	for pager.HasMorePages() {
		page, err := pager.NextPage(t.Context())
		ok(t, err)
		pages++
		for _, u := range page.Users {
			names = append(names, *u.UserName)
		}
	}
	equal(t, "pages", pages, 3)
	equal(t, "names", strings.Join(names, " "), "operator user-0 user-1 user-2 user-3 user-4")
}
