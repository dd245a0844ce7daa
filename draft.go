package deltaplane

import (
	"crypto/rand"
	"time"

	"github.com/deltaplane/deltaplane/internal/invariant"
	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// draft is a commit that is not in etcd yet.
type draft struct {
	record   *storepb.Record
	snapshot *Snapshot // after it
	values   []blob    // that the base's entry of the same key lacks
	span     CommitSpan
}

// draftOf turns a batch into the commit that follows its base; nil when it
// changes nothing. t keeps the splits of tables fit.
// Cost: O(changes), and that of t.
func draftOf(b *Batch, t *tables, now time.Time) (*draft, error) {
	tree, err := b.finish()
	if err != nil {
		return nil, err
	}
	base := b.base
	if tree.Hash() == base.tree.Hash() {
		return nil, nil
	}
	version := base.version + 1
	tree = t.settle(base.tree, tree, version, now)
	root := tree.Hash()
	d := &draft{
		snapshot: &Snapshot{version, now, tree},
		record: &storepb.Record{
			Version: uint64(version), Parent: uint64(base.version), Root: root[:], Id: commitID(),
			Author: b.Author, Message: b.Message, UnixNanos: now.UnixNano(),
		},
	}
	for c := range radix.Diff(base.tree, tree) {
		change := &storepb.Change{Path: c.Key, Old: itemOf(c.Old), New: itemOf(c.New)}
		d.record.Changes = append(d.record.Changes, change)
		if c.HasNew {
			d.values = append(d.values, lacking(c.Old, c.New)...)
		}
	}
	if invariant.Enabled {
		d.check(base)
	}
	return d, d.spill()
}

// check panics unless the record leads from base to the draft's tree.
func (d *draft) check(base *Snapshot) {
	now := d.snapshot.tree
	after := base.tree.Txn()
	for _, c := range d.record.Changes {
		old, _ := base.tree.Get(c.Path)
		invariant.Check(sameContent(old, c.Old), "record changes %s from what it was not", KeyOf(c.Path))
		if e, ok := now.Get(c.Path); ok {
			after.Put(c.Path, e)
		} else {
			after.Delete(c.Path)
		}
	}
	invariant.Check(after.Commit().Hash() == now.Hash(), "record %d does not lead to its tree", d.record.Version)
}

// lacking lists e's segments that old does not have.
func lacking(old, e *Entry) (blobs []blob) {
	segments, has := e.Resource.Segments(), map[resource.Digest]bool{}
	if old != nil {
		gone, came := resource.Changed(old.Resource, e.Resource)
		for _, s := range gone {
			has[s.Digest] = true
		}
		segments = came
	}
	for _, s := range segments {
		if !has[s.Digest] {
			has[s.Digest] = true
			blobs = append(blobs, blob{s.Digest, s.Bytes})
		}
	}
	return blobs
}

// spill moves the record's changes to values when they are many.
func (d *draft) spill() error {
	parts, err := partsOf(d.record.Changes, func(list []*storepb.Change) ([]byte, error) {
		return encode(&storepb.Changes{Changes: list})
	})
	if err != nil || len(parts) < 2 {
		return err
	}
	d.record.Changes = nil
	for _, p := range parts {
		d.record.ChangeValues = append(d.record.ChangeValues, p.ref())
	}
	d.values = append(d.values, parts...)
	return nil
}

func commitID() []byte {
	id := make([]byte, 16)
	rand.Read(id) // never fails
	return id
}
