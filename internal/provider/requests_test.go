package provider_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/acctest"
)

// requests counts what one command asked of both sides.
type requests map[string]int

func countRequests(o outcome) requests {
	counted := requests{}
	for _, operation := range o.operations() {
		counted[operation]++
	}
	return counted
}

func (r requests) total() int {
	total := 0
	for _, n := range r {
		total += n
	}
	return total
}

func (r requests) plus(other requests) requests {
	sum := maps.Clone(r)
	for operation, n := range other {
		sum[operation] += n
	}
	return sum
}

// Requests of examples/scenarios/hook. Terraform starts the provider once for
// the plan and once more for the apply, hence two tokens in all, and plans each
// object again right before it makes it: what a plan asks, an apply asks too.
// Those second looks are kept. They are made after the dependencies of the
// object were changed, and refuse what came to exist since the plan was read.
var (
	planNothing = requests{
		"POST /oauth/token":              1,
		"iam:GetUser":                    1,
		"iam:GetUserPolicy":              1,
		"iam:ListAccessKeys":             1,
		"GET /api/v2/hooks/{id}":         1,
		"GET /api/v2/hooks/{id}/secrets": 1,

		"GET /api/v2/guardian/factors":                         1,
		"GET /api/v2/guardian/factors/phone/selected-provider": 1,
		"GET /api/v2/guardian/factors/phone/message-types":     1,
		"GET /api/v2/guardian/policies":                        1,
	}
	planCreate = requests{
		"POST /oauth/token":            1,
		"sts:GetCallerIdentity":        1, // the account and partition of the policy
		"iam:GetUser":                  1, // is the name free
		"GET /api/v2/hooks":            1, // is the name free, is another one enabled
		"GET /api/v2/guardian/factors": 1,
		"GET /api/v2/guardian/factors/phone/selected-provider": 1,
		"GET /api/v2/guardian/factors/phone/message-types":     1,
		"GET /api/v2/guardian/policies":                        1,
	}
	applyCreate = planCreate.plus(requests{
		"iam:CreateUser":                  1,
		"iam:PutUserPolicy":               1,
		"iam:GetUser":                     6, // the record: what has an earlier apply left, and does another one run
		"iam:TagUser":                     3, // the record: before the mint, before the delivery, and after it
		"iam:ListAccessKeys":              2, // what has an earlier apply left, is a slot free
		"iam:CreateAccessKey":             1,
		"sts:GetCallerIdentity":           acceptedKey,
		"POST /api/v2/hooks":              1,
		"GET /api/v2/hooks/{id}/secrets":  1, // which to add, which to set
		"POST /api/v2/hooks/{id}/secrets": 1,
		"GET /api/v2/hooks/{id}":          1, // does the sender that people are sent to answer
		// What destroy gives back, and whether a policy would lock people out.
		"GET /api/v2/guardian/factors":                         2,
		"GET /api/v2/guardian/factors/phone/selected-provider": 1,
		"GET /api/v2/guardian/factors/phone/message-types":     1,
		"GET /api/v2/guardian/policies":                        1,
		"PUT /api/v2/guardian/factors/{name}":                  1,
		"PUT /api/v2/guardian/factors/phone/selected-provider": 1,
		"PUT /api/v2/guardian/factors/phone/message-types":     1,
		"PUT /api/v2/guardian/policies":                        1,
	})
	// Terraform refreshes in one run of the provider and plans in another.
	planDestroy = planNothing.plus(requests{
		"POST /oauth/token": 1,
		// Is the sender that is to go in use.
		"GET /api/v2/guardian/factors":                         1,
		"GET /api/v2/guardian/factors/phone/selected-provider": 1,
		"GET /api/v2/hooks/{id}":                               1,
	})
	applyDestroy = requests{
		"POST /oauth/token":                                    1,
		"GET /api/v2/guardian/policies":                        1,
		"PUT /api/v2/guardian/policies":                        1,
		"GET /api/v2/guardian/factors":                         3, // the factor's own, and the guards of key and hook
		"GET /api/v2/guardian/factors/phone/selected-provider": 1,
		"GET /api/v2/guardian/factors/phone/message-types":     1,
		"PUT /api/v2/guardian/factors/{name}":                  1,
		"PUT /api/v2/guardian/factors/phone/selected-provider": 1,
		"PUT /api/v2/guardian/factors/phone/message-types":     1,
		"GET /api/v2/hooks/{id}/secrets":                       1,
		"DELETE /api/v2/hooks/{id}/secrets":                    1,
		"DELETE /api/v2/hooks/{id}":                            1,
		"iam:GetUser":                                          2, // the record, and that no other run has taken over
		"iam:TagUser":                                          1, // the record: no sender holds the key
		"iam:UntagUser":                                        1,
		"iam:UpdateAccessKey":                                  1,
		"iam:DeleteAccessKey":                                  1,
		"iam:ListAccessKeys":                                   2, // whose secrets the hook may hold, and is the user free of keys
		"sts:GetCallerIdentity":                                1, // is it the account of the user that is to go
		"iam:DeleteUserPolicy":                                 1,
		"iam:DeleteUser":                                       1,
	}
)

// acceptedKey is how often STS is asked about a new key that AWS refuses for
// three seconds: every half second, until it said yes three times in a row.
const acceptedKey = 6 + 3

// TestAccRequests holds the provider to the number of requests that the README
// promises. A tenant may allow as few as two in a second.
func TestAccRequests(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, acctest.Config(t, "scenarios/hook/main.tf"))

	requireEqual(t, "requests of a plan on an empty tenant", countRequests(w.must("plan", "-out=create")), planCreate)
	requireEqual(t, "requests of its apply", countRequests(w.run("apply", "create")), applyCreate)

	nothing := w.must("plan")
	requireEqual(t, "changes", nothing.changes, map[string]string{})
	requireEqual(t, "requests of a plan without changes", countRequests(nothing), planNothing)
	if total := planNothing.total(); total > 10 {
		t.Errorf("a plan without changes makes %d requests, 10 are promised", total)
	}
	requireEachObjectOnce(t, nothing)

	requireEqual(t, "requests of a plan to destroy", countRequests(w.must("plan", "-destroy", "-out=destroy")), planDestroy)
	requireEqual(t, "requests of its apply", countRequests(w.run("apply", "destroy")), applyDestroy)
}

// TestAccRequestsAction holds the Action path to the same number: credentials
// take the Action as auth0sns_action has just read it.
func TestAccRequestsAction(t *testing.T) {
	w := newWorkspace(t, acctest.New(t), acctest.Config(t, "scenarios/action/main.tf"))
	w.must("apply")
	nothing := w.must("plan")
	requireEqual(t, "changes", nothing.changes, map[string]string{})
	requireEqual(t, "requests of a plan without changes", countRequests(nothing), requests{
		"POST /oauth/token":                1,
		"iam:GetUser":                      1,
		"iam:GetUserPolicy":                1,
		"iam:ListAccessKeys":               1,
		"GET /api/v2/actions/actions/{id}": 1,
		"GET /api/v2/actions/triggers/{triggerId}/bindings":    1,
		"GET /api/v2/guardian/factors":                         1,
		"GET /api/v2/guardian/factors/phone/selected-provider": 1,
		"GET /api/v2/guardian/factors/phone/message-types":     1,
		"GET /api/v2/guardian/policies":                        1,
	})
	requireEachObjectOnce(t, nothing)
	w.must("destroy")
}

// TestAccRequestsUnified: this path has one more, for the tenant's flag, and no
// request that the tenant would refuse.
func TestAccRequestsUnified(t *testing.T) {
	env := acctest.New(t)
	w := newWorkspace(t, env, acctest.Config(t, "scenarios/unified/main.tf"))
	w.must("apply")
	nothing := w.must("plan")
	requireEqual(t, "changes", nothing.changes, map[string]string{})
	requireEqual(t, "requests of a plan without changes", countRequests(nothing), requests{
		"POST /oauth/token":                1,
		"iam:GetUser":                      1,
		"iam:GetUserPolicy":                1,
		"iam:ListAccessKeys":               1,
		"GET /api/v2/actions/actions/{id}": 1,
		"GET /api/v2/actions/triggers/{triggerId}/bindings": 1,
		"GET /api/v2/branding/phone/providers/{id}":         1,
		"GET /api/v2/tenants/settings":                      1,
		"GET /api/v2/guardian/factors":                      1,
		"GET /api/v2/guardian/factors/phone/message-types":  1,
		"GET /api/v2/guardian/policies":                     1,
	})
	requireEachObjectOnce(t, nothing)
	requireNoLegacyPhone(t, env)
	w.must("destroy")
}

// requireEachObjectOnce goes by the address of what was read, not by the kind.
func requireEachObjectOnce(t *testing.T, o outcome) {
	t.Helper()
	read := map[string]int{}
	for _, e := range o.requests {
		if e.Method == "GET" {
			read[e.Path]++
		}
	}
	for _, path := range slices.Sorted(maps.Keys(read)) {
		if read[path] > 1 {
			t.Errorf("%s was read %d times in one plan", path, read[path])
		}
	}
}

// TestAccAllowedAccountsCostNoRequest: the guard against a wrong account learns
// the account from what is read anyway.
func TestAccAllowedAccountsCostNoRequest(t *testing.T) {
	env := acctest.New(t)
	allowed := fmt.Sprintf("provider \"auth0sns\" {\n  aws = { allowed_account_ids = [%q] }\n}", env.State().Account.AccountID)
	config := strings.Replace(acctest.Config(t, "scenarios/hook/main.tf"), `provider "auth0sns" {}`, allowed, 1)
	w := newWorkspace(t, env, config)
	requireEqual(t, "requests of a plan on an empty account", countRequests(w.must("plan")), planCreate)
	w.must("apply")
	requireEqual(t, "requests of a plan without changes", countRequests(w.must("plan")), planNothing)
	w.must("destroy")
}
