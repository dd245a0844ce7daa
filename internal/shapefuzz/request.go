package shapefuzz

import (
	"fmt"
	"slices"
	"strings"
)

// Headers of requests that tables know of.
const (
	idHeader     = "x-fuzz-id" // differs for each request
	chanceHeader = "x-chance"  // decides between weighted clusters
	// locationHeader says where a backend that has moved sends to.
	locationHeader = "x-location"
)

var (
	methods = []string{"GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "Odd"}
	kinds   = []string{"one", "two", "Three", "7", "12", "a b"}
	origins = []string{"http://a.test", "http://b.test:80", "null"}
)

// ownPort stands in an authority for the port of the listener that it is sent to.
const ownPort = ":OWN"

// Request is a request as it goes over the wire.
type Request struct {
	Method  string
	Target  string
	Version string      // 1.0, 1.1 or 2
	Host    string      // of the header; with HTTP/2, :authority unless it is a CONNECT
	NoHost  bool        // without that header
	Headers [][2]string // all others
	Body    string
	Chunked bool // the body, in HTTP/1.1
}

// own puts the port of a listener in the place of ownPort.
func own(s, port string) string { return strings.ReplaceAll(s, ownPort, ":"+port) }

// bytes is the request with an id, for a listener with a port, in HTTP/1.
func (q Request) bytes(id, port string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/%s\r\n", q.Method, own(q.Target, port), q.Version)
	if !q.NoHost {
		fmt.Fprintf(&b, "host: %s\r\n", own(q.Host, port))
	}
	fmt.Fprintf(&b, "%s: %s\r\n", idHeader, id)
	for _, h := range q.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h[0], h[1])
	}
	switch {
	case q.Chunked:
		fmt.Fprintf(&b, "transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(q.Body), q.Body)
	case q.Body != "":
		fmt.Fprintf(&b, "content-length: %d\r\n\r\n%s", len(q.Body), q.Body)
	default:
		b.WriteString("\r\n")
	}
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
