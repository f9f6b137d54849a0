package awsapi

import (
	"context"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Identity is who the credentials belong to.
type Identity struct {
	AccountID string // 12 digits
	ARN       string // of the caller: a user, an assumed role, a root
	Partition string // of the caller: "aws", "aws-cn", "aws-us-gov", …
}

// identity is the caller's identity, asked for by one goroutine at a time and
// kept once it is known. A failure is not kept.
type identity struct {
	turn  chan struct{} // holds one token
	known *Identity
}

// account is the account that the credentials lead to, as far as an ARN has
// shown it.
type account struct {
	mu      sync.Mutex
	id, arn string
}

func (a *account) learn(id, seenARN string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.id == "" {
		a.id, a.arn = id, seenARN
	}
}

func (a *account) get() (id, seenARN string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.id, a.arn
}

// Identity asks STS who the caller is, a question that needs no permission. It
// asks once per Client; callers that come meanwhile wait for the answer.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	select {
	case c.identity.turn <- struct{}{}:
		defer func() { <-c.identity.turn }()
	case <-ctx.Done():
		return Identity{}, ctx.Err()
	}
	if c.identity.known != nil {
		return *c.identity.known, nil
	}
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	err = callError(err)
	if err == nil && aws.ToString(out.Account) == "" {
		err = emptyAnswer("sts:GetCallerIdentity")
	}
	if err != nil {
		return Identity{}, err
	}
	caller := Identity{AccountID: aws.ToString(out.Account), ARN: aws.ToString(out.Arn), Partition: c.partition}
	if parsed, err := arn.Parse(caller.ARN); err == nil {
		caller.Partition = parsed.Partition
	}
	c.identity.known = &caller
	c.account.learn(caller.AccountID, caller.ARN)
	return caller, nil
}

// CheckAccount gives an [AccountError] unless AllowedAccountIDs holds the
// account. It asks STS only if there is a list and no ARN has shown the
// account yet.
func (c *Client) CheckAccount(ctx context.Context) error {
	if len(c.allowed) == 0 {
		return nil
	}
	id, seenARN := c.account.get()
	if id == "" {
		caller, err := c.Identity(ctx)
		if err != nil {
			return err
		}
		id, seenARN = caller.AccountID, caller.ARN
	}
	if !slices.Contains(c.allowed, id) {
		return &AccountError{Got: id, ARN: seenARN, Allowed: c.allowed}
	}
	return nil
}
