package aws

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// SMS is one message that reached a phone.
type SMS struct {
	Time time.Time `json:"time"`
	// To is in E.164 form.
	To   string `json:"to"`
	Text string `json:"text"`
	// SenderID and Type carry the account's default where the message has none.
	SenderID string `json:"sender_id,omitempty"`
	// Type is Promotional or Transactional.
	Type              string `json:"type"`
	OriginationNumber string `json:"origination_number,omitempty"`
	// MaxPrice is in USD, as it was sent.
	MaxPrice   string `json:"max_price,omitempty"`
	EntityID   string `json:"entity_id,omitempty"`
	TemplateID string `json:"template_id,omitempty"`
	// Region and AccessKeyID are those of the signature.
	Region      string `json:"region"`
	AccessKeyID string `json:"access_key_id"`
	MessageID   string `json:"message_id"`
}

// Undelivered is a message SNS took, with a MessageId, and did not deliver.
type Undelivered struct {
	Time      time.Time `json:"time"`
	To        string    `json:"to"`
	MessageID string    `json:"message_id"`
	// Reason is the providerResponse that AWS's delivery log would hold.
	Reason string `json:"reason"`
}

// smsState is the SMS side of the account. AWS keeps attributes per region; the
// sandbox, the opt-outs and the spending are one for all regions here.
type smsState struct {
	attributes        map[string]map[string]string
	sandbox           bool
	verified          map[string]bool
	optedOut          map[string]bool
	origination       []OriginationNumber
	spendLimit, spent float64
	inbox             []SMS
	undelivered       []Undelivered
}

// newSMSState is an account that may send to anyone, with AWS's first spend limit.
// https://docs.aws.amazon.com/general/latest/gr/sns.html.
func newSMSState() smsState {
	return smsState{
		attributes:  map[string]map[string]string{},
		verified:    map[string]bool{},
		optedOut:    map[string]bool{},
		origination: []OriginationNumber{},
		spendLimit:  1,
		inbox:       []SMS{},
		undelivered: []Undelivered{},
	}
}

// Inbox copies the messages delivered so far, oldest first.
func (a *Account) Inbox() []SMS {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.sms.inbox)
}

// SetSMSSandbox puts the account into the SMS sandbox or takes it out. Inside,
// only the verified numbers (E.164) get messages.
func (a *Account) SetSMSSandbox(inside bool, verified []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sms.sandbox, a.sms.verified = inside, setOf(verified)
}

// SetMonthlySpend sets the limit AWS granted and the month's spending so far, in
// USD. Messages are free here: prices differ by country and day, so only this
// moves the spending.
func (a *Account) SetMonthlySpend(limit, spent float64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sms.spendLimit, a.sms.spent = limit, spent
}

// SetOptedOut replaces the numbers (E.164) that do not want messages.
func (a *Account) SetOptedOut(numbers []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sms.optedOut = setOf(numbers)
}

func setOf(values []string) map[string]bool {
	set := map[string]bool{}
	for _, value := range values {
		set[value] = true
	}
	return set
}

// sortedSet is never nil, so that JSON shows an empty list.
func sortedSet(set map[string]bool) []string {
	return append([]string{}, slices.Sorted(maps.Keys(set))...)
}

func snsOperations() map[string]operation {
	sns := snsService()
	return map[string]operation{
		"Publish":                      {sns, (*call).onTarget, (*call).publish},
		"GetSMSAttributes":             {sns, (*call).onSNS, (*call).getSMSAttributes},
		"SetSMSAttributes":             {sns, (*call).onSNS, (*call).setSMSAttributes},
		"CheckIfPhoneNumberIsOptedOut": {sns, (*call).onSNS, (*call).checkIfPhoneNumberIsOptedOut},
		"ListPhoneNumbersOptedOut":     {sns, (*call).onSNS, (*call).listPhoneNumbersOptedOut},
		"GetSMSSandboxAccountStatus":   {sns, (*call).onSNS, (*call).getSMSSandboxAccountStatus},
		"CreateTopic":                  {sns, (*call).onNewTopic, (*call).createTopic},
		"Subscribe":                    {sns, (*call).onTarget, (*call).subscribe},
	}
}

// onTarget is the topic or endpoint ARN, or for an SMS the phone number itself.
// Real text: "not authorized to perform: SNS:Publish on resource: +358…",
// https://github.com/functionalone/serverless-iam-roles-per-function/issues/106.
func (c *call) onTarget() string {
	for _, parameter := range []string{"TopicArn", "TargetArn"} {
		if arn := c.form.Get(parameter); arn != "" {
			return arn
		}
	}
	return c.form.Get("PhoneNumber")
}

// onSNS is what AWS names in refusals of actions that have no resource of their own.
func (c *call) onSNS() string { return c.snsARN("*") }

func (c *call) onNewTopic() string { return c.snsARN(c.form.Get("Name")) }

func (c *call) snsARN(resource string) string {
	return "arn:" + c.account.config.Partition + ":sns:" + c.region + ":" + c.account.config.AccountID + ":" + resource
}

func invalidParameter(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidParameter", "Invalid parameter: "+format, args...)
}

const (
	maxMessage = 1600
	smsPrefix  = "AWS.SNS.SMS."
	mmPrefix   = "AWS.MM.SMS."
)

// e164 is the shortest and the longest number that is in use.
var e164 = lazyregexp.New(`^\+[1-9]\d{6,14}$`)

type publishResult struct {
	MessageID string `xml:"MessageId"`
}

// publish answers with a MessageId for a message to a phone. A MessageId means
// that SNS took the message, not that it arrives.
// https://docs.aws.amazon.com/sns/latest/api/API_Publish.html.
func (c *call) publish() (any, error) {
	if err := c.checkTarget(); err != nil {
		return nil, err
	}
	sms, err := c.readSMS()
	if err != nil {
		return nil, err
	}
	state := &c.account.sms
	// Inferred: AWS documents that the sandbox allows verified numbers only, not
	// how Publish refuses the others.
	if state.sandbox && !state.verified[sms.To] {
		return nil, invalidParameter("PhoneNumber Reason: %s is not a verified destination of the SMS sandbox", sms.To)
	}
	if reason := c.undeliverable(sms.To); reason != "" {
		state.undelivered = append(state.undelivered, Undelivered{c.now, sms.To, sms.MessageID, reason})
	} else {
		state.inbox = append(state.inbox, sms)
	}
	return publishResult{sms.MessageID}, nil
}

// checkTarget wants one phone number. The account has no topics and no endpoints:
// whoever is allowed to publish to one learns that it does not exist.
func (c *call) checkTarget() error {
	targets := 0
	for _, parameter := range []string{"TopicArn", "TargetArn", "PhoneNumber"} {
		if c.form.Get(parameter) != "" {
			targets++
		}
	}
	switch {
	case targets == 0:
		return invalidParameter("TopicArn or TargetArn Reason: no value for required parameter")
	case targets > 1:
		return invalidParameter("Only one of TopicArn, TargetArn and PhoneNumber can be set")
	case c.form.Get("TopicArn") != "":
		return refuse(http.StatusNotFound, "NotFound", "Topic does not exist")
	case c.form.Get("TargetArn") != "":
		return refuse(http.StatusNotFound, "NotFound", "No endpoint found for the target arn specified")
	}
	return nil
}

func (c *call) readSMS() (SMS, error) {
	to := c.form.Get("PhoneNumber")
	if !e164.MatchString(to) {
		return SMS{}, invalidParameter("PhoneNumber Reason: %s is not valid to publish to", to)
	}
	if structure := c.form.Get("MessageStructure"); structure != "" && structure != "string" {
		return SMS{}, invalidParameter("MessageStructure Reason: %s is not emulated", structure)
	}
	text := c.form.Get("Message")
	if text == "" {
		return SMS{}, invalidParameter("Empty message")
	}
	if utf8.RuneCountInString(text) > maxMessage {
		return SMS{}, invalidParameter("Message too long")
	}
	attributes, err := c.messageAttributes()
	if err != nil {
		return SMS{}, err
	}
	defaults := c.smsAttributes()
	return SMS{
		Time: c.now, To: to, Text: text,
		SenderID:          firstOf(attributes[smsPrefix+"SenderID"], defaults["DefaultSenderID"]),
		Type:              firstOf(attributes[smsPrefix+"SMSType"], defaults["DefaultSMSType"], "Promotional"),
		OriginationNumber: attributes[mmPrefix+"OriginationNumber"],
		MaxPrice:          attributes[smsPrefix+"MaxPrice"],
		EntityID:          attributes[mmPrefix+"EntityId"],
		TemplateID:        attributes[mmPrefix+"TemplateId"],
		Region:            c.region,
		AccessKeyID:       c.principal.keyID,
		MessageID:         newUUID(),
	}, nil
}

func firstOf(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// undeliverable is why an accepted message does not arrive, in the words of
// AWS's delivery log, or "". Publish declares no error for either case.
// https://docs.aws.amazon.com/sns/latest/dg/sms_stats_cloudwatch.html.
func (c *call) undeliverable(to string) string {
	switch {
	case c.account.sms.optedOut[to]:
		return "Phone number is opted out"
	case c.account.sms.spent >= c.spendLimit():
		return "No quota left for account"
	default:
		return ""
	}
}

// spendLimit is the lower of what AWS granted and what the region's attribute says.
func (c *call) spendLimit() float64 {
	limit, err := strconv.ParseFloat(c.smsAttributes()["MonthlySpendLimit"], 64)
	if err != nil {
		return c.account.sms.spendLimit
	}
	return min(limit, c.account.sms.spendLimit)
}

// messageAttributes reads MessageAttributes.entry.<n> and checks those that SMS
// knows; other names are passed over, as they are by AWS, unless they are reserved.
// https://docs.aws.amazon.com/sns/latest/dg/sms_sending-overview.html.
func (c *call) messageAttributes() (map[string]string, error) {
	attributes := map[string]string{}
	for n := 1; ; n++ {
		prefix := "MessageAttributes.entry." + strconv.Itoa(n)
		if !c.form.Has(prefix + ".Name") {
			return attributes, nil
		}
		name := c.form.Get(prefix + ".Name")
		kind, value := c.form.Get(prefix+".Value.DataType"), c.form.Get(prefix+".Value.StringValue")
		if err := checkMessageAttribute(name, kind, value); err != nil {
			return nil, err
		}
		attributes[name] = value
	}
}

var (
	senderIDPattern    = lazyregexp.New(`^[A-Za-z0-9-]{3,11}$`)
	letterPattern      = lazyregexp.New(`[A-Za-z]`)
	originationPattern = lazyregexp.New(`^\+?\d{5,14}$`)
	indiaIDPattern     = lazyregexp.New(`^.{1,50}$`)
)

func checkMessageAttribute(name, kind, value string) error {
	known := map[string]struct {
		kind  string
		valid func(string) bool
	}{
		smsPrefix + "SenderID":         {"String", isSenderID},
		smsPrefix + "SMSType":          {"String", isSMSType},
		smsPrefix + "MaxPrice":         {"Number", isAmount},
		mmPrefix + "OriginationNumber": {"String", originationPattern.MatchString},
		mmPrefix + "EntityId":          {"String", indiaIDPattern.MatchString},
		mmPrefix + "TemplateId":        {"String", indiaIDPattern.MatchString},
	}
	attribute, ok := known[name]
	switch {
	case !ok && (strings.HasPrefix(name, "AWS.") || strings.HasPrefix(name, "Amazon.")):
		return refuse(http.StatusBadRequest, "ParameterValueInvalid", "Message attribute names starting with 'AWS.' or 'Amazon.' are reserved for use by Amazon.")
	case kind == "":
		return refuse(http.StatusBadRequest, "ParameterValueInvalid", "The message attribute '%s' must contain non-empty message attribute type.", name)
	case !ok:
		return nil
	case kind != attribute.kind || !attribute.valid(value):
		return invalidParameter("%s Reason: '%s' of type %s is not valid", name, value, kind)
	default:
		return nil
	}
}

func isSenderID(s string) bool {
	return senderIDPattern.MatchString(s) && letterPattern.MatchString(s)
}

func isSMSType(s string) bool { return s == "Promotional" || s == "Transactional" }

func isAmount(s string) bool {
	amount, err := strconv.ParseFloat(s, 64)
	return err == nil && amount >= 0
}

type smsAttributesResult struct {
	Attributes stringMap `xml:"attributes"`
}

// smsAttributes are those of the request's region, with the spend limit AWS
// starts with.
func (c *call) smsAttributes() map[string]string {
	attributes := map[string]string{
		"MonthlySpendLimit": strconv.FormatFloat(c.account.sms.spendLimit, 'f', -1, 64),
	}
	maps.Copy(attributes, c.account.sms.attributes[c.region])
	return attributes
}

func (c *call) getSMSAttributes() (any, error) {
	attributes := c.smsAttributes()
	names := c.members("attributes")
	for name := range attributes {
		if len(names) > 0 && !slices.Contains(names, name) {
			delete(attributes, name)
		}
	}
	return smsAttributesResult{stringMapOf(attributes)}, nil
}

// setSMSAttributes sets all or none. An empty value takes an attribute back to
// its default, which is how hashicorp/aws removes its sns_sms_preferences.
// https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html.
func (c *call) setSMSAttributes() (any, error) {
	changes := map[string]string{}
	for n := 1; ; n++ {
		prefix := "attributes.entry." + strconv.Itoa(n)
		if !c.form.Has(prefix + ".key") {
			break
		}
		name, value := c.form.Get(prefix+".key"), c.form.Get(prefix+".value")
		if err := c.checkSMSAttribute(name, value); err != nil {
			return nil, err
		}
		changes[name] = value
	}
	if len(changes) == 0 {
		return nil, invalid("1 validation error detected: Value null at 'attributes' failed to satisfy constraint: Member must not be null")
	}
	region := c.account.sms.attributes[c.region]
	if region == nil {
		region = map[string]string{}
		c.account.sms.attributes[c.region] = region
	}
	for name, value := range changes {
		if value == "" {
			delete(region, name)
		} else {
			region[name] = value
		}
	}
	return struct{}{}, nil
}

var (
	defaultSenderIDPattern = lazyregexp.New(`^[A-Za-z0-9-]{1,11}$`)
	roleARNPattern         = lazyregexp.New(`^arn:[\w-]+:iam::\d{12}:role/.+$`)
	bucketPattern          = lazyregexp.New(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
)

func (c *call) checkSMSAttribute(name, value string) error {
	valid, known := map[string]func(string) bool{
		"MonthlySpendLimit": func(s string) bool {
			amount, err := strconv.ParseFloat(s, 64)
			return err == nil && amount >= 0 && amount <= c.account.sms.spendLimit
		},
		"DeliveryStatusIAMRole": roleARNPattern.MatchString,
		"DeliveryStatusSuccessSamplingRate": func(s string) bool {
			rate, err := strconv.Atoi(s)
			return err == nil && rate >= 0 && rate <= 100
		},
		"DefaultSenderID": func(s string) bool {
			return defaultSenderIDPattern.MatchString(s) && letterPattern.MatchString(s)
		},
		"DefaultSMSType":      isSMSType,
		"UsageReportS3Bucket": bucketPattern.MatchString,
	}[name]
	switch {
	case !known:
		return invalidParameter("Unknown SMS attribute: %s", name)
	case value != "" && !valid(value):
		return invalidParameter("%s Reason: '%s' is not valid", name, value)
	default:
		return nil
	}
}

type optedOutResult struct {
	IsOptedOut bool `xml:"isOptedOut"`
}

func (c *call) checkIfPhoneNumberIsOptedOut() (any, error) {
	number := c.form.Get("phoneNumber")
	if !e164.MatchString(number) {
		return nil, invalidParameter("PhoneNumber Reason: input incorrectly formatted")
	}
	return optedOutResult{c.account.sms.optedOut[number]}, nil
}

type phoneNumbersResult struct {
	PhoneNumbers list[string] `xml:"phoneNumbers"`
}

func (c *call) listPhoneNumbersOptedOut() (any, error) {
	return phoneNumbersResult{listOf(sortedSet(c.account.sms.optedOut))}, nil
}

type sandboxStatusResult struct {
	IsInSandbox bool
}

func (c *call) getSMSSandboxAccountStatus() (any, error) {
	return sandboxStatusResult{c.account.sms.sandbox}, nil
}

type topicResult struct {
	TopicArn string
}

// createTopic and subscribe exist for policies to refuse; they keep nothing.
func (c *call) createTopic() (any, error) {
	if _, err := c.parameter("Name", rule{1, 256, `[\w-]+`, topicPattern.MatchString}); err != nil {
		return nil, invalidParameter("Topic Name")
	}
	return topicResult{c.onNewTopic()}, nil
}

var topicPattern = lazyregexp.New(`^[\w-]*(\.fifo)?$`)

type subscriptionResult struct {
	SubscriptionArn string
}

func (c *call) subscribe() (any, error) {
	return subscriptionResult{"pending confirmation"}, nil
}
