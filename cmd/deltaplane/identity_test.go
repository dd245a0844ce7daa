package main

import (
	"crypto/tls"
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	clusterservicev3 "github.com/envoyproxy/go-control-plane/envoy/service/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

func TestAnIdentityRuleSaysWhichNodesANameMayBe(t *testing.T) {
	for _, c := range []struct {
		rule, san, node string
		want            bool
	}{
		{"*=*", "edge-1", "edge-1", true},
		{"*=*", "edge-1", "edge-2", false},
		{"spiffe://example.org/edge/*=edge-*", "spiffe://example.org/edge/7", "edge-7", true},
		{"spiffe://example.org/edge/*=edge-*", "spiffe://example.org/edge/7", "edge-8", false},
		{"spiffe://example.org/edge/*=edge-*", "spiffe://example.org/core/7", "edge-7", false},
		{"gateway.example=gw-*", "gateway.example", "gw-blue", true},
		{"gateway.example=gw-*", "gateway.example", "edge-1", false},
		{"gateway.example=gw", "gateway.example", "gw", true},
		{"a*a=*", "a", "", false},
	} {
		rule, err := parseIdentityRule(c.rule)
		if err != nil {
			t.Fatal(err)
		}
		if got := rule.allows(c.san, c.node); got != c.want {
			t.Errorf("%s: %s may be %s: %v, want %v", c.rule, c.san, c.node, got, c.want)
		}
	}
	for _, text := range []string{"", "a", "=a", "a=", "**=a", "a=**"} {
		if _, err := parseIdentityRule(text); err == nil {
			t.Errorf("%q is taken for a rule", text)
		}
	}
}

func TestANodeThatItsCertificateIsNotForIsRefused(t *testing.T) {
	cert, key := pair(t, t.TempDir(), "localhost")
	clientCert, clientKey := pair(t, t.TempDir(), "edge-1")
	srv := start(t, "--tls-cert="+cert, "--tls-key="+key, "--tls-client-ca="+clientCert, "--node-identity=*=*")
	own, err := tls.LoadX509KeyPair(clientCert, clientKey)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := grpc.NewClient(srv.xdsAddress, grpc.WithTransportCredentials(credentials.NewTLS(
		&tls.Config{RootCAs: pool(t, cert), ServerName: "localhost", Certificates: []tls.Certificate{own}})))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for node, want := range map[string]codes.Code{"edge-1": codes.OK, "edge-2": codes.PermissionDenied, "": codes.PermissionDenied} {
		stream, err := clusterservicev3.NewClusterDiscoveryServiceClient(conn).DeltaClusters(envoytest.Context(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := stream.Send(&discoveryv3.DeltaDiscoveryRequest{Node: &corev3.Node{Id: node}}); err != nil {
			t.Fatal(err)
		}
		if _, err := stream.Recv(); status.Code(err) != want {
			t.Errorf("node %q: %v, want %v", node, err, want)
		}
	}
}
