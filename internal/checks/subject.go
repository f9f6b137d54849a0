package checks

import (
	"context"
	"time"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/sender"
)

// Subject is what is looked at: one tenant, one account, and what is expected of
// them. It is for one run: what several checks need is read once.
type Subject struct {
	Auth0  Auth0
	AWS    AWS
	Expect Expect
	Now    func() time.Time

	reads   reads
	tenant  once[delivery.Tenant]
	account account
}

// Expect is what an environment's configuration and state say. What is not
// known is empty, and is not compared.
type Expect struct {
	// Environment is whose files these are: "staging". Empty where none is named.
	Environment string
	// NeverApplied says that its state was read, and is empty.
	NeverApplied bool
	// Path is the way that the configuration sends, or is to send after a move.
	Path delivery.Path
	// IAMUser and PolicyName name the sender's user; IAMUser is never empty.
	IAMUser, PolicyName string
	// SenderID is the hook or Action, AccessKeyID the key that it was given.
	SenderID, AccessKeyID string
	// CodeSHA256 is the digest of the code that was applied, as [sender.SHA256].
	CodeSHA256 string
	// Region is where SNS sends from.
	Region string
	// SMS is how the sender is configured to send; nil where that is not known.
	// What the code that runs says comes first.
	SMS *sender.Options
	// RotationDue is when the key is to be replaced; zero where nothing says so.
	RotationDue time.Time
	// MFAPolicy is "all-applications", "confidence-score" or "never".
	MFAPolicy string
}

// bootstrap is the command that sets up what is missing.
func (s *Subject) bootstrap() string {
	if s.Expect.Environment == "" {
		return "auth0sns bootstrap"
	}
	return "auth0sns bootstrap --env " + s.Expect.Environment
}

// nameTheState is the remedy where Terraform's state is not known.
func (s *Subject) nameTheState() string {
	switch {
	case s.Expect.Environment == "":
		return "Name an environment that was applied (--env): its state knows the key."
	case s.Expect.NeverApplied:
		return "Apply it: " + s.bootstrap() + "."
	default:
		return "Where the state of " + s.Expect.Environment + " could not be read, run terraform init in its folder; else " + s.bootstrap() + "."
	}
}

// Tenant is what delivery finds out about the tenant, read once.
func (s *Subject) Tenant(ctx context.Context) (delivery.Tenant, error) {
	return s.tenant.get(func() (delivery.Tenant, error) { return delivery.Detect(ctx, s.api()) })
}

// once keeps the first answer to a question, an error too.
type once[T any] struct {
	asked bool
	value T
	err   error
}

func (o *once[T]) get(ask func() (T, error)) (T, error) {
	if !o.asked {
		o.value, o.err = ask()
		o.asked = true
	}
	return o.value, o.err
}
