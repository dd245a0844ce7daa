package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane/internal/traffic"
)

// What a shapeWorld's table has at first: enough to be split by hosts, and by
// paths within the large one.
const (
	shapeHosts  = 120
	shapeRoutes = 6   // of each
	bigRoutes   = 300 // of the large host
	bigHost     = "big.test"
	wildHost    = "wild.test" // *.test
)

// shapeWorld is a table in which each route answers by itself, with its place
// and a revision, and what of it may be answered when.
type shapeWorld struct {
	random *rand.Rand

	mu       sync.Mutex // guards all below
	hosts    map[string]int
	grown    int
	shell    int
	newest   int // step
	settled  []settled
	revision map[string][]revision // by host
	gone     []string              // hosts that were removed, for requests
}

// revision is what a host answers from one step on; 0: it is not there.
type revision struct{ step, number int }

// settled is a step that Envoy was known to have at some time.
type settled struct {
	at   time.Time
	step int
}

func newShapeWorld(random *rand.Rand) *shapeWorld {
	w := &shapeWorld{random: random, hosts: map[string]int{}, revision: map[string][]revision{}}
	for i := range shapeHosts {
		w.set(fmt.Sprintf("host-%03d.test", i), 1)
	}
	w.set(bigHost, 1)
	w.set(wildHost, 1)
	return w
}

// set makes a host answer with a revision from the newest step on.
func (w *shapeWorld) set(host string, number int) {
	w.revision[host] = append(w.revision[host], revision{w.newest, number})
	if number == 0 {
		delete(w.hosts, host)
		w.gone = append(w.gone, host)
	} else {
		w.hosts[host] = number
	}
}

// edit gives a host its next revision.
func (w *shapeWorld) edit(host string) { w.set(host, w.last(host)+1) }

// last is the highest revision that a host has had.
func (w *shapeWorld) last(host string) (number int) {
	for _, r := range w.revision[host] {
		number = max(number, r.number)
	}
	return number
}

// plain are the hosts but the large one and the wildcard, sorted.
func (w *shapeWorld) plain() []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(w.hosts)), func(h string) bool { return h == bigHost || h == wildHost })
}

// step makes a change and tells what it is.
func (w *shapeWorld) step() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest++
	hosts := w.plain()
	one := hosts[w.random.IntN(len(hosts))]
	switch kind := w.random.IntN(20); {
	case kind < 9:
		w.edit(one)
		return "edit " + one
	case kind < 11:
		name := fmt.Sprintf("new-%03d.test", w.random.IntN(1000))
		w.edit(name)
		return "add " + name
	case kind < 13 && len(hosts) > shapeHosts/2:
		w.set(one, 0)
		return "remove " + one
	case kind < 14:
		w.grown++
		for i := range 30 {
			w.edit(fmt.Sprintf("host-%03d-%d-%d.test", w.random.IntN(4), w.grown, i))
		}
		return "grow"
	case kind < 15:
		w.edit(wildHost)
		return "edit the wildcard"
	case kind < 16:
		w.edit(bigHost)
		return "edit the large host"
	case kind < 17:
		w.shell++
		return "edit the shell"
	case kind < 18:
		return w.shrink(hosts)
	default:
		for range 5 {
			w.edit(hosts[w.random.IntN(len(hosts))])
		}
		return "edit five"
	}
}

// shrink takes so much away that the table is no longer worth splitting, or
// brings it back.
func (w *shapeWorld) shrink(hosts []string) string {
	if w.hosts[bigHost] > 0 && len(hosts) > 40 && w.random.IntN(2) == 0 {
		for _, host := range hosts[30:] {
			w.set(host, 0)
		}
		w.set(bigHost, 0)
		return "shrink"
	}
	w.fill()
	return "restore"
}

// fill brings back what the table had at first.
func (w *shapeWorld) fill() {
	for i := range shapeHosts {
		if host := fmt.Sprintf("host-%03d.test", i); w.hosts[host] == 0 {
			w.edit(host)
		}
	}
	if w.hosts[bigHost] == 0 {
		w.edit(bigHost)
	}
}

// restore is a step that makes the table large enough to be split.
func (w *shapeWorld) restore() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.newest++
	w.fill()
	w.edit(bigHost)
}

// documents is the whole table.
func (w *shapeWorld) documents() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	fmt.Fprintf(&b, `"@type": type.googleapis.com/envoy.config.route.v3.RouteConfiguration
name: table
response_headers_to_add: [{header: {key: x-shell, value: "%d"}}]
virtual_hosts:
`, w.shell)
	for _, host := range slices.Sorted(maps.Keys(w.hosts)) {
		fmt.Fprintf(&b, "- name: %s\n  domains: [%q]\n  routes:\n", strings.TrimSuffix(host, ".test"), strings.Replace(host, wildHost, "*.test", 1))
		if host == wildHost {
			fmt.Fprintf(&b, "  - {match: {prefix: /}, direct_response: {status: 200, body: {inline_string: \"%s %d\"}}}\n", wildHost, w.hosts[host])
			continue
		}
		for i := range routesOf(host) {
			fmt.Fprintf(&b, "  - {match: {prefix: /r%03d/}, direct_response: {status: 200, body: {inline_string: \"%s/r%03d %d\"}}}\n", i, host, i, w.hosts[host])
		}
	}
	return b.String()
}

func routesOf(host string) int {
	if host == bigHost {
		return bigRoutes
	}
	return shapeRoutes
}

// settle notes that Envoy has all steps up to the newest.
func (w *shapeWorld) settle() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settled = append(w.settled, settled{time.Now(), w.newest})
}

// request is the n-th: to a host that is there, or was.
func (w *shapeWorld) request(n uint64) traffic.Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	random := rand.New(rand.NewPCG(n, 1))
	host := bigHost
	if len(w.gone) > 0 && n%10 == 0 {
		host = w.gone[random.IntN(len(w.gone))]
	} else if n%4 != 0 {
		host = fmt.Sprintf("host-%03d.test", random.IntN(shapeHosts))
	}
	return traffic.Request{Host: host, Path: fmt.Sprintf("/r%03d/x", random.IntN(routesOf(host)))}
}

// workersLag is how long Envoy's workers may take, on a machine that is busy,
// from the acknowledgement on.
const workersLag = 3 * time.Second

// judge says whether an answer is one that the table gave at some time between
// what Envoy certainly had when the request was sent, and the newest step.
func (w *shapeWorld) judge(r traffic.Request, sent time.Time, a traffic.Answer) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	from := 0
	for _, s := range w.settled {
		if s.at.Add(workersLag).Before(sent) {
			from = s.step
		}
	}
	present, absent := w.between(r.Host, from)
	for _, number := range present {
		if a.Body == fmt.Sprintf("%s%s %d", r.Host, strings.TrimSuffix(r.Path, "/x"), number) {
			return nil
		}
	}
	if absent {
		wild, _ := w.between(wildHost, from)
		for _, number := range wild {
			if a.Body == fmt.Sprintf("%s %d", wildHost, number) {
				return nil
			}
		}
	}
	return fmt.Errorf("misrouted: %s%s was answered by %q at step %d, settled %d; it may be %v, absent %t", r.Host, r.Path, a.Body, w.newest, from, present, absent)
}

// between lists the revisions of a host from a step on.
func (w *shapeWorld) between(host string, from int) (present []int, absent bool) {
	now := 0
	for _, r := range w.revision[host] {
		if r.step > from {
			if now == 0 {
				absent = true
			} else {
				present = append(present, now)
			}
		}
		now = r.number
	}
	if now == 0 {
		return present, true
	}
	return append(present, now), absent
}
