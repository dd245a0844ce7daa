package deltaplane

import (
	"context"
	"fmt"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// Line is one part of a resource with the commit that last changed it.
type Line struct {
	Path   string `json:"path"`   // field path, "" for the resource itself
	Commit Commit `json:"commit"` // without its changes; only Version when no longer kept
}

// Blame tells, for each part of a resource, which commit last changed it: for
// the resource as a whole, each of its fields, each element of its lists of
// messages, and each host of a route configuration. A part that history has
// always had is the doing of the oldest commit that is kept, or an older one.
// Cost: O(history) records, and the content of those that changed k.
func (s *Store) Blame(ctx context.Context, k Key) ([]Line, error) {
	now := s.Latest()
	e, ok := now.Get(k)
	if !ok {
		return nil, fmt.Errorf("%s: %w", k, ErrNotFound)
	}
	b := &blame{store: s, key: k, commits: map[Version]Commit{}, open: partsIn(e.Resource)}
	b.found = make([]Version, len(b.open))
	b.shared = e.Resource
	last, err := b.walk(ctx, now.version)
	if err != nil {
		return nil, err
	}
	since := e.Since
	lines := []Line{{"", b.commit(since)}}
	for i, p := range b.open {
		v := b.found[i]
		if v == 0 {
			v = last
		}
		lines = append(lines, Line{p.path, b.commit(v)})
	}
	if k.Type == resource.Route {
		for host, h := range hostsOf(now.tree, k) {
			_, short, _ := resource.HostOf(host.Name)
			lines = append(lines, Line{fmt.Sprintf("virtual_hosts[%q]", short), b.commit(h.Since)})
		}
	}
	return lines, nil
}

// blame is one search through the history of a key, newest first.
type blame struct {
	store   *Store
	key     Key
	commits map[Version]Commit // all that is kept, without changes
	open    []part             // of the newest content
	found   []Version          // per part; 0 while it is not
	shared  *resource.Resource // newest content
}

// commit is what is known of version v.
func (b *blame) commit(v Version) Commit {
	if c, ok := b.commits[v]; ok {
		return c
	}
	return Commit{Version: v}
}

// walk goes back through the records until history ends. It returns the
// version that gave the resource the oldest content that was seen.
func (b *blame) walk(ctx context.Context, newest Version) (Version, error) {
	last := newest
	for before := newest + 1; before > 1; {
		records, err := b.store.recordsBefore(ctx, before, pageRecords)
		if err != nil {
			return 0, err
		}
		for _, r := range records {
			c, err := commitOf(&storepb.Record{
				Version: r.Version, Parent: r.Parent, Root: r.Root, Author: r.Author, Message: r.Message, UnixNanos: r.UnixNanos,
			})
			if err != nil {
				return 0, err
			}
			b.commits[c.Version] = c
			for _, change := range r.Changes {
				if change.Path != b.key.Path() {
					continue
				}
				if last, err = b.attribute(ctx, c.Version, change); err != nil {
					return 0, err
				}
			}
			before = c.Version
		}
		if len(records) < pageRecords {
			break
		}
	}
	return last, nil
}

// attribute blames v for the open parts that the content before it lacks. It
// returns the version that the content before v is from, or v without any.
func (b *blame) attribute(ctx context.Context, v Version, change *storepb.Change) (Version, error) {
	had := map[string]bool{}
	last := v
	if change.Old != nil && change.New != nil {
		before, err := b.content(ctx, change)
		if err != nil {
			return 0, err
		}
		for _, p := range before {
			had[p.content] = true
		}
		last = Version(change.Old.Since)
	}
	for i, p := range b.open {
		if b.found[i] == 0 && !had[p.content] {
			b.found[i] = v
		}
	}
	return last, nil
}

// content takes apart what was there before a change. Of a secret that is no
// longer kept there is nothing.
func (b *blame) content(ctx context.Context, change *storepb.Change) ([]part, error) {
	known := values{}
	for _, s := range b.shared.Segments() {
		known[s.Digest] = s.Bytes
	}
	if err := b.store.fetch(ctx, refsOf(change.Old), known); err != nil {
		return nil, fmt.Errorf("blame: %w: %w", ErrUnavailable, err)
	}
	e, err := oldEntry(change.Path, change.Old, radix.Tree[*Entry]{}, known)
	if err != nil {
		return nil, fmt.Errorf("blame: %w", err)
	}
	return partsIn(e.Resource), nil
}
