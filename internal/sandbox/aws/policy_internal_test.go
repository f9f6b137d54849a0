package aws

import "testing"

const (
	smsNumber   = "+14155550100"
	topicARN    = "arn:aws:sns:eu-west-1:111122223333:alerts"
	endpointARN = "arn:aws:sns:eu-west-1:111122223333:endpoint/GCM/app/0a1b2c3d"
)

func policyOf(statements string) string {
	return `{"Version":"2012-10-17","Statement":[` + statements + `]}`
}

func TestPoliciesDecideAsInIAM(t *testing.T) {
	t.Parallel()
	const (
		allow       = `{"Effect":"Allow","Action":"sns:Publish","Resource":"*"}`
		denyARNs    = `{"Effect":"Deny","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*"}`
		allowNoARNs = `{"Effect":"Allow","Action":"sns:Publish","NotResource":"arn:aws:sns:*:*:*"}`
		condition   = `,"Condition":{"Bool":{"aws:SecureTransport":"true"}}}`
	)
	for _, c := range []struct {
		name, statements, action, resource string
		want                               verdict
	}{
		{"our policy: an SMS", allow + "," + denyARNs, "sns:Publish", smsNumber, allowed},
		{"our policy: a topic", allow + "," + denyARNs, "sns:Publish", topicARN, denied},
		{"our policy: a push endpoint", allow + "," + denyARNs, "sns:Publish", endpointARN, denied},
		{"our policy: the deny first", denyARNs + "," + allow, "sns:Publish", topicARN, denied},
		{"our policy: another partition's topic", allow + "," + denyARNs, "sns:Publish", "arn:aws-cn:sns:cn-north-1:111122223333:t", allowed},
		{"our policy: another action", allow + "," + denyARNs, "sns:CreateTopic", topicARN, silent},
		{"our policy: iam", allow + "," + denyARNs, "iam:CreateUser", "arn:aws:iam::111122223333:user/a", silent},
		{"allow all: a topic", allow, "sns:Publish", topicARN, allowed},
		{"NotResource: an SMS", allowNoARNs, "sns:Publish", smsNumber, allowed},
		{"NotResource: a topic", allowNoARNs, "sns:Publish", topicARN, silent},
		{"Deny NotResource: an SMS", allow + `,{"Effect":"Deny","Action":"sns:Publish","NotResource":"arn:aws:sns:*:*:*"}`, "sns:Publish", smsNumber, denied},
		{"Deny NotResource: a topic", allow + `,{"Effect":"Deny","Action":"sns:Publish","NotResource":"arn:aws:sns:*:*:*"}`, "sns:Publish", topicARN, allowed},
		{"topics only: an SMS", `{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:*"}`, "sns:Publish", smsNumber, silent},
		{"one topic: that topic", `{"Effect":"Allow","Action":"sns:Publish","Resource":"` + topicARN + `"}`, "sns:Publish", topicARN, allowed},
		{"one topic: another", `{"Effect":"Allow","Action":"sns:Publish","Resource":"` + topicARN + `"}`, "sns:Publish", topicARN + "2", silent},
		{"? is one character", `{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:eu-west-?:*:alerts"}`, "sns:Publish", topicARN, allowed},
		{"? is not none", `{"Effect":"Allow","Action":"sns:Publish","Resource":"` + topicARN + `?"}`, "sns:Publish", topicARN, silent},
		{"resources mind the case", `{"Effect":"Allow","Action":"sns:Publish","Resource":"arn:aws:sns:*:*:ALERTS"}`, "sns:Publish", topicARN, silent},
		{"actions do not", `{"Effect":"Allow","Action":"SNS:publish","Resource":"*"}`, "sns:Publish", smsNumber, allowed},
		{"an action wildcard", `{"Effect":"Allow","Action":"sns:Pub*","Resource":"*"}`, "sns:Publish", smsNumber, allowed},
		{"an action wildcard that misses", `{"Effect":"Allow","Action":"sns:Get*","Resource":"*"}`, "sns:Publish", smsNumber, silent},
		{"a list of actions", `{"Effect":"Allow","Action":["iam:*","sns:Publish"],"Resource":["*"]}`, "sns:Publish", smsNumber, allowed},
		{"NotAction: the action", `{"Effect":"Allow","NotAction":"sns:Publish","Resource":"*"}`, "sns:Publish", smsNumber, silent},
		{"NotAction: another", `{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}`, "sns:Publish", smsNumber, allowed},
		{"a condition never allows", `{"Effect":"Allow","Action":"*","Resource":"*"` + condition, "sns:Publish", smsNumber, silent},
		{"a condition always denies", allow + `,{"Effect":"Deny","Action":"*","Resource":"*"` + condition, "sns:Publish", smsNumber, denied},
		{"a condition denies its actions only", allow + `,{"Effect":"Deny","Action":"iam:*","Resource":"*"` + condition, "sns:Publish", smsNumber, allowed},
		{"a variable never allows", `{"Effect":"Allow","Action":"*","Resource":"arn:aws:sns:*:*:${aws:username}"}`, "sns:Publish", topicARN, silent},
		{"a variable always denies", allow + `,{"Effect":"Deny","Action":"*","Resource":"arn:aws:sns:*:*:${aws:username}"}`, "sns:Publish", topicARN, denied},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			doc, err := parseDocument(policyOf(c.statements), "aws")
			if err != nil {
				t.Fatal(err)
			}
			if got := evaluate([]document{doc}, c.action, c.resource); got != c.want {
				t.Fatalf("a key with this policy would get a wrong answer for %s on %s: %d, AWS says %d", c.action, c.resource, got, c.want)
			}
		})
	}
}

func TestADenyInAnyPolicyWins(t *testing.T) {
	t.Parallel()
	var docs []document
	for _, statement := range []string{
		`{"Effect":"Deny","Action":"sns:*","Resource":"*"}`,
		`{"Effect":"Allow","Action":"*","Resource":"*"}`,
	} {
		doc, err := parseDocument(policyOf(statement), "aws")
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, doc)
	}
	if evaluate(docs, "sns:Publish", smsNumber) != denied {
		t.Fatal("a later allow lifted a deny")
	}
}
