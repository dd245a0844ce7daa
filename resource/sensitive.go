package resource

import (
	"sync"

	udpa "github.com/cncf/xds/go/udpa/annotations"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

var sensitiveFields sync.Map // protoreflect.FieldDescriptor → bool

// alsoSensitive hold key material although Envoy's protos do not say so.
var alsoSensitive = map[protoreflect.FullName]bool{}

// sensitive reports whether f holds key material, at whatever depth below it:
// Envoy's protos mark such fields (udpa.annotations.sensitive).
func sensitive(f protoreflect.FieldDescriptor) bool {
	if known, ok := sensitiveFields.Load(f); ok {
		return known.(bool)
	}
	marked, _ := proto.GetExtension(f.Options(), udpa.E_Sensitive).(bool)
	marked = marked || alsoSensitive[f.FullName()]
	sensitiveFields.Store(f, marked)
	return marked
}
