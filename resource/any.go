package resource

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	// Whatever can stand inside an Any.
	_ "github.com/deltaplane/deltaplane/resource/types"
)

// anyParts reads an Any message, generated or dynamic.
func anyParts(m protoreflect.Message) (url string, value []byte) {
	fields := m.Descriptor().Fields()
	return m.Get(fields.ByNumber(1)).String(), m.Get(fields.ByNumber(2)).Bytes()
}

// any appends an Any with its content in canonical form.
func (e *encoder) any(b []byte, m protoreflect.Message) []byte {
	url, value := anyParts(m)
	if url == "" {
		if len(value) > 0 {
			e.problem("an Any with a value needs a type URL")
		}
		return e.unknown(b, m.GetUnknown())
	}
	t, ok := e.anyType(url)
	if !ok {
		return b
	}
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendString(b, t.URL())
	if content := e.unpack(t, value); content != nil {
		start := len(b)
		b = e.message(b, content)
		if len(b) > start {
			b = prefixLength(b, start)
			b = slices.Insert(b, start, protowire.AppendTag(nil, 2, protowire.BytesType)...)
		}
	} else if len(value) > 0 {
		b = protowire.AppendTag(b, 2, protowire.BytesType)
		b = protowire.AppendBytes(b, value)
	}
	return e.unknown(b, m.GetUnknown())
}

func (e *encoder) anyType(url string) (Type, bool) {
	if !strings.Contains(url, "/") {
		e.problem("type URL %q has no slash: write %q", url, Type(url).URL())
		return "", false
	}
	t := TypeOfURL(url)
	if !protoreflect.FullName(t).IsValid() {
		e.problem("type URL %q names no message type", url)
		return "", false
	}
	return t, true
}

// unpack parses what an Any holds. It returns nil when the bytes are to be
// kept as they are.
func (e *encoder) unpack(t Type, value []byte) protoreflect.Message {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(t))
	if err != nil || isV2(t) {
		if !e.allowOpaque {
			e.problem("%s", unknownType(t))
		}
		return nil
	}
	content := mt.New()
	if err := proto.Unmarshal(value, content.Interface()); err != nil {
		e.problem("holds bytes that are no %s", t)
		return nil
	}
	if e.validator != nil {
		e.validator.rules(e.at, content.Interface())
	}
	return content
}

// unknown appends fields that the message's schema lacks, by number; those of
// one number keep their order. Tags and numbers take the fewest bytes.
func (e *encoder) unknown(b []byte, raw protoreflect.RawFields) []byte {
	if len(raw) == 0 {
		return b
	}
	type field struct {
		number protowire.Number
		bytes  []byte
	}
	var fields []field
	for len(raw) > 0 {
		number, wire, n := protowire.ConsumeTag(raw)
		size := protowire.ConsumeFieldValue(number, wire, raw[max(n, 0):])
		if n < 0 || size < 0 {
			e.problem("holds malformed bytes")
			return b
		}
		if !e.allowUnknown {
			e.problem("has unknown field number %d", number)
		}
		fields = append(fields, field{number, minimal(number, wire, raw[n:n+size])})
		raw = raw[n+size:]
	}
	slices.SortStableFunc(fields, func(x, y field) int { return int(x.number - y.number) })
	for _, f := range fields {
		b = append(b, f.bytes...)
	}
	return b
}

// minimal writes one unknown field with its tag in the fewest bytes; groups
// stay as they are inside.
func minimal(number protowire.Number, wire protowire.Type, value []byte) []byte {
	b := protowire.AppendTag(nil, number, wire)
	switch wire {
	case protowire.VarintType:
		v, _ := protowire.ConsumeVarint(value)
		return protowire.AppendVarint(b, v)
	case protowire.BytesType:
		v, _ := protowire.ConsumeBytes(value)
		return protowire.AppendBytes(b, v)
	}
	return append(b, value...)
}
