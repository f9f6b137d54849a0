package aws

import (
	"slices"
	"strconv"
)

// OriginationNumber is a number that messages of the account can come from.
type OriginationNumber struct {
	// Number is in E.164 form, or a short code.
	Number string `json:"number"`
	// Country is its two letters of ISO 3166-1.
	Country string `json:"country"`
	// Status is ACTIVE unless something is left to be done.
	Status string `json:"status,omitempty"`
	// VoiceOnly is a number that cannot send messages.
	VoiceOnly bool `json:"voice_only,omitempty"`
}

// SetOriginationNumbers replaces the numbers that the account has, in every
// region. Publish does not ask for them: a message to the United States arrives
// without one, which it would not for real.
func (a *Account) SetOriginationNumbers(numbers []OriginationNumber) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.sms.origination = slices.Clone(numbers)
}

// smsAccountOperations read what SMS an account can send. AWS wants permissions
// of sms-voice for them too, by way of SNS, which are not asked for here.
func smsAccountOperations() map[string]operation {
	sns := snsService()
	return map[string]operation{
		"ListSMSSandboxPhoneNumbers": {sns, (*call).onSNS, (*call).listSMSSandboxPhoneNumbers},
		"ListOriginationNumbers":     {sns, (*call).onSNS, (*call).listOriginationNumbers},
	}
}

// Both list the same element under the same name.
type phoneNumberList[T any] struct {
	PhoneNumbers list[T]
	NextToken    string `xml:",omitempty"`
}

type sandboxNumberElement struct {
	PhoneNumber, Status string
}

// listSMSSandboxPhoneNumbers lists verified numbers only: nothing here waits to
// be verified.
// https://docs.aws.amazon.com/sns/latest/api/API_ListSMSSandboxPhoneNumbers.html.
func (c *call) listSMSSandboxPhoneNumbers() (any, error) {
	var elements []sandboxNumberElement
	for _, number := range sortedSet(c.account.sms.verified) {
		elements = append(elements, sandboxNumberElement{number, "Verified"})
	}
	return pageOfNumbers(c, elements, 100)
}

type originationElement struct {
	CreatedAt, PhoneNumber, Status, Iso2CountryCode, RouteType string
	NumberCapabilities                                         list[string]
}

// listOriginationNumbers answers what was seeded.
// https://docs.aws.amazon.com/sns/latest/api/API_ListOriginationNumbers.html.
func (c *call) listOriginationNumbers() (any, error) {
	var elements []originationElement
	for _, n := range c.account.sms.origination {
		capability := "SMS"
		if n.VoiceOnly {
			capability = "VOICE"
		}
		elements = append(elements, originationElement{
			timestamp(c.now), n.Number, firstOf(n.Status, "ACTIVE"), n.Country, "Transactional", listOf([]string{capability}),
		})
	}
	return pageOfNumbers(c, elements, 30)
}

// pageOfNumbers cuts the page that NextToken and MaxResults ask for. A token is
// the offset of the next item.
func pageOfNumbers[T any](c *call, items []T, most int) (any, error) {
	size := most
	if c.form.Has("MaxResults") {
		n, err := strconv.Atoi(c.form.Get("MaxResults"))
		if err != nil || n < 1 || n > most {
			return nil, invalid("1 validation error detected: Value '%s' at 'maxResults' failed to satisfy constraint: Member must be between 1 and %d", c.form.Get("MaxResults"), most)
		}
		size = n
	}
	start := 0
	if token := c.form.Get("NextToken"); token != "" {
		n, err := strconv.Atoi(token)
		if err != nil || n < 0 || n > len(items) {
			return nil, invalidParameter("NextToken")
		}
		start = n
	}
	end := min(start+size, len(items))
	page := phoneNumberList[T]{PhoneNumbers: listOf(items[start:end])}
	if end < len(items) {
		page.NextToken = strconv.Itoa(end)
	}
	return page, nil
}
