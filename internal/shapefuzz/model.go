package shapefuzz

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
)

// Model is how Envoy finds the route of a request in a RouteConfiguration: by
// the most specific domain, then the first route that matches. Safe for
// concurrent use.
type Model struct {
	ignorePort bool
	exact      map[string]*modelHost
	suffixes   []wildcard // longest first
	prefixes   []wildcard // likewise
	rest       *modelHost
}

type wildcard struct {
	literal string
	host    *modelHost
}

type modelHost struct {
	name   string
	routes []modelRoute
	tree   string // of routes, which the model does not look into
}

type modelRoute struct {
	name    string
	connect bool
	path    func(path string) bool
	others  []func(s *Seen) bool
}

// Routed is where a request leads: no host if none has a domain for it, no
// route if none of the host's matches. With a tree, the route is one of it, or
// none.
type Routed struct{ Host, Route, Tree string }

// found reports whether there is a route, as far as the model knows.
func (r Routed) found() bool { return r.Route+r.Tree != "" }

// NewModel is the model of a table. Regular expressions are those of RE2, as
// in Envoy.
func NewModel(table *routev3.RouteConfiguration) *Model {
	m := &Model{
		ignorePort: table.IgnorePortInHostMatching,
		exact:      map[string]*modelHost{},
	}
	for _, h := range table.VirtualHosts {
		host := &modelHost{name: h.Name}
		if h.Matcher != nil {
			host.tree = digest(h.Matcher)
		}
		for _, r := range h.Routes {
			host.routes = append(host.routes, newModelRoute(r))
		}
		for _, d := range h.Domains {
			d = strings.ToLower(d)
			switch {
			case d == "*":
				m.rest = host
			case strings.HasPrefix(d, "*"):
				m.suffixes = append(m.suffixes, wildcard{d[1:], host})
			case strings.HasSuffix(d, "*"):
				m.prefixes = append(m.prefixes, wildcard{d[:len(d)-1], host})
			default:
				m.exact[d] = host
			}
		}
	}
	longest := func(a, b wildcard) int { return len(b.literal) - len(a.literal) }
	slices.SortStableFunc(m.suffixes, longest)
	slices.SortStableFunc(m.prefixes, longest)
	return m
}

// Route is where a request leads.
func (m *Model) Route(s *Seen) Routed {
	h := m.host(strings.ToLower(s.Authority))
	if h == nil {
		return Routed{}
	}
	if h.tree != "" {
		return Routed{Host: h.name, Tree: h.tree}
	}
	for i := range h.routes {
		if r := &h.routes[i]; r.matches(s) {
			return Routed{Host: h.name, Route: r.name}
		}
	}
	return Routed{Host: h.name}
}

func (m *Model) host(authority string) *modelHost {
	if at := portAt(authority); m.ignorePort && at >= 0 {
		authority = authority[:at]
	}
	if h := m.exact[authority]; h != nil {
		return h
	}
	if authority != "" {
		for _, w := range m.suffixes {
			if len(authority) > len(w.literal) && strings.HasSuffix(authority, w.literal) {
				return w.host
			}
		}
		for _, w := range m.prefixes {
			if len(authority) > len(w.literal) && strings.HasPrefix(authority, w.literal) {
				return w.host
			}
		}
	}
	return m.rest
}

func (r *modelRoute) matches(s *Seen) bool {
	if r.connect != s.connect || !r.connect && !r.path(s.Path) {
		return false
	}
	for _, other := range r.others {
		if !other(s) {
			return false
		}
	}
	return true
}

func newModelRoute(r *routev3.Route) modelRoute {
	m := modelRoute{name: r.Name, connect: r.Match.GetConnectMatcher() != nil, path: pathModel(r.Match)}
	for _, h := range r.Match.Headers {
		m.others = append(m.others, headerModel(h))
	}
	if f := r.Match.RuntimeFraction; f != nil {
		share := f.DefaultValue.Numerator > 0 && f.RuntimeKey != keyOfNone || f.RuntimeKey == keyOfAll
		m.others = append(m.others, func(*Seen) bool { return share })
	}
	if r.Match.Grpc != nil {
		m.others = append(m.others, func(s *Seen) bool {
			kind, _ := s.header("content-type")
			return kind == "application/grpc"
		})
	}
	for _, q := range r.Match.QueryParameters {
		m.others = append(m.others, queryModel(q))
	}
	return m
}

func pathModel(m *routev3.RouteMatch) func(string) bool {
	insensitive := m.CaseSensitive != nil && !m.CaseSensitive.Value
	fold := func(s string) string {
		if insensitive {
			return strings.ToLower(s)
		}
		return s
	}
	switch p := m.PathSpecifier.(type) {
	case *routev3.RouteMatch_Prefix:
		literal := fold(p.Prefix)
		return func(path string) bool { return strings.HasPrefix(fold(path), literal) }
	case *routev3.RouteMatch_Path:
		literal := fold(p.Path)
		return func(path string) bool { return fold(path) == literal }
	case *routev3.RouteMatch_PathSeparatedPrefix:
		literal := fold(p.PathSeparatedPrefix)
		return func(path string) bool {
			rest, ok := strings.CutPrefix(fold(path), literal)
			return ok && (rest == "" || rest[0] == '/')
		}
	case *routev3.RouteMatch_SafeRegex:
		return whole(p.SafeRegex.Regex)
	}
	return func(string) bool { return false }
}

// whole matches a regular expression with all of a text.
func whole(regex string) func(string) bool {
	return regexp.MustCompile(`^(?s:` + regex + `)$`).MatchString
}

func headerModel(m *routev3.HeaderMatcher) func(*Seen) bool {
	matches := func(string) bool { return true }
	switch h := m.HeaderMatchSpecifier.(type) {
	case *routev3.HeaderMatcher_StringMatch:
		matches = stringModel(h.StringMatch)
	case *routev3.HeaderMatcher_RangeMatch:
		matches = func(value string) bool {
			n, err := strconv.ParseInt(value, 10, 64)
			return err == nil && n >= h.RangeMatch.Start && n < h.RangeMatch.End
		}
	}
	present, isPresence := m.HeaderMatchSpecifier.(*routev3.HeaderMatcher_PresentMatch)
	return func(s *Seen) bool {
		value, ok := s.header(m.Name)
		switch {
		case isPresence:
			return (ok == present.PresentMatch) != m.InvertMatch
		case !ok && !m.TreatMissingHeaderAsEmpty:
			return false
		}
		return matches(value) != m.InvertMatch
	}
}

func queryModel(m *routev3.QueryParameterMatcher) func(*Seen) bool {
	matches := func(string) bool { return true }
	if by := m.GetStringMatch(); by != nil {
		matches = stringModel(by)
	}
	return func(s *Seen) bool {
		value, ok := s.parameter(m.Name)
		return ok && matches(value)
	}
}

func stringModel(m *matcherv3.StringMatcher) func(string) bool {
	fold := func(s string) string {
		if m.IgnoreCase {
			return strings.ToLower(s)
		}
		return s
	}
	switch p := m.MatchPattern.(type) {
	case *matcherv3.StringMatcher_Exact:
		return func(s string) bool { return fold(s) == fold(p.Exact) }
	case *matcherv3.StringMatcher_Prefix:
		return func(s string) bool { return strings.HasPrefix(fold(s), fold(p.Prefix)) }
	case *matcherv3.StringMatcher_Suffix:
		return func(s string) bool { return strings.HasSuffix(fold(s), fold(p.Suffix)) }
	case *matcherv3.StringMatcher_Contains:
		return func(s string) bool { return strings.Contains(fold(s), fold(p.Contains)) }
	}
	return whole(m.GetSafeRegex().GetRegex())
}
