package awsapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/lazyregexp"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// Kind says what sort of failure an [Error] is.
type Kind int

// The kinds of failure. What fits none is Unknown.
const (
	Unknown            Kind = iota
	NotFound                // the object is not there
	AlreadyExists           // the name is taken
	LimitExceeded           // an IAM quota, such as two access keys per user
	DeleteConflict          // something still hangs on the object
	AccessDenied            // the caller may not; see Error.MissingAction
	InvalidCredentials      // AWS does not know the key, or its secret is wrong
	ExpiredCredentials      // a session or a signature is too old
	NoCredentials           // the credential chain found none
	Throttled               // refused for now
	Malformed               // the policy document is no policy
	Invalid                 // AWS refuses a value
	Server                  // AWS failed (HTTP 5xx)
	Transport               // no answer, or none that could be read
)

// Error is a failed call to AWS, told for the person who has to act on it.
type Error struct {
	Operation     string // as IAM policies name it: "iam:CreateUser"
	StatusCode    int    // HTTP status; 0 without an answer
	Code          string // AWS's error code: "EntityAlreadyExists"
	Message       string // AWS's own words
	RequestID     string // AWS's id of the request, for its support
	Kind          Kind
	MissingAction string // AccessDenied only: the action to allow, "iam:CreateUser"
	Err           error  // cause; never holds an answer's body

	purpose   string // the call that needed credentials, when Operation is a step of getting them
	ambiguous bool
}

// Error tells what was tried, what came back, and what to do.
func (e *Error) Error() string {
	var text strings.Builder
	text.WriteString(e.Operation)
	if e.purpose != "" {
		fmt.Fprintf(&text, " (to get the credentials for %s)", e.purpose)
	}
	fmt.Fprintf(&text, ": %s", strings.TrimRight(e.outcome(), "."))
	if hint := e.Hint(); hint != "" {
		fmt.Fprintf(&text, ". %s", hint)
	}
	return text.String()
}

func (e *Error) outcome() string {
	switch {
	case e.Code != "":
		return fmt.Sprintf("AWS answered %s: %s", strings.Join(e.details(e.Code), ", "), e.Message)
	case e.StatusCode != 0:
		return fmt.Sprintf("AWS answered %s: %v", strings.Join(e.details(), ", "), e.Err)
	case e.Kind == NoCredentials:
		return fmt.Sprintf("no AWS credentials: %v", e.Err)
	case e.Kind == Transport:
		return fmt.Sprintf("no answer from AWS: %v", e.Err)
	default:
		return fmt.Sprint(e.Err)
	}
}

func (e *Error) details(details ...string) []string {
	details = append(details, fmt.Sprintf("HTTP %d", e.StatusCode))
	if e.RequestID != "" {
		details = append(details, "request id "+e.RequestID)
	}
	return details
}

// Unwrap gives the cause, such as [context.Canceled].
func (e *Error) Unwrap() error { return e.Err }

// Ambiguous tells whether the call may have taken effect although it failed:
// it was sent, and no answer said that it was refused.
func (e *Error) Ambiguous() bool { return e.ambiguous }

// Hint says what to do, in one or two sentences; "" if nothing sure can be
// said.
func (e *Error) Hint() string {
	switch e.Kind {
	case AlreadyExists:
		return "Import the existing object or choose another name."
	case LimitExceeded:
		return "Delete what is no longer used, such as an old access key, or ask AWS for a higher quota."
	case DeleteConflict:
		return "Remove what was attached to the user outside of this configuration: policies, access keys, groups, MFA devices."
	case AccessDenied:
		return e.accessHint()
	case InvalidCredentials:
		return "Check the access key and its secret. A key works only in its own partition (aws, aws-cn, aws-us-gov), and in a region that the account has enabled."
	case ExpiredCredentials:
		return "Renew the session (aws sso login, or new temporary credentials) and check this machine's clock."
	case NoCredentials:
		return "Set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run aws sso login, or name a profile in the configuration."
	case Throttled:
		return "Try again in a minute, with fewer calls at a time."
	case Malformed:
		return "Correct the policy document."
	case Invalid:
		return "Correct the value that AWS names."
	case Server, Transport:
		return e.retryHint()
	case Unknown, NotFound:
		if errors.Is(e.Err, errForeign) {
			return e.retryHint()
		}
		return ""
	default:
		return ""
	}
}

func (e *Error) accessHint() string {
	if strings.Contains(e.Message, "explicit deny") {
		return fmt.Sprintf("A policy denies %s to the caller: change that policy, or use other credentials.", e.MissingAction)
	}
	return fmt.Sprintf("Allow %s to the caller, or use other credentials.", e.MissingAction)
}

func (e *Error) retryHint() string {
	if e.ambiguous && e.Operation == opPublish {
		return "The message may have been sent all the same: look at the phone before sending another."
	}
	if e.ambiguous {
		return "The change may have been made all the same: look before trying again."
	}
	if errors.Is(e.Err, context.Canceled) {
		return "The run was interrupted: run it again to go on."
	}
	return "Check the network, the region and the endpoint, then try again."
}

// KindOf gives the kind of the [Error] in a chain, Unknown if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Unknown
}

// IsNotFound tells whether AWS said that the object is not there.
func IsNotFound(err error) bool { return KindOf(err) == NotFound }

// AccountError says that the credentials lead to an AWS account that the
// configuration does not allow.
type AccountError struct {
	Got     string   // account id
	ARN     string   // what showed it: the caller, or a user of that account
	Allowed []string // allowed_account_ids
}

// Error names the account, who was seen there, and the setting.
func (e *AccountError) Error() string {
	return fmt.Sprintf("wrong AWS account: the credentials lead to %s (%s), and allowed_account_ids allows only %s. "+
		"Use credentials of an allowed account (profile, assume_role_arn, AWS_PROFILE), or add %s to allowed_account_ids.",
		e.Got, e.ARN, strings.Join(e.Allowed, ", "), e.Got)
}

// configurationError tells why no client could be made.
func configurationError(err error) error {
	e := &Error{Operation: "AWS configuration", Kind: Invalid, Err: err}
	var noProfile config.SharedConfigProfileNotExistError
	if errors.As(err, &noProfile) {
		e.Kind = NoCredentials
	}
	return e
}

// credentialsError marks a failure to get credentials: the call that needed
// them was never sent.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }
func (e *credentialsError) Unwrap() error { return e.err }

// unknownCode is the SDK's code for an answer that has none.
const unknownCode = "UnknownError"

// imds is the last source that the credential chain asks.
const imds = "ec2imds:"

// callError turns the SDK's error into an *Error. Nil stays nil.
//
// The SDK's own chain is not kept: it holds the start of an answer that could
// not be read, and an answer may hold a secret key.
func callError(err error) error {
	if err == nil {
		return nil
	}
	first, last := operations(err)
	e := &Error{Operation: first, Err: cause(err)}
	var unavailable *credentialsError
	if errors.As(err, &unavailable) {
		switch {
		case errors.Is(err, context.Canceled):
			e.Kind = Transport
			return e
		case strings.HasPrefix(last, imds):
			e.Kind, e.Err = NoCredentials, fmt.Errorf("the environment and the profile hold none, and this machine has no role (%w)", e.Err)
			return e
		case last == first:
			e.Kind, e.Err = NoCredentials, unavailable.err
			return e
		}
		e.Operation, e.purpose = last, first
	}
	e.readAnswer(err)
	if e.Code == "" && e.StatusCode >= http.StatusBadRequest {
		e.Err = errForeign
	}
	e.Kind = e.kind(err)
	e.ambiguous = e.purpose == "" && isWrite(e.Operation) && mayHaveHappened(e.Kind, err)
	if e.Kind == Invalid && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		e.Kind = Transport // the run ended before the SDK had sent anything
	}
	if e.Kind == AccessDenied {
		e.MissingAction = missingAction(e.Message, e.Operation)
	}
	return e
}

// emptyAnswer is the error for an answer that lacks what was asked for. The SDK
// takes an empty body, which some proxy may have sent, for a good answer.
func emptyAnswer(operation string) error {
	return &Error{
		Operation: operation, StatusCode: http.StatusOK, Kind: Transport,
		Err: errors.New("the answer is empty"), ambiguous: isWrite(operation),
	}
}

// operations gives the first and the last AWS operation in a chain, as IAM
// policies name them. They differ when getting credentials took a call of its
// own, such as sts:AssumeRole.
func operations(err error) (first, last string) {
	var operation *smithy.OperationError
	for errors.As(err, &operation) {
		last = strings.ToLower(operation.ServiceID) + ":" + operation.OperationName
		if first == "" {
			first = last
		}
		err = operation.Err
	}
	return first, last
}

// cause gives the part of the SDK's chain that says why.
func cause(err error) error {
	var api smithy.APIError
	var unreadable *smithy.DeserializationError
	var request *url.Error
	var operation *smithy.OperationError
	switch {
	case errors.As(err, &api):
		return api
	case errors.Is(err, errForeign):
		return errForeign
	case errors.As(err, &unreadable):
		return errors.New("the answer could not be read")
	case errors.As(err, &request):
		return request
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	for errors.As(err, &operation) {
		err = operation.Err
	}
	return err
}

func (e *Error) readAnswer(err error) {
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) {
		e.StatusCode = response.HTTPStatusCode()
	}
	var request interface{ ServiceRequestID() string }
	if errors.As(err, &request) {
		e.RequestID = request.ServiceRequestID()
	}
	var api smithy.APIError
	if errors.As(err, &api) && api.ErrorCode() != unknownCode {
		e.Code, e.Message = api.ErrorCode(), api.ErrorMessage()
	}
}

func (e *Error) kind(err error) Kind {
	if kind := kindOfCode(e.Code); kind != Unknown {
		return kind
	}
	var sending *smithyhttp.RequestSendError
	var canceled interface{ CanceledError() bool }
	switch {
	case e.StatusCode == http.StatusTooManyRequests:
		return Throttled
	case e.StatusCode >= http.StatusInternalServerError:
		return Server
	case e.StatusCode >= http.StatusBadRequest:
		return Unknown
	case e.StatusCode != 0, errors.As(err, &sending), errors.As(err, &canceled):
		return Transport
	default:
		return Invalid // the SDK refused to send it
	}
}

// kindOfCode knows the codes of the API models of IAM, STS and SNS, and those
// every AWS service may answer.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
func kindOfCode(code string) Kind {
	if _, refused := throttleCodes()[code]; refused {
		return Throttled
	}
	switch code {
	case "NoSuchEntity":
		return NotFound
	case "EntityAlreadyExists":
		return AlreadyExists
	case "LimitExceeded":
		return LimitExceeded
	case "DeleteConflict":
		return DeleteConflict
	case "AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation":
		return AccessDenied
	case "InvalidClientTokenId", "SignatureDoesNotMatch", "UnrecognizedClient", "UnrecognizedClientException",
		"InvalidAccessKeyId", "AuthFailure", "IncompleteSignature", "IncompleteSignatureException",
		"InvalidSignatureException", "MissingAuthenticationToken", "MissingAuthenticationTokenException":
		return InvalidCredentials
	case "ExpiredToken", "ExpiredTokenException", "RequestExpired", "RequestTimeTooSkewed":
		return ExpiredCredentials
	case "MalformedPolicyDocument":
		return Malformed
	case "InvalidInput", "InvalidParameter", "InvalidParameterValue", "ValidationError", "ValidationException", "PolicyNotAttachable",
		"ParameterValueInvalid", "UserError":
		return Invalid
	case "ServiceFailure", "InternalFailure", "InternalError", "ServiceUnavailable":
		return Server
	default:
		return Unknown
	}
}

func isWrite(operation string) bool {
	_, name, _ := strings.Cut(operation, ":")
	return !slices.ContainsFunc([]string{"Get", "List", "Check", "Simulate"}, func(read string) bool {
		return strings.HasPrefix(name, read)
	})
}

// mayHaveHappened is false where the request surely never reached AWS or AWS
// surely refused it.
func mayHaveHappened(kind Kind, err error) bool {
	var dial *net.OpError
	var lookup *net.DNSError
	var repeated *retry.MaxAttemptsError // an earlier attempt may have got through
	switch {
	case kind == Server:
		return true
	case kind != Transport:
		return false
	case errors.As(err, &repeated):
		return true
	default:
		return !errors.As(err, &lookup) && (!errors.As(err, &dial) || dial.Op != "dial")
	}
}

// refusedAction finds the action in AWS's sentence "User: … is not authorized
// to perform: iam:CreateUser on resource: …".
var refusedAction = lazyregexp.New(`not authorized to perform: ([\w-]+:\w+)`)

func missingAction(message, operation string) string {
	if found := refusedAction.FindStringSubmatch(message); found != nil {
		return found[1]
	}
	return operation
}
