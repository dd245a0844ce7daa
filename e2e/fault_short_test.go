//go:build !faults

package e2e

// How much the tests of faults do in CI.
const (
	faultRate  = 300 // requests per second
	faultKills = 20  // commits in whose middle the control plane is killed
)
