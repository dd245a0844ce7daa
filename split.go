package deltaplane

import (
	"crypto/sha256"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/shape"
)

// splitOf is s as it is stored.
func splitOf(s *shape.Split) *storepb.Split {
	stored := &storepb.Split{
		Options: optionsOf(s.Options),
		Next:    s.Next,
		Size:    s.Size,
		Made:    s.Made,
	}
	for _, l := range s.Leaves {
		stored.Leaves = append(stored.Leaves, &storepb.Leaf{Id: l.ID, Host: []byte(l.Host), Path: []byte(l.Path), Size: l.Size})
	}
	for _, r := range s.Retired {
		stored.Retired = append(stored.Retired, &storepb.RetiredLeaf{
			Id:       r.ID,
			HostFrom: []byte(r.Area.HostFrom), HostTo: []byte(r.Area.HostTo),
			PathFrom: []byte(r.Area.PathFrom), PathTo: []byte(r.Area.PathTo),
			SinceUnixNanos: r.Since.UnixNano(),
		})
	}
	return stored
}

func optionsOf(o shape.Options) *storepb.SplitOptions {
	return &storepb.SplitOptions{Shards: uint32(o.Shards), By: uint32(o.By), Duplication: o.Duplication}
}

func optionsFrom(o *storepb.SplitOptions) shape.Options {
	return shape.Options{Shards: int(o.GetShards()), By: shape.By(o.GetBy()), Duplication: o.GetDuplication()}
}

// splitsFrom are those of an item.
func splitsFrom(item *storepb.Item) (splits []*shape.Split) {
	if item.Split != nil {
		splits = append(splits, splitFrom(item.Split))
	}
	for _, s := range item.OtherSplits {
		splits = append(splits, splitFrom(s))
	}
	return splits
}

// splitFrom is the inverse of splitOf.
func splitFrom(stored *storepb.Split) *shape.Split {
	s := &shape.Split{
		Options: optionsFrom(stored.GetOptions()),
		Next:    stored.Next,
		Size:    stored.Size,
		Made:    stored.Made,
	}
	for _, l := range stored.Leaves {
		s.Leaves = append(s.Leaves, shape.Leaf{ID: l.Id, Host: string(l.Host), Path: string(l.Path), Size: l.Size})
	}
	for _, r := range stored.Retired {
		s.Retired = append(s.Retired, shape.Retired{
			ID: r.Id,
			Area: shape.Area{
				HostFrom: string(r.HostFrom), HostTo: string(r.HostTo),
				PathFrom: string(r.PathFrom), PathTo: string(r.PathTo),
			},
			Since: time.Unix(0, r.SinceUnixNanos).UTC(),
		})
	}
	return s
}

// splitSum identifies a split.
func splitSum(s *shape.Split) [sha256.Size]byte {
	return sumOf(splitOf(s))
}

// pastOf is a fleet's past as it is stored.
func pastOf(past []PastShape) (stored []*storepb.PastShape) {
	for _, p := range past {
		stored = append(stored, &storepb.PastShape{Options: optionsOf(p.Options), SinceUnixNanos: p.Since.UnixNano(), Ended: uint64(p.Ended)})
	}
	return stored
}

// pastFrom is the inverse of pastOf.
func pastFrom(stored []*storepb.PastShape) (past []PastShape) {
	for _, p := range stored {
		past = append(past, PastShape{optionsFrom(p.Options), Version(p.Ended), time.Unix(0, p.SinceUnixNanos).UTC()})
	}
	return past
}

// pastSum identifies a past.
func pastSum(past []PastShape) [sha256.Size]byte {
	return sumOf(&storepb.Item{Past: pastOf(past)})
}

func sumOf(m proto.Message) [sha256.Size]byte {
	b, err := encode(m)
	if err != nil {
		panic(err) // it has no strings, so there is nothing that could be wrong
	}
	return sha256.Sum256(b)
}
