package shape_test

import (
	"fmt"
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

// request is an authority as routing sees it and a path without its query.
func request(t *rapid.T) (host, path string) {
	host = rapid.OneOf(rapid.Just(""), rapid.Just("[::1]:80"), rapid.Just("[::1]"), authority, authority, authority).Draw(t, "host")
	if host != "" && host[0] != '[' {
		host += rapid.SampledFrom([]string{"", "", "", ":80", ":8", ":", ".", "x", "-"}).Draw(t, "after host")
	}
	path = rapid.OneOf(rapid.Just(""), rapid.Just("*"), pathString, pathString, pathString).Draw(t, "path")
	return host, path + rapid.SampledFrom([]string{"", "", "", "/", "/x", ";", ";x=/b", "x", "<", "\xff"}).Draw(t, "after path")
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

// cuts is any way to divide the keys, at places where something may stand.
func cuts(t *rapid.T) *shape.Split {
	s := &shape.Split{Options: shape.Defaults()}
	keys := func(of *rapid.Generator[string], most int) []string {
		all := []string{""}
		for _, key := range rapid.SliceOfNDistinct(of, 0, most, rapid.ID).Draw(t, "cuts") {
			if key = strings.ToLower(key); key > all[len(all)-1] {
				all = append(all, key)
			}
		}
		return all
	}
	for _, host := range keys(rapid.OneOf(authority, domain), 4) {
		for _, path := range pathKeys(t) {
			s.Leaves = append(s.Leaves, shape.Leaf{ID: s.Next, Host: host, Path: path})
			s.Next++
		}
	}
	for range rapid.IntRange(0, 3).Draw(t, "retired") {
		a := shape.Area{HostFrom: strings.ToLower(authority.Draw(t, "from")), PathFrom: pathString.Draw(t, "from")}
		if rapid.Bool().Draw(t, "all paths") {
			a.PathFrom = ""
		} else if to := pathString.Draw(t, "to"); to > a.PathFrom {
			a.PathTo = to
		}
		if to := strings.ToLower(authority.Draw(t, "to")); to > a.HostFrom {
			a.HostTo = to
		}
		s.Retired = append(s.Retired, shape.Retired{ID: s.Next, Area: a})
		s.Next++
	}
	return s
}

func pathKeys(t *rapid.T) []string {
	all := []string{""}
	if rapid.Bool().Draw(t, "paths") {
		for _, key := range rapid.SliceOfN(rapid.OneOf(pathString, segments), 0, 5).Draw(t, "paths") {
			if key > all[len(all)-1] {
				all = append(all, key)
			}
		}
	}
	return all
}
