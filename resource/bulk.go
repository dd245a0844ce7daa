package resource

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// How many values an input may have, and of it a resource that is not kept in
// parts: each takes some hundreds of bytes while it is read, however few it has
// in the input.
const (
	maxValues         = 8 << 20
	maxResourceValues = 2 << 20
)

// bulky reports whether a text in JSON or YAML may have more than maxValues
// values, by what each but the first stands behind. Few texts have as many of
// these in what they quote.
// Cost: some passes over text.
func bulky(text string) bool {
	n := 0
	for _, before := range []string{",", ":", "[", "{", "\n", "- ", "-\t", "? "} {
		n += strings.Count(text, before)
	}
	return n > maxValues
}

var errBulky = &syntaxError{message: fmt.Sprintf("may hold more than %d values, names of fields included: split it", maxValues)}

// valuesIn is how many values n has, names of fields included, or some number
// over limit. What an alias stands for counts where it is written.
func valuesIn(n *yaml.Node, limit int) int {
	count := 1
	for _, c := range n.Content {
		if count > limit {
			break
		}
		count += valuesIn(c, limit-count)
	}
	return count
}
