package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
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
	GetPolicy                     call[iam.GetPolicyInput, iam.GetPolicyOutput]
	GetPolicyVersion              call[iam.GetPolicyVersionInput, iam.GetPolicyVersionOutput]
	GetRole                       call[iam.GetRoleInput, iam.GetRoleOutput]
	GetUser                       call[iam.GetUserInput, iam.GetUserOutput]
	GetUserPolicy                 call[iam.GetUserPolicyInput, iam.GetUserPolicyOutput]
	ListAccessKeys                call[iam.ListAccessKeysInput, iam.ListAccessKeysOutput]
	ListAttachedUserPolicies      call[iam.ListAttachedUserPoliciesInput, iam.ListAttachedUserPoliciesOutput]
	ListGroupsForUser             call[iam.ListGroupsForUserInput, iam.ListGroupsForUserOutput]
	ListUserPolicies              call[iam.ListUserPoliciesInput, iam.ListUserPoliciesOutput]
	ListUsers                     call[iam.ListUsersInput, iam.ListUsersOutput]
	PutUserPermissionsBoundary    call[iam.PutUserPermissionsBoundaryInput, iam.PutUserPermissionsBoundaryOutput]
	PutUserPolicy                 call[iam.PutUserPolicyInput, iam.PutUserPolicyOutput]
	SimulatePrincipalPolicy       call[iam.SimulatePrincipalPolicyInput, iam.SimulatePrincipalPolicyOutput]
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
		GetPolicy:                     c.GetPolicy,
		GetPolicyVersion:              c.GetPolicyVersion,
		GetRole:                       c.GetRole,
		GetUser:                       c.GetUser,
		GetUserPolicy:                 c.GetUserPolicy,
		ListAccessKeys:                c.ListAccessKeys,
		ListAttachedUserPolicies:      c.ListAttachedUserPolicies,
		ListGroupsForUser:             c.ListGroupsForUser,
		ListUserPolicies:              c.ListUserPolicies,
		ListUsers:                     c.ListUsers,
		PutUserPermissionsBoundary:    c.PutUserPermissionsBoundary,
		PutUserPolicy:                 c.PutUserPolicy,
		SimulatePrincipalPolicy:       c.SimulatePrincipalPolicy,
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

// snsCall is one operation of SNS.
type snsCall[I, O any] = func(context.Context, *I, ...func(*sns.Options)) (*O, error)

// snsCalls are the operations of SNS in use; see [iamCalls].
type snsCalls struct {
	CheckIfPhoneNumberIsOptedOut snsCall[sns.CheckIfPhoneNumberIsOptedOutInput, sns.CheckIfPhoneNumberIsOptedOutOutput]
	GetSMSAttributes             snsCall[sns.GetSMSAttributesInput, sns.GetSMSAttributesOutput]
	GetSMSSandboxAccountStatus   snsCall[sns.GetSMSSandboxAccountStatusInput, sns.GetSMSSandboxAccountStatusOutput]
	ListOriginationNumbers       snsCall[sns.ListOriginationNumbersInput, sns.ListOriginationNumbersOutput]
	ListSMSSandboxPhoneNumbers   snsCall[sns.ListSMSSandboxPhoneNumbersInput, sns.ListSMSSandboxPhoneNumbersOutput]
	Publish                      snsCall[sns.PublishInput, sns.PublishOutput]
}

func newSNSCalls(c *sns.Client) snsCalls {
	return snsCalls{
		CheckIfPhoneNumberIsOptedOut: c.CheckIfPhoneNumberIsOptedOut,
		GetSMSAttributes:             c.GetSMSAttributes,
		GetSMSSandboxAccountStatus:   c.GetSMSSandboxAccountStatus,
		ListOriginationNumbers:       c.ListOriginationNumbers,
		ListSMSSandboxPhoneNumbers:   c.ListSMSSandboxPhoneNumbers,
		Publish:                      c.Publish,
	}
}

// metricCall is the one operation of CloudWatch in use; see [iamCalls].
type metricCall = func(context.Context, *cloudwatch.GetMetricStatisticsInput, ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricStatisticsOutput, error)
