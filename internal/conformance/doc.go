// Package conformance plays a client of the xDS protocol against the real
// server over gRPC, by the specification and without knowledge of the server.
package conformance
