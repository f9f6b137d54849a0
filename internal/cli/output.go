package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/auth0sns/terraform-provider-auth0sns/internal/auth0api"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/awsapi"
	"github.com/auth0sns/terraform-provider-auth0sns/internal/workspace"
)

// Exit codes, part of the contract with scripts (docs/guides/command-line.md).
const (
	exitOK          = 0
	exitError       = 1
	exitChanges     = 2 // with --detailed-exitcode only
	exitUsage       = 3
	exitPermission  = 4 // Auth0 or AWS does not know the caller, or does not let it
	exitFindings    = 5 // a check failed or could not look, a plan is too risky
	exitRefused     = 6 // it could be done and must not be: the wrong tenant, drift, a "no"
	exitInterrupted = 130
)

// codedError is an error that decides what the process ends with.
type codedError struct {
	code int
	error
}

func (e codedError) Unwrap() error { return e.error }

// usageError is a command line that cannot be carried out.
func usageError(err error) error { return codedError{exitUsage, err} }

// refuse is for what could be done and must not be.
func refuse(format string, args ...any) error {
	return codedError{exitRefused, fmt.Errorf(format, args...)}
}

// found ends a command whose result, already printed, is not good news.
func found(format string, args ...any) error {
	return codedError{exitFindings, fmt.Errorf(format, args...)}
}

// exitCodeOf tells what the process ends with. After an interruption it does not
// matter which error the interrupted command gave.
func exitCodeOf(ctx context.Context, err error) int {
	var coded codedError
	switch {
	case err == nil:
		return exitOK
	case ctx.Err() != nil:
		return exitInterrupted
	case errors.As(err, &coded):
		return coded.code
	case isWrongAccount(err), isConflict(err):
		return exitRefused
	case isPermission(err):
		return exitPermission
	default:
		return exitError
	}
}

func isWrongAccount(err error) bool {
	var wrong *awsapi.AccountError
	return errors.As(err, &wrong)
}

// isConflict tells whether what was asked for does not go with the files.
func isConflict(err error) bool {
	var conflict workspace.ConflictError
	return errors.As(err, &conflict)
}

// isPermission tells whether Auth0 or AWS does not know the caller or does not let it.
func isPermission(err error) bool {
	switch auth0api.KindOf(err) {
	case auth0api.Unauthorized, auth0api.MissingScope, auth0api.MissingEntitlement, auth0api.Forbidden, auth0api.Token:
		return true
	default:
	}
	switch awsapi.KindOf(err) {
	case awsapi.AccessDenied, awsapi.InvalidCredentials, awsapi.ExpiredCredentials, awsapi.NoCredentials:
		return true
	default:
		return false
	}
}

// output is where a command speaks: progress to stderr, its one result to stdout.
type output struct {
	stdout, stderr io.Writer
	json           bool
}

// progress tells a person what is being done.
func (o output) progress(format string, args ...any) {
	fmt.Fprintf(o.stderr, format+"\n", args...)
}

// result prints what the command was asked for: document with --json, text otherwise.
func (o output) result(document any, text func(io.Writer) error) error {
	if !o.json {
		return text(o.stdout)
	}
	encoder := json.NewEncoder(o.stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(document)
}

// failure is the one document of a command with --json that could not give its result.
type failure struct {
	Schema   string `json:"schema"` // "error/1"
	Error    string `json:"error"`
	ExitCode int    `json:"exit_code"`
}
