package xds

import (
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
)

// initialVersions is DeltaDiscoveryRequest.initial_resource_versions.
const initialVersions protowire.Number = 5

// fewVersions is up to how many of them are decoded like the rest.
const fewVersions = 64

// resume decodes a request of a client that comes back, but for the versions
// that it says it has: they are looked up, since most who come back say the
// same. It reports false, and does nothing, for any other message.
func (in *intake) resume(data []byte, m *deltaRequest) bool {
	n, size := 0, 0
	small := true
	for entry := range versionsIn(data) {
		n++
		size += len(entry)
		small = small && len(entry) <= maxNameBytes // else checkSizes is to see the name
	}
	if n <= fewVersions || !small {
		return false
	}
	held, ok := in.resumed.Of(versionsIn(data))
	if !ok || proto.Unmarshal(withoutVersions(data, len(data)-size), &m.DeltaDiscoveryRequest) != nil {
		return false
	}
	m.resumed = &held
	return true
}

// fieldsIn goes through the fields of a message, each as a whole and as its
// content if it has a length; it ends where the message does not go on as one.
func fieldsIn(data []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(field, content []byte) bool) {
		for len(data) > 0 {
			_, kind, n := protowire.ConsumeTag(data)
			if n < 0 {
				return
			}
			size := protowire.ConsumeFieldValue(0, kind, data[n:])
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

// isVersion reports whether a field is an entry of initial_resource_versions.
func isVersion(field []byte) bool {
	number, kind, _ := protowire.ConsumeTag(field)
	return number == initialVersions && kind == protowire.BytesType
}

// versionsIn goes through the entries of initial_resource_versions.
func versionsIn(data []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for field, content := range fieldsIn(data) {
			if isVersion(field) && !yield(content) {
				return
			}
		}
	}
}

// withoutVersions is what else is in a request, and all that cannot be read.
// It is about size bytes long.
func withoutVersions(data []byte, size int) []byte {
	rest, read := make([]byte, 0, size), 0
	for field := range fieldsIn(data) {
		read += len(field)
		if !isVersion(field) {
			rest = append(rest, field...)
		}
	}
	return append(rest, data[read:]...)
}
