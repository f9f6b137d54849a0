package awsapi

import (
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// User is an IAM user.
type User struct {
	Name                string
	Path                string // "/", or "/…/"
	ARN                 string
	UniqueID            string // "AIDA…"; a user made anew under the same name has another
	Tags                map[string]string
	PermissionsBoundary string // ARN of a managed policy; "" without one
	CreatedAt           time.Time
}

// Partition is the AWS cloud that the user is in, "aws" for most.
func (u User) Partition() string {
	parsed, err := arn.Parse(u.ARN)
	if err != nil {
		return ""
	}
	return parsed.Partition
}

// User reads a user. It answers only for an allowed account: in another one, a
// missing user gives an [AccountError], not NotFound.
func (c *Client) User(ctx context.Context, name string) (User, error) {
	out, err := c.iam.GetUser(ctx, &iam.GetUserInput{UserName: &name})
	err = callError(err)
	if err == nil && out.User == nil {
		err = emptyAnswer("iam:GetUser")
	}
	if err == nil {
		c.learnAccount(aws.ToString(out.User.Arn))
	}
	if kind := KindOf(err); err == nil || kind == NotFound || kind == AccessDenied {
		if err := c.CheckAccount(ctx); err != nil {
			return User{}, err
		}
	}
	if err != nil {
		return User{}, err
	}
	return userOf(out.User), nil
}

// learnAccount spares a call of STS: the ARN of a user names its account.
func (c *Client) learnAccount(user string) {
	if parsed, err := arn.Parse(user); err == nil {
		c.account.learn(parsed.AccountID, user)
	}
}

// CreateUser makes a user of the name, path, tags and permissions boundary
// given. It is sent once: after a failure that is [Error.Ambiguous] the user
// may exist.
func (c *Client) CreateUser(ctx context.Context, user User) (User, error) {
	out, err := guarded(ctx, c, c.iam.CreateUser, &iam.CreateUserInput{
		UserName:            &user.Name,
		Path:                optional(user.Path),
		PermissionsBoundary: optional(user.PermissionsBoundary),
		Tags:                tagList(user.Tags),
	}, once)
	if err == nil && out.User == nil {
		err = emptyAnswer("iam:CreateUser")
	}
	if err != nil {
		return User{}, err
	}
	return userOf(out.User), nil
}

// RenameUser gives a user another name and path; an empty one stays as it is.
// It is sent once, like [Client.CreateUser]. Keys and policies go along.
func (c *Client) RenameUser(ctx context.Context, name, newName, newPath string) error {
	_, err := guarded(ctx, c, c.iam.UpdateUser, &iam.UpdateUserInput{
		UserName: &name, NewUserName: optional(newName), NewPath: optional(newPath),
	}, once)
	return err
}

// SetPermissionsBoundary sets the managed policy that bounds a user; "" takes
// the bound away.
func (c *Client) SetPermissionsBoundary(ctx context.Context, name, boundary string) error {
	if boundary == "" {
		_, err := guarded(ctx, c, c.iam.DeleteUserPermissionsBoundary,
			&iam.DeleteUserPermissionsBoundaryInput{UserName: &name})
		return err
	}
	_, err := guarded(ctx, c, c.iam.PutUserPermissionsBoundary,
		&iam.PutUserPermissionsBoundaryInput{UserName: &name, PermissionsBoundary: &boundary})
	return err
}

// TagUser adds tags and overwrites those of the same keys.
func (c *Client) TagUser(ctx context.Context, name string, tags map[string]string) error {
	_, err := guarded(ctx, c, c.iam.TagUser, &iam.TagUserInput{UserName: &name, Tags: tagList(tags)})
	return err
}

// UntagUser removes tags; those that are not there do not matter.
func (c *Client) UntagUser(ctx context.Context, name string, keys []string) error {
	_, err := guarded(ctx, c, c.iam.UntagUser, &iam.UntagUserInput{UserName: &name, TagKeys: keys})
	return err
}

// DeleteUser deletes a user that nothing is attached to any more; else AWS
// answers DeleteConflict. NotFound may be the answer to a repeat of a call
// whose own answer was lost.
func (c *Client) DeleteUser(ctx context.Context, name string) error {
	_, err := guarded(ctx, c, c.iam.DeleteUser, &iam.DeleteUserInput{UserName: &name})
	return err
}

// UserPolicy reads an inline policy: the JSON document as it was put.
func (c *Client) UserPolicy(ctx context.Context, user, policy string) (document string, err error) {
	out, err := guarded(ctx, c, c.iam.GetUserPolicy, &iam.GetUserPolicyInput{UserName: &user, PolicyName: &policy})
	if err == nil && out.PolicyDocument == nil {
		err = emptyAnswer("iam:GetUserPolicy")
	}
	if err != nil {
		return "", err
	}
	// IAM answers the document URL-encoded, and the SDK leaves it so.
	document, err = url.QueryUnescape(*out.PolicyDocument)
	if err != nil {
		return "", fmt.Errorf("iam:GetUserPolicy: policy %s of user %s: %w", policy, user, err)
	}
	return document, nil
}

// PutUserPolicy makes or replaces an inline policy.
func (c *Client) PutUserPolicy(ctx context.Context, user, policy, document string) error {
	_, err := guarded(ctx, c, c.iam.PutUserPolicy,
		&iam.PutUserPolicyInput{UserName: &user, PolicyName: &policy, PolicyDocument: &document})
	return err
}

// DeleteUserPolicy deletes an inline policy. NotFound may be the answer to a
// repeat, as with [Client.DeleteUser].
func (c *Client) DeleteUserPolicy(ctx context.Context, user, policy string) error {
	_, err := guarded(ctx, c, c.iam.DeleteUserPolicy,
		&iam.DeleteUserPolicyInput{UserName: &user, PolicyName: &policy})
	return err
}

func userOf(user *types.User) User {
	answer := User{
		Name:      aws.ToString(user.UserName),
		Path:      aws.ToString(user.Path),
		ARN:       aws.ToString(user.Arn),
		UniqueID:  aws.ToString(user.UserId),
		Tags:      make(map[string]string, len(user.Tags)),
		CreatedAt: aws.ToTime(user.CreateDate),
	}
	for _, tag := range user.Tags {
		answer.Tags[aws.ToString(tag.Key)] = aws.ToString(tag.Value)
	}
	if user.PermissionsBoundary != nil {
		answer.PermissionsBoundary = aws.ToString(user.PermissionsBoundary.PermissionsBoundaryArn)
	}
	return answer
}

func tagList(tags map[string]string) []types.Tag {
	list := make([]types.Tag, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return list
}

// optional leaves a parameter out where AWS takes no empty one.
func optional(value string) *string {
	if value == "" {
		return nil
	}
	return &value
}
