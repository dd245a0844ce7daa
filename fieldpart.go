package deltaplane

import (
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	"github.com/deltaplane/deltaplane/resource"
)

// part is a field of a resource, or an element of its list of messages.
type part struct {
	path    string // for people: connect_timeout, routes["r1"], routes[3]
	content string // field and bytes: equal parts are equal
}

// partsIn takes a resource apart. Nothing but the top level is parsed.
func partsIn(r *resource.Resource) []part {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(r.Type()))
	if err != nil {
		return nil
	}
	fields := mt.Descriptor().Fields()
	var parts []part
	elements := map[protowire.Number]int{}
	whole := map[protowire.Number]int{} // index in parts of what is not cut
	for b := r.Bytes(); len(b) > 0; {
		number, wire, n := protowire.ConsumeField(b)
		if n < 0 {
			return parts
		}
		raw := b[:n]
		b = b[n:]
		f := fields.ByNumber(number)
		switch {
		case f != nil && f.IsList() && f.Message() != nil && wire == protowire.BytesType:
			parts = append(parts, part{elementPath(f, elements[number], raw), string(raw)})
			elements[number]++
		default:
			i, ok := whole[number]
			if !ok {
				i = len(parts)
				whole[number] = i
				parts = append(parts, part{path: fieldName(f, number)})
			}
			parts[i].content += string(raw)
		}
	}
	return parts
}

func fieldName(f protoreflect.FieldDescriptor, number protowire.Number) string {
	if f == nil {
		return fmt.Sprintf("field %d", number)
	}
	return string(f.Name())
}

// elementPath is an element's name where it has one, else its index.
func elementPath(f protoreflect.FieldDescriptor, i int, raw []byte) string {
	if name := f.Message().Fields().ByName("name"); name != nil && name.Kind() == protoreflect.StringKind {
		_, _, n := protowire.ConsumeTag(raw)
		content, _ := protowire.ConsumeBytes(raw[n:])
		if s := stringField(content, name.Number()); s != "" {
			return fmt.Sprintf("%s[%q]", f.Name(), s)
		}
	}
	return fmt.Sprintf("%s[%d]", f.Name(), i)
}

// stringField finds a string in a message's bytes.
func stringField(b []byte, number protowire.Number) string {
	for len(b) > 0 {
		got, wire, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(got, wire, b[max(n, 0):])
		if n < 0 || size < 0 {
			return ""
		}
		if got == number && wire == protowire.BytesType {
			s, _ := protowire.ConsumeString(b[n:])
			return s
		}
		b = b[n+size:]
	}
	return ""
}
