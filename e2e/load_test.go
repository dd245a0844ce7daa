package e2e

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// reporting are a cluster and a route for each of two backends, one of which
// does not exist.
func reporting(port int) string {
	lrs := "lrs_server: {self: {}}\n"
	return documents(envoy.DeltaADS,
		cluster("web")+lrs, endpoints("web", port),
		cluster("gone")+lrs, endpoints("gone", 1), // nobody listens on port 1
		listener("web", rds("edge"), ""),
		table("edge", "{match: {path: /gone}, route: {cluster: gone}}", to("web")))
}

func TestEnvoysReportTheirLoad(t *testing.T) {
	back := envoytest.Backend(t, "back")
	plane := envoytest.StartPlane(t, "--load-report-interval=200ms")
	text, err := exec.CommandContext(t.Context(), envoytest.Binary(t), "bootstrap", "--load-reports",
		"--node-id", node, "--cluster", "e2e", "--xds", plane.XDS, "--admin-port", "0").Output()
	if err != nil {
		t.Fatal(err)
	}
	e := envoytest.StartYAML(t, string(text))
	plane.Apply(reporting(back.Port()))
	address := e.WaitListener("web")
	probe := envoytest.Client(t, address, nil)
	if _, err := probe.Until(envoytest.Context(t), root, "back"); err != nil {
		t.Fatal(err)
	}

	load := traffic.Start(t.Context(), traffic.Config{Client: envoytest.Client(t, address, nil), Rate: 300, Next: func(n uint64) traffic.Request {
		if n%3 == 0 {
			return traffic.Request{Host: "example.test", Path: "/gone"}
		}
		return root
	}})
	envoytest.Eventually(t, "the load of both clusters", func(ctx context.Context) error {
		proxy, err := plane.Status(ctx, node)
		if err != nil {
			return err
		}
		web, gone := loadOf(proxy, "web"), loadOf(proxy, "gone")
		switch {
		case web == nil || gone == nil:
			return fmt.Errorf("load is %+v", proxy.Load)
		case web.Succeeded == 0 || web.Failed > 0 || gone.Failed == 0 || gone.Succeeded > 0:
			return fmt.Errorf("web %+v, gone %+v", web.Rates, gone.Rates)
		case len(web.Localities) != 1 || len(web.Localities[0].Endpoints) != 1 || !strings.HasSuffix(web.Localities[0].Endpoints[0].Address, fmt.Sprint(":", back.Port())):
			return fmt.Errorf("web has localities %+v", web.Localities)
		case proxy.Load.Issued < web.Issued+gone.Issued:
			return fmt.Errorf("%f in all", proxy.Load.Issued)
		}
		return nil
	})
	report := load.Stop()
	if report.Answers["back"] == 0 || report.Failures == 0 {
		t.Fatalf("traffic was %+v", report)
	}
	for _, c := range []struct{ node, want string }{{"", "REQ/S"}, {node, "IN PROGRESS"}} {
		args := append([]string{"status", "--server", plane.API}, strings.Fields(c.node)...)
		output, err := exec.CommandContext(t.Context(), envoytest.Binary(t), args...).CombinedOutput()
		if err != nil || !strings.Contains(string(output), c.want) {
			t.Errorf("status %s: %v\n%s", c.node, err, output)
		}
	}
	countsEach(t, plane, probe)
	if err := e.Stop(); err != nil {
		t.Error(err)
	}
	envoytest.Eventually(t, "the node's load to be forgotten", func(ctx context.Context) error {
		proxy, err := plane.Status(ctx, node)
		if err == nil && proxy.Load != nil {
			err = fmt.Errorf("it is still %+v", proxy.Load)
		}
		return err
	})
}

// countsEach checks that from the first report on not one request is lost on
// its way to the metrics. What Envoy counts before that, it does not report.
func countsEach(t *testing.T, plane *envoytest.Plane, probe *traffic.Client) {
	t.Helper()
	const sample, requests = `deltaplane_upstream_requests_total{cluster="web",outcome="succeeded"}`, 100
	var before uint64
	envoytest.Eventually(t, "a report without requests", func(ctx context.Context) error {
		proxy, err := plane.Status(ctx, node)
		if err == nil && (proxy.Load == nil || proxy.Load.Issued > 0) {
			err = fmt.Errorf("load is %+v", proxy.Load)
		}
		if err == nil {
			before, err = metric(ctx, plane, sample)
		}
		return err
	})
	for range requests {
		if _, err := probe.Do(envoytest.Context(t), root); err != nil {
			t.Fatal(err)
		}
	}
	envoytest.Eventually(t, "all requests to be counted", func(ctx context.Context) error {
		after, err := metric(ctx, plane, sample)
		if err == nil && after != before+requests {
			err = fmt.Errorf("%d are, of %d", after-before, requests)
		}
		return err
	})
}

func loadOf(p api.Proxy, cluster string) *api.ClusterLoad {
	if p.Load == nil {
		return nil
	}
	for i := range p.Load.Clusters {
		if p.Load.Clusters[i].Cluster == cluster {
			return &p.Load.Clusters[i]
		}
	}
	return nil
}

// metric is one sample of /metrics, zero if it is not there.
func metric(ctx context.Context, plane *envoytest.Plane, sample string) (uint64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, plane.API+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		if value, ok := strings.CutPrefix(lines.Text(), sample+" "); ok {
			f, err := strconv.ParseFloat(value, 64)
			return uint64(f), err
		}
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return 0, err
}
