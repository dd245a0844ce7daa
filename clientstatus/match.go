package clientstatus

import (
	"fmt"
	"regexp"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/structpb"
)

// What one request may ask for.
const (
	maxMatchers = 1000    // of any kind, in all
	maxRegex    = 1 << 10 // bytes of an expression
)

// predicate says whether a value, nil where there is none, is wanted.
type predicate func(*structpb.Value) bool

// compiler turns matchers into functions, and counts them.
type compiler struct{ matchers int }

// nodes is whether a node matches any of ms, or ms is empty. A node matcher
// matches when its id and each of its metadata do.
func (c *compiler) nodes(ms []*matcherv3.NodeMatcher) (func(*corev3.Node) bool, error) {
	if len(ms) == 0 {
		return func(*corev3.Node) bool { return true }, nil
	}
	var some []func(*corev3.Node) bool
	for i, m := range ms {
		one, err := c.node(m)
		if err != nil {
			return nil, fmt.Errorf("node_matchers[%d]: %w", i, err)
		}
		some = append(some, one)
	}
	return func(n *corev3.Node) bool {
		for _, one := range some {
			if one(n) {
				return true
			}
		}
		return false
	}, nil
}

func (c *compiler) node(m *matcherv3.NodeMatcher) (func(*corev3.Node) bool, error) {
	id := func(string) bool { return true }
	if m.GetNodeId() != nil {
		var err error
		if id, err = c.text(m.GetNodeId()); err != nil {
			return nil, fmt.Errorf("node_id: %w", err)
		}
	}
	var all []func(*structpb.Struct) bool
	for i, s := range m.GetNodeMetadatas() {
		one, err := c.metadata(s)
		if err != nil {
			return nil, fmt.Errorf("node_metadatas[%d]: %w", i, err)
		}
		all = append(all, one)
	}
	return func(n *corev3.Node) bool {
		for _, one := range all {
			if !one(n.GetMetadata()) {
				return false
			}
		}
		return id(n.GetId())
	}, nil
}

// metadata is whether what stands under a path matches.
func (c *compiler) metadata(m *matcherv3.StructMatcher) (func(*structpb.Struct) bool, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	value, err := c.value(m.GetValue())
	if err != nil {
		return nil, err
	}
	return func(s *structpb.Struct) bool {
		var at *structpb.Value
		for _, step := range m.GetPath() {
			at = s.GetFields()[step.GetKey()]
			s = at.GetStructValue()
		}
		return value(at)
	}, nil
}

func (c *compiler) value(m *matcherv3.ValueMatcher) (predicate, error) {
	if c.matchers++; c.matchers > maxMatchers {
		return nil, fmt.Errorf("more than %d matchers", maxMatchers)
	}
	switch x := m.GetMatchPattern().(type) {
	case *matcherv3.ValueMatcher_NullMatch_:
		return func(v *structpb.Value) bool { _, null := v.GetKind().(*structpb.Value_NullValue); return null }, nil
	case *matcherv3.ValueMatcher_DoubleMatch:
		return number(x.DoubleMatch), nil
	case *matcherv3.ValueMatcher_StringMatch:
		text, err := c.text(x.StringMatch)
		return func(v *structpb.Value) bool {
			s, ok := v.GetKind().(*structpb.Value_StringValue)
			return ok && text(s.StringValue)
		}, err
	case *matcherv3.ValueMatcher_BoolMatch:
		return func(v *structpb.Value) bool {
			b, ok := v.GetKind().(*structpb.Value_BoolValue)
			return ok && b.BoolValue == x.BoolMatch
		}, nil
	case *matcherv3.ValueMatcher_PresentMatch:
		return func(v *structpb.Value) bool { return primitive(v) == x.PresentMatch }, nil
	case *matcherv3.ValueMatcher_ListMatch:
		return c.list(x.ListMatch)
	case *matcherv3.ValueMatcher_OrMatch:
		return c.either(x.OrMatch)
	}
	return nil, fmt.Errorf("a value matcher of no known kind")
}

func primitive(v *structpb.Value) bool {
	switch v.GetKind().(type) {
	case *structpb.Value_NumberValue, *structpb.Value_StringValue, *structpb.Value_BoolValue:
		return true
	}
	return false
}

func number(m *matcherv3.DoubleMatcher) predicate {
	return func(v *structpb.Value) bool {
		n, ok := v.GetKind().(*structpb.Value_NumberValue)
		if !ok {
			return false
		}
		if r := m.GetRange(); r != nil {
			return n.NumberValue >= r.GetStart() && n.NumberValue < r.GetEnd()
		}
		return n.NumberValue == m.GetExact()
	}
}

// list is whether one element of a list matches.
func (c *compiler) list(m *matcherv3.ListMatcher) (predicate, error) {
	element, err := c.value(m.GetOneOf())
	return func(v *structpb.Value) bool {
		for _, one := range v.GetListValue().GetValues() {
			if element(one) {
				return true
			}
		}
		return false
	}, err
}

func (c *compiler) either(m *matcherv3.OrMatcher) (predicate, error) {
	var some []predicate
	for _, one := range m.GetValueMatchers() {
		p, err := c.value(one)
		if err != nil {
			return nil, err
		}
		some = append(some, p)
	}
	return func(v *structpb.Value) bool {
		for _, p := range some {
			if p(v) {
				return true
			}
		}
		return false
	}, nil
}

// text compiles a StringMatcher. ignore_case has no effect on expressions, as
// in Envoy.
func (c *compiler) text(m *matcherv3.StringMatcher) (func(string) bool, error) {
	if c.matchers++; c.matchers > maxMatchers {
		return nil, fmt.Errorf("more than %d matchers", maxMatchers)
	}
	fold := func(s string) string { return s }
	if m.GetIgnoreCase() {
		fold = strings.ToLower
	}
	with := func(holds func(s, part string) bool, part string) (func(string) bool, error) {
		part = fold(part)
		return func(s string) bool { return holds(fold(s), part) }, nil
	}
	switch x := m.GetMatchPattern().(type) {
	case *matcherv3.StringMatcher_Exact:
		return with(func(s, part string) bool { return s == part }, x.Exact)
	case *matcherv3.StringMatcher_Prefix:
		return with(strings.HasPrefix, x.Prefix)
	case *matcherv3.StringMatcher_Suffix:
		return with(strings.HasSuffix, x.Suffix)
	case *matcherv3.StringMatcher_Contains:
		return with(strings.Contains, x.Contains)
	case *matcherv3.StringMatcher_SafeRegex:
		text := x.SafeRegex.GetRegex()
		if len(text) > maxRegex {
			return nil, fmt.Errorf("an expression of %d bytes, at most %d are allowed", len(text), maxRegex)
		}
		expression, err := regexp.Compile("^(?:" + text + ")$")
		if err != nil {
			return nil, err
		}
		return expression.MatchString, nil
	}
	return nil, fmt.Errorf("a string matcher of no known kind")
}
