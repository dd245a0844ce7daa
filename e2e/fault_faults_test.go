//go:build faults

package e2e

// How much the tests of faults do in `make test-faults`.
const (
	faultRate  = 2000 // requests per second
	faultKills = 200  // commits in whose middle the control plane is killed
)
