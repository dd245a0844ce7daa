package shape

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
)

// Explanation shows a table's split to users.
type Explanation struct {
	Table       string  `json:"table"`
	Whole       string  `json:"whole,omitempty"` // why it goes out as written
	By          string  `json:"by,omitempty"`    // host, path or host+path
	Hosts       int     `json:"hosts"`           // of the table
	Routes      int     `json:"routes"`          // of the table
	Duplication float64 `json:"duplication"`     // routes of all shards in relation to Routes
	PerShard    Spread  `json:"per_shard"`
	Shards      []Shard `json:"shards,omitempty"` // in the order of their keys
	Retired     int     `json:"retired"`          // shards that are kept for connections that drain

	HostsEverywhere  Sample `json:"hosts_everywhere"`  // virtual hosts that stand in every range of authorities
	RoutesEverywhere Sample `json:"routes_everywhere"` // routes that stand in every range of paths of their host
}

// Spread is routes of shards.
type Spread struct {
	Min    int `json:"min"`
	Median int `json:"median"`
	Max    int `json:"max"`
}

// Shard is one leaf: what it covers and holds. From stands in it, To no longer,
// and is infinity when it is empty.
type Shard struct {
	ID       uint32 `json:"id"`
	Name     string `json:"name"` // of its route configuration
	HostFrom string `json:"host_from"`
	HostTo   string `json:"host_to"`
	PathFrom string `json:"path_from"`
	PathTo   string `json:"path_to"`
	Hosts    int    `json:"hosts"`
	Routes   int    `json:"routes"`
}

// Sample is how many of something there are, and the names of the first ones.
type Sample struct {
	Count int      `json:"count"`
	Names []string `json:"names,omitempty"` // sampleNames at most
}

// sampleNames is how many names a Sample has at most.
const sampleNames = 20

func (s *Sample) add(name string) {
	if s.Count++; len(s.Names) < sampleNames {
		s.Names = append(s.Names, name)
	}
}

// Explain shows the split of a table. s is nil for one that never had any.
// Cost: one pass over the table, and more for one without leaves.
func (s *Split) Explain(shell *resource.Resource, hosts iter.Seq[*resource.Resource]) Explanation {
	e := Explanation{Table: shell.Name()}
	if s == nil {
		s = &Split{Options: Defaults()}
	}
	c := read(hosts)
	e.Hosts, e.Routes, e.Retired = c.number.hosts, c.number.routes, len(s.Retired)
	if len(s.Leaves) == 0 {
		if _, e.Whole = New(shell, hosts, s.Options); e.Whole == "" && s.crowded() {
			e.Whole = s.crowding()
		}
		if e.Whole == "" {
			e.Whole = "it will be split when it changes next"
		}
		return e
	}
	e.shards(s, c.count(s.Leaves))
	for h := range hosts {
		e.everywhere(s, h)
	}
	return e
}

func (e *Explanation) shards(s *Split, numbers []number) {
	byHost, byPath, sum := false, false, 0
	var routes []int
	for i, l := range s.Leaves {
		a := s.area(i)
		byHost, byPath = byHost || l.Host != "", byPath || l.Path != ""
		sum += numbers[i].routes
		routes = append(routes, numbers[i].routes)
		e.Shards = append(e.Shards, Shard{
			ID: l.ID, Name: Name(e.Table, l.ID), Hosts: numbers[i].hosts, Routes: numbers[i].routes,
			HostFrom: a.HostFrom, HostTo: a.HostTo, PathFrom: a.PathFrom, PathTo: a.PathTo,
		})
	}
	slices.Sort(routes)
	e.PerShard = Spread{routes[0], routes[len(routes)/2], routes[len(routes)-1]}
	e.Duplication = float64(sum) / float64(max(1, e.Routes))
	switch {
	case byHost && byPath:
		e.By = "host+path"
	case byPath:
		e.By = "path"
	default:
		e.By = "host"
	}
}

// everywhere finds what of a virtual host stands in more shards than it would
// if its domains and paths were literal.
func (e *Explanation) everywhere(s *Split, h *resource.Resource) {
	_, name, _ := resource.HostOf(h.Name())
	places := s.places(covers(h))
	if strings.Contains(e.By, "host") && len(places) == 1 && places[0] == (place{0, len(s.Leaves)}) {
		e.HostsEverywhere.add(name)
	}
	cutByPath := slices.ContainsFunc(places, func(p place) bool {
		return slices.ContainsFunc(s.Leaves[p.first:p.end], func(l Leaf) bool { return l.Path != "" })
	})
	if !cutByPath {
		return
	}
	for i, r := range flat(remembered.runs(h)) {
		if r.kind == anyPath {
			e.RoutesEverywhere.add(r.called(name, i))
		}
	}
}

// called is a name for the i-th route of a host.
func (r *route) called(host string, i int) string {
	for outer := range fields(r.whole) {
		for f := range fields(outer.value) {
			if f.number == routeName {
				return host + "/" + string(f.value)
			}
		}
	}
	return fmt.Sprintf("%s/%d", host, i)
}
