package load

import (
	"context"
	"time"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// server is what is measured, by what it can be told. Its calls come one at a
// time.
type server interface {
	// load makes a set what is served.
	load(ctx context.Context, set fixture.Set) error
	// change makes resource i of a kind what a change makes it.
	change(ctx context.Context, set fixture.Set, k fixture.Kind, i, change int) (made, error)
	// usage is what the server has used so far; collected: after it has
	// collected its garbage.
	usage(ctx context.Context, collected bool) (usage, error)
}

// made is when a change was sent to a server, and when that had it stored: the
// earliest moment that its answer allows.
type made struct{ sent, stored time.Time }

// usage is what a server says of its process. What it does not tell is 0:
// deltaplane tells of heap and stacks after a collection, and only then not of
// the rest but goroutines.
type usage struct {
	allocated  float64 // bytes, since its start
	objects    float64 // allocated, since its start
	heap       float64 // live bytes, right after a collection if one was asked for
	stacks     float64 // bytes of goroutines' stacks
	goroutines float64
	etcd       float64 // seconds in which etcd made commits durable, since its start
}
