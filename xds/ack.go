package xds

import (
	"maps"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// acknowledge matches q with l's response in flight. Acceptance and refusal
// are told apart by error_detail alone, whatever version q carries; q counts
// only if its nonce is that of the response (xDS protocol, "ACK and NACK
// semantics summary"). Everything else is no news.
func (c *conversation) acknowledge(l *lane, q request) {
	c.hear(l, q)
	if l.flight == nil || q.nonce == "" || q.nonce != l.nonce {
		return
	}
	f := l.flight
	l.flight = nil
	c.through = max(c.through, f.through)
	if l.typ == resource.Listener && len(f.plan.Upserts) > 0 {
		c.rescope()
	}
	if q.refusal == nil {
		c.settle(l)
		if !c.delta {
			l.vitals.accepted = f.plan
		}
		c.observe(f.answered(Event{Kind: Acked, Type: l.typ, Standing: l.refused != nil, Partial: f.partial}))
		return
	}
	after, alone := f.plan.afterRefusal()
	if l.held.Key() == f.plan.After.Key() {
		l.held = after
	} else {
		l.held = l.held.Unknown(maps.Keys(f.plan.content()), f.plan.before)
	}
	together := leavesIn(f.plan) > 1
	if l.refused != nil {
		alone = &refusal{f.plan, l.refused}
	}
	switch {
	case together:
		l.isolate = true // and so finds out which of them it is
	case len(f.plan.content()) > 0:
		l.refused = alone
	}
	target := c.target(l)
	l.refused, l.checked = l.refused.standing(target), target.Hash()
	c.observe(f.answered(Event{
		Kind: Refused, Type: l.typ,
		Detail: truncate(nameTables(q.refusal.GetMessage(), f.plan), maxDetailBytes), Resources: refusedNames(f.plan),
	}))
}

// leavesIn is how many leaves' route configurations are in p.
func leavesIn(p *plan) (n int) {
	for _, u := range p.Upserts {
		if _, leaf := shape.TableOf(u.Name()); leaf && u.Type() == resource.Route {
			n++
		}
	}
	return n
}

// refusedNames are the first names of the response, for the event: a leaf goes
// by the name of its table.
func refusedNames(p *plan) []string {
	names := make([]string, 0, min(len(p.Upserts)+len(p.Removed), maxEventNames))
	add := func(name string) {
		if table, leaf := shape.TableOf(name); leaf {
			name = table
		}
		if len(names) < maxEventNames && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, u := range p.Upserts {
		add(u.Name())
	}
	for _, name := range p.Removed {
		add(name)
	}
	return names
}

// nameTables is what a client says of p with the names that users know.
func nameTables(text string, p *plan) string {
	if !strings.Contains(text, shape.Prefix) {
		return text
	}
	var leaves []string
	for _, u := range p.Upserts {
		if _, leaf := shape.TableOf(u.Name()); leaf {
			leaves = append(leaves, u.Name())
		}
	}
	// The name of one may be the beginning of another's.
	slices.SortFunc(leaves, func(a, b string) int { return len(b) - len(a) })
	for _, name := range leaves {
		table, _ := shape.TableOf(name)
		text = strings.ReplaceAll(text, name, table)
	}
	return text
}

// truncate cuts s to at most n bytes, between characters.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
