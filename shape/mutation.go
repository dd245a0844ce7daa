package shape

import (
	rulesv3 "github.com/envoyproxy/go-control-plane/envoy/config/common/mutation_rules/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	mutationv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/http/early_header_mutation/header_mutation/v3"
)

// mutationExtension changes headers before a request is routed.
const mutationExtension = "envoy.http.early_header_mutation.header_mutation"

// maxExpression is how long a CEL expression may be: Envoy takes 16,384 bytes
// as the value of a header, with %CEL(…)% around it, and the start of a key.
const maxExpression = 16384 - len("%CEL()%") - len("0123456789abc-")

// Values of Header from one mutation to another, besides the IDs of leaves.
const (
	later   = ">" // for a leaf of a later mutation
	capital = "^" // for a mutation that compares without regard to case
)

// mutations write the key of a request's leaf into Header, and are total:
// whatever authority and path a request has, it gets one of the keys.
//
// The first overwrites what a client sends. Each is the decision tree of a run
// of leaves; an empty value leaves the header as it is. Where there are several,
// the start of the keys stands in one more, the last: in the trees it would take
// a third of the room.
//
// Each mutation costs every request about a microsecond, whether it does
// anything or not, and each comparison in its tree a quarter of one.
func mutations(table string, s *Split) *mutationv3.HeaderMutation {
	m := &mutationv3.HeaderMutation{}
	write := func(value string) {
		m.Mutations = append(m.Mutations, &rulesv3.HeaderMutation{Action: &rulesv3.HeaderMutation_Append{Append: &corev3.HeaderValueOption{
			AppendAction: corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD,
			Header:       &corev3.HeaderValue{Key: Header, Value: value},
		}}})
	}
	all := expressions(s.Leaves)
	if len(all) == 1 {
		write(keyStart(table) + "%CEL(" + all[0] + ")%")
		return m
	}
	for _, expression := range all {
		write("%CEL(" + expression + ")%")
	}
	write(keyStart(table) + "%REQ(" + Header + ")%")
	return m
}

// expressions are those of the mutations, in CEL, for the IDs of leaves. As
// Envoy's CEL has no function for lower case, authorities with upper-case
// letters have trees of their own, of regular expressions. Only those go there
// that the trees before would misplace.
func expressions(leaves []Leaf) []string {
	t := tree{leaves: leaves, from: asWritten}
	end := t.lastAside()
	t.aside = end != ""
	all := t.chain(func(from, to int) string {
		if from == 0 {
			return t.run(from, to, later)
		}
		return t.reached(from) + "?(" + t.run(from, to, "") + "):''"
	})
	if end == "" {
		return all
	}
	still := "request.headers['" + Header + "']=='" + capital + "'"
	if !t.mostBefore(end) {
		still = "request.host<" + literal(end) + "&&" + still // half as dear, and says no to most
	}
	t.from, t.aside = anyCase, false
	return append(all, t.chain(func(from, to int) string { return still + "?(" + t.run(from, to, "") + "):''" })...)
}

// mostBefore reports whether most leaves begin before host.
func (t tree) mostBefore(host string) bool { return t.leaves[len(t.leaves)/2].Host < host }

// chain cuts the leaves into runs of about the same number, as few as have
// expressions that are short enough.
func (t tree) chain(expression func(from, to int) string) []string {
	for n := 1; ; {
		runs, longest := make([]string, 0, n), 0
		for i := range n {
			run := expression(i*len(t.leaves)/n, (i+1)*len(t.leaves)/n)
			runs = append(runs, run)
			longest = max(longest, len(run))
		}
		if longest <= maxExpression || n == len(t.leaves) {
			return runs
		}
		n = min(len(t.leaves), n*longest/maxExpression+1)
	}
}
