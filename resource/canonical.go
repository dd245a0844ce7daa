package resource

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
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
//
// It lets protobuf marshal a message, which settles everything but order,
// and then puts the bytes in order: nothing depends on the order in which a
// build of protobuf happens to write.
type encoder struct {
	allowUnknown bool       // fields
	allowOpaque  bool       // types of Any values
	validator    *validator // checks messages as they are written; nil: nobody does

	at       trail
	depth    int
	chunks   []chunk // of the messages being written, the innermost last
	problems Problems
}

// chunk is one field as it was marshalled.
type chunk struct {
	field  *fieldPlan // nil: unknown
	number protowire.Number
	wire   protowire.Type
	tag    int    // length of the tag
	bytes  []byte // with the tag
	index  int    // in its list
}

// content is what a length stands before.
func (c chunk) content() []byte {
	b, _ := protowire.ConsumeBytes(c.bytes[c.tag:])
	return b
}

func (e *encoder) problem(format string, args ...any) {
	e.problems = append(e.problems, Problem{Path: e.at.String(), Message: fmt.Sprintf(format, args...)})
}

// encode appends m without a length. m is of generated code.
func (e *encoder) encode(b []byte, m protoreflect.Message) []byte {
	wire, err := proto.MarshalOptions{AllowPartial: true}.Marshal(m.Interface())
	if err != nil {
		e.unreadable(m, err)
		return b
	}
	return e.message(b, planOf(m.Descriptor()), wire)
}

// unreadable says where m holds a string that is not UTF-8.
func (e *encoder) unreadable(m protoreflect.Message, err error) {
	found := len(e.problems)
	w := walk{}
	w.visit = func(m protoreflect.Message) {
		for f, v := range m.Range {
			if f.Kind() == protoreflect.StringKind && !f.IsList() && !f.IsMap() && !utf8.ValidString(v.String()) {
				e.problems = append(e.problems, Problem{Path: strings.TrimPrefix(w.at.String()+"."+string(f.Name()), "."), Message: "is not valid UTF-8"})
			}
		}
	}
	w.message(m)
	if len(e.problems) == found {
		e.problem("%v", err)
	}
}

// message appends a message that protobuf marshalled.
func (e *encoder) message(b []byte, p *plan, wire []byte) []byte {
	if e.depth >= maxDepth {
		e.problem("messages nest deeper than %d", maxDepth)
		return b
	}
	e.depth++
	defer func() { e.depth-- }()
	if p.any {
		return e.any(b, wire)
	}
	if e.validator != nil && p.check != nil {
		e.validator.report(e.at, p.check(wire)...)
	}
	base := len(e.chunks)
	if !e.scan(p, wire) {
		e.problem("holds malformed bytes")
		return b
	}
	end := len(e.chunks)
	for i := base; i < end; {
		j := i + 1
		for j < end && e.chunks[j].number == e.chunks[i].number && e.chunks[j].field == e.chunks[i].field {
			j++
		}
		b = e.run(b, p, i, j)
		i = j
	}
	clear(e.chunks[base:end])
	e.chunks = e.chunks[:base]
	return b
}

// scan cuts a message into chunks, in canonical order.
func (e *encoder) scan(p *plan, wire []byte) bool {
	base, sorted, last := len(e.chunks), true, protowire.Number(0)
	for len(wire) > 0 {
		number, typ, n := protowire.ConsumeTag(wire)
		if n < 0 {
			return false
		}
		size := protowire.ConsumeFieldValue(number, typ, wire[n:])
		if size < 0 {
			return false
		}
		c := chunk{p.field(number), number, typ, n, wire[:n+size], 0}
		if c.field != nil && !c.field.takes(typ) {
			c.field = nil
		}
		sorted = sorted && number >= last && c.field != nil
		last = number
		e.chunks = append(e.chunks, c)
		wire = wire[n+size:]
	}
	if !sorted {
		slices.SortStableFunc(e.chunks[base:], func(a, b chunk) int {
			if (a.field == nil) != (b.field == nil) {
				if a.field == nil {
					return 1
				}
				return -1
			}
			return int(a.number) - int(b.number)
		})
	}
	return true
}

// run appends the chunks from i to j, which are of one field.
func (e *encoder) run(b []byte, p *plan, i, j int) []byte {
	f := e.chunks[i].field
	if f == nil {
		for ; i < j; i++ {
			b = e.unknown(b, e.chunks[i])
		}
		return b
	}
	if !p.bare {
		e.at.push(f.FieldDescriptor)
		defer e.at.pop()
	}
	switch {
	case f.isMap:
		return e.entries(b, f, e.chunks[i:j:j])
	case f.message == nil:
		for ; i < j; i++ {
			b = append(b, steady(f, e.chunks[i])...)
		}
		return b
	case !f.IsList():
		return e.nested(b, f, e.chunks[i])
	}
	for k := i; k < j; k++ {
		e.chunks[k].index = k - i
	}
	if e.depth == 1 && f.Number() == routeHosts && p.md.FullName() == Route.fullName() {
		slices.SortStableFunc(e.chunks[i:j], func(x, y chunk) int {
			a, _ := hostNameOf(x.content())
			b, _ := hostNameOf(y.content())
			return strings.Compare(a, b)
		})
	}
	for ; i < j; i++ {
		e.at.pushIndex(e.chunks[i].index)
		b = e.nested(b, f, e.chunks[i])
		e.at.pop()
	}
	return b
}

// nested appends a message with its tag and length.
func (e *encoder) nested(b []byte, f *fieldPlan, c chunk) []byte {
	if c.wire != protowire.BytesType {
		return append(b, c.bytes...) // a group, which proto3 lacks
	}
	b = append(b, c.bytes[:c.tag]...)
	start := len(b)
	return prefixLength(e.message(b, f.plan(), c.content()), start)
}

// prefixLength puts the length of b[start:] before it.
func prefixLength(b []byte, start int) []byte {
	n := len(b) - start
	size := protowire.SizeVarint(uint64(n))
	var room [10]byte
	b = append(b, room[:size]...)
	copy(b[start+size:], b[start:start+n])
	protowire.AppendVarint(b[:start], uint64(n))
	return b
}

// steady gives NaNs one pattern; all else is steady already.
func steady(f *fieldPlan, c chunk) []byte {
	if f.kind != protoreflect.FloatKind && f.kind != protoreflect.DoubleKind {
		return c.bytes
	}
	width := 8
	if f.kind == protoreflect.FloatKind {
		width = 4
	}
	numbers := c.bytes[c.tag:]
	if c.wire == protowire.BytesType {
		numbers = c.content()
	}
	out := slices.Clone(c.bytes[:len(c.bytes)-len(numbers)])
	for ; len(numbers) >= width; numbers = numbers[width:] {
		if width == 4 {
			v, _ := protowire.ConsumeFixed32(numbers)
			if math.Float32frombits(v) != math.Float32frombits(v) {
				v = 0x7fc00000
			}
			out = protowire.AppendFixed32(out, v)
			continue
		}
		v, _ := protowire.ConsumeFixed64(numbers)
		if math.IsNaN(math.Float64frombits(v)) {
			v = 0x7ff8000000000000
		}
		out = protowire.AppendFixed64(out, v)
	}
	return out
}

// entry is one of a map: its fields as they were marshalled.
type entry struct {
	key, value chunk
	number     uint64 // orders keys that are no strings
	name       string // the key, for people and for the order of strings
}

// entries appends a map by its keys.
func (e *encoder) entries(b []byte, f *fieldPlan, chunks []chunk) []byte {
	all := make([]entry, 0, len(chunks))
	for _, c := range chunks {
		all = append(all, entryOf(f, c))
	}
	slices.SortFunc(all, func(x, y entry) int {
		if f.MapKey().Kind() == protoreflect.StringKind {
			return strings.Compare(x.name, y.name)
		}
		return cmp.Compare(x.number, y.number)
	})
	for i, one := range all {
		b = append(b, chunks[i].bytes[:chunks[i].tag]...)
		start := len(b)
		b = append(b, one.key.bytes...)
		e.at.pushKey(one.name)
		if f.message != nil {
			b = e.nested(b, f, one.value)
		} else {
			b = append(b, steady(f, one.value)...)
		}
		e.at.pop()
		b = prefixLength(b, start)
	}
	return b
}

// entryOf reads a map's entry. protobuf writes both its fields.
func entryOf(f *fieldPlan, c chunk) (one entry) {
	for b := c.content(); len(b) > 0; {
		number, typ, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, typ, b[max(n, 0):])
		if n < 0 || size < 0 {
			break
		}
		if part := (chunk{nil, number, typ, n, b[:n+size], 0}); number == 1 {
			one.key = part
		} else {
			one.value = part
		}
		b = b[n+size:]
	}
	key := one.key.bytes[one.key.tag:]
	if kind := f.MapKey().Kind(); kind == protoreflect.StringKind {
		one.name = string(one.key.content())
	} else {
		one.number, one.name = keyNumber(kind, one.key.wire, key)
	}
	return one
}

// keyNumber is a number or boolean as one that sorts like it, and as text.
func keyNumber(kind protoreflect.Kind, wire protowire.Type, b []byte) (uint64, string) {
	var v uint64
	switch wire {
	case protowire.Fixed32Type:
		x, _ := protowire.ConsumeFixed32(b)
		if v = uint64(x); kind == protoreflect.Sfixed32Kind {
			v = uint64(int64(int32(x)))
		}
	case protowire.Fixed64Type:
		v, _ = protowire.ConsumeFixed64(b)
	default:
		v, _ = protowire.ConsumeVarint(b)
	}
	switch kind {
	case protoreflect.Sint32Kind, protoreflect.Sint64Kind:
		v = uint64(protowire.DecodeZigZag(v))
	case protoreflect.BoolKind, protoreflect.Uint32Kind, protoreflect.Uint64Kind, protoreflect.Fixed32Kind, protoreflect.Fixed64Kind:
		return v, strconv.FormatUint(v, 10)
	}
	return v ^ 1<<63, strconv.FormatInt(int64(v), 10)
}

// sortedKeys is a map's keys: numbers by value, strings by byte, false first.
func sortedKeys(m protoreflect.Map) []protoreflect.MapKey {
	keys := make([]protoreflect.MapKey, 0, m.Len())
	for k := range m.Range {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b protoreflect.MapKey) int {
		switch x := a.Interface().(type) {
		case bool:
			return int(protowire.EncodeBool(x)) - int(protowire.EncodeBool(b.Bool()))
		case string:
			return strings.Compare(x, b.String())
		case int32, int64:
			return cmp.Compare(a.Int(), b.Int())
		}
		return cmp.Compare(a.Uint(), b.Uint())
	})
	return keys
}

// Equal reports whether two messages have the same canonical form. Messages
// that New would refuse for their content are compared by what can be encoded.
func Equal(a, b proto.Message) bool {
	x, y := encoder{allowUnknown: true, allowOpaque: true}, encoder{allowUnknown: true, allowOpaque: true}
	return a.ProtoReflect().Descriptor().FullName() == b.ProtoReflect().Descriptor().FullName() &&
		string(x.encode(nil, a.ProtoReflect())) == string(y.encode(nil, b.ProtoReflect()))
}
