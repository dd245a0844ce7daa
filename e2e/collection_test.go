package e2e

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// urn is an xdstp:// name of a type.
func urn(typ, id string) string { return "xdstp://deltaplane/" + typ + "/" + id }

const (
	clusterURN  = "envoy.config.cluster.v3.Cluster"
	listenerURN = "envoy.config.listener.v3.Listener"
	routeURN    = "envoy.config.route.v3.RouteConfiguration"
	endpointURN = "envoy.config.endpoint.v3.ClusterLoadAssignment"
)

// startWithCollections runs an Envoy that takes clusters and listeners from
// glob collections.
func startWithCollections(t *testing.T, plane *envoytest.Plane, clusters, listeners string) *envoytest.Envoy {
	t.Helper()
	text, err := envoy.Bootstrap{XDS: plane.XDS, Mode: envoy.DeltaADS, NodeID: node, Cluster: "e2e"}.YAML()
	if err != nil {
		t.Fatal(err)
	}
	locators := fmt.Sprintf("dynamic_resources:\n  cds_resources_locator: %q\n  lds_resources_locator: %q\n", clusters, listeners)
	return envoytest.StartYAML(t, strings.Replace(text, "dynamic_resources:\n", locators, 1))
}

// edsCluster is a cluster whose endpoints have a name of their own.
func edsCluster(name, service string) string {
	return strings.Replace(cluster(name), "{eds_config", "{service_name: '"+service+"', eds_config", 1)
}

// TestCollectionsOfXDSTPNames has a real Envoy follow two glob collections:
// members that come, change and go, everything referred to by xdstp:// names,
// while traffic runs.
func TestCollectionsOfXDSTPNames(t *testing.T) {
	plane := envoytest.StartPlane(t)
	// The names as written are not canonical; Envoy asks for them by their
	// canonical form in any case.
	e := startWithCollections(t, plane, urn(clusterURN, "edge/*?zone=a&env=prod"), urn(listenerURN, "edge/*"))
	e.WaitReady() // empty collections do not hold its start up

	blue, green := envoytest.Backend(t, "blue"), envoytest.Backend(t, "green")
	params := "?zone=a&env=prod"
	canonical := "?env=prod&zone=a"
	plane.Apply(documents(envoy.DeltaADS,
		edsCluster(urn(clusterURN, "edge/blue")+params, urn(endpointURN, "blue")),
		endpoints(urn(endpointURN, "blue"), blue.Port()),
		table(urn(routeURN, "main"), to("'"+urn(clusterURN, "edge/blue")+canonical+"'")),
		listener(urn(listenerURN, "edge/web"), rds(urn(routeURN, "main")), ""),
		listener(urn(listenerURN, "other/web"), rds(urn(routeURN, "main")), ""),
		edsCluster(urn(clusterURN, "edge/unseen"), urn(endpointURN, "blue")),
		cluster("plain"), endpoints("plain", green.Port()),
	))
	web := urn(listenerURN, "edge/web")
	answer(t, e, web, root, "blue") // admin shows a listener before it accepts
	load := envoytest.Traffic(t, e.WaitListener(web), 200, func(uint64) traffic.Request { return root })

	plane.Apply(documents(envoy.DeltaADS,
		edsCluster(urn(clusterURN, "edge/green")+params, urn(endpointURN, "green")),
		endpoints(urn(endpointURN, "green"), green.Port()),
		table(urn(routeURN, "main"), to("'"+urn(clusterURN, "edge/green")+canonical+"'")),
		listener(urn(listenerURN, "edge/later"), rds(urn(routeURN, "main")), ""),
	))
	e.WaitListener(urn(listenerURN, "edge/later"))
	envoytest.Eventually(t, "traffic on green", func(context.Context) error {
		if r := load.Report(); r.Answers["green"] == 0 {
			return fmt.Errorf("answers are from %v", r.Answers)
		}
		return nil
	})
	plane.Delete("Cluster", urn(clusterURN, "edge/blue")+params)
	plane.Delete("Listener", urn(listenerURN, "edge/later"))
	waitClusters(t, e, urn(clusterURN, "edge/green")+canonical)
	envoytest.Eventually(t, "the later listener to go", func(ctx context.Context) error {
		listeners, err := e.Listeners(ctx)
		if err == nil && len(listeners) != 1 {
			err = fmt.Errorf("there are %v", listeners)
		}
		return err
	})
	nothingRefused(t, plane, e)
}

// waitClusters waits until these are all of Envoy's clusters, besides that of
// the control plane.
func waitClusters(t *testing.T, e *envoytest.Envoy, want ...string) {
	t.Helper()
	envoytest.Eventually(t, "the clusters", func(ctx context.Context) error {
		text, err := e.Get(ctx, "/clusters")
		if err != nil {
			return err
		}
		found := map[string]bool{}
		for line := range strings.Lines(string(text)) {
			if name, _, ok := strings.Cut(line, "::observability_name::"); ok {
				found[name] = true
			}
		}
		delete(found, "xds")
		if len(found) != len(want) {
			return fmt.Errorf("there are %v", found)
		}
		for _, name := range want {
			if !found[name] {
				return fmt.Errorf("there are %v", found)
			}
		}
		return nil
	})
}
