package resource

import (
	"slices"
	"sync"
	"sync/atomic"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// plan is what walks need to know of a message type, made once.
type plan struct {
	md       protoreflect.MessageDescriptor
	fields   []protoreflect.FieldDescriptor // ascending number
	messages []protoreflect.FieldDescriptor // those of fields that hold messages
	known    []*fieldPlan                   // by number, up to maxIndexed
	far      map[protowire.Number]*fieldPlan
	names    map[string]*fieldPlan // in both spellings
	any      bool
	bare     bool                                            // JSON writes its content without the names of its fields
	check    func([]byte) []fault                            // nil: none
	special  func(*reader, *yaml.Node, protoreflect.Message) // reads what JSON writes in a form of its own; nil: none
}

// fieldPlan is a field and the plan of the messages that it holds.
type fieldPlan struct {
	protoreflect.FieldDescriptor
	kind    protoreflect.Kind // of a map's values, for a map
	message protoreflect.MessageDescriptor
	isMap   bool
	isList  bool
	hides   bool // holds key material, whatever stands beside it
	wire    protowire.Type
	oneof   protoreflect.OneofDescriptor
	child   atomic.Pointer[plan]
}

// maxIndexed is the highest field number that is looked up by index.
const maxIndexed = 255

var plans sync.Map // protoreflect.MessageDescriptor → *plan

func planOf(md protoreflect.MessageDescriptor) *plan {
	if p, ok := plans.Load(md); ok {
		return p.(*plan)
	}
	p := &plan{md: md, any: md.FullName() == "google.protobuf.Any", check: checks[md.FullName()], special: wellKnown[md.FullName()],
		far: map[protowire.Number]*fieldPlan{}, names: map[string]*fieldPlan{}}
	if short := shorthands[md.FullName()]; short != nil {
		p.special = short
	}
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
		p.index(f)
	}
	for _, f := range p.fields { // proto names win over JSON names
		p.names[string(f.Name())] = p.field(f.Number())
	}
	kept, _ := plans.LoadOrStore(md, p)
	return kept.(*plan)
}

func (p *plan) index(f protoreflect.FieldDescriptor) {
	fp := &fieldPlan{FieldDescriptor: f, kind: f.Kind(), message: f.Message(), isMap: f.IsMap(), isList: f.IsList(), hides: sensitive(f)}
	if one := f.ContainingOneof(); one != nil && !one.IsSynthetic() {
		fp.oneof = one
	}
	p.names[f.JSONName()] = fp
	if f.IsMap() {
		fp.kind, fp.message = f.MapValue().Kind(), f.MapValue().Message()
	}
	fp.wire = wireOf(fp)
	if f.Number() > maxIndexed {
		p.far[f.Number()] = fp
		return
	}
	for len(p.known) <= int(f.Number()) {
		p.known = append(p.known, nil)
	}
	p.known[f.Number()] = fp
}

// wireOf is the wire type of a field's single elements (protobuf, "Encoding").
func wireOf(f *fieldPlan) protowire.Type {
	switch {
	case f.isMap:
		return protowire.BytesType
	case f.kind == protoreflect.GroupKind:
		return protowire.StartGroupType
	}
	switch f.kind {
	case protoreflect.MessageKind, protoreflect.StringKind, protoreflect.BytesKind:
		return protowire.BytesType
	case protoreflect.Fixed32Kind, protoreflect.Sfixed32Kind, protoreflect.FloatKind:
		return protowire.Fixed32Type
	case protoreflect.Fixed64Kind, protoreflect.Sfixed64Kind, protoreflect.DoubleKind:
		return protowire.Fixed64Type
	}
	return protowire.VarintType
}

// takes reports whether a field of this wire type is f: of another one, it is
// an unknown field that has f's number. Lists of numbers may be packed.
func (f *fieldPlan) takes(wire protowire.Type) bool {
	return wire == f.wire || f.isList && f.message == nil && wire == protowire.BytesType
}

// field is the field of a number; nil if there is none.
func (p *plan) field(n protowire.Number) *fieldPlan {
	if int(n) < len(p.known) {
		return p.known[n]
	}
	return p.far[n]
}

// plan is that of the messages which f holds.
func (f *fieldPlan) plan() *plan {
	if p := f.child.Load(); p != nil {
		return p
	}
	p := planOf(f.message)
	f.child.Store(p)
	return p
}
