package resource

import (
	"fmt"
	"math"
	"regexp/syntax"
	"strings"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// fault is something that Envoy refuses: a path within the message checked,
// and what is wrong.
type fault struct{ path, message string }

const negative = "must not be negative"

// checks are what Envoy demands beyond its generated rules, by message type,
// at any depth. Only what Envoy 1.40 was seen to refuse is here: a check that
// is stricter than Envoy keeps users from what works.
var checks = map[protoreflect.FullName]func(proto.Message) []fault{
	"envoy.config.cluster.v3.Cluster":          checkCluster,
	"envoy.config.route.v3.RouteConfiguration": checkDomains,
	"envoy.config.route.v3.VirtualHost":        checkRemovals,
	"envoy.config.route.v3.RouteAction":        checkAction,
	"envoy.config.route.v3.WeightedCluster":    checkWeights,
	"envoy.config.route.v3.RetryPolicy.RetryBackOff": func(m proto.Message) []fault {
		b := m.(*routev3.RetryPolicy_RetryBackOff)
		if b.MaxInterval != nil && b.MaxInterval.AsDuration() < b.BaseInterval.AsDuration() {
			return []fault{{"max_interval", "must not be less than base_interval"}}
		}
		return nil
	},
	"envoy.type.matcher.v3.RegexMatcher": func(m proto.Message) []fault {
		return checkRegex(m.(*matcherv3.RegexMatcher).Regex)
	},
	"google.protobuf.Duration": func(m proto.Message) []fault {
		switch d := m.(*durationpb.Duration); {
		case d.CheckValid() != nil:
			return []fault{{"", "is out of the range of durations"}}
		case d.Seconds < 0 || d.Nanos < 0:
			return []fault{{"", negative}}
		}
		return nil
	},
	"google.protobuf.Timestamp": func(m proto.Message) []fault {
		if m.(*timestamppb.Timestamp).CheckValid() != nil {
			return []fault{{"", "is out of the range of times"}}
		}
		return nil
	},
	"google.protobuf.Value": func(m proto.Message) []fault {
		v := m.(*structpb.Value)
		if n, ok := v.Kind.(*structpb.Value_NumberValue); v.Kind == nil || ok && (math.IsNaN(n.NumberValue) || math.IsInf(n.NumberValue, 0)) {
			return []fault{{"", "must be null, a finite number, a string, a boolean, a mapping or a list"}}
		}
		return nil
	},
}

func checkCluster(m proto.Message) (faults []fault) {
	c := m.(*clusterv3.Cluster)
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
// Envoy compares them in lower case.
func checkDomains(m proto.Message) []fault {
	var faults []fault
	seen := map[string]string{}
	for i, host := range m.(*routev3.RouteConfiguration).VirtualHosts {
		faults = append(faults, repeatedDomains(fmt.Sprintf("virtual_hosts[%d].", i), host, seen)...)
	}
	return append(faults, unremovable("", m.(*routev3.RouteConfiguration).RequestHeadersToRemove)...)
}

// repeatedDomains checks one host and remembers its domains in seen, each
// with the host that has it.
func repeatedDomains(at string, host *routev3.VirtualHost, seen map[string]string) (faults []fault) {
	for i, domain := range host.Domains {
		key := strings.ToLower(domain)
		if other, ok := seen[key]; ok {
			faults = append(faults, fault{fmt.Sprintf("%sdomains[%d]", at, i), fmt.Sprintf(
				"%q is already a domain of virtual host %q: each may stand once in a route configuration", domain, other)})
			continue
		}
		seen[key] = host.Name
	}
	return faults
}

func checkRemovals(m proto.Message) []fault {
	return unremovable("", m.(*routev3.VirtualHost).RequestHeadersToRemove)
}

// unremovable finds request headers that Envoy does not let anybody remove.
func unremovable(at string, headers []string) (faults []fault) {
	for i, h := range headers {
		if strings.HasPrefix(h, ":") || strings.EqualFold(h, "host") {
			faults = append(faults, fault{fmt.Sprintf("%srequest_headers_to_remove[%d]", at, i), fmt.Sprintf("%q cannot be removed", h)})
		}
	}
	return faults
}

func checkAction(m proto.Message) []fault {
	a := m.(*routev3.RouteAction)
	rewrites := 0
	for _, set := range []bool{a.PrefixRewrite != "", a.RegexRewrite != nil, a.PathRewritePolicy != nil} {
		if set {
			rewrites++
		}
	}
	if rewrites > 1 {
		return []fault{{"", "only one of prefix_rewrite, regex_rewrite and path_rewrite_policy may be set"}}
	}
	return nil
}

func checkWeights(m proto.Message) (faults []fault) {
	var sum uint64
	for i, c := range m.(*routev3.WeightedCluster).Clusters {
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
