package aws

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

const (
	maxKeysPerUser = 2
	maxTagsPerUser = 50
	// maxInlinePolicies is the size of all inline policies of one user, white
	// space not counted.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html.
	maxInlinePolicies = 2048
)

// The constraints of IAM's own API model.
var (
	namePattern    = lazyregexp.New(`^[\w+=,.@-]*$`)
	pathPattern    = lazyregexp.New(`^/([!-~]+/)?$`)
	tagPattern     = lazyregexp.New(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	keyIDPattern   = lazyregexp.New(`^\w*$`)
	existingName   = rule{1, 128, `[\w+=,.@-]+`, namePattern.MatchString}
	policyName     = rule{1, 128, `[\w+=,.@-]+`, namePattern.MatchString}
	policyDocument = rule{1, 131072, `[\u0009\u000A\u000D\u0020-\u00FF]+`, isPolicyText}
	keyID          = rule{16, 128, `[\w]+`, keyIDPattern.MatchString}
	keyStatus      = rule{1, 16, `Active|Inactive`, func(s string) bool { return s == "Active" || s == "Inactive" }}
	arnRule        = rule{20, 2048, `arn:.+`, func(s string) bool { return strings.HasPrefix(s, "arn:") }}
	tagKey         = rule{1, 128, `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`, tagPattern.MatchString}
	tagValue       = rule{0, 256, `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`, tagPattern.MatchString}
)

func isPolicyText(s string) bool {
	for _, r := range s {
		if r != '\t' && r != '\n' && r != '\r' && (r < ' ' || r > 0xff) {
			return false
		}
	}
	return true
}

func iamOperations() map[string]operation {
	iam := iamService()
	return map[string]operation{
		"GetUser":                       {iam, (*call).onUser, (*call).getUser},
		"ListUsers":                     {iam, (*call).onUsers, (*call).listUsers},
		"CreateUser":                    {iam, (*call).onNewUser, (*call).createUser},
		"UpdateUser":                    {iam, (*call).onUser, (*call).updateUser},
		"DeleteUser":                    {iam, (*call).onUser, (*call).deleteUser},
		"TagUser":                       {iam, (*call).onUser, (*call).tagUser},
		"UntagUser":                     {iam, (*call).onUser, (*call).untagUser},
		"ListUserTags":                  {iam, (*call).onUser, (*call).listUserTags},
		"PutUserPermissionsBoundary":    {iam, (*call).onUser, (*call).putUserPermissionsBoundary},
		"DeleteUserPermissionsBoundary": {iam, (*call).onUser, (*call).deleteUserPermissionsBoundary},
		"PutUserPolicy":                 {iam, (*call).onUser, (*call).putUserPolicy},
		"GetUserPolicy":                 {iam, (*call).onUser, (*call).getUserPolicy},
		"DeleteUserPolicy":              {iam, (*call).onUser, (*call).deleteUserPolicy},
		"ListUserPolicies":              {iam, (*call).onUser, (*call).listUserPolicies},
		"ListAttachedUserPolicies":      {iam, (*call).onUser, (*call).listAttachedUserPolicies},
		"ListGroupsForUser":             {iam, (*call).onUser, (*call).listGroupsForUser},
		"CreateAccessKey":               {iam, (*call).onUser, (*call).createAccessKey},
		"ListAccessKeys":                {iam, (*call).onUser, (*call).listAccessKeys},
		"UpdateAccessKey":               {iam, (*call).onUser, (*call).updateAccessKey},
		"DeleteAccessKey":               {iam, (*call).onUser, (*call).deleteAccessKey},
		"GetAccessKeyLastUsed":          {iam, (*call).onKeyOwner, (*call).getAccessKeyLastUsed},
	}
}

// onUser is the ARN of the user named, or of the caller where none is named. A
// user that does not exist is taken to have the path "/".
func (c *call) onUser() string {
	name := c.form.Get("UserName")
	if name == "" && c.principal.user != nil {
		return c.account.userARN(c.principal.user)
	}
	if u := c.account.users[strings.ToLower(name)]; u != nil && u.name == name {
		return c.account.userARN(u)
	}
	return c.account.iamARN("user/" + name)
}

func (c *call) onUsers() string { return c.account.iamARN("user" + c.pathOr("PathPrefix", "/")) }

func (c *call) onNewUser() string {
	return c.account.iamARN("user" + c.pathOr("Path", "/") + c.form.Get("UserName"))
}

func (c *call) onKeyOwner() string {
	key := c.account.keys[c.form.Get("AccessKeyId")]
	if key == nil || key.owner == nil {
		return c.account.iamARN("user/*")
	}
	return c.account.userARN(key.owner)
}

func (c *call) pathOr(name, fallback string) string {
	if path := c.form.Get(name); path != "" {
		return path
	}
	return fallback
}

// named is the user that UserName names; it must.
func (c *call) named() (*user, error) {
	name, err := c.parameter("UserName", existingName)
	if err != nil {
		return nil, err
	}
	return c.account.findUser(name)
}

// namedOrSelf is the caller where no user is named.
func (c *call) namedOrSelf() (*user, error) {
	if c.form.Has("UserName") {
		return c.named()
	}
	if c.principal.user == nil {
		return nil, invalid("Must specify userName when calling with non-User credentials")
	}
	return c.principal.user, nil
}

func (a *Account) findUser(name string) (*user, error) {
	u := a.users[strings.ToLower(name)]
	if u == nil || u.name != name {
		return nil, missing("The user with name %s cannot be found.", name)
	}
	return u, nil
}

func missing(format string, args ...any) error {
	return refuse(http.StatusNotFound, "NoSuchEntity", format, args...)
}

func conflict(format string, args ...any) error {
	return refuse(http.StatusConflict, "DeleteConflict", format, args...)
}

func limitExceeded(format string, args ...any) error {
	return refuse(http.StatusConflict, "LimitExceeded", format, args...)
}

// userElement is AWS's User type. ListUsers leaves tags and boundary out.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html.
type userElement struct {
	Path                string
	UserName            string
	UserID              string `xml:"UserId"`
	Arn                 string
	CreateDate          string
	PermissionsBoundary *boundaryElement
	Tags                *list[tag]
}

type boundaryElement struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

type userResult struct{ User userElement }

func (a *Account) summary(u *user) userElement {
	return userElement{Path: u.path, UserName: u.name, UserID: u.id, Arn: a.userARN(u), CreateDate: timestamp(u.created)}
}

func (a *Account) detail(u *user) userResult {
	element := a.summary(u)
	if u.boundary != "" {
		element.PermissionsBoundary = &boundaryElement{"Policy", u.boundary}
	}
	if len(u.tags) > 0 {
		tags := listOf(u.tags)
		element.Tags = &tags
	}
	return userResult{element}
}

func (c *call) getUser() (any, error) {
	u, err := c.namedOrSelf()
	if err != nil {
		return nil, err
	}
	return c.account.detail(u), nil
}

type listUsersResult struct {
	Users list[userElement]
	page
}

func (c *call) listUsers() (any, error) {
	var elements []userElement
	for _, u := range c.account.sortedUsers() {
		if strings.HasPrefix(u.path, c.pathOr("PathPrefix", "/")) {
			elements = append(elements, c.account.summary(u))
		}
	}
	elements, tail, err := paginate(c, elements)
	return listUsersResult{listOf(elements), tail}, err
}

func (c *call) createUser() (any, error) {
	name, err := c.newName("UserName")
	if err != nil {
		return nil, err
	}
	path, err := c.newPath("Path", "/")
	if err != nil {
		return nil, err
	}
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	boundary := ""
	if c.form.Has("PermissionsBoundary") {
		if boundary, err = c.managedPolicy("PermissionsBoundary"); err != nil {
			return nil, err
		}
	}
	if err := c.account.nameIsFree(name, nil); err != nil {
		return nil, err
	}
	u := &user{
		name: name, path: path, id: newID("AIDA", 17), created: c.now,
		tags: tags, boundary: boundary, policies: map[string]inlinePolicy{},
	}
	c.account.users[strings.ToLower(name)] = u
	return c.account.detail(u), nil
}

// newName reads the name of a user to be, with the texts IAM has for it.
func (c *call) newName(parameter string) (string, error) {
	name, err := c.parameter(parameter, rule{min: 1, max: 64})
	if err != nil {
		return "", err
	}
	if !namePattern.MatchString(name) {
		return "", invalid("The specified value for %s is invalid. It must contain only alphanumeric characters and/or the following: +=,.@_-", lowerFirst(parameter))
	}
	return name, nil
}

func (c *call) newPath(parameter, fallback string) (string, error) {
	if !c.form.Has(parameter) {
		return fallback, nil
	}
	path := c.form.Get(parameter)
	if len(path) > 512 || !pathPattern.MatchString(path) {
		return "", invalid("The specified value for %s is invalid. It must begin and end with / and contain only alphanumeric characters and/or / characters.", lowerFirst(parameter))
	}
	return path, nil
}

// nameIsFree refuses a name that another user than self has, whatever its case.
func (a *Account) nameIsFree(name string, self *user) error {
	if other := a.users[strings.ToLower(name)]; other != nil && other != self {
		return refuse(http.StatusConflict, "EntityAlreadyExists", "User with name %s already exists.", name)
	}
	return nil
}

// managedPolicy reads the ARN of a managed policy the account knows.
func (c *call) managedPolicy(parameter string) (string, error) {
	arn, err := c.parameter(parameter, arnRule)
	if err != nil {
		return "", err
	}
	if _, known := c.account.managed[arn]; !known {
		return "", missing("Scope ARN: %s does not exist or is not attachable.", arn)
	}
	return arn, nil
}

func (c *call) updateUser() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	name := u.name
	if c.form.Has("NewUserName") {
		if name, err = c.newName("NewUserName"); err != nil {
			return nil, err
		}
	}
	path, err := c.newPath("NewPath", u.path)
	if err != nil {
		return nil, err
	}
	// IAM wants the permission on both the old and the new user.
	if err := c.authorize(c.account.iamARN("user" + path + name)); err != nil {
		return nil, err
	}
	if err := c.account.nameIsFree(name, u); err != nil {
		return nil, err
	}
	delete(c.account.users, strings.ToLower(u.name))
	u.name, u.path = name, path
	c.account.users[strings.ToLower(name)] = u
	return nil, nil
}

func (c *call) deleteUser() (any, error) {
	u, err := c.named()
	switch {
	case err != nil:
		return nil, err
	case len(u.keys) > 0:
		return nil, conflict("Cannot delete entity, must delete access keys first.")
	case len(u.policies) > 0:
		return nil, conflict("Cannot delete entity, must delete policies first.")
	case len(u.attached) > 0:
		return nil, conflict("Cannot delete entity, must detach all policies first.")
	}
	delete(c.account.users, strings.ToLower(u.name))
	return nil, nil
}

// tags reads Tags.member.<n>.
func (c *call) tags() ([]tag, error) {
	var tags []tag
	seen := map[string]bool{}
	for n := 1; ; n++ {
		prefix := "Tags.member." + strconv.Itoa(n)
		if !c.form.Has(prefix + ".Key") {
			break
		}
		t := tag{Key: c.form.Get(prefix + ".Key"), Value: c.form.Get(prefix + ".Value")}
		if err := t.validate(n); err != nil {
			return nil, err
		}
		// Keys that differ in case only are one key to IAM.
		folded := strings.ToLower(t.Key)
		if seen[folded] {
			return nil, invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[folded] = true
		tags = append(tags, t)
	}
	if len(tags) > maxTagsPerUser {
		return nil, invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", maxTagsPerUser)
	}
	return tags, nil
}

func (t tag) validate(n int) error {
	prefix := "tags." + strconv.Itoa(n) + ".member."
	if err := tagKey.check(prefix+"key", t.Key); err != nil {
		return err
	}
	if strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
		return invalidInput("System tags cannot be added or modified: the key %s begins with aws:", t.Key)
	}
	return tagValue.check(prefix+"value", t.Value)
}

func invalidInput(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidInput", format, args...)
}

func (c *call) tagUser() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	merged := slices.Clone(u.tags)
	for _, t := range tags {
		merged = append(withoutTag(merged, t.Key), t)
	}
	if len(merged) > maxTagsPerUser {
		return nil, limitExceeded("The number of tags has reached the maximum limit.")
	}
	u.tags = merged
	return nil, nil
}

func withoutTag(tags []tag, key string) []tag {
	return slices.DeleteFunc(tags, func(t tag) bool { return strings.EqualFold(t.Key, key) })
}

func (c *call) untagUser() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	for _, key := range c.members("TagKeys") {
		u.tags = withoutTag(u.tags, key)
	}
	return nil, nil
}

type listUserTagsResult struct {
	Tags list[tag]
	page
}

func (c *call) listUserTags() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	tags, tail, err := paginate(c, u.tags)
	return listUserTagsResult{listOf(tags), tail}, err
}

func (c *call) putUserPermissionsBoundary() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	arn, err := c.managedPolicy("PermissionsBoundary")
	if err != nil {
		return nil, err
	}
	u.boundary = arn
	return nil, nil
}

func (c *call) deleteUserPermissionsBoundary() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	if u.boundary == "" {
		return nil, missing("User %s does not have a permissions boundary.", u.name)
	}
	u.boundary = ""
	return nil, nil
}

// putUserPolicy accepts a policy with conditions or variables but does not
// emulate them: such an Allow then never matches, such a Deny always does.
func (c *call) putUserPolicy() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	name, err := c.parameter("PolicyName", policyName)
	if err != nil {
		return nil, err
	}
	text, err := c.parameter("PolicyDocument", policyDocument)
	if err != nil {
		return nil, err
	}
	doc, err := parseDocument(text, c.account.config.Partition)
	if err != nil {
		return nil, err
	}
	size := countInk(text)
	for other, policy := range u.policies {
		if other != name {
			size += countInk(policy.text)
		}
	}
	if size > maxInlinePolicies {
		return nil, limitExceeded("Maximum policy size of %d bytes exceeded for user %s", maxInlinePolicies, u.name)
	}
	u.policies[name] = inlinePolicy{text: text, document: doc}
	return nil, nil
}

// countInk counts the characters that are not white space.
func countInk(text string) int {
	n := 0
	for _, r := range text {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func (c *call) namedPolicy() (*user, string, error) {
	u, err := c.named()
	if err != nil {
		return nil, "", err
	}
	name, err := c.parameter("PolicyName", policyName)
	if err != nil {
		return nil, "", err
	}
	if _, ok := u.policies[name]; !ok {
		return nil, "", missing("The user policy with name %s cannot be found.", name)
	}
	return u, name, nil
}

type userPolicyResult struct {
	UserName, PolicyName, PolicyDocument string
}

// getUserPolicy answers the document percent-encoded after RFC 3986, as IAM does.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetUserPolicy.html.
func (c *call) getUserPolicy() (any, error) {
	u, name, err := c.namedPolicy()
	if err != nil {
		return nil, err
	}
	return userPolicyResult{u.name, name, uriEncode(u.policies[name].text)}, nil
}

func (c *call) deleteUserPolicy() (any, error) {
	u, name, err := c.namedPolicy()
	if err != nil {
		return nil, err
	}
	delete(u.policies, name)
	return nil, nil
}

type listUserPoliciesResult struct {
	PolicyNames list[string]
	page
}

func (c *call) listUserPolicies() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	names, tail, err := paginate(c, slices.Sorted(maps.Keys(u.policies)))
	return listUserPoliciesResult{listOf(names), tail}, err
}

type attachedPolicy struct {
	PolicyName, PolicyArn string
}

type listAttachedUserPoliciesResult struct {
	AttachedPolicies list[attachedPolicy]
	page
}

func (c *call) listAttachedUserPolicies() (any, error) {
	u, err := c.named()
	if err != nil {
		return nil, err
	}
	var attached []attachedPolicy
	for _, arn := range u.attached {
		attached = append(attached, attachedPolicy{arn[strings.LastIndex(arn, "/")+1:], arn})
	}
	attached, tail, err := paginate(c, attached)
	return listAttachedUserPoliciesResult{listOf(attached), tail}, err
}

// groupElement stands for AWS's Group type, of which the account has none.
type groupElement struct{}

type listGroupsForUserResult struct {
	Groups list[groupElement]
	page
}

// listGroupsForUser is what hashicorp/aws asks before it deletes a user.
func (c *call) listGroupsForUser() (any, error) {
	if _, err := c.named(); err != nil {
		return nil, err
	}
	groups, tail, err := paginate(c, []groupElement{})
	return listGroupsForUserResult{listOf(groups), tail}, err
}

type keyElement struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

type createAccessKeyResult struct{ AccessKey keyElement }

func (c *call) createAccessKey() (any, error) {
	u, err := c.namedOrSelf()
	if err != nil {
		return nil, err
	}
	if len(u.keys) >= maxKeysPerUser {
		return nil, limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeysPerUser)
	}
	key := &accessKey{
		id: newID("AKIA", 16), secret: newSecret(), owner: u,
		active: true, created: c.now, validFrom: c.now.Add(c.account.config.KeyDelay),
	}
	u.keys = append(u.keys, key)
	c.account.keys[key.id] = key
	c.account.minted = append(c.account.minted, key.secret)
	element := key.element()
	element.SecretAccessKey = key.secret
	return createAccessKeyResult{element}, nil
}

func (k *accessKey) element() keyElement {
	return keyElement{UserName: k.owner.name, AccessKeyID: k.id, Status: k.status(), CreateDate: timestamp(k.created)}
}

type listAccessKeysResult struct {
	AccessKeyMetadata list[keyElement]
	page
}

func (c *call) listAccessKeys() (any, error) {
	u, err := c.namedOrSelf()
	if err != nil {
		return nil, err
	}
	var elements []keyElement
	for _, key := range u.keys {
		elements = append(elements, key.element())
	}
	elements, tail, err := paginate(c, elements)
	return listAccessKeysResult{listOf(elements), tail}, err
}

// namedKey is the key AccessKeyId of the user named, or of the caller.
func (c *call) namedKey() (*accessKey, error) {
	u, err := c.namedOrSelf()
	if err != nil {
		return nil, err
	}
	id, err := c.parameter("AccessKeyId", keyID)
	if err != nil {
		return nil, err
	}
	for _, key := range u.keys {
		if key.id == id {
			return key, nil
		}
	}
	return nil, missing("The Access Key with id %s cannot be found.", id)
}

func (c *call) updateAccessKey() (any, error) {
	key, err := c.namedKey()
	if err != nil {
		return nil, err
	}
	status, err := c.parameter("Status", keyStatus)
	if err != nil {
		return nil, err
	}
	switch active := status == "Active"; {
	case active == key.active:
	case active:
		c.restore(key)
	default:
		c.revoke(key)
	}
	return nil, nil
}

// revoke stops a key, after the delay AWS needs to tell its services.
func (c *call) revoke(key *accessKey) {
	key.active, key.validUntil = false, c.now.Add(c.account.config.RevocationDelay)
}

// restore makes a key work again: at once where its revocation had not yet been
// seen, else after the delay of a new key.
func (c *call) restore(key *accessKey) {
	if !c.now.Before(key.validUntil) {
		key.validFrom = c.now.Add(c.account.config.KeyDelay)
	}
	key.active, key.validUntil = true, time.Time{}
}

func (c *call) deleteAccessKey() (any, error) {
	key, err := c.namedKey()
	if err != nil {
		return nil, err
	}
	key.owner.keys = slices.DeleteFunc(key.owner.keys, func(k *accessKey) bool { return k == key })
	if key.active {
		c.revoke(key)
	}
	return nil, nil
}

type keyLastUsedResult struct {
	UserName          string
	AccessKeyLastUsed lastUsedElement
}

type lastUsedElement struct {
	LastUsedDate string `xml:",omitempty"`
	ServiceName  string
	Region       string
}

// getAccessKeyLastUsed is exact, where AWS lags by minutes.
func (c *call) getAccessKeyLastUsed() (any, error) {
	id, err := c.parameter("AccessKeyId", keyID)
	if err != nil {
		return nil, err
	}
	key := c.account.keys[id]
	if key == nil || key.owner == nil || !slices.Contains(key.owner.keys, key) {
		return nil, missing("The Access Key with id %s cannot be found.", id)
	}
	element := lastUsedElement{ServiceName: "N/A", Region: "N/A"}
	if use := key.lastUsed; use != nil {
		element = lastUsedElement{timestamp(use.at), use.service, use.region}
	}
	return keyLastUsedResult{key.owner.name, element}, nil
}
