package aws

import (
	"net/http"
	"strings"
	"testing"
)

// The secret of AWS's published examples; it opens nothing.
const exampleSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" //nolint:gosec // AWS's published example.

// The vectors are AWS's Signature Version 4 test suite and the ListUsers example
// of the General Reference, 2015-08-30.
// https://docs.aws.amazon.com/general/latest/gr/signature-v4-test-suite.html
func TestSignaturesAreThoseAWSPublishes(t *testing.T) {
	t.Parallel()
	for _, vector := range []struct {
		name, method, url, body, service string
		headers                          http.Header
		signedHeaders, signature         string
	}{
		{
			name: "get-vanilla", method: http.MethodGet, url: "https://example.amazonaws.com/", service: "service",
			signedHeaders: "host;x-amz-date", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
		},
		{
			name: "post-vanilla", method: http.MethodPost, url: "https://example.amazonaws.com/", service: "service",
			signedHeaders: "host;x-amz-date", signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
		},
		{
			name: "get-vanilla-query-order-key-case", method: http.MethodGet, url: "https://example.amazonaws.com/?Param2=value2&Param1=value1", service: "service",
			signedHeaders: "host;x-amz-date", signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
		},
		{
			name: "get-header-key-duplicate", method: http.MethodGet, url: "https://example.amazonaws.com/", service: "service",
			headers:       http.Header{"My-Header1": {"value2", "value2", "value1"}},
			signedHeaders: "host;my-header1;x-amz-date", signature: "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea",
		},
		{
			name: "post-x-www-form-urlencoded", method: http.MethodPost, url: "https://example.amazonaws.com/", service: "service", body: "Param1=value1",
			headers:       http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
			signedHeaders: "content-type;host;x-amz-date", signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
		},
		{
			name: "IAM ListUsers", method: http.MethodGet, url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", service: "iam",
			headers:       http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}},
			signedHeaders: "content-type;host;x-amz-date", signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
		},
	} {
		t.Run(vector.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), vector.method, vector.url, strings.NewReader(vector.body))
			if err != nil {
				t.Fatal(err)
			}
			for name, values := range vector.headers {
				r.Header[name] = values
			}
			r.Header.Set("X-Amz-Date", "20150830T123600Z")
			auth, err := parseAuthorization("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/" + vector.service +
				"/aws4_request, SignedHeaders=" + vector.signedHeaders + ", Signature=" + vector.signature)
			if err != nil {
				t.Fatal(err)
			}
			if got := auth.sign(r, []byte(vector.body), exampleSecret); got != vector.signature {
				t.Fatalf("a client that signs right would be refused: we make %s, AWS makes %s", got, vector.signature)
			}
			if err := auth.verify(r, []byte(vector.body), exampleSecret); err != nil {
				t.Fatal(err)
			}
			if err := auth.verify(r, []byte(vector.body+"x"), exampleSecret); err == nil {
				t.Fatal("a changed body was accepted")
			}
		})
	}
}
