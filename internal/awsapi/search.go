package awsapi

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// UserNames lists the names of the account's users.
func (c *Client) UserNames(ctx context.Context) ([]string, error) {
	return allPages(func(token *string) ([]string, *string, error) {
		out, err := guarded(ctx, c, c.iam.ListUsers, &iam.ListUsersInput{Marker: token})
		if err != nil {
			return nil, nil, err
		}
		names := make([]string, len(out.Users))
		for i, user := range out.Users {
			names[i] = aws.ToString(user.UserName)
		}
		return names, out.Marker, nil
	})
}
