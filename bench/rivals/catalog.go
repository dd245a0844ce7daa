package main

import (
	"hash/fnv"
	"maps"
	"slices"
	"strconv"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/proto"
)

// catalog is what a floor serves, and makes ready bytes of it: encoded
// DeltaDiscoveryResponses, each once for all who get it.
type catalog struct {
	types map[string]map[string]*discoveryv3.Resource // by type URL and name
	full  map[string][]byte                           // by type URL: a response with all; missing after a change
	nonce int
}

func newCatalog() *catalog {
	return &catalog{types: map[string]map[string]*discoveryv3.Resource{}, full: map[string][]byte{}}
}

// all is a response with all resources of a type.
func (c *catalog) all(typeURL string) ([]byte, error) {
	if ready, ok := c.full[typeURL]; ok {
		return ready, nil
	}
	names := slices.Sorted(maps.Keys(c.types[typeURL]))
	resources := make([]*discoveryv3.Resource, len(names))
	for i, name := range names {
		resources[i] = c.types[typeURL][name]
	}
	ready, err := c.encode(typeURL, resources, nil)
	if err == nil {
		c.full[typeURL] = ready
	}
	return ready, err
}

// put replaces everything.
func (c *catalog) put(all []resource) {
	c.types = map[string]map[string]*discoveryv3.Resource{}
	clear(c.full)
	for _, r := range all {
		c.shelve(r)
	}
}

// change keeps what changes, and makes the response that tells of it.
func (c *catalog) change(t typeChange) ([]byte, error) {
	delete(c.full, t.typeURL)
	resources := make([]*discoveryv3.Resource, len(t.changed))
	for i, r := range t.changed {
		resources[i] = c.shelve(r)
	}
	for _, name := range t.removed {
		delete(c.types[t.typeURL], name)
	}
	return c.encode(t.typeURL, resources, t.removed)
}

func (c *catalog) shelve(r resource) *discoveryv3.Resource {
	shelf, ok := c.types[r.typeURL]
	if !ok {
		shelf = map[string]*discoveryv3.Resource{}
		c.types[r.typeURL] = shelf
	}
	digest := fnv.New64a()
	digest.Write(r.any.Value)
	shelf[r.name] = &discoveryv3.Resource{Name: r.name, Version: strconv.FormatUint(digest.Sum64(), 16), Resource: r.any}
	return shelf[r.name]
}

func (c *catalog) encode(typeURL string, resources []*discoveryv3.Resource, removed []string) ([]byte, error) {
	c.nonce++
	return proto.Marshal(&discoveryv3.DeltaDiscoveryResponse{
		TypeUrl: typeURL, Nonce: strconv.Itoa(c.nonce), Resources: resources, RemovedResources: removed,
	})
}
