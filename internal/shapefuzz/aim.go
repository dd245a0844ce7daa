package shapefuzz

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// aim is what requests are aimed at: the routes of a table, and the boundaries
// of it and its splits.
type aim struct {
	random
	mode    Mode
	model   *Model
	table   []aimHost
	routed  []aimHost // of table, those with routes
	hosts   []string  // where leaves begin
	paths   []string  // likewise
	anyPath []string  // of routes, whatever the host
}

// aimHost is a virtual host to aim at.
type aimHost struct {
	domains []string
	routes  []*routev3.Route
	paths   []string
}

// requests makes one request for the case after another: the same ones each
// time.
func (c *Case) requests() *aim {
	a := &aim{random: newRandom(c.Seed, requestStream), mode: c.Mode, model: NewModel(c.Table)}
	for _, h := range c.Table.VirtualHosts {
		host := aimAt(h)
		a.table = append(a.table, host)
		if len(host.routes) > 0 {
			a.routed = append(a.routed, host)
		}
		a.anyPath = append(a.anyPath, host.paths...)
	}
	for _, s := range []*shape.Split{c.Split, c.Before} {
		if s == nil {
			continue
		}
		for _, l := range s.Leaves {
			if l.Host != "" {
				a.hosts = append(a.hosts, l.Host)
			}
			if l.Path != "" {
				a.paths = append(a.paths, l.Path)
			}
		}
	}
	slices.Sort(a.hosts)
	a.hosts = slices.Compact(a.hosts)
	return a
}

// hostOf is what there is to aim at in a host as it is stored.
func hostOf(host *resource.Resource) aimHost {
	m, err := host.Message()
	if err != nil {
		return aimHost{}
	}
	return aimAt(m.(*routev3.VirtualHost))
}

func aimAt(h *routev3.VirtualHost) aimHost {
	a := aimHost{domains: h.Domains, routes: append(h.Routes[:len(h.Routes):len(h.Routes)], routesOf(h.Matcher)...)}
	for _, r := range a.routes {
		switch p := r.Match.PathSpecifier.(type) {
		case *routev3.RouteMatch_Prefix:
			a.paths = append(a.paths, p.Prefix)
		case *routev3.RouteMatch_Path:
			a.paths = append(a.paths, p.Path)
		case *routev3.RouteMatch_PathSeparatedPrefix:
			a.paths = append(a.paths, p.PathSeparatedPrefix)
		}
	}
	return a
}

// request is another one. Most find a route; the others are near a boundary, or
// anywhere.
func (a *aim) request() Request {
	var q Request
	switch {
	case len(a.routed) > 0 && a.percent(80):
		q = a.hit()
		if a.percent(10) {
			q.Host = a.near(q.Host)
		}
	case len(a.table) > 0:
		host := oneOf(a.random, a.table...)
		q = a.plain(a.authority(host), a.target(host))
		a.unusual(&q)
	default:
		q = a.plain(a.authority(aimHost{}), a.target(aimHost{}))
	}
	a.dress(&q)
	return q
}

// plain is a request with the headers that tables know of.
func (a *aim) plain(authority, target string) Request {
	q := Request{Method: http.MethodGet, Version: "1.1", Host: authority, Target: target}
	if a.percent(15) {
		q.Method = oneOf(a.random, methods...)
	}
	q.Headers = append(q.Headers, [2]string{chanceHeader, fmt.Sprint(a.IntN(1000))})
	if a.percent(40) {
		q.Headers = append(q.Headers, [2]string{"x-kind", oneOf(a.random, kinds...)})
	}
	if a.percent(80) {
		q.Headers = append(q.Headers, [2]string{"x-cluster", oneOf(a.random, clusters...)})
	}
	if a.percent(10) {
		q.Headers = append(q.Headers, [2]string{oneOf(a.random, "x-gone", "x-met", "x-filtered"), "client"})
	}
	return q
}

// unusual makes some requests other than plain ones.
func (a *aim) unusual(q *Request) {
	switch n := a.IntN(100); {
	case n < 8:
		q.Headers = append(q.Headers, [2]string{"upgrade", "websocket"}, [2]string{"connection", "upgrade"})
	case n < 16:
		a.connect(q)
	case n < 22:
		q.Version = "1.0"
		q.NoHost = a.percent(60)
	case n < 30:
		if strings.HasPrefix(q.Target, "/") {
			q.Target, q.Host = "http://"+q.Host+q.Target, oneOf(a.random, q.Host, "other.test")
		}
	case n < 33:
		q.Method, q.Target = "OPTIONS", "*"
	}
}

// connect makes a request a CONNECT.
func (a *aim) connect(q *Request) {
	q.Method, q.Target = http.MethodConnect, q.Host
	if !strings.Contains(q.Target, ":") {
		q.Target += oneOf(a.random, ports...)
	}
}

// dress gives a request what does not decide where it leads, or should not.
func (a *aim) dress(q *Request) {
	if a.percent(8) {
		q.Headers = append(q.Headers, [2]string{oneOf(a.random, shape.Header, "X-Deltaplane-Shape"),
			oneOf(a.random, shape.Key(tableName, uint32(a.IntN(40))), "^", "", "x")})
	}
	if a.percent(10) {
		q.Headers = append(q.Headers, [2]string{"origin", oneOf(a.random, origins...)})
		if a.percent(50) {
			q.Headers = append(q.Headers, [2]string{"access-control-request-method", oneOf(a.random, methods...)})
		}
	}
	if a.percent(10) {
		q.Headers = append(q.Headers, [2]string{"cookie", "session=" + oneOf(a.random, kinds...)})
	}
	if a.percent(30) {
		q.Headers = append(q.Headers, [2]string{locationHeader, a.location()})
	}
	if len(a.routed) > 0 && a.percent(10) {
		q.Headers = append(q.Headers, [2]string{vhostHeader, a.within(oneOf(a.random, oneOf(a.random, a.routed...).domains...))})
	}
	if a.percent(5) {
		q.Headers = append(q.Headers, [2]string{"x-envoy-decorator-operation", "of the client"})
	}
	_, upgrade := q.header("upgrade")
	open := q.Method == http.MethodConnect || upgrade
	if !open && a.percent(12) {
		q.Body = strings.Repeat("body", a.between(1, 200))
		q.Chunked = q.Version == "1.1" && a.percent(50)
	}
	if !upgrade && q.Version == "1.1" && !q.NoHost && !strings.HasPrefix(q.Target, "http:") && a.percent(20) {
		q.Version, q.Chunked = "2", false
	}
}
