package xds

import "maps"

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
	if q.refusal == nil {
		if !c.delta {
			l.vitals.accepted = f.plan
		}
		c.observe(f.answered(Event{Kind: Acked, Type: l.typ, Standing: l.refused != nil}))
		return
	}
	after, alone := f.plan.afterRefusal()
	if l.held.Key() == f.plan.After.Key() {
		l.held = after
	} else {
		l.held = l.held.Unknown(maps.Keys(f.plan.content()), f.plan.before)
	}
	if l.refused != nil {
		alone = &refusal{f.plan, l.refused}
	}
	if len(f.plan.content()) > 0 {
		l.refused = alone
	}
	target := c.target(l)
	l.refused, l.checked = l.refused.standing(target), target.Hash()
	c.observe(f.answered(Event{
		Kind: Refused, Type: l.typ,
		Detail: truncate(q.refusal.GetMessage(), maxDetailBytes), Resources: refusedNames(f.plan),
	}))
}

// refusedNames are the first names of the response, for the event.
func refusedNames(p *plan) []string {
	names := make([]string, 0, min(len(p.Upserts)+len(p.Removed), maxEventNames))
	for _, u := range p.Upserts[:min(len(p.Upserts), maxEventNames)] {
		names = append(names, u.Name())
	}
	return append(names, p.Removed[:min(len(p.Removed), maxEventNames-len(names))]...)
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
