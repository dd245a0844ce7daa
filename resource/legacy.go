package resource

import (
	"fmt"
	"strings"
	"sync"

	udpa "github.com/cncf/xds/go/udpa/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
)

// isV2 reports whether t belongs to the retired v2 interface.
func isV2(t Type) bool {
	return strings.HasPrefix(string(t), "envoy.") &&
		(strings.Contains(string(t), ".v2.") || strings.Contains(string(t), ".v2alpha"))
}

// successors maps v2 messages to the v3 messages that say they replace them.
var successors = sync.OnceValue(func() map[Type]Type {
	found := map[Type]Type{}
	protoregistry.GlobalTypes.RangeMessages(func(mt protoreflect.MessageType) bool {
		md := mt.Descriptor()
		v, ok := proto.GetExtension(md.Options(), udpa.E_Versioning).(*udpa.VersioningAnnotation)
		if ok && v.GetPreviousMessageType() != "" {
			found[Type(v.GetPreviousMessageType())] = Type(md.FullName())
		}
		return true
	})
	return found
})

// unknownType says why t cannot stand in an Any, and what could.
func unknownType(t Type) string {
	if !isV2(t) {
		return fmt.Sprintf("unknown type %q: no Envoy v3 message has this name", t)
	}
	if v3, ok := successors()[t]; ok {
		return fmt.Sprintf("%q is of the retired v2 interface: use %q", t, v3)
	}
	return fmt.Sprintf("%q is of the retired v2 interface, and Envoy has dropped it", t)
}
