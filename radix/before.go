package radix

// Before has what t has under keys less than key. It shares all nodes with t
// but those on the way to key. Cost: O(len(key)), and a walk over its keys, to
// count them.
func (t Tree[V]) Before(key string) Tree[V] {
	if t.root == nil {
		return t
	}
	x := t.Txn()
	x.root = before(t.root, key)
	if !x.root.has && len(x.root.children) == 0 {
		return Tree[V]{}
	}
	x.size = x.root.count()
	return x.Commit()
}

// before is n with what is less than key below it. What it returns may have
// lost its value and its last children; the caller mends that.
func before[V Value](n *node[V], key string) *node[V] {
	if key == "" {
		return &node[V]{prefix: n.prefix, dirty: true}
	}
	n = n.own()
	i, found := n.find(key[0])
	children := n.children[i:]
	n.children = n.children[:i]
	if !found {
		return n
	}
	child := children[0]
	l := commonPrefix(child.prefix, key)
	switch {
	case l < len(child.prefix) && (l == len(key) || child.prefix[l] > key[l]):
		return n
	case l == len(child.prefix):
		child = before(child, key[l:])
	}
	switch {
	case child.has || len(child.children) > 1:
		n.children = append(n.children, child)
	case len(child.children) == 1:
		only := child.children[0]
		n.children = append(n.children, only.relabel(child.prefix+only.prefix))
	}
	return n
}

// count is the number of values at and below n.
func (n *node[V]) count() (total int) {
	if n.has {
		total++
	}
	for _, c := range n.children {
		total += c.count()
	}
	return total
}

// Last is the greatest key; ok is false when the tree is empty.
func (t Tree[V]) Last() (key string, ok bool) {
	if t.root == nil {
		return "", false
	}
	n := t.root
	for len(n.children) > 0 {
		n = n.children[len(n.children)-1]
		key += n.prefix
	}
	return key, true
}
