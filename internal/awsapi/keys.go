package awsapi

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// AccessKey is one of the at most two access keys of a user, without its secret.
type AccessKey struct {
	ID        string // "AKIA…"
	Active    bool
	CreatedAt time.Time
}

// NewAccessKey is a key that was just made. AWS shows the secret this once.
type NewAccessKey struct {
	AccessKey
	Secret Secret
}

// LastUsed is the last use of a key that AWS knows of. AWS is some minutes
// behind. All fields are empty for a key that was never used.
type LastUsed struct {
	At      time.Time
	Service string // "sns"
	Region  string
}

// AccessKeys lists the keys of a user, the oldest first.
func (c *Client) AccessKeys(ctx context.Context, user string) ([]AccessKey, error) {
	var keys []AccessKey
	pages := iam.NewListAccessKeysPaginator(listAccessKeys(c.iam.ListAccessKeys), &iam.ListAccessKeysInput{UserName: &user})
	for pages.HasMorePages() {
		if err := c.CheckAccount(ctx); err != nil {
			return nil, err
		}
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, callError(err)
		}
		for _, key := range page.AccessKeyMetadata {
			keys = append(keys, AccessKey{
				ID:        aws.ToString(key.AccessKeyId),
				Active:    key.Status == types.StatusTypeActive,
				CreatedAt: aws.ToTime(key.CreateDate),
			})
		}
	}
	slices.SortFunc(keys, func(a, b AccessKey) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return keys, nil
}

// CreateAccessKey makes a key. It is sent once: after a failure that is
// [Error.Ambiguous] a key may exist whose secret nobody has.
func (c *Client) CreateAccessKey(ctx context.Context, user string) (NewAccessKey, error) {
	out, err := guarded(ctx, c, c.iam.CreateAccessKey, &iam.CreateAccessKeyInput{UserName: &user}, once)
	if err == nil && (out.AccessKey == nil || aws.ToString(out.AccessKey.AccessKeyId) == "" || aws.ToString(out.AccessKey.SecretAccessKey) == "") {
		err = emptyAnswer("iam:CreateAccessKey")
	}
	if err != nil {
		return NewAccessKey{}, err
	}
	return NewAccessKey{
		AccessKey: AccessKey{
			ID:        aws.ToString(out.AccessKey.AccessKeyId),
			Active:    out.AccessKey.Status == types.StatusTypeActive,
			CreatedAt: aws.ToTime(out.AccessKey.CreateDate),
		},
		Secret: NewSecret(aws.ToString(out.AccessKey.SecretAccessKey)),
	}, nil
}

// SetAccessKeyActive activates or deactivates a key. AWS's services follow
// some seconds later.
func (c *Client) SetAccessKeyActive(ctx context.Context, user, id string, active bool) error {
	status := types.StatusTypeInactive
	if active {
		status = types.StatusTypeActive
	}
	_, err := guarded(ctx, c, c.iam.UpdateAccessKey,
		&iam.UpdateAccessKeyInput{UserName: &user, AccessKeyId: &id, Status: status})
	return err
}

// DeleteAccessKey deletes a key, for good. NotFound may be the answer to a
// repeat, as with [Client.DeleteUser].
func (c *Client) DeleteAccessKey(ctx context.Context, user, id string) error {
	_, err := guarded(ctx, c, c.iam.DeleteAccessKey,
		&iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &id})
	return err
}

// AccessKeyLastUsed tells when and where a key was last used.
func (c *Client) AccessKeyLastUsed(ctx context.Context, id string) (LastUsed, error) {
	out, err := guarded(ctx, c, c.iam.GetAccessKeyLastUsed, &iam.GetAccessKeyLastUsedInput{AccessKeyId: &id})
	if err != nil || out.AccessKeyLastUsed == nil || out.AccessKeyLastUsed.LastUsedDate == nil {
		return LastUsed{}, err // AWS writes "N/A" for the service and region of an unused key
	}
	used := out.AccessKeyLastUsed
	return LastUsed{
		At:      aws.ToTime(used.LastUsedDate),
		Service: aws.ToString(used.ServiceName),
		Region:  aws.ToString(used.Region),
	}, nil
}

// Accepted asks once, at the STS endpoint of a region, whether AWS accepts a
// key there: a new key is not known everywhere at once. False means not yet, or
// never: the key is inactive or deleted, or the account has not enabled the
// region. The question needs no permission. An error means that it could not be
// asked, which is left to the caller to repeat.
func (c *Client) Accepted(ctx context.Context, region string, key NewAccessKey) (bool, error) {
	client := c.newSTS(c.settings, func(o *sts.Options) {
		o.Region = region
		o.Credentials = credentials.NewStaticCredentialsProvider(key.ID, key.Secret.Reveal(), "")
		o.Retryer = newSkewRetryer()
	})
	_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err := callError(err); err != nil {
		if KindOf(err) == InvalidCredentials {
			return false, nil
		}
		return false, err
	}
	return true, nil
}
