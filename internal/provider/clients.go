package provider

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
	"github.com/hashicorp/terraform-plugin-framework/resource"
	"github.com/hashicorp/terraform-plugin-framework/types/basetypes"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/delivery"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/handover"
)

var objectOptions = basetypes.ObjectAsOptions{}

// clients is what Configure hands to every resource: one run of Terraform.
type clients struct {
	// auth0 and aws are nil while their settings are not known yet, which
	// happens in a plan whose provider block refers to another resource.
	auth0 *auth0api.Client
	aws   *awsapi.Client
	clock handover.Clock
	// secrets are the credentials of this provider, masked in every log line.
	secrets []string
	factor  singleton // of auth0sns_sms_factor
	policy  singleton // of auth0sns_mfa_policy
	phone   singleton // of auth0sns_phone_provider
	// releasing keeps two senders, each of which could take over from the other,
	// from being given up at once.
	releasing sync.Mutex
	// refreshed holds the Actions that this refresh has read for an
	// auth0sns_action, for the credentials on them.
	refreshed sync.Map
	// live is what plans of a destroy have found out.
	live liveSenders
	// plansPhoneProvider says that the configuration has an auth0sns_phone_provider.
	// Without one, a sender that is not made yet is none.
	plansPhoneProvider atomic.Bool
}

// base gives a resource its clients.
type base struct{ *clients }

func (b *base) Configure(_ context.Context, req resource.ConfigureRequest, resp *resource.ConfigureResponse) {
	if req.ProviderData == nil {
		return
	}
	c, ok := req.ProviderData.(*clients)
	if !ok {
		resp.Diagnostics.AddError("Unexpected provider data", fmt.Sprintf("Expected *provider.clients, got %T. This is a defect of the provider.", req.ProviderData))
		return
	}
	b.clients = c
}

// requireScopes reports every Auth0 scope that this client lacks, in plan,
// before the first change. Where Auth0 does not say what was granted, the calls
// themselves will.
func (c *clients) requireScopes(ctx context.Context, scopes ...string) diag.Diagnostics {
	var diags diag.Diagnostics
	granted, known, err := c.auth0.GrantedScopes(ctx)
	if err != nil {
		diags.AddError("Auth0 gave no access token", err.Error())
		return diags
	}
	missing := slices.DeleteFunc(slices.Clone(scopes), func(s string) bool { return slices.Contains(granted, s) })
	if known && len(missing) > 0 {
		diags.AddError("Auth0 scope missing", fmt.Sprintf(
			"The client that Terraform uses at %s lacks %s.\n\nGrant it in the Auth0 Dashboard: Applications → APIs → Auth0 Management API → Machine to Machine Applications → your client → permissions. Then plan again.",
			c.auth0.Domain(), strings.Join(missing, ", ")))
	}
	return diags
}

// requireAccount reports an AWS account that is not allowed, and, as something
// else, credentials that lead to none.
func (c *clients) requireAccount(ctx context.Context) diag.Diagnostics {
	var diags diag.Diagnostics
	if err := c.aws.CheckAccount(ctx); err != nil {
		addAWSError(&diags, "AWS credentials do not work", err)
	}
	return diags
}

// addAWSError reports a failure under its summary, and a wrong account as what
// it is, wherever it was noticed.
func addAWSError(diags *diag.Diagnostics, summary string, err error) {
	var wrong *awsapi.AccountError
	if errors.As(err, &wrong) {
		summary = "Wrong AWS account"
	}
	diags.AddError(summary, err.Error())
}

// notConfigured is the answer of a refresh while the provider's own settings
// are unknown: the state stays as it is.
func notConfigured(diags *diag.Diagnostics, object string) {
	diags.AddWarning(object+" was not refreshed",
		"A setting of the provider is not known until apply, so nothing was read. The plan shows the object as the state has it.")
}

// removedOutside says why an object leaves the state.
func removedOutside(diags *diag.Diagnostics, object, id string) {
	diags.AddWarning(object+" no longer exists",
		fmt.Sprintf("%s was deleted outside Terraform. It is removed from the state; the next apply makes it anew.", id))
}

// confirmGone asks once more where a deletion was told that there is nothing to
// delete: an object that is believed to be gone and is not leaves the state for
// ever.
func confirmGone(failure error, read func() error) error {
	missing := func(err error) bool { return auth0api.IsNotFound(err) || awsapi.IsNotFound(err) }
	if !missing(failure) {
		return failure
	}
	err := read()
	switch {
	case err == nil:
		return fmt.Errorf("%w\n\nYet it is there when it is read. Nothing else is known to be wrong: try again", failure)
	case missing(err):
		return nil
	default:
		return err
	}
}

// alreadyExists is the refusal to adopt what Terraform did not make. otherwise
// is a way out beside the import; a tenant's only object has none.
func alreadyExists(diags *diag.Diagnostics, resourceType, what, id, otherwise string) {
	diags.AddError(what+" already exists", fmt.Sprintf(
		"%s exists and is not in Terraform's state. It is never taken over silently. To manage it, add this block and plan again, the plan shows what would change:\n\n%s%s",
		what, importBlock(resourceType, id), otherwise))
}

// leftBehind says that the plan takes over what an apply made that did not live
// to write the state. It is told from what others made by why.
func leftBehind(diags *diag.Diagnostics, what, why string) {
	diags.AddWarning(what+" is left from an apply that stopped", fmt.Sprintf(
		"%s exists, is not in Terraform's state, and %s: an apply made it and ended before the state was written. This apply takes it over. If it is not Terraform's, choose another name.", what, why))
}

// mayExist tells whether an object may be there after a create that failed:
// its answer was lost, or the name is taken, perhaps by an earlier attempt.
func mayExist(err error) bool {
	return auth0api.KindOf(err) == auth0api.Conflict || awsapi.KindOf(err) == awsapi.AlreadyExists || delivery.Ambiguous(err)
}

// anotherName is the way out for an object that is found by its name.
const anotherName = "\n\nOr choose another name."

func importBlock(resourceType, id string) string {
	return fmt.Sprintf("  import {\n    to = %s.NAME # the name of your resource block\n    id = %q\n  }", resourceType, id)
}

// realClock is time itself.
type realClock struct{}

func (realClock) Now() time.Time { return time.Now() }

func (realClock) Sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

func nonEmpty(values ...string) []string {
	return slices.DeleteFunc(values, func(v string) bool { return v == "" })
}
