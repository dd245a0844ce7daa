package shape_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/shape"
)

// texts are all of some characters, up to a length, ascending.
func texts(characters string, length int) []string {
	all := []string{""}
	if length == 0 {
		return all
	}
	for i := range len(characters) {
		for _, rest := range texts(characters, length-1) {
			all = append(all, characters[i:i+1]+rest)
		}
	}
	return all
}

func TestEveryAuthorityThatCapitalsMisplaceIsSetAside(t *testing.T) {
	points, hosts := texts("-bz", 3), texts("-AB[bz", 4)
	misplaced, spared := 0, 0
	for i, from := range points {
		for _, to := range points[i+1:] {
			for _, host := range hosts {
				if host < from || host >= to {
					continue
				}
				capitals := strings.ContainsAny(host, "AB")
				wrong, aside := strings.ToLower(host) >= to, shape.Aside(from, to, host)
				if wrong {
					misplaced++
				} else if capitals && !aside {
					spared++
				}
				if wrong && !aside || aside && !capitals {
					t.Fatalf("from %q up to %q: %q is set aside: %v", from, to, host, aside)
				}
			}
		}
	}
	if misplaced < 1000 || spared < 1000 {
		t.Errorf("only %d authorities were misplaced, and %d with capitals left where they are", misplaced, spared)
	}
}

// What most tables have costs an Envoy no more mutations, and so requests no
// more time, than it must: two for the trees and one for the key.
func TestATreeOf256HostsNeedsThreeMutations(t *testing.T) {
	for name, host := range map[string]func(i int) string{
		"numbered": func(i int) string { return fmt.Sprintf("host-%03d", i*4) },
		"named":    func(i int) string { return fmt.Sprintf("%c-%c", 'a'+i/16, 'a'+i%16) },
	} {
		var leaves []shape.Leaf
		for i := range 256 {
			leaves = append(leaves, shape.Leaf{ID: uint32(1000 + i), Host: host(i)})
		}
		leaves[0].Host = ""
		if n := len(shape.Mutations(leaves)) + 1; n != 3 {
			t.Errorf("%s hosts: %d mutations, want 3", name, n)
		}
	}
}
