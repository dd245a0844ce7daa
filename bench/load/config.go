package load

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// Config says what to measure. Command and Proxies are required; the zero
// value of each other field takes its default.
type Config struct {
	Command string // the binary that has `serve`
	Version string // of that binary, for the report
	Rivals  string // the binary that serves as the other sides; needed for those

	Sides []Kind // what is compared; default Deltaplane alone

	Proxies     int         // simulated, of each side
	Resources   int         // default 10,000
	Set         fixture.Set // what they are; default: New(Resources)
	Pattern     string      // what changes: a kind, or "mixed"; default cluster
	Changes     int         // single ones, of each side and repetition; default 20
	Repetitions int         // default 1

	Progress func(Progress) // hears what goes on, on one goroutine; default: nobody
}

// Progress is what a run is at.
type Progress struct {
	Side, Step  string
	Done, Total int // Total 0: not known
}

// ErrConfig wraps what is wrong with a Config.
var ErrConfig = errors.New("load test")

// Mixed is the pattern of changes to each kind in turn.
const Mixed = "mixed"

// setUpPatience bounds how long each step of a side's start may take.
const setUpPatience = 3 * time.Minute

func (c Config) withDefaults() (Config, error) {
	orDefault(&c.Resources, 10_000)
	orDefault(&c.Pattern, fixture.Cluster.String())
	orDefault(&c.Changes, 20)
	orDefault(&c.Repetitions, 1)
	if c.Set == (fixture.Set{}) {
		c.Set = fixture.New(c.Resources)
	}
	if c.Sides == nil {
		c.Sides = []Kind{Deltaplane}
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if _, err := kindsOf(c.Pattern); err != nil {
		return c, err
	}
	for i, k := range c.Sides {
		if !slices.Contains(Kinds(), k) || slices.Contains(c.Sides[:i], k) {
			return c, fmt.Errorf("%w: side %q is unknown or stands twice: expected some of %v", ErrConfig, k, Kinds())
		}
	}
	switch {
	case c.Command == "":
		return c, fmt.Errorf("%w: no command to serve with", ErrConfig)
	case c.Rivals == "" && slices.ContainsFunc(c.Sides, func(k Kind) bool { return k != Deltaplane }):
		return c, fmt.Errorf("%w: rivals and floors are a program of their own: make rivals builds it, --rivals says where it is", ErrConfig)
	case min(c.Proxies, c.Changes, c.Repetitions) < 1 || c.Resources < fixture.Least:
		return c, fmt.Errorf("%w: proxies, changes and repetitions must be at least 1, resources %d", ErrConfig, fixture.Least)
	}
	return c, nil
}

func orDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
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
