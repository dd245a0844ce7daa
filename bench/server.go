package bench

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/bench/clock"
	"github.com/deltaplane/deltaplane/bench/plane"
)

// Server is a control plane that runs already, on any machine, and may serve
// others, too. What a bench puts there stands in namespaces which only its own
// Envoys get, and goes when the bench ends.
type Server struct {
	URL string // of its API
	XDS string // HOST:PORT
	// Transport leads to its API, with whatever token and authority that needs
	// (plane.Transport). Default: http.DefaultTransport.
	Transport http.RoundTripper
	// Namespace is where the bench's resources stand; it must be empty. Of
	// several sides, each has one with its name behind this. Default:
	// deltaplane-bench-envoys.
	Namespace string
}

// defaultNamespace is one that nobody else takes.
const defaultNamespace = plane.FleetPrefix + "-envoys"

// withDefaults is s completed.
func (s Server) withDefaults() Server {
	if s.Namespace == "" {
		s.Namespace = defaultNamespace
	}
	s.URL = strings.TrimRight(s.URL, "/")
	return s
}

// check says what is wrong with s by fail, if anything.
func (s Server) check(fail func(format string, args ...any) error) error {
	at, err := url.Parse(s.URL)
	switch {
	case s.URL == "" || s.XDS == "":
		return fail("of a running control plane both are needed, the API's URL and the address of its xDS")
	case err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https":
		return fail("server %q: expected http://HOST:PORT or https://HOST:PORT", s.URL)
	case s.Namespace == deltaplane.DefaultNamespace:
		return fail("namespace %s is what proxies without a fleet get: name one for the bench alone", s.Namespace)
	}
	return nil
}

// namespaceOf is that of one side of c.
func (c Config) namespaceOf(shape Shape) string {
	if len(c.Shapes) == 1 {
		return c.Server.Namespace
	}
	return c.Server.Namespace + "-" + string(shape)
}

// Elsewhere tells of a control plane that the run has not started.
type Elsewhere struct {
	URL        string       `json:"url"`
	Namespaces []string     `json:"namespaces"`
	Clock      *clock.Worst `json:"clock"`
	// Notes say what the report does not have for it, and why, and what some of
	// its figures include.
	Notes []string `json:"notes"`
}

// elsewhere is what a report says of the control plane; nil of the run's own.
func (r *run) elsewhere() *Elsewhere {
	if r.cfg.Server == nil {
		return nil
	}
	e := &Elsewhere{URL: r.cfg.Server.URL, Notes: []string{
		"by its /metrics, in which all that it does counts, that page included: its CPU (in steps of 10 ms), memory, bytes sent and etcd's part",
		"acknowledged means by all proxies that it serves",
	}}
	if r.cfg.Load != nil {
		e.Notes = append(e.Notes, "left out: cp_dispatch_us, grpc_server_us and ack_us, which only its own traces tell")
	}
	unknown, unacked, untold := 0, 0, false
	for _, s := range r.sides {
		e.Namespaces = append(e.Namespaces, s.guest.namespace)
		if e.Clock == nil || s.guest.worse(e.Clock) {
			e.Clock = s.guest.clock
		}
		untold = untold || s.counters.rss == 0
		unknown += s.changes.made + s.files.made - s.changes.etcd.Count() - s.files.etcd.Count()
		unacked += s.changes.made + s.files.made - s.changes.ack.Count() - s.files.ack.Count()
	}
	if untold {
		e.Notes = append(e.Notes, "left out: its CPU and memory, which its /metrics do not tell")
	}
	if unknown > 0 {
		e.Notes = append(e.Notes, "left out: etcd's part of "+count(unknown, "change")+", during which others made changes, too")
	}
	if unacked > 0 {
		e.Notes = append(e.Notes, "left out: when "+count(unacked, "change")+" had been acknowledged: other proxies do not acknowledge what they get")
	}
	return e
}

// facts are what tables and pages say of it, a line each.
func (e *Elsewhere) facts() []string {
	facts := []string{"the control plane runs at " + e.URL + "; the bench was in " + strings.Join(e.Namespaces, ", ") + " there"}
	if e.Clock != nil {
		facts = append(facts, e.Clock.String())
	}
	return append(facts, e.Notes...)
}
