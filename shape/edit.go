package shape

import (
	"bytes"

	"github.com/deltaplane/deltaplane/resource"
)

// edit is one virtual host that becomes another: what both have in common at
// the beginning and at the end of their routes, and what is between.
type edit struct {
	old, now   *resource.Resource // either may be nil
	head, tail []*run             // common to both
	gone, came []*run             // between these
	framed     bool               // all besides the routes is the same
}

func (m *memory) edit(old, now *resource.Resource) *edit {
	e := &edit{old: old, now: now, gone: m.runs(old), came: m.runs(now)}
	for len(e.gone) > 0 && len(e.came) > 0 && e.gone[0].digest == e.came[0].digest {
		e.head, e.gone, e.came = append(e.head, e.came[0]), e.gone[1:], e.came[1:]
	}
	n, c := len(e.gone), len(e.came)
	for n > 0 && c > 0 && e.gone[n-1].digest == e.came[c-1].digest {
		n, c = n-1, c-1
	}
	e.tail, e.gone, e.came = e.came[c:], e.gone[:n], e.came[:c]
	e.framed = old != nil && now != nil && bytes.Equal(frame(e.gone), frame(e.came))
	return e
}

// frame is all besides the routes.
func frame(runs []*run) []byte {
	var b []byte
	for _, r := range runs {
		b = append(b, r.before...)
	}
	b = append(b, 0) // no field has this number
	for _, r := range runs {
		b = append(b, r.after...)
	}
	return b
}

// trimmed are the routes of e.gone and e.came without those that both begin
// and end with.
func (e *edit) trimmed() (gone, came []*route) {
	gone, came = flat(e.gone), flat(e.came)
	for len(gone) > 0 && len(came) > 0 && bytes.Equal(gone[0].whole, came[0].whole) {
		gone, came = gone[1:], came[1:]
	}
	n, c := len(gone), len(came)
	for n > 0 && c > 0 && bytes.Equal(gone[n-1].whole, came[c-1].whole) {
		n, c = n-1, c-1
	}
	return gone[:n], came[:c]
}

func flat(runs []*run) []*route {
	n := 0
	for _, r := range runs {
		n += len(r.routes)
	}
	all := make([]*route, 0, n)
	for _, r := range runs {
		for i := range r.routes {
			all = append(all, &r.routes[i])
		}
	}
	return all
}
