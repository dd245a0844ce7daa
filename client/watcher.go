package client

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"
)

// Watcher follows resources of one type. Next is for one goroutine at a time,
// the other methods for any. Watch and Handle are shorter where the names do
// not change.
type Watcher[T proto.Message] struct {
	// Fixed at birth.
	stream *Stream
	own    bool // the stream ends with the watcher
	lane   *lane
	stop   func() bool // of the wait for the context's end

	update *Update[T] // with the application; touched only by Next
}

// NewWatcher begins to watch resources by name; with no names, or with "*"
// among them, all that the control plane has for this client. Close it, or
// end ctx: its end and its deadline are the stream's, too, if it is the
// watcher's own.
func NewWatcher[T proto.Message](ctx context.Context, src Source, names ...string) (*Watcher[T], error) {
	url, err := urlOf[T]()
	if err != nil {
		return nil, err
	}
	st, own, err := src.carry(ctx, url)
	if err != nil {
		return nil, err
	}
	l, err := st.join(url, names)
	if err != nil {
		return nil, err
	}
	w := &Watcher[T]{stream: st, own: own, lane: l, stop: func() bool { return true }}
	if !own {
		w.stop = context.AfterFunc(ctx, func() { st.part(l, context.Cause(ctx)) })
	}
	return w, nil
}

// Next waits for the next update. Calling it accepts the one before, unless
// that was refused. It fails only with the end of ctx, whose error it wraps
// together with the stream's last failure, and with ErrClosed; broken
// connections are waited out.
func (w *Watcher[T]) Next(ctx context.Context) (*Update[T], error) {
	if u := w.update; u != nil {
		w.settle(u)
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		b, expiry := w.take(time.Now())
		if b != nil {
			u := decode[T](b)
			if len(u.refused) == 0 || len(u.Resources)+len(u.Removed) > 0 {
				w.update = u
				return u, nil
			}
			w.settle(u)
			continue
		}
		timer.Reset(expiry)
		select {
		case <-w.lane.ready:
		case <-timer.C:
		case <-ctx.Done():
			return nil, w.failure(context.Cause(ctx))
		case <-w.lane.gone:
			return nil, w.failure(w.lane.why)
		case <-w.stream.done:
			return nil, w.failure(w.stream.ended)
		}
	}
}

// take is the next batch, or how long until there is one without the server's
// doing.
func (w *Watcher[T]) take(now time.Time) (*batch, time.Duration) {
	st := w.stream
	st.mu.Lock()
	defer st.mu.Unlock()
	if w.lane.left {
		return nil, time.Hour
	}
	w.lane.expire(now)
	b := w.lane.next()
	if len(w.lane.replies) > 0 {
		notify(st.wake)
	}
	at := w.lane.nextExpiry()
	if at.IsZero() {
		return b, time.Hour
	}
	return b, at.Sub(now)
}

func (w *Watcher[T]) settle(u *Update[T]) {
	w.update = nil
	w.stream.mu.Lock()
	defer w.stream.mu.Unlock()
	w.lane.settle(u.refused, u.all)
	notify(w.stream.wake)
}

// failure says what ended a wait, and what the stream was failing with.
func (w *Watcher[T]) failure(err error) error {
	w.stream.mu.Lock()
	state, trouble := w.stream.recovery.trouble()
	w.stream.mu.Unlock()
	if trouble != nil {
		return fmt.Errorf("watch of %s: %w (while %s: %w)", shortURL(w.lane.url), err, state, trouble)
	}
	return fmt.Errorf("watch of %s: %w (while %s)", shortURL(w.lane.url), err, state)
}

// decode makes b an update. What does not parse is refused in the
// application's stead.
func decode[T proto.Message](b *batch) *Update[T] {
	u := &Update[T]{}
	var zero T
	for _, c := range b.changes {
		if c.body == nil {
			u.Removed = append(u.Removed, c.name)
			continue
		}
		m := zero.ProtoReflect().New().Interface().(T)
		if err := proto.Unmarshal(c.body.GetValue(), m); err != nil {
			u.Refuse(fmt.Errorf("it does not parse: %w", err), c.name)
			continue
		}
		u.Resources = append(u.Resources, Resource[T]{Name: c.name, Version: c.version, Aliases: c.aliases, Message: m})
	}
	slices.SortFunc(u.Resources, func(a, b Resource[T]) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(u.Removed)
	return u
}

// Subscribe adds names to what is watched.
func (w *Watcher[T]) Subscribe(names ...string) {
	w.change(func(s *subscription) { s.subscribe(names) })
}

// Unsubscribe takes names back; what was held of them comes in the next update
// as removed.
func (w *Watcher[T]) Unsubscribe(names ...string) {
	w.change(func(s *subscription) { s.unsubscribe(names) })
}

func (w *Watcher[T]) change(f func(*subscription)) {
	w.stream.mu.Lock()
	defer w.stream.mu.Unlock()
	if w.lane.left {
		return
	}
	f(&w.lane.subscription)
	notify(w.stream.wake)
	notify(w.lane.ready)
}

// Status is how the watcher's stream fares.
func (w *Watcher[T]) Status() Status { return w.stream.Status() }

// Close ends the watch. A stream of its own ends with it, and Close waits
// until nothing of that is left.
func (w *Watcher[T]) Close() {
	w.stop()
	w.stream.part(w.lane, ErrClosed)
	if w.own {
		w.stream.Close()
	}
}
