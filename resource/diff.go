package resource

import (
	"strconv"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// ChangeKind is what happened to a field.
type ChangeKind string

// The kinds of a FieldChange.
const (
	FieldAdded   ChangeKind = "added"
	FieldRemoved ChangeKind = "removed"
	FieldChanged ChangeKind = "changed"
	FieldMoved   ChangeKind = "moved" // elements of a list are in another order
)

// FieldChange is one field that differs between two states of a resource.
type FieldChange struct {
	Path string     `json:"path"`          // virtual_hosts["pay"].routes[3].route.cluster
	Kind ChangeKind `json:"kind"`          //
	Old  string     `json:"old,omitempty"` // "1s"; messages and lists as JSON on one line, cut at 200 bytes
	New  string     `json:"new,omitempty"`
}

// Diff lists the fields that differ between two states of one resource, for
// people: it goes into Any values, finds elements of lists again by name,
// domains, address or whatever else identifies them, and shows no key
// material. A nil resource is an empty one. Elements that are matched by name
// have it in their path; others have their index in now, or in old if removed.
// Cost: both are parsed, except for the segments that they share at the
// beginning and end; lists are compared in linear time where they agree.
func Diff(old, now *Resource) []FieldChange {
	if old == nil && now == nil || old != nil && now != nil && old.digest == now.digest {
		return nil
	}
	t, x, y := sides(old, now)
	var d differ
	d.ttl(old, now)
	d.cutList = cutList(t, x)
	for len(x) > 1 && len(y) > 1 && x[0].Digest == y[0].Digest {
		d.skipped += elements(d.cutList, x[0].Bytes)
		x, y = x[1:], y[1:]
	}
	for len(x) > 1 && len(y) > 1 && x[len(x)-1].Digest == y[len(y)-1].Digest {
		x, y = x[:len(x)-1], y[:len(y)-1]
	}
	before, err := FromStored(t, "", Digest{}, 0, x).Message()
	if err != nil {
		return nil
	}
	after, err := FromStored(t, "", Digest{}, 0, y).Message()
	if err != nil {
		return nil
	}
	d.message(before.ProtoReflect(), after.ProtoReflect())
	return d.changes
}

// sides are the segments of both; a nil resource has none.
func sides(old, now *Resource) (Type, []Segment, []Segment) {
	switch {
	case old == nil:
		return now.typ, nil, now.segments
	case now == nil:
		return old.typ, old.segments, nil
	}
	return old.typ, old.segments, now.segments
}

// differ compares two messages and keeps what differs.
type differ struct {
	at      trail
	secret  int
	cutList protoreflect.FieldNumber // the top-level list that the resource is cut along
	skipped int                      // its elements before those compared
	changes []FieldChange
}

func (d *differ) add(kind ChangeKind, old, now string) {
	d.changes = append(d.changes, FieldChange{d.at.String(), kind, old, now})
}

// message compares two messages of one type.
func (d *differ) message(old, now protoreflect.Message) {
	p := planOf(old.Descriptor())
	if p.any {
		d.any(old, now)
		return
	}
	for _, f := range p.fields {
		has, had := now.Has(f), old.Has(f)
		if !has && !had {
			continue
		}
		hidden := hides(old, f) || hides(now, f)
		if hidden {
			d.secret++
		}
		d.at.push(f)
		d.field(old.Get(f), now.Get(f), had, has, f)
		d.at.pop()
		if hidden {
			d.secret--
		}
	}
	if string(old.GetUnknown()) != string(now.GetUnknown()) {
		d.add(FieldChanged, "(unknown fields)", "(other unknown fields)")
	}
}

func (d *differ) any(old, now protoreflect.Message) {
	x, y := unpacked(old), unpacked(now)
	if x != nil && y != nil && x.Descriptor() == y.Descriptor() {
		d.message(x, y)
	} else if !proto.Equal(old.Interface(), now.Interface()) {
		d.add(FieldChanged, d.show(old), d.show(now))
	}
}

func (d *differ) field(old, now protoreflect.Value, had, has bool, f protoreflect.FieldDescriptor) {
	switch {
	case f.IsMap():
		d.entries(old.Map(), now.Map(), f)
	case f.IsList():
		d.list(old.List(), now.List(), f)
	case !had:
		d.add(FieldAdded, "", d.render(now, f))
	case !has:
		d.add(FieldRemoved, d.render(old, f), "")
	default:
		d.single(old, now, f)
	}
}

// single compares two values that are both there.
func (d *differ) single(old, now protoreflect.Value, f protoreflect.FieldDescriptor) {
	switch {
	case f.Message() == nil:
		if !old.Equal(now) {
			d.add(FieldChanged, d.render(old, f), d.render(now, f))
		}
	case proto.Equal(old.Message().Interface(), now.Message().Interface()):
	case structured(f.Message()):
		d.message(old.Message(), now.Message())
	default:
		d.add(FieldChanged, d.render(old, f), d.render(now, f))
	}
}

// structured reports whether a message is shown field by field. Those that
// JSON writes as one value are shown whole.
func structured(md protoreflect.MessageDescriptor) bool {
	_, special := wellKnown[md.FullName()]
	return !special || md.FullName() == "google.protobuf.Any"
}

func (d *differ) entries(old, now protoreflect.Map, f protoreflect.FieldDescriptor) {
	for _, k := range sortedKeys(old) {
		d.at.pushKey(k.String())
		if now.Has(k) {
			d.single(old.Get(k), now.Get(k), f.MapValue())
		} else {
			d.add(FieldRemoved, d.render(old.Get(k), f.MapValue()), "")
		}
		d.at.pop()
	}
	for _, k := range sortedKeys(now) {
		if !old.Has(k) {
			d.at.pushKey(k.String())
			d.add(FieldAdded, "", d.render(now.Get(k), f.MapValue()))
			d.at.pop()
		}
	}
}

// render is one value on one line.
func (d *differ) render(v protoreflect.Value, f protoreflect.FieldDescriptor) string {
	p := printer{masked: true, secret: d.secret}
	n := p.value(v, f)
	if n.Tag == "!!str" && n.Value != "" {
		return clip(n.Value)
	}
	return clip(string(appendJSON(nil, n)))
}

func (d *differ) show(m protoreflect.Message) string {
	p := printer{masked: true, secret: d.secret}
	return clip(string(appendJSON(nil, p.message(m))))
}

// clip cuts what is too long to be read on one line, and keeps control
// characters out of terminals.
func clip(s string) string {
	const limit = 200
	if len(s) > limit {
		cut := limit
		for cut > 0 && s[cut]&0xc0 == 0x80 {
			cut--
		}
		s = s[:cut] + "…"
	}
	for _, c := range s {
		if !strconv.IsPrint(c) {
			quoted := strconv.Quote(s)
			return quoted[1 : len(quoted)-1]
		}
	}
	return s
}
