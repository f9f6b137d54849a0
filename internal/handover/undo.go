package handover

import (
	"context"
	"errors"
	"fmt"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
)

// graceful gives a request that is on its way the time of [Grace] after a
// cancellation or the deadline. One that has not begun by then does not get it.
func graceful(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx.Err() != nil {
		return ctx, func() {}
	}
	detached, cancel := context.WithCancel(context.WithoutCancel(ctx))
	if deadline, ok := ctx.Deadline(); ok {
		// Known beforehand, so that what waits can tell how long it may.
		detached, cancel = context.WithDeadline(context.WithoutCancel(ctx), deadline.Add(Grace))
	}
	stop := context.AfterFunc(ctx, func() {
		limit, done := context.WithTimeout(detached, Grace)
		defer done()
		<-limit.Done()
		cancel()
	})
	return detached, func() { stop(); cancel() }
}

// explain names the run that has taken over as the cause of a failure: it
// deletes a key that was not delivered yet, so AWS refuses that.
func (r *rotation) explain(ctx context.Context, cause error) error {
	var known *TakenOverError
	if !r.written || ctx.Err() != nil || errors.As(cause, &known) {
		return cause
	}
	if err := r.requireOwn(ctx); errors.As(err, &known) {
		return fmt.Errorf("%w; %w", cause, err)
	}
	return cause
}

// compensate undoes what must not stay after a failure and says in words what
// is true now. It runs to its own time limit, also after a cancellation: a key
// whose secret is lost blocks the slot that the next attempt needs.
func (r *rotation) compensate(ctx context.Context, state State, cause error) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CleanupLimit)
	defer cancel()
	effect := r.undo(ctx, state, cause)
	if !r.written || r.write(ctx, r.record) != nil {
		// The next run finds out again what this one knows.
		r.record = r.stands
	}
	return effect
}

func (r *rotation) undo(ctx context.Context, state State, cause error) string {
	switch {
	case state == Mint:
		return r.discardLostKey(ctx, cause)
	case r.newKey.ID != "" && r.record.Holds.ID == r.newKey.ID:
		if len(r.record.Retiring) == 0 {
			return fmt.Sprintf("The sender holds the new key %s.", r.newKey.ID)
		}
		return fmt.Sprintf("The sender holds the new key %s. Still to be deleted, by the next apply: %s.", r.newKey.ID, KeyIDs(r.record.Retiring))
	case r.uncertain:
		return fmt.Sprintf("It is not known whether the sender took the new key %s. It was left in place, and so was every key that the sender may hold instead. "+
			"The next apply puts that right.", r.newKey.ID)
	case state == Verify || state == Deliver:
		return r.discard(ctx, r.minted())
	default:
		return r.nothingMade()
	}
}

// discard deletes the key that was made in vain.
func (r *rotation) discard(ctx context.Context, key Key) string {
	r.record.Minting, r.record.Before = false, nil
	r.record.Offered = without(r.record.Offered, key.ID)
	if err := r.retireOne(ctx, key); err != nil {
		r.record.Retiring = append(r.record.Retiring, key)
		return fmt.Sprintf("%s The new key %s could not be deleted again, which is left to the next apply: %v", r.unchanged(), key.ID, err)
	}
	return fmt.Sprintf("The new key %s was deleted again. %s", key.ID, r.unchanged())
}

// discardLostKey deletes a key that AWS made although its answer was lost:
// nobody has its secret. That of a bridge user goes with it. Where none is to be
// seen, one may still appear, so the record goes on saying that there may be.
func (r *rotation) discardLostKey(ctx context.Context, cause error) string {
	const open = " AWS did not say whether it made a key"
	if !delivery.Ambiguous(cause) {
		r.record.Minting, r.record.Before = false, nil
		return r.nothingMade()
	}
	if r.mintUser != r.req.User {
		return r.unchanged() + open + " for the bridge user. If it did, the next apply deletes it."
	}
	lost, unknown, err := r.madeSince(ctx)
	if err != nil {
		return fmt.Sprintf("%s%s, and which ones %q has could not be found out: %v\nIf it did, the next apply deletes it.", r.unchanged(), open, r.mintUser, err)
	}
	switch {
	case len(lost) > 0:
		return r.discard(ctx, lost[0])
	case len(unknown) > 0:
		r.record.Minting, r.record.Before = false, nil
		return fmt.Sprintf("%s%s, and somebody else made one at the same time. Delete the one of these that nobody uses: %s.", r.unchanged(), open, KeyIDs(unknown))
	default:
		return r.unchanged() + open + ". There is none so far; if one appears, the next apply deletes it."
	}
}

// madeSince finds the keys that the user has and had not before the mint, and
// among them the lost one. It goes by the record of this run, not by the tag: of
// that, IAM may answer for a moment what it was before.
func (r *rotation) madeSince(ctx context.Context) (lost, unknown []Key, err error) {
	found, err := r.owned(ctx)
	if err != nil {
		return nil, nil, err
	}
	listed, err := r.IAM.AccessKeys(ctx, r.req.User)
	if err != nil {
		return nil, nil, err
	}
	lost, err = r.lostKey(ctx, r.req.User, Known{Record: r.record, Keys: listed, tags: found})
	return lost, r.record.unknown(r.req.User, idsOf(listed)), err
}

func (r *rotation) nothingMade() string { return "No key was made. " + r.unchanged() }

func (r *rotation) unchanged() string {
	if r.delivered.ID != "" {
		return fmt.Sprintf("The sender holds key %s of the bridge user.", r.delivered.ID)
	}
	const same = "The sender holds what it held before."
	if len(r.freed) > 0 {
		return same + fmt.Sprintf(" %s was inactive and has been deleted to make room.", KeyIDs(r.freed))
	}
	return same
}
