package resource

import (
	"fmt"
	"math"
	"regexp/syntax"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// fault is something that Envoy refuses: a path within the message checked,
// and what is wrong.
type fault struct{ path, message string }

const negative = "must not be negative"

// checks are what Envoy demands beyond its generated rules, by message type,
// at any depth, on marshalled messages: those of which a resource has
// thousands are checked without being parsed. Only what Envoy 1.40 was seen
// to refuse is here: a check that is stricter than Envoy keeps users from
// what works.
var checks = map[protoreflect.FullName]func([]byte) []fault{
	"envoy.config.cluster.v3.Cluster":                parsed(checkCluster),
	"envoy.config.route.v3.RouteConfiguration":       checkDomains,
	"envoy.config.route.v3.VirtualHost":              func(b []byte) []fault { return unremovable(wireStrings(b, hostRemovals)) },
	"envoy.config.route.v3.Route":                    func(b []byte) []fault { return unremovable(wireStrings(b, entryRemovals)) },
	"envoy.config.route.v3.RouteAction":              checkAction,
	"envoy.config.route.v3.WeightedCluster":          parsed(checkWeights),
	"envoy.config.route.v3.RetryPolicy.RetryBackOff": parsed(checkBackOff),
	"envoy.type.matcher.v3.RegexMatcher":             parsed(func(m *matcherv3.RegexMatcher) []fault { return checkRegex(m.Regex) }),
	"google.protobuf.Duration":                       checkDuration,
	"google.protobuf.Timestamp":                      parsed(checkTime),
	"google.protobuf.Value":                          checkValue,
}

// Field numbers that the checks on marshalled messages rely on.
const (
	routeRemovals = 8  // RouteConfiguration.request_headers_to_remove
	hostDomains   = 2  // VirtualHost.domains
	hostRemovals  = 13 // VirtualHost.request_headers_to_remove
	entryRemovals = 12 // Route.request_headers_to_remove
	prefixRewrite = 5  // RouteAction.prefix_rewrite
	regexRewrite  = 32 // RouteAction.regex_rewrite
	rewritePolicy = 41 // RouteAction.path_rewrite_policy
	numberValue   = 2  // Value.number_value
	timeSeconds   = 1  // Duration.seconds
	timeNanos     = 2  // Duration.nanos
)

// parsed is a check that needs the message.
func parsed[M any, P interface {
	*M
	proto.Message
}](check func(P) []fault) func([]byte) []fault {
	return func(b []byte) []fault {
		m := P(new(M))
		if proto.Unmarshal(b, m) != nil {
			return nil
		}
		return check(m)
	}
}

func checkBackOff(b *routev3.RetryPolicy_RetryBackOff) []fault {
	if b.MaxInterval != nil && b.MaxInterval.AsDuration() < b.BaseInterval.AsDuration() {
		return []fault{{"max_interval", "must not be less than base_interval"}}
	}
	return nil
}

func checkDuration(b []byte) []fault {
	var d durationpb.Duration
	for n, value := range wireFields(b) {
		switch v, _ := protowire.ConsumeVarint(value); n {
		case timeSeconds:
			d.Seconds = int64(v)
		case timeNanos:
			d.Nanos = int32(v)
		}
	}
	switch {
	case d.CheckValid() != nil:
		return []fault{{"", "is out of the range of durations"}}
	case d.Seconds < 0 || d.Nanos < 0:
		return []fault{{"", negative}}
	}
	return nil
}

func checkTime(t *timestamppb.Timestamp) []fault {
	if t.CheckValid() != nil {
		return []fault{{"", "is out of the range of times"}}
	}
	return nil
}

func checkValue(b []byte) []fault {
	for n, value := range wireFields(b) {
		bits, _ := protowire.ConsumeFixed64(value)
		if v := math.Float64frombits(bits); n != numberValue || !math.IsNaN(v) && !math.IsInf(v, 0) {
			return nil
		}
	}
	return []fault{{"", "must be null, a finite number, a string, a boolean, a mapping or a list"}}
}

func checkCluster(c *clusterv3.Cluster) (faults []fault) {
	custom := c.GetClusterType() != nil
	eds := c.GetType() == clusterv3.Cluster_EDS && !custom
	switch {
	case eds && c.EdsClusterConfig == nil:
		faults = append(faults, fault{"eds_cluster_config", "is required for a cluster of type EDS: it says where the endpoints come from"})
	case !eds && c.EdsClusterConfig != nil:
		faults = append(faults, fault{"eds_cluster_config", "is only for a cluster of type EDS: set the type, or use load_assignment"})
	}
	if c.LbPolicy == clusterv3.Cluster_LOAD_BALANCING_POLICY_CONFIG && c.LoadBalancingPolicy == nil {
		faults = append(faults, fault{"load_balancing_policy", "is required with lb_policy LOAD_BALANCING_POLICY_CONFIG"})
	}
	if custom || c.LoadBalancingPolicy != nil {
		return faults
	}
	if (c.LbPolicy == clusterv3.Cluster_CLUSTER_PROVIDED) != (c.GetType() == clusterv3.Cluster_ORIGINAL_DST) {
		faults = append(faults, fault{"lb_policy", "CLUSTER_PROVIDED goes with type ORIGINAL_DST, and with no other type but a cluster_type that balances by itself"})
	}
	if c.GetType() == clusterv3.Cluster_LOGICAL_DNS {
		if places := c.GetLoadAssignment().GetEndpoints(); len(places) != 1 || len(places[0].LbEndpoints) != 1 {
			faults = append(faults, fault{"load_assignment", "needs exactly one locality with one endpoint in a cluster of type LOGICAL_DNS"})
		}
	}
	return faults
}

// checkDomains finds domains that stand twice in one route configuration.
func checkDomains(b []byte) []fault {
	var faults []fault
	seen := map[string]string{}
	i := 0
	for number, host := range wireFields(b) {
		if number == routeHosts {
			faults = append(faults, repeatedDomains(fmt.Sprintf("virtual_hosts[%d].", i), host, seen)...)
			i++
		}
	}
	return append(faults, unremovable(wireStrings(b, routeRemovals))...)
}

// repeatedDomains checks a marshalled VirtualHost and remembers its domains
// in seen, each with the host that has it. Envoy compares in lower case.
func repeatedDomains(at string, host []byte, seen map[string]string) (faults []fault) {
	name, _ := hostNameOf(host)
	for i, domain := range wireStrings(host, hostDomains) {
		key := strings.ToLower(domain)
		if other, ok := seen[key]; ok {
			faults = append(faults, fault{fmt.Sprintf("%sdomains[%d]", at, i), fmt.Sprintf(
				"%q is already a domain of virtual host %q: each may stand once in a route configuration", domain, other)})
			continue
		}
		seen[key] = name
	}
	return faults
}

// unremovable finds request headers that Envoy does not let anybody remove.
func unremovable(headers []string) (faults []fault) {
	for i, h := range headers {
		if strings.HasPrefix(h, ":") || strings.EqualFold(h, "host") {
			faults = append(faults, fault{fmt.Sprintf("request_headers_to_remove[%d]", i), fmt.Sprintf("%q cannot be removed", h)})
		}
	}
	return faults
}

func checkAction(b []byte) []fault {
	rewrites := 0
	for number := range wireFields(b) {
		if number == prefixRewrite || number == regexRewrite || number == rewritePolicy {
			rewrites++
		}
	}
	if rewrites > 1 {
		return []fault{{"", "only one of prefix_rewrite, regex_rewrite and path_rewrite_policy may be set"}}
	}
	return nil
}

func checkWeights(m *routev3.WeightedCluster) (faults []fault) {
	var sum uint64
	for i, c := range m.Clusters {
		if c.Weight == nil {
			faults = append(faults, fault{fmt.Sprintf("clusters[%d].weight", i), "is required"})
		}
		if c.Name == "" && c.ClusterHeader == "" {
			faults = append(faults, fault{fmt.Sprintf("clusters[%d]", i), "one of name, cluster_header is required"})
		}
		sum += uint64(c.GetWeight().GetValue())
	}
	switch {
	case len(faults) > 0:
	case sum == 0:
		faults = append(faults, fault{"clusters", "the weights must sum up to more than 0"})
	case sum > math.MaxUint32:
		faults = append(faults, fault{"clusters", fmt.Sprintf("the weights sum up to %d, more than 4294967295", sum)})
	}
	return faults
}

// checkRegex compiles an RE2 expression with Go's parser, which takes all
// that RE2 takes but \C and names of scripts newer than itself.
func checkRegex(expression string) []fault {
	if strings.Contains(expression, `\C`) || strings.Contains(expression, `\p`) || strings.Contains(expression, `\P`) {
		return nil
	}
	if _, err := syntax.Parse(expression, syntax.Perl); err != nil {
		return []fault{{"regex", fmt.Sprintf("%v: expected RE2 syntax", err)}}
	}
	return nil
}
