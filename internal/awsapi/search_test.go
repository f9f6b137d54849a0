package awsapi

import (
	"fmt"
	"slices"
	"testing"
)

// TestUserNamesAreOfEveryPage: a sender's user on the second page would not be
// found, and another one taken for the only one.
func TestUserNamesAreOfEveryPage(t *testing.T) {
	_, client := emulatedAccount(t)
	const users = 120 // IAM answers 100 at once.
	for i := range users {
		if _, err := client.CreateUser(t.Context(), User{Name: fmt.Sprintf("user-%03d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	names, err := client.UserNames(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(names, "user-119") || len(names) < users {
		t.Errorf("%d names, want those of all %d users", len(names), users)
	}
}
