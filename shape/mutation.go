package shape

import (
	rulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
)

// mutationExtension changes headers before a request is routed.
const mutationExtension = "envoy.http.early_header_mutation.header_mutation"

// maxExpression is how long a CEL expression may be: Envoy takes 16,384 bytes
// as the value of a header, with %CEL(…)% around it.
const maxExpression = 16384 - len("%CEL()%")

// What says, in CEL, how far the mutations before have come. Header has the
// value capital from the first mutation to the first of those for authorities
// with upper-case letters; it is no leaf's key.
const (
	capital      = "^"
	anyCapital   = "request.host.matches('[A-Z]')"
	pending      = "!('" + Header + "' in request.headers)"
	stillCapital = "request.headers['" + Header + "']=='" + capital + "'"
)

// mutations write the key of a request's leaf into Header, and are total:
// whatever authority and path a request has, it gets one of the keys.
//
// What a client sends is removed first. Each further mutation is the decision
// tree of a run of leaves; an empty value leaves the header as it is. As
// Envoy's CEL has no function for lower case, authorities with upper-case
// letters have trees of their own, of regular expressions.
func mutations(table string, s *Split) *mutationv3.HeaderMutation {
	t := tree{leaves: s.Leaves, keys: make([]string, len(s.Leaves))}
	for i, l := range s.Leaves {
		t.keys[i] = Key(table, l.ID)
	}
	t.before = asWritten
	values := t.chain(func(first bool) string {
		if first {
			return ""
		}
		return pending
	})
	if s.Leaves[len(s.Leaves)-1].Host != "" {
		values[0] = anyCapital + "?'" + capital + "':" + values[0]
		t.before = anyCase
		values = append(values, t.chain(func(bool) string { return stillCapital })...)
	}
	m := &mutationv3.HeaderMutation{Mutations: []*rulesv3.HeaderMutation{
		{Action: &rulesv3.HeaderMutation_Remove{Remove: Header}},
	}}
	for _, value := range values {
		m.Mutations = append(m.Mutations, &rulesv3.HeaderMutation{Action: &rulesv3.HeaderMutation_Append{Append: &corev3.HeaderValueOption{
			AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			Header:       &corev3.HeaderValue{Key: Header, Value: "%CEL(" + value + ")%"},
		}}})
	}
	return m
}

// chain cuts the leaves into runs of about the same number, as few as have
// expressions that are short enough. Each asks when first, "" for nothing.
func (t tree) chain(when func(first bool) string) []string {
	const limit = maxExpression - len(anyCapital+"?'"+capital+"':")
	for n := 1; ; {
		runs, longest := make([]string, 0, n), 0
		for i := range n {
			from, to := i*len(t.leaves)/n, (i+1)*len(t.leaves)/n
			run := t.run(from, to)
			if condition := when(from == 0); condition != "" {
				run = condition + "?(" + run + "):''"
			}
			runs = append(runs, run)
			longest = max(longest, len(run))
		}
		if longest <= limit || n == len(t.leaves) {
			return runs
		}
		n = min(len(t.leaves), n*longest/limit+1)
	}
}
