package client

import (
	"context"
	"fmt"
	"iter"

	"google.golang.org/protobuf/proto"
)

// Watch follows resources of type T by name; with no names, or with "*" among
// them, all that the control plane has for this client:
//
//	for update, err := range client.Watch[*clusterv3.Cluster](ctx, c) {
//
// Each turn of the loop accepts the update before it, unless that was refused.
// A loop that is slow gets fewer and larger updates. An error comes last, and
// only with the end of ctx, or with ErrClosed, ErrWatched or ErrType: broken
// connections are waited out. When the loop ends, nothing of it is left.
func Watch[T proto.Message](ctx context.Context, src Source, names ...string) iter.Seq2[*Update[T], error] {
	return func(yield func(*Update[T], error) bool) {
		w, err := NewWatcher[T](ctx, src, names...)
		if err != nil {
			yield(nil, err)
			return
		}
		defer w.Close()
		for {
			u, err := w.Next(ctx)
			if !yield(u, err) || err != nil {
				return
			}
		}
	}
}

// Handle calls handler with each update, until the watch ends as that of Watch
// does. The handler refuses what it returns an error for.
func Handle[T proto.Message](ctx context.Context, src Source, handler func(*Update[T]) error, names ...string) error {
	for u, err := range Watch[T](ctx, src, names...) {
		if err != nil {
			return err
		}
		u.Refuse(handler(u))
	}
	return nil
}

// Get asks for one resource. The error is ErrNotFound if the control plane
// does not have it for this client; give ctx a deadline, as an unreachable
// control plane is waited for.
func Get[T proto.Message](ctx context.Context, src Source, name string) (T, error) {
	var none T
	for u, err := range Watch[T](ctx, src, name) {
		switch {
		case err != nil:
			return none, err
		case len(u.Resources) > 0:
			return u.Resources[0].Message, nil
		case len(u.Removed) > 0:
			return none, fmt.Errorf("%q: %w", name, ErrNotFound)
		}
	}
	return none, ErrClosed
}
