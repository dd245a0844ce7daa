package resource

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Redacted stands for key material in whatever people see.
const Redacted = "[redacted]"

// Masked is r's message with key material replaced by Redacted: a copy for
// people's eyes.
func (r *Resource) Masked() (proto.Message, error) {
	m, err := r.Message()
	if err != nil {
		return nil, err
	}
	return Mask(m), nil
}

// Mask is a copy of m in which every field that holds key material reads
// Redacted, at any depth inside of Any: what Envoy's protos mark as sensitive,
// tokens that they forget to mark, and values of headers such as
// authorization. Names of files and environment variables stay. What no
// schema describes (opaque Any values, unknown fields) is left out, as it
// may hold anything.
func Mask(m proto.Message) proto.Message {
	c := proto.Clone(m)
	masker{}.message(c.ProtoReflect(), false)
	return c
}

type masker struct{}

// message masks m in place; secret is true within a field that hides.
func (k masker) message(m protoreflect.Message, secret bool) {
	m.SetUnknown(nil)
	if planOf(m.Descriptor()).any {
		k.any(m, secret)
		return
	}
	for _, f := range planOf(m.Descriptor()).fields {
		if m.Has(f) {
			k.field(m, f, secret || hides(m, f))
		}
	}
}

func (k masker) any(m protoreflect.Message, secret bool) {
	url, _ := anyParts(m)
	content := unpacked(m)
	if content == nil {
		m.Clear(m.Descriptor().Fields().ByNumber(2))
		return
	}
	k.message(content, secret)
	if b, err := proto.Marshal(content.Interface()); err == nil {
		setAny(m, TypeOfURL(url), b)
	}
}

func (k masker) field(m protoreflect.Message, f protoreflect.FieldDescriptor, secret bool) {
	switch {
	case f.IsMap():
		entries := m.Mutable(f).Map()
		for _, key := range sortedKeys(entries) {
			if f.MapValue().Message() != nil {
				k.message(entries.Get(key).Message(), secret)
			} else if v, ok := redactedValue(f.MapValue()); secret && ok {
				entries.Set(key, v)
			}
		}
	case f.IsList():
		list := m.Mutable(f).List()
		for i := range list.Len() {
			if f.Message() != nil {
				k.message(list.Get(i).Message(), secret)
			} else if v, ok := redactedValue(f); secret && ok {
				list.Set(i, v)
			}
		}
	case f.Message() != nil:
		k.message(m.Mutable(f).Message(), secret)
	case secret && !harmless[f.FullName()]:
		if v, ok := redactedValue(f); ok {
			m.Set(f, v)
		}
	}
}

// redactedValue is what stands for a hidden value of f; numbers stay.
func redactedValue(f protoreflect.FieldDescriptor) (protoreflect.Value, bool) {
	switch f.Kind() {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(Redacted), true
	case protoreflect.BytesKind:
		return protoreflect.ValueOfBytes([]byte(Redacted)), true
	}
	return protoreflect.Value{}, false
}
