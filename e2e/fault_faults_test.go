//go:build faults

package e2e

// How much the tests of faults do in `make test-faults`.
const (
	faultRate    = 2000 // requests per second
	faultKills   = 200  // commits in whose middle the control plane is killed
	outageRounds = 10   // times that etcd goes in each way and comes back
	tornCommits  = 1000 // while connections are torn
	envoyCrashes = 50
	linearFaults = 150 // faults while clients race
)

// longOutages are all.
func longOutages(all []outage) []outage { return all }
