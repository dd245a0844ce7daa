// Package xds is the xDS server: the discovery services over gRPC,
// state-of-the-world and delta, aggregated and one stream per type.
//
// One goroutine owns each stream (stream.go); what it decides stands in pure
// code without gRPC, clock or lock: conversation.go for the client's requests
// and the order of types, lane.go for one type. A second goroutine receives,
// a third lives for as long as one send takes. Streams do not know each
// other; what they have in common, views and encoded responses, they share
// (hub.go, fanout.go). State, not messages: a client that does not read has
// no queue, just an older state.
//
// A delta response is decided in delta.go → view/diff.go and encoded in
// wire/delta.go.
package xds
