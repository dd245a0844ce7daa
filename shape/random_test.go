package shape_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/wrapperspb"
	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// Few letters, so that domains, paths, cuts and requests meet.
var (
	labels     = rapid.SampledFrom([]string{"a", "b", "ab", "ba", "b-a", "c", "Ba"})
	authority  = rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(labels, 1, 3).Draw(t, "labels"), ".") })
	ports      = rapid.SampledFrom([]string{"", "", "", ":80", ":8", ":"})
	segments   = rapid.SampledFrom([]string{"/", "/a", "/b", "/ab", "/A", "a", "b", "-", ";", ";v=1", "0", "."})
	pathString = rapid.Custom(func(t *rapid.T) string {
		return "/" + strings.Join(rapid.SliceOfN(segments, 0, 4).Draw(t, "segments"), "")
	})
)

// domain is one of a virtual host.
var domain = rapid.Custom(func(t *rapid.T) string {
	name := authority.Draw(t, "authority")
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		return "*"
	case 1:
		return "*." + name
	case 2:
		return "*" + name + ports.Draw(t, "port")
	case 3:
		return name + ".*"
	case 4:
		return "[::1]" + ports.Draw(t, "port")
	case 5:
		return name + ":*"
	}
	return name + ports.Draw(t, "port")
})

// aim is what stands in a table: what cuts and requests are aimed at.
type aim struct{ hosts, paths, pairs []string }

// aim is w's.
func (w *world) aim(tb testing.TB) aim {
	a := aim{hosts: []string{""}, paths: []string{""}, pairs: []string{" "}}
	for _, h := range w.routing(tb).hosts {
		for _, d := range h.Domains {
			a.hosts = append(a.hosts, strings.ToLower(strings.Trim(d, "*")))
		}
		for _, r := range h.Routes {
			path := r.Match.GetPrefix() + r.Match.GetPath() + r.Match.GetPathSeparatedPrefix()
			a.paths = append(a.paths, path)
			a.pairs = append(a.pairs, strings.ReplaceAll(h.Domains[0], "*", "a")+" "+path)
		}
	}
	return a
}

// host and path are near what stands in the table, or anything.
func (a aim) host(t *rapid.T) string {
	near := rapid.SampledFrom(a.hosts)
	return rapid.OneOf(near, near, authority, rapid.SampledFrom([]string{"", "[::1]", "[::1]:80"})).Draw(t, "host")
}

func (a aim) path(t *rapid.T) string {
	near := rapid.SampledFrom(a.paths)
	return rapid.OneOf(near, near, pathString, rapid.SampledFrom([]string{"", "*"})).Draw(t, "path")
}

// request is an authority as routing sees it and a path without its query.
func (a aim) request(t *rapid.T) (host, path string) {
	if rapid.Bool().Draw(t, "pair") {
		host, path, _ = strings.Cut(rapid.SampledFrom(a.pairs).Draw(t, "at"), " ")
	} else {
		host, path = a.host(t), a.path(t)
	}
	if rapid.IntRange(0, 9).Draw(t, "upper") == 0 {
		path = strings.ToUpper(path)
	}
	host += rapid.SampledFrom([]string{"", "", "", "", ":80", ":8", ":", ".", "x", "-"}).Draw(t, "after host")
	return host, path + rapid.SampledFrom([]string{"", "", "", "/", "/x", ";", ";x=/b", "x", "<", "-", "\xff"}).Draw(t, "after path")
}

// cut is where ranges of the table may begin.
func (a aim) cut(of func(*rapid.T) string) *rapid.Generator[string] {
	return rapid.Custom(func(t *rapid.T) string {
		return of(t) + rapid.SampledFrom([]string{"", "", ":", "-", "/", "/b", ";", ";v", "0", "\x00"}).Draw(t, "after")
	})
}

// match is the match of a route.
var match = rapid.Custom(func(t *rapid.T) *routev3.RouteMatch {
	m := &routev3.RouteMatch{}
	path := pathString.Draw(t, "path")
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0, 1, 2:
		m.PathSpecifier = &routev3.RouteMatch_Prefix{Prefix: path}
	case 3, 4, 5:
		m.PathSpecifier = &routev3.RouteMatch_Path{Path: path}
	case 6, 7:
		if path = strings.NewReplacer("?", "", "#", "").Replace(strings.TrimRight(path, "/")); path == "" {
			path = "/a"
		}
		m.PathSpecifier = &routev3.RouteMatch_PathSeparatedPrefix{PathSeparatedPrefix: path}
	case 8:
		m.PathSpecifier = &routev3.RouteMatch_SafeRegex{SafeRegex: &matcherv3.RegexMatcher{Regex: strings.ReplaceAll(path, ".", `\.`) + ".*b?"}}
	case 9:
		m.PathSpecifier = &routev3.RouteMatch_Prefix{Prefix: ""}
	}
	if rapid.IntRange(0, 9).Draw(t, "case") == 0 {
		m.CaseSensitive = wrapperspb.Bool(false)
	}
	return m
})

// routes is the routes of a host.
func routes(t *rapid.T, most int) []*routev3.Route {
	var all []*routev3.Route
	for i, m := range rapid.SliceOfN(match, 0, most).Draw(t, "routes") {
		all = append(all, route(fmt.Sprint(i), m))
	}
	return all
}

func route(name string, m *routev3.RouteMatch) *routev3.Route {
	return &routev3.Route{Name: name, Match: m, Action: &routev3.Route_Route{Route: &routev3.RouteAction{
		ClusterSpecifier: &routev3.RouteAction_Cluster{Cluster: "backend"},
	}}}
}

// world is a table that changes at random, host by host.
type world struct {
	*table
	taken map[string]string // by domain in lower case: the host that has it
}

func newWorld(t *rapid.T, tb testing.TB, most int) *world {
	shell := &routev3.RouteConfiguration{
		Name:                               "table",
		IgnorePortInHostMatching:           rapid.Bool().Draw(t, "ignore port"),
		IgnorePathParametersInPathMatching: rapid.Bool().Draw(t, "ignore parameters"),
	}
	w := &world{tableOf(tb, shell), map[string]string{}}
	for range rapid.IntRange(0, most).Draw(t, "hosts") {
		w.change(t, tb, 6)
	}
	return w
}

// change makes, changes or removes a host; what it was and is comes back.
func (w *world) change(t *rapid.T, tb testing.TB, most int) (old, now *resource.Resource) {
	short := rapid.SampledFrom([]string{"p", "q", "r", "s", "t", "u"}).Draw(t, "host")
	name := w.shell.Name() + "/" + short
	old = w.hosts[name]
	var kept []string
	if old != nil {
		m, err := old.Message()
		if err != nil {
			tb.Fatal(err)
		}
		kept = m.(*routev3.VirtualHost).Domains
	}
	for d, by := range w.taken {
		if by == name {
			delete(w.taken, d)
		}
	}
	if old != nil && rapid.IntRange(0, 4).Draw(t, "remove") == 0 {
		delete(w.hosts, name)
		return old, nil
	}
	h := &routev3.VirtualHost{Name: name, Routes: routes(t, most)}
	if rapid.Bool().Draw(t, "more") {
		h.RequireTls, h.IncludeRequestAttemptCount = routev3.VirtualHost_ALL, true
	}
	if len(kept) == 0 || rapid.Bool().Draw(t, "other domains") {
		kept = rapid.SliceOfN(domain, 1, 3).Draw(t, "domains")
	}
	for _, d := range kept {
		if by := w.taken[strings.ToLower(d)]; by == "" {
			w.taken[strings.ToLower(d)] = name
			h.Domains = append(h.Domains, d)
		}
	}
	if len(h.Domains) == 0 {
		delete(w.hosts, name)
		return old, nil
	}
	now, err := resource.New(h)
	if err != nil {
		tb.Fatal(err)
	}
	w.hosts[name] = now
	return old, now
}

// cuts is any way to divide the keys.
func cuts(t *rapid.T, a aim) *shape.Split {
	s := &shape.Split{Options: shape.Defaults()}
	hosts, paths := rapid.Map(a.cut(a.host), strings.ToLower), a.cut(a.path)
	for _, host := range ascending(t, hosts, 4) {
		most := 0
		if rapid.Bool().Draw(t, "paths") {
			most = 8 // more than few
		}
		for _, path := range ascending(t, paths, most) {
			s.Leaves = append(s.Leaves, shape.Leaf{ID: s.Next, Host: host, Path: path})
			s.Next++
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "retired") {
		r := shape.Retired{ID: s.Next}
		r.Area.HostFrom, r.Area.HostTo = between(t, hosts)
		if rapid.Bool().Draw(t, "paths") {
			r.Area.PathFrom, r.Area.PathTo = between(t, paths)
		}
		s.Retired = append(s.Retired, r)
		s.Next++
	}
	return s
}

// ascending is "" and some keys after it.
func ascending(t *rapid.T, of *rapid.Generator[string], most int) []string {
	keys := append(rapid.SliceOfN(of, 0, most).Draw(t, "cuts"), "")
	slices.Sort(keys)
	return slices.Compact(keys)
}

// between is a range of keys.
func between(t *rapid.T, of *rapid.Generator[string]) (from, to string) {
	from, to = of.Draw(t, "from"), of.Draw(t, "to")
	if to <= from {
		to = ""
	}
	return from, to
}
