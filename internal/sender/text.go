package sender

import (
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
)

// maxMessage is the most that one Publish takes, in UTF-16 code units; SNS sends it in as many parts as are needed
// (https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html).
const maxMessage = 1600

// Text is one's own words for the messages that have a code, for some people or for all of them.
type Text struct {
	// ClientID is the application that they log in to; empty fits every one.
	ClientID string
	// Language is a tag such as "de" or "pt-BR"; "pt" fits "pt-BR" as well, empty fits every one.
	// What it is compared with is Auth0's own choice: context.language, event.request.language or event.notification.locale.
	Language string
	// EnrollmentMessage is sent when a phone is enrolled, VerificationMessage at a login. Each has {{code}} in it, and no other
	// placeholder. An empty one never fits.
	EnrollmentMessage, VerificationMessage string
}

var (
	clientIDPattern    = lazyregexp.New(`^[[:graph:]]*$`)
	languagePattern    = lazyregexp.New(`^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*)?$`)
	codePattern        = lazyregexp.New(`\{\{ *code *\}\}`)
	placeholderPattern = lazyregexp.New(`\{\{|\}\}|\{%|%\}`)
)

// auth0Code is {{code}} where Auth0 fills it in: with the blanks, dashes and filters of Liquid, which the sender does not know.
var auth0Code = lazyregexp.New(`{{-?\s*code\s*(\|[^{}]*)?-?}}`)

// HasCode tells whether Auth0 puts the code into a text of the tenant's, on every path
// (https://auth0.com/docs/customize/customize-sms-or-voice-messages).
func HasCode(text string) bool { return auth0Code.MatchString(text) }

// messages are those of a text, by the names they have in Terraform.
func (t Text) messages() []message {
	return []message{{"enrollment_message", t.EnrollmentMessage}, {"verification_message", t.VerificationMessage}}
}

type message struct{ name, text string }

// textProblems has a sentence for each thing that is wrong, with the number of the text as people count.
func textProblems(texts []Text) []string {
	var problems []string
	for i, t := range texts {
		report := func(format string, args ...any) {
			problems = append(problems, fmt.Sprintf("Text %d: %s.", i+1, fmt.Sprintf(format, args...)))
		}
		if !clientIDPattern.MatchString(t.ClientID) {
			report("client_id %q must not have spaces", t.ClientID)
		}
		if !languagePattern.MatchString(t.Language) {
			report("language %q must be a tag such as \"de\" or \"pt-BR\"", t.Language)
		}
		if t.EnrollmentMessage == "" && t.VerificationMessage == "" {
			report("set enrollment_message, verification_message or both")
		}
		for kind, m := range t.messages() {
			if m.text == "" {
				continue
			}
			if problem := messageProblem(m.text); problem != "" {
				report("%s %s", m.name, problem)
			}
			if earlier := hiddenBy(texts[:i], t, kind); earlier != 0 {
				report("%s is never sent, because text %d comes first and fits whenever this one does", m.name, earlier)
			}
		}
	}
	return problems
}

func messageProblem(text string) string {
	rest := codePattern.ReplaceAllString(text, "")
	length := len(utf16.Encode([]rune(text)))
	switch {
	case rest == text:
		return "must have {{code}} in it: nobody could log in without the code"
	case placeholderPattern.MatchString(rest):
		return "must have no placeholder but {{code}}: any other is sent as it is"
	case length > maxMessage:
		return fmt.Sprintf("has %d characters, and Amazon SNS takes %d", length, maxMessage)
	default:
		return ""
	}
}

// hiddenBy is the number of the first text that is always sent in place of a kind of message of t, 0 if none is.
func hiddenBy(earlier []Text, t Text, kind int) int {
	for i, e := range earlier {
		if e.messages()[kind].text != "" && (e.ClientID == "" || e.ClientID == t.ClientID) && speaks(t.Language, e.Language) {
			return i + 1
		}
	}
	return 0
}

// speaks is the function of that name in js/body.js.
func speaks(language, wanted string) bool {
	return wanted == "" || strings.HasPrefix(strings.ToLower(language)+"-", strings.ToLower(wanted)+"-")
}
