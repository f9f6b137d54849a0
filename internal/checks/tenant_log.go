package checks

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

const (
	// LookBack is how far the tenant's log is read. The smallest subscription
	// keeps a day of it.
	LookBack = 3 * 24 * time.Hour
	// mostEntries bounds what is read: as many as fit into one answer.
	mostEntries = 100
)

// Entries of the tenant's log:
// https://auth0.com/docs/deploy-monitor/logs/log-event-type-codes
const (
	logSent            = "gd_send_sms"
	logVoiceFailure    = "gd_send_voice_failure"
	logNotification    = "fn"                       // also of e-mails
	logExecutionFailed = "actions_execution_failed" // of any Action of the tenant
	logPhoneLimit      = "limit_phone"
	logDeviceLimit     = "gd_otp_rate_limit_exceed"
)

func failureTypes() []string {
	return []string{"gd_send_sms_failure", logVoiceFailure, logNotification, logPhoneLimit, logDeviceLimit}
}

// Failure is what the tenant's log has of messages that failed for one cause.
type Failure struct {
	Cause, Remedy string
	Count         int
	Last          time.Time
	kind          failureKind
}

// failureKind is whose fault it was.
type failureKind int

const (
	lasting   failureKind = iota // of the sender; one message that got through shows that it is over
	passing                      // of the sender, or on the way: it comes and goes
	recipient                    // of one person's number, or of what it asked for
	format                       // of a number that is not E.164
)

const (
	voiceAsked      = "a voice call was asked for, and SNS makes none"
	seeMessageTypes = "See message-types."
)

// failureCause tells a cause by what the sender, AWS or Auth0 said.
type failureCause struct {
	pattern       *lazyregexp.Regexp
	kind          failureKind
	words, remedy string
}

// failureCauses are asked in this order: the words of the sender's code
// (internal/sender/js/body.js), the error codes of SNS
// (https://docs.aws.amazon.com/sns/latest/api/API_Publish.html), and what Auth0
// and the npm package say.
var failureCauses = []failureCause{
	{
		lazyregexp.New(`InvalidClientTokenId|UnrecognizedClient|security token included in the request is invalid`), lasting,
		"AWS does not know the access key of the sender (InvalidClientTokenId): it was deleted, deactivated or mistyped",
		"See key-active. terraform apply mints a new key and hands it over.",
	},
	{
		lazyregexp.New(`SignatureDoesNotMatch|IncompleteSignature`), lasting,
		"the secret key of the sender does not belong to its access key (SignatureDoesNotMatch)", rotate,
	},
	{
		lazyregexp.New(`AuthorizationError|AccessDenied|not authorized to perform`), lasting,
		"the IAM user may not publish (AuthorizationError)",
		"See policy-allows-sms: the user needs sns:Publish on \"*\", and no policy or boundary that denies it.",
	},
	{
		lazyregexp.New(`Missing secret|secret AWS_REGION is not|Missing credentials|Missing region`), lasting,
		"the sender lacks a secret", "See secrets-present: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION.",
	},
	{
		lazyregexp.New(`(?i)opted.?out`), recipient,
		"the owner of a number has opted out of SMS", "Who wants messages again sends START, or is opted in once in 30 days: aws sns opt-in-phone-number.",
	},
	{
		lazyregexp.New(`allowed country codes`), recipient,
		"a number is of a country that the sender does not send to", "Add it to allowed_country_codes if people there are to log in.",
	},
	{
		lazyregexp.New(`(?i)E\.?164|phone.?format|invalid parameter: ?phonenumber|phone number .*(invalid|not valid)`), format,
		"a number is not E.164", "Numbers begin with + and the country code: correct them on the user (Auth0 Dashboard → User Management → Users).",
	},
	{
		lazyregexp.New(`InvalidParameter|ParameterValueInvalid|ValidationE`), passing,
		"AWS refused the number, the text or an SMS setting (InvalidParameter)",
		"Look at sender_id, origination_number and max_price_usd; in the SMS sandbox, at which numbers are verified: see sns-sandbox.",
	},
	{
		lazyregexp.New(`Throttl|Rate exceeded`), passing,
		"the account reached its messages per second (Throttling)",
		"Ask for more: AWS Service Quotas → Amazon SNS; or set fallback_regions.",
	},
	{
		lazyregexp.New(`(?i)spend|LimitExceeded|Quota`), passing,
		"the account reached a quota, mostly the monthly spend limit", "See spend-limit.",
	},
	{
		lazyregexp.New(`no voice calls`), recipient, voiceAsked, seeMessageTypes,
	},
	{
		lazyregexp.New(`ENOTFOUND|EAI_AGAIN`), lasting,
		"the host of the region was not found", "See secrets-present: AWS_REGION is perhaps no region.",
	},
	{
		lazyregexp.New(`(?i)time.?d?.?out|ECONNREFUSED|ECONNRESET|overloaded|ServiceUnavailable|InternalError`), passing,
		"AWS did not answer in time", "See https://health.aws.amazon.com; set fallback_regions if it lasts.",
	},
	{
		lazyregexp.New(`Cannot find module`), lasting,
		"the code asks for an npm package that it does not have", "Add it to dependencies, or use the client builtin.",
	},
	{
		lazyregexp.New(`no enabled send-phone-message hook|no Action bound|No Action .*deployed|no Action for|no phone provider|provider is disabled`), lasting,
		"the tenant had nobody to send", "See sender-deployed and factor-custom.",
	},
}

func failureOf(e auth0api.LogEntry) Failure {
	switch e.Type {
	case logPhoneLimit:
		return Failure{kind: passing, Cause: "Auth0 sent no more phone messages for a while (limit_phone)", Remedy: "Auth0 Dashboard → Security → Attack Protection."}
	case logVoiceFailure:
		return Failure{kind: recipient, Cause: voiceAsked, Remedy: seeMessageTypes}
	case logDeviceLimit:
		return Failure{kind: recipient, Cause: "somebody asked for more than ten codes in an hour (gd_otp_rate_limit_exceed)"}
	}
	said := e.Reason
	if said == "" {
		said = e.Description
	}
	for _, known := range failureCauses {
		if known.pattern.MatchString(said) {
			return Failure{kind: known.kind, Cause: known.words, Remedy: known.remedy}
		}
	}
	return Failure{kind: lasting, Cause: quote(said), Remedy: "Auth0 Dashboard → Monitoring → Logs, type " + e.Type + "."}
}

// numberPattern finds what may be a phone number in words that are not ours.
var numberPattern = lazyregexp.New(`\+?\d{7,15}`)

func quote(said string) string {
	if said == "" {
		return "the log gives no reason"
	}
	return fmt.Sprintf("the log says %q", numberPattern.ReplaceAllString(said, "(number)"))
}

// Failures are the messages of the last [LookBack] that failed, by cause, the
// newest first; of the last hundred notifications that failed, e-mails too.
func (s *Subject) Failures(ctx context.Context) ([]Failure, error) {
	entries, err := s.failedEntries(ctx)
	if err != nil {
		return nil, err
	}
	byCause := map[string]*Failure{}
	var order []*Failure
	for _, e := range entries {
		if e.Email || s.tooOld(e) {
			continue
		}
		f := failureOf(e)
		if byCause[f.Cause] == nil {
			f.Last = e.Date
			byCause[f.Cause] = &f
			order = append(order, &f)
		}
		byCause[f.Cause].Count++
	}
	failures := make([]Failure, len(order))
	for i, f := range order {
		failures[i] = *f
	}
	return failures, nil
}

func (s *Subject) failedEntries(ctx context.Context) ([]auth0api.LogEntry, error) {
	return s.reads.failures.get(func() ([]auth0api.LogEntry, error) {
		return s.Auth0.Logs(ctx, `type:("`+strings.Join(failureTypes(), `" OR "`)+`") AND `+s.lately(), mostEntries)
	})
}

// openLog tells why a log in which nothing was found may hold more: e-mails that
// fail can fill what was read.
func (s *Subject) openLog(ctx context.Context) *Verdict {
	entries, _ := s.failedEntries(ctx)
	if len(entries) < mostEntries || s.tooOld(entries[len(entries)-1]) {
		return nil
	}
	v := unknown(`Look further back: Auth0 Dashboard → Monitoring → Logs, type:"gd_send_sms_failure". And see why so many notifications, e-mails perhaps, fail.`,
		"The last %d notifications that failed do not go further back than %s. What failed before was not looked at.", len(entries), minute(entries[len(entries)-1].Date))
	return &v
}

// lately asks for whole days, the form that Auth0 documents.
// https://auth0.com/docs/deploy-monitor/logs/log-search-query-syntax
func (s *Subject) lately() string {
	return "date:[" + s.Now().Add(-LookBack).UTC().Format(time.DateOnly) + " TO *]"
}

func (s *Subject) tooOld(e auth0api.LogEntry) bool { return e.Date.Before(s.Now().Add(-LookBack)) }

// LastSent is when the tenant last handed a message to its sender, as far as the
// log of the last [LookBack] tells; zero for never.
func (s *Subject) LastSent(ctx context.Context) (time.Time, error) {
	entries, err := s.reads.sent.get(func() ([]auth0api.LogEntry, error) {
		entries, err := s.Auth0.Logs(ctx, `type:"`+logSent+`" AND `+s.lately(), 1)
		return slices.DeleteFunc(entries, s.tooOld), err
	})
	if err != nil || len(entries) == 0 {
		return time.Time{}, err
	}
	return entries[0].Date, nil
}

func checkFailures(ctx context.Context, s *Subject) (Verdict, error) {
	failures, err := s.Failures(ctx)
	if err != nil {
		return Verdict{}, err
	}
	sent, err := s.LastSent(ctx)
	if err != nil {
		return Verdict{}, err
	}
	var open, over, others []Failure
	for _, f := range failures {
		switch {
		case f.kind == recipient || f.kind == format:
			others = append(others, f)
		case f.kind == lasting && sent.After(f.Last):
			over = append(over, f)
		default:
			open = append(open, f)
		}
	}
	if len(open) > 0 {
		return fail(open[0].Remedy, "%s. %s", inWords(open), lastSent(sent)), nil
	}
	if more := s.openLog(ctx); more != nil {
		return *more, nil
	}
	runs, err := s.executionsFailed(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if len(runs) > 0 && len(failures) == 0 && !sent.After(runs[0].Date) {
		return unknown("Auth0 Dashboard → Monitoring → Logs, type actions_execution_failed.",
			"%s of Actions failed, the last at %s. The log does not say whether one of them was the sender's.", counted(len(runs), "run"), minute(runs[0].Date)), nil
	}
	if len(over) > 0 {
		return pass("%s. That is over: %s", inWords(over), lastSent(sent)), nil
	}
	if len(others) > 0 {
		return pass("The log of the last three days has none of the sender's. Of others: %s. %s", inWords(others), lastSent(sent)), nil
	}
	return pass("The log of the last three days has none. %s", lastSent(sent)), nil
}

// executionsFailed are the failed runs of all Actions of the tenant, of which
// there may be more than of messages.
func (s *Subject) executionsFailed(ctx context.Context) ([]auth0api.LogEntry, error) {
	runs, err := s.Auth0.Logs(ctx, `type:"`+logExecutionFailed+`" AND `+s.lately(), mostEntries)
	return slices.DeleteFunc(runs, s.tooOld), err
}

func lastSent(at time.Time) string {
	if at.IsZero() {
		return "No message was sent in the last three days."
	}
	return "A message was last sent at " + minute(at) + "."
}

func inWords(failures []Failure) string {
	var words []string
	for _, f := range failures {
		words = append(words, fmt.Sprintf("%d failed, the last at %s: %s", f.Count, minute(f.Last), f.Cause))
	}
	return strings.Join(words, "; ")
}

func checkPhoneFormat(ctx context.Context, s *Subject) (Verdict, error) {
	failures, err := s.Failures(ctx)
	if err != nil {
		return Verdict{}, err
	}
	for _, f := range failures {
		if f.kind == format {
			return fail(f.Remedy, "%s", inWords([]Failure{f})+"."), nil
		}
	}
	if more := s.openLog(ctx); more != nil {
		return *more, nil
	}
	return pass("No message of the last three days failed for its number."), nil
}
