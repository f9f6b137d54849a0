package aws

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

const (
	sigAlgorithm  = "AWS4-HMAC-SHA256"
	sigTimeFormat = "20060102T150405Z"
	// maxSkew is how far a client's clock may be off.
	// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html.
	maxSkew = 15 * time.Minute
)

// authorization is a parsed Authorization header of AWS Signature Version 4.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html.
type authorization struct {
	keyID, date, region, service string
	signedHeaders                []string
	signature                    string
}

// parseAuthorization reads the header form; presigned URLs are not emulated.
func parseAuthorization(header string) (authorization, error) {
	if header == "" {
		return authorization{}, refuse(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token")
	}
	rest, ok := strings.CutPrefix(header, sigAlgorithm+" ")
	if !ok {
		return authorization{}, incomplete("Unsupported AWS 'algorithm'. Only %s is emulated.", sigAlgorithm)
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return authorization{}, incomplete("Authorization header requires '%s' parameter.", name)
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" {
		return authorization{}, incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term.")
	}
	return authorization{
		keyID: scope[0], date: scope[1], region: scope[2], service: scope[3],
		signedHeaders: strings.Split(parts["SignedHeaders"], ";"),
		signature:     parts["Signature"],
	}, nil
}

// checkScope refuses what can be refused without knowing the key: headers left
// out of the signature, a date that differs, a wrong service, a clock too far off
// from now.
func (auth authorization) checkScope(r *http.Request, service string, now time.Time) error {
	stamp := r.Header.Get("X-Amz-Date")
	signed, err := time.Parse(sigTimeFormat, stamp)
	if err != nil {
		return incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	for _, name := range []string{"host", "x-amz-date"} {
		if !slices.Contains(auth.signedHeaders, name) {
			return mismatch("'%s' must be a 'SignedHeader' in the AWS Authorization.", name)
		}
	}
	if day := stamp[:len("20060102")]; day != auth.date {
		return mismatch("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", auth.date, day, stamp)
	}
	if auth.service != service {
		return mismatch("Credential should be scoped to correct service: '%s'. ", service)
	}
	now = now.UTC()
	if oldest := now.Add(-maxSkew); signed.Before(oldest) {
		return mismatch("Signature expired: %s is now earlier than %s (%s - 15 min.)", stamp, oldest.Format(sigTimeFormat), now.Format(sigTimeFormat))
	}
	if newest := now.Add(maxSkew); signed.After(newest) {
		return mismatch("Signature not yet current: %s is still later than %s (%s + 15 min.)", stamp, newest.Format(sigTimeFormat), now.Format(sigTimeFormat))
	}
	return nil
}

// verify compares the signature of the request, over body as it came, with the
// one that secret makes. An x-amz-content-sha256 header has to be true.
func (auth authorization) verify(r *http.Request, body []byte, secret string) error {
	if claimed := r.Header.Get("X-Amz-Content-Sha256"); claimed != "" && claimed != hexHash(body) {
		return mismatch("The value for the x-amz-content-sha256 header does not match the body.")
	}
	if !hmac.Equal([]byte(auth.sign(r, body, secret)), []byte(auth.signature)) {
		return mismatch("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return nil
}

func (auth authorization) sign(r *http.Request, body []byte, secret string) string {
	scope := []string{auth.date, auth.region, auth.service, "aws4_request"}
	toSign := strings.Join([]string{
		sigAlgorithm,
		r.Header.Get("X-Amz-Date"),
		strings.Join(scope, "/"),
		hexHash([]byte(auth.canonicalRequest(r, body))),
	}, "\n")
	key := []byte("AWS4" + secret)
	for _, part := range scope {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, toSign))
}

func (auth authorization) canonicalRequest(r *http.Request, body []byte) string {
	var headers strings.Builder
	for _, name := range auth.signedHeaders {
		headers.WriteString(name + ":" + canonicalHeader(r, name) + "\n")
	}
	return strings.Join([]string{
		r.Method,
		canonicalPath(r.URL),
		canonicalQuery(r.URL),
		headers.String(),
		strings.Join(auth.signedHeaders, ";"),
		hexHash(body),
	}, "\n")
}

func canonicalHeader(r *http.Request, name string) string {
	values := r.Header.Values(name)
	if name == "host" {
		values = []string{r.Host}
	}
	trimmed := make([]string, len(values))
	for i, value := range values {
		trimmed[i] = strings.Join(strings.Fields(value), " ")
	}
	return strings.Join(trimmed, ",")
}

// canonicalPath encodes the path a second time, as every service but S3 does.
func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, segment := range segments {
		segments[i] = uriEncode(segment)
	}
	return strings.Join(segments, "/")
}

func canonicalQuery(u *url.URL) string {
	var pairs []string
	for name, values := range u.Query() {
		for _, value := range values {
			pairs = append(pairs, uriEncode(name)+"="+uriEncode(value))
		}
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

// uriEncode is RFC 3986: QueryEscape differs in the space only.
func uriEncode(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func hexHash(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func hmacSHA256(key []byte, data string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(data))
	return mac.Sum(nil)
}

func incomplete(format string, args ...any) error {
	return refuse(http.StatusForbidden, "IncompleteSignature", format, args...)
}

func mismatch(format string, args ...any) error {
	return refuse(http.StatusForbidden, "SignatureDoesNotMatch", format, args...)
}
