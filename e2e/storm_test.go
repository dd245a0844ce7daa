package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/storm"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

// tempestRate is the requests per second, over all listeners.
const tempestRate = 2000

// TestNoRequestFailsInAStorm makes commits at random, most of them faster than
// Envoy acknowledges, while traffic goes through all listeners. No request may
// fail, and in the end Envoy has exactly the last commit. It is for aggregated
// streams, which are those that promise an order between types.
func TestNoRequestFailsInAStorm(t *testing.T) {
	for _, mode := range []envoy.Mode{envoy.DeltaADS, envoy.SotwADS} {
		t.Run(mode.String(), func(t *testing.T) { newTempest(t, mode).rage(stormCommits) })
	}
}

// A tempest is a World on a control plane with an Envoy under traffic.
type tempest struct {
	t      *testing.T
	random *rand.Rand
	world  *storm.World
	plane  *envoytest.Plane
	envoy  *envoytest.Envoy
	trust  *tls.Config
	loads  []*traffic.Generator
	plan   *api.Plan // of the last commit
	past   []string  // what the commits were
}

func newTempest(t *testing.T, mode envoy.Mode) *tempest {
	t.Helper()
	s := &tempest{t: t, random: seeded(t), plane: envoytest.StartPlane(t)}
	var backends []storm.Backend
	for _, name := range []string{"blue", "green", "red", "white"} {
		backends = append(backends, storm.Backend{Name: name, Port: envoytest.Backend(t, name).Port()})
	}
	var certificates []storm.Certificate
	pool := x509.NewCertPool()
	for range 3 {
		chain, key := envoytest.Certificate(t, "example.test")
		pool.AppendCertsFromPEM([]byte(chain))
		certificates = append(certificates, storm.Certificate{Chain: chain, Key: key})
	}
	s.trust = &tls.Config{RootCAs: pool, ServerName: "example.test"}
	address, ports := places(t)
	s.world = storm.New(s.random, storm.Config{Source: mode.ConfigSource(), Address: address, Ports: ports, Backends: backends, Certificates: certificates})
	s.commit("the start")
	s.envoy = startEnvoy(t, s.plane, mode)
	s.envoy.WaitReady()
	return s
}

// places are an address of this process alone and a free port of it for each
// listener: one that is replaced must keep its port, and an Envoy that is told
// to take any port takes another one now and then.
func places(t *testing.T) (address string, ports map[string]int) {
	t.Helper()
	ports = map[string]int{}
	address = fmt.Sprintf("127.%d.%d.1", 64+os.Getpid()%128, os.Getpid()/128%256)
	for _, name := range storm.Listeners() {
		l, err := net.Listen("tcp", net.JoinHostPort(address, "0"))
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ports[name] = l.Addr().(*net.TCPAddr).Port
	}
	return address, ports
}

func (s *tempest) commit(what string) {
	s.t.Helper()
	s.plan = s.plane.Prune(s.world.Documents())
	s.past = append(s.past, fmt.Sprintf("version %d at %s: %s", s.plan.Version, time.Now().Format("15:04:05.000"), what))
}

// rage makes commits, and checks what they lead to.
func (s *tempest) rage(commits int) {
	s.t.Helper()
	s.answers()
	s.blow()
	began := time.Now()
	for range commits {
		what := s.world.Step()
		s.commit(what)
		s.pause()
		s.calm()
	}
	took := time.Since(began)
	s.plane.WaitInSync(node, s.plan.Version)
	s.answers()
	s.holds()
	total := uint64(0)
	for _, load := range s.loads {
		r := load.Stop()
		total += r.Requests - r.Failures
	}
	s.calm()
	nothingRefused(s.t, s.plane, s.envoy)
	s.t.Logf("%d commits in %v, %d requests answered", commits, took.Round(time.Second), total)
}

// blow starts the traffic.
func (s *tempest) blow() {
	for _, name := range storm.Listeners() {
		c := traffic.NewClient(s.envoy.WaitListener(name), 4, s.tls(name))
		g := traffic.Start(s.t.Context(), traffic.Config{
			Client: c, Rate: tempestRate / len(storm.Listeners()), Workers: 4,
			Next: func(n uint64) traffic.Request { return storm.Request(name, n) },
		})
		s.t.Cleanup(func() { g.Stop(); c.Close() })
		s.loads = append(s.loads, g)
	}
}

func (s *tempest) tls(listener string) *tls.Config {
	if listener == storm.Secure {
		return s.trust
	}
	return nil
}

// pause lets Envoy catch up now and then. Most commits come before it can.
func (s *tempest) pause() {
	switch s.random.IntN(10) {
	case 0:
		s.plane.WaitInSync(node, s.plan.Version)
	case 1, 2, 3:
		wait := time.NewTimer(time.Duration(s.random.IntN(20)) * time.Millisecond)
		defer wait.Stop()
		<-wait.C
	}
}

// calm fails the test if any request has failed.
func (s *tempest) calm() {
	s.t.Helper()
	for i, load := range s.loads {
		if r := load.Report(); r.Failures > 0 {
			last := s.past[max(0, len(s.past)-8):]
			s.t.Fatalf("%d of %d requests to %s failed: %v; the last commits were\n%s", r.Failures, r.Requests,
				storm.Listeners()[i], r.Reasons, fmt.Sprintf("%q", last))
		}
	}
}

// answers waits until each kind of request is answered by the backend that
// the newest commit says.
func (s *tempest) answers() {
	s.t.Helper()
	for _, name := range storm.Listeners() {
		c := envoytest.Client(s.t, s.envoy.WaitListener(name), s.tls(name))
		for n := range storm.Kinds(name) {
			want := s.world.Answer(name, n)
			if _, err := c.Until(envoytest.Context(s.t), storm.Request(name, n), want); err != nil {
				s.t.Fatal(name, ": ", err)
			}
		}
	}
	s.serves(s.world.Certificate())
}

// serves waits until the secure listener serves a certificate.
func (s *tempest) serves(want storm.Certificate) {
	s.t.Helper()
	address := s.envoy.WaitListener(storm.Secure)
	envoytest.Eventually(s.t, "the certificate", func(ctx context.Context) error {
		conn, err := (&tls.Dialer{Config: s.trust}).DialContext(ctx, "tcp", address)
		if err != nil {
			return err
		}
		defer conn.Close()
		got := conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
		if !slices.Equal(got.Raw, want.Raw()) {
			return fmt.Errorf("it serves the one with the serial number %v", got.SerialNumber)
		}
		return nil
	})
}
