package awsapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// The patterns and lengths are those of IAM's API reference (userNameType,
// pathType, policyNameType, tagKeyType, tagValueType, tagListType, arnType):
// https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateUser.html
var (
	namePattern     = lazyregexp.New(`^[\w+=,.@-]+$`)
	pathPattern     = lazyregexp.New(`^/([\x21-\x7e]+/)?$`)
	tagPattern      = lazyregexp.New(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	boundaryPattern = lazyregexp.New(`^arn:aws[a-z-]*:iam::(aws|\d{12}):policy/([\x21-\x7e]+/)?[\w+=,.@-]{1,128}$`)
)

const (
	maxUserName   = 64
	maxPolicyName = 128
	maxPath       = 512
	maxTags       = 50
	maxTagKey     = 128
	maxTagValue   = 256
	maxARN        = 2048
)

// ValidateUserName applies AWS's rule for the name of an IAM user. AWS treats
// names that differ only in case as the same name.
func ValidateUserName(name string) error { return validateName("user name", name, maxUserName) }

// ValidatePolicyName applies AWS's rule for the name of an inline policy.
func ValidatePolicyName(name string) error { return validateName("policy name", name, maxPolicyName) }

func validateName(what, name string, longest int) error {
	if len(name) > longest || !namePattern.MatchString(name) {
		return fmt.Errorf("%s %q: AWS takes 1 to %d characters, each a letter or digit of ASCII or one of _+=,.@-", what, name, longest)
	}
	return nil
}

// ValidatePath applies AWS's rule for the path of an IAM user.
func ValidatePath(path string) error {
	if len(path) > maxPath || !pathPattern.MatchString(path) {
		return fmt.Errorf("path %q: AWS takes / or a text of up to %d characters that begins and ends with /, of printable ASCII without spaces", path, maxPath)
	}
	return nil
}

// ValidateTags applies AWS's rules for the tags of an IAM user. It reports the
// first breach, in the order of the keys.
func ValidateTags(tags map[string]string) error {
	if len(tags) > maxTags {
		return fmt.Errorf("%d tags: AWS takes at most %d on a user", len(tags), maxTags)
	}
	seen := make(map[string]string, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if err := validateTag(key, tags[key]); err != nil {
			return err
		}
		folded := strings.ToLower(key)
		if other, twice := seen[folded]; twice {
			return fmt.Errorf("tag keys %q and %q: IAM does not tell tag keys apart by case", other, key)
		}
		seen[folded] = key
	}
	return nil
}

func validateTag(key, value string) error {
	const characters = "letters, digits, spaces and _.:/=+-@"
	switch {
	case key == "" || utf8.RuneCountInString(key) > maxTagKey || !tagPattern.MatchString(key):
		return fmt.Errorf("tag key %q: AWS takes 1 to %d of %s", key, maxTagKey, characters)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return fmt.Errorf("tag key %q: the prefix aws: is reserved for AWS", key)
	case utf8.RuneCountInString(value) > maxTagValue || !tagPattern.MatchString(value):
		return fmt.Errorf("value of tag %q: AWS takes up to %d of %s", key, maxTagValue, characters)
	default:
		return nil
	}
}

// ValidateBoundaryARN applies AWS's rule for a permissions boundary: the ARN of
// a managed policy, AWS's own or a customer's.
func ValidateBoundaryARN(arn string) error {
	if len(arn) > maxARN || !boundaryPattern.MatchString(arn) {
		return fmt.Errorf("permissions boundary %q: AWS takes the ARN of a managed policy, as in arn:aws:iam::123456789012:policy/boundary", arn)
	}
	return nil
}
