package xds

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/deltaplane/deltaplane/resource"
)

// target is a server on a real socket, with a well-behaved client.
type target struct {
	*plane
	address string
	good    client
	n       int
}

func newTarget(t testing.TB, cfg Config) *target {
	t.Helper()
	p := &plane{ctx: t.Context()}
	p.store.put(t, cluster("c", 0))
	p.store.commit()
	p.server = NewServer(&p.store, cfg)
	g := grpc.NewServer(p.server.GRPCOptions()...)
	p.server.Register(g)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- g.Serve(listener) }()
	x := &target{plane: p, address: listener.Addr().String()}
	t.Cleanup(func() {
		p.server.Close()
		g.Stop()
		<-served
	})
	p.conn = x.dial(t)
	return x
}

func (x *target) dial(t testing.TB) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient(x.address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// serves proves that a client that behaves gets its updates.
func (x *target) serves(t *testing.T) {
	t.Helper()
	if x.good.t == nil {
		x.good = x.client(t, "good")
		x.good.say("good", resource.Cluster, "*")
		x.good.hear()
	}
	for range 5 {
		x.n++
		x.store.put(t, cluster("c", x.n))
		x.store.commit()
		x.good.hear()
	}
}

// settles waits until the server has no stream but the good client's, and
// nothing is left of the others.
func (x *target) settles(t *testing.T) {
	t.Helper()
	alone := func() bool {
		x.server.mu.Lock()
		defer x.server.mu.Unlock()
		return len(x.server.streams) <= 1
	}
	for end := time.Now().Add(30 * time.Second); !alone() || x.server.room.taken() > 0; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatalf("still %d streams, %d bytes of requests", len(x.server.streams), x.server.room.taken())
		}
	}
	if n := x.server.common.interner.Names(); n > 0 {
		t.Errorf("%d subscribed names are left", n)
	}
	x.server.hub.mu.Lock()
	defer x.server.hub.mu.Unlock()
	if n := len(x.server.hub.shelves); n > 1 {
		t.Errorf("%d assignments are left", n)
	}
}

// raw opens a connection that speaks HTTP/2 as the test says.
func (x *target) raw(t testing.TB) (net.Conn, *http2.Framer) {
	t.Helper()
	conn, err := net.Dial("tcp", x.address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if _, err := io.WriteString(conn, http2.ClientPreface); err != nil {
		t.Fatal(err)
	}
	framer := http2.NewFramer(conn, conn)
	if err := framer.WriteSettings(); err != nil {
		t.Fatal(err)
	}
	return conn, framer
}

// open is the header block of a stream to the aggregated service.
func open(t testing.TB) []byte {
	t.Helper()
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	for _, f := range [][2]string{
		{":method", "POST"}, {":scheme", "http"}, {":authority", "x"}, {":path", discoveryv3.AggregatedDiscoveryService_DeltaAggregatedResources_FullMethodName},
		{"content-type", "application/grpc"}, {"te", "trailers"},
	} {
		if err := enc.WriteField(hpack.HeaderField{Name: f[0], Value: f[1]}); err != nil {
			t.Fatal(err)
		}
	}
	return block.Bytes()
}

func TestHostileRequestsEndTheirStreamWithTheRightStatus(t *testing.T) {
	deep := structpb.NewStringValue("bottom")
	for range 10_001 {
		deep = structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{deep}})
	}
	million := make([]string, 1_000_000)
	for i := range million {
		million[i] = "n" + fmt.Sprint(i)
	}
	cds := resource.Cluster.URL()
	for name, c := range map[string]struct {
		say     []*discoveryv3.DeltaDiscoveryRequest
		options []grpc.CallOption
		want    codes.Code
	}{
		"above the limit": {say: []*discoveryv3.DeltaDiscoveryRequest{{TypeUrl: cds, ResponseNonce: strings.Repeat("x", 33<<20)}}, want: codes.ResourceExhausted},
		"a gzip bomb": {say: []*discoveryv3.DeltaDiscoveryRequest{{TypeUrl: cds, ResponseNonce: strings.Repeat("x", 64<<20)}},
			options: []grpc.CallOption{grpc.UseCompressor(gzip.Name)}, want: codes.Unimplemented},
		"metadata nested 10,000 deep": {say: []*discoveryv3.DeltaDiscoveryRequest{{TypeUrl: cds, Node: &corev3.Node{Id: "n",
			Metadata: &structpb.Struct{Fields: map[string]*structpb.Value{"x": deep}}}}}, want: codes.Internal},
		"a million names":     {say: []*discoveryv3.DeltaDiscoveryRequest{{TypeUrl: cds, ResourceNamesSubscribe: million}}, want: codes.ResourceExhausted},
		"a node that changes": {say: []*discoveryv3.DeltaDiscoveryRequest{{TypeUrl: cds, Node: &corev3.Node{Id: "a"}}, {TypeUrl: cds, Node: &corev3.Node{Id: "b"}}}, want: codes.InvalidArgument},
		"no type":             {say: []*discoveryv3.DeltaDiscoveryRequest{{}}, want: codes.InvalidArgument},
	} {
		t.Run(name, func(t *testing.T) {
			x := newTarget(t, Config{})
			x.serves(t)
			s, err := discoveryv3.NewAggregatedDiscoveryServiceClient(x.dial(t)).DeltaAggregatedResources(t.Context(), append(c.options, grpc.MaxCallSendMsgSize(1<<30))...)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range c.say {
				_ = s.Send(m) // the server may have ended the stream by now
			}
			for err == nil {
				_, err = s.Recv()
			}
			if got := status.Code(err); got != c.want {
				t.Errorf("ended with %v, want %s", err, c.want)
			}
			x.serves(t)
			x.settles(t)
		})
	}
}

func TestWhatIsOddButAllowedDisturbsNobody(t *testing.T) {
	x := newTarget(t, Config{})
	x.serves(t)
	cds := resource.Cluster.URL()
	for name, m := range map[string]*discoveryv3.DeltaDiscoveryRequest{
		"no node":                   {TypeUrl: cds, ResourceNamesSubscribe: []string{"c"}},
		"another stream's nonce":    {TypeUrl: cds, ResponseNonce: noncePrefix(1) + "1-0000000000", ResourceNamesSubscribe: []string{"c"}},
		"an unknown type":           {TypeUrl: "type.googleapis.com/no.such.Type", ResourceNamesSubscribe: []string{"c"}},
		"one name 10,000 times":     {TypeUrl: cds, ResourceNamesSubscribe: slices.Repeat([]string{"c"}, 10_000)},
		"names that are not a name": {TypeUrl: cds, ResourceNamesSubscribe: []string{"\x00", "../..", "xdstp://"}},
	} {
		c := x.client(t, name)
		if err := c.Send(m); err != nil {
			t.Fatal(err)
		}
		if r := c.hear(); len(r.Resources) > 1 {
			t.Errorf("%s: %d resources", name, len(r.Resources))
		}
		if err := c.CloseSend(); err != nil {
			t.Fatal(err)
		}
		c.code()
	}
	x.serves(t)
	x.settles(t)
}

func TestTwentyThousandStreamResetsLeaveNothingBehind(t *testing.T) {
	x := newTarget(t, Config{})
	x.serves(t)
	heap, block := liveHeap(), open(t)
	conn, framer := x.raw(t)
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, conn) // until the server or the test closes
	}()
	for i := range resets {
		id := uint32(2*i + 1)
		if framer.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: block, EndHeaders: true}) != nil ||
			framer.WriteRSTStream(id, http2.ErrCodeCancel) != nil {
			break // the server has had enough
		}
		if i%4000 == 0 {
			x.serves(t)
		}
	}
	conn.Close()
	<-drained
	x.serves(t)
	x.settles(t)
	if grown := int64(liveHeap()) - int64(heap); grown > 16<<20 {
		t.Errorf("the heap grew by %d KiB, the budget is 16 MiB", grown>>10)
	}
}

func TestGarbageOnTheSocketDisturbsNobody(t *testing.T) {
	x := newTarget(t, Config{})
	x.serves(t)
	for i := range 50 {
		conn, framer := x.raw(t)
		junk := make([]byte, 4096)
		rand.Read(junk)
		if i%2 == 0 { // in a message, else in place of frames
			_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: open(t), EndHeaders: true})
			binary.BigEndian.PutUint32(junk[1:], uint32(len(junk)-5))
			junk[0] = 0
			_ = framer.WriteData(1, true, junk)
		} else {
			_, _ = conn.Write(junk)
		}
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
	}
	x.serves(t)
	x.settles(t)
}

func TestRequestsThatNeverEndTakeBoundedMemory(t *testing.T) {
	const budget = 40 << 20
	x := newTarget(t, Config{MaxRequestBytesInAll: budget})
	x.serves(t)
	heap := liveHeap()
	part := make([]byte, 16<<10)
	binary.BigEndian.PutUint32(part[1:], 30<<20)
	closed := make(chan struct{}, 8)
	var conns []net.Conn
	for range 8 { // each announces 30 MiB, and there is room for one
		conn, framer := x.raw(t)
		conns = append(conns, conn)
		_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: open(t), EndHeaders: true})
		_ = framer.WriteData(1, false, part)
		go func() {
			_, _ = io.Copy(io.Discard, conn)
			closed <- struct{}{}
		}()
	}
	<-closed // whoever holds the room has to go when nothing moves
	if taken := x.server.room.taken(); taken > budget {
		t.Errorf("%d bytes are taken of %d", taken, budget)
	}
	x.serves(t)
	if grown := int64(liveHeap()) - int64(heap); grown > budget+16<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	for _, conn := range conns {
		conn.Close()
	}
	for range len(conns) - 1 {
		<-closed
	}
	x.settles(t)
}

func TestWhoOpensAStreamAndNeverSpeaksIsTurnedAway(t *testing.T) {
	x := newTarget(t, Config{HelloTimeout: 200 * time.Millisecond})
	x.serves(t)
	silent := make([]client, 1000)
	for i := range silent {
		silent[i] = x.client(t, "silent")
	}
	for _, c := range silent {
		if got := c.code(); got != codes.DeadlineExceeded {
			t.Fatalf("ended with %s, want DeadlineExceeded", got)
		}
	}
	x.serves(t)
	x.settles(t)
}

func TestLargeNodesAreNotKept(t *testing.T) {
	x := newTarget(t, Config{})
	x.serves(t)
	heap := liveHeap()
	metadata, err := structpb.NewStruct(map[string]any{"x": strings.Repeat("x", 3<<20)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		c := x.client(t, "large")
		_ = c.Send(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.Cluster.URL(), Node: &corev3.Node{Id: fmt.Sprint(i), Metadata: metadata}})
		if got := c.code(); got != codes.InvalidArgument {
			t.Errorf("ended with %s, want InvalidArgument", got)
		}
	}
	if grown := int64(liveHeap()) - int64(heap); grown > 16<<20 {
		t.Errorf("the heap grew by %d KiB for 60 MiB of nodes", grown>>10)
	}
	x.serves(t)
	x.settles(t)
}

func TestACancelledStreamLeavesNothingBehind(t *testing.T) {
	x := newTarget(t, Config{})
	x.serves(t)
	before := runtime.NumGoroutine()
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		s, err := discoveryv3.NewAggregatedDiscoveryServiceClient(x.conn).DeltaAggregatedResources(ctx)
		if err != nil {
			t.Fatal(err)
		}
		c := client{t, s}
		c.say(fmt.Sprint(i), resource.Cluster, "c", fmt.Sprint("none-", i))
		if i%2 == 0 {
			c.hear()
		}
		cancel()
		c.code()
	}
	x.settles(t)
	if after := runtime.NumGoroutine(); after > before+20 {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}

func TestAConnectionThatUsedUpItsShareIsReadSlowlyAndOthersAreNot(t *testing.T) {
	x := newTarget(t, Config{})
	flood := x.client(t, "flood")
	flood.say("flood", resource.Cluster, "c")
	flood.hear()
	x.server.mu.Lock()
	for st := range x.server.streams {
		st.pace.own.draw(time.Hour, time.Now(), true)
		st.pace.common.draw(time.Hour, time.Now(), true)
	}
	x.server.mu.Unlock()
	x.conn = x.dial(t)
	for _, typ := range []resource.Type{resource.Endpoint, resource.Listener, resource.Secret} {
		flood.say("", typ, "name")
	}
	answers := make(chan error, 10)
	go func() {
		defer close(answers)
		for {
			_, err := flood.Recv() // until the server closes
			answers <- err
			if err != nil {
				return
			}
		}
	}()
	x.serves(t)
	if n := len(answers); n > 1 { // one request may have been waited for already
		t.Errorf("%d requests were read although its share is used up", n)
	}
	x.server.Close()
	for range answers {
	}
}

// FuzzRawConnection has bytes follow the preface of HTTP/2; the server must
// live on, and hold nothing for them.
func FuzzRawConnection(f *testing.F) {
	block := open(f)
	var message bytes.Buffer
	framer := http2.NewFramer(&message, nil)
	_ = framer.WriteSettings()
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block, EndHeaders: true})
	_ = framer.WriteDataPadded(1, true, []byte{0, 0, 0, 0, 2, 0x2a, 0}, []byte{0, 0})
	f.Add(message.Bytes())
	f.Add([]byte("\x00\x40\x00\x00\x00\x00\x00\x00\x01\x00\xff\xff\xff\xff"))
	x := newTarget(f, Config{HelloTimeout: time.Second, MaxRequestBytesInAll: 1 << 20, MaxRequestBytes: 1 << 20})
	f.Fuzz(func(t *testing.T, data []byte) {
		conn, err := net.Dial("tcp", x.address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(append([]byte(http2.ClientPreface), data...))
		_ = conn.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, conn)
		conn.Close()
		x.server.room.mu.Lock()
		defer x.server.room.mu.Unlock()
		if x.server.room.used < 0 || x.server.room.used > 1<<20 {
			t.Fatalf("%d bytes of requests", x.server.room.used)
		}
	})
}
