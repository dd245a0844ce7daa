// Package traffic makes requests at a steady rate, answers them, and tells
// which of them failed and when a given answer was first seen. The demo and
// the tests on real Envoys use it.
package traffic
