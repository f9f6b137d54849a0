package workspace

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/config"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// Paths of [Settings.Path].
const (
	PathAction  = "action"
	PathUnified = "unified"
)

// Settings are what a person decides. The file terraform.tfvars of the
// environment holds them, and is theirs to edit; Path is told by the module's
// resources and Backend by backend.tf.
type Settings struct {
	// The identity. It is pinned and never taken over from another environment.
	Domain, AccountID, Region string

	Path string // [PathAction] or [PathUnified], the same in every environment

	IAMUser    string // default "auth0-mfa-sms"
	SenderName string // of the Action; default "Amazon SNS"

	RotateAfter string // a number of days or hours, "90d"; default "90d"
	MFAPolicy   string // "all-applications" (default), "confidence-score" or "never"

	// Texts with {{code}}. Empty means the default of auth0sns_sms_factor.
	EnrollmentMessage, VerificationMessage string

	SMS     SMS
	Backend Backend
}

// SMS are the options of the sender's code. Empty means the sender's default.
type SMS struct {
	SenderID, OriginationNumber string
	MaxPriceUSD                 string // of one message, "0.20"
	EntityID, TemplateID        string // India's registration
	AllowedCountryCodes         []string
	FallbackRegions             []string
}

// The defaults of [Settings], which are the module's too.
const (
	DefaultIAMUser     = "auth0-mfa-sms"
	DefaultSenderName  = "Amazon SNS"
	DefaultRotateAfter = "90d"
	DefaultMFAPolicy   = "all-applications"
)

// MFAPolicies are the values of [Settings.MFAPolicy].
func MFAPolicies() []string { return []string{"all-applications", "confidence-score", "never"} }

// withDefaults fills in what is left open, and puts the domain in the form in
// which it is compared.
func (s Settings) withDefaults() Settings {
	if domain, err := config.NormalizeDomain(s.Domain); err == nil {
		s.Domain = domain
	}
	s.IAMUser = cmp.Or(s.IAMUser, DefaultIAMUser)
	s.SenderName = cmp.Or(s.SenderName, DefaultSenderName)
	s.RotateAfter = cmp.Or(s.RotateAfter, DefaultRotateAfter)
	s.MFAPolicy = cmp.Or(s.MFAPolicy, DefaultMFAPolicy)
	return s
}

var (
	namePattern      = lazyregexp.New(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	accountIDPattern = lazyregexp.New(`^[0-9]{12}$`)
	rotatePattern    = lazyregexp.New(`^[1-9][0-9]*[dh]$`)
	codePattern      = lazyregexp.New(`{{\s*code\s*(\|[^{}]*)?}}`)
)

// maxNameLength leaves room for a name in paths, variables and names of jobs.
const maxNameLength = 32

// ValidateName refuses what cannot be the name of an environment: it becomes a
// folder, and the beginning of variables such as EU_PRODUCTION_AUTH0_DOMAIN.
func ValidateName(name string) error {
	if len(name) > maxNameLength || !namePattern.MatchString(name) {
		return fmt.Errorf("%q is no name of an environment: use up to %d lower-case letters, digits and single hyphens, beginning with a letter, such as staging or eu-production", name, maxNameLength)
	}
	return nil
}

// Validate names everything that is missing or malformed but the backend, by the
// names of terraform.tfvars, after what is left open got its default.
func (s Settings) Validate() error {
	s = s.withDefaults()
	var problems []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	if _, err := config.NormalizeDomain(s.Domain); err != nil {
		problems = append(problems, fmt.Errorf("auth0_domain: %w", err))
	}
	check(accountIDPattern.MatchString(s.AccountID), "aws_account_id: %q is not the id of an AWS account, which has 12 digits", s.AccountID)
	check(awsapi.ValidRegionName(s.Region), "aws_region: %q is not the name of an AWS region, such as eu-central-1", s.Region)
	check(s.Path == PathAction || s.Path == PathUnified, "path: %q is neither %s nor %s", s.Path, PathAction, PathUnified)
	if err := awsapi.ValidateUserName(s.IAMUser); err != nil {
		problems = append(problems, fmt.Errorf("iam_user: %w", err))
	}
	check(strings.TrimSpace(s.SenderName) == s.SenderName, "sender_name: %q begins or ends with a space", s.SenderName)
	check(rotatePattern.MatchString(s.RotateAfter), "rotate_after: %q is no age: use days such as 90d, or hours such as 2160h", s.RotateAfter)
	check(slices.Contains(MFAPolicies(), s.MFAPolicy), "mfa_policy: %q is none of %s", s.MFAPolicy, strings.Join(MFAPolicies(), ", "))
	check((s.EnrollmentMessage == "") == (s.VerificationMessage == ""), "enrollment_message, verification_message: set both texts or neither")
	for name, text := range map[string]string{"enrollment_message": s.EnrollmentMessage, "verification_message": s.VerificationMessage} {
		check(text == "" || codePattern.MatchString(text), "%s: needs {{code}}: nobody could log in without the code", name)
	}
	for _, invalid := range s.SMS.options().Validate() {
		problems = append(problems, fmt.Errorf("sms_%w", invalid))
	}
	slices.SortStableFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return errors.Join(problems...)
}

// options are the same settings as the sender's code knows them.
func (s SMS) options() sender.Options {
	return sender.Options{
		SenderID:            s.SenderID,
		OriginationNumber:   s.OriginationNumber,
		MaxPriceUSD:         s.MaxPriceUSD,
		EntityID:            s.EntityID,
		TemplateID:          s.TemplateID,
		AllowedCountryCodes: s.AllowedCountryCodes,
		FallbackRegions:     s.FallbackRegions,
	}
}
