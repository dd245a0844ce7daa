package resource

import (
	"cmp"
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
)

// ReadMessage reads the one document in data into m, an empty message of
// generated code that need not be a resource: a Bootstrap, say. It is as
// strict as Decode, has the same limits but that on the size of a resource,
// and returns all problems; with any that is not a warning m must not be used.
func (d Decoder) ReadMessage(file string, data []byte, m proto.Message) Problems {
	r := &reader{Decoder: d, file: file}
	roots, problem := r.parse(data)
	if problem == nil && len(roots) == 1 {
		problem = measure(roots[0])
	}
	switch {
	case problem != nil:
		r.report(Problem{Line: problem.line, Column: problem.column, Message: problem.message})
		return r.problems
	case len(roots) != 1:
		r.report(Problem{Message: fmt.Sprintf("holds %d documents: expected one %s", len(roots), m.ProtoReflect().Descriptor().Name())})
		return r.problems
	}
	root := target(roots[0])
	r.message(root, m.ProtoReflect())
	unread := slices.Clone(r.problems)
	v := validator{}
	v.rules(nil, m)
	e := encoder{allowUnknown: d.AllowUnknown, allowOpaque: d.AllowOpaqueTypes, validator: &v}
	e.encode(nil, m.ProtoReflect())
	for _, p := range append(withoutEchoes(v.problems), e.problems...) {
		at, _ := locate(root, p.Path)
		if disturbed(p.Path, false, unread) {
			continue
		}
		p.Line, p.Column = at.Line, at.Column
		r.report(p)
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return r.problems
}
