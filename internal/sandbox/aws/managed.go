package aws

import (
	"encoding/json"
	"slices"
	"strings"
)

func managedPolicyOperations() map[string]operation {
	iam := iamService()
	return map[string]operation{
		"GetPolicy":        {iam, (*call).onPolicy, (*call).getPolicy},
		"GetPolicyVersion": {iam, (*call).onPolicy, (*call).getPolicyVersion},
		"AttachUserPolicy": {iam, (*call).onUser, (*call).attachUserPolicy},
		"DetachUserPolicy": {iam, (*call).onUser, (*call).detachUserPolicy},
	}
}

func (c *call) onPolicy() string { return c.form.Get("PolicyArn") }

// managedVersion is the only version that a managed policy has here.
const managedVersion = "v1"

type policyResult struct {
	Policy struct {
		PolicyName, Arn, Path string
		DefaultVersionID      string `xml:"DefaultVersionId"`
		IsAttachable          bool
	}
}

// getPolicy tells about one of AWS's managed policies.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicy.html.
func (c *call) getPolicy() (any, error) {
	arn, err := c.existingPolicy()
	if err != nil {
		return nil, err
	}
	var result policyResult
	result.Policy.PolicyName, result.Policy.Arn, result.Policy.Path = arn[strings.LastIndex(arn, "/")+1:], arn, "/"
	result.Policy.DefaultVersionID, result.Policy.IsAttachable = managedVersion, true
	return result, nil
}

// existingPolicy reads PolicyArn.
func (c *call) existingPolicy() (string, error) {
	arn, err := c.parameter("PolicyArn", arnRule)
	if err != nil {
		return "", err
	}
	if _, known := c.account.managed[arn]; !known {
		return "", missing("Policy %s was not found.", arn)
	}
	return arn, nil
}

type policyVersionResult struct {
	PolicyVersion struct {
		Document         string
		VersionID        string `xml:"VersionId"`
		IsDefaultVersion bool
	}
}

// getPolicyVersion answers the document percent-encoded, as getUserPolicy does.
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetPolicyVersion.html.
func (c *call) getPolicyVersion() (any, error) {
	arn, err := c.existingPolicy()
	if err != nil {
		return nil, err
	}
	if version := c.form.Get("VersionId"); version != managedVersion {
		return nil, missing("Policy %s version %s does not exist or is not attachable.", arn, version)
	}
	var result policyVersionResult
	result.PolicyVersion.Document = uriEncode(c.account.managed[arn].text())
	result.PolicyVersion.VersionID, result.PolicyVersion.IsDefaultVersion = managedVersion, true
	return result, nil
}

// text writes a managed policy as JSON. Those have no conditions here.
func (d document) text() string {
	type written struct {
		Effect    string
		Action    []string `json:",omitempty"`
		NotAction []string `json:",omitempty"`
		Resource  []string
	}
	var statements []written
	for _, s := range d.Statement {
		statements = append(statements, written{s.Effect, s.Action, s.NotAction, s.Resource})
	}
	text, err := json.Marshal(struct {
		Version   string
		Statement []written
	}{"2012-10-17", statements})
	if err != nil {
		panic("aws: a managed policy has no JSON: " + err.Error())
	}
	return string(text)
}

func (c *call) attachUserPolicy() (any, error) {
	u, arn, err := c.userAndPolicy()
	if err != nil {
		return nil, err
	}
	u.attach(arn)
	return nil, nil
}

func (c *call) detachUserPolicy() (any, error) {
	u, arn, err := c.userAndPolicy()
	if err != nil {
		return nil, err
	}
	i := slices.Index(u.attached, arn)
	if i < 0 {
		return nil, missing("Policy %s was not found.", arn)
	}
	u.attached = slices.Delete(u.attached, i, i+1)
	return nil, nil
}

func (c *call) userAndPolicy() (*user, string, error) {
	u, err := c.named()
	if err != nil {
		return nil, "", err
	}
	arn, err := c.existingPolicy()
	return u, arn, err
}

// AttachUserPolicy attaches one of AWS's managed policies to a user, as a person
// in the console would.
func (a *Account) AttachUserPolicy(name, arn string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	u, err := a.findUser(name)
	if err != nil {
		return err
	}
	if _, known := a.managed[arn]; !known {
		return missing("Policy %s was not found.", arn)
	}
	u.attach(arn)
	return nil
}

func (u *user) attach(arn string) {
	if !slices.Contains(u.attached, arn) {
		u.attached = append(u.attached, arn)
	}
}
