package shape_test

import (
	"fmt"
	"testing"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/shape"
)

// sized are tables as they are reported on.
var sized = []struct{ hosts, routes int }{{1000, 10}, {1, 10_000}, {10_000, 10}, {1, 100_000}}

// BenchmarkCompile divides a table and makes all pieces and shells.
func BenchmarkCompile(b *testing.B) {
	for _, c := range sized {
		b.Run(fmt.Sprintf("hosts=%d/routes=%d", c.hosts, c.routes), func(b *testing.B) {
			t := wide(b, c.hosts, c.routes)
			for b.Loop() {
				s := fresh(b, t, shape.Defaults())
				shape.Count(s, t.shell, t.all())
				for h := range t.all() {
					s.Pieces(nil, h, func(uint32, *resource.Resource) {})
				}
				for _, l := range s.Leaves {
					shape.Shell(t.shell, l.ID)
					shape.Scope("table", l.ID)
				}
			}
		})
	}
}

// BenchmarkChange adds one route in the middle of a host, and takes it away.
func BenchmarkChange(b *testing.B) {
	for _, c := range sized {
		b.Run(fmt.Sprintf("hosts=%d/routes=%d", c.hosts, c.routes), func(b *testing.B) {
			t := wide(b, c.hosts, c.routes)
			s := fresh(b, t, shape.Defaults())
			tally := shape.Count(s, t.shell, t.all())
			old := t.hosts[fmt.Sprintf("table/h%05d", c.hosts/2)]
			now := patched(b, old, "new")
			for b.Loop() {
				s.Pieces(old, now, func(uint32, *resource.Resource) {})
				tally.Change(old, now)
				if tally.Due() {
					b.Fatal("one route makes the split due")
				}
				old, now = now, old
			}
		})
	}
}
