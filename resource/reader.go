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
	r.planned(n, planOf(m.Descriptor()), m)
}

func (r *reader) planned(n *yaml.Node, p *plan, m protoreflect.Message) {
	n = target(n)
	switch {
	case p.special != nil:
		p.special(r, n, m)
	case n.Kind != yaml.MappingNode:
		r.fail(n, "expected a mapping (%s), got %s", p.md.Name(), r.describe(n))
	default:
		r.set(r.pairs(n), p, m)
	}
}

// fields sets the fields of m. "@type" is left to the caller.
func (r *reader) fields(pairs []*yaml.Node, m protoreflect.Message) {
	r.set(pairs, planOf(m.Descriptor()), m)
}

func (r *reader) set(pairs []*yaml.Node, p *plan, m protoreflect.Message) {
	var room [24]*fieldPlan
	seen := room[:0]
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := target(pairs[i]), target(pairs[i+1])
		f := p.names[key.Value]
		switch {
		case f != nil && slices.Contains(seen, f):
			if f.JSONName() != string(f.Name()) {
				r.fail(key, "%q and %q are the same field: write one", f.Name(), f.JSONName())
			}
		case f != nil:
			seen = append(seen, f)
			r.field(key, value, m, f)
		case key.Value == "@unknown" && r.AllowUnknown:
			if b, ok := r.base64(value); ok {
				m.SetUnknown(b)
			}
		case key.Value != "@type":
			if len(r.problems) >= maxProblems {
				r.suppressed++ // what may be meant takes longer to find than to read the key
				continue
			}
			r.fail(key, "%s", unknownField(key.Value, p.md))
		}
	}
}

// field reads one field of m. A null leaves it unset.
func (r *reader) field(key, n *yaml.Node, m protoreflect.Message, f *fieldPlan) {
	if n.Tag == "!!null" && !takesNull(f) {
		return
	}
	r.at.push(f)
	if f.hides {
		r.secret++
	}
	if other := chosen(m, f); other != nil {
		r.fail(key, "%q and %q exclude each other: set one", other.Name(), f.Name())
	} else {
		r.value(n, m, f)
	}
	if f.hides {
		r.secret--
	}
	r.at.pop()
}

// chosen is the field of f's oneof that m has already; nil if there is none.
func chosen(m protoreflect.Message, f *fieldPlan) protoreflect.FieldDescriptor {
	if f.oneof == nil {
		return nil
	}
	return m.WhichOneof(f.oneof)
}

func (r *reader) value(n *yaml.Node, m protoreflect.Message, f *fieldPlan) {
	switch {
	case f.isList:
		r.list(n, m, f.FieldDescriptor)
	case f.isMap:
		r.mapping(n, m, f.FieldDescriptor)
	case f.message != nil:
		v := m.NewField(f.FieldDescriptor)
		r.planned(n, f.plan(), v.Message())
		m.Set(f.FieldDescriptor, v)
	default:
		if v, ok := r.scalar(n, f.FieldDescriptor); ok {
			m.Set(f.FieldDescriptor, v)
		}
	}
}

// single reads one element of a list or map; empty makes a message to read into.
func (r *reader) single(n *yaml.Node, f protoreflect.FieldDescriptor, empty func() protoreflect.Value) (protoreflect.Value, bool) {
	if f.Message() == nil {
		return r.scalar(n, f)
	}
	v := empty()
	r.message(n, v.Message())
	return v, true
}

// takesNull reports whether null is a value of f, and does not mean unset.
func takesNull(f protoreflect.FieldDescriptor) bool {
	if f.IsList() || f.IsMap() {
		return false
	}
	return f.Message() != nil && f.Message().FullName() == "google.protobuf.Value" ||
		f.Enum() != nil && f.Enum().FullName() == "google.protobuf.NullValue"
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
		if c.Tag == "!!null" && (f.Message() == nil || f.Message().FullName() != "google.protobuf.Value") {
			r.fail(c, "expected %s, got null", expected(f))
			list.Append(list.NewElement()) // so that the others keep their index
		} else if v, ok := r.single(c, f, list.NewElement); ok {
			list.Append(v)
		} else {
			list.Append(list.NewElement())
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
