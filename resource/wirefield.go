package resource

import "google.golang.org/protobuf/encoding/protowire"

// wireFields goes through the fields of a marshalled message: the content of
// those with a length, the whole value of others.
func wireFields(b []byte) func(func(protowire.Number, []byte) bool) {
	return func(yield func(protowire.Number, []byte) bool) {
		for len(b) > 0 {
			number, typ, n := protowire.ConsumeTag(b)
			size := protowire.ConsumeFieldValue(number, typ, b[max(n, 0):])
			if n < 0 || size < 0 {
				return
			}
			value := b[n : n+size]
			if typ == protowire.BytesType {
				value, _ = protowire.ConsumeBytes(value)
			}
			if !yield(number, value) {
				return
			}
			b = b[n+size:]
		}
	}
}

// wireStrings is a string field's values in a marshalled message.
func wireStrings(b []byte, number protowire.Number) (values []string) {
	for n, value := range wireFields(b) {
		if n == number {
			values = append(values, string(value))
		}
	}
	return values
}
