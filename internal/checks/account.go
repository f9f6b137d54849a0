package checks

import (
	"context"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// AWS is the part of IAM, STS and SNS that the checks read.
type AWS interface {
	Identity(ctx context.Context) (awsapi.Identity, error)
}

func accountChecks() []Check { return nil }
