package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"strconv"
	"sync"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
)

// snapshots is go-control-plane's snapshot cache, with one snapshot that all
// nodes share: under one key, or set for each node that has come. A change
// makes a new snapshot in which only its own types have a new version, so
// that clients of the state-of-the-world get those types alone, whole.
type snapshots struct {
	counts *counts
	cache  cachev3.SnapshotCache

	mu      sync.Mutex // guards what follows
	version int
	current *cachev3.Snapshot
	nodes   map[string]struct{} // who have come; nil where all share one key
}

// everyone is the key of the shared snapshot.
type everyone struct{}

func (everyone) ID(*corev3.Node) string { return "" }

func newSnapshots(c *counts, perNode bool) *snapshots {
	s := &snapshots{counts: c, current: &cachev3.Snapshot{}}
	if perNode {
		s.nodes = map[string]struct{}{}
		s.cache = cachev3.NewSnapshotCache(true, cachev3.IDHash{}, nil)
	} else {
		s.cache = cachev3.NewSnapshotCache(true, everyone{}, nil)
	}
	return s
}

func (s *snapshots) serve(l net.Listener) (stop func() error) {
	if s.nodes == nil {
		return serveCache(s.cache, s.counts, nil, l)
	}
	return serveCache(s.cache, s.counts, s.joined, l)
}

// joined gives a node that comes for the first time its snapshot.
func (s *snapshots) joined(node string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.nodes[node]; ok {
		return
	}
	s.nodes[node] = struct{}{}
	if s.version > 0 {
		// No watch is open for a node that has just come, so nothing can fail.
		_ = s.cache.SetSnapshot(context.Background(), node, s.current)
	}
}

func (s *snapshots) put(ctx context.Context, all []resource) error {
	return s.set(ctx, &cachev3.Snapshot{}, byType(all, nil), true)
}

func (s *snapshots) change(ctx context.Context, changed []resource, removed []key) error {
	s.mu.Lock()
	base := s.current
	s.mu.Unlock()
	return s.set(ctx, base, byType(changed, removed), false)
}

// set serves what base becomes by the changes.
func (s *snapshots) set(ctx context.Context, base *cachev3.Snapshot, changes []typeChange, all bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	next := &cachev3.Snapshot{Resources: base.Resources}
	for _, t := range changes {
		if t.empty() && !all {
			continue
		}
		i := cachev3.GetResponseType(t.typeURL)
		if i == types.UnknownType {
			return fmt.Errorf("resources of type %s are not served", t.typeURL)
		}
		items := maps.Clone(base.Resources[i].Items)
		if items == nil {
			items = make(map[string]types.ResourceWithTTL, len(t.changed))
		}
		for _, r := range t.changed {
			m, err := decode(r)
			if err != nil {
				return fmt.Errorf("%s %q: %w", r.typeURL, r.name, err)
			}
			items[r.name] = types.ResourceWithTTL{Resource: m}
		}
		for _, name := range t.removed {
			delete(items, name)
		}
		next.Resources[i] = cachev3.Resources{Version: strconv.Itoa(s.version), Items: items}
	}
	s.current = next
	if s.nodes == nil {
		return s.cache.SetSnapshot(ctx, "", next)
	}
	for node := range s.nodes {
		if err := s.cache.SetSnapshot(ctx, node, next); err != nil {
			return fmt.Errorf("node %s: %w", node, err)
		}
	}
	return nil
}
