package shape

import (
	"strings"

	rulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
)

// mutationExtension changes headers before a request is routed.
const mutationExtension = "envoy.http.early_header_mutation.header_mutation"

// mutations write the key of a request's leaf into Header.
func mutations(table string, s *Split) *mutationv3.HeaderMutation {
	return &mutationv3.HeaderMutation{Mutations: []*rulesv3.HeaderMutation{
		{Action: &rulesv3.HeaderMutation_Remove{Remove: Header}},
		{Action: &rulesv3.HeaderMutation_Append{Append: &corev3.HeaderValueOption{
			AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			Header:       &corev3.HeaderValue{Key: Header, Value: "%CEL(" + tree(table, s.Leaves) + ")%"},
		}}},
	}}
}

// tree is a CEL expression for the key of the leaf that a request leads to.
func tree(table string, leaves []Leaf) string {
	if len(leaves) == 1 {
		return "'" + Key(table, leaves[0].ID) + "'"
	}
	if leaves[0].Host == leaves[len(leaves)-1].Host {
		half := len(leaves) / 2
		return "(request.url_path<" + literal(leaves[half].Path) + "?" + tree(table, leaves[:half]) + ":" + tree(table, leaves[half:]) + ")"
	}
	half := hostNear(leaves, len(leaves)/2)
	return "(request.host<" + literal(leaves[half].Host) + "?" + tree(table, leaves[:half]) + ":" + tree(table, leaves[half:]) + ")"
}

// hostNear is where a host begins in leaves, of the places that are not the
// first the one nearest to at.
func hostNear(leaves []Leaf, at int) int {
	before, after := at, at
	for before > 0 && leaves[before].Path != "" {
		before--
	}
	for after < len(leaves) && leaves[after].Path != "" {
		after++
	}
	if before == 0 || after < len(leaves) && after-at < at-before {
		return after
	}
	return before
}

// literal is s as a CEL string.
func literal(s string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range s {
		b.WriteRune(r)
	}
	b.WriteByte('\'')
	return b.String()
}

// Usable reports whether a split may cut at a host or path: a literal of the
// tree can hold it.
func Usable(point string) bool {
	for i := range len(point) {
		c := point[i]
		if c <= ' ' || c >= 0x7f || strings.IndexByte(`'"\%()`, c) >= 0 {
			return false
		}
	}
	return true
}
