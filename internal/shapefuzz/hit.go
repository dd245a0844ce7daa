package shapefuzz

import (
	"strings"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// tries is how many requests are made for one that finds a route.
const tries = 12

// hit is a request that finds a route, as far as the model can tell; with bad
// luck it is one that does not.
func (a *aim) hit() (q Request) {
	for range tries {
		q = a.candidate(oneOf(a.random, a.routed...))
		if s, ok := a.mode.See(q); ok && a.model.Route(s).found() {
			break
		}
	}
	return q
}

// candidate is a request for one of the routes of a host, which may have
// conditions that it does not meet.
func (a *aim) candidate(host aimHost) Request {
	route := oneOf(a.random, host.routes...)
	q := a.plain(a.within(oneOf(a.random, host.domains...)), a.at(route.Match))
	if route.Match.GetConnectMatcher() != nil {
		a.connect(&q)
		return q
	}
	if query := route.Match.QueryParameters; len(query) > 0 || a.percent(10) {
		q.Target += "?" + oneOf(a.random, "q=", "q=one", "q=two&r=1", "q=Three", "q=7", "r=1&q=12")
	}
	for _, h := range route.Match.Headers {
		if by := h.GetStringMatch(); h.Name == ":method" && !h.InvertMatch {
			q.Method = by.GetExact()
		}
	}
	if route.Match.Grpc != nil {
		q.Headers = append(q.Headers, [2]string{"content-type", "application/grpc"})
	}
	if route.Action != nil && route.GetRoute().GetUpgradeConfigs() != nil && a.percent(30) {
		q.Headers = append(q.Headers, [2]string{"upgrade", "websocket"}, [2]string{"connection", "upgrade"})
	}
	return q
}

// within is an authority that a domain is for.
func (a *aim) within(domain string) string {
	fill := oneOf(a.random, "x", "a.b", "a", "www", "h1.a", "X-y", "0", "z", "h50.api")
	switch {
	case strings.HasPrefix(domain, "*"):
		domain = fill + domain[1:]
	case strings.HasSuffix(domain, "*"):
		domain = domain[:len(domain)-1] + fill
	}
	if a.percent(15) {
		domain = capitals(a.random, domain)
	}
	return domain
}

// at is a path that a route is for: at either end of what it covers, or between
// them.
func (a *aim) at(m *routev3.RouteMatch) string {
	path := ""
	switch p := m.PathSpecifier.(type) {
	case *routev3.RouteMatch_Prefix:
		path = p.Prefix + oneOf(a.random, "", "", "!", "/", "x", "/x/y", "~", "\u00ff")
	case *routev3.RouteMatch_Path:
		path = p.Path
	case *routev3.RouteMatch_PathSeparatedPrefix:
		path = p.PathSeparatedPrefix + oneOf(a.random, "", "/", "/x", "/!", "/~")
	case *routev3.RouteMatch_SafeRegex:
		for _, pattern := range patterns {
			if pattern.regex == p.SafeRegex.Regex {
				path = oneOf(a.random, pattern.paths...)
			}
		}
	}
	if m.CaseSensitive != nil && a.percent(50) {
		path = capitals(a.random, path)
	}
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return path
}
