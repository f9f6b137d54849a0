package provider

import (
	"context"
	"net/http"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// masked returns a context whose log lines hold none of the provider's own
// credentials, whatever text they come in with.
func (c *clients) masked(ctx context.Context) context.Context {
	if c == nil || len(c.secrets) == 0 {
		return ctx
	}
	ctx = tflog.MaskAllFieldValuesStrings(ctx, c.secrets...)
	return tflog.MaskMessageStrings(ctx, c.secrets...)
}

// loggingTransport writes one line per request, without bodies and headers:
// those hold tokens and keys.
type loggingTransport struct{ next http.RoundTripper }

func (t loggingTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	start := time.Now()
	resp, err := t.next.RoundTrip(req)
	fields := map[string]any{
		"method":      req.Method,
		"host":        req.URL.Host,
		"path":        req.URL.Path,
		"duration_ms": time.Since(start).Milliseconds(),
	}
	if err != nil {
		fields["error"] = err.Error()
	} else {
		fields["status"] = resp.StatusCode
	}
	tflog.Debug(req.Context(), "request", fields)
	return resp, err
}

// logState makes the progress of a hand-over visible in TF_LOG=INFO.
func logState(ctx context.Context, state handover.State) {
	tflog.Info(ctx, "hand-over", map[string]any{"state": string(state)})
}
