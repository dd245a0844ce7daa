package resource

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxDepth is how deep messages may nest, counted through Any values. Envoy's
// own parser stops at 100 within one Any.
const maxDepth = 200

// encoder writes messages in canonical form: what protobuf cannot tell apart
// comes out as the same bytes, in every process and every build.
//
//   - fields go in ascending number, unknown ones after them, by number;
//   - map entries go by key, always with key and value;
//   - scalars without presence are left out at their default; everything with
//     presence (wrappers, empty messages, oneofs, optional) stays;
//   - numbers take the fewest bytes; packable lists are packed as their
//     schema says; a NaN has one pattern;
//   - an Any holds its content in canonical form under a type.googleapis.com
//     URL; one of unknown type keeps its bytes.
//
// Lists keep their order, but for the virtual hosts of a RouteConfiguration
// that is itself the resource: they go by name.
type encoder struct {
	allowUnknown bool       // fields
	allowOpaque  bool       // types of Any values
	validator    *validator // checks messages as they are written; nil: nobody does

	at       trail
	depth    int
	problems Problems
}

// plan is what the encoder knows of a message type.
type plan struct {
	fields   []protoreflect.FieldDescriptor // ascending number
	messages []protoreflect.FieldDescriptor // those of fields that hold messages
	any      bool
	bare     bool                        // JSON writes its content without the names of its fields
	check    func(proto.Message) []fault // nil: none
}

var plans sync.Map // protoreflect.MessageDescriptor → *plan

func planOf(md protoreflect.MessageDescriptor) *plan {
	if p, ok := plans.Load(md); ok {
		return p.(*plan)
	}
	p := &plan{any: md.FullName() == "google.protobuf.Any", check: checks[md.FullName()]}
	switch md.FullName() {
	case "google.protobuf.Struct", "google.protobuf.Value", "google.protobuf.ListValue":
		p.bare = true
	default:
		p.bare = wrapped(md) != nil
	}
	for i := range md.Fields().Len() {
		p.fields = append(p.fields, md.Fields().Get(i))
	}
	slices.SortFunc(p.fields, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number() - b.Number()) })
	for _, f := range p.fields {
		if f.Message() != nil && (!f.IsMap() || f.MapValue().Message() != nil) {
			p.messages = append(p.messages, f)
		}
	}
	kept, _ := plans.LoadOrStore(md, p)
	return kept.(*plan)
}

func (e *encoder) problem(format string, args ...any) {
	e.problems = append(e.problems, Problem{Path: e.at.String(), Message: fmt.Sprintf(format, args...)})
}

// message appends m without a length.
func (e *encoder) message(b []byte, m protoreflect.Message) []byte {
	if e.depth >= maxDepth {
		e.problem("messages nest deeper than %d", maxDepth)
		return b
	}
	e.depth++
	defer func() { e.depth-- }()
	p := planOf(m.Descriptor())
	if p.any {
		return e.any(b, m)
	}
	if e.validator != nil && p.check != nil {
		e.validator.report(e.at, p.check(m.Interface())...)
	}
	for _, f := range p.fields {
		switch {
		case !m.Has(f):
		case p.bare:
			b = e.field(b, m, f)
		default:
			e.at.push(f)
			b = e.field(b, m, f)
			e.at.pop()
		}
	}
	return e.unknown(b, m.GetUnknown())
}

func (e *encoder) field(b []byte, m protoreflect.Message, f protoreflect.FieldDescriptor) []byte {
	v := m.Get(f)
	switch {
	case f.IsMap():
		return e.mapEntries(b, v.Map(), f)
	case f.IsList() && f.IsPacked():
		b = protowire.AppendTag(b, f.Number(), protowire.BytesType)
		start := len(b)
		for i := range v.List().Len() {
			b = e.scalar(b, v.List().Get(i), f)
		}
		return prefixLength(b, start)
	case f.IsList():
		list := v.List()
		for _, i := range e.order(m, f, list) {
			e.at.pushIndex(i)
			b = e.single(b, list.Get(i), f)
			e.at.pop()
		}
		return b
	}
	return e.single(b, v, f)
}

// order is the order in which a list's elements are written.
func (e *encoder) order(m protoreflect.Message, f protoreflect.FieldDescriptor, list protoreflect.List) []int {
	order := make([]int, list.Len())
	for i := range order {
		order[i] = i
	}
	if e.depth == 1 && f.Name() == "virtual_hosts" && m.Descriptor().FullName() == protoreflect.FullName(Route) {
		name := f.Message().Fields().ByName("name")
		slices.SortStableFunc(order, func(a, b int) int {
			return strings.Compare(list.Get(a).Message().Get(name).String(), list.Get(b).Message().Get(name).String())
		})
	}
	return order
}

// single appends one value with its tag.
func (e *encoder) single(b []byte, v protoreflect.Value, f protoreflect.FieldDescriptor) []byte {
	switch f.Kind() {
	case protoreflect.MessageKind:
		b = protowire.AppendTag(b, f.Number(), protowire.BytesType)
		start := len(b)
		return prefixLength(e.message(b, v.Message()), start)
	case protoreflect.GroupKind:
		b = protowire.AppendTag(b, f.Number(), protowire.StartGroupType)
		b = e.message(b, v.Message())
		return protowire.AppendTag(b, f.Number(), protowire.EndGroupType)
	}
	b = protowire.AppendTag(b, f.Number(), wireTypes[f.Kind()])
	return e.scalar(b, v, f)
}

// prefixLength puts the length of b[start:] before it.
func prefixLength(b []byte, start int) []byte {
	n := len(b) - start
	size := protowire.SizeVarint(uint64(n))
	b = append(b, make([]byte, size)...)
	copy(b[start+size:], b[start:start+n])
	protowire.AppendVarint(b[:start], uint64(n))
	return b
}

var wireTypes = map[protoreflect.Kind]protowire.Type{
	protoreflect.BoolKind: protowire.VarintType, protoreflect.EnumKind: protowire.VarintType,
	protoreflect.Int32Kind: protowire.VarintType, protoreflect.Sint32Kind: protowire.VarintType,
	protoreflect.Uint32Kind: protowire.VarintType, protoreflect.Int64Kind: protowire.VarintType,
	protoreflect.Sint64Kind: protowire.VarintType, protoreflect.Uint64Kind: protowire.VarintType,
	protoreflect.Sfixed32Kind: protowire.Fixed32Type, protoreflect.Fixed32Kind: protowire.Fixed32Type,
	protoreflect.FloatKind: protowire.Fixed32Type, protoreflect.Sfixed64Kind: protowire.Fixed64Type,
	protoreflect.Fixed64Kind: protowire.Fixed64Type, protoreflect.DoubleKind: protowire.Fixed64Type,
	protoreflect.StringKind: protowire.BytesType, protoreflect.BytesKind: protowire.BytesType,
}

// scalar appends one value without its tag.
func (e *encoder) scalar(b []byte, v protoreflect.Value, f protoreflect.FieldDescriptor) []byte {
	switch f.Kind() {
	case protoreflect.BoolKind:
		return protowire.AppendVarint(b, protowire.EncodeBool(v.Bool()))
	case protoreflect.EnumKind:
		return protowire.AppendVarint(b, uint64(v.Enum()))
	case protoreflect.Int32Kind, protoreflect.Int64Kind:
		return protowire.AppendVarint(b, uint64(v.Int()))
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		return protowire.AppendVarint(b, protowire.EncodeZigZag(v.Int()))
	case protoreflect.Uint32Kind, protoreflect.Uint64Kind:
		return protowire.AppendVarint(b, v.Uint())
	case protoreflect.Sfixed32Kind:
		return protowire.AppendFixed32(b, uint32(v.Int()))
	case protoreflect.Fixed32Kind:
		return protowire.AppendFixed32(b, uint32(v.Uint()))
	case protoreflect.Sfixed64Kind:
		return protowire.AppendFixed64(b, uint64(v.Int()))
	case protoreflect.Fixed64Kind:
		return protowire.AppendFixed64(b, v.Uint())
	case protoreflect.FloatKind:
		if x := v.Float(); x == x {
			return protowire.AppendFixed32(b, math.Float32bits(float32(x)))
		}
		return protowire.AppendFixed32(b, 0x7fc00000)
	case protoreflect.DoubleKind:
		if x := v.Float(); x == x {
			return protowire.AppendFixed64(b, math.Float64bits(x))
		}
		return protowire.AppendFixed64(b, 0x7ff8000000000000)
	case protoreflect.StringKind:
		if !utf8.ValidString(v.String()) {
			e.problem("is not valid UTF-8")
		}
		return protowire.AppendString(b, v.String())
	}
	return protowire.AppendBytes(b, v.Bytes())
}

func (e *encoder) mapEntries(b []byte, m protoreflect.Map, f protoreflect.FieldDescriptor) []byte {
	for _, k := range sortedKeys(m) {
		e.at.pushKey(k.String())
		b = protowire.AppendTag(b, f.Number(), protowire.BytesType)
		start := len(b)
		b = e.single(b, k.Value(), f.MapKey())
		b = e.single(b, m.Get(k), f.MapValue())
		b = prefixLength(b, start)
		e.at.pop()
	}
	return b
}

func sortedKeys(m protoreflect.Map) []protoreflect.MapKey {
	keys := make([]protoreflect.MapKey, 0, m.Len())
	for k := range m.Range {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, compareKeys)
	return keys
}

// compareKeys orders map keys: numbers by value, strings by byte, false first.
func compareKeys(a, b protoreflect.MapKey) int {
	switch x := a.Interface().(type) {
	case bool:
		return int(protowire.EncodeBool(x)) - int(protowire.EncodeBool(b.Bool()))
	case string:
		return strings.Compare(x, b.String())
	case int32, int64:
		return cmp.Compare(a.Int(), b.Int())
	}
	return cmp.Compare(a.Uint(), b.Uint())
}

// Equal reports whether two messages have the same canonical form. Messages
// that New would refuse for their content are compared by what can be encoded.
func Equal(a, b proto.Message) bool {
	x, y := encoder{allowUnknown: true, allowOpaque: true}, encoder{allowUnknown: true, allowOpaque: true}
	return a.ProtoReflect().Descriptor().FullName() == b.ProtoReflect().Descriptor().FullName() &&
		string(x.message(nil, a.ProtoReflect())) == string(y.message(nil, b.ProtoReflect()))
}
