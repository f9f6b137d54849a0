package handover

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
)

// A bridge user stands in while both key slots of the user are taken and nobody
// knows which of the two keys the sender holds. The sender gets a key of the
// bridge user, then neither of the two is in use, and the user can have a new
// one. It exists for about a minute.

// Tags of users that are not the record of a sender.
const (
	tagOwn      = TagPrefix + "user:"
	tagBridgeOf = tagOwn + "bridge-of"
	// TagCreated marks a user that Terraform made, for the plan that finds it
	// without a state. Its value is the tenant the user was made for.
	TagCreated = tagOwn + "created-for"
)

const (
	bridgeSuffix = "-bridge"
	bridgePolicy = "auth0sns-publish-sms"
	maxUserName  = 64
)

// BridgeName names the user that has the key of a user's sender for as long as
// nobody knows which of the user's own two keys that holds.
func BridgeName(user string) string {
	return user[:min(len(user), maxUserName-len(bridgeSuffix))] + bridgeSuffix
}

// onBridge tells whether the record speaks of a key of the user's bridge user.
func (r Record) onBridge(user string) bool {
	return slices.ContainsFunc(r.Keys(), func(k Key) bool { return k.User == BridgeName(user) })
}

// bridge makes the bridge user and waits until AWS knows its policy.
func (r *rotation) bridge(ctx context.Context) (State, error) {
	record := r.record
	record.Bridge = true
	if err := r.write(ctx, record); err != nil {
		return "", err
	}
	if err := r.openBridge(ctx, r.req.User); err != nil {
		return "", err
	}
	r.mintUser = BridgeName(r.req.User)
	return FreeSlot, r.Clock.Sleep(ctx, InFlight)
}

// openBridge is repeated after a run that was killed, so a bridge user that is
// there is used, if it is one.
func (m *Machine) openBridge(ctx context.Context, user string) error {
	original, err := m.IAM.User(ctx, user)
	if err != nil {
		return err
	}
	name := BridgeName(user)
	bridge, err := m.IAM.User(ctx, name)
	switch {
	case awsapi.IsNotFound(err):
		_, err = m.IAM.CreateUser(ctx, awsapi.User{
			Name: name, Path: original.Path, PermissionsBoundary: original.PermissionsBoundary,
			Tags: map[string]string{tagBridgeOf: tagValue(user)},
		})
	case err == nil && bridge.Tags[tagBridgeOf] != tagValue(user):
		err = fmt.Errorf("IAM user %q exists and is not the bridge user of %q: it has no tag %s. Rename or delete it", name, user, tagBridgeOf)
	}
	if err != nil {
		return err
	}
	return m.IAM.PutUserPolicy(ctx, name, bridgePolicy, awsapi.PublishPolicy(original.Partition()))
}

// closeBridge deletes the bridge user with every key it has; no sender holds
// one. One that is gone is no error.
func (m *Machine) closeBridge(ctx context.Context, user string) error {
	name := BridgeName(user)
	bridge, err := m.IAM.User(ctx, name)
	if err != nil || bridge.Tags[tagBridgeOf] != tagValue(user) {
		return ignoreNotFound(err)
	}
	keys, err := m.IAM.AccessKeys(ctx, name)
	if err == nil {
		_, err = m.RetireAll(ctx, keysOf(name, keys))
	}
	if err == nil {
		err = ignoreNotFound(m.IAM.DeleteUserPolicy(ctx, name, bridgePolicy))
	}
	if err == nil {
		err = m.IAM.DeleteUser(ctx, name)
	}
	return ignoreNotFound(err)
}

// tagValue is a user's name as a tag can hold it.
func tagValue(user string) string { return strings.ReplaceAll(user, ",", "/") }
