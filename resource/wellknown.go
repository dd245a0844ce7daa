package resource

import (
	"fmt"
	"math"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// wellKnown are the messages that JSON writes in a form of their own
// (protobuf's JSON mapping).
var wellKnown map[protoreflect.FullName]func(*reader, *yaml.Node, protoreflect.Message)

func init() {
	wellKnown = map[protoreflect.FullName]func(*reader, *yaml.Node, protoreflect.Message){
		"google.protobuf.Any":       (*reader).any,
		"google.protobuf.Duration":  (*reader).duration,
		"google.protobuf.Timestamp": (*reader).timestamp,
		"google.protobuf.Struct":    (*reader).structure,
		"google.protobuf.Value":     (*reader).anyValue,
		"google.protobuf.ListValue": (*reader).listValue,
		"google.protobuf.FieldMask": (*reader).fieldMask,
	}
	for _, scalar := range []string{"Double", "Float", "Int64", "UInt64", "Int32", "UInt32", "Bool", "String", "Bytes"} {
		wellKnown[protoreflect.FullName("google.protobuf."+scalar+"Value")] = (*reader).wrapper
	}
}

// wrapped is the field of a scalar's wrapper message; nil if md is none.
func wrapped(md protoreflect.MessageDescriptor) protoreflect.FieldDescriptor {
	if md.ParentFile().Path() != "google/protobuf/wrappers.proto" {
		return nil
	}
	return md.Fields().ByNumber(1)
}

func (r *reader) wrapper(n *yaml.Node, m protoreflect.Message) {
	f := wrapped(m.Descriptor())
	if v, ok := r.scalar(n, f); ok {
		m.Set(f, v)
	}
}

// any reads {"@type": …, fields…}; the content of a type with a JSON form of
// its own stands under "value". A type that is not known keeps its bytes, if
// that is allowed, when given as {"@type": …, "value": <base64>}.
func (r *reader) any(n *yaml.Node, m protoreflect.Message) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, `expected a mapping with "@type", got %s`, r.describe(n))
		return
	}
	pairs := r.pairs(n)
	if len(pairs) == 0 {
		return
	}
	typed := lookup(pairs, "@type")
	if typed == nil {
		r.fail(n, `"@type" is missing: it says which message this is, such as "type.googleapis.com/envoy…"`)
		return
	}
	t, ok := r.typeAt(typed)
	if !ok {
		return
	}
	mt, err := protoregistry.GlobalTypes.FindMessageByName(protoreflect.FullName(t))
	if err != nil || isV2(t) {
		r.opaque(typed, t, pairs, m)
		return
	}
	content := mt.New()
	if _, special := wellKnown[content.Descriptor().FullName()]; special {
		r.valueField(n, pairs, content)
	} else {
		r.fields(pairs, content)
	}
	b, err := proto.MarshalOptions{AllowPartial: true}.Marshal(content.Interface())
	if err != nil {
		r.fail(n, "%v", err)
		return
	}
	setAny(m, t, b)
}

func setAny(m protoreflect.Message, t Type, value []byte) {
	fields := m.Descriptor().Fields()
	m.Set(fields.ByNumber(1), protoreflect.ValueOfString(t.URL()))
	m.Clear(fields.ByNumber(2))
	if len(value) > 0 {
		m.Set(fields.ByNumber(2), protoreflect.ValueOfBytes(value))
	}
}

// valueField reads content from the key "value", and refuses other keys.
func (r *reader) valueField(n *yaml.Node, pairs []*yaml.Node, content protoreflect.Message) {
	for i := 0; i < len(pairs); i += 2 {
		switch key := target(pairs[i]); key.Value {
		case "@type":
		case "value":
			r.message(pairs[i+1], content)
		default:
			r.fail(key, `unknown field %q: a %s in an Any is written as "value: …"`, key.Value, content.Descriptor().Name())
		}
	}
	if lookup(pairs, "value") == nil {
		r.fail(n, `"value" is missing: a %s in an Any is written as "value: …"`, content.Descriptor().Name())
	}
}

// opaque keeps the bytes of a type that is not known.
func (r *reader) opaque(typed *yaml.Node, t Type, pairs []*yaml.Node, m protoreflect.Message) {
	if !r.AllowOpaqueTypes {
		r.fail(typed, "%s", unknownType(t))
		return
	}
	value := lookup(pairs, "value")
	if value == nil || len(pairs) != 4 {
		r.fail(typed, `type %q is not known: its content can only be given as "value: <bytes in base64>"`, t)
		return
	}
	if b, ok := r.base64(value); ok {
		setAny(m, t, b)
	}
}

// typeAt reads the value of an "@type".
func (r *reader) typeAt(n *yaml.Node) (Type, bool) {
	if n.Kind != yaml.ScalarNode || !isText(n) {
		r.fail(n, `expected a type URL such as "type.googleapis.com/envoy…", got %s`, r.describe(n))
		return "", false
	}
	if t := TypeOfURL(n.Value); strings.Contains(n.Value, "/") && protoreflect.FullName(t).IsValid() {
		return t, true
	}
	r.fail(n, "expected a type URL, got %q: write %q", n.Value, TypeOfURL(n.Value).URL())
	return "", false
}

// lookup is the value of a key; nil if it is absent.
func lookup(pairs []*yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(pairs); i += 2 {
		if target(pairs[i]).Value == key {
			return target(pairs[i+1])
		}
	}
	return nil
}

func (r *reader) duration(n *yaml.Node, m protoreflect.Message) {
	seconds, nanos, ok := parseDuration(n.Value)
	if n.Kind != yaml.ScalarNode || !isText(n) || !ok {
		r.fail(n, `expected a duration such as "1.5s", got %s%s`, r.describe(n), durationHint(n))
		return
	}
	setTime(m, seconds, nanos)
}

// setTime fills a Duration or Timestamp.
func setTime(m protoreflect.Message, seconds int64, nanos int32) {
	fields := m.Descriptor().Fields()
	m.Set(fields.ByNumber(1), protoreflect.ValueOfInt64(seconds))
	m.Set(fields.ByNumber(2), protoreflect.ValueOfInt32(nanos))
}

// durationHint writes what was probably meant: 5 or "250ms" in seconds.
func durationHint(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		return ""
	}
	if n.Tag == "!!int" || n.Tag == "!!float" {
		if d, err := time.ParseDuration(n.Value + "s"); err == nil {
			return fmt.Sprintf(": write %q", n.Value+"s")
		} else if d != 0 {
			return ""
		}
	}
	if d, err := time.ParseDuration(n.Value); err == nil {
		return fmt.Sprintf(": write %q", formatDuration(int64(d/time.Second), int32(d%time.Second)))
	}
	return ""
}

func (r *reader) timestamp(n *yaml.Node, m protoreflect.Message) {
	at, err := time.Parse(time.RFC3339Nano, n.Value)
	if n.Kind != yaml.ScalarNode || !isText(n) || err != nil || at.Year() < 1 || at.Year() > 9999 {
		r.fail(n, `expected a time such as "2026-01-02T15:04:05Z", got %s`, r.describe(n))
		return
	}
	setTime(m, at.Unix(), int32(at.Nanosecond()))
}

func (r *reader) fieldMask(n *yaml.Node, m protoreflect.Message) {
	if n.Kind != yaml.ScalarNode || !isText(n) {
		r.fail(n, `expected field names such as "user.displayName,photo", got %s`, r.describe(n))
		return
	}
	f := m.Descriptor().Fields().ByNumber(1)
	for path := range strings.SplitSeq(n.Value, ",") {
		if path == "" {
			continue
		}
		var b strings.Builder
		for _, c := range path {
			if c >= 'A' && c <= 'Z' {
				b.WriteByte('_')
				c += 'a' - 'A'
			}
			b.WriteRune(c)
		}
		m.Mutable(f).List().Append(protoreflect.ValueOfString(b.String()))
	}
}

func (r *reader) structure(n *yaml.Node, m protoreflect.Message) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "expected a mapping (Struct), got %s", r.describe(n))
		return
	}
	r.mapping(n, m, m.Descriptor().Fields().ByName("fields"))
}

func (r *reader) listValue(n *yaml.Node, m protoreflect.Message) {
	r.list(n, m, m.Descriptor().Fields().ByName("values"))
}

// anyValue reads a google.protobuf.Value: JSON as it comes.
func (r *reader) anyValue(n *yaml.Node, m protoreflect.Message) {
	fields := m.Descriptor().Fields()
	switch {
	case n.Kind == yaml.MappingNode:
		r.structure(n, m.Mutable(fields.ByName("struct_value")).Message())
	case n.Kind == yaml.SequenceNode:
		r.listValue(n, m.Mutable(fields.ByName("list_value")).Message())
	case n.Tag == "!!null":
		m.Set(fields.ByName("null_value"), protoreflect.ValueOfEnum(0))
	case n.Tag == "!!bool":
		m.Set(fields.ByName("bool_value"), protoreflect.ValueOfBool(strings.EqualFold(n.Value, "true")))
	case n.Tag == "!!int" || n.Tag == "!!float":
		v, ok := float(n)
		if !ok || math.IsNaN(v) || math.IsInf(v, 0) {
			r.fail(n, "expected a number that is finite, got %s", r.describe(n))
			return
		}
		m.Set(fields.ByName("number_value"), protoreflect.ValueOfFloat64(v))
	default:
		m.Set(fields.ByName("string_value"), protoreflect.ValueOfString(n.Value))
	}
}
