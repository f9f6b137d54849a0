package checks

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

const (
	transactional = "Transactional"
	// newAccountLimitUSD is the monthly limit that AWS gives a new account.
	// https://docs.aws.amazon.com/general/latest/gr/sns.html
	newAccountLimitUSD = 1
	// spendRoom is the part of the limit that may be spent: SNS stops within
	// minutes of the whole, and a higher limit takes a case at AWS Support.
	spendRoom = 0.8

	raiseLimit = "Ask AWS for a higher SMS spend limit (Service Quotas, or a support case) and set it: aws sns set-sms-attributes --attributes MonthlySpendLimit=…"
	setLimit   = "See the SNS console, Text messaging (SMS), Spend limit, and set it: aws sns set-sms-attributes --attributes MonthlySpendLimit=…"
)

func checkRegion(ctx context.Context, s *Subject) (Verdict, error) {
	regions := s.regions(ctx)
	for _, region := range regions {
		switch {
		case region == "":
			return unknown("Name a region (--region, AWS_REGION).", "Neither the configuration nor the AWS settings name a region."), nil
		case !awsapi.ValidRegionName(region):
			return fail("Name a region of AWS, such as eu-west-1.", "%q is no region of AWS.", region), nil
		case !awsapi.SMSRegion(region):
			return unknown("See whether AWS's list has it by now, or take another region: https://docs.aws.amazon.com/sns/latest/dg/sns-supported-regions-countries.html",
				"%s is not among the regions that were known to send SMS when this version was made.", region), nil
		}
	}
	return pass("SNS sends SMS %s.", in(regions...)), nil
}

// checkSandbox asks every region that the sender may use: each has a sandbox of
// its own.
func checkSandbox(ctx context.Context, s *Subject) (Verdict, error) {
	regions := s.regions(ctx)
	for _, region := range regions {
		inside, err := s.AWS.SMSSandbox(ctx, region)
		if err != nil {
			return Verdict{}, err
		}
		if inside {
			return s.sandboxed(ctx, region), nil
		}
	}
	return pass("The account is out of the SMS sandbox %s.", in(regions...)), nil
}

func (s *Subject) sandboxed(ctx context.Context, region string) Verdict {
	verified := "the numbers that are verified"
	if numbers, err := s.AWS.SandboxNumbers(ctx, region); err == nil {
		numbers = slices.DeleteFunc(numbers, func(n awsapi.SandboxNumber) bool { return !n.Verified })
		verified = fmt.Sprintf("the verified numbers (%d)", len(numbers))
	}
	return fail("Ask for production access: SNS console, Text messaging (SMS), Exit SMS sandbox; AWS Support decides. To try things meanwhile, verify your own number there.",
		"The account is in the SMS sandbox %s: only %s get messages, nobody else.", in(region), verified)
}

func checkSpendLimit(ctx context.Context, s *Subject) (Verdict, error) {
	settings, err := s.smsSettings(ctx)
	if err != nil {
		return Verdict{}, err
	}
	limit := settings.MonthlySpendLimitUSD
	switch {
	case limit == nil:
		return unknown(setLimit, "SNS does not say what the monthly limit is %s: perhaps nobody has set one.", s.inRegion()), nil
	case *limit <= 0:
		return fail(raiseLimit, "The monthly SMS spend limit %s is 0: SNS sends nothing.", s.inRegion()), nil
	case *limit <= newAccountLimitUSD:
		return pass("%s a month %s. That is what a new account has, and soon gone: before people depend on it, ask AWS for more.", dollars(*limit), s.inRegion()), nil
	default:
		return pass("%s a month %s.", dollars(*limit), s.inRegion()), nil
	}
}

// checkMonthSpend is unknown where either side is: a limit alone does not say
// that there is room.
func checkMonthSpend(ctx context.Context, s *Subject) (Verdict, error) {
	spent, known, err := s.AWS.SMSMonthToDateSpentUSD(ctx, s.region(), s.Now())
	if err != nil {
		return Verdict{}, err
	}
	settings, err := s.smsSettings(ctx)
	if err != nil {
		return Verdict{}, err
	}
	limit := settings.MonthlySpendLimitUSD
	switch {
	case limit == nil:
		return unknown(setLimit, "%s are spent this month %s, and SNS does not say of how much.", dollars(spent), s.inRegion()), nil
	case !known:
		return pass("CloudWatch has no SMS spending of this month %s; the limit is %s.", s.inRegion(), dollars(*limit)), nil
	case spent >= *limit:
		return fail(raiseLimit, "%s of %s are spent this month %s: SNS takes messages and drops them, until the first.", dollars(spent), dollars(*limit), s.inRegion()), nil
	case spent >= spendRoom**limit:
		return fail(raiseLimit, "%s of %s are spent this month %s. At the limit SNS takes messages and drops them.", dollars(spent), dollars(*limit), s.inRegion()), nil
	default:
		return pass("%s of %s are spent this month %s.", dollars(spent), dollars(*limit), s.inRegion()), nil
	}
}

// checkSMSType asks the account only where the sender leaves it open, which ours
// never does.
func checkSMSType(ctx context.Context, s *Subject) (Verdict, error) {
	if options := s.smsOptions(ctx); options != nil {
		if kind := cmp.Or(options.SMSType, transactional); kind != transactional {
			return fail(`Set sms_type = "Transactional".`, "The sender asks for %s: SNS puts price before arrival, and some countries block such messages at night.", kind), nil
		}
		return pass("The sender asks for it in every message, and the account's default does not count."), nil
	}
	settings, err := s.smsSettings(ctx)
	if err != nil {
		return Verdict{}, err
	}
	if settings.DefaultSMSType == transactional {
		return pass("It is the account's default %s.", s.inRegion()), nil
	}
	return unknown("Set it: aws sns set-sms-attributes --attributes DefaultSMSType=Transactional",
		"The account's default %s is %s. It counts where the code of the sender, which is a person's own or could not be read, names no type.", s.inRegion(), cmp.Or(settings.DefaultSMSType, "Promotional")), nil
}

// registered are the calling codes of the countries for whose sender IDs (of
// China: message templates) AWS has a registration form, required in some and
// voluntary in others. India is not among them: it has rules of its own.
// https://docs.aws.amazon.com/sms-voice/latest/userguide/registrations-country.html
var registered = map[string]country{
	"+20": {"Egypt", "EG"}, "+254": {"Kenya", "KE"}, "+260": {"Zambia", "ZM"}, "+34": {"Spain", "ES"},
	"+353": {"Ireland", "IE"}, "+358": {"Finland", "FI"}, "+375": {"Belarus", "BY"}, "+43": {"Austria", "AT"},
	"+44": {"the United Kingdom", "GB"}, "+61": {"Australia", "AU"}, "+62": {"Indonesia", "ID"}, "+63": {"the Philippines", "PH"},
	"+65": {"Singapore", "SG"}, "+66": {"Thailand", "TH"}, "+7": {"Russia and Kazakhstan", "RU KZ"}, "+84": {"Vietnam", "VN"},
	"+86": {"China", "CN"}, "+90": {"Turkey", "TR"}, "+94": {"Sri Lanka", "LK"}, "+962": {"Jordan", "JO"},
	"+965": {"Kuwait", "KW"}, "+966": {"Saudi Arabia", "SA"}, "+971": {"the United Arab Emirates", "AE"}, "+974": {"Qatar", "QA"},
}

// country has ISO 3166-1 alpha-2 codes: two countries share +7.
type country struct{ name, iso string }

// checkOrigination looks at the allowed countries alone. Where none is named,
// nothing was said about where people are.
func checkOrigination(ctx context.Context, s *Subject) (Verdict, error) {
	options := s.smsOptions(ctx)
	if options == nil || len(options.AllowedCountryCodes) == 0 {
		return pass("No country is named in allowed_country_codes, so none is looked at. Numbers of the United States need an origination number, those of India a registered entity and template."), nil
	}
	var problems, open []string
	for _, code := range options.AllowedCountryCodes {
		result, sentence, err := s.asked(ctx, code, options)
		switch {
		case err != nil:
			return Verdict{}, err
		case result == Fail:
			problems = append(problems, sentence)
		case result == Unknown:
			open = append(open, sentence)
		}
	}
	switch {
	case len(problems) > 0:
		return fail("Request what is missing in the console of AWS End User Messaging SMS, and let SNS use it (resource policy): https://docs.aws.amazon.com/sms-voice/latest/userguide/phone-numbers-sms-by-country.html",
			"%s.", strings.Join(slices.Concat(problems, open), "; ")), nil
	case len(open) > 0:
		return unknown("See https://docs.aws.amazon.com/sms-voice/latest/userguide/phone-numbers-sms-by-country.html, and send a message to a number there. Once one arrives: --accept origination-identity.",
			"%s.", strings.Join(open, "; ")), nil
	default:
		return pass("Nothing is known that %s would lack.", strings.Join(options.AllowedCountryCodes, ", ")), nil
	}
}

// asked is whether the account has what the countries of a calling code ask for,
// and what they do.
func (s *Subject) asked(ctx context.Context, code string, options *sender.Options) (Result, string, error) {
	switch {
	case strings.HasPrefix(code, "+1"):
		return s.unitedStates(ctx, code)
	case strings.HasPrefix(code, "+91") && (options.EntityID == "" || options.TemplateID == ""):
		return Fail, "India (+91) asks for a registered entity and template: set entity_id and template_id", nil
	default:
		return s.registration(ctx, code)
	}
}

// registration takes an active number of the country for a pass. Of sender IDs
// SNS tells nothing.
func (s *Subject) registration(ctx context.Context, code string) (Result, string, error) {
	where, ok := countryOf(code)
	if !ok {
		return Pass, "", nil
	}
	has, err := s.sendsFrom(ctx, strings.Fields(where.iso)...)
	if err != nil || has {
		return Pass, "", err
	}
	return Unknown, fmt.Sprintf("AWS has a registration of senders for %s (%s), and whether yours needs it nobody can tell from here: the account has no number of that country %s, and SNS does not say which sender IDs are registered", where.name, code, s.inRegion()), nil
}

// sendsFrom tells whether the account has a number of a country that sends SMS.
func (s *Subject) sendsFrom(ctx context.Context, countries ...string) (bool, error) {
	numbers, err := s.originationNumbers(ctx)
	return slices.ContainsFunc(numbers, func(n awsapi.OriginationNumber) bool {
		return slices.Contains(countries, n.Country) && n.SMS && strings.EqualFold(n.Status, "ACTIVE")
	}), err
}

// unitedStates wants a number of the United States for "+1": since 2023-08-31
// SNS sends there from no shared one. A longer code may be Canada or another of
// the countries of +1.
// https://docs.aws.amazon.com/sns/latest/dg/sns-supported-regions-countries.html
func (s *Subject) unitedStates(ctx context.Context, code string) (Result, string, error) {
	has, err := s.sendsFrom(ctx, "US")
	switch {
	case err != nil || has:
		return Pass, "", err
	case code == "+1":
		return Fail, "The United States (+1) need a toll-free number, a 10DLC number or a short code, and the account has none " + s.inRegion() + " that is active and sends SMS", nil
	default:
		return Unknown, code + " may be of the United States, for which the account has no number " + s.inRegion(), nil
	}
}

func countryOf(code string) (country, bool) {
	for prefix, where := range registered {
		if strings.HasPrefix(code, prefix) {
			return where, true
		}
	}
	return country{}, false
}
