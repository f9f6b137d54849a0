// Package awsapi speaks to IAM, STS, SNS and CloudWatch for the AWS side of an
// SMS sender: one IAM user, its inline policy and its access keys, and whether
// the account can send at all.
//
// It is a thin layer over aws-sdk-go-v2 that adds what the SDK leaves to its
// callers: the guard against the wrong account, no second attempt at what must
// happen once, errors for the reader, and a secret that cannot be printed.
package awsapi

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/arn"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
)

// Config says how to reach an AWS account. The zero Config leaves everything
// to the SDK's default chain: environment, profile, SSO, container, instance.
type Config struct {
	// Region and Profile override AWS_REGION and AWS_PROFILE.
	Region, Profile string
	// AssumeRoleARN is assumed with the chain's credentials.
	AssumeRoleARN string
	// EndpointURL takes the place of the services' endpoints and of
	// AWS_ENDPOINT_URL*, which the SDK reads itself. Credentials that the chain
	// gets by calls of its own (SSO, a profile's role_arn) do not use it.
	EndpointURL string
	// AllowedAccountIDs lists the accounts that may be used; empty allows all.
	AllowedAccountIDs []string
	// UserAgentProducts are names and versions, appended to the SDK's User-Agent.
	UserAgentProducts [][2]string
	// HTTPClient, if nil, is the SDK's own, which also honours AWS_CA_BUNDLE.
	HTTPClient *http.Client
	// Now is the clock that requests are signed by; nil is the machine's,
	// corrected by the SDK where AWS's differs.
	Now func() time.Time
}

// Client is safe for concurrent use. It reads the credentials at its first
// call.
type Client struct {
	iam      iamCalls
	sns      snsCalls
	metrics  metricCall
	sts      *sts.Client
	settings aws.Config // for the STS clients that [Client.Accepted] makes
	endpoint string
	signer   signer

	region, partition string

	allowed  []string
	account  account
	identity identity
}

// sessionName is the name under which CloudTrail shows an assumed role.
const sessionName = "auth0sns"

// New makes a client of the default credential chain. It makes no request
// beyond those that the chain itself makes.
func New(ctx context.Context, c Config) (*Client, error) {
	settings, err := load(ctx, c, c.Region)
	if err != nil {
		return nil, configurationError(err)
	}
	client := &Client{
		endpoint: c.EndpointURL,
		signer:   signer{v4.NewSigner(), c.Now},
		region:   settings.Region,
		allowed:  slices.Clone(c.AllowedAccountIDs),
		identity: identity{turn: make(chan struct{}, 1)},
	}
	if client.region == "" {
		// IAM and STS are global, but the SDK wants a region to sign for.
		if settings, err = load(ctx, c, regionOfRole(c.AssumeRoleARN)); err != nil {
			return nil, configurationError(err)
		}
	}
	client.partition = PartitionOf(settings.Region)
	if c.AssumeRoleARN != "" {
		settings.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(
			client.newSTS(settings), c.AssumeRoleARN,
			func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = sessionName },
		))
	}
	settings.Credentials = markedCredentials{settings.Credentials}
	client.settings = settings
	client.sts = client.newSTS(settings)
	client.iam = newIAMCalls(iam.NewFromConfig(settings, func(o *iam.Options) {
		o.APIOptions = append(o.APIOptions, refuseForeign)
		o.BaseEndpoint = client.endpointOr(o.BaseEndpoint)
		o.HTTPSignerV4 = client.signer
	}))
	client.sns = newSNSCalls(sns.NewFromConfig(settings, func(o *sns.Options) {
		o.APIOptions = append(o.APIOptions, refuseForeign)
		o.BaseEndpoint = client.endpointOr(o.BaseEndpoint)
		o.HTTPSignerV4 = client.signer
	}))
	client.metrics = cloudwatch.NewFromConfig(settings, func(o *cloudwatch.Options) {
		o.APIOptions = append(o.APIOptions, refuseForeignCBOR)
		o.BaseEndpoint = client.endpointOr(o.BaseEndpoint)
		o.HTTPSignerV4 = client.signer
	}).GetMetricStatistics
	return client, nil
}

func (c *Client) newSTS(settings aws.Config, options ...func(*sts.Options)) *sts.Client {
	return sts.NewFromConfig(settings, append(options, func(o *sts.Options) {
		o.APIOptions = append(o.APIOptions, refuseForeign)
		o.BaseEndpoint = c.endpointOr(o.BaseEndpoint)
		o.HTTPSignerV4 = c.signer
	})...)
}

// endpointOr lets the endpoint of the settings win over that of the environment.
func (c *Client) endpointOr(environment *string) *string {
	if c.endpoint == "" {
		return environment
	}
	return &c.endpoint
}

// Region is the region of the settings or of the chain; "" if neither has one.
func (c *Client) Region() string { return c.region }

// Partition is the partition of the region; without a region, that of the role
// to assume, and else "aws".
func (c *Client) Partition() string { return c.partition }

func load(ctx context.Context, c Config, region string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{
		config.WithRegion(region),
		config.WithSharedConfigProfile(c.Profile),
		config.WithRetryer(func() aws.Retryer { return newRetryer() }),
		config.WithLogger(logging.Nop{}),
		config.WithClientLogMode(0),
	}
	for _, product := range c.UserAgentProducts {
		options = append(options, config.WithAPIOptions([]func(*middleware.Stack) error{
			awsmiddleware.AddUserAgentKeyValue(product[0], product[1]),
		}))
	}
	if c.HTTPClient != nil {
		options = append(options, config.WithHTTPClient(c.HTTPClient))
	}
	return config.LoadDefaultConfig(ctx, options...)
}

// regionOfRole gives the region that a role's partition signs its global
// services for; without a role, that of the partition "aws".
func regionOfRole(role string) string {
	parsed, _ := arn.Parse(role)
	return globalRegion(parsed.Partition)
}

// markedCredentials marks failures to get credentials, so that they are not
// taken for failures of the call that needed them.
type markedCredentials struct{ aws.CredentialsProvider }

func (c markedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	credentials, err := c.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, &credentialsError{err}
	}
	return credentials, nil
}

// signer is the SDK's signer with a clock of our own.
type signer struct {
	*v4.Signer
	now func() time.Time
}

func (s signer) SignHTTP(
	ctx context.Context, credentials aws.Credentials, r *http.Request, payloadHash, service, region string,
	at time.Time, options ...func(*v4.SignerOptions),
) error {
	if s.now != nil {
		at = s.now()
	}
	return s.Signer.SignHTTP(ctx, credentials, r, payloadHash, service, region, at, options...)
}

// throttleCodes are the codes by which AWS refuses a call for now. The SDK's
// own list lacks Throttled, which SNS's SMS calls answer, and the two by which
// IAM refuses one of several simultaneous changes.
func throttleCodes() map[string]struct{} {
	codes := maps.Clone(retry.DefaultThrottleErrorCodes)
	for _, code := range []string{"Throttled", "ConcurrentModification", "EntityTemporarilyUnmodifiable"} {
		codes[code] = struct{}{}
	}
	return codes
}

// newRetryer repeats reads and writes that may be made twice: after a refusal
// for now, a server's failure, and a lost connection.
func newRetryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = append(slices.Clone(o.Retryables), retry.RetryableErrorCode{Codes: throttleCodes()})
		o.Throttles = append(slices.Clone(o.Throttles), retry.ThrottleErrorCode{Codes: throttleCodes()})
	})
}

// newRefusedRetryer repeats only what AWS surely refused: a call for which it
// had no time, or one signed by a wrong clock. After a failure that leaves the
// outcome open, a second CreateAccessKey would mint a second key, whose first
// twin nobody knows the secret of; a second CreateUser would find its own user
// in the way, and a second rename would find the user gone.
func newRefusedRetryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = append(skewRetryables(), retry.RetryableErrorCode{Codes: throttleCodes()})
		o.Throttles = append(slices.Clone(o.Throttles), retry.ThrottleErrorCode{Codes: throttleCodes()})
	})
}

// newSkewRetryer repeats only a call signed by a wrong clock, for a caller that
// repeats everything else.
func newSkewRetryer() *retry.Standard {
	return retry.NewStandard(func(o *retry.StandardOptions) { o.Retryables = skewRetryables() })
}

func skewRetryables() []retry.IsErrorRetryable {
	return []retry.IsErrorRetryable{
		retry.NoRetryCanceledError{},
		retry.RetryableError{}, // the SDK marks clock skew by it
	}
}

// once makes a call of IAM one that must not be repeated; see
// [newRefusedRetryer].
func once(o *iam.Options) { o.Retryer = newRefusedRetryer() }

// guarded makes a call once the account is known to be an allowed one: an object
// of a wrong account is as misleading as its absence there.
func guarded[In, Out, Options any](
	ctx context.Context, c *Client, call func(context.Context, In, ...func(*Options)) (Out, error),
	in In, options ...func(*Options),
) (Out, error) {
	if err := c.CheckAccount(ctx); err != nil {
		var none Out
		return none, err
	}
	out, err := call(ctx, in, options...)
	return out, callError(err)
}
