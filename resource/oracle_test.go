package resource

import (
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// oracle writes the canonical form straight from its definition, by
// reflection alone: slow, and with nothing in common with encoder.
type oracle struct{ depth int }

func (o *oracle) message(b []byte, m protoreflect.Message) []byte {
	o.depth++
	defer func() { o.depth-- }()
	var fields []protoreflect.FieldDescriptor
	for f := range m.Range {
		fields = append(fields, f)
	}
	slices.SortFunc(fields, func(a, b protoreflect.FieldDescriptor) int { return int(a.Number() - b.Number()) })
	if content := anyContent(m); content != nil {
		url, _ := anyParts(m)
		b = protowire.AppendTag(b, 1, protowire.BytesType)
		b = protowire.AppendString(b, TypeOfURL(url).URL())
		if inner := (&oracle{depth: 1}).message(nil, content); len(inner) > 0 {
			b = protowire.AppendTag(b, 2, protowire.BytesType)
			b = protowire.AppendBytes(b, inner)
		}
		return b
	}
	for _, f := range fields {
		b = o.field(b, m, f)
	}
	return b
}

func anyContent(m protoreflect.Message) protoreflect.Message {
	if m.Descriptor().FullName() != "google.protobuf.Any" {
		return nil
	}
	return unpacked(m)
}

func (o *oracle) field(b []byte, m protoreflect.Message, f protoreflect.FieldDescriptor) []byte {
	v := m.Get(f)
	switch {
	case f.IsMap():
		return o.mapEntries(b, v.Map(), f)
	case f.IsList() && f.IsPacked():
		b = protowire.AppendTag(b, f.Number(), protowire.BytesType)
		start := len(b)
		for i := range v.List().Len() {
			b = o.scalar(b, v.List().Get(i), f)
		}
		return prefixLength(b, start)
	case f.IsList():
		list := v.List()
		for _, i := range hostOrder(o, m, f, list) {

			b = o.single(b, list.Get(i), f)

		}
		return b
	}
	return o.single(b, v, f)
}

// single appends one value with its tag.
func (o *oracle) single(b []byte, v protoreflect.Value, f protoreflect.FieldDescriptor) []byte {
	switch f.Kind() {
	case protoreflect.MessageKind:
		b = protowire.AppendTag(b, f.Number(), protowire.BytesType)
		start := len(b)
		return prefixLength(o.message(b, v.Message()), start)
	case protoreflect.GroupKind:
		b = protowire.AppendTag(b, f.Number(), protowire.StartGroupType)
		b = o.message(b, v.Message())
		return protowire.AppendTag(b, f.Number(), protowire.EndGroupType)
	}
	b = protowire.AppendTag(b, f.Number(), wireTypes[f.Kind()])
	return o.scalar(b, v, f)
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
func (o *oracle) scalar(b []byte, v protoreflect.Value, f protoreflect.FieldDescriptor) []byte {
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
		return protowire.AppendString(b, v.String())
	}
	return protowire.AppendBytes(b, v.Bytes())
}

func (o *oracle) mapEntries(b []byte, m protoreflect.Map, f protoreflect.FieldDescriptor) []byte {
	for _, k := range sortedKeys(m) {

		b = protowire.AppendTag(b, f.Number(), protowire.BytesType)
		start := len(b)
		b = o.single(b, k.Value(), f.MapKey())
		b = o.single(b, m.Get(k), f.MapValue())
		b = prefixLength(b, start)

	}
	return b
}

// hostOrder is the order in which a list's elements are written.
func hostOrder(o *oracle, m protoreflect.Message, f protoreflect.FieldDescriptor, list protoreflect.List) []int {
	order := make([]int, list.Len())
	for i := range order {
		order[i] = i
	}
	if o.depth == 1 && m.Descriptor().FullName() == Route.fullName() && f.Name() == "virtual_hosts" {
		name := f.Message().Fields().ByName("name")
		slices.SortStableFunc(order, func(a, b int) int {
			return strings.Compare(list.Get(a).Message().Get(name).String(), list.Get(b).Message().Get(name).String())
		})
	}
	return order
}
