package main

import (
	"context"
	"fmt"
	"net"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	cachev3 "github.com/envoyproxy/go-control-plane/pkg/cache/v3"
)

// linear is go-control-plane's linear cache, one for each type behind a mux:
// of its caches, the one made for many nodes that get the same. It marshals a
// resource once for all, and only UpdateResources tells it what has changed
// without a look at everything.
type linear struct {
	counts *counts
	caches map[string]*cachev3.LinearCache // by type URL
}

func newLinear(c *counts) *linear {
	l := &linear{counts: c, caches: map[string]*cachev3.LinearCache{}}
	for _, typeURL := range servedTypes {
		l.caches[typeURL] = cachev3.NewLinearCache(typeURL)
	}
	return l
}

func (l *linear) serve(listener net.Listener) (stop func() error) {
	mux := &cachev3.MuxCache{
		Classify:      func(r *cachev3.Request) string { return r.GetTypeUrl() },
		ClassifyDelta: func(r *discoveryv3.DeltaDiscoveryRequest) string { return r.GetTypeUrl() },
		Caches:        map[string]cachev3.Cache{},
	}
	for typeURL, cache := range l.caches {
		mux.Caches[typeURL] = cache
	}
	return serveCache(mux, l.counts, nil, listener)
}

func (l *linear) put(_ context.Context, all []resource) error {
	return l.each(all, nil, func(cache *cachev3.LinearCache, resources map[string]types.Resource, _ []string) error {
		cache.SetResources(resources)
		return nil
	})
}

func (l *linear) change(_ context.Context, changed []resource, removed []key) error {
	return l.each(changed, removed, func(cache *cachev3.LinearCache, resources map[string]types.Resource, gone []string) error {
		if len(resources) == 0 && len(gone) == 0 {
			return nil
		}
		return cache.UpdateResources(resources, gone)
	})
}

// each calls do for each type's cache.
func (l *linear) each(changed []resource, removed []key, do func(*cachev3.LinearCache, map[string]types.Resource, []string) error) error {
	for _, t := range byType(changed, removed) {
		cache, ok := l.caches[t.typeURL]
		if !ok {
			return fmt.Errorf("resources of type %s are not served", t.typeURL)
		}
		messages := make(map[string]types.Resource, len(t.changed))
		for _, r := range t.changed {
			m, err := decode(r)
			if err != nil {
				return fmt.Errorf("%s %q: %w", r.typeURL, r.name, err)
			}
			messages[r.name] = m
		}
		if err := do(cache, messages, t.removed); err != nil {
			return fmt.Errorf("%s: %w", t.typeURL, err)
		}
	}
	return nil
}
