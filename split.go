package deltaplane

import (
	"crypto/sha256"
	"time"

	"github.com/deltaplane/deltaplane/internal/storepb"
	"github.com/deltaplane/deltaplane/shape"
)

// splitOf is s as it is stored; nil for nil.
func splitOf(s *shape.Split) *storepb.Split {
	if s == nil {
		return nil
	}
	stored := &storepb.Split{
		Options: &storepb.SplitOptions{Shards: uint32(s.Options.Shards), By: uint32(s.Options.By), Duplication: s.Options.Duplication},
		Next:    s.Next,
		Size:    s.Size,
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

// splitFrom is the inverse of splitOf.
func splitFrom(stored *storepb.Split) *shape.Split {
	if stored == nil {
		return nil
	}
	o := stored.GetOptions()
	s := &shape.Split{
		Options: shape.Options{Shards: int(o.GetShards()), By: shape.By(o.GetBy()), Duplication: o.GetDuplication()},
		Next:    stored.Next,
		Size:    stored.Size,
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
	b, err := encode(splitOf(s))
	if err != nil {
		panic(err) // it has no strings, so there is nothing that could be wrong
	}
	return sha256.Sum256(b)
}
