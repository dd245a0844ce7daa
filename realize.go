package deltaplane

import (
	"context"
	"fmt"
	"slices"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// changeset is what each path ends up with: nil for removed.
type changeset map[string]*storepb.Item

// add lets r follow.
func (c changeset) add(r *storepb.Record) {
	for _, change := range r.Changes {
		c[change.Path] = change.New
	}
}

// expand reads the record's changes where they are in values.
func (s *Store) expand(ctx context.Context, r *storepb.Record, known values) error {
	if len(r.ChangeValues) == 0 {
		return nil
	}
	parts := values{}
	for _, ref := range r.ChangeValues {
		d, err := digestOf(ref.Digest)
		if err != nil {
			return err
		}
		if b, ok := known.find(d); ok {
			parts[d] = b
		}
	}
	if err := s.fetch(ctx, r.ChangeValues, parts); err != nil {
		return err
	}
	var changes []*storepb.Change
	for _, ref := range r.ChangeValues {
		var list storepb.Changes
		b, ok := parts.find(resource.Digest(ref.Digest))
		if !ok {
			return fmt.Errorf("changes of version %d: %w", r.Version, errMissing)
		}
		if err := decode(b, &list); err != nil {
			return err
		}
		changes = append(changes, list.Changes...)
	}
	r.Changes = changes
	return nil
}

// realize is tree with the changes. Content is taken from tree and reuse where
// they have it at the same path, then from known, then from etcd.
func (s *Store) realize(ctx context.Context, tree, reuse radix.Tree[*Entry], c changeset, known values) (radix.Tree[*Entry], error) {
	txn := tree.Txn()
	var later []string
	var refs []*storepb.Ref
	for path, item := range c {
		if item == nil {
			txn.Delete(path)
			continue
		}
		if segments, ok := segmentsAt(path, item, tree, reuse); ok {
			e, err := entryWith(path, item, segments)
			if err != nil {
				return tree, err
			}
			txn.Put(path, e)
			continue
		}
		later = append(later, path)
		refs = append(refs, refsOf(item)...)
		known.addSegments(path, tree, reuse)
	}
	slices.Sort(later)
	if err := s.fetch(ctx, refs, known); err != nil {
		return tree, err
	}
	for _, path := range later {
		e, err := entryOf(path, c[path], known.find)
		if err != nil {
			return tree, err
		}
		txn.Put(path, e)
	}
	return txn.Commit(), nil
}

// segmentsAt is item's content where one of the trees has it at path.
func segmentsAt(path string, item *storepb.Item, trees ...radix.Tree[*Entry]) ([]resource.Segment, bool) {
	for _, t := range trees {
		e, ok := t.Get(path)
		if ok && string(item.Digest) == digestString(e.Resource.Digest()) && len(e.Resource.Segments()) > 0 {
			return e.Resource.Segments(), true
		}
	}
	return nil, false
}

// addSegments adds the segments of large resources that the trees have at path.
func (v values) addSegments(path string, trees ...radix.Tree[*Entry]) {
	for _, t := range trees {
		if e, ok := t.Get(path); ok && len(e.Resource.Segments()) > 1 {
			for _, s := range e.Resource.Segments() {
				v[s.Digest] = s.Bytes
			}
		}
	}
}

func digestString(d resource.Digest) string { return string(d[:]) }
