//go:build faults

package e2e

// stormCommits is how many commits a storm has.
const stormCommits = 1000

// shapeCommits is how many commits a table that is split goes through.
const shapeCommits = 1000
