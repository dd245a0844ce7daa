package shape

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/resource"
)

// Shell is the shell of a leaf's route configuration: table's under the name
// of the leaf, which takes Header off before a request goes on to a backend.
// table has no hosts inline.
// Cost: a copy of the bytes.
func Shell(table *resource.Resource, id uint32) *resource.Resource {
	name := Name(table.Name(), id)
	b := protowire.AppendTag(make([]byte, 0, table.Size()+len(Prefix)+len(Header)+16), tableName, protowire.BytesType)
	b = protowire.AppendString(b, name)
	removed := false
	remove := func() {
		if !removed {
			b = protowire.AppendTag(b, tableRemovals, protowire.BytesType)
			b = protowire.AppendString(b, Header)
			removed = true
		}
	}
	for f := range fields(table.Bytes()) {
		if f.number == tableName {
			continue
		}
		if f.number > tableRemovals {
			remove()
		}
		b = append(b, f.whole...)
	}
	remove()
	return resource.FromCanonical(resource.Route, name, b).WithTTL(table.TTL())
}

// Scope is the scope that leads from a leaf's key to its route configuration,
// for a table of the name.
func Scope(table string, id uint32) *resource.Resource {
	name := Name(table, id)
	text := func(b []byte, number protowire.Number, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(b, number, protowire.BytesType), s)
	}
	key := text(nil, keyFragment, string(text(nil, fragment, Key(table, id))))
	b := text(text(text(nil, scopeName, name), scopeTable, name), scopeKey, string(key))
	return resource.FromCanonical(resource.ScopedRoute, name, b)
}
