package aws

import (
	"net/http"
	"strconv"
	"time"
)

func stsOperations() map[string]operation {
	sts := stsService()
	return map[string]operation{
		"GetCallerIdentity": {sts, nil, (*call).getCallerIdentity},
		"AssumeRole":        {sts, func(c *call) string { return c.form.Get("RoleArn") }, (*call).assumeRole},
	}
}

type callerIdentity struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

// getCallerIdentity needs no permission, and an explicit deny does not stop it.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html.
func (c *call) getCallerIdentity() (any, error) {
	return callerIdentity{Arn: c.principal.arn, UserID: c.principal.id, Account: c.account.config.AccountID}, nil
}

// assumeRole opens a session of a role whose trust policy trusts the account, so
// that the caller's own policies decide.
func (c *call) assumeRole() (any, error) {
	arn, err := c.parameter("RoleArn", arnRule)
	if err != nil {
		return nil, err
	}
	name, err := c.parameter("RoleSessionName", rule{2, 64, `[\w+=,.@-]*`, namePattern.MatchString})
	if err != nil {
		return nil, err
	}
	for _, parameter := range []string{"Policy", "PolicyArns.member.1.arn"} {
		if c.form.Has(parameter) {
			return nil, invalid("Session policies are not emulated: %s", parameter)
		}
	}
	life, err := c.sessionLife()
	if err != nil {
		return nil, err
	}
	assumed, ok := c.account.roles[arn]
	if !ok {
		return nil, refuse(http.StatusForbidden, "AccessDenied", "User: %s is not authorized to perform: sts:AssumeRole on resource: %s", c.principal.arn, arn)
	}
	s := &session{role: assumed, name: name, token: newSecret() + newSecret(), expires: c.now.Add(life)}
	key := &accessKey{id: newID("ASIA", 16), secret: newSecret(), active: true, created: c.now, validFrom: c.now, session: s}
	c.account.keys[key.id] = key
	c.account.minted = append(c.account.minted, key.secret, s.token)
	return newAssumedRole(key, c.account.sessionARN(s)), nil
}

// sessionLife reads DurationSeconds: 15 minutes to 1 hour, a role's default maximum.
func (c *call) sessionLife() (time.Duration, error) {
	if !c.form.Has("DurationSeconds") {
		return time.Hour, nil
	}
	seconds, err := strconv.Atoi(c.form.Get("DurationSeconds"))
	if err != nil || seconds < 900 {
		return 0, invalid("1 validation error detected: Value '%s' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", c.form.Get("DurationSeconds"))
	}
	if seconds > 3600 {
		return 0, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	return time.Duration(seconds) * time.Second, nil
}

type assumedRole struct {
	Credentials     sessionCredentials
	AssumedRoleUser assumedRoleUser
}

type sessionCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type assumedRoleUser struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}

func newAssumedRole(key *accessKey, arn string) assumedRole {
	return assumedRole{
		Credentials: sessionCredentials{
			AccessKeyID: key.id, SecretAccessKey: key.secret,
			SessionToken: key.session.token, Expiration: timestamp(key.session.expires),
		},
		AssumedRoleUser: assumedRoleUser{AssumedRoleID: key.session.role.id + ":" + key.session.name, Arn: arn},
	}
}
