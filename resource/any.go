package resource

import (
	"strings"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/anypb"

	// Whatever can stand inside an Any.
	_ "github.com/deltaplane/deltaplane/resource/types"
)

// anyParts reads an Any message, generated or dynamic.
func anyParts(m protoreflect.Message) (url string, value []byte) {
	fields := m.Descriptor().Fields()
	return m.Get(fields.ByNumber(1)).String(), m.Get(fields.ByNumber(2)).Bytes()
}

// any appends an Any with its content in canonical form.
func (e *encoder) any(b []byte, wire []byte) []byte {
	base := len(e.chunks)
	if !e.scan(anyPlan(), wire) {
		e.problem("holds malformed bytes")
		return b
	}
	var url string
	var value []byte
	var others []chunk
	for _, c := range e.chunks[base:] {
		switch {
		case c.field == nil:
			others = append(others, c)
		case c.number == 1:
			url = string(c.content())
		default:
			value = c.content()
		}
	}
	e.chunks = e.chunks[:base]
	if url == "" && len(value) > 0 {
		e.problem("an Any with a value needs a type URL")
	} else if url != "" {
		b = e.typed(b, url, value)
	}
	for _, c := range others {
		b = e.unknown(b, c)
	}
	return b
}

var anyPlan = sync.OnceValue(func() *plan { return planOf((&anypb.Any{}).ProtoReflect().Descriptor()) })

// typed appends an Any's type URL and content.
func (e *encoder) typed(b []byte, url string, value []byte) []byte {
	t, ok := e.anyType(url)
	if !ok {
		return b
	}
	b = protowire.AppendTag(b, 1, protowire.BytesType)
	b = protowire.AppendString(b, t.URL())
	content := e.unpack(t, value)
	if content == nil {
		if len(value) > 0 {
			b = protowire.AppendTag(b, 2, protowire.BytesType)
			b = protowire.AppendBytes(b, value)
		}
		return b
	}
	before := len(b)
	b = protowire.AppendTag(b, 2, protowire.BytesType)
	start := len(b)
	if b = e.encode(b, content); len(b) == start {
		return b[:before]
	}
	return prefixLength(b, start)
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

// unknown appends a field that the message's schema lacks. Tags and numbers
// take the fewest bytes; groups stay as they are inside.
func (e *encoder) unknown(b []byte, c chunk) []byte {
	if !e.allowUnknown {
		e.problem("has unknown field number %d", c.number)
	}
	b = protowire.AppendTag(b, c.number, c.wire)
	switch value := c.bytes[c.tag:]; c.wire {
	case protowire.VarintType:
		v, _ := protowire.ConsumeVarint(value)
		return protowire.AppendVarint(b, v)
	case protowire.BytesType:
		return protowire.AppendBytes(b, c.content())
	default:
		return append(b, value...)
	}
}
