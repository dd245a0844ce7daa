//go:build !faults

package e2e

// stormCommits is how many commits a storm has.
const stormCommits = 300

// shapeCommits is how many commits a table that is split goes through.
const shapeCommits = 100
