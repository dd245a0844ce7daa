package resource

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// Messages that hold resources rather than being one.
const (
	discoveryResponse Type = "envoy.service.discovery.v3.DiscoveryResponse"
	wrapper           Type = "envoy.service.discovery.v3.Resource"
)

// place is where an input's resource goes.
type place struct {
	typ  Type
	name string
}

// collector finds the resources of an input.
type collector struct {
	*reader
	docs  []Document
	first map[place]Document
}

// document reads one document: a resource, or something that holds some.
func (c *collector) document(root *yaml.Node) {
	c.typ, c.name = "", ""
	if root.Kind != yaml.MappingNode {
		c.fail(root, `expected a mapping with "@type" or "resources", got %s`, c.describe(root))
		return
	}
	pairs := peek(root)
	typed := lookup(pairs, "@type")
	if typed == nil && lookup(pairs, "resources") != nil ||
		typed != nil && isText(typed) && TypeOfURL(typed.Value) == discoveryResponse {
		c.response(c.pairs(root))
		return
	}
	c.resource(root, "")
}

// peek lists a mapping's pairs without a word on what is wrong with them.
func peek(n *yaml.Node) []*yaml.Node {
	var silent reader
	return silent.pairs(n)
}

// response reads {resources: […]}, with or without what else a
// DiscoveryResponse has.
func (c *collector) response(pairs []*yaml.Node) {
	var url Type
	var resources *yaml.Node
	for i := 0; i+1 < len(pairs); i += 2 {
		key, value := target(pairs[i]), target(pairs[i+1])
		switch key.Value {
		case "resources":
			resources = value
		case "type_url", "typeUrl":
			url, _ = c.typeAt(value)
		case "@type", "version_info", "versionInfo", "nonce", "canary", "control_plane", "controlPlane":
		default:
			c.fail(key, "unknown field %q beside \"resources\": expected version_info, type_url or nonce", key.Value)
		}
	}
	if resources == nil || resources.Kind != yaml.SequenceNode {
		if resources != nil {
			c.fail(resources, "resources: expected a list, got %s", c.describe(resources))
		}
		return
	}
	for _, n := range resources.Content {
		c.resource(target(n), url)
	}
}

// resource reads one resource, wrapped or not. inherited is the type of those
// that do not say it.
func (c *collector) resource(n *yaml.Node, inherited Type) {
	c.typ, c.name, c.at = "", "", c.at[:0]
	if n.Kind != yaml.MappingNode {
		c.fail(n, `expected a mapping with "@type", got %s`, c.describe(n))
		return
	}
	pairs := peek(n)
	t := inherited
	typed := lookup(pairs, "@type")
	if typed != nil {
		var ok bool
		if t, ok = c.typeAt(typed); !ok {
			return
		}
	}
	inner := lookup(pairs, "resource")
	if t == wrapper || typed == nil && inner != nil {
		c.unwrap(n, c.pairs(n), inner, inherited)
		return
	}
	switch problem := checkType(t); {
	case t == "":
		c.fail(n, `"@type" is missing: it says which resource this is, such as "@type: %s"`, Cluster.URL())
	case problem != "" && typed != nil:
		c.fail(typed, "%s", problem)
	case problem != "":
		c.fail(n, "type_url: %s", problem)
	case inherited != "" && t != inherited:
		c.fail(typed, "its type is %s, but type_url says %s", t, inherited)
	case t != Route && valuesIn(n, maxResourceValues) > maxResourceValues:
		c.fail(n, "holds more than %d values, names of fields included: make several resources of it", maxResourceValues)
	default:
		c.message(n, pairs, t)
	}
}

// unwrap reads {name, version, ttl, resource}. The version is a label and is
// not kept.
func (c *collector) unwrap(n *yaml.Node, pairs []*yaml.Node, inner *yaml.Node, inherited Type) {
	if inner == nil {
		c.fail(n, `"resource" is missing: a %s wraps one`, wrapper)
		return
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		switch key := target(pairs[i]); key.Value {
		case "@type", "name", "version", "ttl", "resource", "aliases":
		default:
			c.fail(key, "unknown field %q beside \"resource\": expected name, version and ttl", key.Value)
		}
	}
	before := len(c.docs)
	if inner.Kind == yaml.MappingNode && lookup(peek(inner), "resource") != nil {
		c.fail(inner, "a wrapped resource is wrapped again")
		return
	}
	c.resource(inner, inherited)
	if len(c.docs) == before {
		return
	}
	doc := &c.docs[before]
	if name := lookup(pairs, "name"); name != nil {
		if given, err := CanonicalName(name.Value); err != nil || given != doc.Resource.name {
			c.fail(name, "the wrapper's name %q differs from the resource's own name %q", name.Value, doc.Resource.name)
		}
	}
	if n := lookup(pairs, "ttl"); n != nil {
		if ttl, ok := c.ttl(target(n), doc.Resource.typ); ok {
			doc.Resource = doc.Resource.WithTTL(ttl)
		}
	}
}

// message reads, validates and keeps a resource of type t.
func (c *collector) message(n *yaml.Node, pairs []*yaml.Node, t Type) {
	c.typ = t.Short()
	if name := lookup(pairs, string(nameField(t))); name != nil && name.Kind == yaml.ScalarNode {
		c.name = name.Value
	}
	if t == Secret {
		c.secret++
		defer func() { c.secret-- }()
	}
	mt, err := protoregistry.GlobalTypes.FindMessageByName(t.fullName())
	if err != nil {
		c.fail(n, "%v", err)
		return
	}
	before := len(c.problems)
	m := mt.New()
	c.fields(c.pairs(n), m)
	r, problems := c.build(m.Interface())
	unread := slices.Clone(c.problems[before:])
	for _, p := range problems {
		at, exact := locate(n, p.Path)
		if disturbed(p.Path, exact && at.Kind == yaml.ScalarNode, unread) {
			continue
		}
		p.Line, p.Column = at.Line, at.Column
		c.report(p)
	}
	if r != nil && len(unread) == 0 {
		c.keep(n, r)
	}
}

// disturbed reports whether what is wrong at path may only be so because
// something in it or beside it could not be read. A value that is written
// there is wrong whatever stands beside it.
func disturbed(path string, written bool, unread Problems) bool {
	parent, _ := cutLast(path)
	for _, p := range unread {
		beside, _ := cutLast(p.Path)
		if path == p.Path || within(p.Path, path) || !written && (parent == p.Path || parent == beside) {
			return true
		}
	}
	return false
}

// within reports whether path leads to something inside of outer.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && rest != "" && (outer == "" || rest[0] == '.' || rest[0] == '[')
}

// cutLast divides a path into the message and its last field with an index.
func cutLast(path string) (parent, last string) {
	i := strings.LastIndexByte(path, '.')
	return path[:max(i, 0)], path[i+1:]
}

// keep takes a resource, unless the input has one of its name already.
func (c *collector) keep(n *yaml.Node, r *Resource) {
	doc := Document{r, c.file, n.Line}
	if first, ok := c.first[place{r.typ, r.name}]; ok {
		c.fail(n, "stands twice in this input: first on line %d", first.Line)
		return
	}
	c.first[place{r.typ, r.name}] = doc
	c.docs = append(c.docs, doc)
	for _, host := range inlineHosts(r) {
		at := place{VirtualHost, host}
		if first, ok := c.first[at]; ok {
			c.report(Problem{Line: n.Line, Column: n.Column, Message: fmt.Sprintf(
				"virtual host %q stands twice in this input: first on line %d", host, first.Line)})
		}
		c.first[at] = doc
	}
}

// inlineHosts are the full names of the hosts in a RouteConfiguration.
func inlineHosts(r *Resource) []string {
	if r.typ != Route {
		return nil
	}
	var hosts []string
	for b := r.Bytes(); len(b) > 0; {
		number, wire, n := protowire.ConsumeTag(b)
		size := protowire.ConsumeFieldValue(number, wire, b[max(n, 0):])
		if n < 0 || size < 0 {
			break
		}
		if number == routeHosts {
			content, _ := protowire.ConsumeBytes(b[n:])
			short, _ := hostNameOf(content)
			hosts = append(hosts, r.name+"/"+short)
		}
		b = b[n+size:]
	}
	return hosts
}
