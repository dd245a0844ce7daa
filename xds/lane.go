package xds

import (
	"sync/atomic"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// lane is one type's part of a conversation: on the aggregated stream there
// is one for each type that the client asked for, and they do not mix (xDS
// protocol, "Aggregated Discovery Service").
type lane struct {
	typ     resource.Type
	sub     *view.Subscription
	named   bool // the client has subscribed to a name: the empty list no longer means all
	held    view.Held
	owes    bool               // the client waits for an answer, even an empty one
	resumed bool               // the client came back with what it had
	claimed *view.Held         // what that was, while that counts; nil: nothing
	flight  *flight            // sent, neither accepted nor refused yet; at most one
	nonce   string             // of the last response
	refused *refusal           // nil: nothing
	isolate bool               // leaves were refused together: until it is in sync, each goes by itself
	last    deltaplane.Version // of the last response; until there is one, the version before that of the first request
	current deltaplane.Version // told to be current at, but for refusals; 0: not since the last response

	vitals     vitals      // of what has a TTL
	preloading *preloading // of scopes that move; nil while none does
	bridge     bridge      // of routes, while scopes move

	checked radix.Hash // table that refused was last checked against

	scopeOf radix.Hash // table and subscription that scope was made for
	scopeBy *view.Subscription
	scope   view.Table

	latest        *flight // of listeners: the last response, answered or not
	warmClusters  warmth
	warmListeners warmth
}

// flight is a response on its way.
type flight struct {
	plan    *plan
	since   time.Time
	version deltaplane.Version
	after   deltaplane.Version // that the client was at before, as far as known
	pushed  bool               // it brings news
	partial bool               // more of what the version has is still to come
	handed  time.Time          // when it was encoded; zero if not traced
	view    *view.View         // that it was decided for
	through uint64             // where it ends among the bytes that the stream has handed over
	overdue bool               // told to be
	taken   atomic.Int64       // when the connection had it, Unix nanoseconds; 0: not yet, or not traced
}

// refusal is a response that the client refused, and those before it. Its
// resources are held back until one of them has another target. It is
// immutable.
type refusal struct {
	plan    *plan
	earlier *refusal
}

// subscribed reports whether the client wants anything.
func (l *lane) subscribed() bool { return l.sub.Wildcard() || len(l.sub.Names()) > 0 }

// reached is the version before v up to which the client has had everything
// or was sent it, as far as known.
func (l *lane) reached(v deltaplane.Version) deltaplane.Version {
	return min(max(l.last, l.current), before(v))
}

// before is the version before v.
func before(v deltaplane.Version) deltaplane.Version { return max(v, 1) - 1 }

// target is what v has for the client.
func (l *lane) target(v *view.View) view.Table {
	table := v.Table(l.typ)
	if l.typ != resource.VirtualHost {
		return table
	}
	if h := table.Hash(); l.scopeBy != l.sub || l.scopeOf != h {
		l.scope, l.scopeOf, l.scopeBy = v.Scope(l.typ, l.sub), h, l.sub
	}
	return l.scope
}

// standing is r without the refusals that have become void: one of their
// resources has another target now, so that trying again makes sense.
func (r *refusal) standing(target view.Table) *refusal {
	if r == nil {
		return nil
	}
	earlier := r.earlier.standing(target)
	switch {
	case !r.stands(target):
		return earlier
	case earlier == r.earlier:
		return r
	}
	return &refusal{r.plan, earlier}
}

// stands reports whether all that r's response had is still wanted as it was.
func (r *refusal) stands(target view.Table) bool {
	for name, digest := range r.plan.content() {
		var now resource.Digest
		if want, ok := target.Get(name); ok {
			now = want.Digest()
		}
		if now != digest {
			return false
		}
	}
	return true
}

// holds reports whether the resource called name was in a refused response.
func (r *refusal) holds(name string) bool {
	for ; r != nil; r = r.earlier {
		if _, ok := r.plan.content()[name]; ok {
			return true
		}
	}
	return false
}
