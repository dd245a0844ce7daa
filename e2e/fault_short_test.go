//go:build !faults

package e2e

// How much the tests of faults do in CI.
const (
	faultRate    = 300 // requests per second
	faultKills   = 20  // commits in whose middle the control plane is killed
	outageRounds = 1   // times that etcd goes in each way and comes back
	tornCommits  = 30  // while connections are torn
	envoyCrashes = 4
	linearFaults = 8 // faults while clients race
)

// longOutages are those that CI has the time for.
func longOutages(all []outage) []outage { return all[1:3] }
