package generate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// AWS is the part of IAM and STS that is read.
type AWS interface {
	Identity(ctx context.Context) (awsapi.Identity, error)
	Region() string
	User(ctx context.Context, name string) (awsapi.User, error)
	AccessKeys(ctx context.Context, user string) ([]awsapi.AccessKey, error)
	AccessKeyLastUsed(ctx context.Context, id string) (awsapi.LastUsed, error)
	UserNames(ctx context.Context) ([]string, error)
	UserPolicies(ctx context.Context, user string) ([]string, error)
	UserPolicy(ctx context.Context, user, policy string) (string, error)
	AttachedPolicies(ctx context.Context, user string) ([]string, error)
	ManagedPolicy(ctx context.Context, policyARN string) (string, error)
}

// defaultPolicyName is what auth0sns_iam_user calls its inline policy.
const defaultPolicyName = "auth0sns-publish-sms"

// searchLimit is how many users are looked at in search of the sender's: several
// requests each, of an API that bears few in a second.
const searchLimit = 100

func (r *reader) readAccount(ctx context.Context) error {
	identity, err := r.aws.Identity(ctx)
	r.AccountID = identity.AccountID
	return err
}

func (r *reader) readUser(ctx context.Context) error {
	name := cmp.Or(r.options.IAMUser, userInState(r.options.State))
	how := "It is the user that you named."
	if r.options.IAMUser == "" {
		how = "It is the one user that has an aws_iam_access_key in the state that you gave."
	}
	if name == "" {
		var err error
		if name, err = r.searchUser(ctx); err != nil {
			return err
		}
		how = "It is the one user of the account with a key and a policy that is about SNS and lets it publish."
	}
	user, err := r.aws.User(ctx, name)
	if awsapi.IsNotFound(err) {
		return fmt.Errorf("account %s has no IAM user %q: %w", r.AccountID, name, err)
	}
	if err != nil {
		return err
	}
	r.User = user
	r.remark(Unproven, addressIAMUser, "%s That the sender holds a key of this user is taken on trust: Auth0 shows nobody which key it is.", how)
	if awsapi.ValidateTags(user.Tags) != nil {
		r.remark(LeftOut, addressIAMUser, "The tags stay as they are: AWS takes some of them from nobody but itself.")
	}
	return nil
}

// searchUser finds the one user who may send.
func (r *reader) searchUser(ctx context.Context) (string, error) {
	const name = "Name the user whose key the sender holds with --iam-user"
	users, err := r.aws.UserNames(ctx)
	if err != nil {
		return "", fmt.Errorf("%s: the account's users cannot be searched: %w", name, err)
	}
	if len(users) > searchLimit {
		return "", &UserError{fmt.Sprintf("%s: the account has %d users, too many to look through", name, len(users))}
	}
	managed := map[string]bool{}
	users = slices.DeleteFunc(users, func(user string) bool {
		sends := false
		if err == nil {
			sends, err = r.isSender(ctx, user, managed)
		}
		return !sends
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("%s: the account's users cannot be searched: %w", name, err)
	case len(users) == 0:
		return "", &UserError{fmt.Sprintf("%s: no user of account %s has a key, and a policy about SNS that lets it publish", name, r.AccountID)}
	case len(users) > 1:
		return "", &UserError{fmt.Sprintf("%s: %s have a key each, and a policy about SNS that lets them publish", name, strings.Join(users, ", "))}
	}
	return users[0], nil
}

// UserError says that the sender's IAM user has to be named.
type UserError struct{ message string }

func (e *UserError) Error() string { return e.message }

// isSender tells whether a user has a key, and a policy about SNS alone by which
// it may publish: an administrator, who may as well, is not meant. What a user's
// groups allow is not looked at. managed keeps what is known of managed policies.
func (r *reader) isSender(ctx context.Context, user string, managed map[string]bool) (bool, error) {
	keys, err := r.aws.AccessKeys(ctx, user)
	if err != nil || len(keys) == 0 {
		return false, err
	}
	policies, err := r.inlinePolicies(ctx, user)
	if err != nil {
		return false, err
	}
	if slices.ContainsFunc(policies, policy.sends) {
		return true, nil
	}
	attached, err := r.aws.AttachedPolicies(ctx, user)
	if err != nil {
		return false, err
	}
	for _, arn := range attached {
		sends, known := managed[arn]
		if !known {
			document, err := r.aws.ManagedPolicy(ctx, arn)
			if err != nil {
				return false, err
			}
			sends = policy{document: document}.sends()
			managed[arn] = sends
		}
		if sends {
			return true, nil
		}
	}
	return false, nil
}

// policy is a policy of a user, by its name where it is an inline one.
type policy struct{ name, document string }

func (r *reader) inlinePolicies(ctx context.Context, user string) ([]policy, error) {
	names, err := r.aws.UserPolicies(ctx, user)
	if err != nil {
		return nil, err
	}
	var policies []policy
	for _, name := range names {
		document, err := r.aws.UserPolicy(ctx, user, name)
		if err != nil {
			return nil, err
		}
		policies = append(policies, policy{name, document})
	}
	return policies, nil
}

// sends tells whether the policy lets publish to phones, and is about SNS alone,
// so that nobody loses another permission when it is replaced. Whether a
// condition holds nobody can tell here; it is taken to.
func (p policy) sends() bool {
	allows, err := awsapi.Allows(p.document, "sns:Publish", "+15005550001")
	return (allows || err != nil) && p.isAboutSNS()
}

func (p policy) isAboutSNS() bool {
	var document struct{ Statement json.RawMessage }
	if json.Unmarshal([]byte(p.document), &document) != nil {
		return false
	}
	type statement struct{ Action, NotAction any }
	var statements []statement
	if json.Unmarshal(document.Statement, &statements) != nil {
		statements = make([]statement, 1)
		if json.Unmarshal(document.Statement, &statements[0]) != nil {
			return false
		}
	}
	return !slices.ContainsFunc(statements, func(s statement) bool {
		actions, ok := s.Action.([]any)
		if !ok {
			actions = []any{s.Action}
		}
		return s.NotAction != nil || slices.ContainsFunc(actions, func(action any) bool {
			name, _ := action.(string)
			return !strings.HasPrefix(strings.ToLower(name), "sns:")
		})
	})
}

// readPolicy chooses the inline policy that becomes the sender's: the one that
// says just that, or else one that is about SNS alone.
func (r *reader) readPolicy(ctx context.Context) error {
	policies, err := r.inlinePolicies(ctx, r.User.Name)
	if err != nil {
		return err
	}
	attached, err := r.aws.AttachedPolicies(ctx, r.User.Name)
	if err != nil {
		return err
	}
	publish := awsapi.PublishPolicy(r.User.Partition())
	same := func(p policy) bool { return awsapi.PoliciesEqual(p.document, publish) }
	i := slices.IndexFunc(policies, same)
	if i < 0 {
		i = slices.IndexFunc(policies, policy.sends)
	}
	r.PolicyName = defaultPolicyName
	if i >= 0 {
		r.PolicyName = policies[i].name
	}
	switch {
	case i < 0:
		r.remark(Change, addressIAMUser, "No inline policy of the user is about SNS alone. The plan adds %s: it allows to publish to phone numbers, and denies topics and push endpoints, also where another policy allows them.", defaultPolicyName)
	case !same(policies[i]):
		r.remark(Change, addressIAMUser, "The inline policy %s says something else than auth0sns's. The plan replaces it: the user may then publish to phone numbers and, of SNS, nothing else.", r.PolicyName)
	}
	for _, p := range policies {
		if p.name != r.PolicyName {
			r.remark(LeftOut, addressIAMUser, "The inline policy %s stays as it is.", p.name)
		}
	}
	for _, arn := range attached {
		r.remark(LeftOut, addressIAMUser, "The managed policy %s stays attached. When the plan is applied, the sender needs it no more: aws iam detach-user-policy --user-name %s --policy-arn %s", arn, r.User.Name, arn)
	}
	return nil
}

// readKey tells which key the sender is taken to hold, and from which region it
// sends.
func (r *reader) readKey(ctx context.Context) error {
	names, known, err := r.secretNames(ctx)
	if err != nil {
		return err
	}
	keys, err := r.aws.AccessKeys(ctx, r.User.Name)
	if err != nil {
		return err
	}
	used := map[string]awsapi.LastUsed{}
	for _, key := range keys {
		if used[key.ID], err = r.aws.AccessKeyLastUsed(ctx, key.ID); err != nil {
			return err
		}
	}
	chosen, how, err := r.chooseKey(keys, used)
	if err != nil {
		return err
	}
	if err := r.chooseRegion(used[chosen]); err != nil {
		return err
	}
	if known && len(missingSecrets(names)) > 0 {
		r.remark(LeftOut, addressCredentials, "It is not part of the configuration, and the key not managed: the sender does not have the secrets %s, under which a key would be delivered. It has %s. Let its code read those, and add the resource then.",
			strings.Join(missingSecrets(names), ", "), cmp.Or(strings.Join(names, ", "), "none"))
		return nil
	}
	if chosen == "" {
		r.remark(LeftOut, addressCredentials, "It is not part of the configuration, and the key not managed: %s. With the resource, and no import block, an apply makes a new key and delivers it.", how)
		return nil
	}
	r.AccessKeyID = chosen
	r.remark(Unproven, addressCredentials, "%s Auth0 shows no value of a secret, so an import takes your word that the sender holds this key and sends from %s. To be sure, set keepers, apply, change them and apply again: that delivers a new key.", how, r.Region)
	if !known {
		r.remark(Unproven, addressCredentials, "Auth0 did not tell the names of the secrets. Where one of the three is missing, the plan makes a new key.")
	}
	if r.Action != nil && len(names) > len(handover.SecretNames()) {
		r.remark(LeftOut, addressCredentials, "The Action has other secrets as well: %s. Auth0 replaces all of them at once, so no key is delivered while they are there.", strings.Join(names, ", "))
	}
	if len(keys) > 1 {
		r.remark(LeftOut, addressCredentials, "The user has another key. A rotation needs its place: delete it when nobody uses it.")
	}
	return nil
}

// chooseKey takes the key that was named, that the record names, that the other
// configuration made, that is the only active one, or that alone was last used for
// SNS. Without one, how says why.
func (r *reader) chooseKey(keys []awsapi.AccessKey, used map[string]awsapi.LastUsed) (id, how string, err error) {
	exists := func(id string) bool {
		return slices.ContainsFunc(keys, func(k awsapi.AccessKey) bool { return k.ID == id })
	}
	if id = r.options.AccessKeyID; id != "" {
		if !exists(id) {
			return "", "", fmt.Errorf("IAM user %q has no access key %s", r.User.Name, id)
		}
		return id, "It is the key that you named.", nil
	}
	record, err := handover.RecordOf(r.User, r.SenderID())
	if err != nil {
		return "", "", err
	}
	if id = record.Holds.ID; exists(id) {
		return id, "It is the key that auth0sns's own record on the user names.", nil
	}
	if id = keyInState(r.options.State, r.User.Name); exists(id) {
		return id, "It is the user's one aws_iam_access_key in the state that you gave.", nil
	}
	var active, senders []string
	for _, key := range keys {
		if !key.Active {
			continue
		}
		active = append(active, key.ID)
		if used[key.ID].Service == "sns" {
			senders = append(senders, key.ID)
		}
	}
	switch {
	case len(active) == 1:
		return active[0], "It is the one active key of the user" + whenUsed(used[active[0]]), nil
	case len(senders) == 1:
		return senders[0], "Of the user's active keys it is the one that was last used for SNS" + whenUsed(used[senders[0]]), nil
	case len(active) == 0:
		return "", "the user has no active key, so this is not the one that sends, or nothing does", nil
	}
	return "", fmt.Sprintf("the user has the active keys %s, and their last use does not tell which one the sender holds. Name it with --access-key-id", strings.Join(active, " and ")), nil
}

func whenUsed(used awsapi.LastUsed) string {
	if used.Service == "" {
		return ", never used as far as AWS knows."
	}
	return fmt.Sprintf(", last used for %s on %s.", used.Service, used.At.UTC().Format(time.DateOnly))
}

// chooseRegion prefers what was seen to what is set.
func (r *reader) chooseRegion(used awsapi.LastUsed) error {
	seen := ""
	if used.Service == "sns" {
		seen = used.Region
	}
	r.Region = cmp.Or(r.options.Region, seen, r.aws.Region())
	if r.Region == "" {
		return errors.New("nobody can tell from which region the sender sends. Name it with --region")
	}
	return nil
}

// senderAddress is that of the hook or Action.
func (s *Setup) senderAddress() string {
	if s.Path == delivery.PathHook {
		return addressHook
	}
	return addressAction
}
