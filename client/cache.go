package client

import (
	"context"
	"iter"
	"maps"
	"slices"
	"sync"

	"google.golang.org/protobuf/proto"
)

// Cache keeps what a watch holds. All methods may be called from any
// goroutine. Messages are shared: do not change them.
type Cache[T proto.Message] struct {
	watcher *Watcher[T]
	done    chan struct{} // closed when follow has ended
	first   chan struct{} // closed when the server has answered

	mu      sync.RWMutex
	content map[string]T
	changed chan struct{} // closed at the next change
	err     error         // why it ended
}

// NewCache begins to watch as NewWatcher does, and keeps what comes, until ctx
// ends or it is closed. check, if not nil, refuses what it returns an error
// for: that stays at the last version that it took.
func NewCache[T proto.Message](ctx context.Context, src Source, check func(Resource[T]) error, names ...string) (*Cache[T], error) {
	w, err := NewWatcher[T](ctx, src, names...)
	if err != nil {
		return nil, err
	}
	c := &Cache[T]{watcher: w, done: make(chan struct{}), first: make(chan struct{}), content: map[string]T{}, changed: make(chan struct{})}
	go c.follow(ctx, check)
	return c, nil
}

func (c *Cache[T]) follow(ctx context.Context, check func(Resource[T]) error) {
	defer close(c.done)
	for begun := false; ; begun = true {
		u, err := c.watcher.Next(ctx)
		if err != nil {
			c.mu.Lock()
			c.err = err
			c.mu.Unlock()
			return
		}
		c.apply(u, check)
		if !begun {
			close(c.first)
		}
	}
}

func (c *Cache[T]) apply(u *Update[T], check func(Resource[T]) error) {
	if check != nil { // before the lock, as it may read the cache
		u.Resources = slices.DeleteFunc(u.Resources, func(r Resource[T]) bool {
			err := check(r)
			u.Refuse(err, r.Name)
			return err != nil
		})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range u.Resources {
		c.content[r.Name] = r.Message
	}
	for _, name := range u.Removed {
		delete(c.content, name)
	}
	close(c.changed)
	c.changed = make(chan struct{})
}

// Wait returns when the server has answered for the first time, or with the
// end of ctx or of the cache.
func (c *Cache[T]) Wait(ctx context.Context) error {
	select {
	case <-c.first:
		return nil
	case <-c.done:
		return c.Err()
	case <-ctx.Done():
		return c.watcher.failure(context.Cause(ctx))
	}
}

// Get looks one up.
func (c *Cache[T]) Get(name string) (T, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	m, ok := c.content[name]
	return m, ok
}

// All is every resource at one moment, in any order. Cost: O(resources).
func (c *Cache[T]) All() iter.Seq2[string, T] {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return maps.All(maps.Clone(c.content))
}

// Len is how many there are.
func (c *Cache[T]) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.content)
}

// Changed closes at the next change: take it before reading.
func (c *Cache[T]) Changed() <-chan struct{} {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.changed
}

// Watcher changes the names that are watched, and tells how the stream fares.
// Its Next is the cache's own.
func (c *Cache[T]) Watcher() *Watcher[T] { return c.watcher }

// Err is why the cache is no longer kept up to date; nil while it is.
func (c *Cache[T]) Err() error {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.err
}

// Close ends the watch and waits until nothing of it is left. What was kept
// stays readable.
func (c *Cache[T]) Close() {
	c.watcher.Close()
	<-c.done
}
