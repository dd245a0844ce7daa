package shape

import "github.com/deltaplane/deltaplane/resource"

// edit is one virtual host that becomes another.
type edit struct {
	old, now *resource.Resource // either may be nil
	hunks    []hunk
	framed   bool // all besides the routes is the same
}

// hunk is routes that one host has in one place, and those that the other has
// in their stead. What is not in a hunk is the same in both.
type hunk struct{ gone, came []*route }

// edit finds out what differs between two hosts.
// Cost: the changed segments; of their routes, those are read that differ or
// stand between such.
func (m *memory) edit(old, now *resource.Resource) *edit {
	e := &edit{old: old, now: now}
	if old == nil || now == nil {
		e.hunks = []hunk{{flat(m.runs(old)), flat(m.runs(now))}}
		return e
	}
	e.framed = true
	for h := range resource.Hunks(old, now) {
		gone, came := m.read(h.Gone), m.read(h.Came)
		e.framed = e.framed && gone.routesOnly() && came.routesOnly()
		e.hunks = append(e.hunks, hunk{flat([]*run{gone}), flat([]*run{came})})
	}
	return e
}

// added is how many routes more the host has that is now.
func (e *edit) added() (n int) {
	for _, h := range e.hunks {
		n += len(h.came) - len(h.gone)
	}
	return n
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
