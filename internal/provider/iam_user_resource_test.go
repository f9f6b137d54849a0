package provider_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/hashicorp/terraform-plugin-testing/helper/resource"
	"github.com/hashicorp/terraform-plugin-testing/knownvalue"
	"github.com/hashicorp/terraform-plugin-testing/plancheck"
	"github.com/hashicorp/terraform-plugin-testing/statecheck"
	"github.com/hashicorp/terraform-plugin-testing/tfjsonpath"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

const (
	iamUserAddress = "auth0sns_iam_user.test"
	boundaryARN    = "arn:aws:iam::aws:policy/AmazonSNSFullAccess"
	// denyPublish is what a person might put in place of the policy.
	denyPublish = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sns:Publish","Resource":"*"}]}`
	// reordered means the same as the policy and is written otherwise.
	reordered = `{"Statement":[` +
		`{"Sid":"DenyTopicsAndEndpoints","Resource":["arn:aws:sns:*:*:*"],"Action":["sns:Publish"],"Effect":"Deny"},` +
		`{"Action":"SNS:Publish","Sid":"PublishSMS","Effect":"Allow","Resource":["*"]}],"Version":"2012-10-17"}`
)

func iamUserConfig(body string) string { return blockConfig("auth0sns_iam_user", body) }

// iamUser is a user as the account holds it.
// Tags that the provider keeps for itself are left out.
func iamUser(t *testing.T, env *acctest.Env, name string) aws.UserState {
	t.Helper()
	for _, u := range env.Account.Snapshot().Users {
		if u.Name == name {
			maps.DeleteFunc(u.Tags, func(k, _ string) bool { return strings.HasPrefix(k, handover.TagPrefix) })
			return u
		}
	}
	t.Fatalf("the account has no user %q", name)
	return aws.UserState{}
}

// requirePublishPolicy proves what the user may do: publish to phones, and
// nothing on any SNS ARN. If it fails, a leaked key reaches more than SMS.
func requirePublishPolicy(t *testing.T, document string) {
	t.Helper()
	var got any
	if err := json.Unmarshal([]byte(document), &got); err != nil {
		t.Fatalf("policy is no JSON: %v\n%s", err, document)
	}
	requireEqual(t, "policy of the user", got, any(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{
			map[string]any{"Sid": "PublishSMS", "Effect": "Allow", "Action": "sns:Publish", "Resource": "*"},
			map[string]any{"Sid": "DenyTopicsAndEndpoints", "Effect": "Deny", "Action": "sns:Publish", "Resource": "arn:aws:sns:*:*:*"},
		},
	}))
}

func TestAccIAMUserDefaults(t *testing.T) {
	env := acctest.New(t)
	config := iamUserConfig(`name = "sms"`)
	env.Test(t,
		resource.TestStep{
			Config: config,
			ConfigPlanChecks: actionIs(iamUserAddress, plancheck.ResourceActionCreate,
				// A reviewer reads the permission in the plan, not after the apply.
				plancheck.ExpectKnownValue(iamUserAddress, tfjsonpath.New("policy_json"), knownvalue.NotNull()),
				plancheck.ExpectUnknownValue(iamUserAddress, tfjsonpath.New("arn")),
				plancheck.ExpectUnknownValue(iamUserAddress, tfjsonpath.New("unique_id")),
			),
			ConfigStateChecks: []statecheck.StateCheck{
				statecheck.ExpectKnownValue(iamUserAddress, tfjsonpath.New("path"), knownvalue.StringExact("/")),
				statecheck.ExpectKnownValue(iamUserAddress, tfjsonpath.New("policy_name"), knownvalue.StringExact("auth0sns-publish-sms")),
				statecheck.ExpectKnownValue(iamUserAddress, tfjsonpath.New("arn"), knownvalue.StringExact("arn:aws:iam::111122223333:user/sms")),
				statecheck.ExpectKnownValue(iamUserAddress, tfjsonpath.New("tags"), knownvalue.Null()),
				statecheck.ExpectKnownValue(iamUserAddress, tfjsonpath.New("permissions_boundary"), knownvalue.Null()),
			},
			Check: resource.ComposeTestCheckFunc(
				resource.TestCheckResourceAttrWith(iamUserAddress, "policy_json", func(document string) error {
					requirePublishPolicy(t, document)
					return nil
				}),
				holds(func() {
					user := iamUser(t, env, "sms")
					requirePublishPolicy(t, user.Policies["auth0sns-publish-sms"])
					user.Policies = nil
					requireEqual(t, "user in the account", user, aws.UserState{
						Name: "sms", Path: "/", ARN: "arn:aws:iam::111122223333:user/sms", UniqueID: user.UniqueID, Created: user.Created,
						Tags: map[string]string{}, AttachedPolicies: user.AttachedPolicies, AccessKeys: user.AccessKeys,
					})
					requireEqual(t, "number of attached policies and keys", len(user.AttachedPolicies)+len(user.AccessKeys), 0)
				}),
			),
		},
		resource.TestStep{
			ResourceName: iamUserAddress, ImportState: true, ImportStateId: "sms",
			ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "name",
		},
		resource.TestStep{ // Fails unless the plan of the import block is empty.
			Config: config, ResourceName: iamUserAddress, ImportState: true, ImportStateId: "sms", ImportStateKind: resource.ImportBlockWithID,
		},
	)
}

func TestAccIAMUserEverything(t *testing.T) {
	env := acctest.New(t)
	config := iamUserConfig(`
  name                 = "sms"
  path                 = "/auth0/mfa/"
  permissions_boundary = "` + boundaryARN + `"
  policy_name          = "publish"
  tags = {
    Team  = "Identity"
    empty = ""
  }`)
	env.Test(t,
		resource.TestStep{
			Config:           config,
			ConfigPlanChecks: actionIs(iamUserAddress, plancheck.ResourceActionCreate),
			Check: holds(func() {
				user := iamUser(t, env, "sms")
				requireEqual(t, "path", user.Path, "/auth0/mfa/")
				requireEqual(t, "ARN", user.ARN, "arn:aws:iam::111122223333:user/auth0/mfa/sms")
				requireEqual(t, "boundary", user.PermissionsBoundary, boundaryARN)
				requireEqual(t, "tags", user.Tags, map[string]string{"Team": "Identity", "empty": ""})
				requireEqual(t, "number of policies", len(user.Policies), 1)
				requirePublishPolicy(t, user.Policies["publish"])
			}),
		},
		resource.TestStep{
			ResourceName: iamUserAddress, ImportState: true, ImportStateId: "sms/publish",
			ImportStateVerify: true, ImportStateVerifyIdentifierAttribute: "name",
		},
		resource.TestStep{
			Config: config, ResourceName: iamUserAddress, ImportState: true, ImportStateId: "sms/publish", ImportStateKind: resource.ImportBlockWithID,
		},
	)
}

// TestAccIAMUserUpdates changes one attribute after the other while a sender
// uses a key of the user. If it fails, a change of a name costs people their codes.
func TestAccIAMUserUpdates(t *testing.T) {
	env := acctest.New(t)
	var before aws.UserState
	same := statecheck.CompareValue(compareSame{})
	update := func(body string, check func(aws.UserState)) resource.TestStep {
		return resource.TestStep{
			Config:            iamUserConfig(body),
			ConfigPlanChecks:  actionIs(iamUserAddress, plancheck.ResourceActionUpdate),
			ConfigStateChecks: []statecheck.StateCheck{same.AddStateValue(iamUserAddress, tfjsonpath.New("unique_id"))},
			Check: holds(func() {
				name := "sms"
				if strings.Contains(body, `"renamed"`) {
					name = "renamed"
				}
				user := iamUser(t, env, name)
				requireEqual(t, "unique id, which a new user would not have", user.UniqueID, before.UniqueID)
				requireEqual(t, "keys of the user", user.AccessKeys, before.AccessKeys)
				requireEqual(t, "number of policies, the old one must be gone", len(user.Policies), 1)
				for _, document := range user.Policies {
					requirePublishPolicy(t, document)
				}
				check(user)
			}),
		}
	}
	removeKey := resource.TestStep{
		PreConfig: func() {
			succeeds(t, env.AWS(t).DeleteAccessKey(t.Context(), "sms", before.AccessKeys[0].ID))
		},
		Config:           iamUserConfig(`name = "sms"`),
		ConfigPlanChecks: actionIs(iamUserAddress, plancheck.ResourceActionNoop),
	}
	tags := func(want map[string]string) func(aws.UserState) {
		return func(u aws.UserState) { t.Helper(); requireEqual(t, "tags", u.Tags, want) }
	}
	env.Test(t,
		resource.TestStep{
			Config:            iamUserConfig(`name = "sms"`),
			ConfigPlanChecks:  actionIs(iamUserAddress, plancheck.ResourceActionCreate),
			ConfigStateChecks: []statecheck.StateCheck{same.AddStateValue(iamUserAddress, tfjsonpath.New("unique_id"))},
			Check: holds(func() {
				_, err := env.AWS(t).CreateAccessKey(t.Context(), "sms")
				succeeds(t, err)
				before = iamUser(t, env, "sms")
			}),
		},
		update(`name = "renamed"`, func(u aws.UserState) {
			requireEqual(t, "ARN", u.ARN, "arn:aws:iam::111122223333:user/renamed")
		}),
		update("name = \"renamed\"\n  path = \"/auth0/\"", func(u aws.UserState) {
			requireEqual(t, "ARN", u.ARN, "arn:aws:iam::111122223333:user/auth0/renamed")
		}),
		update(`name = "sms"`, func(u aws.UserState) {
			requireEqual(t, "ARN after name and path changed at once", u.ARN, "arn:aws:iam::111122223333:user/sms")
		}),
		update("name = \"sms\"\n  tags = { Team = \"a\", Stage = \"x\" }", tags(map[string]string{"Team": "a", "Stage": "x"})),
		update("name = \"sms\"\n  tags = { Team = \"b\" }", tags(map[string]string{"Team": "b"})),
		update("name = \"sms\"\n  tags = { team = \"b\" }", tags(map[string]string{"team": "b"})),
		update(`name = "sms"`, tags(map[string]string{})),
		update("name = \"sms\"\n  permissions_boundary = \""+boundaryARN+"\"", func(u aws.UserState) {
			requireEqual(t, "boundary", u.PermissionsBoundary, boundaryARN)
		}),
		update(`name = "sms"`, func(u aws.UserState) { requireEqual(t, "boundary", u.PermissionsBoundary, "") }),
		update("name = \"sms\"\n  policy_name = \"publish\"", func(u aws.UserState) { requirePublishPolicy(t, u.Policies["publish"]) }),
		update(`name = "sms"`, func(u aws.UserState) { requirePublishPolicy(t, u.Policies["auth0sns-publish-sms"]) }),
		removeKey,
	)
}

// compareSame is compare.ValuesSame for a value that is never null.
type compareSame struct{}

func (compareSame) CompareValues(values ...any) error {
	for _, v := range values {
		if v != values[0] {
			return fmt.Errorf("was %v and became %v", values[0], v)
		}
	}
	return nil
}

// TestAccIAMUserChangedOutside proves that nobody changes what the key may do
// unseen.
func TestAccIAMUserChangedOutside(t *testing.T) {
	env := acctest.New(t)
	client := env.AWS(t)
	config := iamUserConfig("name = \"sms\"\n  permissions_boundary = \"" + boundaryARN + "\"\n  tags = { Team = \"Identity\" }")
	policy := "auth0sns-publish-sms"
	var want aws.UserState
	changed := func(change func() error, action plancheck.ResourceActionType) resource.TestStep {
		return resource.TestStep{
			PreConfig:        func() { succeeds(t, change()) },
			Config:           config,
			ConfigPlanChecks: actionIs(iamUserAddress, action),
			Check: holds(func() {
				user := iamUser(t, env, "sms")
				if action == plancheck.ResourceActionNoop {
					user.Policies = want.Policies
				}
				requireEqual(t, "user after the change was undone", user, want)
			}),
		}
	}
	env.Test(t,
		resource.TestStep{
			Config:           config,
			ConfigPlanChecks: actionIs(iamUserAddress, plancheck.ResourceActionCreate),
			Check:            holds(func() { want = iamUser(t, env, "sms") }),
		},
		changed(func() error { return client.PutUserPolicy(t.Context(), "sms", policy, denyPublish) }, plancheck.ResourceActionUpdate),
		changed(func() error { return client.DeleteUserPolicy(t.Context(), "sms", policy) }, plancheck.ResourceActionUpdate),
		changed(func() error { return client.PutUserPolicy(t.Context(), "sms", policy, reordered) }, plancheck.ResourceActionNoop),
		changed(func() error { return client.PutUserPolicy(t.Context(), "sms", policy, want.Policies[policy]) }, plancheck.ResourceActionNoop),
		changed(func() error { return client.TagUser(t.Context(), "sms", map[string]string{"Team": "x", "More": "y"}) }, plancheck.ResourceActionUpdate),
		changed(func() error { return client.UntagUser(t.Context(), "sms", []string{"Team"}) }, plancheck.ResourceActionUpdate),
		changed(func() error { return client.SetPermissionsBoundary(t.Context(), "sms", "") }, plancheck.ResourceActionUpdate),
		changed(func() error { return client.RenameUser(t.Context(), "sms", "sms", "/elsewhere/") }, plancheck.ResourceActionUpdate),
		resource.TestStep{
			PreConfig: func() {
				succeeds(t, client.DeleteUserPolicy(t.Context(), "sms", policy))
				succeeds(t, client.DeleteUser(t.Context(), "sms"))
			},
			Config:           config,
			ConfigPlanChecks: actionIs(iamUserAddress, plancheck.ResourceActionCreate),
			Check: holds(func() {
				if user := iamUser(t, env, "sms"); user.UniqueID == want.UniqueID {
					t.Error("the deleted user was not made anew")
				}
			}),
		},
	)
}

// TestAccIAMUserDeletedOutside proves that a user that vanished is announced:
// its keys are gone too, so codes stop.
func TestAccIAMUserDeletedOutside(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
	w.must("apply")
	succeeds(t, env.AWS(t).DeleteUserPolicy(t.Context(), "sms", "auth0sns-publish-sms"))
	succeeds(t, env.AWS(t).DeleteUser(t.Context(), "sms"))
	plan := w.must("plan")
	requireWords(t, plan.text("warning"), "IAM user no longer exists", "sms was deleted outside Terraform", "the next apply makes it anew")
	requireEqual(t, "plan", plan.changes, map[string]string{iamUserAddress: "create"})
	requireEqual(t, "destroy of a user that is gone", w.run("destroy", "-refresh=false").errorText(), "")
}

// TestAccIAMUserExists proves that a user of somebody else is never taken over.
func TestAccIAMUserExists(t *testing.T) {
	env := acctest.New(t)
	_, err := env.AWS(t).CreateUser(t.Context(), awsapi.User{Name: "sms"})
	succeeds(t, err)
	w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
	refused := w.run("plan")
	requireWords(t, refused.errorText(), `IAM user "sms" in account 111122223333 already exists`, "never taken over silently",
		"import {\n    to = auth0sns_iam_user.NAME", `id = "sms"`, "choose another name")
	requireNoWrites(t, refused.requests)

	// The advice works: the block that the message prints takes the user over.
	w.write(iamUserConfig(`name = "sms"`) + "import {\n  to = auth0sns_iam_user.test\n  id = \"sms\"\n}\n")
	requireEqual(t, "plan with the import block", w.must("apply").changes, map[string]string{iamUserAddress: "update"})
	requirePublishPolicy(t, iamUser(t, env, "sms").Policies["auth0sns-publish-sms"])
	w.must("destroy")
}

// TestAccIAMUserPolicyNameTaken proves that a policy of somebody else is not
// overwritten by a change of policy_name.
func TestAccIAMUserPolicyNameTaken(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
	w.must("apply")
	succeeds(t, env.AWS(t).PutUserPolicy(t.Context(), "sms", "theirs", denyPublish))
	w.write(iamUserConfig("name = \"sms\"\n  policy_name = \"theirs\""))
	refused := w.run("plan")
	requireWords(t, refused.errorText(), "another policy of this name", `"theirs"`, "aws iam delete-user-policy --user-name sms --policy-name theirs")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "policy of somebody else", iamUser(t, env, "sms").Policies["theirs"], denyPublish)
}

func TestAccIAMUserBadInput(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, "")
	for name, tt := range map[string]struct {
		body string
		want []string
	}{
		"name with a space":    {`name = "s ms"`, []string{"name: user name", "AWS takes 1 to 64 characters"}},
		"name empty":           {`name = ""`, []string{"name: user name", "AWS takes 1 to 64 characters"}},
		"name too long":        {`name = "` + strings.Repeat("a", 65) + `"`, []string{"name: user name", "AWS takes 1 to 64 characters"}},
		"path without slashes": {"name = \"sms\"\n  path = \"auth0\"", []string{"path: path", "begins and ends with /"}},
		"path with a space":    {"name = \"sms\"\n  path = \"/a b/\"", []string{"path: path", "without spaces"}},
		"boundary no policy":   {"name = \"sms\"\n  permissions_boundary = \"arn:aws:iam::123456789012:role/x\"", []string{"permissions_boundary:", "ARN of a managed policy"}},
		"policy name":          {"name = \"sms\"\n  policy_name = \"a/b\"", []string{"policy_name: policy name", "AWS takes 1 to 128 characters"}},
		"tags none":            {"name = \"sms\"\n  tags = {}", []string{"tags", "at least 1"}},
		"tag reserved":         {"name = \"sms\"\n  tags = { \"aws:x\" = \"1\" }", []string{"tags:", "the prefix aws: is reserved"}},
		"tag key":              {"name = \"sms\"\n  tags = { \"a*b\" = \"1\" }", []string{"tags: tag key", "AWS takes 1 to 128"}},
		"tag value characters": {"name = \"sms\"\n  tags = { a = \"b*\" }", []string{"tags: value of tag", "AWS takes up to 256"}},
		"tag value too long":   {"name = \"sms\"\n  tags = { a = \"" + strings.Repeat("ä", 257) + "\" }", []string{"tags: value of tag", "AWS takes up to 256"}},
		"tag null":             {"name = \"sms\"\n  tags = { a = null }", []string{"Null Map Value"}},
		"tags differ in case":  {"name = \"sms\"\n  tags = { Team = \"a\", team = \"b\" }", []string{"tags:", "does not tell tag keys apart by case"}},
		"tags too many":        {"name = \"sms\"\n  tags = { for i in range(51) : \"t${i}\" => \"x\" }", []string{"tags: 51 tags", "at most 50"}},
	} {
		t.Run(name, func(t *testing.T) {
			w.write(iamUserConfig(tt.body))
			refused := w.run("plan")
			if refused.exit == 0 {
				t.Error("a value that AWS refuses is found out in the middle of an apply")
			}
			requireWords(t, refused.errorText(), tt.want...)
			requireNoWrites(t, refused.requests)
		})
	}
	w.write(iamUserConfig("name = \"sms\"\n  tags = { a = \"" + strings.Repeat("ä", 256) + "\" }"))
	w.must("plan")
}

func TestAccIAMUserImportRefused(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, "")
	for id, want := range map[string][]string{
		"a b":                            {"Import id is malformed", `"a b"`, "<user name>/<policy name>"},
		"sms/":                           {"Import id is malformed"},
		"sms/a/b":                        {"Import id is malformed"},
		"arn:aws:iam::123456789012:user": {"Import id is malformed"},
		"nobody":                         {"non-existent remote object"},
	} {
		t.Run(id, func(t *testing.T) {
			w.write(iamUserConfig(`name = "sms"`) + fmt.Sprintf("import {\n  to = auth0sns_iam_user.test\n  id = %q\n}\n", id))
			requireWords(t, w.run("plan").errorText(), want...)
		})
	}
}

// TestAccIAMUserUnknown proves that values of other resources, which a plan
// does not know yet, are taken and judged when they are known.
func TestAccIAMUserUnknown(t *testing.T) {
	env := acctest.New(t)
	late := "resource \"terraform_data\" \"late\" {\n  input = %q\n}\n" + iamUserConfig(`
  name                 = terraform_data.late.output
  path                 = "/${terraform_data.late.output}/"
  policy_name          = "${terraform_data.late.output}-policy"
  permissions_boundary = terraform_data.late.output == "" ? null : "`+boundaryARN+`"
  tags                 = { Owner = terraform_data.late.output }`)
	env.Test(t,
		resource.TestStep{
			Config: fmt.Sprintf(late, "first"),
			ConfigPlanChecks: actionIs(iamUserAddress, plancheck.ResourceActionCreate,
				plancheck.ExpectUnknownValue(iamUserAddress, tfjsonpath.New("name")),
				plancheck.ExpectKnownValue(iamUserAddress, tfjsonpath.New("policy_json"), knownvalue.NotNull())),
			Check: holds(func() { requirePublishPolicy(t, iamUser(t, env, "first").Policies["first-policy"]) }),
		},
		resource.TestStep{
			Config: fmt.Sprintf(late, "second"),
			ConfigPlanChecks: actionIs(iamUserAddress, plancheck.ResourceActionUpdate,
				plancheck.ExpectUnknownValue(iamUserAddress, tfjsonpath.New("name"))),
			Check: holds(func() {
				user := iamUser(t, env, "second")
				requireEqual(t, "tags", user.Tags, map[string]string{"Owner": "second"})
				requireEqual(t, "number of policies", len(user.Policies), 1)
			}),
		},
	)
}

// TestAccIAMUserUnknownTaken proves that a name that is known late and taken is
// refused before anything is written.
func TestAccIAMUserUnknownTaken(t *testing.T) {
	env := acctest.New(t)
	_, err := env.AWS(t).CreateUser(t.Context(), awsapi.User{Name: "sms"})
	succeeds(t, err)
	w := newWorkspace(t, env, "resource \"terraform_data\" \"late\" {\n  input = \"sms\"\n}\n"+iamUserConfig(`name = terraform_data.late.output`))
	w.must("plan")
	refused := w.run("apply")
	requireWords(t, refused.errorText(), "already exists", "import {")
	requireNoWrites(t, refused.requests)
}

// TestAccIAMUserDestroyWithKey proves that a key that Terraform does not own
// keeps the user and, what matters to its sender, the permission.
func TestAccIAMUserDestroyWithKey(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
	w.must("apply")
	key, err := env.AWS(t).CreateAccessKey(t.Context(), "sms")
	succeeds(t, err)
	before := env.State()
	refused := w.run("destroy")
	requireWords(t, refused.errorText(), "1 access key(s): "+key.ID, "nothing was changed", "auth0sns_credentials", "aws iam delete-access-key --user-name sms")
	requireNoWrites(t, refused.requests)
	requireEqual(t, "change by a destroy that was refused", before.Diff(env.State()), "")
	succeeds(t, env.AWS(t).DeleteAccessKey(t.Context(), "sms", key.ID))
	w.must("destroy")
}

// TestAccIAMUserLeftBehind: an apply was killed before it could write the state.
// The next one goes on where it stopped, and the plan says so; but what could be
// somebody's is never taken.
func TestAccIAMUserLeftBehind(t *testing.T) {
	for name, test := range map[string]struct {
		since func(t *testing.T, env *acctest.Env)
		taken bool
	}{
		"as it was made": {func(*testing.T, *acctest.Env) {}, true},
		"without its policy": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			succeeds(t, env.AWS(t).DeleteUserPolicy(t.Context(), "sms", "auth0sns-publish-sms"))
		}, true},
		"with another policy": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			succeeds(t, env.AWS(t).PutUserPolicy(t.Context(), "sms", "auth0sns-publish-sms", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sns:*","Resource":"*"}]}`))
		}, false},
		"with a key": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			_, err := env.AWS(t).CreateAccessKey(t.Context(), "sms")
			succeeds(t, err)
		}, false},
		"made by hand": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			succeeds(t, env.AWS(t).UntagUser(t.Context(), "sms", []string{handover.TagCreated}))
		}, false},
		"for another tenant": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			succeeds(t, env.AWS(t).TagUser(t.Context(), "sms", map[string]string{handover.TagCreated: "production.eu.auth0.com"}))
		}, false},
		"tagged since": {func(t *testing.T, env *acctest.Env) {
			t.Helper()
			succeeds(t, env.AWS(t).TagUser(t.Context(), "sms", map[string]string{"Team": "x"}))
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			env := acctest.New(t)
			w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
			w.must("apply")
			made := iamUser(t, env, "sms").UniqueID
			w.forget()
			test.since(t, env)
			if !test.taken {
				requireWords(t, w.run("plan").errorText(), "already exists", "import {")
				return
			}
			requireWords(t, w.must("plan").text("warning"), "is left from an apply that stopped", "has no access key")
			w.must("apply")
			requireEqual(t, "unique id", iamUser(t, env, "sms").UniqueID, made)
			requirePublishPolicy(t, iamUser(t, env, "sms").Policies["auth0sns-publish-sms"])
			requireEqual(t, "next plan", w.must("plan").changes, map[string]string{})
			w.must("destroy")
		})
	}
}

// TestAccIAMUserCreateFails proves that a user without its policy is not left
// behind, where it would stand in the way of the next apply.
func TestAccIAMUserCreateFails(t *testing.T) {
	t.Run("policy refused", func(t *testing.T) {
		env := acctest.New(t)
		forbid(t, env, "iam:PutUserPolicy")
		before := env.State()
		w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
		failed := w.run("apply")
		requireWords(t, failed.errorText(), "IAM user did not get its policy", "iam:PutUserPolicy", "The user was deleted again; nothing is left behind.")
		requireEqual(t, "what the failure left behind", before.Diff(env.State()), "")
		forbid(t, env)
		w.must("apply")
	})
	t.Run("policy put and answer lost", func(t *testing.T) {
		env := acctest.New(t)
		before := env.State()
		id, err := env.World.Kernel.Faults.Add(control.Fault{Side: control.SideAWS, Operation: "iam:PutUserPolicy", Effect: control.DropAfter})
		succeeds(t, err)
		w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
		failed := w.run("apply")
		requireWords(t, failed.errorText(), "IAM user did not get its policy", "nothing is left behind")
		requireEqual(t, "what the failure left behind", before.Diff(env.State()), "")
		succeeds(t, env.World.Kernel.Faults.Remove(id))
		w.must("apply")
	})
	t.Run("user created and answer lost", func(t *testing.T) {
		env := acctest.New(t)
		_, err := env.World.Kernel.Faults.Add(control.Fault{Side: control.SideAWS, Operation: "iam:CreateUser", Effect: control.DropAfter, Times: 1})
		succeeds(t, err)
		w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
		w.must("apply")
		requirePublishPolicy(t, iamUser(t, env, "sms").Policies["auth0sns-publish-sms"])
		w.must("destroy")
	})
	t.Run("deletion refused too", func(t *testing.T) {
		env := acctest.New(t)
		forbid(t, env, "iam:PutUserPolicy", "iam:DeleteUser")
		failed := newWorkspace(t, env, iamUserConfig(`name = "sms"`)).run("apply")
		requireWords(t, failed.errorText(), "could not be deleted again", "aws iam delete-user --user-name sms")
	})
}

// forbid denies actions to Terraform's own credentials; none gives all back.
func forbid(t *testing.T, env *acctest.Env, actions ...string) {
	t.Helper()
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}`
	for _, action := range actions {
		policy += fmt.Sprintf(`,{"Effect":"Deny","Action":%q,"Resource":"*"}`, action)
	}
	succeeds(t, env.Account.SetOperatorPolicy(policy+"]}"))
}

// TestAccIAMUserUpdateFails proves that after an update that stopped halfway
// the next plan shows the rest, and only the rest.
func TestAccIAMUserUpdateFails(t *testing.T) {
	t.Run("rename refused", func(t *testing.T) {
		env := acctest.New(t)
		w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
		w.must("apply")
		forbid(t, env, "iam:UpdateUser")
		w.write(iamUserConfig("name = \"renamed\"\n  policy_name = \"publish\"\n  tags = { Team = \"x\" }"))
		requireWords(t, w.run("apply").errorText(), "IAM user was not updated", "iam:UpdateUser")
		requireEqual(t, "tags, written before the failure", iamUser(t, env, "sms").Tags, map[string]string{"Team": "x"})
		forbid(t, env)
		requireEqual(t, "plan after the failure", w.must("apply").changes, map[string]string{iamUserAddress: "update"})
		requirePublishPolicy(t, iamUser(t, env, "renamed").Policies["publish"])
		requireEqual(t, "plan after the repair", w.must("plan").changes, map[string]string{})
		w.must("destroy")
	})
	t.Run("rename done and answer lost", func(t *testing.T) {
		env := acctest.New(t)
		w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
		w.must("apply")
		_, err := env.World.Kernel.Faults.Add(control.Fault{Side: control.SideAWS, Operation: "iam:UpdateUser", Effect: control.DropAfter})
		succeeds(t, err)
		w.write(iamUserConfig(`name = "renamed"`))
		w.must("apply")
		requireEqual(t, "plan after the rename", w.must("plan").changes, map[string]string{})
		w.must("destroy")
	})
	t.Run("old policy stays", func(t *testing.T) {
		env := acctest.New(t)
		w := newWorkspace(t, env, iamUserConfig(`name = "sms"`))
		w.must("apply")
		forbid(t, env, "iam:DeleteUserPolicy")
		w.write(iamUserConfig("name = \"sms\"\n  policy_name = \"publish\""))
		requireWords(t, w.run("apply").errorText(), "IAM user was not updated", "iam:DeleteUserPolicy")
		requirePublishPolicy(t, iamUser(t, env, "sms").Policies["publish"])
		forbid(t, env)
		w.must("apply")
		requireEqual(t, "number of policies", len(iamUser(t, env, "sms").Policies), 1)
		w.must("destroy")
	})
}
