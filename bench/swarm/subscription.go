package swarm

import (
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// subscriptions are the first requests of a proxy, one for each kind, encoded
// in parts. The memory of what the proxies hold is the same for all.
func (c *Config) subscriptions(proxy int) ([][][]byte, error) {
	cluster := "bench"
	if c.Cluster != nil {
		cluster = c.Cluster(proxy)
	}
	id, err := node(proxy, cluster, c.Extensions)
	if err != nil {
		return nil, err
	}
	var all [][][]byte
	for k := range fixture.Kinds {
		var names []string
		if c.Names != nil {
			names = c.Names(proxy, k)
		}
		request := [][]byte{requests[c.Protocol].subscription(id, k.TypeURL(), names)}
		if c.Held != nil && len(c.Held.encoded[k]) > 0 {
			request = append(request, c.Held.encoded[k])
		}
		all = append(all, request)
		id = nil
	}
	return all, nil
}

// Versions are the resources that a proxy holds, with their versions, as they
// stand in the requests of a stream that begins with them.
type Versions struct {
	encoded [fixture.Kinds][]byte
}
