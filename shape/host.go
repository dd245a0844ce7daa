package shape

import (
	"iter"

	"github.com/deltaplane/deltaplane/resource"
)

// run is what is known of one segment of a VirtualHost: its routes, and the
// bytes of the fields before and after them. A host is its runs one after the
// other, which is one run unless it is large.
type run struct {
	before, after []byte
	routes        []route
	paths         span // where any of the routes can match
}

// routesOnly reports whether there are no other fields.
func (r *run) routesOnly() bool { return len(r.before)+len(r.after) == 0 }

// readRun reads a segment of a VirtualHost's canonical bytes.
func readRun(b []byte) *run {
	r := &run{routes: make([]route, 0, routesIn(b))}
	defer r.bound()
	start, end := -1, 0
	for f := range fields(b) {
		switch {
		case f.number == hostRoutes:
			if start < 0 {
				start = end
			}
			r.routes = append(r.routes, readRoute(f.value, f.whole))
		case f.number > hostRoutes:
			if start < 0 {
				start = end
			}
			r.before, r.after = b[:start], b[end:]
			return r
		}
		end += len(f.whole)
	}
	if start < 0 {
		start = end
	}
	r.before = b[:start]
	return r
}

// bound sets r.paths.
func (r *run) bound() {
	for i := range r.routes {
		c := r.routes[i].covers()
		if i == 0 {
			r.paths = c
			continue
		}
		r.paths.from = min(r.paths.from, c.from)
		if r.paths.to != "" && (c.to == "" || c.to > r.paths.to) {
			r.paths.to = c.to
		}
	}
}

// Routes is how many routes a VirtualHost resource has.
// Cost: one pass over the bytes; nothing is parsed.
func Routes(host *resource.Resource) int {
	n := 0
	for _, s := range host.Segments() {
		n += routesIn(s.Bytes)
	}
	return n
}

// routesIn is how many routes a segment has.
func routesIn(b []byte) (n int) {
	for f := range fields(b) {
		if f.number == hostRoutes {
			n++
		}
	}
	return n
}

// domains is a VirtualHost's domains.
// Cost: its fields up to the last of them.
func domains(r *resource.Resource) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, s := range r.Segments() {
			for f := range fields(s.Bytes) {
				if f.number > hostDomains || f.number == hostDomains && !yield(string(f.value)) {
					return
				}
			}
		}
	}
}
