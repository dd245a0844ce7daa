package resource

import (
	"fmt"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// violation is what Envoy's generated validation reports for one field.
type violation interface {
	Field() string
	Reason() string
	Cause() error
}

// flatten lists the violations in err with their paths, as the fields are
// named in Envoy's documentation and not in Go.
func flatten(at string, md protoreflect.MessageDescriptor, err error) Problems {
	if many, ok := err.(interface{ AllErrors() []error }); ok {
		var all Problems
		for _, one := range many.AllErrors() {
			all = append(all, flatten(at, md, one)...)
		}
		return all
	}
	one, ok := err.(violation)
	if !ok {
		return Problems{{Path: at, Message: err.Error()}}
	}
	goName, index, indexed := strings.Cut(one.Field(), "[")
	name, next, reason := protoName(md, goName), md, one.Reason()
	if f := md.Fields().ByName(protoreflect.Name(name)); f != nil {
		next = f.Message()
		if indexed && f.IsMap() {
			index = fmt.Sprintf("%q]", strings.TrimSuffix(index, "]"))
			next = f.MapValue().Message()
		}
	} else if o := md.Oneofs().ByName(protoreflect.Name(name)); o != nil {
		var choices []string
		for i := range o.Fields().Len() {
			choices = append(choices, string(o.Fields().Get(i).Name()))
		}
		name, reason = "", "one of "+strings.Join(choices, ", ")+" is required"
	}
	path := at
	if name != "" {
		path = strings.TrimPrefix(at+"."+name, ".")
	}
	if indexed {
		path += "[" + index
	}
	if cause := one.Cause(); cause != nil && next != nil {
		return flatten(path, next, cause)
	}
	return Problems{{Path: path, Message: reason}}
}

// protoName is the proto name of a field or oneof by its name in Go.
func protoName(md protoreflect.MessageDescriptor, goName string) string {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	want := plain(goName)
	for i := range md.Fields().Len() {
		if name := string(md.Fields().Get(i).Name()); plain(name) == want {
			return name
		}
	}
	for i := range md.Oneofs().Len() {
		if name := string(md.Oneofs().Get(i).Name()); plain(name) == want {
			return name
		}
	}
	return goName
}
