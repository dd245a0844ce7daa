package fleet

import (
	"cmp"
	"slices"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// State says how a proxy, or one type of it, stands to the newest version.
type State string

const (
	InSync       State = "in_sync"      // holds the newest version
	Behind       State = "behind"       // not sent yet, or sent and not acknowledged
	Refused      State = "refused"      // refused a response, keeps the last good version
	Disconnected State = "disconnected" // has no stream
)

// rank orders states: a node is in the worst state of its types.
func (s State) rank() int {
	return slices.Index([]State{InSync, Behind, Refused, Disconnected}, s)
}

// NodeStatus is all that is known of one proxy. It is the caller's own.
type NodeStatus struct {
	Node      string             `json:"node"`
	Cluster   string             `json:"cluster,omitempty"`
	Agent     string             `json:"agent,omitempty"`      // client and version: "envoy 1.40.0"
	Peer      string             `json:"peer,omitempty"`       // address of the newest stream
	AsWritten string             `json:"as_written,omitempty"` // why it gets large tables as written; "" if in parts
	Fleet     string             `json:"fleet,omitempty"`      // assignment in force
	Retained  bool               `json:"retained,omitempty"`
	Connected bool               `json:"connected"`
	Since     time.Time          `json:"since"` // connected or disconnected
	Streams   int                `json:"streams"`
	State     State              `json:"state"`
	Version   deltaplane.Version `json:"version"` // all that it subscribes to is held as of this one; 0 without any
	Behind    uint64             `json:"behind"`  // versions between that and the newest
	LastAck   time.Time          `json:"last_ack,omitzero"`
	Responses uint64             `json:"responses"` // since the proxy is known, as Refusals and Bytes
	Refusals  uint64             `json:"refusals"`
	Bytes     uint64             `json:"bytes"`
	Types     []TypeStatus       `json:"types"` // subscribed ones, in serving order
}

// TypeStatus is one subscribed type of a proxy. When several streams of the
// proxy subscribe to it, it is what the one furthest behind holds.
type TypeStatus struct {
	Type      resource.Type      `json:"type"`
	State     State              `json:"state"`
	Since     time.Time          `json:"since"` // of the refusal; of the response in flight; of the last step forward; when what it holds last changed; of the disconnect
	ADS       bool               `json:"ads"`   // over an aggregated stream
	Delta     bool               `json:"delta"` // incremental
	Wildcard  bool               `json:"wildcard,omitempty"`
	Names     int                `json:"names,omitempty"` // subscribed by name
	Sent      deltaplane.Version `json:"sent"`            // newest version that a response belonged to
	Acked     deltaplane.Version `json:"acked"`
	Held      deltaplane.Version `json:"held"`   // all that it subscribes to is there as of this one, whether or not it changed then
	Behind    uint64             `json:"behind"` // versions between Held and the newest
	LastSent  time.Time          `json:"last_sent,omitzero"`
	LastAck   time.Time          `json:"last_ack,omitzero"`
	Responses uint64             `json:"responses"`
	Acks      uint64             `json:"acks"`
	Refusals  uint64             `json:"refusals"`
	Bytes     uint64             `json:"bytes"`
	Refusal   *Refusal           `json:"refusal,omitempty"` // while it is in force
}

// Nodes lists every proxy that is connected, or was a short time ago, by id.
// Cost: O(proxies × types); events of other nodes go on meanwhile.
func (f *Fleet) Nodes() []NodeStatus {
	latest := f.latest()
	nodes := f.known()
	list := make([]NodeStatus, 0, len(nodes))
	for _, n := range nodes {
		list = append(list, n.status(latest))
	}
	return list
}

// Node is the status of one proxy. Cost: O(its streams).
func (f *Fleet) Node(id string) (NodeStatus, bool) {
	f.mu.Lock()
	f.expireLocked()
	n := f.nodes[capID(id)]
	f.mu.Unlock()
	if n == nil {
		return NodeStatus{}, false
	}
	return n.status(f.latest()), true
}

// known lists all nodes by id.
func (f *Fleet) known() []*node {
	f.mu.Lock()
	f.expireLocked()
	nodes := make([]*node, 0, len(f.nodes))
	for _, n := range f.nodes {
		nodes = append(nodes, n)
	}
	f.mu.Unlock()
	slices.SortFunc(nodes, func(a, b *node) int { return cmp.Compare(a.id, b.id) })
	return nodes
}

func (n *node) status(latest deltaplane.Version) NodeStatus {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.statusLocked(latest)
}

// statusLocked makes the status of a node. n.mu is held.
func (n *node) statusLocked(latest deltaplane.Version) NodeStatus {
	n.catchUpLocked()
	st := NodeStatus{
		Node: n.id, Cluster: n.cluster, Agent: n.agent, Peer: n.peer, AsWritten: n.asWritten, Fleet: n.fleet, Retained: n.retained,
		Connected: len(n.streams) > 0, Since: n.since, Streams: len(n.streams), State: InSync, Types: []TypeStatus{},
	}
	for t := range slot(slots) {
		one, total := n.typeLocked(t, latest)
		st.Responses += total.responses
		st.Refusals += total.refusals
		st.Bytes += total.bytes
		if one == nil {
			continue
		}
		if len(st.Types) == 0 || one.Held < st.Version {
			st.Version, st.Behind = one.Held, one.Behind
		}
		if one.State.rank() > st.State.rank() {
			st.State = one.State
		}
		if one.LastAck.After(st.LastAck) {
			st.LastAck = one.LastAck
		}
		st.Types = append(st.Types, *one)
	}
	if st.Connected {
		return st
	}
	st.State = Disconnected
	for i := range st.Types {
		if one := &st.Types[i]; one.Refusal == nil {
			one.State, one.Since = Disconnected, n.since
		}
	}
	return st
}

// typeLocked is the status of one type, nil when it is not subscribed to, and
// its counters over all streams. n.mu is held.
func (n *node) typeLocked(t slot, latest deltaplane.Version) (*TypeStatus, counters) {
	var worst *holding
	var of stream
	var total counters
	if past := n.past[t]; past != nil {
		total = past.count
	}
	if len(n.streams) == 0 && n.pastTypes.has(t) {
		worst = n.past[t]
	}
	for _, s := range n.streams {
		h := s.holdings[t]
		if h == nil {
			continue
		}
		total.add(h.count)
		if h.subscribed && (worst == nil || h.worse(worst, latest)) {
			worst, of = h, *s
		}
	}
	if worst == nil {
		return nil, total
	}
	state := worst.state(latest)
	return &TypeStatus{
		Type: t.resource(), State: state, Since: worst.since(state), ADS: of.ads, Delta: of.delta,
		Wildcard: worst.wildcard, Names: worst.names, Sent: worst.sent, Acked: worst.acked, Held: worst.held,
		Behind: uint64(max(latest, worst.held) - worst.held), LastSent: worst.sentAt, LastAck: worst.ackedAt,
		Responses: total.responses, Acks: total.acks, Refusals: total.refusals, Bytes: total.bytes,
		Refusal: worst.refusal,
	}, total
}
