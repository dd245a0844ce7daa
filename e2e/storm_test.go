package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// No request fails while random commits go through, in each way in which an
// Envoy can ask, and more of them than it has the time to acknowledge.
func TestNoRequestFailsInAStorm(t *testing.T) {
	for _, mode := range []envoy.Mode{envoy.DeltaADS, envoy.SotwADS} {
		t.Run(mode.String(), func(t *testing.T) { weatherStorm(t, mode) })
	}
}

func weatherStorm(t *testing.T, mode envoy.Mode) {
	random := seeded(t)
	backends := map[string]int{}
	for _, name := range []string{"red", "green", "blue"} {
		backends[name] = envoytest.Backend(t, name).Port()
	}
	var ports []int
	for _, name := range names(backends) {
		ports = append(ports, backends[name])
	}
	w := newWeather(t, mode, random, ports)
	plane, e := start(t, mode)
	plane.Prune(w.documents())
	// A listener that is bound need not listen yet.
	check := func() {
		t.Helper()
		arrived(t, e, w, backends)
	}
	check()
	loads := w.traffic(t, e)

	began := time.Now()
	for i := range stormCommits {
		how := w.turn()
		if _, err := plane.Post("/v1/apply", map[string][]string{"prune": {"true"}, "allow_shrink": {"true"}, "message": {how}}, w.documents()); err != nil {
			t.Fatalf("commit %d, %s: %v", i, how, err)
		}
		// Sometimes slower than Envoy, mostly faster.
		<-time.After(time.Duration(random.Int64N(int64(20 * time.Millisecond))))
		for _, load := range loads {
			if r := load.Report(); r.Failures > 0 {
				t.Fatalf("after commit %d, %s: %d requests failed: %v", i, how, r.Failures, r.Reasons)
			}
		}
	}
	took := time.Since(began)
	check()
	settled(t, plane, e, w)
	for name, load := range loads {
		r := load.Stop()
		t.Logf("%s: %d requests, %d failed, answers %v", name, r.Requests, r.Failures, r.Answers)
	}
	t.Logf("%d commits in %s", stormCommits, took)
}

// traffic is 2,000 requests per second, over connections that are kept.
func (w *weather) traffic(t *testing.T, e *envoytest.Envoy) map[string]*traffic.Generator {
	request := func(n uint64) traffic.Request {
		return traffic.Request{
			Host: append(hosts, "other.test")[n%4], Path: "/",
			Header: http.Header{"Tenant": {tenants[n%3]}},
		}
	}
	return map[string]*traffic.Generator{
		"web":    envoytest.Traffic(t, e.WaitListener("web"), 800, request),
		"scoped": envoytest.Traffic(t, e.WaitListener("scoped"), 800, request),
		"secure": envoytest.TrafficTLS(t, e.WaitListener("secure"), w.trust(), 400, request),
	}
}

// trust takes each of the certificates.
func (w *weather) trust() *tls.Config {
	pool := x509.NewCertPool()
	for _, pem := range w.pems {
		pool.AppendCertsFromPEM([]byte(pem[0]))
	}
	return &tls.Config{RootCAs: pool, ServerName: "example.test"}
}

// arrived waits until new connections are served as the weather says: each
// listener, host and tenant by a backend of the right cluster.
func arrived(t *testing.T, e *envoytest.Envoy, w *weather, backends map[string]int) {
	t.Helper()
	byPort := map[int]string{}
	for name, port := range backends {
		byPort[port] = name
	}
	for _, name := range []string{"web", "secure", "scoped"} {
		var config *tls.Config
		if name == "secure" {
			config = w.trust()
		}
		client := envoytest.Client(t, e.WaitListener(name), config)
		for i, host := range append(slices.Clone(hosts), "other.test") {
			tenant := tenants[i%len(tenants)]
			table := w.tables[map[string]string{"web": w.web, "secure": w.secure, "scoped": w.scopes[tenant]}[name]]
			cluster, named := table[host]
			if !named {
				cluster = table["*"]
			}
			var want []string
			for _, port := range w.clusters[cluster].ports {
				want = append(want, byPort[port])
			}
			r := traffic.Request{Host: host, Path: "/", Header: http.Header{"Tenant": {tenant}, "Connection": {"close"}}}
			if _, err := client.UntilFunc(envoytest.Context(t), r, func(a traffic.Answer) bool {
				return a.Status == http.StatusOK && slices.Contains(want, a.Body)
			}); err != nil {
				t.Fatalf("%s, %s of %s, through cluster %s to any of %v: %v", name, host, tenant, cluster, want, err)
			}
		}
	}
}

// settled waits until Envoy has nothing but the last commit.
func settled(t *testing.T, plane *envoytest.Plane, e *envoytest.Envoy, w *weather) {
	t.Helper()
	want := append(names(w.clusters), "xds")
	envoytest.Eventually(t, "the clusters of the last commit alone", func(ctx context.Context) error {
		got, err := clustersOf(ctx, e)
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("there are %v, want %v", got, want)
		}
		return err
	})
	envoytest.Eventually(t, "the routes of the last commit", func(ctx context.Context) error {
		got, err := routesOf(ctx, e)
		if err != nil {
			return err
		}
		for _, table := range append(slices.Collect(maps.Values(w.scopes)), w.web, w.secure) {
			if !maps.Equal(got[table], w.tables[table]) {
				return fmt.Errorf("table %s leads to %v, want %v", table, got[table], w.tables[table])
			}
		}
		return nil
	})
	listeners, err := e.Listeners(envoytest.Context(t))
	if err != nil {
		t.Fatal(err)
	}
	expected := []string{"scoped", "secure", "web"}
	if w.spare != "" {
		expected = append(expected, w.spare)
		slices.Sort(expected)
	}
	if got := names(listeners); !slices.Equal(got, expected) {
		t.Errorf("listeners are %v, want %v", got, expected)
	}
	e.WaitStat("cluster_manager.warming_clusters", func(n uint64) bool { return n == 0 })
	nothingRefused(t, plane, e)
}

var clusterLine = regexp.MustCompile(`(?m)^([^:]+)::default_priority::max_connections::`)

// clustersOf lists the clusters in Envoy's /clusters.
func clustersOf(ctx context.Context, e *envoytest.Envoy) ([]string, error) {
	text, err := e.Get(ctx, "/clusters")
	if err != nil {
		return nil, err
	}
	var list []string
	for _, m := range clusterLine.FindAllSubmatch(text, -1) {
		list = append(list, string(m[1]))
	}
	slices.Sort(list)
	return list, nil
}

// routesOf reads the tables from Envoy's dump: which cluster each host leads to.
func routesOf(ctx context.Context, e *envoytest.Envoy) (map[string]map[string]string, error) {
	text, err := e.ConfigDump(ctx, "dynamic_route_configs", "")
	if err != nil {
		return nil, err
	}
	var dump struct {
		Configs []struct {
			Table struct {
				Name  string `json:"name"`
				Hosts []struct {
					Name   string `json:"name"`
					Routes []struct {
						Route struct {
							Cluster string `json:"cluster"`
						} `json:"route"`
					} `json:"routes"`
				} `json:"virtual_hosts"`
			} `json:"route_config"`
		} `json:"configs"`
	}
	if err := json.Unmarshal(text, &dump); err != nil {
		return nil, err
	}
	tables := map[string]map[string]string{}
	for _, c := range dump.Configs {
		table := map[string]string{}
		for _, h := range c.Table.Hosts {
			table[h.Name] = h.Routes[0].Route.Cluster
		}
		tables[c.Table.Name] = table
	}
	return tables, nil
}
