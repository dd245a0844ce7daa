package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

func TestEnvoyAcceptsEachBootstrap(t *testing.T) {
	binary, err := envoy.Find()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certificate, key := envoytest.Certificate(t, "cp.example")
	for name, text := range map[string]string{"cert.pem": certificate, "key.pem": key} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	usual := bootstrapOptions{node: "edge-1", cluster: "edge", xds: "127.0.0.1:18000", backoff: 100 * time.Millisecond, backoffMax: 5 * time.Second}
	for name, change := range map[string]func(*bootstrapOptions){
		"delta":    func(*bootstrapOptions) {},
		"sotw":     func(o *bootstrapOptions) { o.sotw = true },
		"IPv6":     func(o *bootstrapOptions) { o.xds = "[::1]:18000" },
		"DNS":      func(o *bootstrapOptions) { o.xds = "cp.example:18000" },
		"locality": func(o *bootstrapOptions) { o.region, o.zone, o.subZone = "eu", "eu-1", "a" },
		"metadata": func(o *bootstrapOptions) {
			o.metadata = []string{"tier=1", "on=true", `labels={"app": "x"}`, "text=a: b"}
		},
		"words of YAML 1.1": func(o *bootstrapOptions) { o.node, o.cluster, o.region, o.zone = "n", "off", "No", "12:30" },
		"TLS": func(o *bootstrapOptions) {
			o.xds, o.tlsCA = "cp.example:18000", filepath.Join(dir, "cert.pem")
			o.tlsCert, o.tlsKey = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
		},
		"collections": func(o *bootstrapOptions) {
			o.clusters, o.listeners = "xdstp://a/envoy.config.cluster.v3.Cluster/x/*?b=1&a=2", "xdstp://a/envoy.config.listener.v3.Listener/x/*"
		},
		"load reports":   func(o *bootstrapOptions) { o.loadReports = true },
		"TLS by address": func(o *bootstrapOptions) { o.tlsCA = filepath.Join(dir, "cert.pem") },
	} {
		o := usual
		change(&o)
		if err := o.check(); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text, err := o.yaml()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		path := filepath.Join(dir, "bootstrap.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if output, err := exec.CommandContext(t.Context(), binary, "--mode", "validate", "-c", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v: %s\n%s", name, err, output, text)
		}
	}
}
