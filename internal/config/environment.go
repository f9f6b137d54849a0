package config

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
)

// sides are the families of variables that belong together: credentials of one
// environment are never completed with those of another.
func sides() []string { return []string{"AUTH0_", "AWS_"} }

// EnvironmentPrefix is what the variables of one environment begin with:
// STAGING_ of "staging", EU_PRODUCTION_ of "eu-production".
func EnvironmentPrefix(environment string) string {
	return strings.ToUpper(strings.ReplaceAll(environment, "-", "_")) + "_"
}

// ForEnvironment returns the variables of this process as one environment sees
// them, for its clients and for the Terraform that is started for it. With
// STAGING_AUTH0_CLIENT_ID set, staging's AUTH0_ variables are those that begin
// with STAGING_AUTH0_, and no plain one counts; the same for AWS_. So one shell
// can hold the credentials of two environments. Without such a variable the
// plain ones are the environment's.
func ForEnvironment(environment string) map[string]string {
	return forEnvironment(os.Environ(), environment)
}

func forEnvironment(environ []string, environment string) map[string]string {
	variables := map[string]string{}
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" {
			variables[name] = value
		}
	}
	if environment == "" {
		return variables
	}
	prefix := EnvironmentPrefix(environment)
	for _, side := range sides() {
		own := map[string]string{}
		for name, value := range variables {
			if plain, ok := strings.CutPrefix(name, prefix); ok && strings.HasPrefix(plain, side) {
				own[plain] = value
			}
		}
		if len(own) > 0 {
			maps.DeleteFunc(variables, func(name, _ string) bool { return strings.HasPrefix(name, side) })
			maps.Copy(variables, own)
		}
	}
	return variables
}

// VariablesOf are the names under which the variables of an environment are read
// from this process: with STAGING_AUTH0_DOMAIN set, AUTH0_CLIENT_ID of staging is
// STAGING_AUTH0_CLIENT_ID. own is the variable that makes it so, "" where the plain
// names count.
func VariablesOf(environment string, plain ...string) (names []string, own string) {
	return variablesOf(os.Environ(), environment, plain...)
}

func variablesOf(environ []string, environment string, plain ...string) (names []string, own string) {
	if environment == "" || len(plain) == 0 {
		return plain, ""
	}
	side, _, _ := strings.Cut(plain[0], "_")
	prefix := EnvironmentPrefix(environment)
	for _, entry := range slices.Sorted(slices.Values(environ)) {
		name, value, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, prefix+side+"_") && (own == "" || value != "") {
			own = name
			if value != "" {
				break
			}
		}
	}
	if own == "" {
		return plain, ""
	}
	for _, name := range plain {
		names = append(names, prefix+name)
	}
	return names, own
}

// WithAWS calls load while the AWS_ variables of this process are those of an
// environment: the AWS SDK reads them from the process, and without this one that
// STAGING_AWS_PROFILE leaves out would still be the plain one. It changes the
// process, so no two calls may overlap.
func WithAWS(variables map[string]string, load func() error) error {
	before := awsVariables(forEnvironment(os.Environ(), ""))
	err := replaceAWS(before, awsVariables(variables))
	if err == nil {
		err = load()
	}
	return errors.Join(err, replaceAWS(awsVariables(variables), before))
}

func awsVariables(variables map[string]string) map[string]string {
	own := maps.Clone(variables)
	maps.DeleteFunc(own, func(name, _ string) bool { return !strings.HasPrefix(name, "AWS_") })
	return own
}

// replaceAWS sets wanted and unsets what is there beside it.
func replaceAWS(there, wanted map[string]string) error {
	var problems []error
	for name := range there {
		if _, ok := wanted[name]; !ok {
			problems = append(problems, os.Unsetenv(name))
		}
	}
	for name, value := range wanted {
		problems = append(problems, os.Setenv(name, value))
	}
	return errors.Join(problems...)
}

// LookupIn is the Lookup of such a set of variables.
func LookupIn(variables map[string]string) Lookup {
	return func(name string) string { return variables[name] }
}
