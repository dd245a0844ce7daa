//go:build !faults

package e2e

// stormCommits is how many commits a storm has.
const stormCommits = 300
