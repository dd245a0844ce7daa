// Package envoy runs real Envoys as child processes and asks their admin
// interface. The demo and the tests are its users; the control plane itself
// never needs one.
package envoy
