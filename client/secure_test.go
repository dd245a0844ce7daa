package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/client"
)

// impostor is a gRPC server that does whatever the test wants with a stream.
func impostor(t *testing.T, serve func(grpc.ServerStream) error, options ...grpc.ServerOption) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(append(options, grpc.UnknownServiceHandler(func(_ any, g grpc.ServerStream) error { return serve(g) }))...)
	served := make(chan error, 1)
	go func() { served <- s.Serve(l) }()
	t.Cleanup(func() {
		s.Stop()
		<-served
	})
	return l.Addr().String()
}

// raw is a codec that sends bytes as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	return encoding.GetCodecV2("proto").Unmarshal(data, v)
}

func TestAClientOutlivesServersThatTalkNonsense(t *testing.T) {
	for name, serve := range map[string]func(grpc.ServerStream) error{
		"bytes that are no message":  func(g grpc.ServerStream) error { return g.SendMsg([]byte{0xff, 0xff, 0xff}) },
		"a message that is too long": func(g grpc.ServerStream) error { return g.SendMsg(make([]byte, 2<<20)) },
		"no such service":            func(grpc.ServerStream) error { return status.Error(codes.Unimplemented, "no") },
		"an end at once":             func(grpc.ServerStream) error { return nil },
		"a refusal of the client":    func(grpc.ServerStream) error { return status.Error(codes.PermissionDenied, "no") },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, attempts := patience(t), make(chan struct{}, 1)
			address := impostor(t, func(g grpc.ServerStream) error {
				select {
				case attempts <- struct{}{}:
				case <-g.Context().Done():
				}
				return serve(g)
			}, grpc.ForceServerCodecV2(raw{}))
			c := newClient(t, client.Config{Targets: []string{address}, BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond, MaxMessageBytes: 1 << 20})
			w := watcher[*clusterv3.Cluster](ctx, t, c)
			for range 10 {
				select {
				case <-attempts:
				case <-ctx.Done():
					t.Fatal("the client has given up")
				}
			}
			if got := w.Status(); got.Failures == 0 || got.Failure == nil || got.Responses != 0 {
				t.Errorf("the status is %+v", got)
			}
		})
	}
}

// A server that hears the deadline can end its work with it.
func TestTheDeadlineOfAWatchReachesTheServer(t *testing.T) {
	ctx, cancel := context.WithTimeout(patience(t), 20*time.Minute)
	defer cancel()
	until, ended := make(chan time.Duration, 1), make(chan error, 1)
	address := impostor(t, func(g grpc.ServerStream) error {
		deadline, _ := g.Context().Deadline()
		until <- time.Until(deadline)
		<-g.Context().Done()
		ended <- g.Context().Err()
		return nil
	})
	w := watcher[*clusterv3.Cluster](ctx, t, newClient(t, client.Config{Targets: []string{address}}))
	if left := <-until; left <= 0 || left > 20*time.Minute {
		t.Errorf("the server has %s left", left)
	}
	w.Close()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("for the server the stream ends with %v", err)
	}
}

// identity is a certificate for 127.0.0.1 and the pool that trusts it.
func identity(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLSAndATokenProtectAStream(t *testing.T) {
	certificate, pool := identity(t)
	tokens := make(chan []string, 10)
	address := impostor(t, func(g grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(g.Context())
		tokens <- md.Get("authorization")
		if err := g.SendMsg(&discoveryv3.DeltaDiscoveryResponse{TypeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster", Nonce: "1"}); err != nil {
			return err
		}
		<-g.Context().Done()
		return nil
	}, grpc.Creds(credentials.NewServerTLSFromCert(&certificate)))
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, targets := range map[string][]string{"one target": {address}, "a list of targets": {address, address}} {
		t.Run(name, func(t *testing.T) {
			ctx := patience(t)
			w := watcher[*clusterv3.Cluster](ctx, t, newClient(t, client.Config{Targets: targets, TLS: &tls.Config{RootCAs: pool}, Token: client.TokenFile(file)}))
			want(t, next(ctx, t, w), nil, nil) // the server has nothing
			if got := <-tokens; len(got) != 1 || got[0] != "Bearer 0123456789abcdef" {
				t.Errorf("the server sees %q", got)
			}
		})
	}
	stranger := newClient(t, client.Config{Targets: []string{address}, TLS: &tls.Config{}}) // for whom nobody vouches
	expiresWith(t, "certificate", func(ctx context.Context) error {
		_, err := client.Get[*clusterv3.Cluster](ctx, stranger, "a")
		return err
	})
}

func TestATokenThatCannotBeReadIsToldAndTriedAgain(t *testing.T) {
	p, ctx := newPlane(t, cluster("a", 0)), patience(t)
	file := filepath.Join(t.TempDir(), "token")
	w := watcher[*clusterv3.Cluster](ctx, t, p.client(func(c *client.Config) { c.Token = client.TokenFile(file) }))
	expiresWith(t, "no such file", func(ctx context.Context) error {
		_, err := w.Next(ctx)
		return err
	})
	if err := os.WriteFile(file, []byte("late"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, next(ctx, t, w), list{"a"}, nil)
}

func TestPlainTextStaysOnThisMachine(t *testing.T) {
	for target, allowed := range map[string]bool{
		"127.0.0.1:18000": true, "localhost:1": true, "[::1]:18000": true, "dns:///localhost:18000": true, "unix:/run/x": true, "127.8.8.8:1": true,
		"cp.example:18000": false, "192.0.2.1:18000": false, "dns:///cp.example:443": false, "localhost.example:1": false, "xds:///cp": false, "": false,
	} {
		for _, insecure := range []bool{false, true} {
			c, err := client.New(client.Config{Targets: []string{target}, Insecure: insecure})
			if err == nil {
				c.Close()
			}
			if (err == nil) != (allowed || insecure) {
				t.Errorf("%q with Insecure %t: %v", target, insecure, err)
			}
		}
	}
}
