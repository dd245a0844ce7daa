package load

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// Config says what to measure. Command and Proxies are required; the zero
// value of each other field takes its default.
type Config struct {
	Command     string // the binary that has `serve`
	CommandLine string // of the run, for the report
	Version     string // of the binary, for the report
	Rivals      string // the binary that serves as the other sides; needed for those

	// Server and XDS are a running control plane, which is Deltaplane then:
	// the URL of its API, and the host:port where its xDS listens without TLS.
	// Default: one is started.
	Server, XDS string
	// Transport leads to its API, with whatever token and authority that needs
	// (plane.Transport). Default: http.DefaultTransport.
	Transport http.RoundTripper

	Sides       []Kind        // what is compared; default Deltaplane alone
	Proxies     int           // simulated, of each side
	Resources   []int         // how many all proxies have; for each number there are all sides; default 10,000
	Set         fixture.Set   // what they are, instead of Resources
	Pattern     string        // what changes: a kind, or Mixed; default cluster
	Changes     int           // single ones, of each side and repetition; default 20
	TurnLimit   time.Duration // ends the single changes of a turn early; default: it does not
	Repetitions int           // how often each side has its turn; default 1
	Rate        int           // changes per second in the steady part; default: there is no such part
	Duration    time.Duration // of the steady part; default 10 s
	Concerned   int           // proxies that some further changes concern; default: there are none
	ByName      bool          // endpoints and routes are asked for by name
	Extensions  int           // in each proxy's node; negative: none; default as in an Envoy's
	NoStorm     bool          // the proxies are not cut off to come back
	SLA         time.Duration // for the P99 of the time from the call to the last proxy; default 50 ms

	// Profile is a directory for profiles of our control planes while all is
	// measured (package profile); what they cost is in the figures. Default:
	// none are taken.
	Profile string

	Progress func(Progress) // hears what goes on, on one goroutine; default: nobody
}

// Progress is what a run is at.
type Progress struct {
	Side, Step  string
	Done, Total int           // Total 0: not known
	P50, P99    time.Duration // of the side's times to the last proxy; 0: none yet
}

// ErrConfig wraps what is wrong with a Config.
var ErrConfig = errors.New("load test")

// Mixed is the pattern of changes to each kind in turn.
const Mixed = "mixed"

// envoyExtensions is how many an Envoy 1.40 lists in its node.
const envoyExtensions = 516

func (c Config) withDefaults() (Config, error) {
	if c.Set != (fixture.Set{}) {
		c.Resources = []int{c.Set.Len()}
	}
	if c.Resources == nil {
		c.Resources = []int{10_000}
	}
	if c.Sides == nil {
		c.Sides = []Kind{Deltaplane}
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	orDefault(&c.Pattern, fixture.Cluster.String())
	orDefault(&c.Changes, 20)
	orDefault(&c.TurnLimit, time.Hour)
	orDefault(&c.Repetitions, 1)
	orDefault(&c.Duration, 10*time.Second)
	orDefault(&c.Extensions, envoyExtensions)
	orDefault(&c.SLA, 50*time.Millisecond)
	c.Extensions = max(0, c.Extensions)
	return c, c.check()
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func (c Config) check() error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%w: %s", ErrConfig, fmt.Sprintf(format, args...))
	}
	if _, err := kindsOf(c.Pattern); err != nil {
		return err
	}
	for i, k := range c.Sides {
		if !slices.Contains(Kinds(), k) || slices.Contains(c.Sides[:i], k) {
			return fail("side %q is unknown or stands twice: expected some of %v", k, Kinds())
		}
	}
	switch {
	case c.Command == "":
		return fail("no command to serve with")
	case (c.Server == "") != (c.XDS == ""):
		return fail("of a running control plane both are needed, the API's URL and the address of its xDS")
	case c.Server != "" && (!slices.Contains(c.Sides, Deltaplane) || len(c.Resources) > 1):
		return fail("a running control plane is the side deltaplane, with one number of resources")
	case c.Rivals == "" && slices.ContainsFunc(c.Sides, func(k Kind) bool { return k != Deltaplane }):
		return fail("rivals and floors are a program of their own: make rivals builds it, --rivals says where it is")
	case slices.Min(c.Resources) < fixture.Least:
		return fail("at least %d resources", fixture.Least)
	case min(c.Proxies, c.Changes, c.Repetitions) < 1:
		return fail("proxies, changes and repetitions must be at least 1")
	case c.Concerned < 0 || c.Concerned > c.Proxies:
		return fail("%d of %d proxies cannot be concerned", c.Concerned, c.Proxies)
	case c.Rate < 0 || c.Rate > 10_000 || c.Duration < 0 || c.SLA < 0:
		return fail("a rate is at most 10,000 changes per second, and neither it nor times are negative")
	}
	return nil
}

// kindsOf are the kinds that a pattern changes, in turn.
func kindsOf(pattern string) ([]fixture.Kind, error) {
	var all []fixture.Kind
	for k := range fixture.Kinds {
		if pattern == Mixed || pattern == k.String() {
			all = append(all, k)
		}
	}
	if all == nil {
		return nil, fmt.Errorf("%w: pattern %q: expected cluster, endpoint, route, listener or mixed", ErrConfig, pattern)
	}
	return all, nil
}
