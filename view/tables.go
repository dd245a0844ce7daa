package view

import (
	"github.com/deltaplane/deltaplane/radix"
	"github.com/deltaplane/deltaplane/resource"
)

// tables are one Table for each type that clients can subscribe to, by rank.
type tables [resource.Ranks]Table

// of is that of t; empty for any other type.
func (x *tables) of(t resource.Type) Table {
	if rank := t.Rank(); rank < len(x) {
		return x[rank]
	}
	return Table{}
}

// over is x with what has changed, of served types.
func (x tables) over(changed map[resource.Type]*radix.Txn[*Resource]) tables {
	for t, txn := range changed {
		x[t.Rank()] = txn.Commit()
	}
	return x
}
