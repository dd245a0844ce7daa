package resource

import (
	"crypto/sha256"

	"github.com/zeebo/xxh3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// A resource over wholeBytes is cut. A run of elements ends after one whose
// hash says so (one in segmentElements on average), but not before
// segmentMin bytes and always at segmentMax.
const (
	wholeBytes      = 64 << 10
	segmentMin      = 4 << 10
	segmentMax      = 128 << 10
	segmentElements = 64
)

// cut divides canonical bytes into segments: what stands before the longest
// repeated message field, runs of its elements, and what follows. Where a run
// ends depends on its own elements alone, so that a changed element leaves
// the runs around it as they were.
// Cost: one pass; the segments share b.
func cut(md protoreflect.MessageDescriptor, b []byte) []Segment {
	if len(b) <= wholeBytes {
		return []Segment{segmentOf(b)}
	}
	longest := longestList(md, b)
	if longest == 0 {
		return []Segment{segmentOf(b)}
	}
	var segments []Segment
	for len(b) > 0 {
		outside := span(longest, b, false)
		if outside > 0 {
			segments = append(segments, segmentOf(b[:outside:outside]))
			b = b[outside:]
		}
		inside := span(longest, b, true)
		runs, rest := cutRuns(b[:inside:inside])
		segments = append(segments, runs...)
		if len(rest) > 0 {
			segments = append(segments, segmentOf(rest))
		}
		b = b[inside:]
	}
	return segments
}

// span is the length of the fields at the beginning of b that are elements of
// the list, or that are not.
func span(list protowire.Number, b []byte, inside bool) int {
	pos := 0
	for pos < len(b) {
		number, size := element(b[pos:])
		if (number == list) != inside {
			break
		}
		pos += size
	}
	return pos
}

// cutRuns cuts elements of one list into the runs that are complete, and what
// is left after them: elements that follow b may still belong to its run.
func cutRuns(b []byte) (runs []Segment, rest []byte) {
	start, pos := 0, 0
	end := func() {
		runs = append(runs, segmentOf(b[start:pos:pos]))
		start = pos
	}
	for pos < len(b) {
		_, size := element(b[pos:])
		if pos > start && pos-start+size > segmentMax {
			end()
		}
		pos += size
		if pos-start >= segmentMin && boundary(b[pos-size:pos]) {
			end()
		}
	}
	return runs, b[start:]
}

// element is the number and size of the first field in b.
func element(b []byte) (protowire.Number, int) {
	number, _, size := protowire.ConsumeField(b)
	return number, size
}

// boundary reports whether a run ends after this element.
func boundary(element []byte) bool {
	return xxh3.Hash(element)%segmentElements == 0
}

// longestList is the repeated message field that takes the most bytes; 0 if
// there is none. The bytes may be in several parts.
func longestList(md protoreflect.MessageDescriptor, parts ...[]byte) protowire.Number {
	sizes := map[protowire.Number]int{}
	var longest protowire.Number
	for _, b := range parts {
		for len(b) > 0 {
			number, size := element(b)
			if size < 0 {
				return 0
			}
			b = b[size:]
			if f := md.Fields().ByNumber(number); f == nil || !f.IsList() || f.Message() == nil {
				continue
			}
			sizes[number] += size
			if sizes[number] > sizes[longest] || sizes[number] == sizes[longest] && number < longest {
				longest = number
			}
		}
	}
	return longest
}

// cutList is the list that the segments of a resource of type t are cut
// along; 0 if they are not.
func cutList(t Type, segments []Segment) protowire.Number {
	md, err := descriptorOf(t)
	if err != nil || len(segments) < 2 {
		return 0
	}
	parts := make([][]byte, len(segments))
	for i, s := range segments {
		parts[i] = s.Bytes
	}
	return longestList(md, parts...)
}

// elements counts the top-level fields of one number.
func elements(number protowire.Number, b []byte) int {
	n := 0
	for len(b) > 0 {
		found, size := element(b)
		if size < 0 {
			break
		}
		if found == number {
			n++
		}
		b = b[size:]
	}
	return n
}

func segmentOf(b []byte) Segment { return Segment{Digest: sha256.Sum256(b), Bytes: b} }

// digestOf is a resource's digest: of its only segment, or over the digests
// of all of them.
func digestOf(segments []Segment) Digest {
	if len(segments) == 1 {
		return segments[0].Digest
	}
	h := sha256.New()
	for _, s := range segments {
		h.Write(s.Digest[:])
	}
	return Digest(h.Sum(nil))
}
