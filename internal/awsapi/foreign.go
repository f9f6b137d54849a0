package awsapi

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// errForeign stands for an answer that AWS cannot have given.
var errForeign = errors.New("not an answer of AWS, but perhaps a proxy's or a wrong endpoint's")

// headSize is where the name of an answer has to come, after the XML prolog.
const headSize = 1024

// refuseForeign makes a success that is not AWS's an error. The SDK does not
// read the answer of a call without a result, such as DeleteUser, and would take
// a proxy's page of HTML for its success. Of a body that was cut short the head
// is enough: AWS has answered.
func refuseForeign(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("RefuseForeignAnswer", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !ok || response.StatusCode >= http.StatusMultipleChoices {
			return out, metadata, err
		}
		body := bufio.NewReaderSize(response.Body, headSize)
		// Whatever keeps it from being long is for the SDK to find out.
		head, _ := body.Peek(headSize)
		if !bytes.Contains(head, []byte("<"+awsmiddleware.GetOperationName(ctx)+"Response")) {
			return out, metadata, errForeign
		}
		response.Body = struct {
			io.Reader
			io.Closer
		}{body, response.Body}
		return out, metadata, nil
	}), middleware.After)
}

// refuseForeignCBOR does what [refuseForeign] does for a service that speaks
// CBOR, of which the SDK takes an empty body for an answer without data. Such an
// answer names its protocol, and clients must look.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html#responses
func refuseForeignCBOR(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("RefuseForeignAnswer", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, ok := out.RawResponse.(*smithyhttp.Response)
		if err == nil && ok && response.StatusCode < http.StatusMultipleChoices && response.Header.Get("Smithy-Protocol") != "rpc-v2-cbor" {
			err = errForeign
		}
		return out, metadata, err
	}), middleware.After)
}
