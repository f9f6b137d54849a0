package awsapi

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestPublishPolicyAllowsAnSMSAndNothingElse(t *testing.T) {
	t.Parallel()
	for _, partition := range []string{"aws", "aws-cn", "aws-us-gov"} {
		of := func(arn string) string { return strings.Replace(arn, "arn:aws:", "arn:"+partition+":", 1) }
		tests := []struct {
			action, resource string
			want             bool
		}{
			{"sns:Publish", "+14155550123", true},
			{"SNS:publish", "+14155550123", true},
			{"sns:Publish", of("arn:aws:sns:us-east-1:123456789012:topic"), false},
			{"sns:Publish", of("arn:aws:sns:us-east-1:123456789012:topic.fifo"), false},
			{"sns:Publish", of("arn:aws:sns:us-east-1:123456789012:topic:6b0e71bd-7e97-4d97-80ce-4a0994e55286"), false},
			{"sns:Publish", of("arn:aws:sns:us-east-1:123456789012:endpoint/GCM/app/5e3e9847-3183-3f18-a7e8-671c3a57d4b3"), false},
			{"sns:Publish", of("arn:aws:sns:eu-west-1:999999999999:someone-elses"), false},
			{"sns:CreateTopic", of("arn:aws:sns:us-east-1:123456789012:topic"), false},
			{"sns:Subscribe", of("arn:aws:sns:us-east-1:123456789012:topic"), false},
			{"sns:SetSMSAttributes", "*", false},
			{"iam:CreateAccessKey", of(userARN), false},
			{"s3:GetObject", of("arn:aws:s3:::bucket/key"), false},
			{"sqs:SendMessage", of("arn:aws:sqs:us-east-1:123456789012:queue"), false},
		}
		document := PublishPolicy(partition)
		for _, test := range tests {
			got, err := Allows(document, test.action, test.resource)
			if err != nil || got != test.want {
				t.Errorf("%s: %s on %s: %t, %v; want %t: a leaked key could do more than send an SMS, or not send it", partition, test.action, test.resource, got, err, test.want)
			}
		}
		// What an administrator attaches later must not open the topics.
		wider := strings.Replace(document, `"Statement": [`, `"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"},`, 1)
		if got, err := Allows(wider, "sns:Publish", of("arn:aws:sns:us-east-1:123456789012:topic")); err != nil || got {
			t.Errorf("%s: the Deny does not hold beside a broader Allow (%v)", partition, err)
		}
	}
}

func TestPublishPolicyFitsAWS(t *testing.T) {
	t.Parallel()
	document := PublishPolicy("aws-us-gov")
	const quota = 2048 // characters of a user's inline policies together, without white space
	if !json.Valid([]byte(document)) || len(document) > quota || !strings.Contains(document, `"Version": "2012-10-17"`) {
		t.Errorf("AWS would refuse it: %s", document)
	}
	if document != PublishPolicy("aws-us-gov") {
		t.Error("it differs from call to call: every plan would show a change")
	}
}

func TestPoliciesEqual(t *testing.T) {
	t.Parallel()
	base := `{"Version":"2012-10-17","Statement":[{"Sid":"A","Effect":"Allow","Action":["sns:Publish","sns:ListTopics"],"Resource":["*"]},{"Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`
	equal := map[string]string{
		"itself":                base,
		"keys in another order": `{"Statement":[{"Resource":["*"],"Action":["sns:Publish","sns:ListTopics"],"Effect":"Allow","Sid":"A"},{"Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}],"Version":"2012-10-17"}`,
		"string for a list":     strings.Replace(base, `["*"]`, `"*"`, 1),
		"list for a string":     strings.Replace(base, `"arn:aws:sns:*:*:*"`, `["arn:aws:sns:*:*:*"]`, 1),
		"actions turned round":  strings.Replace(base, `["sns:Publish","sns:ListTopics"]`, `["sns:ListTopics","sns:Publish"]`, 1),
		"an action twice":       strings.Replace(base, `["sns:Publish","sns:ListTopics"]`, `["sns:ListTopics","sns:Publish","sns:publish"]`, 1),
		"actions in other case": strings.Replace(base, `"sns:ListTopics"`, `"SNS:listtopics"`, 1),
		"a bool for a string":   strings.Replace(base, `"false"`, `false`, 1),
		"a list of a condition": strings.Replace(base, `"false"`, `["false"]`, 1),
		"statements turned round": `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*","Condition":{"Bool":{"aws:SecureTransport":"false"}}},` +
			`{"Sid":"A","Effect":"Allow","Action":["sns:Publish","sns:ListTopics"],"Resource":["*"]}]}`,
		"white space": strings.ReplaceAll(base, ",", " ,\n\t"),
	}
	for name, other := range equal {
		if !PoliciesEqual(base, other) || !PoliciesEqual(other, base) {
			t.Errorf("%s: a plan would show a change where there is none", name)
		}
	}
	different := map[string]string{
		"another action":    strings.Replace(base, "sns:ListTopics", "sns:CreateTopic", 1),
		"another resource":  strings.Replace(base, `["*"]`, `["+1*"]`, 1),
		"case of resource":  strings.Replace(base, "arn:aws:sns", "arn:aws:SNS", 1),
		"another effect":    strings.Replace(base, `"Deny"`, `"Allow"`, 1),
		"not the action":    strings.Replace(base, `"Action":["`, `"NotAction":["`, 1),
		"another version":   strings.Replace(base, "2012", "2008", 1),
		"no version":        strings.Replace(base, `"Version":"2012-10-17",`, "", 1),
		"another condition": strings.Replace(base, `"false"`, `"true"`, 1),
		"another Sid":       strings.Replace(base, `"Sid":"A"`, `"Sid":"B"`, 1),
		"one statement":     `{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Allow","Action":["sns:Publish","sns:ListTopics"],"Resource":"*"}}`,
		"unknown element":   strings.Replace(base, `"Sid":"A"`, `"Sid":"A","Principal":"*"`, 1),
		"not JSON":          "{",
		"two documents":     base + base,
		"empty":             "",
	}
	for name, other := range different {
		if PoliciesEqual(base, other) || PoliciesEqual(other, base) {
			t.Errorf("%s: a policy widened by hand would go unseen", name)
		}
	}
	if !PoliciesEqual(`{"Statement":[]}`, `{"Version":"2008-10-17","Statement":[]}`) {
		t.Error("a document without a version is one of 2008-10-17")
	}
}

func TestAllows(t *testing.T) {
	t.Parallel()
	statement := func(effect, action, resource string) string {
		return `{"Version":"2012-10-17","Statement":{"Effect":"` + effect + `",` + action + `,` + resource + `}}`
	}
	const topic = "arn:aws:sns:eu-west-1:123456789012:codes"
	tests := map[string]struct {
		document, action, resource string
		want                       bool
	}{
		"a star in the name":              {statement("Allow", `"Action":"sns:Pub*"`, `"Resource":"*"`), "sns:Publish", topic, true},
		"a question mark":                 {statement("Allow", `"Action":"sns:Publis?"`, `"Resource":"*"`), "sns:Publish", topic, true},
		"another action":                  {statement("Allow", `"Action":"sns:Pub*"`, `"Resource":"*"`), "sns:Subscribe", topic, false},
		"a region left open":              {statement("Allow", `"Action":"sns:*"`, `"Resource":"arn:aws:sns:*:123456789012:codes"`), "sns:Publish", topic, true},
		"a star ends at a colon":          {statement("Allow", `"Action":"sns:*"`, `"Resource":"arn:aws:sns:*:codes"`), "sns:Publish", topic, false},
		"a number by its prefix":          {statement("Allow", `"Action":"sns:*"`, `"Resource":"+1*"`), "sns:Publish", "+14155550123", true},
		"a prefix is no topic":            {statement("Allow", `"Action":"sns:*"`, `"Resource":"+1*"`), "sns:Publish", topic, false},
		"an ARN pattern is no number":     {statement("Allow", `"Action":"sns:*"`, `"Resource":"arn:aws:sns:*:*:*"`), "sns:Publish", "+14155550123", false},
		"NotResource, a number":           {statement("Allow", `"Action":"sns:Publish"`, `"NotResource":"arn:aws:sns:*:*:*"`), "sns:Publish", "+14155550123", true},
		"NotResource, a topic":            {statement("Allow", `"Action":"sns:Publish"`, `"NotResource":"arn:aws:sns:*:*:*"`), "sns:Publish", topic, false},
		"NotAction, the one":              {statement("Allow", `"NotAction":"sns:Publish"`, `"Resource":"*"`), "sns:Publish", topic, false},
		"NotAction, another":              {statement("Allow", `"NotAction":"sns:Publish"`, `"Resource":"*"`), "sns:Subscribe", topic, true},
		"only denied":                     {statement("Deny", `"Action":"*"`, `"Resource":"*"`), "sns:Publish", topic, false},
		"nothing said":                    {`{"Statement":[]}`, "sns:Publish", topic, false},
		"stars one after another":         {statement("Allow", `"Action":"s**s:*h"`, `"Resource":"*"`), "sns:Publish", topic, true},
		"a star that has to try again":    {statement("Allow", `"Action":"*:*ish"`, `"Resource":"*"`), "sns:Publish", topic, true},
		"a partition is another's region": {statement("Allow", `"Action":"*"`, `"Resource":"arn:aws-cn:sns:*:*:*"`), "sns:Publish", topic, false},
	}
	for name, test := range tests {
		if got, err := Allows(test.document, test.action, test.resource); err != nil || got != test.want {
			t.Errorf("%s: %t, %v; want %t", name, got, err, test.want)
		}
	}
	for name, document := range map[string]string{
		"a condition":     `{"Statement":{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Bool":{"a":true}}}}`,
		"a variable":      statement("Allow", `"Action":"*"`, `"Resource":"arn:aws:iam::1:user/${aws:username}"`),
		"no effect":       `{"Statement":{"Action":"*","Resource":"*"}}`,
		"no action":       `{"Statement":{"Effect":"Allow","Resource":"*"}}`,
		"both actions":    statement("Allow", `"Action":"*","NotAction":"*"`, `"Resource":"*"`),
		"no resource":     `{"Statement":{"Effect":"Allow","Action":"*"}}`,
		"unknown element": `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Principal":"*"}}`,
		"no policy":       `[]`,
		"no JSON":         `{`,
	} {
		if allowed, err := Allows(document, "sns:Publish", topic); err == nil || allowed {
			t.Errorf("%s: judged (%t) without being understood", name, allowed)
		}
	}
}

func FuzzPolicies(f *testing.F) {
	f.Add(PublishPolicy("aws"), "sns:Publish", "+14155550123")
	f.Add(`{"Statement":{"Effect":"Deny","NotAction":["a*","?"],"NotResource":"arn:aws:sns:*:*:*"}}`, "sns:Publish", "arn:aws:sns:a:b:c")
	f.Add(`{"Statement":[{"Effect":"Allow","Action":[],"Resource":null,"Condition":{"Bool":{"a":[true,1,"x"]}}}]}`, "", "")
	f.Fuzz(func(t *testing.T, document, action, resource string) {
		if !PoliciesEqual(document, document) {
			t.Error("a policy differs from itself")
		}
		first, err := Allows(document, action, resource)
		if err != nil {
			return
		}
		p, err := parsePolicy(document)
		if err != nil {
			t.Fatalf("judged although it does not parse: %v", err)
		}
		rewritten, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if !PoliciesEqual(document, string(rewritten)) {
			t.Errorf("not equal to its own rewriting: %s", rewritten)
		}
		if second, err := Allows(string(rewritten), action, resource); err != nil || first != second {
			t.Errorf("judged %t, rewritten %t, %v", first, second, err)
		}
	})
}
