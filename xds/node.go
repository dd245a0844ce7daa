package xds

import (
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/view"
)

// keepNode is what is kept of a node for as long as its stream: all but the
// list of compiled-in extensions, which is 60 KB for a stock Envoy.
func keepNode(n *corev3.Node, maxBytes int) (*corev3.Node, error) {
	if n == nil {
		return &corev3.Node{}, nil
	}
	n.Extensions, n.ClientFeatures = nil, nil
	if size := proto.Size(n); size > maxBytes {
		return nil, invalid("node %q takes %d bytes without its extensions, at most %d are allowed (xds.Config.MaxNodeBytes)",
			clip(n.GetId()), size, maxBytes)
	}
	data, err := proto.Marshal(n)
	if err != nil {
		return nil, invalid("node %q: %v", clip(n.GetId()), err)
	}
	if partsLeft(n.ProtoReflect().Descriptor(), data, maxNodeParts, 0) < 0 {
		return nil, invalid("node %q has more than %d fields and elements without its extensions", clip(n.GetId()), maxNodeParts)
	}
	return n, nil
}

// assign finds out what the node should have at the stream's epoch. A node
// that no fleet wants any more keeps what it has; a new one gets nothing, and
// nothing that it brought along is removed.
func (st *stream) assign() {
	s := st.epoch.snapshot
	st.calm = nil
	a := st.assignment
	if st.era != st.epoch.era || st.shelf == nil {
		a = st.server.assigner.Assign(st.node, s)
		st.era = st.epoch.era
	}
	switch {
	case a.None && st.shelf != nil:
		st.server.hub.release(st.shelf)
		st.shelf = nil
		fallthrough
	case a.None && st.talk.view != nil:
		a.Fleet, st.retained = st.assignment.Fleet, true
		st.talk.show(st.talk.view, s.Version(), true)
	case a.None:
		st.retained = true
		st.talk.show(view.New(s, nil), s.Version(), true)
	default:
		if st.shelf == nil || !a.equal(st.assignment) {
			old := st.shelf
			st.shelf = st.server.hub.hold(a.Namespaces, st.shaping(a))
			st.server.hub.release(old)
		}
		now := st.shelf.shown.Load()
		st.retained, st.calm = false, now.calm
		st.talk.show(now.view, now.view.Version(), false)
	}
	st.assignment = a
}

// shaping is how the stream gets large tables; nil: it can have them only as
// they are written.
func (st *stream) shaping(a Assignment) *deltaplane.Shaping {
	switch {
	case st.whole != "":
		return nil
	case a.Shaping.Equal(deltaplane.Shaping{}):
		a.Shaping = deltaplane.DefaultShaping()
	}
	return &a.Shaping
}

// observe completes an event and tells it.
func (st *stream) observe(e Event) {
	e.Stream, e.Node, e.ADS, e.Delta, e.Peer = st.id, st.node, st.ads, st.delta, st.peer
	e.Fleet, e.Retained, e.First, e.Time = st.assignment.Fleet, st.retained, st.first, st.server.cfg.now()
	e.AsWritten = st.whole
	if e.AsWritten == "" && st.assignment.Shaping.AsWritten {
		e.AsWritten = "Its fleet says so, but for tables of which a Shape says otherwise."
	}
	if e.Kind == Current && e.Type == "" && e.Rest == nil && st.calm != nil && st.server.hub.roster.settle(st, st.calm) {
		e.Rest = st.calm
	}
	nonce := ""
	if l := st.talk.lane(e.Type); l != nil {
		nonce = l.nonce
	}
	e.Trace = st.server.common.watch.pushed(&e)
	if e.Kind == Sent {
		st.sentTrace = e.Trace
	}
	st.server.log.event(st.grpc.Context(), &e, nonce)
	if e.Kind == Overdue {
		st.server.metrics.overdue.Inc()
	}
	if st.server.cfg.Observer != nil {
		st.server.cfg.Observer.Observe(e)
	}
}
