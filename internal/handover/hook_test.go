package handover

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// fakeHook is a hook's secrets as Auth0 keeps them, whose every call a test can
// replace.
type fakeHook struct {
	names  func(ctx context.Context, id string) ([]string, error)
	add    func(ctx context.Context, id string, secrets map[string]string) error
	update func(ctx context.Context, id string, secrets map[string]string) error
	remove func(ctx context.Context, id string, names []string) error

	secrets map[string]string
	writes  []string // "POST A B", in the order they came
}

func (f *fakeHook) HookSecretNames(ctx context.Context, id string) ([]string, error) {
	return f.names(ctx, id)
}

func (f *fakeHook) AddHookSecrets(ctx context.Context, id string, secrets map[string]string) error {
	return f.add(ctx, id, secrets)
}

func (f *fakeHook) UpdateHookSecrets(ctx context.Context, id string, secrets map[string]string) error {
	return f.update(ctx, id, secrets)
}

func (f *fakeHook) RemoveHookSecrets(ctx context.Context, id string, names []string) error {
	return f.remove(ctx, id, names)
}

const hookID = "00001"

func newFakeHook(t *testing.T, secrets map[string]string) *fakeHook {
	t.Helper()
	f := &fakeHook{secrets: maps.Clone(secrets)}
	if f.secrets == nil {
		f.secrets = map[string]string{}
	}
	record := func(method, id string, names []string) {
		if id != hookID {
			t.Errorf("%s to hook %q, want %q", method, id, hookID)
		}
		f.writes = append(f.writes, method+" "+strings.Join(names, " "))
	}
	f.names = func(context.Context, string) ([]string, error) { return sorted(f.secrets), nil }
	f.add = func(_ context.Context, id string, secrets map[string]string) error {
		record("POST", id, sorted(secrets))
		for name := range secrets {
			if _, exists := f.secrets[name]; exists {
				return &auth0api.Error{Kind: auth0api.Conflict, StatusCode: http.StatusConflict}
			}
		}
		maps.Copy(f.secrets, secrets)
		return nil
	}
	f.update = func(_ context.Context, id string, secrets map[string]string) error {
		record("PATCH", id, sorted(secrets))
		for name := range secrets {
			if _, exists := f.secrets[name]; !exists {
				return notFound()
			}
		}
		maps.Copy(f.secrets, secrets)
		return nil
	}
	f.remove = func(_ context.Context, id string, names []string) error {
		record("DELETE", id, names)
		for _, name := range names {
			delete(f.secrets, name)
		}
		return nil
	}
	return f
}

func sorted(secrets map[string]string) []string { return slices.Sorted(maps.Keys(secrets)) }

func notFound() error {
	return &auth0api.Error{Kind: auth0api.NotFound, StatusCode: http.StatusNotFound}
}

func newSecrets() Secrets {
	return Secrets{AccessKeyID: "AKIANEW", SecretAccessKey: awsapi.NewSecret("new/secret"), Region: region}
}

// held are the three secrets with other values.
func held() map[string]string {
	return map[string]string{SecretAccessKeyID: "AKIAOLD", SecretSecretAccessKey: "old/secret", SecretRegion: "us-east-1"}
}

func with(secrets map[string]string, name, value string) map[string]string {
	secrets[name] = value
	return secrets
}

func TestHookDeliver(t *testing.T) {
	t.Parallel()
	missing := func(names ...string) map[string]string {
		secrets := held()
		for _, name := range names {
			delete(secrets, name)
		}
		return secrets
	}
	tests := []struct {
		name   string
		has    map[string]string
		writes []string
	}{
		{"a new hook gets all three at once", nil, []string{"POST AWS_ACCESS_KEY_ID AWS_REGION AWS_SECRET_ACCESS_KEY"}},
		{
			"a live hook changes key id and secret in one request: between two, AWS would refuse every message",
			held(),
			[]string{"PATCH AWS_ACCESS_KEY_ID AWS_REGION AWS_SECRET_ACCESS_KEY"},
		},
		{
			"the key changes in one request, then a region that was removed by hand is added",
			missing(SecretRegion),
			[]string{"PATCH AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY", "POST AWS_REGION"},
		},
		{
			"a key that was removed by hand",
			missing(SecretAccessKeyID, SecretSecretAccessKey),
			[]string{"PATCH AWS_REGION", "POST AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"},
		},
		{
			"other secrets beside all three",
			with(held(), "SENDER_NAME", "Acme"),
			[]string{"PATCH AWS_ACCESS_KEY_ID AWS_REGION AWS_SECRET_ACCESS_KEY"},
		},
		{
			"other secrets alone",
			map[string]string{"SENDER_NAME": "Acme"},
			[]string{"POST AWS_ACCESS_KEY_ID AWS_REGION AWS_SECRET_ACCESS_KEY"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := newFakeHook(t, test.has)
			for range 2 { // repeating it is harmless
				if err := (Hook{API: api, ID: hookID}).Deliver(t.Context(), newSecrets()); err != nil {
					t.Fatalf("not delivered: %v", err)
				}
			}
			want := map[string]string{SecretAccessKeyID: "AKIANEW", SecretSecretAccessKey: "new/secret", SecretRegion: region}
			if name, other := test.has["SENDER_NAME"]; other {
				want["SENDER_NAME"] = name
			}
			if diff := cmp.Diff(want, api.secrets); diff != "" {
				t.Errorf("secrets of the hook (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(append(test.writes, "PATCH AWS_ACCESS_KEY_ID AWS_REGION AWS_SECRET_ACCESS_KEY"), api.writes); diff != "" {
				t.Errorf("writes, the last one being the repetition (-want +got):\n%s", diff)
			}
		})
	}
}

// TestHookDeliverFails: what the machine does after a failure hangs on whether
// the secrets may have been written.
func TestHookDeliverFails(t *testing.T) {
	t.Parallel()
	down := &auth0api.Error{Kind: auth0api.Server, StatusCode: http.StatusServiceUnavailable, Method: http.MethodPatch}
	refusal := &auth0api.Error{Kind: auth0api.MissingScope, StatusCode: http.StatusForbidden}
	tests := []struct {
		name   string
		has    map[string]string
		given  func(f *fakeHook)
		err    error
		open   bool
		writes int
	}{
		{"the names cannot be read: nothing was written", held(), func(f *fakeHook) {
			f.names = func(context.Context, string) ([]string, error) { return nil, down }
		}, down, false, 0},
		{"the hook is gone", held(), func(f *fakeHook) {
			f.names = func(context.Context, string) ([]string, error) { return nil, notFound() }
		}, nil, false, 0},
		{"the change is refused", held(), func(f *fakeHook) {
			f.update = func(context.Context, string, map[string]string) error { return refusal }
		}, refusal, false, 0},
		{"the answer to the change is lost", held(), func(f *fakeHook) {
			f.update = func(context.Context, string, map[string]string) error { return down }
		}, down, true, 0},
		{"the answer to the addition is lost", map[string]string{SecretRegion: region}, func(f *fakeHook) {
			f.add = func(context.Context, string, map[string]string) error { return down }
		}, down, true, 1},
		{"the change is refused before the addition: a name that is missing stays so, and the next plan sees it", map[string]string{SecretRegion: region}, func(f *fakeHook) {
			f.update = func(context.Context, string, map[string]string) error { return refusal }
		}, refusal, false, 0},
		{"the addition is refused after the change: the hook has a part of the new key", map[string]string{SecretAccessKeyID: "AKIAOLD"}, func(f *fakeHook) {
			f.add = func(context.Context, string, map[string]string) error { return refusal }
		}, refusal, true, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := newFakeHook(t, test.has)
			test.given(api)
			err := Hook{API: api, ID: hookID}.Deliver(t.Context(), newSecrets())
			if err == nil || (test.err != nil && !errors.Is(err, test.err)) {
				t.Fatalf("error %v, want %v", err, test.err)
			}
			if delivery.Ambiguous(err) != test.open {
				t.Errorf("open whether the hook has the key: %t, want %t", delivery.Ambiguous(err), test.open)
			}
			if len(api.writes) != test.writes {
				t.Errorf("writes after the failure: %q", api.writes)
			}
			if shown := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(shown, "new/secret") {
				t.Errorf("the secret key can be read in %s", shown)
			}
		})
	}
}

// TestRotateAuth0Down: an Auth0 that cannot even be read must not cost the
// second key slot.
func TestRotateAuth0Down(t *testing.T) {
	t.Parallel()
	api := newFakeHook(t, held())
	api.names = func(context.Context, string) ([]string, error) {
		return nil, &auth0api.Error{Kind: auth0api.Server, StatusCode: http.StatusServiceUnavailable, Method: http.MethodGet}
	}
	w := newWorld(active(user, "OLD"))
	m := w.machine()
	m.Sender = Hook{API: api, ID: hookID}
	_, err := m.Rotate(t.Context(), Rotation{User: user, Region: region, Current: keys("OLD")[0]})
	if err == nil || w.left() != user+"/OLD" {
		t.Errorf("error %v and keys %s, want a failure that leaves the old key alone", err, w.left())
	}
}

func TestHookWithdraw(t *testing.T) {
	t.Parallel()
	refusal := &auth0api.Error{Kind: auth0api.MissingScope, StatusCode: http.StatusForbidden}
	tests := []struct {
		name   string
		has    map[string]string
		given  func(f *fakeHook)
		left   map[string]string
		writes []string
		err    error
	}{
		{"all three", held(), nil, map[string]string{}, []string{"DELETE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION"}, nil},
		{
			"others stay", with(held(), "SENDER_NAME", "Acme"), nil,
			map[string]string{"SENDER_NAME": "Acme"},
			[]string{"DELETE AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_REGION"},
			nil,
		},
		{"one is gone: Auth0 would refuse its name", map[string]string{SecretRegion: region}, nil, map[string]string{}, []string{"DELETE AWS_REGION"}, nil},
		{"none", map[string]string{"SENDER_NAME": "Acme"}, nil, map[string]string{"SENDER_NAME": "Acme"}, nil, nil},
		{"the hook is gone", held(), func(f *fakeHook) {
			f.names = func(context.Context, string) ([]string, error) { return nil, notFound() }
		}, held(), nil, nil},
		{"the hook goes in between", held(), func(f *fakeHook) {
			f.remove = func(context.Context, string, []string) error { return notFound() }
		}, held(), nil, nil},
		{"the names cannot be read", held(), func(f *fakeHook) {
			f.names = func(context.Context, string) ([]string, error) { return nil, refusal }
		}, held(), nil, refusal},
		{"refused", held(), func(f *fakeHook) {
			f.remove = func(context.Context, string, []string) error { return refusal }
		}, held(), nil, refusal},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := newFakeHook(t, test.has)
			if test.given != nil {
				test.given(api)
			}
			if err := (Hook{API: api, ID: hookID}).Withdraw(t.Context()); !errors.Is(err, test.err) {
				t.Errorf("error %v, want %v", err, test.err)
			}
			if diff := cmp.Diff(test.left, api.secrets); diff != "" {
				t.Errorf("secrets of the hook (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.writes, api.writes); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}
