package deltaplane

import (
	"crypto/sha256"
	"fmt"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/resource"
)

// itemOf is e without its bytes; nil for nil.
func itemOf(e *Entry) *storepb.Item {
	if e == nil {
		return nil
	}
	d := e.Resource.Digest()
	item := &storepb.Item{Digest: d[:], Owner: e.Owner, Inline: e.Inline, Since: uint64(e.Since), TtlNanos: int64(e.Resource.TTL()), Past: pastOf(e.Past)}
	if len(e.Splits) > 0 {
		item.Split = splitOf(e.Splits[0])
		for _, s := range e.Splits[1:] {
			item.OtherSplits = append(item.OtherSplits, splitOf(s))
		}
	}
	segments := e.Resource.Segments()
	if len(segments) == 1 && segments[0].Digest == d {
		item.Size = uint32(len(segments[0].Bytes))
		return item
	}
	refs := make([]storepb.Ref, len(segments))
	item.Segments = make([]*storepb.Ref, len(segments))
	for i := range segments {
		refs[i].Digest, refs[i].Size = segments[i].Digest[:], uint32(len(segments[i].Bytes))
		item.Segments[i] = &refs[i]
	}
	return item
}

// refsOf lists the values that an item's bytes are in, in order.
func refsOf(item *storepb.Item) []*storepb.Ref {
	switch {
	case item == nil:
		return nil
	case len(item.Segments) > 0:
		return item.Segments
	}
	return []*storepb.Ref{{Digest: item.Digest, Size: item.Size}}
}

// entryOf makes the entry that item describes of bytes that find has.
// Without them the error is errMissing.
func entryOf(path string, item *storepb.Item, find func(resource.Digest) ([]byte, bool)) (*Entry, error) {
	var segments []resource.Segment
	for _, ref := range refsOf(item) {
		d, err := digestOf(ref.Digest)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", KeyOf(path), err)
		}
		b, ok := find(d)
		if !ok {
			return nil, fmt.Errorf("%s: value %s: %w", KeyOf(path), d, errMissing)
		}
		segments = append(segments, resource.Segment{Digest: d, Bytes: b})
	}
	return entryWith(path, item, segments)
}

func entryWith(path string, item *storepb.Item, segments []resource.Segment) (*Entry, error) {
	d, err := digestOf(item.Digest)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", KeyOf(path), err)
	}
	k := KeyOf(path)
	return Entry{
		Resource: resource.FromStored(k.Type, k.Name, d, time.Duration(item.TtlNanos), segments),
		Owner:    item.Owner,
		Inline:   item.Inline,
		Since:    Version(item.Since),
		Splits:   splitsFrom(item),
		Past:     pastFrom(item.Past),
	}.sealed(), nil
}

// digestOf reads a stored digest; absent is the zero one.
func digestOf(b []byte) (d resource.Digest, err error) {
	if len(b) != 0 && copy(d[:], b) != len(b) || len(b) != 0 && len(b) != len(d) {
		return d, fmt.Errorf("digest of %d bytes: %w", len(b), errDamaged)
	}
	return d, nil
}

// encode marshals a message of storepb: that cannot go wrong, as Commit lets
// no string pass that is not UTF-8.
func encode(m proto.Message) ([]byte, error) {
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encoding %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return b, nil
}

func decode(b []byte, m proto.Message) error {
	if err := proto.Unmarshal(b, m); err != nil {
		return fmt.Errorf("stored %s: %w: %w", m.ProtoReflect().Descriptor().Name(), errDamaged, err)
	}
	return nil
}

func blobOf(b []byte) blob { return blob{sha256.Sum256(b), b} }
