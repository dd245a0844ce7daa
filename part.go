package deltaplane

import (
	"encoding/binary"
	"hash/fnv"

	"google.golang.org/protobuf/proto"
)

// partElements is how many elements a part has on average.
const partElements = 128

// placed is an element of a list that is ordered by path.
type placed interface {
	proto.Message
	GetPath() string
}

// partsOf cuts a list into values of about partBytes at most. Where it cuts
// is decided by the paths, so that an inserted element leaves all other parts
// as they were, and their values with them.
func partsOf[E placed](list []E, encode func([]E) ([]byte, error)) ([]blob, error) {
	var parts []blob
	start, size := 0, 0
	end := func(i int) error {
		b, err := encode(list[start:i])
		if err == nil {
			parts = append(parts, blobOf(b))
		}
		start, size = i, 0
		return err
	}
	for i, e := range list {
		size += proto.Size(e)
		if size >= partBytes || lastOfPart(e.GetPath()) {
			if err := end(i + 1); err != nil {
				return nil, err
			}
		}
	}
	if start < len(list) {
		return parts, end(len(list))
	}
	return parts, nil
}

// lastOfPart reports whether a part ends after path.
func lastOfPart(path string) bool {
	h := fnv.New64a()
	h.Write([]byte(path))
	sum := h.Sum(nil)
	return binary.BigEndian.Uint64(sum)%partElements == 0
}
