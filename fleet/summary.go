package fleet

import "github.com/deltaplane/deltaplane"

// Summary counts proxies by state.
type Summary struct {
	Version      deltaplane.Version `json:"version"` // the newest, which they are compared with
	InSync       int                `json:"in_sync"`
	Behind       int                `json:"behind"`
	Refused      int                `json:"refused"`
	Disconnected int                `json:"disconnected"`
	Retained     int                `json:"retained"`  // connected ones without a fleet that keep what they have; also counted by state
	Untracked    int                `json:"untracked"` // open streams beyond Config.MaxStreams
}

// Summary counts the proxies that Nodes lists. Cost: O(proxies × types).
func (f *Fleet) Summary() Summary {
	s := Summary{Version: f.latest()}
	for _, n := range f.known() {
		n.mu.Lock()
		state, retained := n.stateLocked(s.Version), n.retained
		n.mu.Unlock()
		switch state {
		case InSync:
			s.InSync++
		case Behind:
			s.Behind++
		case Refused:
			s.Refused++
		case Disconnected:
			s.Disconnected++
		}
		if retained && state != Disconnected {
			s.Retained++
		}
	}
	f.mu.RLock()
	s.Untracked = f.untracked
	f.mu.RUnlock()
	return s
}

// stateLocked is the worst state of the node's types. n.mu is held.
func (n *node) stateLocked(latest deltaplane.Version) State {
	n.catchUpLocked()
	if len(n.streams) == 0 {
		return Disconnected
	}
	worst := InSync
	for _, s := range n.streams {
		for _, h := range s.holdings {
			if h == nil || !h.subscribed {
				continue
			}
			if state := h.state(latest); state.rank() > worst.rank() {
				worst = state
			}
		}
	}
	return worst
}
