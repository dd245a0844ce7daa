package deltaplane

import (
	"context"
	"fmt"

	"github.com/deltaplane/deltaplane/internal/storepb"
)

// Revert undoes what commit v changed: ErrConflict names the keys that have
// changed since, ErrOwned those that belong to another owner, unless
// o.TakeOwnership says that they may be changed all the same. Owners stay as
// they are; a resource that comes back comes with the owner that it had. ErrVersionGone when v, or a secret that it
// replaced, is no longer kept.
// Cost: O(changes of v).
func (s *Store) Revert(ctx context.Context, v Version, o Options) (*Plan, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if newest := s.Latest().version; v > newest {
		return nil, fmt.Errorf("version %d: the newest is %d: %w", v, newest, ErrNotFound)
	}
	r, err := s.record(ctx, v)
	if err != nil {
		return nil, err
	}
	before, err := s.entriesBefore(ctx, r)
	if err != nil {
		return nil, err
	}
	if o.Message == "" {
		o.Message = fmt.Sprintf("revert version %d", v)
	}
	return s.plan(ctx, o, func(b *Batch) (*edited, error) {
		e := newEdited()
		var changed []string
		var others disputes
		for _, c := range r.Changes {
			k := KeyOf(c.Path)
			now, ok := b.Get(k)
			switch {
			case sameContent(now, c.Old):
				e.named[k] = ok
			case !sameContent(now, c.New):
				changed = append(changed, k.String())
			case ok && !others.change(k, now, o):
			case c.Old == nil:
				b.Delete(k)
			default:
				old := *before[c.Path]
				if ok {
					old.Owner = now.Owner
				}
				b.Put(k, old)
			}
		}
		if len(changed) > 0 {
			return nil, fmt.Errorf("changed again since version %d: %s: %w", v, named(changed), ErrConflict)
		}
		if err := others.err(); err != nil {
			return nil, err
		}
		warnOfHosts(b, e)
		return e, nil
	})
}

// sameContent reports whether the entry, nil if absent, is as item says,
// whoever owns it.
func sameContent(e *Entry, item *storepb.Item) bool {
	if e == nil || item == nil {
		return e == nil && item == nil
	}
	return digestString(e.Resource.Digest()) == string(item.Digest) && e.Inline == item.Inline
}

// entriesBefore are those that a commit replaced or removed, by path.
func (s *Store) entriesBefore(ctx context.Context, r *storepb.Record) (map[string]*Entry, error) {
	known := values{}
	var refs []*storepb.Ref
	for _, c := range r.Changes {
		refs = append(refs, refsOf(c.Old)...)
	}
	if err := s.fetch(ctx, refs, known); err != nil {
		return nil, fmt.Errorf("version %d: %w: %w", r.Parent, ErrUnavailable, err)
	}
	entries := map[string]*Entry{}
	for _, c := range r.Changes {
		if c.Old == nil {
			continue
		}
		e, err := oldEntry(c.Path, c.Old, s.Latest().tree, known)
		if err != nil {
			return nil, fmt.Errorf("version %d: %w: %w", r.Parent, ErrVersionGone, err)
		}
		entries[c.Path] = e
	}
	return entries, nil
}
