// Package e2e holds the tests of the whole: the real binary, real Envoys, and
// traffic through them.
package e2e
