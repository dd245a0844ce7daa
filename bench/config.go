package bench

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/bench/probe"
)

// Pattern says what changes.
type Pattern string

const (
	Route    Pattern = "route"    // a route goes to another cluster
	Endpoint Pattern = "endpoint" // a cluster's endpoint moves to another backend
	Cluster  Pattern = "cluster"  // a route goes to a new cluster, and the old one is removed, in one commit
	Listener Pattern = "listener" // the HTTP connection manager changes; new connections show it
	Weight   Pattern = "weight"   // the weights of a route's two clusters are swapped
)

// Patterns are all of them.
func Patterns() []Pattern { return []Pattern{Route, Endpoint, Cluster, Listener, Weight} }

// Shape says how the table stands at the Envoys.
type Shape string

const (
	Plain  Shape = "plain"  // as it is written: one RouteConfiguration
	Split  Shape = "split"  // as deltaplane does by default
	Scoped Shape = "scoped" // scoped routes written by hand, a RouteConfiguration for each host
)

// Config says what to measure. Bootstrap is required, and Command or Server;
// the zero value of each other field takes its default.
type Config struct {
	Command   string                                          // the binary that has `serve`
	Bootstrap func(xds, node, cluster string) (string, error) // of an Envoy: admin on a free port
	Version   string                                          // of that binary, for the report
	// CommandLine is what the user has called, for the report.
	CommandLine string

	Server *Server // a control plane that runs already; default: each side's own is started

	Pattern     Pattern       // default Route
	Shapes      []Shape       // sides to compare; default Split alone
	Routes      int           // of the table; default 10,000
	Hosts       int           // that the routes are in; default 1,000
	Shards      int           // parts of a table that is Split; default: what deltaplane takes
	Envoys      int           // of each side; default 1
	Concurrency int           // worker threads of each Envoy; default 1
	Changes     int           // of each side; default 100
	Duration    time.Duration // ends the changes early; default: it does not
	Files       int           // how often the whole file is applied, on each side; negative: never; default 3
	Rate        int           // requests per second to all routes, all the while; default 100
	ProbeEvery  time.Duration // from probe to probe while a change is outstanding, at all Envoys together; default 300 µs
	SLA         time.Duration // for the P99 of the time to the first request; default 50 ms

	// Profile is a directory for profiles of the control planes, and of each
	// side's first Envoy, while changes are made (package profile); what they
	// cost is in the figures. Default: none are taken.
	Profile string

	// Traces is the URL of a receiver of traces (OTLP over HTTP). It gets that
	// of each change: what the control plane tells, and the first request under
	// the new configuration. Default: none.
	Traces string

	// Relay has each Envoy reach its control plane through a relay in this
	// process, which dates what arrives there (package relay), and adds to the
	// way what the report says. Default: none does.
	Relay bool

	// Load has requests in a load of its own take the place of probes and of
	// Rate, and of what Files says; default: none.
	Load *Load

	Progress func(Progress) // hears what goes on, on one goroutine; default: nobody
}

// ErrConfig wraps what is wrong with a Config.
var ErrConfig = errors.New("not to be measured")

// withDefaults is c completed and checked.
func (c Config) withDefaults() (Config, error) {
	for field, value := range map[*int]int{&c.Routes: 10000, &c.Hosts: 1000, &c.Envoys: 1, &c.Concurrency: 1, &c.Changes: 100, &c.Files: 3, &c.Rate: 100} {
		if *field == 0 {
			*field = value
		}
	}
	if c.Pattern == "" {
		c.Pattern = Route
	}
	if c.Shapes == nil {
		c.Shapes = []Shape{Split}
	}
	if c.ProbeEvery == 0 {
		c.ProbeEvery = 300 * time.Microsecond
	}
	if c.SLA == 0 {
		c.SLA = 50 * time.Millisecond
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if c.Server != nil {
		server := c.Server.withDefaults()
		c.Server = &server
	}
	if c.Load != nil {
		load := c.Load.withDefaults()
		c.Load, c.Files = &load, -1
	}
	return c, c.check()
}

func (c Config) check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...)
	}
	switch {
	case !slices.Contains(Patterns(), c.Pattern):
		return fail("pattern %q: expected one of %s", c.Pattern, words(Patterns()))
	case min(c.Routes, c.Hosts, c.Envoys, c.Concurrency, c.Changes, c.Rate) < 1:
		return fail("routes, hosts, Envoys, concurrency, changes and rate must be at least 1")
	case c.Shards != 0 && (c.Shards < 2 || c.Shards > 4096):
		return fail("%d shards: expected 2 to 4096", c.Shards)
	case c.Hosts > c.Routes:
		return fail("%d hosts cannot share %d routes: each has at least one", c.Hosts, c.Routes)
	case c.Rate > 10000 || c.ProbeEvery < 10*time.Microsecond:
		return fail("more than 10,000 requests per second, or probes every 10 µs, would measure the bench itself")
	case c.SLA < 0 || c.Duration < 0:
		return fail("times must not be negative")
	}
	for i, s := range c.Shapes {
		if !slices.Contains([]Shape{Plain, Split, Scoped}, s) {
			return fail("shape %q: expected plain, split or scoped", s)
		}
		if slices.Contains(c.Shapes[:i], s) {
			return fail("shape %q stands twice", s)
		}
	}
	if c.Server != nil {
		if err := c.Server.check(fail); err != nil {
			return err
		}
	}
	if c.Load != nil {
		return c.Load.check(c, fail)
	}
	return nil
}

// labels are those of a probe's requests.
func (c Config) labels(id string) probe.Labels { return probe.Labels{ID: id, SLA: c.SLA.String()} }

// words is a list for an error's text.
func words[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, one := range list {
		texts[i] = string(one)
	}
	return strings.Join(texts, ", ")
}
