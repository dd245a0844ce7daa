package resource

import (
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// validator collects what Envoy would refuse.
type validator struct{ problems Problems }

// root checks the resource itself, down to where an Any begins.
func (v *validator) root(t Type, name string, m proto.Message) {
	if problem := checkName(t, name); problem != "" {
		v.problems = append(v.problems, Problem{Path: string(nameField(t)), Message: problem})
	}
	v.rules(nil, m)
}

// visit checks each message at any depth, and by Envoy's generated rules the
// content of each Any.
func (v *validator) visit(at trail, m protoreflect.Message, unpacked bool) {
	if unpacked {
		v.rules(at, m.Interface())
	}
}

// rules runs the checks that are generated from Envoy's protos.
func (v *validator) rules(at trail, m proto.Message) {
	checked, ok := m.(interface{ ValidateAll() error })
	if !ok {
		return
	}
	if err := checked.ValidateAll(); err != nil {
		v.problems = append(v.problems, flatten(at.String(), m.ProtoReflect().Descriptor(), err)...)
	}
}
