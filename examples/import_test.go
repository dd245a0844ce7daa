package examples

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// journeys are requests for each example that between them use what it shows.
var journeys = map[string][]journey{
	"edge": {
		{listener: "https", path: "/healthz", tls: true},
		{listener: "https", path: "/", tls: true},
		{listener: "https", path: "/api/orders", tls: true},
		{listener: "https", path: "/api/orders", tls: true, token: true},
		{listener: "https", path: "/api/payments/7", tls: true, token: true},
		{listener: "http", path: "/anything"},
	},
	"sidecar": {
		{listener: "outbound", host: "service-000", path: "/", times: 60},
		{listener: "outbound", host: "service-117.shop", path: "/", times: 60},
		{listener: "outbound", host: "service-199.shop.svc.cluster.local:80", path: "/", times: 60},
		{listener: "outbound", host: "absent", path: "/"},
		{listener: "inbound", host: "any", path: "/"},
	},
	"grpc": {
		{listener: "grpc", path: "/shop.v1.Orders/List", times: 40},
		{listener: "grpc", path: "/shop.v1.Catalog/List"},
		{listener: "grpc", path: "/shop.v1.Absent/List"},
	},
	"canary": {
		{listener: "canary", host: "checkout.example.test", path: "/", header: "always"},
		{listener: "canary", host: "checkout.example.test", path: "/", times: 500}, // 0.95^500 is 7e-12
		{listener: "canary", host: "search.example.test", path: "/", times: 250},
		{listener: "canary", host: "other.example.test", path: "/"},
	},
	"tcp": {
		{listener: "sni", host: "db.example.test", tcp: true},
		{listener: "sni", host: "a.mq.example.test", tcp: true, times: 250},
		{listener: "sni", host: "absent.example.test", tcp: true},
		{listener: "postgres", tcp: true},
	},
}

func TestAnImportedEnvoyServesTheSameTrafficAsBefore(t *testing.T) {
	binary := envoytest.Binary(t)
	for example, requests := range journeys {
		t.Run(example, func(t *testing.T) {
			documents, _ := read(t, example)
			upstreams := newUpstreams(t, example == "tcp")
			before := envoytest.StartYAML(t, static(t, documents, upstreams.port))
			before.WaitReady()
			dir := t.TempDir()
			old := filepath.Join(dir, "old.yaml")
			if err := os.WriteFile(old, []byte(static(t, documents, upstreams.port)), 0o600); err != nil {
				t.Fatal(err)
			}
			plane := envoytest.StartPlane(t)
			moved := filepath.Join(dir, "new.yaml")
			output, err := exec.CommandContext(t.Context(), binary, "import", old, "--apply", "--server", plane.API,
				"--xds", plane.XDS, "--bootstrap", moved).CombinedOutput()
			if err != nil {
				t.Fatalf("import: %v\n%s", err, output)
			}
			if strings.Contains(string(output), "stay") {
				t.Errorf("something was not moved:\n%s", output)
			}
			bootstrap, err := os.ReadFile(moved)
			if err != nil {
				t.Fatal(err)
			}
			after := envoytest.StartYAML(t, string(bootstrap))
			after.WaitReady()
			for _, j := range requests {
				want, got := j.record(t, before), j.record(t, after)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("%+v:\nbefore %q\nafter  %q", j, want, got)
				}
			}
			for name, n := range after.StatsMatching(`update_rejected$`) {
				if n != 0 {
					t.Errorf("%s is %d", name, n)
				}
			}
		})
	}
}

func TestEveryExampleHasJourneys(t *testing.T) {
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if entry.IsDir() && entry.Name() != "gateway10k" && journeys[entry.Name()] == nil {
			t.Errorf("%s has none", entry.Name())
		}
	}
}

// exampleTLS trusts the demonstration's certificate.
func exampleTLS(t *testing.T) *tls.Config {
	t.Helper()
	certificate, err := os.ReadFile("edge/certificate.pem")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	return &tls.Config{RootCAs: pool, ServerName: "example.test"}
}

func exampleToken(t *testing.T) http.Header {
	t.Helper()
	token, err := os.ReadFile("edge/token.txt")
	if err != nil {
		t.Fatal(err)
	}
	return http.Header{"Authorization": {fmt.Sprintf("Bearer %s", strings.TrimSpace(string(token)))}}
}
