package resource

import (
	"sync"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// walk goes through every message at any depth, inside of Any too, in the
// order of fields and of map keys.
type walk struct {
	visit func(protoreflect.Message) // before what m holds
	at    trail                      // of the message being visited
	depth int
}

func (w *walk) message(m protoreflect.Message) {
	if w.depth > maxDepth {
		return
	}
	w.depth++
	defer func() { w.depth-- }()
	p := planOf(m.Descriptor())
	if p.any {
		if content := unpacked(m); content != nil {
			w.message(content)
		}
		return
	}
	w.visit(m)
	for _, f := range p.messages {
		if m.Has(f) {
			w.at.push(f)
			w.field(m.Get(f), f)
			w.at.pop()
		}
	}
}

func (w *walk) field(v protoreflect.Value, f protoreflect.FieldDescriptor) {
	switch {
	case f.IsMap():
		for _, k := range sortedKeys(v.Map()) {
			w.at.pushKey(k.String())
			w.message(v.Map().Get(k).Message())
			w.at.pop()
		}
	case f.IsList():
		for i := range v.List().Len() {
			w.at.pushIndex(i)
			w.message(v.List().Get(i).Message())
			w.at.pop()
		}
	default:
		w.message(v.Message())
	}
}

// unpacked is what an Any holds; nil when its type is not known or its bytes
// are of another.
func unpacked(m protoreflect.Message) protoreflect.Message {
	url, value := anyParts(m)
	mt, err := protoregistry.GlobalTypes.FindMessageByName(TypeOfURL(url).fullName())
	if url == "" || err != nil || isV2(TypeOfURL(url)) {
		return nil
	}
	content := mt.New()
	if err := proto.Unmarshal(value, content.Interface()); err != nil {
		return nil
	}
	return content
}

var clusterPlans sync.Map // protoreflect.MessageDescriptor → []protoreflect.FieldDescriptor

// clusters are the fields of md that hold names of clusters.
func (w *walk) clusters(md protoreflect.MessageDescriptor) []protoreflect.FieldDescriptor {
	if known, ok := clusterPlans.Load(md); ok {
		return known.([]protoreflect.FieldDescriptor)
	}
	var fields []protoreflect.FieldDescriptor
	for i := range md.Fields().Len() {
		if f := md.Fields().Get(i); clusterFields[f.FullName()] {
			fields = append(fields, f)
		}
	}
	clusterPlans.Store(md, fields)
	return fields
}
