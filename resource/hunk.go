package resource

import (
	"bytes"
	"iter"
)

// Hunk is a place where two resources differ: whole top-level fields of the
// one, in their order, and what the other has in their stead. Either may be
// empty, not both.
type Hunk struct {
	At         int // where Gone begins in the bytes of the one
	Gone, Came []byte
}

// Hunks goes through the places where two resources of one type differ, in
// their order. Outside of them both have the same fields. The bytes may be
// shared with the resources, so do not change them.
// Cost: the segments that are not in both, and O(segments).
func Hunks(old, now *Resource) iter.Seq[Hunk] {
	return func(yield func(Hunk) bool) {
		head, gone, came := middle(old.segments, now.segments)
		at := map[Digest]int{}
		if len(gone) > 1 && len(came) > 1 {
			for i, s := range gone {
				at[s.Digest] = i
			}
		}
		from, start := 0, 0
		for j, s := range came {
			if i, ok := at[s.Digest]; ok && i >= from {
				if h := hunk(gone[from:i], came[start:j]).after(head); !h.empty() && !yield(h) {
					return
				}
				head += sizeOf(gone[from : i+1])
				from, start = i+1, j+1
			}
		}
		if h := hunk(gone[from:], came[start:]).after(head); !h.empty() {
			yield(h)
		}
	}
}

// Changed is the segments of two resources that they do not both begin and end
// with.
func Changed(old, now *Resource) (gone, came []Segment) {
	_, gone, came = middle(old.segments, now.segments)
	return gone, came
}

// middle is what two lists of segments do not both begin and end with, and the
// bytes that both begin with.
func middle(old, now []Segment) (head int, gone, came []Segment) {
	for len(old) > 0 && len(now) > 0 && old[0].Digest == now[0].Digest {
		head += len(old[0].Bytes)
		old, now = old[1:], now[1:]
	}
	for len(old) > 0 && len(now) > 0 && old[len(old)-1].Digest == now[len(now)-1].Digest {
		old, now = old[:len(old)-1], now[:len(now)-1]
	}
	return head, old, now
}

func (h Hunk) empty() bool { return len(h.Gone)+len(h.Came) == 0 }

// after is h behind so many bytes.
func (h Hunk) after(n int) Hunk {
	h.At += n
	return h
}

// hunk is what differs between two runs of segments.
func hunk(gone, came []Segment) Hunk {
	h := Hunk{0, joined(gone), joined(came)}
	for h.At < len(h.Gone) {
		_, size := element(h.Gone[h.At:])
		if size < 0 || !bytes.HasPrefix(h.Came[h.At:], h.Gone[h.At:h.At+size]) {
			break
		}
		h.At += size
	}
	h.Gone, h.Came = withoutEnd(h.Gone[h.At:], h.Came[h.At:])
	return h
}

// withoutEnd is a and b without the fields that both end with.
func withoutEnd(a, b []byte) (gone, came []byte) {
	same := commonEnd(a, b)
	for i, j := 0, 0; ; {
		m, n := len(a)-i, len(b)-j
		if m == n && m <= same {
			return a[:i], b[:j] // what follows is the same bytes, so the same fields
		}
		if m >= n {
			_, size := element(a[i:])
			if i += size; size < 0 {
				return a, b
			}
		} else {
			_, size := element(b[j:])
			if j += size; size < 0 {
				return a, b
			}
		}
	}
}

// commonEnd is how many bytes a and b both end with.
func commonEnd(a, b []byte) int {
	const block = 256
	n, most := 0, min(len(a), len(b))
	for n+block <= most && bytes.Equal(a[len(a)-n-block:len(a)-n], b[len(b)-n-block:len(b)-n]) {
		n += block
	}
	for n < most && a[len(a)-n-1] == b[len(b)-n-1] {
		n++
	}
	return n
}

// joined is the bytes of some segments: shared if it is one.
func joined(segments []Segment) []byte {
	if len(segments) == 1 {
		return segments[0].Bytes
	}
	b := make([]byte, 0, sizeOf(segments))
	for _, s := range segments {
		b = append(b, s.Bytes...)
	}
	return b
}

func sizeOf(segments []Segment) (n int) {
	for _, s := range segments {
		n += len(s.Bytes)
	}
	return n
}
