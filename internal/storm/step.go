package storm

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// change is one kind of change, and says what it did.
type change func(w *World) string

// changes are all kinds. Some stand twice, to be more frequent.
var changes = []change{
	(*World).swapCluster, (*World).swapCluster, (*World).changeCluster,
	(*World).moveEndpoints, (*World).moveEndpoints, (*World).rejoin,
	(*World).moveTenant, (*World).moveTenant, (*World).changeTable,
	(*World).changeChain, (*World).replaceListener, (*World).changeSpare,
	(*World).rotateSecret, (*World).renameSecret,
}

// Step makes one to four changes that go into one commit, and says what they
// are.
func (w *World) Step() string {
	var did []string
	for range 1 + w.random.IntN(4) {
		did = append(did, changes[w.random.IntN(len(changes))](w))
	}
	w.sweep()
	return strings.Join(did, ", ")
}

// user is one place that names a cluster.
func (w *World) user() *string {
	users := w.users()
	return users[w.random.IntN(len(users))]
}

// swapCluster has a new cluster take over from one that goes. Some share the
// name of their endpoints.
func (w *World) swapCluster() string {
	user := w.user()
	old := *user
	*user = w.newCluster()
	if w.random.IntN(4) == 0 {
		w.clusters[*user].service = w.clusters[old].service
	}
	return "swap " + old + " for " + *user
}

// rejoin has a route use a cluster that another one uses, too.
func (w *World) rejoin() string {
	user, other := w.user(), w.user()
	did := "move from " + *user + " to " + *other
	*user = *other
	return did
}

func (w *World) changeCluster() string {
	name := *w.user()
	w.clusters[name].form++
	return "change " + name
}

func (w *World) moveEndpoints() string {
	service := w.clusters[*w.user()].service
	w.endpoints[service] = w.random.IntN(len(w.Backends))
	return "move endpoints of " + service
}

// moveTenant moves a tenant's host to another table, and its scope with it.
func (w *World) moveTenant() string {
	i := w.random.IntN(tenants)
	w.tenants[i].table = w.random.IntN(tables)
	return fmt.Sprintf("move %s to table %d", tenantName(i), w.tenants[i].table)
}

// changeTable has the web's listener use another table.
func (w *World) changeTable() string {
	w.table = w.name("web")
	return "change table to " + w.table
}

func (w *World) listener() (string, *listener) {
	switch w.random.IntN(3) {
	case 0:
		return Web, &w.web
	case 1:
		return Scoped, &w.scoped
	}
	return Secure, &w.secure
}

func (w *World) changeChain() string {
	name, l := w.listener()
	l.chain++
	return "change filter chain of " + name
}

func (w *World) replaceListener() string {
	name, l := w.listener()
	l.outer++
	return "replace " + name
}

// changeSpare adds or removes a listener or a scope that gets no traffic.
func (w *World) changeSpare() string {
	if len(w.spare) > 3 {
		name := slices.Sorted(maps.Keys(w.spare))[w.random.IntN(len(w.spare))]
		delete(w.spare, name)
		return "remove " + name
	}
	name := w.name([]string{spareListener, spareScope}[w.random.IntN(2)])
	w.spare[name] = w.random.IntN(tables)
	return "add " + name
}

func (w *World) rotateSecret() string {
	w.served = (w.served + 1) % len(w.Certificates)
	return fmt.Sprintf("rotate %s to %d", w.secret, w.served)
}

func (w *World) renameSecret() string {
	w.secret = w.name("server")
	return "change secret to " + w.secret
}
