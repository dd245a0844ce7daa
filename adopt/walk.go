package adopt

import (
	"fmt"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/anypb"
)

// walk goes through m and every message in it, inside of Any too, in the order
// of fields and map keys. visit sees a message before what it holds, and
// reports whether it has changed it; a changed Any is packed again.
func walk(path string, m proto.Message, visit func(path string, m proto.Message) bool) (changed bool) {
	if packed, ok := m.(*anypb.Any); ok {
		return walkAny(path, packed, visit)
	}
	changed = visit(path, m)
	r := m.ProtoReflect()
	for i := range r.Descriptor().Fields().Len() {
		f := r.Descriptor().Fields().Get(i)
		if !r.Has(f) || f.Message() == nil {
			continue
		}
		at := strings.TrimPrefix(path+"."+string(f.Name()), ".")
		switch {
		case f.IsMap() && f.MapValue().Message() != nil:
			entries := r.Get(f).Map()
			for _, k := range keys(entries) {
				changed = walk(fmt.Sprintf("%s[%q]", at, k.String()), entries.Get(k).Message().Interface(), visit) || changed
			}
		case f.IsMap():
		case f.IsList():
			for j := range r.Get(f).List().Len() {
				changed = walk(fmt.Sprintf("%s[%d]", at, j), r.Get(f).List().Get(j).Message().Interface(), visit) || changed
			}
		default:
			changed = walk(at, r.Get(f).Message().Interface(), visit) || changed
		}
	}
	return changed
}

// walkAny leaves what no schema describes as it is.
func walkAny(path string, packed *anypb.Any, visit func(string, proto.Message) bool) bool {
	content, err := packed.UnmarshalNew()
	if err != nil || !walk(path, content, visit) {
		return false
	}
	b, err := proto.MarshalOptions{Deterministic: true}.Marshal(content)
	if err != nil {
		return false
	}
	packed.Value = b
	return true
}

func keys(m protoreflect.Map) []protoreflect.MapKey {
	var all []protoreflect.MapKey
	m.Range(func(k protoreflect.MapKey, _ protoreflect.Value) bool {
		all = append(all, k)
		return true
	})
	slices.SortFunc(all, func(a, b protoreflect.MapKey) int { return strings.Compare(a.String(), b.String()) })
	return all
}

// texts calls found for every string in m, at any depth.
func texts(path string, m proto.Message, found func(path, text string)) {
	walk(path, m, func(path string, m proto.Message) bool {
		r := m.ProtoReflect()
		for i := range r.Descriptor().Fields().Len() {
			f := r.Descriptor().Fields().Get(i)
			if f.Kind() != protoreflect.StringKind || f.IsMap() || !r.Has(f) {
				continue
			}
			at := strings.TrimPrefix(path+"."+string(f.Name()), ".")
			if !f.IsList() {
				found(at, r.Get(f).String())
				continue
			}
			for j := range r.Get(f).List().Len() {
				found(fmt.Sprintf("%s[%d]", at, j), r.Get(f).List().Get(j).String())
			}
		}
		return false
	})
}
