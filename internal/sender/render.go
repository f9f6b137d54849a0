package sender

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// MaxScriptBytes is the size of code that Auth0 accepts for an Action, npm modules not counted
// (https://auth0.com/docs/customize/actions/limitations). A hook's limit is not published.
const MaxScriptBytes = 100_000

// awsSDKVersion is the last release of aws-sdk v2; npm/package-lock.json pins the same.
const awsSDKVersion = "2.1693.0"

const header = "// Managed by Terraform (auth0sns): edits made here are undone by the next apply.\n'use strict';\n"

//go:embed js
var scripts embed.FS

//go:embed npm/package.json npm/package-lock.json
var lockfile embed.FS

// Code is a rendered sender, as Auth0 takes it.
type Code struct {
	// Script is one CommonJS module in ES2018, which every Node version that Auth0 offers can run.
	Script string
	// Dependencies maps npm packages to exact versions; empty, never nil, if there are none.
	Dependencies map[string]string
	// SHA256 is [SHA256] of Script.
	SHA256 string
}

// Size is the number of bytes of which Auth0 takes [MaxScriptBytes].
func (c Code) Size() int { return len(c.Script) }

// Render makes the script for a trigger. The same arguments always give the same bytes.
// The error joins the [FieldError] values of invalid options, is the FieldError of what makes the script too long for
// Auth0, or names a trigger that is not known.
func Render(t Trigger, o Options) (Code, error) {
	wrapper, client, err := wrapperOf(t)
	if err != nil {
		return Code{}, err
	}
	if invalid := o.Validate(); len(invalid) > 0 {
		return Code{}, joined(invalid)
	}
	if o.Client != "" {
		client = o.Client
	}
	clientFile, dependencies := clientOf(client)
	options, err := literal(o)
	if err != nil {
		return Code{}, err
	}
	var script strings.Builder
	script.WriteString(header)
	script.WriteString(options)
	for _, name := range []string{"body.js", clientFile, wrapper} {
		part, err := scripts.ReadFile("js/" + name)
		if err != nil {
			return Code{}, fmt.Errorf("part of the sender: %w", err)
		}
		script.WriteString("\n")
		script.Write(part)
	}
	code := Code{Script: script.String(), Dependencies: dependencies, SHA256: SHA256(script.String())}
	if code.Size() > MaxScriptBytes {
		return Code{}, tooLong(code.Size(), o)
	}
	return code, nil
}

// tooLong blames the texts, if there are any: the longest country codes and regions that are of use leave room.
func tooLong(size int, o Options) FieldError {
	field := "allowed_country_codes"
	if len(o.Texts) > 0 {
		field = "texts"
	}
	return FieldError{
		Field:   field,
		Message: fmt.Sprintf("The code would have %d bytes and Auth0 takes %d: make this list shorter.", size, MaxScriptBytes),
	}
}

// SHA256 is the hexadecimal digest of a script, by which a script that was edited at Auth0 is told from the one rendered.
func SHA256(script string) string {
	sum := sha256.Sum256([]byte(script))
	return hex.EncodeToString(sum[:])
}

// Lockfile holds package.json and package-lock.json: every package that a rendered script may require, for npm ci.
// They name no registry, so the machine's own npm configuration decides where packages come from.
func Lockfile() fs.FS {
	files, err := fs.Sub(lockfile, "npm")
	if err != nil {
		panic(err) // The name is a constant and embedded above.
	}
	return files
}

// wrapperOf names the file that adapts the body to a trigger, and the trigger's default client.
func wrapperOf(t Trigger) (file string, client Client, err error) {
	switch t {
	case Hook:
		return "wrapper_hook.js", AWSSDK, nil
	case SendPhoneMessage:
		return "wrapper_send_phone_message.js", Builtin, nil
	case CustomPhoneProvider:
		return "wrapper_custom_phone_provider.js", Builtin, nil
	default:
		return "", "", fmt.Errorf("no sender for trigger %q", t)
	}
}

func clientOf(c Client) (file string, dependencies map[string]string) {
	if c == AWSSDK {
		return "client_aws_sdk.js", map[string]string{"aws-sdk": awsSDKVersion}
	}
	return "client_builtin.js", map[string]string{}
}

func joined(invalid []FieldError) error {
	errs := make([]error, len(invalid))
	for i, e := range invalid {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// attribute is a MessageAttributeValue of SNS Publish.
type attribute struct {
	DataType    string
	StringValue string
}

// embedded is the form that options have in a script, where the client is not one of them: it is the code itself.
type embedded struct {
	AllowedCountryCodes []string             `json:"allowedCountryCodes"`
	FallbackRegions     []string             `json:"fallbackRegions"`
	MessageAttributes   map[string]attribute `json:"messageAttributes"`
	Texts               []embeddedText       `json:"texts"`
	TimeoutMS           int64                `json:"timeoutMs"`
}

// embeddedText is [Text] in a script; js/body.js chooses the message by its key.
type embeddedText struct {
	ClientID            string `json:"clientId,omitempty"`
	Language            string `json:"language,omitempty"`
	EnrollmentMessage   string `json:"enrollment,omitempty"`
	VerificationMessage string `json:"verification,omitempty"`
}

const declaration = "const OPTIONS = "

// literal is the statement that holds all options. JSON is JavaScript as json.Marshal writes it, with <, > and the line
// separators U+2028 and U+2029 escaped; one option a line keeps a diff readable.
func literal(o Options) (string, error) {
	options := embedded{
		AllowedCountryCodes: append([]string{}, o.AllowedCountryCodes...),
		FallbackRegions:     append([]string{}, o.FallbackRegions...),
		MessageAttributes:   messageAttributes(o),
		Texts:               []embeddedText{},
		TimeoutMS:           defaultTimeout.Milliseconds(),
	}
	for _, text := range o.Texts {
		options.Texts = append(options.Texts, embeddedText(text))
	}
	if o.Timeout != 0 {
		options.TimeoutMS = o.Timeout.Milliseconds()
	}
	text, err := json.MarshalIndent(options, "", "  ")
	if err != nil {
		return "", fmt.Errorf("options of the sender: %w", err)
	}
	return declaration + string(text) + ";\n", nil
}

// Names that SNS has for the options
// (https://docs.aws.amazon.com/sns/latest/dg/sms_publish-to-phone.html).
const (
	attributeSMSType           = "AWS.SNS.SMS.SMSType"
	attributeSenderID          = "AWS.SNS.SMS.SenderID"
	attributeMaxPrice          = "AWS.SNS.SMS.MaxPrice"
	attributeOriginationNumber = "AWS.MM.SMS.OriginationNumber"
	attributeEntityID          = "AWS.MM.SMS.EntityId"
	attributeTemplateID        = "AWS.MM.SMS.TemplateId"
)

// messageAttributes are given with every message, named as SNS names them, only those that are set.
func messageAttributes(o Options) map[string]attribute {
	smsType := o.SMSType
	if smsType == "" {
		smsType = defaultSMSType
	}
	attributes := map[string]attribute{}
	for name, value := range map[string]attribute{
		attributeSMSType:           {"String", smsType},
		attributeSenderID:          {"String", o.SenderID},
		attributeMaxPrice:          {"Number", o.MaxPriceUSD},
		attributeOriginationNumber: {"String", o.OriginationNumber},
		attributeEntityID:          {"String", o.EntityID},
		attributeTemplateID:        {"String", o.TemplateID},
	} {
		if value.StringValue != "" {
			attributes[name] = value
		}
	}
	return attributes
}
