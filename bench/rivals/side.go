package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
)

// side serves resources in one of the ways that are compared. put and change
// are not called concurrently.
type side interface {
	// put replaces all that is served.
	put(ctx context.Context, all []resource) error
	// change replaces the resources with the same type and name, and removes
	// others. It returns when the change has been handed to every stream.
	change(ctx context.Context, changed []resource, removed []key) error
	// serve answers the clients of l until stop is called, which closes l and
	// returns when nothing of the side runs any more.
	serve(l net.Listener) (stop func() error)
}

// counts are what a side counts beside its work.
type counts struct {
	streams  atomic.Int64 // now
	requests atomic.Int64 // received and decoded so far, of all streams
}

// kinds make the sides, by their names.
var kinds = map[string]func(*counts) side{
	"snapshot":       func(c *counts) side { return newSnapshots(c, false) },
	"delta-per-node": func(c *counts) side { return newSnapshots(c, true) },
	"delta":          func(c *counts) side { return newSnapshots(c, false) },
	"linear":         func(c *counts) side { return newLinear(c) },
	"floor":          func(c *counts) side { return newFloor(c) },
	"floor-tuned":    func(c *counts) side { return newFloor(c, tuned()...) },
	"tcp":            func(c *counts) side { return newTCP(c) },
}

func newSide(kind string, c *counts) (side, error) {
	newKind, ok := kinds[kind]
	if !ok {
		return nil, fmt.Errorf("kind %q is unknown: give one of %s", kind, strings.Join(kindNames(), ", "))
	}
	return newKind(c), nil
}

func kindNames() []string {
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
