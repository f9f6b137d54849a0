package handover

import (
	"fmt"
	"strings"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// Error says in which state a rotation stopped and what is true now.
type Error struct {
	State State
	// Effect tells in whole sentences which key the sender holds and what
	// became of the new one.
	Effect string
	Err    error // the cause
}

// Error names the state and the cause, then the effect as a paragraph.
func (e *Error) Error() string {
	return fmt.Sprintf("stopped at %q: %v\n\n%s", string(e.State), e.Err, e.Effect)
}

// Unwrap returns the cause, such as a [*SlotError] or [context.Canceled].
func (e *Error) Unwrap() error { return e.Err }

// SlotError reports that both key slots of the user are taken by keys that a
// rotation must not touch.
type SlotError struct {
	User   string
	Keys   []awsapi.AccessKey // all that the user has
	Record Record
	Others map[string]string // the sender of each key that another record speaks of
	Now    time.Time
}

// Error names both keys with what is known of them, and the way out.
func (e *SlotError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "IAM user %q has no free slot for a new key: AWS allows %d, and none of these may be deleted unasked:", e.User, keysPerUser)
	for _, key := range e.Keys {
		fmt.Fprintf(&text, "\n  %s (%s, made %s, %d days ago): %s",
			key.ID, status(key), key.CreatedAt.UTC().Format(time.DateOnly), int(e.Now.Sub(key.CreatedAt).Hours()/24), e.role(key.ID))
	}
	fmt.Fprintf(&text, "\nFind out which of them nobody uses: aws iam get-access-key-last-used --access-key-id … "+
		"Delete that one, aws iam delete-access-key --user-name %s --access-key-id …, and apply again. A key is never guessed away.", e.User)
	return text.String()
}

func (e *SlotError) role(id string) string {
	if sender, ok := e.Others[id]; ok {
		return "of the sender " + sender
	}
	switch {
	case id == e.Record.Holds.ID:
		return "recorded as the sender's"
	case contains(e.Record.Offered, id):
		return "sent to the sender once, without an answer whether it took it"
	default:
		return "not known here"
	}
}

// TakenOverError reports that another run works on the same keys. The earlier
// run stops at its next question, writes no record any more and retires nothing
// but the key that it minted and did not send. What was on its way when the later
// one claimed the keys has [InFlight] to take effect; the later one waits for
// that, and for nothing longer.
//
// Two runs that begin within the second cannot see each other, for a tag cannot
// be written on condition. One of them stops before it delivers; but should its
// first record be so late that it replaces the offer of the other, and that one
// be killed before it records the delivery, then a key in use may be taken for a
// lost one. State locking is what rules that out.
type TakenOverError struct {
	User string
	At   time.Time // when it took over
}

// Error tells what happened and what to do.
func (e *TakenOverError) Error() string {
	return fmt.Sprintf("another apply took over the keys of IAM user %q at %s and goes on with them. Wait until it has ended, and plan again. "+
		"A backend with state locking keeps two from running at once: https://developer.hashicorp.com/terraform/language/state/locking", e.User, e.At.UTC().Format(time.RFC3339))
}

func status(key awsapi.AccessKey) string {
	if key.Active {
		return "Active"
	}
	return "Inactive"
}

// notAccepted is the end of waiting for a key; cause is why STS could not be
// asked the last time, nil if it said no.
func notAccepted(id, region string, cause error) error {
	err := fmt.Errorf("STS in region %s did not accept key %s %d times in a row within %s", region, id, acceptedInARow, verifyLimit)
	if cause != nil {
		return fmt.Errorf("%w; the last time it could not be asked: %w", err, cause)
	}
	return fmt.Errorf("%w: check that the account has enabled the region", err)
}

// KeyIDs lists the ids of keys, for a message.
func KeyIDs(keys []Key) string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.ID
	}
	return strings.Join(ids, ", ")
}
