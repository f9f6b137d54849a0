package provider

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/hashicorp/terraform-plugin-log/tflog"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

// masked returns a context whose log lines hold none of the provider's own
// credentials, whatever text they come in with.
func (c *clients) masked(ctx context.Context) context.Context {
	if c == nil {
		return ctx
	}
	return mask(ctx, c.secrets)
}

func mask(ctx context.Context, secrets []string) context.Context {
	if len(secrets) == 0 {
		return ctx
	}
	ctx = tflog.MaskAllFieldValuesStrings(ctx, secrets...)
	return tflog.MaskMessageStrings(ctx, secrets...)
}

// loggingTransport writes one line per request, without bodies and headers:
// those hold tokens and keys. It masks by itself, as not every path to a
// request passes a resource.
type loggingTransport struct {
	next    http.RoundTripper
	secrets []string
}

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
		// Its type, not its text: a broken answer is quoted in it, and may
		// quote what was sent. Where it matters, a diagnostic has the text.
		fields["error"] = fmt.Sprintf("%T", err)
	} else {
		fields["status"] = resp.StatusCode
	}
	tflog.Debug(mask(req.Context(), t.secrets), "request", fields)
	return resp, err
}

// logState makes the progress of a hand-over visible in TF_LOG=INFO.
func logState(ctx context.Context, state handover.State) {
	tflog.Info(ctx, "hand-over", map[string]any{"state": string(state)})
}
