// Package aws emulates one AWS account as far as an SMS sender needs it: IAM
// users and their access keys, STS, SMS through SNS, over the AWS query
// protocol, and the one metric of CloudWatch that tells what they cost. Signatures are verified and policies evaluated; what is inferred
// about AWS rather than known is said where it is decided.
package aws

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Config describes the account.
type Config struct {
	// AccountID has 12 digits.
	AccountID string
	// Partition is aws (the default), aws-cn or aws-us-gov.
	Partition string
	// Now is the account's clock; nil is the real one. The time of a signature is
	// compared with the real clock whatever this one says.
	Now func() time.Time
	// KeyDelay is how long a new, or a reactivated, access key is refused with
	// InvalidClientTokenId before it works.
	KeyDelay time.Duration
	// RevocationDelay is how long a deactivated or deleted access key still works.
	RevocationDelay time.Duration
}

// Account is an emulated AWS account and the http.Handler of its endpoint. All
// methods are safe for concurrent use. Formatting it never shows a secret.
type Account struct {
	config     Config
	operations map[string]operation
	managed    map[string]document // AWS managed policies by ARN
	operator   Credentials

	mu    sync.Mutex
	users map[string]*user // by lower-case name: IAM's names are unique whatever their case
	keys  map[string]*accessKey
	roles map[string]*role // by ARN
	sms   smsState
	// minted are the secrets of all keys, those of before a reset too.
	minted []string
}

// Credentials are a long-term access key. Formatting them hides the secret;
// encoding them as JSON does not.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
}

// Format hides the secret from every verb of package fmt.
func (c Credentials) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "{%s (secret hidden)}", c.AccessKeyID)
}

// user is an IAM user.
type user struct {
	name, path, id string
	created        time.Time
	tags           []tag
	boundary       string // ARN of a managed policy, "" for none
	attached       []string
	policies       map[string]inlinePolicy
	keys           []*accessKey
}

type tag struct{ Key, Value string }

type inlinePolicy struct {
	text     string
	document document
}

// accessKey is a long-term key of a user or the temporary key of a session.
type accessKey struct {
	id, secret string
	active     bool
	created    time.Time
	validFrom  time.Time
	validUntil time.Time // zero while nothing has revoked it
	lastUsed   *keyUse
	owner      *user
	session    *session
}

type keyUse struct {
	at              time.Time
	service, region string
}

// session is what AssumeRole made.
type session struct {
	role    *role
	name    string
	token   string
	expires time.Time
}

type role struct {
	name, id string
	created  time.Time
	policies []document
}

const operatorName = "operator"

// New makes an account that holds an IAM user and a role, both named operator
// and both administrators, and nothing else.
func New(config Config) *Account {
	if config.Partition == "" {
		config.Partition = "aws"
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	a := &Account{
		config:     config,
		operations: map[string]operation{},
		managed:    managedPolicies(config.Partition),
		operator:   Credentials{AccessKeyID: newID("AKIA", 16), SecretAccessKey: newSecret()},
	}
	a.minted = []string{a.operator.SecretAccessKey}
	maps.Copy(a.operations, iamOperations())
	maps.Copy(a.operations, stsOperations())
	maps.Copy(a.operations, snsOperations())
	maps.Copy(a.operations, smsAccountOperations())
	maps.Copy(a.operations, managedPolicyOperations())
	maps.Copy(a.operations, simulatorOperations())
	maps.Copy(a.operations, cloudWatchOperations())
	a.Reset()
	return a
}

// Reset takes the account back to what [New] made; the operator's credentials
// stay valid.
func (a *Account) Reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := a.config.Now().UTC()
	operator := &user{
		name: operatorName, path: "/", id: newID("AIDA", 17), created: now,
		attached: []string{a.managedARN(administratorAccess)},
		policies: map[string]inlinePolicy{},
	}
	key := &accessKey{
		id: a.operator.AccessKeyID, secret: a.operator.SecretAccessKey,
		active: true, created: now, validFrom: now, owner: operator,
	}
	operator.keys = []*accessKey{key}
	a.users = map[string]*user{operatorName: operator}
	a.keys = map[string]*accessKey{key.id: key}
	a.roles = map[string]*role{a.iamARN("role/" + operatorName): {
		name: operatorName, id: newID("AROA", 17), created: now,
		policies: []document{a.managed[a.managedARN(administratorAccess)]},
	}}
	a.sms = newSMSState()
}

// Operator is the access key of the IAM user operator, for whoever runs
// Terraform. It survives [Account.Reset].
func (a *Account) Operator() Credentials { return a.operator }

// Secrets are all that the account ever handed out, the operator's first: secret
// access keys, also of deleted keys and from before a reset, and session tokens.
// They are what a search for leaks has to look for.
func (a *Account) Secrets() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.minted)
}

// Accepts tells whether a request signed with the credentials would be let in at
// this moment. Unlike a request it leaves no trace in the key's last use.
func (a *Account) Accepts(c Credentials) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	key, err := a.usableKey(c.AccessKeyID, "", a.config.Now().UTC())
	return err == nil && key.secret == c.SecretAccessKey
}

// SetOperatorPolicy replaces the permissions of the user operator by one policy
// document; "" gives AdministratorAccess back. It fails when IAM would refuse
// the document, and then changes nothing.
func (a *Account) SetOperatorPolicy(text string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	operator, ok := a.users[operatorName]
	if !ok {
		return fmt.Errorf("the user %s was deleted or renamed", operatorName)
	}
	if text == "" {
		operator.policies = map[string]inlinePolicy{}
		operator.attached = []string{a.managedARN(administratorAccess)}
		return nil
	}
	doc, err := parseDocument(text, a.config.Partition)
	if err != nil {
		return fmt.Errorf("policy of the operator: %w", err)
	}
	operator.policies = map[string]inlinePolicy{operatorName: {text: text, document: doc}}
	operator.attached = nil
	return nil
}

// Format names the account and nothing it holds.
func (a *Account) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "AWS account %s (%s)", a.config.AccountID, a.config.Partition)
}

// State is what the account holds, without any secret.
type State struct {
	AccountID string      `json:"account_id"`
	Users     []UserState `json:"users"`
	// SMSAttributes are those that were set, by region and name.
	SMSAttributes      map[string]map[string]string `json:"sms_attributes"`
	SMSSandbox         bool                         `json:"sms_sandbox"`
	OriginationNumbers []OriginationNumber          `json:"origination_numbers"`
	// VerifiedNumbers are the destinations the SMS sandbox allows.
	VerifiedNumbers []string `json:"verified_numbers"`
	OptedOut        []string `json:"opted_out"`
	// MonthlySpendLimit and MonthToDateSpent are in USD.
	MonthlySpendLimit float64 `json:"monthly_spend_limit"`
	MonthToDateSpent  float64 `json:"month_to_date_spent"`
	// Undelivered are the messages that SNS accepted and then dropped.
	Undelivered []Undelivered `json:"undelivered"`
}

// UserState is an IAM user.
type UserState struct {
	Name                string            `json:"name"`
	Path                string            `json:"path"`
	ARN                 string            `json:"arn"`
	UniqueID            string            `json:"unique_id"`
	Created             time.Time         `json:"created"`
	Tags                map[string]string `json:"tags"`
	PermissionsBoundary string            `json:"permissions_boundary,omitempty"`
	// Policies are the inline policy documents by policy name.
	Policies         map[string]string `json:"policies"`
	AttachedPolicies []string          `json:"attached_policies"`
	AccessKeys       []KeyState        `json:"access_keys"`
}

// KeyState is an access key of a user.
type KeyState struct {
	ID string `json:"id"`
	// Status is Active or Inactive.
	Status  string    `json:"status"`
	Created time.Time `json:"created"`
	// LastUsed is nil for a key that never was.
	LastUsed        *time.Time `json:"last_used,omitempty"`
	LastUsedService string     `json:"last_used_service,omitempty"`
	LastUsedRegion  string     `json:"last_used_region,omitempty"`
}

// Snapshot copies the state, users by name.
func (a *Account) Snapshot() State {
	a.mu.Lock()
	defer a.mu.Unlock()
	state := State{
		AccountID:          a.config.AccountID,
		Users:              []UserState{},
		SMSAttributes:      map[string]map[string]string{},
		SMSSandbox:         a.sms.sandbox,
		VerifiedNumbers:    sortedSet(a.sms.verified),
		OriginationNumbers: slices.Clone(a.sms.origination),
		OptedOut:           sortedSet(a.sms.optedOut),
		MonthlySpendLimit:  a.sms.spendLimit,
		MonthToDateSpent:   a.sms.spent,
		Undelivered:        slices.Clone(a.sms.undelivered),
	}
	for region, attributes := range a.sms.attributes {
		state.SMSAttributes[region] = maps.Clone(attributes)
	}
	for _, u := range a.sortedUsers() {
		state.Users = append(state.Users, a.userState(u))
	}
	return state
}

func (a *Account) userState(u *user) UserState {
	state := UserState{
		Name: u.name, Path: u.path, ARN: a.userARN(u), UniqueID: u.id, Created: u.created,
		Tags: map[string]string{}, PermissionsBoundary: u.boundary,
		Policies: map[string]string{}, AttachedPolicies: append([]string{}, u.attached...),
		AccessKeys: []KeyState{},
	}
	for _, t := range u.tags {
		state.Tags[t.Key] = t.Value
	}
	for name, policy := range u.policies {
		state.Policies[name] = policy.text
	}
	for _, key := range u.keys {
		k := KeyState{ID: key.id, Status: key.status(), Created: key.created}
		if use := key.lastUsed; use != nil {
			k.LastUsed, k.LastUsedService, k.LastUsedRegion = &use.at, use.service, use.region
		}
		state.AccessKeys = append(state.AccessKeys, k)
	}
	return state
}

func (k *accessKey) status() string {
	if k.active {
		return "Active"
	}
	return "Inactive"
}

// usableKey finds the key a request is signed with and refuses one that does
// not work at this moment.
func (a *Account) usableKey(id, token string, now time.Time) (*accessKey, error) {
	key, ok := a.keys[id]
	if !ok || now.Before(key.validFrom) || !key.validUntil.IsZero() && !now.Before(key.validUntil) {
		return nil, errInvalidToken()
	}
	expected := ""
	if key.session != nil {
		expected = key.session.token
	}
	if token != expected {
		return nil, errInvalidToken()
	}
	if key.session != nil && !now.Before(key.session.expires) {
		return nil, refuse(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired")
	}
	return key, nil
}

func errInvalidToken() error {
	return refuse(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.")
}

// principal is who makes a request and what it may do.
type principal struct {
	// id is the UserId of GetCallerIdentity.
	arn, id  string
	keyID    string
	user     *user // nil for a session
	identity []document
	boundary *document // nil when the user has none
}

func (a *Account) principalOf(key *accessKey) principal {
	if s := key.session; s != nil {
		return principal{keyID: key.id, arn: a.sessionARN(s), id: s.role.id + ":" + s.name, identity: s.role.policies}
	}
	u := key.owner
	p := principal{keyID: key.id, arn: a.userARN(u), id: u.id, user: u}
	for _, policy := range u.policies {
		p.identity = append(p.identity, policy.document)
	}
	for _, arn := range u.attached {
		p.identity = append(p.identity, a.managed[arn])
	}
	if u.boundary != "" {
		boundary := a.managed[u.boundary]
		p.boundary = &boundary
	}
	return p
}

// refusal says why action on resource is refused, in AWS's words, or "".
func (p principal) refusal(action, resource string) string {
	switch evaluate(p.identity, action, resource) {
	case denied:
		return "with an explicit deny in an identity-based policy"
	case silent:
		return "because no identity-based policy allows the " + action + " action"
	case allowed:
	}
	if p.boundary == nil {
		return ""
	}
	switch evaluate([]document{*p.boundary}, action, resource) {
	case denied:
		return "with an explicit deny in a permissions boundary"
	case silent:
		return "because no permissions boundary allows the " + action + " action"
	case allowed:
	}
	return ""
}

func (a *Account) sortedUsers() []*user {
	return slices.SortedFunc(maps.Values(a.users), func(x, y *user) int { return strings.Compare(x.name, y.name) })
}

func (a *Account) iamARN(resource string) string {
	return "arn:" + a.config.Partition + ":iam::" + a.config.AccountID + ":" + resource
}

func (a *Account) userARN(u *user) string { return a.iamARN("user" + u.path + u.name) }

func (a *Account) managedARN(name string) string {
	return "arn:" + a.config.Partition + ":iam::aws:policy/" + name
}

func (a *Account) sessionARN(s *session) string {
	return "arn:" + a.config.Partition + ":sts::" + a.config.AccountID + ":assumed-role/" + s.role.name + "/" + s.name
}

// newID makes a unique identifier as IAM does: a prefix that tells the kind, then
// n characters of base 32.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids.
func newID(prefix string, n int) string {
	return prefix + base32.StdEncoding.EncodeToString(randomBytes(n))[:n]
}

// newSecret makes 40 characters, as long as AWS's.
func newSecret() string { return base64.StdEncoding.EncodeToString(randomBytes(30)) }

func newUUID() string {
	b := randomBytes(16)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	// Read never fails: it ends the program instead.
	_, _ = rand.Read(b)
	return b
}
