package view

import (
	"iter"

	"github.com/deltaplane/deltaplane/resource"
)

// Members goes through a glob collection (cncf/xds TP1) in a table: what has
// the collection's name but for the last part of the id, by name.
// Cost: O(members), and those whose names only begin likewise.
func Members(table Table, collection string) iter.Seq2[string, *Resource] {
	return func(yield func(string, *Resource) bool) {
		for name, r := range table.Prefix(resource.CollectionPrefix(collection)) {
			if resource.CollectionOf(name) == collection && !yield(name, r) {
				return
			}
		}
	}
}

// Expand puts members in the place of each collection in names. One without
// members in table stays: the client wants to hear of that.
func Expand(names []string, table Table) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, name := range names {
			empty := true
			if resource.IsCollection(name) {
				for member := range Members(table, name) {
					empty = false
					if !yield(member) {
						return
					}
				}
			}
			if empty && !yield(name) {
				return
			}
		}
	}
}
