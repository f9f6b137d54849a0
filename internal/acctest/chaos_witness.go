package acctest

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/auth0"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/aws"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sandbox/control"
)

// Witness plays one login after every request, right after it took effect, and
// remembers each one at which a live sender could not have signed a message:
// invariant 2, at every moment there is.
type Witness struct {
	env *Env

	mu     sync.Mutex
	broken []string
}

// NewWatched starts a world with a witness. Nothing is sent in it: the witness
// takes the place of Node and looks at what deployed code is given.
func NewWatched(t testing.TB) (*Env, *Witness) {
	t.Helper()
	w := &Witness{}
	w.env = New(t, func(o *sandbox.Options) { o.Runner = w })
	t.Cleanup(w.env.World.Kernel.Observe(func(e control.Entry) { w.look(context.WithoutCancel(t.Context()), e) }))
	return w.env, w
}

// given is where [Witness.Run] puts the secrets of the sender that is asked.
type given struct{}

// Run implements [auth0.Runner].
func (w *Witness) Run(ctx context.Context, job auth0.Job) (auth0.Result, error) {
	if secrets, ok := ctx.Value(given{}).(*map[string]string); ok {
		*secrets = job.Secrets
	}
	return auth0.Result{}, nil
}

// Secrets are those that the live sender would sign with now; nil when codes are
// not sent by one of ours. The error says that people are sent to nobody.
func (w *Witness) Secrets(ctx context.Context) (map[string]string, error) {
	var secrets map[string]string
	result, err := w.env.Tenant.Challenge(context.WithValue(ctx, given{}, &secrets), auth0.ChallengeRequest{PhoneNumber: "+15005550001"})
	if err != nil {
		return nil, err
	}
	if secrets == nil && result.LogType != "" {
		return nil, fmt.Errorf("the SMS factor is on and has no sender: %s", result.Error)
	}
	return secrets, nil
}

// Unusable says why the live sender cannot send at this moment; "" when it can,
// and when none is live.
func (w *Witness) Unusable(ctx context.Context) string {
	secrets, err := w.Secrets(ctx)
	id, region := secrets["AWS_ACCESS_KEY_ID"], secrets["AWS_REGION"]
	switch {
	case err != nil:
		return err.Error()
	case secrets == nil:
		return ""
	case region == "":
		return "the live sender has no region"
	case !w.env.Account.Accepts(aws.Credentials{AccessKeyID: id, SecretAccessKey: secrets["AWS_SECRET_ACCESS_KEY"]}):
		return fmt.Sprintf("AWS refuses the key %q of the live sender", id)
	}
	return ""
}

func (w *Witness) look(ctx context.Context, e control.Entry) {
	problem := w.Unusable(ctx)
	if problem == "" {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, fmt.Sprintf("after %s: %s", e.Operation, problem))
}

// Take returns what was seen since it was last called.
func (w *Witness) Take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	broken := w.broken
	w.broken = nil
	return broken
}

// Shape is a state without what differs from one run to the next: ids, dates and
// numbers of versions. Of access keys their number and their status are left.
type Shape struct{ value any }

// Shape returns the shape of a state.
func (s State) Shape() (Shape, error) {
	s.Tenant.ClientGrants = nil // They name the address and the application of a tenant.
	encoded, err := json.Marshal(s)
	if err != nil {
		return Shape{}, err
	}
	text := string(encoded)
	for _, hook := range s.Tenant.Hooks {
		text = strings.ReplaceAll(text, hook.ID, "HOOK")
	}
	for _, varying := range varyingParts() {
		text = varying.pattern.ReplaceAllString(text, varying.shape)
	}
	var shape Shape
	return shape, json.Unmarshal([]byte(text), &shape.value)
}

// Diff tells in which way another shape differs; "" for not at all.
func (s Shape) Diff(other Shape) string { return cmp.Diff(s.value, other.value) }

type varyingPart struct {
	pattern *regexp.Regexp
	shape   string
}

func varyingParts() []varyingPart {
	return []varyingPart{
		{regexp.MustCompile(`A(?:KIA|IDA)[A-Z2-7]{16,17}`), "ID"},
		{regexp.MustCompile(`(?:pro|tem)_[A-Za-z0-9]{22}`), "ID"},
		{regexp.MustCompile(`[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}`), "UUID"},
		{regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)`), "TIME"},
		{regexp.MustCompile(`,"last_used(?:_service|_region)?":"[^"]*"`), ""},
		{regexp.MustCompile(`"number":\d+`), `"number":0`},
		{regexp.MustCompile(`127\.0\.0\.1:\d+`), "ADDRESS"},
		// The record of a hand-over says which run wrote it, for which object.
		{regexp.MustCompile(`\b(run|owner)=[^ "]+`), "$1=RUN"},
	}
}
