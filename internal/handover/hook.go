package handover

import (
	"context"
	"slices"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// HookSecrets is the part of the Management API that holds a hook's secrets.
type HookSecrets interface {
	HookSecretNames(ctx context.Context, id string) ([]string, error)
	AddHookSecrets(ctx context.Context, id string, secrets map[string]string) error
	UpdateHookSecrets(ctx context.Context, id string, secrets map[string]string) error
	RemoveHookSecrets(ctx context.Context, id string, names []string) error
}

// Hook is a Send Phone Message hook as a sender. Secrets of other names are
// never touched.
type Hook struct {
	API HookSecrets
	ID  string
}

// Deliver writes the three secrets. Auth0 has no call that sets a secret
// whether or not it exists: new names are POSTed, existing ones PATCHed. A live
// hook has all three, so its key changes in one request. What is missing comes
// last: should the first write fail, the missing name still shows in a plan.
func (h Hook) Deliver(ctx context.Context, s Secrets) error {
	names, err := h.API.HookSecretNames(ctx, h.ID)
	if err != nil {
		return nothingWritten{err}
	}
	added, updated := map[string]string{}, map[string]string{}
	for name, value := range map[string]string{
		SecretAccessKeyID:     s.AccessKeyID,
		SecretSecretAccessKey: s.SecretAccessKey.Reveal(),
		SecretRegion:          s.Region,
	} {
		if slices.Contains(names, name) {
			updated[name] = value
		} else {
			added[name] = value
		}
	}
	if len(updated) > 0 {
		if err := h.API.UpdateHookSecrets(ctx, h.ID, updated); err != nil {
			return err
		}
	}
	if len(added) == 0 {
		return nil
	}
	err = h.API.AddHookSecrets(ctx, h.ID, added)
	if err != nil && len(updated) > 0 {
		return partlyWritten{err}
	}
	return err
}

// Withdraw removes the three secrets where they are present.
func (h Hook) Withdraw(ctx context.Context) error {
	names, err := h.API.HookSecretNames(ctx, h.ID)
	if err != nil {
		return ignoreNotFound(err)
	}
	ours := slices.DeleteFunc(SecretNames(), func(n string) bool { return !slices.Contains(names, n) })
	if len(ours) == 0 {
		return nil
	}
	return ignoreNotFound(h.API.RemoveHookSecrets(ctx, h.ID, ours))
}

// nothingWritten is a failure of the read before a write. However it failed,
// the hook has what it had.
type nothingWritten struct{ error }

func (nothingWritten) Ambiguous() bool { return false }

func (e nothingWritten) Unwrap() error { return e.error }

// partlyWritten is a failure of the second of two writes. However it failed,
// the hook has a part of the new key.
type partlyWritten struct{ error }

func (partlyWritten) Ambiguous() bool { return true }

func (e partlyWritten) Unwrap() error { return e.error }

func ignoreNotFound(err error) error {
	if auth0api.IsNotFound(err) || awsapi.IsNotFound(err) {
		return nil
	}
	return err
}
