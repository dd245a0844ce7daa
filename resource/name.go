package resource

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"google.golang.org/protobuf/reflect/protoreflect"
)

// maxName is the longest name of a resource, in bytes.
const maxName = 4 << 10

// nameField is the field that names resources of type t.
func nameField(t Type) protoreflect.Name {
	if t == Endpoint {
		return "cluster_name"
	}
	return "name"
}

// nameOf reads a resource message's own name.
func nameOf(t Type, m protoreflect.Message) string {
	return m.Get(m.Descriptor().Fields().ByName(nameField(t))).String()
}

// checkName says what is wrong with a name; "" if nothing is.
func checkName(t Type, name string) string {
	switch {
	case name == "":
		return "must not be empty: it is the resource's name"
	case len(name) > maxName:
		return fmt.Sprintf("is %d bytes long, but names may have %d", len(name), maxName)
	case !utf8.ValidString(name):
		return "is not valid UTF-8"
	case strings.ContainsFunc(name, unicode.IsControl):
		return "holds a control character"
	}
	if t == VirtualHost {
		if _, _, ok := HostOf(name); !ok {
			return `must be "<route configuration>/<host>": the name says where the virtual host belongs`
		}
	}
	return checkURN(t, name)
}
