// Package faulttest has what tests of faults need: an etcd that can be killed,
// paused and filled, and a line to it that can be cut, held, slowed and torn.
// Everything that it starts ends with the test.
package faulttest
