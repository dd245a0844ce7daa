package shape

import (
	"fmt"
	"strings"
)

// tree makes a CEL expression for what leads to a request's leaf.
type tree struct {
	leaves []Leaf
	from   compare
	aside  bool // authorities that from misplaces are set aside, as capital
}

// compare is a CEL condition for authorities from host on, of those that begin
// with the first known bytes of it.
type compare func(host string, known int) string

// asWritten compares authorities in lower case.
func asWritten(host string, _ int) string { return "request.host>=" + literal(host) }

// run is the expression for requests that lead to leaves[from:]: which of
// leaves[from:to], or rest for a later one.
func (t tree) run(from, to int, rest string) string {
	if to == len(t.leaves) {
		return string(t.node(nil, from, to))
	}
	return string(t.node([]byte(t.reached(to)+"?'"+rest+"':"), from, to))
}

// node appends the expression for requests that lead to leaves[from:to]. It is
// balanced, so that a request costs the logarithm of their number.
func (t tree) node(b []byte, from, to int) []byte {
	if t.leaves[from].Host == t.leaves[to-1].Host {
		if t.aside {
			if condition := misplaced(t.leaves[from].Host, t.nextHost(to-1)).condition(); condition != "" {
				b = append(append(b, condition...), "?'"+capital+"':"...)
			}
		}
		return t.paths(b, from, to)
	}
	at := t.hostNear(from, to)
	b = append(b, t.from(t.leaves[at].Host, common(t.leaves[from].Host, t.nextHost(to-1)))...)
	b = parenthesized(append(b, '?'), t.node(nil, at, to))
	return t.node(append(b, ':'), from, at)
}

// paths is node for leaves of one range of authorities.
func (t tree) paths(b []byte, from, to int) []byte {
	if to-from == 1 {
		return fmt.Appendf(b, "'%d'", t.leaves[from].ID)
	}
	at := (from + to) / 2
	b = append(append(b, "request.url_path>="...), literal(t.leaves[at].Path)...)
	b = parenthesized(append(b, '?'), t.paths(nil, at, to))
	return t.paths(append(b, ':'), from, at)
}

// parenthesized appends an expression as it can stand between ? and :.
func parenthesized(b, expression []byte) []byte {
	if expression[0] == '\'' { // a leaf
		return append(b, expression...)
	}
	return append(append(append(b, '('), expression...), ')')
}

// reached is the condition for requests that lead to leaves[at] or behind it.
func (t tree) reached(at int) string {
	l := t.leaves[at]
	if l.Path == "" {
		return t.from(l.Host, 0)
	}
	condition := "request.url_path>=" + literal(l.Path)
	if l.Host != "" {
		condition = t.from(l.Host, 0) + "&&" + condition
	}
	if next := t.nextHost(at); next != "" {
		condition = t.from(next, 0) + "||" + condition
	}
	return condition
}

// hostNear is where a host begins in leaves[from+1:to], nearest to the middle.
func (t tree) hostNear(from, to int) int {
	middle := (from + to) / 2
	for d := 0; ; d++ {
		if at := middle - d; at > from && t.leaves[at].Path == "" {
			return at
		}
		if at := middle + d; at < to && t.leaves[at].Path == "" {
			return at
		}
	}
}

// nextHost is where the range of authorities of leaves[at] ends; "" for the
// last.
func (t tree) nextHost(at int) string {
	for _, l := range t.leaves[at+1:] {
		if l.Host != t.leaves[at].Host {
			return l.Host
		}
	}
	return ""
}

// common is how many bytes a and b have in common at their beginning.
func common(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

// maxPath is how long a path may be that a tree compares with: a tree of one
// comparison must fit into a header.
const maxPath = 1024

// Usable reports whether a split may cut at an authority or a path, which is
// what starts with a slash: a tree compares with printable ASCII, in lower
// case for authorities, and with no very long text.
func Usable(point string) bool {
	isPath := strings.HasPrefix(point, "/")
	for i := range len(point) {
		if c := point[i]; c <= ' ' || c >= 0x7f || !isPath && c >= 'A' && c <= 'Z' {
			return false
		}
	}
	return isPath && len(point) <= maxPath || len(point) <= maxHost
}

// literal is a usable point as a CEL string. What ends an operator of an
// Envoy format string, which is )%, is escaped.
func literal(point string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for i := range len(point) {
		if c := point[i]; strings.IndexByte(`'\%()`, c) >= 0 {
			fmt.Fprintf(&b, `\x%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}
