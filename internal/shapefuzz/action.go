package shapefuzz

import (
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// clusters are those that routes lead to. What belongs to "fail" answers 503,
// and one of two backends behind ring is chosen by hash.
var clusters = []string{"c0", "c1", "c2", "fail"}

// act gives a route something to do.
func (t *tables) act(r *routev3.Route) {
	_, literal := r.Match.PathSpecifier.(*routev3.RouteMatch_Prefix)
	connect := r.Match.GetConnectMatcher() != nil
	switch n := t.IntN(100); {
	case n < 15:
		r.Action = &routev3.Route_DirectResponse{DirectResponse: &routev3.DirectResponseAction{
			Status: uint32(oneOf(t.random, 200, 201, 226, 404, 418, 503)),
			Body:   oneOf(t.random, nil, &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: r.Name}}),
		}}
	case n < 28 && !connect:
		r.Action = &routev3.Route_Redirect{Redirect: t.redirect(literal)}
	default:
		r.Action = &routev3.Route_Route{Route: t.forward(literal, connect)}
	}
}

func (t *tables) redirect(prefix bool) *routev3.RedirectAction {
	a := &routev3.RedirectAction{ResponseCode: oneOf(t.random, routev3.RedirectAction_MOVED_PERMANENTLY, routev3.RedirectAction_FOUND, routev3.RedirectAction_PERMANENT_REDIRECT)}
	switch t.IntN(4) {
	case 0:
		a.HostRedirect = "elsewhere.test"
	case 1:
		a.SchemeRewriteSpecifier = &routev3.RedirectAction_HttpsRedirect{HttpsRedirect: true}
	case 2:
		a.PortRedirect = 8443
	}
	switch n := t.IntN(4); {
	case n == 0:
		a.PathRewriteSpecifier = &routev3.RedirectAction_PathRedirect{PathRedirect: "/elsewhere"}
	case n == 1 && prefix:
		a.PathRewriteSpecifier = &routev3.RedirectAction_PrefixRewrite{PrefixRewrite: "/moved"}
	case n == 2:
		a.PathRewriteSpecifier = &routev3.RedirectAction_RegexRewrite{RegexRewrite: rewrite("/([^/?]*)", `/<\1>`)}
	}
	a.StripQuery = t.percent(30)
	return a
}

func rewrite(regex, with string) *matcherv3.RegexMatchAndSubstitute {
	return &matcherv3.RegexMatchAndSubstitute{Pattern: &matcherv3.RegexMatcher{Regex: regex}, Substitution: with}
}

func (t *tables) forward(prefix, connect bool) *routev3.RouteAction {
	a := &routev3.RouteAction{}
	switch n := t.IntN(100); {
	case n < 15:
		a.ClusterSpecifier = &routev3.RouteAction_WeightedClusters{WeightedClusters: t.weights()}
	case n < 20:
		a.ClusterSpecifier = &routev3.RouteAction_ClusterHeader{ClusterHeader: "x-cluster"}
	default:
		a.ClusterSpecifier = &routev3.RouteAction_Cluster{Cluster: oneOf(t.random, clusters...)}
	}
	if t.percent(10) {
		a.ClusterSpecifier, a.HashPolicy = &routev3.RouteAction_Cluster{Cluster: ring}, t.hashPolicies()
	}
	if t.percent(1) {
		moves(a)
	}
	switch n := t.IntN(100); {
	case connect:
	case n < 10 && prefix:
		a.PrefixRewrite = "/rewritten"
	case n < 15:
		a.RegexRewrite = rewrite("^/([^/?]+)", `/r-\1`)
	}
	switch n := t.IntN(100); {
	case n < 8:
		a.HostRewriteSpecifier = &routev3.RouteAction_HostRewriteLiteral{HostRewriteLiteral: "rewritten.test"}
	case n < 12:
		a.HostRewriteSpecifier = &routev3.RouteAction_HostRewriteHeader{HostRewriteHeader: "x-kind"}
	case n < 16:
		a.HostRewriteSpecifier = &routev3.RouteAction_HostRewritePathRegex{HostRewritePathRegex: rewrite("^/([a-z]+).*$", `\1.rewritten`)}
	}
	if t.percent(20) {
		a.UpgradeConfigs = []*routev3.RouteAction_UpgradeConfig{{UpgradeType: "websocket", Enabled: wrapperspb.Bool(t.percent(70))}}
	}
	a.RetryPolicy, a.RequestMirrorPolicies = t.retry(15), t.mirrors(10)
	if t.percent(20) {
		a.Timeout = durationpb.New(time.Duration(t.between(11, 60)) * time.Second)
	}
	return a
}

// weights chooses by a header, so that both listeners choose the same.
func (t *tables) weights() *routev3.WeightedCluster {
	w := &routev3.WeightedCluster{RandomValueSpecifier: &routev3.WeightedCluster_HeaderName{HeaderName: chanceHeader}}
	for _, name := range clusters[:t.between(2, 3)] {
		w.Clusters = append(w.Clusters, &routev3.WeightedCluster_ClusterWeight{
			Name: name, Weight: wrapperspb.UInt32(uint32(t.between(1, 50))),
			RequestHeadersToAdd: t.edits("cluster-request", 30), ResponseHeadersToAdd: t.edits("cluster-response", 30),
		})
	}
	return w
}

func (t *tables) retry(percent int) *routev3.RetryPolicy {
	if !t.percent(percent) {
		return nil
	}
	return &routev3.RetryPolicy{RetryOn: "5xx", NumRetries: wrapperspb.UInt32(uint32(t.between(0, 2))),
		RetryBackOff: &routev3.RetryPolicy_RetryBackOff{BaseInterval: durationpb.New(time.Millisecond)}}
}
