package clientstatus

import (
	"fmt"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	statusv3 "github.com/envoyproxy/go-control-plane/envoy/service/status/v3"
	matcherv3 "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

func TestEachResourceStandsAsTheClientSaid(t *testing.T) {
	s := newScene(t, Config{})
	s.commit(cluster("a", 1))
	p := s.connect("edge", resource.Cluster)
	first := p.receive()
	s.expect("edge Cluster a STALE")
	s.commit(cluster("b", 1)) // one response at a time
	s.expect("edge Cluster a STALE", "edge Cluster b NOT_SENT")
	p.answer(first, "")
	second := p.receive()
	s.expect("edge Cluster a SYNCED", "edge Cluster b STALE")
	p.answer(second, "no such filter")
	response := s.expect("edge Cluster a SYNCED", "edge Cluster b ERROR")

	a, b := response.Config[0].GenericXdsConfigs[0], response.Config[0].GenericXdsConfigs[1]
	if b.ErrorState.GetDetails() != "no such filter" || b.ErrorState.GetVersionInfo() != b.VersionInfo || !b.ErrorState.GetLastUpdateAttempt().IsValid() {
		t.Errorf("error state is %v", b.ErrorState)
	}
	if a.ErrorState != nil || a.VersionInfo != first.Resources[0].Version {
		t.Errorf("a is %v, sent as version %s", a, first.Resources[0].Version)
	}
	var content clusterv3.Cluster
	if err := a.XdsConfig.UnmarshalTo(&content); err != nil || !proto.Equal(&content, cluster("a", 1)) {
		t.Errorf("content is %v, error %v", &content, err)
	}
	s.commit(cluster("b", 2)) // the fix
	p.answer(p.receive(), "")
	s.expect("edge Cluster a SYNCED", "edge Cluster b SYNCED")
}

func TestOnlyWhatIsSubscribedToIsListed(t *testing.T) {
	s := newScene(t, Config{})
	s.commit(cluster("a", 1), cluster("b", 1), cluster("c", 1))
	one, two := s.connect("one", resource.Cluster, "b", "absent"), s.connect("two", resource.Cluster, "c")
	one.answer(one.receive(), "")
	two.answer(two.receive(), "")
	s.expect("one Cluster b SYNCED", "two Cluster c SYNCED")
	if err := one.stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	s.expect("two Cluster c SYNCED")
}

func TestANodeWithSeveralStreamsIsListedOnceAtItsWorst(t *testing.T) {
	s := newScene(t, Config{})
	s.commit(cluster("a", 1))
	old, fresh := s.connect("edge", resource.Cluster), s.connect("edge", resource.Cluster)
	old.answer(old.receive(), "")
	fresh.receive()
	s.expect("edge Cluster a STALE")
}

func TestSecretsAreNotToldToAnybody(t *testing.T) {
	const key = "-----BEGIN PRIVATE KEY----- moonlight"
	s := newScene(t, Config{})
	s.commit(&tlsv3.Secret{Name: "tls", Type: &tlsv3.Secret_TlsCertificate{TlsCertificate: &tlsv3.TlsCertificate{
		PrivateKey: &corev3.DataSource{Specifier: &corev3.DataSource_InlineString{InlineString: key}},
	}}})
	p := s.connect("edge", resource.Secret, "tls")
	if !strings.Contains(p.receive().String(), "moonlight") {
		t.Fatal("the proxy itself does not get the key")
	}
	response := s.expect("edge Secret tls STALE")
	if text := fmt.Sprint(response); strings.Contains(text, "moonlight") || !strings.Contains(text, resource.Redacted) {
		t.Errorf("status is %s", text)
	}
}

func TestNodesAreChosenByMatchers(t *testing.T) {
	s := newScene(t, Config{})
	s.commit(cluster("a", 1))
	for _, node := range []string{"edge-1", "edge-2", "sidecar-1"} {
		p := s.connect(node, resource.Cluster)
		p.answer(p.receive(), "")
	}
	s.expect("edge-1 Cluster a SYNCED", "edge-2 Cluster a SYNCED", "sidecar-1 Cluster a SYNCED")
	for prefix, want := range map[string]int{"edge-": 2, "s": 1, "absent": 0} {
		got := s.fetch(&statusv3.ClientStatusRequest{NodeMatchers: []*matcherv3.NodeMatcher{{
			NodeId: &matcherv3.StringMatcher{MatchPattern: &matcherv3.StringMatcher_Prefix{Prefix: prefix}},
		}}})
		if len(got.Config) != want {
			t.Errorf("%q: %d nodes, want %d", prefix, len(got.Config), want)
		}
	}
}

func TestAnAnswerThatIsTooLargeSaysWhatToAskInstead(t *testing.T) {
	s := newScene(t, Config{MaxResponseBytes: 30_000})
	long := strings.Repeat("x", 200)
	for i := range 100 {
		s.commit(&clusterv3.Cluster{Name: fmt.Sprint("c", i), AltStatName: long})
	}
	p := s.connect("edge", resource.Cluster)
	p.answer(p.receive(), "")
	if n := len(s.fetch(&statusv3.ClientStatusRequest{ExcludeResourceContents: true}).Config[0].GenericXdsConfigs); n != 100 {
		t.Errorf("%d resources without contents", n)
	}
	_, err := statusv3.NewClientStatusDiscoveryServiceClient(s.conn).FetchClientStatus(s.ctx, &statusv3.ClientStatusRequest{})
	if status.Code(err) != codes.ResourceExhausted || !strings.Contains(err.Error(), "exclude_resource_contents") {
		t.Errorf("error is %v", err)
	}
}

func TestAStreamAnswersEachRequestAndEndsWithTheServer(t *testing.T) {
	s := newScene(t, Config{})
	s.commit(cluster("a", 1))
	p := s.connect("edge", resource.Cluster)
	p.answer(p.receive(), "")
	s.expect("edge Cluster a SYNCED")
	stream, err := statusv3.NewClientStatusDiscoveryServiceClient(s.conn).StreamClientStatus(s.ctx)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := stream.Send(&statusv3.ClientStatusRequest{}); err != nil {
			t.Fatal(err)
		}
		response, err := stream.Recv()
		if err != nil || len(lines(response)) != 1 {
			t.Fatalf("response is %v, error %v", response, err)
		}
	}
	s.status.Close()
	if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
		t.Errorf("the stream ended with %v", err)
	}
}
