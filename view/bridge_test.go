package view

import (
	"slices"
	"testing"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/resource"
)

// tableOf is a table with one route configuration of these hosts.
func tableOf(t *testing.T, hosts ...*resource.Resource) Table {
	t.Helper()
	x, inside := Table{}.Txn(), Table{}.Txn()
	for _, h := range hosts {
		inside.Put(shelfOf("r")+h.Name(), of(h))
	}
	x.Put("r", compose(made(t, &routev3.RouteConfiguration{Name: "r"}), inside.Commit()))
	return x.Commit()
}

func hostsIn(table Table) (names []string) {
	r, _ := table.Get("r")
	for host := range r.hosts() {
		names = append(names, host.Name())
	}
	return names
}

func TestABridgeHasTheHostsOfBothSides(t *testing.T) {
	stays, goes := host(t, "r/stays", "c", "stays.test"), host(t, "r/goes", "c", "goes.test")
	comes := host(t, "r/comes", "c", "comes.test")
	before, after := tableOf(t, goes, stays), tableOf(t, comes, stays)
	held := Holding(before, Table{})
	over := held.Bridge(after)
	if got := hostsIn(over); !slices.Equal(got, []string{"r/comes", "r/goes", "r/stays"}) {
		t.Errorf("it has %q", got)
	}
	if got := hostsIn(held.Asked(slices.Values([]string{"r"}), &Subscription{wildcard: true}).Bridge(after)); len(got) != 3 {
		t.Errorf("of a client that asked again, it has %q", got)
	}
	if held.Bridge(before).Hash() != before.Hash() {
		t.Error("where nothing changes, it differs from the target")
	}
	if Holding(over, Table{}).Bridge(after).Hash() != over.Hash() {
		t.Error("a client that has it would be sent it again")
	}
	if Nothing().Bridge(after).Hash() != after.Hash() {
		t.Error("for a client that has nothing, it differs from the target")
	}
}

func TestABridgeHasNoHostsThatTheClientNeverHad(t *testing.T) {
	before, after := tableOf(t, host(t, "r/goes", "c", "goes.test")), tableOf(t, host(t, "r/comes", "c", "comes.test"))
	held := Holding(before, Table{}).Asked(slices.Values([]string{"r"}), &Subscription{names: []string{"other"}})
	if got := hostsIn(held.Bridge(after)); !slices.Equal(got, []string{"r/comes"}) {
		t.Errorf("it has %q", got)
	}
}

func TestABridgeHasEachDomainOnce(t *testing.T) {
	before, after := tableOf(t, host(t, "r/old", "c", "a.test", "b.test")), tableOf(t, host(t, "r/new", "c", "b.test"))
	if got := hostsIn(Holding(before, Table{}).Bridge(after)); !slices.Equal(got, []string{"r/new"}) {
		t.Errorf("it has %q, of which Envoy would refuse one", got)
	}
}
