package xds

import (
	"iter"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/shape"
)

// Most of a client's first request is never decoded: versions that are looked
// up in their encoded form (resume.go), and the extensions that its node lists,
// 60 KB for a stock Envoy, of which few are asked for and none are kept.

// Fields of envoy.service.discovery.v3.DiscoveryRequest and
// DeltaDiscoveryRequest, and of envoy.config.core.v3.Node and Extension.
const (
	noField         protowire.Number = 0
	nodeOfSotW      protowire.Number = 2
	nodeOfDelta     protowire.Number = 1
	initialVersions protowire.Number = 5 // of a DeltaDiscoveryRequest
	nodeExtensions  protowire.Number = 9
	nodeFeatures    protowire.Number = 10
	extensionName   protowire.Number = 1
)

// condensed is a request as it needs to be decoded, which has its node in field
// node: without the node's features, those of its extensions that nobody asks
// for, and the field without. What cannot be read stays as it is.
// Cost: O(bytes); it allocates about what is left.
func condensed(data []byte, node, without protowire.Number) []byte {
	rest, read := make([]byte, 0, small), 0
	for field, content := range fieldsIn(data) {
		read += len(field)
		switch {
		case is(field, node):
			rest = protowire.AppendTag(rest, node, protowire.BytesType)
			rest = protowire.AppendBytes(rest, condensedNode(content))
		case !is(field, without):
			rest = append(rest, field...)
		}
	}
	return append(rest, data[read:]...)
}

// condensedNode is condensed for the node.
func condensedNode(data []byte) []byte {
	rest, read := make([]byte, 0, small), 0
	for field, content := range fieldsIn(data) {
		read += len(field)
		if !is(field, nodeFeatures) && (!is(field, nodeExtensions) || askedFor(content)) {
			rest = append(rest, field...)
		}
	}
	return append(rest, data[read:]...)
}

// askedFor reports whether an extension is one that shape looks for.
func askedFor(extension []byte) bool {
	for field, name := range fieldsIn(extension) {
		if is(field, extensionName) && shape.Asks(name) {
			return true
		}
	}
	return false
}

// is reports whether a field has this number, and a length.
func is(field []byte, number protowire.Number) bool {
	n, kind, _ := protowire.ConsumeTag(field)
	return n == number && kind == protowire.BytesType
}

// fieldsIn goes through the fields of a message, each as a whole and as its
// content if it has a length; it ends where the message does not go on as one.
func fieldsIn(data []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(field, content []byte) bool) {
		for len(data) > 0 {
			number, kind, n := protowire.ConsumeTag(data)
			if n < 0 {
				return
			}
			size := protowire.ConsumeFieldValue(number, kind, data[n:])
			if size < 0 {
				return
			}
			var content []byte
			if kind == protowire.BytesType {
				content, _ = protowire.ConsumeBytes(data[n:])
			}
			if !yield(data[:n+size], content) {
				return
			}
			data = data[n+size:]
		}
	}
}
