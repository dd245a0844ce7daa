// Package view says what one set of namespaces serves, and what brings a
// client from what it holds to that.
//
// A View is derived from a snapshot in O(changes) and shared by every stream
// of the same assignment. Diff is the one decision of the xDS server: what to
// send next. It is pure, and the same for state-of-the-world and delta.
package view
