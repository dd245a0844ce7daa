//go:build !faults

package client_test

// How long the tests run. `make test-faults` has the longer form.
const (
	modelChecks = "5000"
	cuts        = 200
)
