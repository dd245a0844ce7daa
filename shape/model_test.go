package shape_test

import (
	"iter"
	"regexp"
	"slices"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// routed is where a request leads: a virtual host, and in it a route. Either is
// empty if there is none.
type routed struct{ host, route string }

// routing is how Envoy finds the route of a request, as far as authority and
// path decide: by the most specific domain, then the first route.
type routing struct {
	hosts            []*routev3.VirtualHost
	ignorePort       bool
	ignoreParameters bool
}

func (m routing) route(authority, path string) routed {
	if at := strings.LastIndexByte(authority, ':'); m.ignorePort && at >= 0 && strings.LastIndexByte(authority, ']') < at {
		authority = authority[:at]
	}
	var best *routev3.VirtualHost
	rank := -1
	for _, h := range m.hosts {
		for _, d := range h.Domains {
			if r := matched(strings.ToLower(d), strings.ToLower(authority)); r > rank {
				best, rank = h, r
			}
		}
	}
	if best == nil {
		return routed{}
	}
	if before, _, cut := strings.Cut(path, ";"); m.ignoreParameters && cut {
		path = before
	}
	for _, r := range best.Routes {
		if matches(r.Match, path) {
			return routed{best.Name, r.Name}
		}
	}
	return routed{host: best.Name}
}

// matched is how specific a domain is for an authority; -1 if it does not
// match. Exact ones come first, then suffixes, then prefixes, by their length.
func matched(domain, authority string) int {
	const exact, suffix, prefix = 3 << 20, 2 << 20, 1 << 20
	switch {
	case domain == "*":
		return 0
	case strings.HasPrefix(domain, "*"):
		if rest := domain[1:]; len(authority) > len(rest) && strings.HasSuffix(authority, rest) {
			return suffix + len(rest)
		}
	case strings.HasSuffix(domain, "*"):
		if rest := domain[:len(domain)-1]; len(authority) > len(rest) && strings.HasPrefix(authority, rest) {
			return prefix + len(rest)
		}
	case domain == authority:
		return exact
	}
	return -1
}

func matches(m *routev3.RouteMatch, path string) bool {
	if c := m.CaseSensitive; c != nil && !c.Value && m.GetSafeRegex() == nil {
		m, path = proto.CloneOf(m), strings.ToLower(path)
		switch p := m.PathSpecifier.(type) {
		case *routev3.RouteMatch_Prefix:
			p.Prefix = strings.ToLower(p.Prefix)
		case *routev3.RouteMatch_Path:
			p.Path = strings.ToLower(p.Path)
		case *routev3.RouteMatch_PathSeparatedPrefix:
			p.PathSeparatedPrefix = strings.ToLower(p.PathSeparatedPrefix)
		}
	}
	switch p := m.PathSpecifier.(type) {
	case *routev3.RouteMatch_Prefix:
		return strings.HasPrefix(path, p.Prefix)
	case *routev3.RouteMatch_Path:
		return path == p.Path
	case *routev3.RouteMatch_PathSeparatedPrefix:
		rest, ok := strings.CutPrefix(path, p.PathSeparatedPrefix)
		return ok && (rest == "" || rest[0] == '/')
	case *routev3.RouteMatch_SafeRegex:
		return regexp.MustCompile("^(?:" + p.SafeRegex.Regex + ")$").MatchString(path)
	}
	return false
}

// table is a route configuration as it is stored: a shell and hosts.
type table struct {
	shell *resource.Resource
	hosts map[string]*resource.Resource
}

func (t *table) all() iter.Seq[*resource.Resource] {
	return func(yield func(*resource.Resource) bool) {
		names := []string{}
		for name := range t.hosts {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if !yield(t.hosts[name]) {
				return
			}
		}
	}
}

// tableOf is a table of one message.
func tableOf(tb testing.TB, m *routev3.RouteConfiguration) *table {
	tb.Helper()
	r, err := resource.New(m)
	if err != nil {
		tb.Fatal(err)
	}
	shell, hosts, err := r.SplitHosts()
	if err != nil {
		tb.Fatal(err)
	}
	t := &table{shell: shell, hosts: map[string]*resource.Resource{}}
	for _, h := range hosts {
		t.hosts[h.Name()] = h
	}
	return t
}

// routing is t's, read back from its bytes.
func (t *table) routing(tb testing.TB) routing {
	return routingOf(tb, t.shell, slices.Collect(t.all()))
}

func routingOf(tb testing.TB, shell *resource.Resource, hosts []*resource.Resource) routing {
	tb.Helper()
	m := &routev3.RouteConfiguration{}
	if err := proto.Unmarshal(resource.JoinHosts(shell, hosts), m); err != nil {
		tb.Fatal(err)
	}
	return routing{m.VirtualHosts, m.IgnorePortInHostMatching, m.IgnorePathParametersInPathMatching}
}

// leaves is what an Envoy holds of a table's leaves: by leaf, the pieces of
// hosts by name.
type leaves map[uint32]map[string]*resource.Resource

// change hands what one host's change does to the leaves.
func (l leaves) change(s *shape.Split, old, now *resource.Resource) {
	name := ""
	if old != nil {
		name = old.Name()
	} else if now != nil {
		name = now.Name()
	}
	s.Pieces(old, now, func(id uint32, piece *resource.Resource) {
		if l[id] == nil {
			l[id] = map[string]*resource.Resource{}
		}
		if piece == nil {
			delete(l[id], name)
		} else {
			l[id][name] = piece
		}
	})
}

// leavesOf is the leaves of a table from nothing.
func leavesOf(s *shape.Split, t *table) leaves {
	l := leaves{}
	s.Areas(func(id uint32, _ shape.Area) { l[id] = map[string]*resource.Resource{} })
	for h := range t.all() {
		l.change(s, nil, h)
	}
	return l
}

// routing is that of one leaf.
func (l leaves) routing(tb testing.TB, t *table, id uint32) routing {
	part := &table{hosts: l[id]}
	return routingOf(tb, shape.Shell(t.shell, id), slices.Collect(part.all()))
}
