package bench

import (
	"net/http"
	"time"

	"github.com/deltaplane/deltaplane/bench/traffic"
)

// Load is a load of requests that goes on while the configuration changes. The
// zero value of each field takes its default.
type Load struct {
	Requests int              // at least, of each side; default 10,000
	Workers  int              // that make requests at once, each on a connection of its own; default 200
	Rate     float64          // requests per second; default: each worker makes the next when it has its answer
	Protocol traffic.Protocol // default HTTP
	Method   string           // of HTTP; default POST
	Body     []byte
	Header   http.Header
	TLS      bool          // to the backends
	Timeout  time.Duration // of the route, for the backend; default 15 s
}

// defaultTimeout is Envoy's own.
const defaultTimeout = 15 * time.Second

// patience is how much longer than the route a client waits.
const patience = 5 * time.Second

// withDefaults is l completed.
func (l Load) withDefaults() Load {
	if l.Requests == 0 {
		l.Requests = 10000
	}
	if l.Workers == 0 {
		l.Workers = 200
	}
	if l.Protocol == "" {
		l.Protocol = traffic.HTTP
	}
	if l.Method == "" {
		l.Method = http.MethodPost
	}
	if l.Timeout == 0 {
		l.Timeout = defaultTimeout
	}
	return l
}

// check says what is wrong with a load of c by fail, if anything.
func (l Load) check(c Config, fail func(format string, args ...any) error) error {
	switch {
	case l.Requests < 1 || l.Workers < 1 || l.Workers < c.Envoys:
		return fail("a load needs at least one request, and a worker for each Envoy")
	case l.Workers > 10000:
		return fail("%d workers: expected at most 10,000", l.Workers)
	case l.Rate < 0 || l.Timeout < time.Millisecond:
		return fail("a rate must not be negative, nor a timeout less than 1 ms")
	case l.Protocol != traffic.HTTP && l.Protocol != traffic.GRPC:
		return fail("protocol %q: expected http or grpc", l.Protocol)
	case l.Protocol == traffic.GRPC && l.Method != http.MethodPost:
		return fail("method %s: gRPC has POST alone", l.Method)
	case c.Pattern == Endpoint || c.Pattern == Listener:
		return fail("pattern %s: routes say which version they are from, and a load tells old from new by that: expected route, weight or cluster", c.Pattern)
	}
	return nil
}

// requests are what a side's requests are like; id names them.
func (l Load) requests(c Config, id string) traffic.Config {
	return traffic.Config{
		Protocol: l.Protocol, Method: l.Method, Body: l.Body, Header: l.Header, Patience: l.Timeout + patience, Labels: c.labels(id),
	}
}
