package awsapi

import (
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
)

// SMSAttributes are the SMS settings of an account in one region. A setting that
// was never made is empty.
// https://docs.aws.amazon.com/sns/latest/api/API_SetSMSAttributes.html
type SMSAttributes struct {
	// MonthlySpendLimitUSD is nil where SNS does not say; 0 stops all messages.
	MonthlySpendLimitUSD *float64
	// DefaultSMSType is "Promotional" or "Transactional"; SNS takes "" for the
	// former. A message that names its own type does not ask.
	DefaultSMSType  string
	DefaultSenderID string
	// DeliveryStatusRole is the ARN of the role that SNS writes its delivery log
	// with.
	DeliveryStatusRole string
}

// SandboxNumber is a destination of the SMS sandbox.
type SandboxNumber struct {
	Number   string // E.164
	Verified bool
}

// OriginationNumber is a number of the account's that messages can come from.
type OriginationNumber struct {
	Number  string // E.164, or a short code
	Country string // ISO 3166-1 alpha-2, "US"
	Status  string // "ACTIVE", or what is left to be done
	SMS     bool   // false for one that can only speak
}

// SMS is one message to one phone. What is empty is left to the account's
// settings, and to SNS.
// https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html
type SMS struct {
	To, Text             string // E.164; at most 1600 characters
	Type                 string // "Transactional" or "Promotional"
	SenderID             string
	OriginationNumber    string
	MaxPriceUSD          string // a decimal; SNS drops a dearer message silently
	EntityID, TemplateID string // of India
}

// SMSAttributes reads the SMS settings of a region.
func (c *Client) SMSAttributes(ctx context.Context, region string) (SMSAttributes, error) {
	out, err := guarded(ctx, c, c.sns.GetSMSAttributes, &sns.GetSMSAttributesInput{}, inRegion(region))
	if err != nil {
		return SMSAttributes{}, err
	}
	attributes := SMSAttributes{
		DefaultSMSType:     out.Attributes["DefaultSMSType"],
		DefaultSenderID:    out.Attributes["DefaultSenderID"],
		DeliveryStatusRole: out.Attributes["DeliveryStatusIAMRole"],
	}
	if limit, err := strconv.ParseFloat(out.Attributes["MonthlySpendLimit"], 64); err == nil {
		attributes.MonthlySpendLimitUSD = &limit
	}
	return attributes, nil
}

// SMSSandbox tells whether the account is in the SMS sandbox of a region, where
// only verified numbers get messages.
func (c *Client) SMSSandbox(ctx context.Context, region string) (inside bool, err error) {
	out, err := guarded(ctx, c, c.sns.GetSMSSandboxAccountStatus, &sns.GetSMSSandboxAccountStatusInput{}, inRegion(region))
	if err != nil {
		return false, err
	}
	return out.IsInSandbox, nil
}

// SandboxNumbers lists the destinations of a region's SMS sandbox, at most ten.
func (c *Client) SandboxNumbers(ctx context.Context, region string) ([]SandboxNumber, error) {
	return allPages(func(token *string) ([]SandboxNumber, *string, error) {
		out, err := guarded(ctx, c, c.sns.ListSMSSandboxPhoneNumbers, &sns.ListSMSSandboxPhoneNumbersInput{NextToken: token}, inRegion(region))
		if err != nil {
			return nil, nil, err
		}
		numbers := make([]SandboxNumber, len(out.PhoneNumbers))
		for i, n := range out.PhoneNumbers {
			numbers[i] = SandboxNumber{
				Number: aws.ToString(n.PhoneNumber), Verified: n.Status == types.SMSSandboxPhoneNumberVerificationStatusVerified,
			}
		}
		return numbers, out.NextToken, nil
	})
}

// OriginationNumbers lists the numbers that the account has in a region, those
// that are not ready yet too.
func (c *Client) OriginationNumbers(ctx context.Context, region string) ([]OriginationNumber, error) {
	return allPages(func(token *string) ([]OriginationNumber, *string, error) {
		out, err := guarded(ctx, c, c.sns.ListOriginationNumbers, &sns.ListOriginationNumbersInput{NextToken: token}, inRegion(region))
		if err != nil {
			return nil, nil, err
		}
		numbers := make([]OriginationNumber, len(out.PhoneNumbers))
		for i, n := range out.PhoneNumbers {
			numbers[i] = OriginationNumber{
				Number: aws.ToString(n.PhoneNumber), Country: aws.ToString(n.Iso2CountryCode), Status: aws.ToString(n.Status),
				SMS: slices.Contains(n.NumberCapabilities, types.NumberCapabilitySms),
			}
		}
		return numbers, out.NextToken, nil
	})
}

// IsOptedOut tells whether the owner of a number (E.164) has told the account to
// stop. SNS takes a message to such a number all the same, and drops it.
func (c *Client) IsOptedOut(ctx context.Context, region, number string) (bool, error) {
	out, err := guarded(ctx, c, c.sns.CheckIfPhoneNumberIsOptedOut,
		&sns.CheckIfPhoneNumberIsOptedOutInput{PhoneNumber: &number}, inRegion(region))
	if err != nil {
		return false, err
	}
	return out.IsOptedOut, nil
}

const opPublish = "sns:Publish"

// PublishSMS sends a message, once: it repeats nothing, whatever the failure,
// and after one that is [Error.Ambiguous] the message may be on its way. The id
// says that SNS took the message, not that it arrives.
func (c *Client) PublishSMS(ctx context.Context, region string, sms SMS) (messageID string, err error) {
	out, err := guarded(ctx, c, c.sns.Publish, &sns.PublishInput{
		PhoneNumber: &sms.To, Message: &sms.Text, MessageAttributes: sms.attributes(),
	}, inRegion(region), func(o *sns.Options) { o.Retryer = aws.NopRetryer{} })
	if err == nil && aws.ToString(out.MessageId) == "" {
		err = emptyAnswer(opPublish)
	}
	if err != nil {
		return "", err
	}
	return *out.MessageId, nil
}

func (s SMS) attributes() map[string]types.MessageAttributeValue {
	attributes := map[string]types.MessageAttributeValue{}
	for _, a := range []struct{ name, kind, value string }{
		{"AWS.SNS.SMS.SMSType", "String", s.Type},
		{"AWS.SNS.SMS.SenderID", "String", s.SenderID},
		{"AWS.SNS.SMS.MaxPrice", "Number", s.MaxPriceUSD},
		{"AWS.MM.SMS.OriginationNumber", "String", s.OriginationNumber},
		{"AWS.MM.SMS.EntityId", "String", s.EntityID},
		{"AWS.MM.SMS.TemplateId", "String", s.TemplateID},
	} {
		if a.value != "" {
			attributes[a.name] = types.MessageAttributeValue{DataType: &a.kind, StringValue: &a.value}
		}
	}
	return attributes
}

// inRegion sends a call to a region, "" to that of the client.
func inRegion(region string) func(*sns.Options) {
	return func(o *sns.Options) {
		if region != "" {
			o.Region = region
		}
	}
}
