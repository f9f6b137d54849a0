package aws

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/smithy-go/encoding/cbor"
)

// maxBody is above SNS's 256 KiB limit of a message in its percent-encoded form.
const maxBody = 1 << 20

// service is one of the four APIs; namespaces are those of AWS's own models.
type service struct{ name, version, namespace string }

func iamService() service {
	return service{"iam", "2010-05-08", "https://iam.amazonaws.com/doc/2010-05-08/"}
}

func stsService() service {
	return service{"sts", "2011-06-15", "https://sts.amazonaws.com/doc/2011-06-15/"}
}

func snsService() service {
	return service{"sns", "2010-03-31", "http://sns.amazonaws.com/doc/2010-03-31/"}
}

// operation is one action of a service.
type operation struct {
	service service
	// resource is what policies are asked about; nil when the action needs no
	// permission or asks for it itself.
	resource func(*call) string
	// run answers the fields of the action's result element, nil for none.
	run func(*call) (any, error)
}

// call is one authenticated request; the account is locked while it runs.
type call struct {
	account   *Account
	action    string
	form      url.Values
	input     cbor.Map // of a call that is no form
	region    string
	now       time.Time
	principal principal
}

// apiError is a refusal in AWS's terms.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func refuse(status int, code, format string, args ...any) error {
	return &apiError{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "ValidationError", format, args...)
}

// ServeHTTP answers one request, of the AWS query protocol or, for CloudWatch, of
// the protocol that its SDKs speak.
func (a *Account) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read: "+err.Error(), http.StatusBadRequest)
		return
	}
	var answer answer
	if isRPC(r) {
		answer = a.answerRPC(r, body)
		w.Header().Set("Smithy-Protocol", rpcProtocol)
		w.Header().Set("Content-Type", "application/cbor")
	} else {
		answer = a.answer(r, body)
		w.Header().Set("Content-Type", "text/xml")
	}
	w.Header().Set("X-Amzn-Requestid", answer.requestID)
	w.WriteHeader(answer.status)
	// A client that went away is no error of the account.
	_, _ = w.Write(answer.body)
}

// Operation names the request for a journal: "iam:CreateAccessKey", or method
// and path for what is no call of a service.
func (a *Account) Operation(r *http.Request, body []byte) string {
	if isRPC(r) {
		return cloudWatchService().name + ":" + path.Base(r.URL.Path)
	}
	form, err := parseForm(r, body)
	if err != nil || form.Get("Action") == "" {
		return r.Method + " " + r.URL.Path
	}
	action := form.Get("Action")
	if op, ok := a.operations[action]; ok {
		return op.service.name + ":" + action
	}
	auth, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return action
	}
	return auth.service + ":" + action
}

// Principal is the access key id that signed the request, "" when none did. The
// signature is not verified here.
func (a *Account) Principal(r *http.Request) string {
	auth, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return ""
	}
	return auth.keyID
}

type answer struct {
	status    int
	requestID string
	body      []byte
}

func (a *Account) answer(r *http.Request, body []byte) answer {
	result, err := a.handle(r, body)
	result.requestID = newUUID()
	status, element := http.StatusOK, any(result)
	if err != nil {
		refusal := &apiError{status: http.StatusInternalServerError, code: "InternalFailure", message: err.Error()}
		errors.As(err, &refusal)
		status, element = refusal.status, newErrorResponse(result.namespace, refusal, result.requestID)
	}
	var out bytes.Buffer
	out.WriteString(xml.Header)
	if err := xml.NewEncoder(&out).Encode(element); err != nil {
		panic(fmt.Sprintf("aws: the result of %s is not encodable: %v", result.action, err))
	}
	return answer{status: status, requestID: result.requestID, body: out.Bytes()}
}

// handle routes, authenticates, authorizes and runs, in AWS's order. The response
// names the service's namespace even when there is an error.
func (a *Account) handle(r *http.Request, body []byte) (response, error) {
	form, err := parseForm(r, body)
	if err != nil {
		return response{}, refuse(http.StatusBadRequest, "MalformedQueryString", "%s", err)
	}
	op, err := a.route(form)
	answer := response{namespace: op.service.namespace, action: form.Get("Action")}
	if err != nil {
		return answer, err
	}

	a.mu.Lock()
	defer a.mu.Unlock()
	c := &call{account: a, action: answer.action, form: form, now: a.config.Now().UTC()}
	if err := c.authenticate(r, body, op.service.name); err != nil {
		return answer, err
	}
	if op.resource != nil {
		if err := c.authorize(op.resource(c)); err != nil {
			return answer, err
		}
	}
	answer.result, err = op.run(c)
	return answer, err
}

func parseForm(r *http.Request, body []byte) (url.Values, error) {
	query := string(body)
	if r.Method == http.MethodGet {
		query = r.URL.RawQuery
	}
	form, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("parameters: %w", err)
	}
	return form, nil
}

func (a *Account) route(form url.Values) (operation, error) {
	action, version := form.Get("Action"), form.Get("Version")
	if action == "" {
		return operation{}, refuse(http.StatusBadRequest, "MissingAction", "The request must contain the parameter Action.")
	}
	op, known := a.operations[action]
	if !known || op.service.version != version {
		if version == "" {
			version = "NO_VERSION_SPECIFIED"
		}
		return op, refuse(http.StatusBadRequest, "InvalidAction", "Could not find operation %s for version %s", action, version)
	}
	return op, nil
}

func (c *call) authenticate(r *http.Request, body []byte, service string) error {
	auth, err := parseAuthorization(r.Header.Get("Authorization"))
	if err != nil {
		return err
	}
	// Clients live in real time: were they held against the account's clock, to
	// move that by a day would put every one of them out.
	if err := auth.checkScope(r, service, time.Now()); err != nil {
		return err
	}
	key, err := c.account.usableKey(auth.keyID, r.Header.Get("X-Amz-Security-Token"), c.now)
	if err != nil {
		return err
	}
	if err := auth.verify(r, body, key.secret); err != nil {
		return err
	}
	key.lastUsed = &keyUse{at: c.now, service: service, region: auth.region}
	c.region = auth.region
	c.principal = c.account.principalOf(key)
	return nil
}

// authorize asks the caller's policies for the current action on resource.
func (c *call) authorize(resource string) error {
	code, prefix := "AccessDenied", c.account.operations[c.action].service.name
	if prefix == "sns" {
		code, prefix = "AuthorizationError", "SNS"
	}
	action := prefix + ":" + c.action
	reason := c.principal.refusal(action, resource)
	if reason == "" {
		return nil
	}
	return refuse(http.StatusForbidden, code, "User: %s is not authorized to perform: %s on resource: %s %s",
		c.principal.arn, action, resource, reason)
}

// rule is a constraint on a string parameter, as AWS's models state it: length
// in characters and an anchored pattern.
type rule struct {
	min, max int
	pattern  string
	matches  func(string) bool
}

// parameter reads a required string and checks it.
func (c *call) parameter(name string, r rule) (string, error) {
	if !c.form.Has(name) {
		return "", invalid("1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(name))
	}
	value := c.form.Get(name)
	return value, r.check(name, value)
}

func (r rule) check(name, value string) error {
	problem := ""
	switch length := utf8.RuneCountInString(value); {
	case length < r.min:
		problem = "Member must have length greater than or equal to " + strconv.Itoa(r.min)
	case length > r.max:
		problem = "Member must have length less than or equal to " + strconv.Itoa(r.max)
	case r.matches != nil && !r.matches(value):
		problem = "Member must satisfy regular expression pattern: " + r.pattern
	default:
		return nil
	}
	return invalid("1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: %s", value, lowerFirst(name), problem)
}

func lowerFirst(name string) string { return strings.ToLower(name[:1]) + name[1:] }

// members reads a list parameter, `<name>.member.<n>`, in order.
func (c *call) members(name string) []string {
	var values []string
	for n := 1; c.form.Has(fmt.Sprintf("%s.member.%d", name, n)); n++ {
		values = append(values, c.form.Get(fmt.Sprintf("%s.member.%d", name, n)))
	}
	return values
}

// page is the tail every IAM list answer has.
type page struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

// paginate cuts the page that Marker and MaxItems ask for. A marker is the
// offset of the next item.
func paginate[T any](c *call, items []T) ([]T, page, error) {
	size := 100
	if c.form.Has("MaxItems") {
		n, err := strconv.Atoi(c.form.Get("MaxItems"))
		if err != nil || n < 1 || n > 1000 {
			return nil, page{}, invalid("1 validation error detected: Value '%s' at 'maxItems' failed to satisfy constraint: Member must be between 1 and 1000", c.form.Get("MaxItems"))
		}
		size = n
	}
	start := 0
	if c.form.Has("Marker") {
		n, err := strconv.Atoi(c.form.Get("Marker"))
		if err != nil || n < 0 || n > len(items) {
			return nil, page{}, invalid("Invalid Marker.")
		}
		start = n
	}
	end := min(start+size, len(items))
	if end == len(items) {
		return items[start:], page{}, nil
	}
	return items[start:end], page{IsTruncated: true, Marker: strconv.Itoa(end)}, nil
}

// list is an XML list: the element is there even when it is empty, because
// botocore leaves the name out of its answer otherwise.
type list[T any] struct {
	Member []T `xml:"member"`
}

func listOf[T any](items []T) list[T] { return list[T]{Member: items} }

// stringMap is an XML map of strings, in key order.
type stringMap struct {
	Entry []mapEntry `xml:"entry"`
}

type mapEntry struct {
	Key   string `xml:"key"`
	Value string `xml:"value"`
}

func stringMapOf(values map[string]string) stringMap {
	var m stringMap
	for key, value := range values {
		m.Entry = append(m.Entry, mapEntry{Key: key, Value: value})
	}
	slices.SortFunc(m.Entry, func(x, y mapEntry) int { return strings.Compare(x.Key, y.Key) })
	return m
}

// timestamp is how the query protocol writes a time.
func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

type response struct {
	namespace, action, requestID string
	result                       any
}

// MarshalXML writes <XResponse><XResult>…</XResult><ResponseMetadata>….
func (r response) MarshalXML(e *xml.Encoder, _ xml.StartElement) error {
	start := xml.StartElement{
		Name: xml.Name{Local: r.action + "Response"},
		Attr: []xml.Attr{{Name: xml.Name{Local: "xmlns"}, Value: r.namespace}},
	}
	if err := e.EncodeToken(start); err != nil {
		return fmt.Errorf("start of the answer: %w", err)
	}
	if r.result != nil {
		if err := e.EncodeElement(r.result, xml.StartElement{Name: xml.Name{Local: r.action + "Result"}}); err != nil {
			return fmt.Errorf("result: %w", err)
		}
	}
	metadata := struct {
		RequestID string `xml:"RequestId"`
	}{r.requestID}
	if err := e.EncodeElement(metadata, xml.StartElement{Name: xml.Name{Local: "ResponseMetadata"}}); err != nil {
		return fmt.Errorf("metadata: %w", err)
	}
	if err := e.EncodeToken(start.End()); err != nil {
		return fmt.Errorf("end of the answer: %w", err)
	}
	return nil
}

type errorResponse struct {
	XMLName   xml.Name    `xml:"ErrorResponse"`
	Namespace string      `xml:"xmlns,attr,omitempty"`
	Error     errorDetail `xml:"Error"`
	RequestID string      `xml:"RequestId"`
}

type errorDetail struct {
	Type, Code, Message string
}

func newErrorResponse(namespace string, refusal *apiError, requestID string) errorResponse {
	side := "Sender"
	if refusal.status >= http.StatusInternalServerError {
		side = "Receiver"
	}
	return errorResponse{
		Namespace: namespace,
		Error:     errorDetail{Type: side, Code: refusal.code, Message: refusal.message},
		RequestID: requestID,
	}
}
