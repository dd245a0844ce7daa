package resource

import (
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// list compares two lists. What agrees at both ends is passed over; of the
// rest, elements are matched by what identifies them, or where nothing does,
// by their longest common subsequence and then by position.
func (d *differ) list(old, now protoreflect.List, f protoreflect.FieldDescriptor) {
	start, oldEnd, nowEnd := 0, old.Len(), now.Len()
	for start < oldEnd && start < nowEnd && same(old.Get(start), now.Get(start), f) {
		start++
	}
	for oldEnd > start && nowEnd > start && same(old.Get(oldEnd-1), now.Get(nowEnd-1), f) {
		oldEnd, nowEnd = oldEnd-1, nowEnd-1
	}
	x, y := run{old, f, start, oldEnd}, run{now, f, start, nowEnd}
	if x.empty() && y.empty() {
		return
	}
	oldKeys, oldOK := x.keys()
	nowKeys, nowOK := y.keys()
	if oldOK && nowOK && !x.lone(y) {
		d.byKey(x, y, oldKeys, nowKeys)
		return
	}
	d.byPosition(x, y)
}

func same(a, b protoreflect.Value, f protoreflect.FieldDescriptor) bool {
	if f.Message() == nil {
		return a.Equal(b)
	}
	return proto.Equal(a.Message().Interface(), b.Message().Interface())
}

// run is the part of a list from start to end.
type run struct {
	list       protoreflect.List
	f          protoreflect.FieldDescriptor
	start, end int
}

func (r run) empty() bool { return r.start == r.end }

// keys are what identifies each element; ok is false when some have nothing,
// or two the same.
func (r run) keys() (keys []string, ok bool) {
	if r.f.Message() == nil {
		return nil, false
	}
	seen := map[string]bool{}
	for i := r.start; i < r.end; i++ {
		k := keyOf(r.list.Get(i).Message())
		if k == "" || seen[k] {
			return nil, false
		}
		seen[k] = true
		keys = append(keys, k)
	}
	return keys, true
}

// lone reports whether one element without a name stands against one other:
// then it has changed, whatever else would identify it.
func (r run) lone(other run) bool {
	if r.end-r.start != 1 || other.end-other.start != 1 {
		return false
	}
	return keyAt(r.list.Get(r.start).Message(), keyPaths[0]) == "" && keyAt(other.list.Get(other.start).Message(), keyPaths[0]) == ""
}

// keyPaths are the fields that identify an element among its siblings, the
// best first: the first one that is set counts.
var keyPaths = [][]protoreflect.Name{
	{"name"}, {"endpoint", "address", "socket_address"}, {"endpoint_name"}, {"cluster_name"}, {"locality"},
	{"header", "key"}, {"key"}, {"filter_chain_match"}, {"match"}, {"id"}, {"prefix"}, {"cluster"}, {"provider_name"},
}

// keyOf is what identifies a list's element for people; "" if nothing does.
func keyOf(m protoreflect.Message) string {
	if planOf(m.Descriptor()).any {
		url, _ := anyParts(m)
		return string(TypeOfURL(url))
	}
	for _, path := range keyPaths {
		if k := keyAt(m, path); k != "" {
			return k
		}
	}
	return ""
}

func keyAt(m protoreflect.Message, path []protoreflect.Name) string {
	f := m.Descriptor().Fields().ByName(path[0])
	switch {
	case f == nil || f.IsList() || f.IsMap() || !m.Has(f):
		return ""
	case f.Kind() == protoreflect.StringKind && len(path) == 1:
		return m.Get(f).String()
	case f.Message() == nil:
		return ""
	case len(path) > 1:
		return keyAt(m.Get(f).Message(), path[1:])
	case f.Message().FullName() == "envoy.config.core.v3.SocketAddress":
		return addressOf(m.Get(f).Message())
	}
	return (&differ{}).show(m.Get(f).Message())
}

// byKey compares elements of one key, and reports the others.
func (d *differ) byKey(x, y run, oldKeys, nowKeys []string) {
	at := map[string]int{}
	for i, k := range oldKeys {
		at[k] = x.start + i
	}
	var kept []string
	for i, k := range nowKeys {
		d.at.pushKey(k)
		if j, ok := at[k]; ok {
			kept = append(kept, k)
			d.single(x.list.Get(j), y.list.Get(y.start+i), x.f)
		} else {
			d.add(FieldAdded, "", d.render(y.list.Get(y.start+i), x.f))
		}
		d.at.pop()
	}
	var before []string
	held := map[string]bool{}
	for _, k := range kept {
		held[k] = true
	}
	for i, k := range oldKeys {
		if held[k] {
			before = append(before, k)
			continue
		}
		d.at.pushKey(k)
		d.add(FieldRemoved, d.render(x.list.Get(x.start+i), x.f), "")
		d.at.pop()
	}
	if !slices.Equal(before, kept) {
		d.add(FieldMoved, clip(strings.Join(before, ", ")), clip(strings.Join(kept, ", ")))
	}
}

// maxTable bounds the cells of the table for the longest common subsequence.
const maxTable = 1 << 20

// byPosition compares elements that nothing identifies.
func (d *differ) byPosition(x, y run) {
	pairs := x.common(y)
	offset := 0
	if len(d.at) == 1 && x.f.Number() == d.cutList {
		offset = d.skipped
	}
	i, j := x.start, y.start
	for _, p := range append(pairs, [2]int{x.end, y.end}) {
		for ; i < p[0] || j < p[1]; i, j = min(i+1, p[0]), min(j+1, p[1]) {
			switch {
			case i < p[0] && j < p[1]:
				d.at.pushIndex(offset + j)
				d.single(x.list.Get(i), y.list.Get(j), x.f)
			case i < p[0]:
				d.at.pushIndex(offset + i)
				d.add(FieldRemoved, d.render(x.list.Get(i), x.f), "")
			default:
				d.at.pushIndex(offset + j)
				d.add(FieldAdded, "", d.render(y.list.Get(j), x.f))
			}
			d.at.pop()
		}
		i, j = i+1, j+1
	}
}

// common pairs the indices of a longest common subsequence; nothing, when
// that would take too long.
func (r run) common(other run) [][2]int {
	n, m := r.end-r.start, other.end-other.start
	if n == 0 || m == 0 || n*m > maxTable {
		return nil
	}
	length := make([][]int32, n+1)
	for i := range length {
		length[i] = make([]int32, m+1)
	}
	equal := func(i, j int) bool { return same(r.list.Get(r.start+i), other.list.Get(other.start+j), r.f) }
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if equal(i, j) {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	var pairs [][2]int
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case equal(i, j):
			pairs = append(pairs, [2]int{r.start + i, other.start + j})
			i, j = i+1, j+1
		case length[i+1][j] >= length[i][j+1]:
			i++
		default:
			j++
		}
	}
	return pairs
}
