package acctest

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// Request names one request of a command: the Nth with that operation, counted
// from 1. Requests of different resources run at once, so their place among all
// of a command says nothing.
type Request struct {
	Side      string // control.SideAuth0 or control.SideAWS
	Operation string // "iam:CreateAccessKey"
	Nth       int
}

func (r Request) String() string { return fmt.Sprintf("%s#%d", r.Operation, r.Nth) }

// Requests names what the journal of one command holds, in its order.
func Requests(entries []control.Entry) []Request {
	seen := map[string]int{}
	requests := make([]Request, 0, len(entries))
	for _, e := range entries {
		seen[e.Operation]++
		requests = append(requests, Request{e.Side, e.Operation, seen[e.Operation]})
	}
	return requests
}

// Victim is the process that a [Strike] kills.
type Victim string

// The victims. Nobody is killed where the fault is in the request alone.
const (
	VictimNone      Victim = ""
	VictimProvider  Victim = "provider"
	VictimTerraform Victim = "terraform"
)

// Strike is one thing that goes wrong with one request.
type Strike struct {
	Class string // "403 scope": the line of the table
	Fault control.Fault
	// Kill is who gets SIGKILL while the fault holds the request.
	Kill Victim
	// Slow is a cell that takes tens of seconds, because a client is patient.
	Slow bool
}

// Cell is one strike at one request of one phase.
type Cell struct {
	Path    string // "hook"
	Phase   string // "rotate"
	Request Request
	Strike  Strike
}

// String names the cell: "hook/rotate/iam:CreateAccessKey#1/dropped after".
func (c Cell) String() string {
	return fmt.Sprintf("%s/%s/%s/%s", c.Path, c.Phase, c.Request, c.Strike.Class)
}

// Result is the result of a cell about which nothing is known yet.
func (c Cell) Result() Result {
	return Result{Phase: c.Path + " " + c.Phase, Class: c.Strike.Class, Cell: c.String(), Killed: c.Strike.Kill != VictimNone}
}

// Cells is every strike at every request of a phase.
func Cells(path, phase string, requests []Request) []Cell {
	var cells []Cell
	for _, request := range requests {
		for _, strike := range Strikes(request) {
			strike.Fault.Side, strike.Fault.Operation, strike.Fault.Skip = request.Side, request.Operation, request.Nth-1
			cells = append(cells, Cell{path, phase, request, strike})
		}
	}
	return cells
}

const (
	// late is a slow answer that every client has the patience for.
	late = 100 * time.Millisecond
	// tooLate is more than the 10 s that a hand-over waits for one answer of STS.
	// No other wait of the clients is shorter than a minute.
	tooLate = 11 * time.Second
	// outage is longer than what Auth0's client waits in all, whose waits pass at
	// once on the world's clock, and shorter than what the SDK of AWS waits.
	outage = 150 * time.Millisecond
)

// Strikes is the catalogue of what can go wrong with a request. Lasting means
// every try of the same request until the command ends; "after" that the
// request took effect and the client cannot know.
func Strikes(r Request) []Strike {
	var strikes []Strike
	add := func(class string, times int, f control.Fault) {
		f.Times = times
		strikes = append(strikes, Strike{Class: class, Fault: f})
	}
	add("dropped before", 1, control.Fault{Effect: control.DropBefore})
	add("dropped before, lasting", 0, control.Fault{Effect: control.DropBefore})
	add("dropped after", 1, control.Fault{Effect: control.DropAfter})
	add("dropped after, lasting", 0, control.Fault{Effect: control.DropAfter})
	add("truncated body", 1, control.Fault{Effect: control.Truncate})
	add("connection refused", 1, control.Fault{Effect: control.Down, Delay: outage})
	add("slow", 1, control.Fault{Effect: control.Delay, Delay: late})
	asked := r.Operation == "sts:GetCallerIdentity" // Again and again, about a new key.
	if asked {
		add("too slow", 1, control.Fault{Effect: control.Delay, Delay: tooLate})
	}
	add("200 HTML", 1, page(control.Respond, http.StatusOK))
	add("200 HTML after", 1, page(control.RespondAfter, http.StatusOK))
	add("403 HTML", 1, page(control.Respond, http.StatusForbidden))
	add("502 HTML", 1, page(control.Respond, http.StatusBadGateway))
	add("504 HTML after", 1, page(control.RespondAfter, http.StatusGatewayTimeout))
	switch {
	case r.Side == control.SideAWS:
		awsAnswers(add)
	case r.Operation == "POST /oauth/token":
		tokenAnswers(add)
	default:
		auth0Answers(r, add)
	}
	for i, strike := range strikes {
		strikes[i].Slow = asked && strike.Fault.Delay == tooLate
	}
	return append(strikes, kills()...)
}

func kills() []Strike {
	var strikes []Strike
	for _, victim := range []Victim{VictimProvider, VictimTerraform} {
		strikes = append(strikes,
			Strike{Class: "SIGKILL " + string(victim) + " before", Fault: control.Fault{Effect: control.HoldBefore, Times: 1}, Kill: victim},
			Strike{Class: "SIGKILL " + string(victim) + " after", Fault: control.Fault{Effect: control.HoldAfter, Times: 1}, Kill: victim})
	}
	return strikes
}

// page is the answer of something that is neither Auth0 nor AWS.
func page(effect control.Effect, status int) control.Fault {
	return control.Fault{
		Effect: effect, Status: status, Header: map[string]string{"Content-Type": "text/html; charset=utf-8"},
		Body: fmt.Sprintf("<html>\n<head><title>%[1]d %[2]s</title></head>\n<body><h1>%[2]s</h1></body>\n</html>\n", status, http.StatusText(status)),
	}
}

type adder func(class string, times int, f control.Fault)

// auth0Answers are refusals in the words of recordings/errors__go-auth0+tf.json
// and, where none was recorded, of Auth0's own code and documentation.
func auth0Answers(r Request, add adder) {
	answer := func(effect control.Effect, status int, message, code string) control.Fault {
		body := fmt.Sprintf(`{"statusCode":%d,"error":%q,"message":%q`, status, http.StatusText(status), message)
		if code != "" {
			body += fmt.Sprintf(`,"errorCode":%q`, code)
		}
		return control.Fault{Effect: effect, Status: status, Header: jsonHeader(), Body: body + "}"}
	}
	refusal := func(status int, message, code string) control.Fault {
		return answer(control.Respond, status, message, code)
	}
	const expired = "Expired token received for JSON Web Token validation"
	add("400", 1, refusal(400, "Payload validation error: 'Object didn't pass validation for format'.", "invalid_body"))
	add("401 expired", 1, refusal(401, expired, ""))
	add("401 lasting", 0, refusal(401, expired, ""))
	add("403 scope", 1, refusal(403, "Insufficient scope, expected any of: update:everything", "insufficient_scope"))
	add("403 entitlement", 1, refusal(403, "Please upgrade your subscription to use this feature.", "insufficient_entitlement"))
	add("403 feature off", 1, refusal(403, "This feature is not enabled for this tenant.", "feature_not_enabled"))
	if strings.Contains(r.Operation, "/guardian/") {
		add("403 legacy phone", 1, refusal(403, "Insufficient privileges to use this deprecated feature, use the tenant phone settings.", "legacy_mfa_phone_provider_not_allowed"))
	}
	add("404", 1, refusal(404, "Not Found", ""))
	add("409", 1, refusal(409, "Something with the same name already exists.", ""))
	limited := refusal(429, "Global limit has been reached", "too_many_requests")
	add("429 bare", 1, limited)
	add("429 bare, 3 times", 3, limited)
	limited.Header = map[string]string{
		"Content-Type": "application/json", "X-RateLimit-Limit": "2", "X-RateLimit-Remaining": "0",
		// Long past, as by a clock that is wrong: Retry-After has to do.
		"X-RateLimit-Reset": "1", "Retry-After": "1",
	}
	add("429 headers", 1, limited)
	const failed = "An internal server error occurred"
	add("500", 1, refusal(500, failed, ""))
	add("500 lasting", 0, refusal(500, failed, ""))
	add("500 after", 1, answer(control.RespondAfter, 500, failed, ""))
	add("500 after, lasting", 0, answer(control.RespondAfter, 500, failed, ""))
	add("502", 1, refusal(502, "Bad Gateway", ""))
	add("503", 1, refusal(503, "Service Unavailable", ""))
}

// tokenAnswers are refusals of the token endpoint, which has OAuth's form.
func tokenAnswers(add adder) {
	refusal := func(status int, code, description string) control.Fault {
		return control.Fault{
			Effect: control.Respond, Status: status, Header: jsonHeader(),
			Body: fmt.Sprintf(`{"error":%q,"error_description":%q}`, code, description),
		}
	}
	add("400", 1, refusal(400, "invalid_request", "Missing required parameter: grant_type"))
	add("401", 1, refusal(401, "access_denied", "Unauthorized"))
	add("403 grant", 1, refusal(403, "access_denied", `Client is not authorized to access "https://tenant.eu.auth0.com/api/v2/". You need to create a "client-grant" associated to this API.`))
	add("404", 1, refusal(404, "not_found", "Not Found"))
	add("429 bare", 1, refusal(429, "too_many_requests", "Global limit has been reached"))
	add("429 bare, 3 times", 3, refusal(429, "too_many_requests", "Global limit has been reached"))
	add("500", 1, refusal(500, "server_error", "An internal server error occurred"))
	add("500 lasting", 0, refusal(500, "server_error", "An internal server error occurred"))
	add("502", 1, refusal(502, "server_error", "Bad Gateway"))
	add("503", 1, refusal(503, "temporarily_unavailable", "Service Unavailable"))
}

// awsAnswers are AWS's refusals with the status that IAM and STS give them.
// https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html
func awsAnswers(add adder) {
	answer := func(effect control.Effect, status int, code, message string) control.Fault {
		return control.Fault{
			Effect: effect, Status: status, Header: map[string]string{"Content-Type": "text/xml"},
			Body: awsError(status, code, message),
		}
	}
	refusal := func(status int, code, message string) control.Fault {
		return answer(control.Respond, status, code, message)
	}
	add("400 ValidationError", 1, refusal(400, "ValidationError", "1 validation error detected."))
	add("400 Throttling", 1, refusal(400, "Throttling", "Rate exceeded"))
	add("400 Throttling, lasting", 0, refusal(400, "Throttling", "Rate exceeded"))
	add("403 AccessDenied", 1, refusal(403, "AccessDenied", "User: arn:aws:iam::111122223333:user/operator is not authorized to perform: iam:Something on resource: * because no identity-based policy allows the iam:Something action"))
	add("403 InvalidClientTokenId", 1, refusal(403, "InvalidClientTokenId", "The security token included in the request is invalid."))
	add("403 ExpiredToken", 1, refusal(403, "ExpiredToken", "The security token included in the request is expired"))
	add("404 NoSuchEntity", 1, refusal(404, "NoSuchEntity", "The entity cannot be found."))
	add("409 EntityAlreadyExists", 1, refusal(409, "EntityAlreadyExists", "The entity already exists."))
	add("409 LimitExceeded", 1, refusal(409, "LimitExceeded", "Cannot exceed quota for AccessKeysPerUser: 2"))
	add("409 DeleteConflict", 1, refusal(409, "DeleteConflict", "Cannot delete entity, must delete access keys first."))
	add("409 ConcurrentModification", 1, refusal(409, "ConcurrentModification", "The request was rejected because multiple requests to change this object were submitted simultaneously."))
	const failed = "The request processing has failed because of an unknown error, exception or failure."
	add("500", 1, refusal(500, "ServiceFailure", failed))
	add("500 lasting", 0, refusal(500, "ServiceFailure", failed))
	add("500 after", 1, answer(control.RespondAfter, 500, "ServiceFailure", failed))
	add("500 after, lasting", 0, answer(control.RespondAfter, 500, "ServiceFailure", failed))
	add("503", 1, refusal(503, "ServiceUnavailable", "The request has failed due to a temporary failure of the server."))
}

func jsonHeader() map[string]string {
	return map[string]string{"Content-Type": "application/json; charset=utf-8"}
}

func awsError(status int, code, message string) string {
	side := "Sender"
	if status >= http.StatusInternalServerError {
		side = "Receiver"
	}
	var escaped strings.Builder
	// A strings.Builder never fails.
	_ = xml.EscapeText(&escaped, []byte(message))
	return fmt.Sprintf("<ErrorResponse><Error><Type>%s</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>00000000-0000-4000-8000-000000000000</RequestId></ErrorResponse>",
		side, code, escaped.String())
}

// Shard is the i-th of n equal parts, i from 1. Every part has cells of every
// phase and class.
func Shard(cells []Cell, i, n int) []Cell {
	var part []Cell
	for at, cell := range cells {
		if at%n == i-1 {
			part = append(part, cell)
		}
	}
	return part
}

// Sample is every n-th cell, the same ones in every run. A request has as many
// cells as there are classes, so a prime n walks through requests and classes
// alike. Slow ones are left out.
func Sample(cells []Cell, n int) []Cell {
	var sample []Cell
	for at := n / 2; at < len(cells); at += n {
		if !cells[at].Strike.Slow {
			sample = append(sample, cells[at])
		}
	}
	return sample
}
