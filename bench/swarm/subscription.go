package swarm

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// asks are the first requests of all proxies, one for each kind, but for the
// beginning of the node, which stands before all. The memory is the same for
// all proxies.
type asks struct {
	extensions []byte
	kinds      [fixture.Kinds][]byte
}

// asks encodes them. Envoys ask by name for the endpoints of the clusters that
// they have, and for the routes that their listeners name.
func (c *Config) asks() (all asks, err error) {
	n := requests[c.Protocol]
	for k := range fixture.Kinds {
		ask := appendString(nil, n.typeURL, k.TypeURL())
		if c.ByName && (k == fixture.Endpoint || k == fixture.Route) {
			for i := range c.Expect[k] {
				ask = appendString(ask, n.names, c.Expect.Name(k, i))
			}
		}
		if c.Held != nil {
			ask = append(ask, c.Held.encoded[k]...)
		}
		all.kinds[k] = ask
	}
	all.extensions, err = extensions(c.Extensions)
	return all, err
}

// subscriptions are the first requests of a proxy, in parts.
func (s *Swarm) subscriptions(proxy int) ([][][]byte, error) {
	node, err := s.cfg.node(proxy)
	if err != nil {
		return nil, err
	}
	begin := protowire.AppendTag(nil, requests[s.cfg.Protocol].node, protowire.BytesType)
	begin = protowire.AppendVarint(begin, uint64(len(node)+len(s.asks.extensions)))
	all := make([][][]byte, fixture.Kinds)
	for k, ask := range s.asks.kinds {
		all[k] = [][]byte{ask}
	}
	all[0] = [][]byte{append(begin, node...), s.asks.extensions, s.asks.kinds[0]}
	return all, nil
}
