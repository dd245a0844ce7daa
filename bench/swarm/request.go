package swarm

import (
	"google.golang.org/protobuf/encoding/protowire"
)

// Protocol is what proxies speak.
type Protocol int

// The protocols.
const (
	Delta Protocol = iota // incremental, aggregated
	SotW                  // state of the world, aggregated
	TCP                   // bare frames: four bytes of length (big-endian), and a delta message; no requests but acknowledgements
)

// numbers are the field numbers of a protocol's request.
type numbers struct{ version, node, names, typeURL, initial, nonce protowire.Number }

var requests = map[Protocol]numbers{
	Delta: {node: 1, typeURL: 2, names: 3, initial: 5, nonce: 6},
	SotW:  {version: 1, node: 2, names: 3, typeURL: 4, nonce: 5},
	TCP:   {node: 1, typeURL: 2, names: 3, initial: 5, nonce: 6},
}

// paths are those of the aggregated services.
var paths = map[Protocol]string{
	Delta: "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
	SotW:  "/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources",
}

func appendString[T ~string | ~[]byte](b []byte, n protowire.Number, s T) []byte {
	b = protowire.AppendTag(b, n, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(len(s)))
	return append(b, s...)
}

// appendAck accepts a response.
func (n numbers) appendAck(b []byte, r *response) []byte {
	b = appendString(b, n.typeURL, r.typeURL)
	if n.version != 0 {
		b = appendString(b, n.version, r.version)
	}
	return appendString(b, n.nonce, r.nonce)
}
