//go:build !faults

package xds

// orderRounds is how many hundred histories a model of Envoy goes through, in
// each variant.
const orderRounds = 1
