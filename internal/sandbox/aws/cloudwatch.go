package aws

import (
	"errors"
	"net/http"
	"path"
	"strings"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"
)

// CloudWatch's SDKs speak CBOR, to /service/<service>/operation/<operation>.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html.
const (
	rpcProtocol = "rpc-v2-cbor"
	rpcPrefix   = "/service/GraniteServiceVersion20100801/operation/"
	// monitoring is CloudWatch in a signature.
	monitoring = "monitoring"
)

func isRPC(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/service/") }

// cloudWatchService has a version that no form can name.
func cloudWatchService() service { return service{name: "cloudwatch", version: rpcProtocol} }

func cloudWatchOperations() map[string]operation {
	return map[string]operation{
		"GetMetricStatistics": {cloudWatchService(), func(*call) string { return "*" }, (*call).getMetricStatistics},
	}
}

// answerRPC is [Account.answer] in CBOR.
func (a *Account) answerRPC(r *http.Request, body []byte) answer {
	status := http.StatusOK
	result, err := a.handleRPC(r, body)
	if err != nil {
		refusal := &apiError{status: http.StatusInternalServerError, code: "InternalServiceFault", message: err.Error()}
		errors.As(err, &refusal)
		status = refusal.status
		result = cbor.Map{"__type": cbor.String("com.amazonaws.cloudwatch#" + rpcCode(refusal.code)), "message": cbor.String(refusal.message)}
	}
	return answer{status: status, requestID: newUUID(), body: cbor.Encode(result)}
}

// rpcCode is what the protocols without a form call the common errors.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html.
func rpcCode(code string) string {
	switch code {
	case "InvalidClientTokenId":
		return "UnrecognizedClientException"
	case "SignatureDoesNotMatch":
		return "InvalidSignatureException"
	case "MissingAuthenticationToken", "AccessDenied", "ExpiredToken", "IncompleteSignature":
		return code + "Exception"
	default:
		return code
	}
}

func (a *Account) handleRPC(r *http.Request, body []byte) (cbor.Value, error) {
	action := path.Base(r.URL.Path)
	op, known := a.operations[action]
	if r.Method != http.MethodPost || r.Header.Get("Smithy-Protocol") != rpcProtocol ||
		r.URL.Path != rpcPrefix+action || !known || op.service.version != rpcProtocol {
		return nil, refuse(http.StatusNotFound, "UnknownOperationException", "%s %s is not emulated", r.Method, r.URL.Path)
	}
	decoded, err := cbor.Decode(body)
	input, isMap := decoded.(cbor.Map)
	if err != nil || !isMap {
		return nil, refuse(http.StatusBadRequest, "SerializationException", "The body is no CBOR map.")
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	c := &call{account: a, action: action, input: input, now: a.config.Now().UTC()}
	if err := c.authenticate(r, body, monitoring); err != nil {
		return nil, err
	}
	if err := c.authorize(op.resource(c)); err != nil {
		return nil, err
	}
	return runRPC(op, c)
}

func runRPC(op operation, c *call) (cbor.Value, error) {
	result, err := op.run(c)
	if err != nil {
		return nil, err
	}
	value, ok := result.(cbor.Value)
	if !ok {
		return nil, errors.New("the operation answers no CBOR")
	}
	return value, nil
}

// maxDataPoints is what one answer may hold.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricStatistics.html.
const maxDataPoints = 1440

// getMetricStatistics has one metric, SMSMonthToDateSpentUSD of AWS/SNS, with one
// data point, of now, and without one while nothing was spent.
func (c *call) getMetricStatistics() (any, error) {
	namespace, metric := c.text("Namespace"), c.text("MetricName")
	start, startErr := cbor.AsTime(c.input["StartTime"])
	end, endErr := cbor.AsTime(c.input["EndTime"])
	seconds, periodErr := cbor.AsInt32(c.input["Period"])
	statistics, _ := c.input["Statistics"].(cbor.List)
	if namespace == "" || metric == "" || len(statistics) == 0 || errors.Join(startErr, endErr, periodErr) != nil {
		return nil, refuse(http.StatusBadRequest, "MissingParameter", "Namespace, MetricName, StartTime, EndTime, Period and Statistics are required.")
	}
	period := time.Duration(seconds) * time.Second
	switch {
	case !start.Before(end):
		return nil, refuse(http.StatusBadRequest, "InvalidParameterValue", "The parameter StartTime must be less than the parameter EndTime.")
	case period < time.Minute || period%time.Minute != 0:
		return nil, refuse(http.StatusBadRequest, "InvalidParameterValue", "The parameter Period must be a multiple of 60.")
	case end.Sub(start)/period > maxDataPoints:
		return nil, refuse(http.StatusBadRequest, "InvalidParameterCombination", "You have requested more than the limit of %d datapoints.", maxDataPoints)
	}
	points := cbor.List{}
	spent, at := c.account.sms.spent, c.now.Truncate(period)
	if namespace == "AWS/SNS" && metric == "SMSMonthToDateSpentUSD" && c.input["Dimensions"] == nil &&
		spent > 0 && !c.now.Before(start) && c.now.Before(end) {
		point := cbor.Map{"Timestamp": &cbor.Tag{ID: 1, Value: cbor.Float64(at.Unix())}, "Unit": cbor.String("None")}
		for _, statistic := range statistics {
			name, _ := statistic.(cbor.String)
			point[string(name)] = cbor.Float64(spent)
		}
		points = append(points, point)
	}
	return cbor.Map{"Label": cbor.String(metric), "Datapoints": points}, nil
}

func (c *call) text(name string) string {
	text, _ := c.input[name].(cbor.String)
	return string(text)
}
