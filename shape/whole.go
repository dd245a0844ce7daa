package shape

import (
	"github.com/deltaplane/deltaplane/resource"
)

// Whole says why a table with this shell must go out as written; "" if it may
// be split, as far as its shell is concerned. It is a sentence for users.
// Cost: one pass over the bytes.
func Whole(shell *resource.Resource) string { return "" }

// WholeHost says why a table with this virtual host must go out as written;
// "" if it may be split, as far as that host is concerned.
// Cost: one pass over the bytes.
func WholeHost(host *resource.Resource) string { return "" }
