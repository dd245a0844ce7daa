package shapefuzz

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/shape"
)

// Headers of requests that tables know of.
const (
	idHeader     = "x-fuzz-id" // differs for each request
	chanceHeader = "x-chance"  // decides between weighted clusters
)

var (
	methods = []string{"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "Odd"}
	kinds   = []string{"one", "two", "Three", "7", "12", "a b"}
)

// ownPort stands in an authority for the port of the listener that it is sent to.
const ownPort = ":OWN"

// Request is an HTTP/1 request as it goes over the wire.
type Request struct {
	Method  string
	Target  string
	Version string      // 1.0 or 1.1
	Host    string      // of the header
	NoHost  bool        // without that header
	Headers [][2]string // all others
}

// bytes is the request with an id, for a listener with a port.
func (q Request) bytes(id, port string) []byte {
	var b strings.Builder
	own := func(s string) string { return strings.ReplaceAll(s, ownPort, ":"+port) }
	fmt.Fprintf(&b, "%s %s HTTP/%s\r\n", q.Method, own(q.Target), q.Version)
	if !q.NoHost {
		fmt.Fprintf(&b, "host: %s\r\n", own(q.Host))
	}
	fmt.Fprintf(&b, "%s: %s\r\n", idHeader, id)
	for _, h := range q.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}

// without is the request without a header.
func (q Request) without(name string) Request {
	q.Headers = slices.DeleteFunc(slices.Clone(q.Headers), func(h [2]string) bool { return strings.EqualFold(h[0], name) })
	return q
}

func (q Request) String() string { return fmt.Sprintf("%q", q.bytes("1", "OWN")) }

// header is the first value of a header; ok is false if there is none.
func (q Request) header(name string) (value string, ok bool) {
	for _, h := range q.Headers {
		if strings.EqualFold(h[0], name) {
			return h[1], true
		}
	}
	return "", false
}

// aim is what requests are aimed at: the boundaries of a table and its splits.
type aim struct {
	random
	mode    Mode
	table   []aimHost
	hosts   []string // where leaves begin
	paths   []string // likewise
	anyPath []string // of routes, whatever the host
}

// aimHost is a virtual host to aim at.
type aimHost struct {
	domains []string
	paths   []string
}

// request is another one.
func (a *aim) request() Request {
	host := aimHost{}
	if len(a.table) > 0 {
		host = oneOf(a.random, a.table...)
	}
	q := Request{Method: "GET", Version: "1.1", Host: a.authority(host), Target: a.target(host)}
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
	a.unusual(&q)
	return q
}

// unusual makes some requests other than plain ones.
func (a *aim) unusual(q *Request) {
	switch n := a.IntN(100); {
	case n < 4:
		q.Headers = append(q.Headers, [2]string{"upgrade", "websocket"}, [2]string{"connection", "upgrade"})
	case n < 7:
		q.Method, q.Target = http.MethodConnect, q.Host
		if !strings.Contains(q.Target, ":") {
			q.Target += oneOf(a.random, ports...)
		}
	case n < 9:
		q.Version = "1.0"
		q.NoHost = a.percent(60)
	case n < 12:
		if strings.HasPrefix(q.Target, "/") {
			q.Target, q.Host = "http://"+q.Host+q.Target, oneOf(a.random, q.Host, "other.test")
		}
	case n < 13:
		q.Method, q.Target = "OPTIONS", "*"
	}
	if a.percent(8) {
		q.Headers = append(q.Headers, [2]string{oneOf(a.random, shape.Header, "X-Deltaplane-Shape"),
			oneOf(a.random, shape.Key(tableName, uint32(a.IntN(40))), "^", "", "x")})
	}
}

// authority is one at or near where something is decided.
func (a *aim) authority(host aimHost) string {
	var s string
	switch n := a.IntN(100); {
	case n < 75 && len(host.domains) > 0:
		s = a.like(oneOf(a.random, host.domains...))
	case n < 88 && len(a.hosts) > 0:
		s = oneOf(a.random, a.hosts...)
	case n < 91:
		s = oneOf(a.random, odd...)
	case n < 94:
		return oneOf(a.random, "", "unknown", "UNKNOWN.test", "0", "zzzz", "[")
	default:
		s = oneOf(a.random, words...) + "." + oneOf(a.random, zones...)
	}
	if a.percent(20) {
		s = a.near(s)
	}
	if a.percent(12) {
		if at := strings.LastIndexByte(s, ':'); at > 0 && !strings.HasSuffix(s, "]") {
			s = s[:at]
		} else {
			s += oneOf(a.random, ":80", ":8080", ":8", ":443", ":", ":x", ":99999")
		}
	} else if a.percent(5) && a.mode.StripOwn {
		s += ownPort
	}
	if a.percent(6) {
		s += "."
	}
	if a.percent(15) {
		s = capitals(a.random, s)
	}
	return s
}

// like is an authority for a domain.
func (a *aim) like(domain string) string {
	fill := func() string {
		return oneOf(a.random, "x", "a.b", "", "a", "www", "h1.a", "X-y", "0", "z", "~", "h50.api")
	}
	switch {
	case strings.HasPrefix(domain, "*"):
		return fill() + domain[1:]
	case strings.HasSuffix(domain, "*"):
		return domain[:len(domain)-1] + fill()
	}
	return domain
}

// near is s with one small change.
func (a *aim) near(s string) string {
	if s == "" {
		return oneOf(a.random, "a", "-", "~")
	}
	last := len(s) - 1
	switch a.IntN(5) {
	case 0:
		return s[:last]
	case 1:
		if c := s[last]; c < '~' {
			return s[:last] + string(rune(c+1))
		}
	case 2:
		if c := s[last]; c > '!' && c < 0x80 {
			return s[:last] + string(rune(c-1))
		}
	case 3:
		return s + oneOf(a.random, "-", "0", "a", "~", "!", "x", "/")
	}
	return s + oneOf(a.random, "x", "")
}

// target is a path, at or near where something is decided, and a query.
func (a *aim) target(host aimHost) string {
	s := "/"
	switch n := a.IntN(100); {
	case n < 60 && len(host.paths) > 0:
		s = oneOf(a.random, host.paths...)
	case n < 78 && len(a.paths) > 0:
		s = oneOf(a.random, a.paths...)
	case n < 90 && len(a.anyPath) > 0:
		s = oneOf(a.random, a.anyPath...)
	case n < 95:
		s = oneOf(a.random, oneOf(a.random, patterns...).paths...)
	}
	switch n := a.IntN(100); {
	case n < 15:
		s += oneOf(a.random, "/", "/x", "x", "//", "/.", "/..", "%2f", "%2Fa", ";p=1", ";", "-", "/a/../b")
	case n < 30:
		s = a.near(s)
	case n < 36:
		s = capitals(a.random, s)
	case n < 42 && len(s) > 1:
		at := a.between(1, len(s)-1)
		s = s[:at] + oneOf(a.random, "/./", "//", "/../", "%2f", "%5c", "\\", "%41", "%2e", ";x=1", "/b/..") + s[at:]
	}
	if a.percent(20) {
		s += "?" + oneOf(a.random, "q=", "q=one", "q=two&r=1", "r=/a", "q", "q=Three", "", "q=7#f", "a?b/c")
	}
	if s == "" || strings.ContainsAny(s, " ") {
		return "/"
	}
	return s
}
