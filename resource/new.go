package resource

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// New makes a Resource of a v3 message: validates it by Envoy's own rules, at
// any depth inside of Any, and brings it into canonical form. m is not
// changed. For a VirtualHost, m.Name must be "<route configuration>/<host>".
// The error, if any, is Problems: all that is wrong with m, with field paths.
func New(m proto.Message) (*Resource, error) { return Decoder{MaxResourceBytes: math.MaxInt}.New(m) }

// New is like the function New, with d's limits and allowances.
func (d Decoder) New(m proto.Message) (*Resource, error) {
	r, problems := d.build(m)
	if len(problems) > 0 {
		return nil, problems
	}
	return r, nil
}

// build is New, with problems that carry type, name and path.
func (d Decoder) build(m proto.Message) (*Resource, Problems) {
	t := Type(m.ProtoReflect().Descriptor().FullName())
	if problem := checkType(t); problem != "" {
		return nil, Problems{{Message: problem}}
	}
	m, err := generated(m)
	if err != nil {
		return nil, Problems{{Type: t.Short(), Message: err.Error()}}
	}
	m = canonicallyNamed(t, m)
	pm := m.ProtoReflect()
	name := nameOf(t, pm)

	v := validator{}
	v.root(t, name, m)
	e := encoder{allowUnknown: d.AllowUnknown, allowOpaque: d.AllowOpaqueTypes, validator: &v}
	b := e.encode(nil, pm)
	problems := append(withoutEchoes(v.problems), e.problems...)
	if bytes.Contains(b, []byte(URNScheme)) {
		problems = append(problems, checkReferredURNs(pm)...)
	}
	if limit := d.maxResource(); len(b) > limit {
		problems = append(problems, Problem{Message: tooLarge(len(b), limit)})
	}
	for i := range problems {
		problems[i].Type, problems[i].Name = t.Short(), name
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return fromCanonical(t, name, pm.Descriptor(), slices.Clip(b)), nil
}

func (d Decoder) maxResource() int {
	if d.MaxResourceBytes == 0 {
		return 4 << 20
	}
	return d.MaxResourceBytes
}

func tooLarge(size, limit int) string {
	return fmt.Sprintf("takes %d bytes, but the limit is %d: split it, or raise --max-resource-bytes", size, limit)
}

// checkType says why t cannot be a resource; "" if it can.
func checkType(t Type) string {
	if slices.Contains(own, t) || slices.Contains(Served(), t) {
		return ""
	}
	if isV2(t) {
		return unknownType(t)
	}
	return fmt.Sprintf("%q cannot be a resource of its own: expected one of %s", t, strings.Join(typeNames(), ", "))
}

func typeNames() []string {
	var names []string
	for _, t := range allTypes() {
		names = append(names, string(t))
	}
	return names
}

// generated turns a dynamic message into one of generated code, which knows
// Envoy's rules.
func generated(m proto.Message) (proto.Message, error) {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(m.ProtoReflect().Descriptor().FullName())
	if err != nil {
		return nil, err
	}
	if mt == m.ProtoReflect().Type() {
		return m, nil
	}
	b, err := proto.Marshal(m)
	if err != nil {
		return nil, err
	}
	g := mt.New().Interface()
	return g, proto.Unmarshal(b, g)
}

// Message parses the canonical bytes into a message of the caller's own.
func (r *Resource) Message() (proto.Message, error) {
	mt, err := protoregistry.GlobalTypes.FindMessageByName(r.typ.fullName())
	if err != nil {
		return nil, fmt.Errorf("%s %q: %w", r.typ.Short(), r.name, err)
	}
	m := mt.New().Interface()
	merge := proto.UnmarshalOptions{Merge: true}
	for _, s := range r.segments {
		if err := merge.Unmarshal(s.Bytes, m); err != nil {
			return nil, fmt.Errorf("%s %q: %w", r.typ.Short(), r.name, err)
		}
	}
	return m, nil
}

// withoutEchoes drops "must not be negative" where a generated rule has
// refused the same field.
func withoutEchoes(problems Problems) Problems {
	refused := map[string]bool{}
	for _, p := range problems {
		refused[p.Path] = refused[p.Path] || p.Message != negative
	}
	return slices.DeleteFunc(problems, func(p Problem) bool { return p.Message == negative && refused[p.Path] })
}
