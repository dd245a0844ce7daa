//go:build !faults

package keys

// replicaChanges is how many transactions TestReplicasThatWatchTheSameKeysDoNotFight makes.
const replicaChanges = 60
