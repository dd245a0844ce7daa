package resource

import (
	"crypto/sha256"
	"iter"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/deltaplane/deltaplane/internal/invariant"
)

// splice changes elements of one top-level list of a resource in its
// canonical bytes. Segments that it does not touch are shared with the
// resource that it started from.
// INVARIANT: segments are what cut would make of the whole.
type splice struct {
	md       protoreflect.MessageDescriptor
	list     protowire.Number
	segments []Segment // its own copy
	read     *int      // counts the elements that are read, for tests
}

// spot is where an element is: its segment, and its bytes there with tag and
// length. index counts the list's elements before it.
type spot struct {
	segment, start, end int
	index               int
}

// content is the element's message, without tag and length.
func (s *splice) content(at spot) []byte {
	return contentOf(s.segments[at.segment].Bytes[at.start:at.end])
}

// contentOf is an element without tag and length.
func contentOf(element []byte) []byte {
	_, _, n := protowire.ConsumeTag(element)
	content, _ := protowire.ConsumeBytes(element[n:])
	return content
}

// find is the first element that is wanted, and how many there are if none is.
// Cost: one pass over the bytes; nothing is parsed.
func (s *splice) find(wanted func(index int, content []byte) bool) (at spot, found bool) {
	return s.search(func(*routeIndex, int) bool { return true }, wanted)
}

// search is find in those segments alone that may hold the element, by what is
// known of their routes and the index of the first.
func (s *splice) search(may func(x *routeIndex, first int) bool, wanted func(index int, content []byte) bool) (at spot, found bool) {
	for i, segment := range s.segments {
		if s.list == hostRoutes {
			if x := s.routesIn(i); x != nil && !may(x, at.index) {
				at.index += x.count
				continue
			}
		}
		at.segment = i
		for at.start = 0; at.start < len(segment.Bytes); at.start = at.end {
			number, size := element(segment.Bytes[at.start:])
			if size < 0 {
				return at, false
			}
			at.end = at.start + size
			if number != s.list {
				continue
			}
			*s.read++
			if wanted(at.index, s.content(at)) {
				return at, true
			}
			at.index++
		}
	}
	return at, false
}

// contents goes through the list's elements in one segment.
func (s *splice) contents(segment []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(segment) > 0 {
			number, size := element(segment)
			if size < 0 {
				return
			}
			if number == s.list {
				*s.read++
				if !yield(contentOf(segment[:size])) {
					return
				}
			}
			segment = segment[size:]
		}
	}
}

// endOf is where a new last element goes: an empty spot.
// Cost: one pass over the last segments, or over the one.
func (s *splice) endOf() (last spot) {
	for i := len(s.segments) - 1; i >= 0; i-- {
		segment := s.segments[i].Bytes
		for pos := 0; pos < len(segment); {
			number, size := element(segment[pos:])
			if size < 0 {
				break
			}
			pos += size
			if number <= s.list {
				last = spot{segment: i, start: pos, end: pos}
			}
		}
		if last.end > 0 {
			break
		}
	}
	return last
}

// replace puts content in the place of an element; nil removes it. at may be
// empty: then content is inserted before what follows there.
func (s *splice) replace(at spot, content []byte) {
	old := s.segments[at.segment].Bytes
	b := append(make([]byte, 0, len(old)+len(content)+16), old[:at.start]...)
	if content != nil {
		b = protowire.AppendTag(b, s.list, protowire.BytesType)
		b = protowire.AppendBytes(b, content)
	}
	b = append(b, old[at.end:]...)
	if !s.cutHere(at.segment, len(b)-len(old)) {
		s.recut(at.segment, b)
		return
	}
	start := at.segment
	for start > 0 && s.isRun(s.segments[start-1]) && !endsByItself(s.segments[start-1].Bytes) {
		start--
		b = append(append(make([]byte, 0, len(s.segments[start].Bytes)+len(b)), s.segments[start].Bytes...), b...)
	}
	kept := append([]Segment(nil), s.segments[:start]...)
	next := at.segment + 1
	for {
		runs, rest := cutRuns(b)
		kept = append(kept, runs...)
		if len(rest) == 0 {
			break
		}
		if next == len(s.segments) || !s.isRun(s.segments[next]) {
			kept = append(kept, segmentOf(rest))
			break
		}
		b = append(append(make([]byte, 0, len(rest)+len(s.segments[next].Bytes)), rest...), s.segments[next].Bytes...)
		next++
	}
	s.segments = append(kept, s.segments[next:]...)
}

// endsByItself reports whether a run ends after its last element whatever
// follows. One that was ended by its length depends on the next element.
func endsByItself(run []byte) bool {
	last := 0
	for pos := 0; pos < len(run); {
		_, size := element(run[pos:])
		if size < 0 {
			return true
		}
		last, pos = pos, pos+size
	}
	return len(run) >= segmentMin && boundary(run[last:])
}

// cutHere reports whether the resource, grown by some bytes in one segment,
// is certainly still cut along the list, so that only runs need cutting anew.
func (s *splice) cutHere(segment, grown int) bool {
	if len(s.segments) < 2 || !s.isRun(s.segments[segment]) {
		return false
	}
	runs, others := grown, 0
	for _, one := range s.segments {
		if s.isRun(one) {
			runs += len(one.Bytes)
		} else {
			others += len(one.Bytes)
		}
	}
	return runs+others > wholeBytes && runs > others
}

func (s *splice) isRun(segment Segment) bool {
	number, size := element(segment.Bytes)
	return size > 0 && number == s.list
}

// recut cuts everything anew, with b in the place of one segment.
func (s *splice) recut(segment int, b []byte) {
	var whole []byte
	for i, one := range s.segments {
		if i == segment {
			whole = append(whole, b...)
		} else {
			whole = append(whole, one.Bytes...)
		}
	}
	if len(s.segments) == 0 {
		whole = b
	}
	s.segments = cut(s.md, whole)
}

// resource is the result, under r's type and name.
func (s *splice) resource(r *Resource) *Resource {
	if len(s.segments) == 0 {
		s.segments = []Segment{{Digest: sha256.Sum256(nil)}}
	}
	now := FromStored(r.typ, r.name, digestOf(s.segments), 0, s.segments)
	if invariant.Enabled {
		want := digestOf(cut(s.md, now.Bytes()))
		invariant.Check(now.digest == want, "%s %q: spliced segments have digest %s, the whole %s", r.typ.Short(), r.name, now.digest, want)
	}
	return now.WithTTL(r.ttl)
}
