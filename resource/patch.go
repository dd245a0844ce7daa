package resource

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ApplyPatch is Decoder.ApplyPatch by the zero Decoder.
func ApplyPatch(r *Resource, doc []byte) (*Resource, Problems) { return Decoder{}.ApplyPatch(r, doc) }

// ApplyPatch changes a part of r. doc is YAML or JSON: one operation, or a
// list of them, applied in order, all or none. r stays as it is. Problems give
// the file as "patch".
//
// For a VirtualHost; WHERE is a route's name, or its index from 0:
//
//	route: {name: r1, match: …, route: …}   # replaces the route of this name, or is added at the end
//	before: WHERE                           # with route: goes there instead, or moves there
//	after: WHERE                            # likewise
//	replace: WHERE                          # with route: takes the place of that one
//	remove_route: WHERE
//
// For a ClusterLoadAssignment:
//
//	endpoint: {address: "10.0.0.1:80", weight: 3, health: DRAINING, priority: 0, locality: {region: r, zone: z, sub_zone: s}}
//	remove_endpoint: "10.0.0.1:80"
//
// An endpoint that exists keeps what is not given; a new one goes to the
// locality and priority given, or to the only one there is.
//
// For any resource:
//
//	merge: {connect_timeout: 2s, type: null}
//
// merges a partial document: messages and maps field by field, everything
// else whole; null takes a field away; an Any of another @type is replaced. A
// patch cannot rename a resource.
//
// Cost: route operations parse the one route and scan the bytes for its name;
// segments that do not change are shared with r. Endpoint operations parse
// the one locality. merge parses the whole resource.
func (d Decoder) ApplyPatch(r *Resource, doc []byte) (*Resource, Problems) {
	p := patcher{reader: &reader{Decoder: d, file: "patch"}, now: r}
	p.typ, p.name = r.typ.Short(), r.name
	roots, problem := p.parse(doc)
	if problem == nil && len(roots) == 1 {
		problem = measure(roots[0])
	}
	if problem != nil {
		p.report(Problem{Line: problem.line, Column: problem.column, Message: problem.message})
		return nil, p.problems
	}
	if len(roots) != 1 {
		p.report(Problem{Message: fmt.Sprintf("a patch is one document with an operation or a list of them, got %d", len(roots))})
		return nil, p.problems
	}
	if r.typ == Secret {
		p.secret++
	}
	operations := []*yaml.Node{roots[0]}
	if roots[0].Kind == yaml.SequenceNode {
		operations = roots[0].Content
	}
	for _, n := range operations {
		p.operation(target(n))
	}
	if limit := d.maxResource(); len(p.problems) == 0 && p.now.Size() > limit {
		p.report(Problem{Message: tooLarge(p.now.Size(), limit)})
	}
	if len(p.problems) > 0 {
		return nil, p.problems
	}
	return p.now, nil
}

// patcher applies operations, one after the other.
type patcher struct {
	*reader
	now    *Resource
	parsed int // bytes of the resource that were parsed, for tests
	routes int // that were looked at, likewise
}

// operation is one kind of change: which resources take it, and what may
// stand beside its key.
type operation struct {
	types  []Type // nil: all
	beside []string
	apply  func(*patcher, *yaml.Node, []*yaml.Node)
}

var operations map[string]operation

func init() {
	operations = map[string]operation{
		"route":           {[]Type{VirtualHost}, []string{"before", "after", "replace"}, (*patcher).putRoute},
		"remove_route":    {[]Type{VirtualHost}, nil, (*patcher).removeRoute},
		"endpoint":        {[]Type{Endpoint}, nil, (*patcher).putEndpoint},
		"remove_endpoint": {[]Type{Endpoint}, nil, (*patcher).removeEndpoint},
		"merge":           {nil, nil, (*patcher).merge},
	}
}

const operationNames = "merge, route, remove_route, endpoint, remove_endpoint"

func (p *patcher) operation(n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		p.fail(n, "expected an operation, a mapping with one of %s; got %s", operationNames, p.describe(n))
		return
	}
	pairs := p.pairs(n)
	name := ""
	for i := 0; i < len(pairs); i += 2 {
		if key := target(pairs[i]).Value; operations[key].apply != nil {
			if name != "" {
				p.fail(target(pairs[i]), "an operation has one of %s: write a list for several", operationNames)
				return
			}
			name = key
		}
	}
	op, ok := operations[name]
	if !ok {
		p.fail(n, "no operation: expected one of %s", operationNames)
		return
	}
	for i := 0; i < len(pairs); i += 2 {
		if key := target(pairs[i]); key.Value != name && !slices.Contains(op.beside, key.Value) {
			p.fail(key, "unknown key %q beside %s%s", key.Value, name, alternatives(op.beside))
			return
		}
	}
	if op.types != nil && !slices.Contains(op.types, p.now.typ) {
		p.fail(n, "%s is for a %s, and this is a %s%s", name, op.types[0].Short(), p.now.typ.Short(), hostHint(p.now.typ, op.types[0]))
		return
	}
	op.apply(p, lookup(pairs, name), pairs)
}

func alternatives(names []string) string {
	if len(names) == 0 {
		return ": nothing else may stand there"
	}
	return ": expected one of " + strings.Join(names, ", ")
}

func hostHint(is, wanted Type) string {
	if is == Route && wanted == VirtualHost {
		return `: patch its host, VirtualHost "<route configuration>/<host>"`
	}
	return ""
}

// encode validates one element of the resource and brings it into canonical
// form. n is where it stood; name is the operation, which starts the paths.
func (p *patcher) encode(n *yaml.Node, m protoreflect.Message) ([]byte, bool) {
	before := len(p.problems)
	v := validator{}
	v.rules(nil, m.Interface())
	e := encoder{allowUnknown: p.AllowUnknown, allowOpaque: p.AllowOpaqueTypes, validator: &v, depth: 1}
	b := e.encode(nil, m)
	for _, problem := range append(withoutEchoes(v.problems), e.problems...) {
		at, _ := locate(n, problem.Path)
		problem.Line, problem.Column = at.Line, at.Column
		problem.Path = strings.TrimPrefix(p.at.String()+"."+problem.Path, ".")
		p.report(problem)
	}
	return b, len(p.problems) == before
}

// splice starts a change of the elements of one of the resource's lists.
func (p *patcher) splice(list protoreflect.Name) *splice {
	md, err := descriptorOf(p.now.typ)
	if err != nil {
		return nil
	}
	return &splice{md: md, list: md.Fields().ByName(list).Number(), segments: slices.Clone(p.now.segments), read: &p.routes}
}
