package conformance

import (
	"maps"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
)

// held is one resource as a client has it.
type held struct {
	token   string // Spec.Token
	version string // delta only
}

// topic is what a client knows of one type. Names and resources outlive a
// stream; the rest belongs to the stream.
type topic struct {
	typ      resource.Type
	names    map[string]bool // subscribed by name, "*" included
	legacy   bool            // wildcard because no name was ever given
	held     map[string]held
	accepted string // state of the world: the last accepted version

	asked      bool   // a request was sent on this stream
	nonce      string // of the last response answered
	unanswered []*Response
}

func newTopic(t resource.Type) *topic {
	return &topic{typ: t, names: map[string]bool{}, held: map[string]held{}}
}

// disconnect forgets what belongs to a stream.
func (t *topic) disconnect() { t.asked, t.nonce, t.unanswered = false, "", nil }

func (t *topic) wildcard() bool { return t.legacy || t.names["*"] }

func (t *topic) wants(name string) bool {
	if t.wildcard() || t.names[name] {
		return true
	}
	for subscribed := range t.names {
		if covers(subscribed, name) {
			return true
		}
	}
	return false
}

// list is the whole subscription, sorted.
func (t *topic) list() []string { return slices.Sorted(maps.Keys(t.names)) }

// forget drops resources that are no longer subscribed to. A name that the
// wildcard may still cover is kept: the server says what becomes of it.
func (t *topic) forget() {
	maps.DeleteFunc(t.held, func(name string, _ held) bool { return !t.wants(name) })
}

// effect is what a response does to a client.
type effect struct {
	put     map[string]held // every resource in it that is subscribed to
	changed map[string]bool // those of put that differ from what is held
	removed map[string]bool
	unasked map[string]bool // not subscribed to
	beats   map[string]bool // that live on, in the version that the client has
}

// effectOf works out, without changing t, what accepting r would do.
func (t *topic) effectOf(r *Response, delta bool) effect {
	e := effect{map[string]held{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}}
	for _, item := range r.Resources {
		if !t.wants(item.Name) && !slices.ContainsFunc(item.Aliases, t.wants) {
			e.unasked[item.Name] = true
			continue
		}
		if item.heartbeat() && t.held[item.Name].version == item.Version {
			e.beats[item.Name] = true
			continue
		}
		if item.Body == nil {
			e.removed[item.Name] = true
			continue
		}
		_, content, _ := read(item.Body)
		h := held{Spec{Type: t.typ, Name: item.Name, Content: content, TTL: item.TTL}.Token(), item.Version}
		e.put[item.Name] = h
		if t.held[item.Name].token != h.token {
			e.changed[item.Name] = true
		}
	}
	for _, name := range r.Removed {
		e.removed[name] = true
	}
	if !delta && t.typ.FullState() {
		for name := range t.held {
			if _, ok := e.put[name]; !ok {
				e.removed[name] = true
			}
		}
	}
	return e
}

// apply makes t hold what e says.
func (t *topic) apply(e effect) {
	for name := range e.removed {
		delete(t.held, name)
	}
	maps.Copy(t.held, e.put)
}

// tokens is what t holds, sorted, without the barriers.
func (t *topic) tokens() []string {
	var list []string
	for name, h := range t.held {
		if !isBarrier(name) {
			list = append(list, h.token)
		}
	}
	slices.Sort(list)
	return list
}

func isBarrier(name string) bool { return strings.HasPrefix(name, "barrier-") }
