package shapefuzz

import (
	"fmt"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// tableName is what each table is called.
const tableName = "web/table"

// tables makes one table after another.
type tables struct {
	random
	hosts int             // so far, for names
	taken map[string]bool // domains, in lower case
}

// table makes a table of some hosts with up to most routes each.
func (t *tables) table(hosts, most int) *routev3.RouteConfiguration {
	m := &routev3.RouteConfiguration{
		Name:                            tableName,
		IgnorePortInHostMatching:        t.percent(20),
		MostSpecificHeaderMutationsWins: t.percent(20),
		ResponseHeadersToAdd:            append(t.edits("table-response", 30), added("x-route", "%ROUTE_NAME%"), added("x-virtual-cluster", "%VIRTUAL_CLUSTER_NAME%")),
		ResponseHeadersToRemove:         t.removals(),
		RequestHeadersToAdd:             t.edits("table-request", 30),
		RequestHeadersToRemove:          t.removals(),
		RequestMirrorPolicies:           t.mirrors(10),
		TypedPerFilterConfig:            t.filterConfig("table", 15),
		ValidateClusters:                oneOf(t.random, nil, wrapperspb.Bool(true)),
		MaxDirectResponseBodySizeBytes:  wrapperspb.UInt32(uint32(t.between(500, 5000))),
	}
	t.unfit(m)
	for range hosts {
		if h := t.host(most); h != nil {
			m.VirtualHosts = append(m.VirtualHosts, h)
		}
	}
	return m
}

// host is another virtual host; nil if all its domains are taken.
func (t *tables) host(most int) *routev3.VirtualHost {
	h := &routev3.VirtualHost{Name: fmt.Sprintf("h%d", t.hosts)}
	t.hosts++
	for range oneOf(t.random, 1, 1, 1, 2, 4) {
		if d := t.domain(); !t.taken[strings.ToLower(d)] {
			t.taken[strings.ToLower(d)] = true
			h.Domains = append(h.Domains, d)
		}
	}
	if len(h.Domains) == 0 {
		return nil
	}
	h.RequestHeadersToAdd = t.edits("host-request", 20)
	h.ResponseHeadersToAdd = append(t.edits("host-response", 20), added("x-host", h.Name))
	h.RequestHeadersToRemove = t.removals()
	h.RequestMirrorPolicies = t.mirrors(10)
	h.TypedPerFilterConfig = t.filterConfig(h.Name, 10)
	h.IncludeRequestAttemptCount = t.percent(30)
	h.IncludeAttemptCountInResponse = t.percent(30)
	h.RetryPolicy = t.retry(15)
	if t.percent(6) {
		h.RequireTls = oneOf(t.random, routev3.VirtualHost_EXTERNAL_ONLY, routev3.VirtualHost_ALL)
	}
	for i := range oneOf(t.random, 0, 0, 1, 3) {
		h.VirtualClusters = append(h.VirtualClusters, &routev3.VirtualCluster{
			Name: fmt.Sprintf("%s-virtual-%d", h.Name, i), Headers: []*routev3.HeaderMatcher{t.pathMatcher()}})
	}
	if t.percent(8) {
		h.Matcher = t.matcher(h.Name)
		return h
	}
	for i := range t.between(0, most) {
		h.Routes = append(h.Routes, t.route(fmt.Sprintf("%s-r%d", h.Name, i)))
	}
	return h
}

// edits are headers that some level adds. Some differ, and some meet those of
// other levels.
func (t *tables) edits(level string, percent int) []*corev3.HeaderValueOption {
	if !t.percent(percent) {
		return nil
	}
	all := []*corev3.HeaderValueOption{added("x-"+level, fmt.Sprint(t.IntN(1000)))}
	all = append(all, &corev3.HeaderValueOption{
		Header: &corev3.HeaderValue{Key: "x-met", Value: level},
		AppendAction: oneOf(t.random, corev3.HeaderValueOption_APPEND_IF_EXISTS_OR_ADD, corev3.HeaderValueOption_ADD_IF_ABSENT,
			corev3.HeaderValueOption_OVERWRITE_IF_EXISTS_OR_ADD, corev3.HeaderValueOption_OVERWRITE_IF_EXISTS),
	})
	if t.percent(30) {
		all = append(all, added("x-seen", "%REQ(:authority)% %REQ(:path)% %PROTOCOL% %REQ(x-kind)%"))
	}
	return all
}

func added(key, value string) *corev3.HeaderValueOption {
	return &corev3.HeaderValueOption{Header: &corev3.HeaderValue{Key: key, Value: value}}
}

func (t *tables) removals() []string {
	return oneOf(t.random, nil, nil, nil, []string{"x-gone"}, []string{"x-gone", "x-met"}, []string{"x-backend"})
}

func (t *tables) mirrors(percent int) []*routev3.RouteAction_RequestMirrorPolicy {
	if !t.percent(percent) {
		return nil
	}
	return []*routev3.RouteAction_RequestMirrorPolicy{{Cluster: "mirror"}}
}

// filterConfig is settings of some filters of the chain for some level.
func (t *tables) filterConfig(level string, percent int) map[string]*anypb.Any {
	if !t.percent(percent) {
		return nil
	}
	all := map[string]*anypb.Any{}
	for range oneOf(t.random, 1, 1, 2, 4) {
		name := oneOf(t.random, filterNames...)
		config := packed(filters[name].route(t.random, level))
		switch n := t.IntN(100); {
		case n < 10:
			config = packed(&routev3.FilterConfig{Disabled: true})
		case n < 20:
			config = packed(&routev3.FilterConfig{Config: config, IsOptional: t.percent(50)})
		}
		all[name] = config
	}
	return all
}
