package radix

// cursor is a place in a tree: node, or a point rest before it, inside its
// prefix. Without a node it is a place where nothing is.
type cursor[V Value] struct {
	node *node[V]
	rest string
}

// advance moves c down by l bytes of its rest.
func (c cursor[V]) advance(l int) cursor[V] { return cursor[V]{c.node, c.rest[l:]} }

// value is what stands exactly at c.
func (c cursor[V]) value() (v V, ok bool) {
	if c.node == nil || c.rest != "" {
		return v, false
	}
	return c.node.value, c.node.has
}

// fanout is the number of places below c.
func (c cursor[V]) fanout() int {
	switch {
	case c.node == nil:
		return 0
	case c.rest != "":
		return 1
	}
	return len(c.node.children)
}

// child is the i-th place below c; its rest is not empty.
func (c cursor[V]) child(i int) cursor[V] {
	if c.rest != "" {
		return c
	}
	n := c.node.children[i]
	return cursor[V]{n, n.prefix}
}
