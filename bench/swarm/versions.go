package swarm

import (
	"context"
	"fmt"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// Versions are the resources that a proxy holds, with their versions, as they
// stand in the requests of a delta stream that begins with them
// (initial_resource_versions).
type Versions struct {
	encoded [fixture.Kinds][]byte
	count   int
}

// Len is how many resources there are.
func (v *Versions) Len() int { return v.count }

// Hold is what one more proxy of a delta swarm gets, which stays until it has
// everything. Unlike the swarm's it reads all of every response.
func Hold(ctx context.Context, cfg Config) (*Versions, error) {
	s := newSwarm(ctx, cfg)
	book := &scribe{held: map[string]string{}}
	s.start([]*proxy{{swarm: s, id: cfg.Proxies, scribe: book}})
	_, err := s.WaitFull(ctx)
	if closing := s.Close(); err == nil {
		err = closing
	}
	return &book.versions, err
}

// scribe writes down what a proxy receives.
type scribe struct {
	message  []byte
	held     map[string]string // version by type and name
	versions Versions
}

// end reads a response that is complete.
func (b *scribe) end() error {
	var m discoveryv3.DeltaDiscoveryResponse
	err := proto.Unmarshal(b.message, &m)
	b.message = b.message[:0]
	if err != nil {
		return fmt.Errorf("a response: %w", err)
	}
	k, ok := fixture.KindOf(m.TypeUrl)
	if !ok {
		return nil
	}
	for _, r := range m.Resources {
		key := m.TypeUrl + r.Name
		if _, ok := b.held[key]; ok {
			return fmt.Errorf("%s %q changes while it is being read", k, r.Name)
		}
		b.held[key] = r.Version
		b.versions.add(k, r.Name, r.Version)
	}
	return nil
}

func (v *Versions) add(k fixture.Kind, name, version string) {
	entry := appendString(nil, 1, name) // of a map<string, string>
	entry = appendString(entry, 2, version)
	v.encoded[k] = appendString(v.encoded[k], requests[Delta].initial, entry)
	v.count++
}
