// Package sender makes the JavaScript that Auth0 runs to send an SMS through Amazon SNS.
//
// A script is a literal with the options, a body that is the same everywhere, one client that talks to SNS and one
// wrapper that adapts the body to the trigger. Two scripts of the same trigger and client differ in their options only.
package sender

import (
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// Trigger is what makes Auth0 run the script; it decides how the script is called and how it answers.
type Trigger string

const (
	// Hook is the Send Phone Message hook: module.exports = function (recipient, text, context, cb).
	Hook Trigger = "hook"
	// SendPhoneMessage is the Action that came after it, trigger version v2:
	// exports.onExecuteSendPhoneMessage = async (event, api).
	SendPhoneMessage Trigger = "send-phone-message"
	// CustomPhoneProvider is the Action of the Unified Phone Experience, trigger version v1:
	// exports.onExecuteCustomPhoneProvider = async (event, api). It sends every SMS of the tenant, not those of MFA only.
	CustomPhoneProvider Trigger = "custom-phone-provider"
)

// Client is the part of the script that talks to SNS. The zero value is the trigger's default.
type Client string

const (
	// AWSSDK uses the npm package aws-sdk (v2), as Auth0's guide does. The default of [Hook].
	AWSSDK Client = "aws-sdk"
	// Builtin uses Node's own crypto and https modules and signs requests itself; no npm package. The default of
	// [SendPhoneMessage] and [CustomPhoneProvider].
	Builtin Client = "builtin"
)

const (
	defaultSMSType = "Transactional"
	defaultTimeout = 5 * time.Second
	minTimeout     = time.Second
	// maxTimeout is also the budget of all attempts together, BUDGET_MS in js/body.js.
	maxTimeout = 8 * time.Second
)

// Options are the settings of a sender; the zero value is valid. The limits of values are those of SNS
// (https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html).
type Options struct {
	// Client defaults to the trigger's default client.
	Client Client
	// SMSType is Transactional (the default: SNS puts reliability before price) or Promotional.
	SMSType string
	// SenderID is shown as the sender where the country allows it: 3 to 11 letters, digits or hyphens, one letter at least.
	SenderID string
	// OriginationNumber is a number of the AWS account: E.164, or 5 to 14 digits.
	OriginationNumber string
	// MaxPriceUSD is the most that one message may cost, a decimal greater than zero. SNS drops a dearer message silently.
	MaxPriceUSD string
	// EntityID and TemplateID are the registrations that India asks for, 1 to 50 characters each.
	EntityID, TemplateID string
	// AllowedCountryCodes are the beginnings a number may have: "+49", "+1", or "+1242" for a part of +1. Empty allows all.
	AllowedCountryCodes []string
	// FallbackRegions are tried in order, each once, where SNS did not take the message in the region before.
	FallbackRegions []string
	// Texts replace what Auth0 rendered: the first that fits is sent, and Auth0's own where none does.
	Texts []Text
	// Timeout is the time one attempt may take, 1 s to 8 s, 5 s by default. All attempts together get 8 s.
	Timeout time.Duration
}

// FieldError says which option is wrong and what it must be.
type FieldError struct {
	// Field is the option's name in snake_case, as in Terraform.
	Field string
	// Message is a sentence without the field's name.
	Message string
}

func (e FieldError) Error() string { return e.Field + ": " + e.Message }

var (
	senderIDPattern    = lazyregexp.New(`^[A-Za-z0-9-]{3,11}$`)
	letterPattern      = lazyregexp.New(`[A-Za-z]`)
	originationPattern = lazyregexp.New(`^(\+[1-9][0-9]{4,13}|[0-9]{5,14})$`)
	pricePattern       = lazyregexp.New(`^[0-9]+(\.[0-9]+)?$`)
	registeredPattern  = lazyregexp.New(`^[[:graph:]]+$`)
	countryCodePattern = lazyregexp.New(`^\+[1-9][0-9]{0,5}$`)
	regionPattern      = lazyregexp.New(`^[a-z]{2,}(-[a-z]+)+-[0-9]+$`)
)

// Validate returns one FieldError for each value that SNS or the script would not take, in the order of the fields,
// and nil if all are good. Empty values are good: they mean the default.
func (o Options) Validate() []FieldError {
	var errs []FieldError
	check := func(field string, ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
		}
	}
	check("client", o.Client == "" || o.Client == AWSSDK || o.Client == Builtin,
		"%q is not a client: use %q or %q.", o.Client, AWSSDK, Builtin)
	check("sms_type", o.SMSType == "" || o.SMSType == defaultSMSType || o.SMSType == "Promotional",
		"%q is not an SMS type: use \"Transactional\" or \"Promotional\".", o.SMSType)
	check("sender_id", o.SenderID == "" || senderIDPattern.MatchString(o.SenderID) && letterPattern.MatchString(o.SenderID),
		"%q must be 3 to 11 letters, digits or hyphens, with at least one letter.", o.SenderID)
	check("origination_number", o.OriginationNumber == "" || originationPattern.MatchString(o.OriginationNumber),
		"%q must be an E.164 number or 5 to 14 digits.", o.OriginationNumber)
	check("max_price_usd", o.MaxPriceUSD == "" || isPrice(o.MaxPriceUSD),
		"%q must be a decimal number greater than 0, such as \"0.50\".", o.MaxPriceUSD)
	check("entity_id", isRegistered(o.EntityID), "%q must be 1 to 50 characters without spaces.", o.EntityID)
	check("template_id", isRegistered(o.TemplateID), "%q must be 1 to 50 characters without spaces.", o.TemplateID)
	for _, code := range o.AllowedCountryCodes {
		check("allowed_country_codes", countryCodePattern.MatchString(code),
			"%q must be + and the first 1 to 6 digits of a number, such as \"+49\".", code)
	}
	for _, region := range o.FallbackRegions {
		check("fallback_regions", regionPattern.MatchString(region), "%q is not an AWS region, such as \"eu-central-1\".", region)
	}
	for _, problem := range textProblems(o.Texts) {
		check("texts", false, "%s", problem)
	}
	check("timeout", o.Timeout == 0 || o.Timeout >= minTimeout && o.Timeout <= maxTimeout,
		"%s must be between %s and %s.", o.Timeout, minTimeout, maxTimeout)
	return errs
}

func isPrice(s string) bool {
	price, err := strconv.ParseFloat(s, 64)
	return err == nil && price > 0 && pricePattern.MatchString(s)
}

func isRegistered(id string) bool {
	return id == "" || registeredPattern.MatchString(id) && utf8.RuneCountInString(id) <= 50
}
