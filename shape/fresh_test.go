package shape_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// prefix is the match of a route.
func prefix(p string) *routev3.RouteMatch {
	return &routev3.RouteMatch{PathSpecifier: &routev3.RouteMatch_Prefix{Prefix: p}}
}

// host is a VirtualHost with a route for each match.
func host(tb testing.TB, name string, domains []string, matches ...*routev3.RouteMatch) *resource.Resource {
	tb.Helper()
	h := &routev3.VirtualHost{Name: "table/" + name, Domains: domains}
	for i, m := range matches {
		h.Routes = append(h.Routes, route(fmt.Sprintf("%s-%d", name, i), m))
	}
	r, err := resource.New(h)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

// wide is a table of so many hosts with so many routes each.
func wide(tb testing.TB, hosts, routes int) *table {
	t := tableOf(tb, &routev3.RouteConfiguration{Name: "table"})
	for i := range hosts {
		name := fmt.Sprintf("h%05d", i)
		t.hosts["table/"+name] = host(tb, name, []string{name + ".example.com"}, prefixes(routes)...)
	}
	return t
}

func prefixes(n int) (matches []*routev3.RouteMatch) {
	for i := range n {
		matches = append(matches, prefix(fmt.Sprintf("/api/v1/r%05d/", i)))
	}
	return matches
}

func (t *table) put(h *resource.Resource) { t.hosts[h.Name()] = h }

// fresh divides a table, which must be possible.
func fresh(tb testing.TB, t *table, o shape.Options) *shape.Split {
	tb.Helper()
	s, reason := shape.New(t.shell, t.all(), o)
	if reason != "" || len(s.Leaves) == 0 {
		tb.Fatalf("stays whole: %q, %d leaves", reason, len(s.Leaves))
	}
	return s
}

// sizes is the routes of the pieces in all leaves, without the retired ones, and
// in the largest.
func sizes(s *shape.Split, t *table) (sum, largest int) {
	held := leavesOf(s, t)
	for _, leaf := range s.Leaves {
		n := 0
		for _, p := range held[leaf.ID] {
			n += shape.Routes(p)
		}
		sum, largest = sum+n, max(largest, n)
	}
	return sum, largest
}

func TestManyHostsAreSplitByHost(t *testing.T) {
	table := wide(t, 1000, 10)
	s := fresh(t, table, shape.Defaults())
	sum, largest := sizes(s, table)
	if len(s.Leaves) != 256 || sum != 10_000 || largest > 60 {
		t.Errorf("%d leaves with %d routes, the largest %d", len(s.Leaves), sum, largest)
	}
	for _, l := range s.Leaves {
		if l.Path != "" {
			t.Fatalf("cut by path: %+v", l)
		}
	}
}

func TestOneLargeHostIsSplitByPath(t *testing.T) {
	table := wide(t, 1, 10_000)
	s := fresh(t, table, shape.Defaults())
	if sum, largest := sizes(s, table); len(s.Leaves) != 256 || sum != 10_000 || largest > 60 {
		t.Errorf("%d leaves with %d routes, the largest %d", len(s.Leaves), sum, largest)
	}
}

func TestALargeHostAmongManyIsSplitByBoth(t *testing.T) {
	table := wide(t, 500, 10)
	table.put(host(t, "large", []string{"h00250a.example.com"}, prefixes(5000)...))
	s := fresh(t, table, shape.Defaults())
	if sum, largest := sizes(s, table); sum > 11_000 || largest > 120 {
		t.Errorf("%d leaves with %d routes, the largest %d", len(s.Leaves), sum, largest)
	}
}

func TestTheOptionsSayWhatIsCut(t *testing.T) {
	table := wide(t, 100, 100)
	for by, want := range map[shape.By]func(shape.Leaf) bool{
		shape.ByHost: func(l shape.Leaf) bool { return l.Path == "" },
		shape.ByPath: func(l shape.Leaf) bool { return l.Host == "" },
	} {
		s := fresh(t, table, shape.Options{Shards: 16, By: by, Duplication: 2})
		if len(s.Leaves) != 16 {
			t.Errorf("by %d: %d leaves", by, len(s.Leaves))
		}
		for _, l := range s.Leaves {
			if !want(l) {
				t.Errorf("by %d: a leaf at %q %q", by, l.Host, l.Path)
			}
		}
	}
}

func TestWildcardsTakeLeavesUntilTheDuplicationFits(t *testing.T) {
	table := wide(t, 1000, 10)
	table.put(host(t, "all", []string{"*"}, prefixes(100)...))
	s := fresh(t, table, shape.Defaults())
	if sum, _ := sizes(s, table); len(s.Leaves) >= 256 || len(s.Leaves) < 32 || sum > 20_200 {
		t.Errorf("%d leaves with %d routes", len(s.Leaves), sum)
	}
}

func TestAHostOfManyDomainsIsNotCopiedIntoEachLeaf(t *testing.T) {
	table := wide(t, 500, 10)
	var domains []string
	for i := range 5000 {
		domains = append(domains, fmt.Sprintf("customer%05d.example.org", i))
	}
	table.put(host(t, "customers", domains, prefixes(20)...))
	s := fresh(t, table, shape.Options{Shards: 256, By: shape.ByHost, Duplication: 2})
	if len(s.Leaves) < 100 {
		t.Errorf("%d leaves", len(s.Leaves))
	}
	copies := 0
	s.Pieces(nil, table.hosts["table/customers"], func(uint32, *resource.Resource) { copies++ })
	if copies != 1 {
		t.Errorf("5,000 domains stand in %d leaves", copies)
	}
}

func TestAReasonIsGivenForEachTableThatStaysWhole(t *testing.T) {
	few := wide(t, 10, 10)
	single := tableOf(t, &routev3.RouteConfiguration{Name: "table"})
	single.put(host(t, "all", []string{"*"}, everywhere(1000)...))
	regexes := wide(t, 1, 1)
	regexes.put(host(t, "re", []string{"re.example.com"}, everywhere(1000)...))
	half := wide(t, 100, 5)
	half.put(host(t, "all", []string{"*"}, everywhere(600)...))
	inner := wide(t, 1000, 1)
	inner.put(redirecting(t))
	generous, strict := shape.Defaults(), shape.Options{Shards: 256, Duplication: 1.2}
	for _, c := range []struct {
		table  *table
		o      shape.Options
		reason string
	}{
		{few, generous, "it has 100 routes, and only from 500 on"},
		{single, generous, "too few exact domains or literal paths"},
		{regexes, generous, "the largest part would still hold 1001 of its 1003"},
		{half, strict, "allow more duplication"},
		{inner, generous, `virtual host "moved": route 0 follows internal redirects`},
	} {
		s, reason := shape.New(c.table.shell, c.table.all(), c.o)
		if !strings.Contains(reason, c.reason) || len(s.Leaves) > 0 {
			t.Errorf("reason %q, %d leaves, want %q", reason, len(s.Leaves), c.reason)
		}
	}
}

// everywhere is matches that any path may meet.
func everywhere(n int) (matches []*routev3.RouteMatch) {
	for range n {
		matches = append(matches, prefix(""))
	}
	return matches
}

func redirecting(tb testing.TB) *resource.Resource {
	r, err := resource.New(&routev3.VirtualHost{Name: "table/moved", Domains: []string{"moved.example.com"}, Routes: []*routev3.Route{{
		Match: prefix("/"),
		Action: &routev3.Route_Route{Route: &routev3.RouteAction{
			ClusterSpecifier:       &routev3.RouteAction_Cluster{Cluster: "backend"},
			InternalRedirectPolicy: &routev3.InternalRedirectPolicy{},
		}},
	}}})
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestANewSplitRetiresTheLeavesOfTheOldOne(t *testing.T) {
	table := wide(t, 100, 10)
	s := fresh(t, table, shape.Defaults())
	at := time.Unix(1e9, 0)
	now, reason := s.Renew(table.shell, table.all(), shape.Options{Shards: 4, Duplication: 2}, shape.Moment{Now: at})
	if reason != "" || len(now.Leaves) != 4 || len(now.Retired) != len(s.Leaves) {
		t.Fatalf("%q: %d leaves, %d retired", reason, len(now.Leaves), len(now.Retired))
	}
	seen := map[uint32]bool{}
	now.Areas(func(id uint32, _ shape.Area) {
		if seen[id] || id >= now.Next {
			t.Errorf("ID %d stands twice, or is not before %d", id, now.Next)
		}
		seen[id] = true
	})
	if left := now.Expire(shape.Moment{Now: at.Add(shape.DefaultDrain - 1)}); left != now {
		t.Error("something has ended too early")
	}
	again, _ := now.Renew(table.shell, table.all(), shape.Defaults(), shape.Moment{Now: at.Add(shape.DefaultDrain)})
	if len(again.Retired) != 4 {
		t.Errorf("%d retired leaves, want those that were live", len(again.Retired))
	}
	if left := now.Expire(shape.Moment{Now: at.Add(shape.DefaultDrain)}); len(left.Retired) > 0 || len(left.Leaves) != 4 {
		t.Errorf("%d retired leaves remain", len(left.Retired))
	}
}

// A listener that drains leads to leaves of its own time, however many splits
// ago that was.
func TestNoLeafIsGivenUpBeforeItsTimeHoweverOftenATableTurns(t *testing.T) {
	table := wide(t, 100, 10)
	s := fresh(t, table, shape.Defaults())
	began := time.Unix(1e9, 0)
	at := shape.Moment{Now: began, Drain: time.Minute}
	kept, plain := map[uint32]bool{}, 0
	for turn := range 40 {
		at.Now = began.Add(time.Duration(turn) * time.Second)
		for _, l := range s.Leaves {
			kept[l.ID] = true
		}
		s, _ = s.Retire(s.Options, at).Renew(table.shell, table.all(), s.Options, at)
		there := 0
		s.Areas(func(id uint32, _ shape.Area) {
			if kept[id] {
				there++
			}
		})
		if there != len(kept) {
			t.Fatalf("after %d turns %d of %d leaves are there", turn, there, len(kept))
		}
		if len(s.Leaves) == 0 {
			plain++
		}
	}
	if len(s.Retired) > 1000 || plain == 0 {
		t.Errorf("%d leaves are retired, and %d times it went out as written", len(s.Retired), plain)
	}
	if e := s.Explain(table.shell, table.all()); !strings.Contains(e.Whole, "so often") {
		t.Errorf("it is whole because %q", e.Whole)
	}
	at.Now = at.Now.Add(time.Minute)
	if s, reason := s.Renew(table.shell, table.all(), s.Options, at); len(s.Leaves) == 0 || len(s.Retired) > 0 {
		t.Errorf("later it has %d leaves, %d are retired: %q", len(s.Leaves), len(s.Retired), reason)
	}
}

// odd is matches whose paths begin with something odd, every second one.
func odd(with string, n int) (matches []*routev3.RouteMatch) {
	for i := range n {
		path := fmt.Sprintf("/plain%05d", i)
		if i%2 == 0 {
			path = fmt.Sprintf("/%s%05d", with, i)
		}
		matches = append(matches, prefix(path))
	}
	return matches
}
