package shapefuzz

import (
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
)

// ring is a cluster of two backends, of which the hash of a request chooses one.
const ring = "ring"

// hashPolicies are of something in the request. The client's address is the
// last, so that no request is without a hash, which would leave it to chance.
func (t *tables) hashPolicies() []*routev3.RouteAction_HashPolicy {
	var all []*routev3.RouteAction_HashPolicy
	for range t.between(0, 2) {
		p := &routev3.RouteAction_HashPolicy{Terminal: t.percent(30)}
		switch t.IntN(3) {
		case 0:
			p.PolicySpecifier = &routev3.RouteAction_HashPolicy_Header_{Header: &routev3.RouteAction_HashPolicy_Header{HeaderName: oneOf(t.random, "x-kind", ":path", ":authority")}}
		case 1:
			p.PolicySpecifier = &routev3.RouteAction_HashPolicy_Cookie_{Cookie: &routev3.RouteAction_HashPolicy_Cookie{Name: "session"}}
		case 2:
			p.PolicySpecifier = &routev3.RouteAction_HashPolicy_QueryParameter_{QueryParameter: &routev3.RouteAction_HashPolicy_QueryParameter{Name: "q"}}
		}
		all = append(all, p)
	}
	return append(all, &routev3.RouteAction_HashPolicy{PolicySpecifier: &routev3.RouteAction_HashPolicy_ConnectionProperties_{
		ConnectionProperties: &routev3.RouteAction_HashPolicy_ConnectionProperties{SourceIp: true}}})
}
