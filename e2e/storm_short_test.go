//go:build !faults

package e2e

import "github.com/deltaplane/deltaplane/internal/envoy"

// stormCommits is how many commits a storm has.
const stormCommits = 300

// shapeCommits is how many commits a table that is split goes through.
const shapeCommits = 100

// fleetCommits is how many commits fleets that share a table go through.
const fleetCommits = 15

var fleetModes = []envoy.Mode{envoy.DeltaADS}
