package shapefuzz

import (
	"fmt"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

var waysOf = map[shape.By]string{shape.ByAuto: "auto", shape.ByHost: "host", shape.ByPath: "path", shape.ByHostPath: "host and path"}

// divide gives the case its split: the compiler's own where the table is large
// enough, else one that cuts at random where something is decided.
func (c *Case) divide(r random) {
	o := options(r)
	s, reason := shape.New(c.shell, c.all(), o)
	c.Split, c.How = s, fmt.Sprintf("made for %d shards by %s", o.Shards, waysOf[o.By])
	if reason != "" || r.percent(25) {
		c.Split, c.How = c.cut(r, &shape.Split{Options: o}), "cut at random"
	}
}

func options(r random) shape.Options {
	return shape.Options{Shards: r.between(2, 40), By: oneOf(r, shape.ByAuto, shape.ByHost, shape.ByPath, shape.ByHostPath), Duplication: 100}
}

// resplit is the next split of the table, nil if it keeps the one that it has.
func (c *Case) resplit(r random, tally *shape.Tally) *shape.Split {
	if s := tally.Resplit(c.all(), shape.Moment{Now: moment}); s != c.Split && len(s.Leaves) > 0 {
		c.How += ", then split on"
		return s
	}
	if !r.percent(30) {
		return nil
	}
	if s, reason := c.Split.Renew(c.shell, c.all(), options(r), shape.Moment{Now: moment}); reason == "" {
		c.How += ", then divided anew"
		return s
	}
	left := &shape.Split{Options: c.Split.Options, Next: c.Split.Next}
	c.Split.Areas(func(id uint32, a shape.Area) {
		left.Retired = append(left.Retired, shape.Retired{ID: id, Area: a, Since: moment})
	})
	c.How += ", then cut anew"
	return c.cut(r, left)
}

// cut adds leaves to a split that has none.
func (c *Case) cut(r random, s *shape.Split) *shape.Split {
	var domains, paths []string
	for h := range c.all() {
		d, p := literals(h)
		domains, paths = append(domains, d...), append(paths, p...)
	}
	hosts := cuts(r, domains, oneOf(r, 0, 3, 12, 12, 60), strings.ToLower)
	for _, host := range hosts {
		most := 0
		if len(hosts) == 1 || r.percent(30+len(hosts)/2) { // many leaves need several mutations
			most = oneOf(r, 2, 4, 12, 40)
		}
		for _, path := range cuts(r, paths, most, func(s string) string { return s }) {
			s.Leaves = append(s.Leaves, shape.Leaf{ID: s.Next, Host: host, Path: path})
			s.Next++
		}
	}
	return s
}

// literals are what of a host decides between requests.
func literals(host *resource.Resource) (domains, paths []string) {
	h := hostOf(host)
	for _, d := range h.domains {
		domains = append(domains, strings.Trim(d, "*"))
	}
	return domains, h.paths
}

// cuts are places to cut at, ascending from "": literals or what is near them.
func cuts(r random, literals []string, most int, fold func(string) string) []string {
	all := []string{""}
	if len(literals) == 0 {
		return all
	}
	for range most {
		at := oneOf(r, literals...)
		switch r.IntN(6) {
		case 0:
			if len(at) > 1 {
				at = at[:r.between(1, len(at)-1)]
			}
		case 1:
			at += oneOf(r, ":", "0", "-", "/", ";", "!", "a")
		case 2:
			if n := len(at); n > 1 && at[n-1] < '~' {
				at = at[:n-1] + string(rune(at[n-1]+1))
			}
		}
		if at = fold(at); shape.Usable(at) && at != "" {
			all = append(all, at)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
