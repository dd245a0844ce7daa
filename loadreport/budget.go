package loadreport

import "sync/atomic"

// budget is the memory that all reports may take together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take asks for n bytes.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	return false
}

// give returns n bytes.
func (b *budget) give(n int64) { b.used.Add(-n) }
