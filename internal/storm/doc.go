// Package storm makes configuration that changes at random, for the tests of
// changes under traffic: a World with a few HTTP listeners, of which every
// request must be answered whatever changes. The same seed makes the same
// changes.
package storm
