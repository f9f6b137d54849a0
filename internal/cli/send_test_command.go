package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

const sendTestLong = `Sends one SMS to a number, through as much of the live path as Auth0 lets be run on request:

  unified   Auth0's own test of the phone provider: provider, deployed Action, its key, Amazon SNS
  action    Auth0's test of the bound Action: its code and secrets, its key, Amazon SNS
  hook      nothing of Auth0 can be run on request, so the message goes directly through Amazon SNS

--direct sends directly through Amazon SNS on every path, with the AWS credentials of whoever runs this: a test of the
account and of the number, not of the sender. Without it, a number to which the files of --env do not let the sender send
is refused.

A message is asked for once. Where no answer comes it may be on its way, and nothing asks again. AWS bills a message for
each part of it, by country. Nothing else is changed, on neither side.`

// The ways in which a test message goes.
const (
	wayPhoneProvider = "phone-provider"
	wayAction        = "action"
	wayDirect        = "direct"
)

// What became of a test message.
const (
	outcomeSent    = "sent"    // SNS, or the sender's code, says that the message was taken
	outcomeFailed  = "failed"  // the sender's code says that it was not
	outcomeUnknown = "unknown" // Auth0 has taken the order, and shows no outcome
)

const (
	// testCode is in the message where a login's would have its code.
	testCode = "000000"
	testText = "Test message of auth0sns: " + testCode + " is not a code."
	// outcomeWait is how long the tenant's log is watched for an outcome.
	outcomeWait     = 10 * time.Second
	outcomeInterval = 2 * time.Second
)

type sendTestFlags struct {
	to, env, dir, region string
	direct, yes, json    bool
	wait                 time.Duration
}

func newSendTestCommand(version string) *cobra.Command {
	var flags sendTestFlags
	cmd := &cobra.Command{
		Use:   "send-test --to NUMBER",
		Short: "Send one SMS through the live sender",
		Long:  sendTestLong,
		Example: "  auth0sns send-test --env staging --to +15005550001\n" +
			"  auth0sns send-test --env staging --to +15005550001 --direct --yes --json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runSendTest(cmd.Context(), version, flags, cmd.InOrStdin(), output{cmd.OutOrStdout(), cmd.ErrOrStderr(), flags.json})
		},
	}
	cmd.Flags().StringVar(&flags.to, "to", "", "the number, in E.164: + and the country code first")
	cmd.Flags().StringVar(&flags.env, "env", "", "the environment whose files name tenant, account and region")
	cmd.Flags().StringVar(&flags.dir, "dir", ".", "the folder that holds environments/")
	cmd.Flags().StringVar(&flags.region, "region", "", "where --direct sends from (default: the environment's, then AWS_REGION)")
	cmd.Flags().BoolVar(&flags.direct, "direct", false, "go round Auth0, with your own AWS credentials")
	cmd.Flags().BoolVar(&flags.yes, "yes", false, "do not ask")
	cmd.Flags().BoolVar(&flags.json, "json", false, "print one JSON document, send-test/1")
	cmd.Flags().DurationVar(&flags.wait, "wait", outcomeWait, "how long to watch the tenant's log for what became of it")
	return cmd
}

func runSendTest(ctx context.Context, version string, flags sendTestFlags, stdin io.Reader, out output) error {
	if flags.to == "" {
		return usageError(errors.New("send-test needs a number: --to +15005550001"))
	}
	number, err := parseNumber(flags.to)
	if err != nil {
		return err
	}
	looked := inspectFlags{env: flags.env, dir: flags.dir, region: flags.region}
	environment, err := readEnvironment(looked, false)
	if err != nil {
		return err
	}
	settings := environment.Settings
	if !flags.direct {
		if err := refuseCountry(number, flags.env, settings.SMS.AllowedCountryCodes); err != nil {
			return err
		}
	}
	t, err := connect(ctx, version, pins{
		Environment: flags.env, Domain: settings.Domain, AccountID: settings.AccountID, Region: cmp.Or(flags.region, settings.Region),
	})
	if err != nil {
		return err
	}
	i := inspection{target: t, inspected: inspected{Environment: flags.env, Tenant: t.auth0.Domain(), AWSRegion: t.aws.Region()}}
	if err := i.identifyAccount(ctx, out); err != nil {
		return err
	}
	if flags.json {
		stdin = nil // a program reads the answer, and nobody is asked
	}
	if err := confirmSending(ctx, number, flags.yes, stdin); err != nil {
		return err
	}
	result, err := sendTest(ctx, t, out, sendTestRequest{
		To: flags.to, Direct: flags.direct, SMS: settings.SMS, Wait: flags.wait, UserAgent: "auth0sns/" + version,
	})
	if err != nil {
		return err
	}
	if err := printSendTest(out, i.inspected, result); err != nil {
		return err
	}
	if result.Outcome == outcomeFailed {
		return found("the sender could not send: %s", result.Reason)
	}
	return nil
}

// confirmSending asks before somebody pays, and reaches for somebody's phone.
func confirmSending(ctx context.Context, number phoneNumber, yes bool, stdin io.Reader) error {
	if yes {
		return nil
	}
	t := openTerminal(stdin)
	defer t.close()
	if t == nil {
		return refuse("nothing was sent: a message costs money and reaches a phone, and there is no terminal to ask on. Add --yes to send it to %s", number)
	}
	agreed, err := t.confirm(ctx, fmt.Sprintf("Send one SMS to %s? AWS bills each part of it, at the price of its country.", number))
	if err == nil && !agreed {
		return refuse("nothing was sent")
	}
	return err
}

// phoneNumber is one that may be sent to, in E.164.
type phoneNumber string

// masked is fit for logs of CI: who it is knows.
func (n phoneNumber) masked() string {
	const begin, end = 2, 4
	return string(n[:begin]) + strings.Repeat("•", len(n)-begin-end) + string(n[len(n)-end:])
}

// e164 is the form alone, https://www.itu.int/rec/T-REC-E.164. Which numbers a
// country has given out is not looked at: a table of them costs every start of
// the provider, which is this binary too, 2.5 MB of memory and 10 ms.
var e164 = lazyregexp.New(`^\+[1-9][0-9]{6,14}$`)

// parseNumber refuses what is no E.164 number. Spaces and the like between
// digits are fine.
func parseNumber(text string) (phoneNumber, error) {
	number := strings.NewReplacer(" ", "", "-", "", ".", "", "(", "", ")", "").Replace(text)
	if !e164.MatchString(number) {
		return "", usageError(fmt.Errorf("%q is not E.164: + and the country code first, 7 to 15 digits in all, as in +15005550001. A number without its country is not completed, since a wrong guess reaches a stranger", text))
	}
	return phoneNumber(number), nil
}

// refuseCountry refuses a number that the environment's sender does not send to:
// Auth0 would take the order, and nothing would come.
func refuseCountry(number phoneNumber, environment string, allowed []string) error {
	if len(allowed) == 0 || slices.ContainsFunc(allowed, func(code string) bool { return strings.HasPrefix(string(number), code) }) {
		return nil
	}
	return usageError(fmt.Errorf("nothing was sent: the sender of %s sends to numbers that begin with %s, and %s is none of them. Name another number, allow its country (auth0sns bootstrap --env %s --allowed-country-codes …), or go round the sender with --direct",
		environment, strings.Join(allowed, ", "), number, environment))
}

// sendTestRequest is one test message. Whoever makes it has asked the person.
type sendTestRequest struct {
	To     string // E.164
	Direct bool   // go round Auth0
	// Region is where a direct message is sent from; "" is that of the client.
	Region string
	// SMS are the options of the environment's sender, for a direct message.
	SMS workspace.SMS
	// Wait is how long to watch the tenant's log where Auth0 only takes the order.
	Wait      time.Duration
	UserAgent string
}

// sendTestResult is what became of it, and what that proves.
type sendTestResult struct {
	To           string   `json:"to"` // masked
	Path         string   `json:"path,omitempty"`
	Way          string   `json:"way"`     // phone-provider, action or direct
	Outcome      string   `json:"outcome"` // sent, failed or unknown
	Reason       string   `json:"reason,omitempty"`
	SenderID     string   `json:"sender_id,omitempty"`
	MessageID    string   `json:"message_id,omitempty"` // SNS's, of a direct message
	Exercised    []string `json:"exercised"`
	NotExercised []string `json:"not_exercised"`
	Next         []string `json:"next"` // how to see whether it was delivered
}

// sendTest sends one message, never two: a failure after which it may be on its
// way says so. A sender that says it failed is a result, not an error.
func sendTest(ctx context.Context, t target, out output, request sendTestRequest) (sendTestResult, error) {
	number, err := parseNumber(request.To)
	if err != nil {
		return sendTestResult{}, err
	}
	if err := refuseOptedOut(ctx, t, cmp.Or(request.Region, t.aws.Region()), number); err != nil {
		return sendTestResult{}, err
	}
	result := sendTestResult{To: number.masked()}
	if request.Direct {
		result.NotExercised = []string{"Auth0: neither its settings nor the sender's code, secrets and access key"}
		return sendDirectly(ctx, t, out, number, request, result)
	}
	tenant, err := delivery.Detect(ctx, t.auth0)
	if err != nil {
		return sendTestResult{}, err
	}
	result.Path = string(tenant.Path)
	switch tenant.Path {
	case delivery.PathUnified:
		return sendThroughProvider(ctx, t, out, number, tenant, request, result)
	case delivery.PathAction:
		return sendThroughAction(ctx, t, out, number, tenant, request, result)
	case delivery.PathHook:
		out.progress("Auth0 runs no hook on request: the message goes directly through Amazon SNS, with your own credentials.")
		result.NotExercised = []string{"the hook " + tenant.Senders[0] + ": its code, its secrets and its access key. Only a login runs it"}
		return sendDirectly(ctx, t, out, number, request, result)
	default:
		if len(tenant.Unknown) > 0 {
			return sendTestResult{}, codedError{exitPermission, fmt.Errorf("nothing was sent: it cannot be told who sends the messages of %s%s", t.auth0.Domain(), doubts(tenant))}
		}
		return sendTestResult{}, refuse("nothing was sent: %s has no sender of its own. Set one up with auth0sns bootstrap, or try the AWS account alone with --direct", t.auth0.Domain())
	}
}

// refuseOptedOut spares a test that would say "sent" and reach nobody: SNS takes a
// message to a number that has opted out, and drops it. Where that cannot be
// asked, the test goes on.
// https://docs.aws.amazon.com/sns/latest/dg/sms_manage.html
func refuseOptedOut(ctx context.Context, t target, region string, number phoneNumber) error {
	if region == "" {
		return nil
	}
	if out, err := t.aws.IsOptedOut(ctx, region, string(number)); err != nil || !out {
		return ctx.Err()
	}
	return refuse("nothing was sent: the owner of %s has opted out of SMS from this AWS account, so SNS would take the message and drop it. Who wants messages again is opted in, once in 30 days: aws sns opt-in-phone-number --region %s --phone-number NUMBER",
		number.masked(), region)
}

// doubts are what could not be told of a tenant, ": …" or "".
func doubts(tenant delivery.Tenant) string {
	if len(tenant.Unknown) == 0 {
		return ""
	}
	return ": " + strings.Join(tenant.Unknown, "; ")
}

func sendDirectly(ctx context.Context, t target, out output, number phoneNumber, request sendTestRequest, result sendTestResult) (sendTestResult, error) {
	region := cmp.Or(request.Region, t.aws.Region())
	if region == "" {
		return sendTestResult{}, usageError(errors.New("no AWS region to send from: name one with --region, or set AWS_REGION"))
	}
	identity, err := t.identify(ctx)
	if err != nil {
		return sendTestResult{}, err
	}
	out.progress("Sending through Amazon SNS in %s as %s …", region, identity.ARN)
	result.Way, result.Outcome = wayDirect, outcomeSent
	result.MessageID, err = t.aws.PublishSMS(ctx, region, awsapi.SMS{
		To: string(number), Text: testText, Type: "Transactional",
		SenderID: request.SMS.SenderID, OriginationNumber: request.SMS.OriginationNumber, MaxPriceUSD: request.SMS.MaxPriceUSD,
		EntityID: request.SMS.EntityID, TemplateID: request.SMS.TemplateID,
	})
	if err != nil {
		return sendTestResult{}, notTwice(ctx, out, err)
	}
	result.Exercised = []string{"Amazon SNS in " + region + ", as " + identity.ARN}
	result.Next = []string{fmt.Sprintf("SNS took message %s. Its delivery: CloudWatch Logs, group sns/%s/%s/DirectPublishToPhoneNumber, where delivery logging is on.", result.MessageID, region, identity.AccountID)}
	return result, nil
}

// sendThroughAction runs the draft of the bound Action, which is what Auth0 lets
// be run, and so only where it is what is deployed.
func sendThroughAction(ctx context.Context, t target, out output, number phoneNumber, tenant delivery.Tenant, request sendTestRequest, result sendTestResult) (sendTestResult, error) {
	id := tenant.Senders[0]
	action, err := t.auth0.Action(ctx, id)
	if err != nil {
		return sendTestResult{}, err
	}
	if !action.AllChangesDeployed {
		return sendTestResult{}, refuse("nothing was sent: the draft of Action %s (%s) is not what is deployed, and Auth0's test runs the draft. Deploy it (terraform apply), or send with --direct", action.Name, id)
	}
	out.progress("Running Action %s (%s) with Auth0's test …", action.Name, id)
	failed, err := t.auth0.TestAction(ctx, id, messageEvent(t.auth0.Domain(), number, request), string(number))
	if err != nil {
		return sendTestResult{}, notTwice(ctx, out, err)
	}
	result.Way, result.SenderID, result.Outcome = wayAction, id, outcomeSent
	result.Exercised = []string{"the code and the secrets of Action " + action.Name + ", its access key, Amazon SNS"}
	result.NotExercised = append(notLive(tenant), "the binding, the factor and the texts: only a login uses them")
	if others := tenant.Senders[1:]; len(others) > 0 {
		result.NotExercised = append(result.NotExercised, "what else may run at a login: "+strings.Join(others, ", "))
	}
	if failed != (auth0api.ActionFailure{}) {
		result.Outcome, result.Reason = outcomeFailed, cmp.Or(failed.Message, failed.Name)
	}
	result.Next = []string{"Its delivery: CloudWatch Logs of the sender's region, group sns/REGION/ACCOUNT/DirectPublishToPhoneNumber, where delivery logging is on."}
	return result, nil
}

// messageEvent is what the trigger send-phone-message gives to an Action.
// https://auth0.com/docs/customize/actions/explore-triggers/send-phone-message
func messageEvent(domain string, number phoneNumber, request sendTestRequest) map[string]any {
	none := map[string]any{}
	return map[string]any{
		"message_options": map[string]any{
			"action": "second-factor-authentication", "message_type": "sms", "code": testCode, "recipient": string(number), "text": testText,
		},
		"client":  map[string]any{"client_id": "auth0sns-send-test", "name": "auth0sns send-test", "metadata": none},
		"request": map[string]any{"hostname": domain, "language": "en", "method": "POST", "user_agent": request.UserAgent, "geoip": none},
		"tenant":  map[string]any{"id": domain},
		"user":    map[string]any{"user_id": "auth0sns|send-test", "app_metadata": none, "user_metadata": none, "identities": []any{}},
	}
}

func sendThroughProvider(ctx context.Context, t target, out output, number phoneNumber, tenant delivery.Tenant, request sendTestRequest, result sendTestResult) (sendTestResult, error) {
	provider := tenant.PhoneProvider
	switch {
	case provider == nil:
		return sendTestResult{}, refuse("nothing was sent: %s has no phone provider, so nobody gets a message. Set one up with auth0sns bootstrap, or try the AWS account alone with --direct", t.auth0.Domain())
	case provider.Name != delivery.PhoneProviderCustom:
		return sendTestResult{}, refuse("nothing was sent: the phone provider of %s is %s, which does not go through Amazon SNS. --direct tries the AWS account alone", t.auth0.Domain(), provider.Name)
	case provider.Disabled:
		return sendTestResult{}, refuse("nothing was sent: the phone provider %s of %s is disabled, so nobody gets a message. Enable it, or try the AWS account alone with --direct", provider.ID, t.auth0.Domain())
	}
	outcome := watchOutcome(ctx, t.auth0)
	out.progress("Asking Auth0 to send through the phone provider %s …", provider.ID)
	if err := t.auth0.TryPhoneProvider(ctx, provider.ID, string(number)); err != nil {
		return sendTestResult{}, notTwice(ctx, out, err)
	}
	result.Way, result.SenderID = wayPhoneProvider, provider.ID
	if len(tenant.Senders) == 1 {
		result.SenderID = tenant.Senders[0]
	}
	result.Exercised = []string{"the phone provider, the deployed Action with its secrets, its access key, Amazon SNS"}
	result.NotExercised = append(notLive(tenant), "the factor and the MFA policy: only a login uses them")
	result.Next = []string{
		"The tenant's log has an entry for each message: Auth0 Dashboard → Monitoring → Logs, or auth0sns check --only recent-failures.",
		"Its delivery: CloudWatch Logs of the sender's region, group sns/REGION/ACCOUNT/DirectPublishToPhoneNumber, where delivery logging is on.",
	}
	out.progress("Auth0 has taken the order. Watching the tenant's log for at most %s …", request.Wait)
	var err error
	result.Outcome, result.Reason, err = outcome(request.Wait)
	return result, err
}

// notLive says why nobody gets codes through what was tried.
func notLive(tenant delivery.Tenant) []string {
	if tenant.Live != "" {
		return nil
	}
	if !tenant.FactorOn {
		return []string{"a login: the SMS factor is off, so nobody is asked for a code"}
	}
	if tenant.Path == delivery.PathAction && tenant.SelectedProvider != delivery.ProviderCustom {
		return []string{fmt.Sprintf("a login: the provider of the SMS factor is %q, so Auth0 does not ask this Action", tenant.SelectedProvider)}
	}
	return []string{"a login: it cannot be told whether Auth0 asks this sender" + doubts(tenant)}
}

// notTwice says of a failure after which the message may be on its way that it
// was left at that; also to who has interrupted, and will see no other error.
func notTwice(ctx context.Context, out output, err error) error {
	var failed interface{ Ambiguous() bool }
	if !errors.As(err, &failed) || !failed.Ambiguous() {
		return fmt.Errorf("nothing was sent: %w", err)
	}
	const advice = "The message may be on its way, so it is not sent again. Look at the phone and at the tenant's log before you try once more"
	if ctx.Err() != nil {
		out.progress("%s.", advice)
	}
	return fmt.Errorf("%w\n%s", err, advice)
}

// outcomeQuery are the entries that a message of the Unified Phone Experience may
// leave. Which one a test message leaves was never recorded.
const outcomeQuery = `type:("gd_send_sms" OR "gd_send_sms_failure" OR "fn")`

// watchOutcome remembers the newest entry of the tenant's log and returns what
// reads those that come after it. No clock is compared, as the tenant's may
// differ. On a busy tenant an entry may be another person's; then outcomes that
// differ are none.
func watchOutcome(ctx context.Context, api *auth0api.Client) func(wait time.Duration) (outcome, reason string, err error) {
	seen, err := api.Logs(ctx, outcomeQuery, 1)
	if err != nil {
		return func(time.Duration) (string, string, error) { return unreadableLog(err) }
	}
	isOld := func(entry auth0api.LogEntry) bool {
		return len(seen) > 0 && (entry.ID == seen[0].ID || entry.Date.Before(seen[0].Date))
	}
	return func(wait time.Duration) (string, string, error) {
		for deadline := time.Now().Add(wait); ; {
			entries, err := api.Logs(ctx, outcomeQuery, 10)
			switch {
			case ctx.Err() != nil:
				return "", "", askedFor(ctx.Err())
			case err != nil:
				return unreadableLog(err)
			}
			entries = slices.DeleteFunc(entries, isOld)
			if outcome, reason := judge(entries); outcome != outcomeUnknown {
				return outcome, reason, nil
			}
			if time.Until(deadline) <= 0 || len(entries) > 0 {
				return outcomeUnknown, fmt.Sprintf("The tenant's log shows no clear outcome (%d new entries within %s).", len(entries), wait), nil
			}
			select {
			case <-ctx.Done():
				return "", "", askedFor(ctx.Err())
			case <-time.After(min(outcomeInterval, time.Until(deadline))):
			}
		}
	}
}

// unreadableLog is an answer: the message was asked for all the same.
func unreadableLog(err error) (outcome, reason string, _ error) {
	return outcomeUnknown, "The tenant's log could not be read: " + err.Error(), nil
}

func askedFor(err error) error {
	return fmt.Errorf("the message was asked for, and its outcome not waited for: %w", err)
}

// judge is unknown where there is no entry, and where entries differ.
func judge(entries []auth0api.LogEntry) (outcome, reason string) {
	outcome = outcomeUnknown
	for i, entry := range entries {
		one, why := outcomeSent, ""
		if entry.Type != "gd_send_sms" {
			one, why = outcomeFailed, cmp.Or(entry.Reason, entry.Description)
		}
		if i > 0 && one != outcome {
			return outcomeUnknown, ""
		}
		outcome, reason = one, why
	}
	return outcome, reason
}

// sendTestDocument is the result with the tenant and the account it was for.
type sendTestDocument struct {
	Schema      string `json:"schema"` // "send-test/1"
	Environment string `json:"environment,omitempty"`
	Tenant      string `json:"tenant"`
	AWSAccount  string `json:"aws_account"` // "" where AWS did not tell
	AWSCaller   string `json:"aws_caller,omitempty"`
	AWSRegion   string `json:"aws_region"`
	sendTestResult
}

func printSendTest(out output, where inspected, result sendTestResult) error {
	document := sendTestDocument{"send-test/1", where.Environment, where.Tenant, where.AWSAccount, where.AWSCaller, where.AWSRegion, result}
	return out.result(document, func(w io.Writer) error {
		p := page{w}
		head := map[string]string{
			outcomeSent: "Sent to %s.", outcomeFailed: "The sender could not send to %s.", outcomeUnknown: "Auth0 took the order for %s; what became of it is not known.",
		}
		p.paragraph("", fmt.Sprintf(head[result.Outcome], result.To))
		p.paragraph("  ", result.Reason)
		for _, part := range []struct {
			title string
			lines []string
		}{{"Exercised", result.Exercised}, {"Not exercised", result.NotExercised}, {"To see more", result.Next}} {
			if len(part.lines) > 0 {
				p.heading(part.title)
			}
			for _, line := range part.lines {
				p.paragraph("  ", line)
			}
		}
		return nil
	})
}
