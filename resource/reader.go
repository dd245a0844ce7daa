package resource

import (
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxProblems is how many problems of one input are listed.
const maxProblems = 1000

// reader turns nodes into messages and collects all that is wrong. It is for
// one goroutine and one file.
type reader struct {
	Decoder
	file       string
	typ, name  string // of the resource being read, for problems
	at         trail
	secret     int // > 0 within what holds key material: values are not repeated in problems
	problems   Problems
	suppressed int // problems beyond maxProblems
	reported   map[known]bool
}

// known is a problem that was reported.
type known struct {
	line, column int
	message      string
}

func (r *reader) fail(n *yaml.Node, format string, args ...any) {
	r.report(Problem{Line: n.Line, Column: n.Column, Path: r.at.String(), Message: fmt.Sprintf(format, args...)})
}

func (r *reader) report(p Problem) {
	if p.Line > 0 {
		at := known{p.Line, p.Column, p.Message}
		if r.reported[at] {
			return // once for each alias of one mapping
		}
		if r.reported == nil {
			r.reported = map[known]bool{}
		}
		r.reported[at] = true
	}
	if len(r.problems) >= maxProblems {
		r.suppressed++
		return
	}
	p.File, p.Type, p.Name = r.file, r.typ, r.name
	r.problems = append(r.problems, p)
}

// message reads n into m.
func (r *reader) message(n *yaml.Node, m protoreflect.Message) {
	n = target(n)
	if special, ok := wellKnown[m.Descriptor().FullName()]; ok {
		special(r, n, m)
		return
	}
	if n.Kind != yaml.MappingNode {
		r.fail(n, "expected a mapping (%s), got %s", m.Descriptor().Name(), r.describe(n))
		return
	}
	r.fields(r.pairs(n), m)
}

// fields sets the fields of m. "@type" is left to the caller.
func (r *reader) fields(pairs []*yaml.Node, m protoreflect.Message) {
	known := m.Descriptor().Fields()
	var room [24]protoreflect.FieldNumber
	seen := room[:0]
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := target(pairs[i]), target(pairs[i+1])
		f := known.ByName(protoreflect.Name(key.Value))
		if f == nil {
			f = known.ByJSONName(key.Value)
		}
		switch {
		case f != nil && slices.Contains(seen, f.Number()):
			if f.JSONName() != string(f.Name()) {
				r.fail(key, "%q and %q are the same field: write one", f.Name(), f.JSONName())
			}
		case f != nil:
			seen = append(seen, f.Number())
			r.field(key, value, m, f)
		case key.Value == "@unknown" && r.AllowUnknown:
			if b, ok := r.base64(value); ok {
				m.SetUnknown(b)
			}
		case key.Value != "@type":
			r.fail(key, "%s", unknownField(key.Value, m.Descriptor()))
		}
	}
}

// field reads one field of m. A null leaves it unset.
func (r *reader) field(key, n *yaml.Node, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	if n.Tag == "!!null" && !takesNull(f) {
		return
	}
	r.at.push(f)
	defer r.at.pop()
	if sensitive(f) {
		r.secret++
		defer func() { r.secret-- }()
	}
	if one := f.ContainingOneof(); one != nil && !one.IsSynthetic() {
		if other := m.WhichOneof(one); other != nil {
			r.fail(key, "%q and %q exclude each other: set one", other.Name(), f.Name())
			return
		}
	}
	switch {
	case f.IsList():
		r.list(n, m, f)
	case f.IsMap():
		r.mapping(n, m, f)
	default:
		if v, ok := r.single(n, f, func() protoreflect.Value { return m.NewField(f) }); ok {
			m.Set(f, v)
		}
	}
}

// takesNull reports whether null is a value of f, and does not mean unset.
func takesNull(f protoreflect.FieldDescriptor) bool {
	if f.IsList() || f.IsMap() {
		return false
	}
	return f.Message() != nil && f.Message().FullName() == "google.protobuf.Value" ||
		f.Enum() != nil && f.Enum().FullName() == "google.protobuf.NullValue"
}

// single reads one value; empty makes a message to read into.
func (r *reader) single(n *yaml.Node, f protoreflect.FieldDescriptor, empty func() protoreflect.Value) (protoreflect.Value, bool) {
	if f.Message() == nil {
		return r.scalar(n, f)
	}
	v := empty()
	r.message(n, v.Message())
	return v, true
}

func (r *reader) list(n *yaml.Node, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	if n.Kind != yaml.SequenceNode {
		r.fail(n, "expected a list, each element %s; got %s", expected(f), r.describe(n))
		return
	}
	list := m.Mutable(f).List()
	for i, c := range n.Content {
		c = target(c)
		r.at.pushIndex(i)
		if c.Tag == "!!null" && !(f.Message() != nil && f.Message().FullName() == "google.protobuf.Value") {
			r.fail(c, "expected %s, got null", expected(f))
		} else if v, ok := r.single(c, f, list.NewElement); ok {
			list.Append(v)
		}
		r.at.pop()
	}
}

func (r *reader) mapping(n *yaml.Node, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	if n.Kind != yaml.MappingNode {
		r.fail(n, "expected a mapping, each value %s; got %s", expected(f.MapValue()), r.describe(n))
		return
	}
	entries := m.Mutable(f).Map()
	pairs := r.pairs(n)
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := target(pairs[i]), target(pairs[i+1])
		r.at.pushKey(key.Value)
		k, ok := mapKey(key.Value, f.MapKey().Kind())
		switch {
		case !ok:
			r.fail(key, "expected %s as key, got %q", expected(f.MapKey()), key.Value)
		case value.Tag == "!!null" && !takesNull(f.MapValue()):
			r.fail(value, "expected %s, got null", expected(f.MapValue()))
		default:
			if v, ok := r.single(value, f.MapValue(), entries.NewValue); ok {
				entries.Set(k, v)
			}
		}
		r.at.pop()
	}
}

// mapKey parses a map's key, which JSON writes as a string.
func mapKey(s string, k protoreflect.Kind) (protoreflect.MapKey, bool) {
	switch k {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(s).MapKey(), true
	case protoreflect.BoolKind:
		return protoreflect.ValueOfBool(s == "true").MapKey(), s == "true" || s == "false"
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		v, err := strconv.ParseInt(s, 10, 32)
		return protoreflect.ValueOfInt32(int32(v)).MapKey(), err == nil
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		v, err := strconv.ParseInt(s, 10, 64)
		return protoreflect.ValueOfInt64(v).MapKey(), err == nil
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		v, err := strconv.ParseUint(s, 10, 32)
		return protoreflect.ValueOfUint32(uint32(v)).MapKey(), err == nil
	}
	v, err := strconv.ParseUint(s, 10, 64)
	return protoreflect.ValueOfUint64(v).MapKey(), err == nil
}
