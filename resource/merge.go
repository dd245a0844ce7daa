package resource

import (
	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// merge applies a partial document to the whole resource.
func (p *patcher) merge(n *yaml.Node, _ []*yaml.Node) {
	m, err := p.now.Message()
	if err != nil {
		p.fail(n, "%v", err)
		return
	}
	p.parsed += p.now.Size()
	if n.Kind != yaml.MappingNode {
		p.fail(n, "merge: expected a mapping, a part of a %s; got %s", p.now.typ.Short(), p.describe(n))
		return
	}
	before := len(p.problems)
	p.at = p.at[:0]
	p.mergeFields(n, m.ProtoReflect())
	if len(p.problems) > before {
		return
	}
	merged, problems := p.build(m)
	for _, problem := range problems {
		at, _ := locate(n, problem.Path)
		problem.Line, problem.Column = at.Line, at.Column
		p.report(problem)
	}
	if merged == nil {
		return
	}
	if merged.name != p.now.name {
		p.fail(n, "a patch cannot rename: %q would become %q", p.now.name, merged.name)
		return
	}
	p.now = merged.WithTTL(p.now.ttl)
}

// mergeFields sets in m the fields that n gives.
func (p *patcher) mergeFields(n *yaml.Node, m protoreflect.Message) {
	pairs := p.pairs(n)
	var plain []*yaml.Node
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := target(pairs[i]), target(pairs[i+1])
		f := planOf(m.Descriptor()).names[key.Value]
		switch {
		case f == nil:
			plain = append(plain, key, value)
		case value.Tag == "!!null" && !takesNull(f):
			m.Clear(f.FieldDescriptor)
		default:
			p.mergeField(key, value, m, f)
		}
	}
	p.fields(plain, m)
}

func (p *patcher) mergeField(key, value *yaml.Node, m protoreflect.Message, f *fieldPlan) {
	mapping := value.Kind == yaml.MappingNode
	switch {
	case f.isMap && mapping:
		p.at.push(f)
		p.mergeMap(value, m, f.FieldDescriptor)
		p.at.pop()
	case f.message != nil && !f.isList && mapping && m.Has(f.FieldDescriptor):
		p.at.push(f)
		p.mergeMessage(value, m.Mutable(f.FieldDescriptor).Message())
		p.at.pop()
	default:
		if other := chosen(m, f); other != nil {
			m.Clear(other)
		}
		m.Clear(f.FieldDescriptor)
		p.field(key, value, m, f)
	}
}

// mergeMessage merges a mapping into a message that is there.
func (p *patcher) mergeMessage(n *yaml.Node, m protoreflect.Message) {
	switch name := m.Descriptor().FullName(); {
	case name == "google.protobuf.Any":
		p.mergeAny(n, m)
	case name == "google.protobuf.Struct":
		f := m.Descriptor().Fields().ByName("fields")
		p.mergeMap(n, m, f)
	case !structured(m.Descriptor()):
		proto.Reset(m.Interface())
		p.message(n, m)
	default:
		p.mergeFields(n, m)
	}
}

func (p *patcher) mergeMap(n *yaml.Node, m protoreflect.Message, f protoreflect.FieldDescriptor) {
	entries := m.Mutable(f).Map()
	pairs := p.pairs(n)
	var replaced []*yaml.Node
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := target(pairs[i]), target(pairs[i+1])
		k, ok := mapKey(key.Value, f.MapKey().Kind())
		switch {
		case ok && value.Tag == "!!null":
			entries.Clear(k)
		case ok && f.MapValue().Message() != nil && entries.Has(k) && value.Kind == yaml.MappingNode:
			p.at.pushKey(key.Value)
			p.mergeMessage(value, entries.Mutable(k).Message())
			p.at.pop()
		default:
			replaced = append(replaced, key, value)
		}
	}
	if len(replaced) > 0 {
		p.mapping(&yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: replaced, Line: n.Line, Column: n.Column}, m, f)
	}
}

// mergeAny merges into the content of an Any; another @type replaces it.
func (p *patcher) mergeAny(n *yaml.Node, m protoreflect.Message) {
	url, _ := anyParts(m)
	content := unpacked(m)
	typed := lookup(p.pairs(n), "@type")
	if content == nil || typed != nil && TypeOfURL(typed.Value) != TypeOfURL(url) || !structured(content.Descriptor()) {
		proto.Reset(m.Interface())
		p.message(n, m)
		return
	}
	p.mergeFields(n, content)
	b, err := proto.Marshal(content.Interface())
	if err != nil {
		p.fail(n, "%v", err)
		return
	}
	setAny(m, TypeOfURL(url), b)
}
