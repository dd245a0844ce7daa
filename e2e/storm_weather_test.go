package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// weather is a configuration in which every request of the storm's traffic
// can be served, and which changes at random into others of which this holds.
//
// The listeners web and secure take their routes from one table each; scoped
// chooses the table by the tenant. Each table sends the hosts that it names to
// clusters of their own and all others to another one.
type weather struct {
	mode   envoy.Mode
	random *rand.Rand
	ports  []int // of the backends, which are all alive

	serial   int
	clusters map[string]*upstream
	tables   map[string]map[string]string // host → cluster; "*" is always there
	web      string                       // table of each listener
	secure   string
	scopes   map[string]string // tenant → table
	prefix   map[string]int    // listener → how often it was changed
	spare    string            // a listener without traffic; "" without
	pems     [][2]string       // certificates with their keys, all of which clients take
	pem      int
}

type upstream struct {
	buffer int   // its limit: a change of it makes Envoy warm the cluster again
	ports  []int // of its endpoints
}

var (
	hosts   = []string{"a.test", "b.test", "c.test"}
	tenants = []string{"ana", "bob", "eve"}
)

func newWeather(t *testing.T, mode envoy.Mode, random *rand.Rand, ports []int) *weather {
	w := &weather{
		mode: mode, random: random, ports: ports, clusters: map[string]*upstream{}, tables: map[string]map[string]string{},
		scopes: map[string]string{}, prefix: map[string]int{},
	}
	for range 3 {
		certificate, key := envoytest.Certificate(t, "example.test")
		w.pems = append(w.pems, [2]string{certificate, key})
	}
	for range 4 {
		w.newCluster()
	}
	w.web, w.secure = w.newTable(), w.newTable()
	for _, tenant := range tenants {
		w.scopes[tenant] = w.newTable()
	}
	return w
}

func pick[T any](w *weather, from []T) T { return from[w.random.IntN(len(from))] }

// names are a map's keys in an order that is the same in each replay.
func names[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (w *weather) next(kind string) string {
	w.serial++
	return fmt.Sprintf("%s-%d", kind, w.serial)
}

func (w *weather) newCluster() string {
	name := w.next("c")
	w.clusters[name] = &upstream{ports: w.somePorts()}
	return name
}

func (w *weather) somePorts() []int {
	ports := slices.Clone(w.ports)
	w.random.Shuffle(len(ports), func(i, j int) { ports[i], ports[j] = ports[j], ports[i] })
	return ports[:1+w.random.IntN(len(ports))]
}

func (w *weather) newTable() string {
	name := w.next("t")
	w.tables[name] = map[string]string{"*": pick(w, names(w.clusters))}
	for _, host := range hosts {
		if w.random.IntN(2) == 0 {
			w.tables[name][host] = pick(w, names(w.clusters))
		}
	}
	return name
}

// turns are the kinds of changes, by name.
var turns = map[string]func(*weather){
	"cluster swapped":   (*weather).swapCluster,
	"cluster changed":   func(w *weather) { w.clusters[pick(w, names(w.clusters))].buffer++ },
	"endpoints moved":   func(w *weather) { w.clusters[pick(w, names(w.clusters))].ports = w.somePorts() },
	"host moved":        (*weather).moveHost,
	"route moved":       func(w *weather) { w.tables[pick(w, names(w.tables))]["*"] = pick(w, names(w.clusters)) },
	"table swapped":     (*weather).swapTable,
	"scope moved":       func(w *weather) { w.scopes[pick(w, tenants)] = pick(w, names(w.tables)) },
	"listener moved":    func(w *weather) { w.web = pick(w, names(w.tables)) },
	"listener changed":  func(w *weather) { w.prefix[pick(w, []string{"web", "secure", "scoped"})]++ },
	"secret rotated":    func(w *weather) { w.pem = (w.pem + 1) % len(w.pems) },
	"listener comes up": func(w *weather) { w.spare = w.next("spare") },
	"listener goes":     func(w *weather) { w.spare = "" },
}

// turn changes the weather once or several times, and says how.
func (w *weather) turn() string {
	var done []string
	for range 1 + w.random.IntN(4)*w.random.IntN(2) {
		kind := pick(w, names(turns))
		turns[kind](w)
		done = append(done, kind)
	}
	return strings.Join(done, ", ")
}

// swapCluster puts a new cluster in the place of an old one, everywhere.
func (w *weather) swapCluster() {
	old := pick(w, names(w.clusters))
	now := w.newCluster()
	delete(w.clusters, old)
	for _, table := range w.tables {
		for host, cluster := range table {
			if cluster == old {
				table[host] = now
			}
		}
	}
}

// swapTable puts a new table in the place of an old one, everywhere.
func (w *weather) swapTable() {
	old := pick(w, names(w.tables))
	now := w.newTable()
	delete(w.tables, old)
	for _, user := range []*string{&w.web, &w.secure} {
		if *user == old {
			*user = now
		}
	}
	for tenant, table := range w.scopes {
		if table == old {
			w.scopes[tenant] = now
		}
	}
}

// moveHost moves a host from one table to another, or lets it appear there.
func (w *weather) moveHost() {
	host, from, to := pick(w, hosts), pick(w, names(w.tables)), pick(w, names(w.tables))
	delete(w.tables[from], host)
	w.tables[to][host] = pick(w, names(w.clusters))
}
