package shapefuzz

import (
	"time"

	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	localv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/local_ratelimit/v3"
	typev3 "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// What a table with it must go out as written for is made, too. The compiler
// has to say so: then the table does without. Where it does not, the table
// routes otherwise in parts, and Envoy shows it.

// limited is a rate limit with a state of its own for each place that it
// stands in: a bucket that is soon empty, and is not filled again.
func limited(r random, _ string) proto.Message {
	return &localv3.LocalRateLimit{StatPrefix: "limited", FilterEnabled: always, FilterEnforced: always, TokenBucket: &typev3.TokenBucket{
		MaxTokens: uint32(r.between(1, 2)), TokensPerFill: wrapperspb.UInt32(1), FillInterval: durationpb.New(time.Hour)}}
}

// unfit gives some tables what keeps them whole.
func (t *tables) unfit(m *routev3.RouteConfiguration) {
	switch n := t.IntN(100); {
	case n < 4:
		m.IgnorePathParametersInPathMatching = true
	case n < 8:
		m.VhostHeader = vhostHeader
	case n < 12:
		m.TypedPerFilterConfig = map[string]*anypb.Any{"limit": packed(limited(t.random, ""))}
	}
}

// vhostHeader says where a request goes instead of the authority, in a table
// that looks at it.
const vhostHeader = "x-vhost"

// fit takes that off again.
func fit(m *routev3.RouteConfiguration) {
	m.IgnorePathParametersInPathMatching, m.VhostHeader, m.TypedPerFilterConfig = false, "", nil
}

// moves makes a route follow the redirects that its backend answers with, under
// another authority and path.
func moves(a *routev3.RouteAction) {
	a.ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: movedName}
	a.InternalRedirectPolicy = &routev3.InternalRedirectPolicy{}
}

// location is where a backend may send a request to.
func (a *aim) location() string {
	if len(a.routed) == 0 {
		return "http://a.test/"
	}
	host := oneOf(a.random, a.routed...)
	return "http://" + a.within(oneOf(a.random, host.domains...)) + a.at(oneOf(a.random, host.routes...).Match)
}
