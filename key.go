package deltaplane

import (
	"strings"

	"github.com/deltaplane/deltaplane/resource"
)

// DefaultNamespace is where resources go that name none.
const DefaultNamespace = "default"

// Key names one resource of the store. Fleets are global: their Namespace is "".
type Key struct {
	Namespace string
	Type      resource.Type
	Name      string
}

// String is k for people: "default/Cluster/pay".
func (k Key) String() string { return k.Namespace + "/" + k.Type.Short() + "/" + k.Name }

// Path is k's place in a Snapshot's tree. Namespaces and names hold no NUL.
func (k Key) Path() string { return TypePrefix(k.Namespace, k.Type) + k.Name }

// TypePrefix starts the paths of all keys of one namespace and type.
func TypePrefix(namespace string, t resource.Type) string {
	return NamespacePrefix(namespace) + string(t) + "\x00"
}

// NamespacePrefix starts the paths of all keys of one namespace.
func NamespacePrefix(namespace string) string { return namespace + "\x00" }

// KeyOf is the inverse of Path.
func KeyOf(path string) Key {
	namespace, rest, _ := strings.Cut(path, "\x00")
	t, name, _ := strings.Cut(rest, "\x00")
	return Key{namespace, resource.Type(t), name}
}

// KeyIn is the key of a resource that is put into namespace: fleets, which are
// global, have none.
func KeyIn(namespace string, t resource.Type, name string) Key {
	if t == resource.Fleet {
		namespace = ""
	}
	return Key{namespace, t, name}
}
