package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// call is one operation of IAM.
type call[I, O any] = func(context.Context, *I, ...func(*iam.Options)) (*O, error)

// iamCalls are the operations of IAM in use, as values. A *iam.Client in a
// struct that an interface can reach keeps all of its 170 operations in the
// binary, about 5 MB; method values keep only these.
type iamCalls struct {
	CreateAccessKey               call[iam.CreateAccessKeyInput, iam.CreateAccessKeyOutput]
	CreateUser                    call[iam.CreateUserInput, iam.CreateUserOutput]
	DeleteAccessKey               call[iam.DeleteAccessKeyInput, iam.DeleteAccessKeyOutput]
	DeleteUser                    call[iam.DeleteUserInput, iam.DeleteUserOutput]
	DeleteUserPermissionsBoundary call[iam.DeleteUserPermissionsBoundaryInput, iam.DeleteUserPermissionsBoundaryOutput]
	DeleteUserPolicy              call[iam.DeleteUserPolicyInput, iam.DeleteUserPolicyOutput]
	GetAccessKeyLastUsed          call[iam.GetAccessKeyLastUsedInput, iam.GetAccessKeyLastUsedOutput]
	GetUser                       call[iam.GetUserInput, iam.GetUserOutput]
	GetUserPolicy                 call[iam.GetUserPolicyInput, iam.GetUserPolicyOutput]
	ListAccessKeys                call[iam.ListAccessKeysInput, iam.ListAccessKeysOutput]
	PutUserPermissionsBoundary    call[iam.PutUserPermissionsBoundaryInput, iam.PutUserPermissionsBoundaryOutput]
	PutUserPolicy                 call[iam.PutUserPolicyInput, iam.PutUserPolicyOutput]
	TagUser                       call[iam.TagUserInput, iam.TagUserOutput]
	UntagUser                     call[iam.UntagUserInput, iam.UntagUserOutput]
	UpdateAccessKey               call[iam.UpdateAccessKeyInput, iam.UpdateAccessKeyOutput]
	UpdateUser                    call[iam.UpdateUserInput, iam.UpdateUserOutput]
}

func newIAMCalls(c *iam.Client) iamCalls {
	return iamCalls{
		CreateAccessKey:               c.CreateAccessKey,
		CreateUser:                    c.CreateUser,
		DeleteAccessKey:               c.DeleteAccessKey,
		DeleteUser:                    c.DeleteUser,
		DeleteUserPermissionsBoundary: c.DeleteUserPermissionsBoundary,
		DeleteUserPolicy:              c.DeleteUserPolicy,
		GetAccessKeyLastUsed:          c.GetAccessKeyLastUsed,
		GetUser:                       c.GetUser,
		GetUserPolicy:                 c.GetUserPolicy,
		ListAccessKeys:                c.ListAccessKeys,
		PutUserPermissionsBoundary:    c.PutUserPermissionsBoundary,
		PutUserPolicy:                 c.PutUserPolicy,
		TagUser:                       c.TagUser,
		UntagUser:                     c.UntagUser,
		UpdateAccessKey:               c.UpdateAccessKey,
		UpdateUser:                    c.UpdateUser,
	}
}

// listAccessKeys is what the SDK's paginator asks for.
type listAccessKeys call[iam.ListAccessKeysInput, iam.ListAccessKeysOutput]

func (f listAccessKeys) ListAccessKeys(ctx context.Context, in *iam.ListAccessKeysInput, o ...func(*iam.Options)) (*iam.ListAccessKeysOutput, error) {
	return f(ctx, in, o...)
}
