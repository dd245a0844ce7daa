package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	endpointv3 "github.com/envoyproxy/go-control-plane/envoy/config/endpoint/v3"
	listenerv3 "github.com/envoyproxy/go-control-plane/envoy/config/listener/v3"
	routev3 "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// process is a side under its own run, in this process.
type process struct {
	t    *testing.T
	kind string
	at   addresses
	http *http.Client
}

func startProcess(t *testing.T, kind string) *process {
	t.Helper()
	in, stdin := io.Pipe()
	stdout, out := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run([]string{"--kind", kind}, in, out)
		out.CloseWithError(io.ErrUnexpectedEOF)
		ended <- err
	}()
	p := &process{t: t, kind: kind, http: &http.Client{Transport: &http.Transport{}, Timeout: patience}}
	t.Cleanup(func() {
		p.http.CloseIdleConnections()
		stdin.Close()
		if err := <-ended; err != nil {
			t.Errorf("run ended with %v", err)
		}
	})
	if err := json.NewDecoder(stdout).Decode(&p.at); err != nil {
		t.Fatal(err)
	}
	return p
}

// ask makes a request to the side's control, and returns the answer's body.
func (p *process) ask(want int, method, path string, messages ...proto.Message) []byte {
	p.t.Helper()
	var body bytes.Buffer
	for _, m := range messages {
		packed, err := anypb.New(m)
		if err != nil {
			p.t.Fatal(err)
		}
		if _, err := protodelim.MarshalTo(&body, packed); err != nil {
			p.t.Fatal(err)
		}
	}
	r, err := http.NewRequestWithContext(p.t.Context(), method, p.at.Control+path, &body)
	if err != nil {
		p.t.Fatal(err)
	}
	answer, err := p.http.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != want {
		p.t.Fatalf("%s %s: %s %q (%v), want status %d", method, path, answer.Status, text, err, want)
	}
	return text
}

func (p *process) usage() usage {
	p.t.Helper()
	var u usage
	if err := json.Unmarshal(p.ask(http.StatusOK, "GET", "/usage?gc=1"), &u); err != nil {
		p.t.Fatal(err)
	}
	return u
}

func cluster(name string, n int64) *clusterv3.Cluster {
	return &clusterv3.Cluster{Name: name, ConnectTimeout: &durationpb.Duration{Seconds: n}}
}

// world is the resources of the tests, some of every type.
func world() []proto.Message {
	return []proto.Message{
		cluster("a", 1), cluster("b", 1),
		&endpointv3.ClusterLoadAssignment{ClusterName: "a"}, &endpointv3.ClusterLoadAssignment{ClusterName: "b"},
		&listenerv3.Listener{Name: "edge"},
		&routev3.RouteConfiguration{Name: "x/1"}, &routev3.RouteConfiguration{Name: "x/2"},
	}
}

// settle reads until the proxy holds as many resources as there are.
func settle(t *testing.T, p proxy, want int) {
	t.Helper()
	held := map[key]bool{}
	for len(held) < want {
		a, err := p.next()
		if err != nil {
			t.Fatalf("with %d of %d resources: %v", len(held), want, err)
		}
		for _, name := range a.names {
			held[key{a.typeURL, name}] = true
		}
	}
}

// expect reads one response, which must bring the clusters changed, each with
// the timeout n, and remove others. held are all the clusters there are then.
func expect(t *testing.T, p proxy, n int64, changed, removed, held []string) {
	t.Helper()
	a, err := p.next()
	if err != nil {
		t.Fatal(err)
	}
	want := changed
	if a.state {
		want, removed = held, nil
	}
	if a.typeURL != servedTypes[0] || !slices.Equal(a.names, want) || !slices.Equal(a.removed, removed) {
		t.Fatalf("%s arrived: %q, removed %q; want clusters %q, removed %q", a.typeURL, a.names, a.removed, want, removed)
	}
	for _, name := range changed {
		got := &clusterv3.Cluster{}
		if err := a.values[name].UnmarshalTo(got); err != nil || got.ConnectTimeout.GetSeconds() != n {
			t.Fatalf("cluster %s arrived as %v (%v), want timeout %d s", name, got, err, n)
		}
	}
}

func TestEverySideBringsEachChangeToEachNodeOnce(t *testing.T) {
	const nodes = 3
	for _, kind := range kindNames() {
		t.Run(kind, func(t *testing.T) {
			s := startProcess(t, kind)
			s.ask(http.StatusNoContent, "PUT", "/resources", world()...)
			var proxies []proxy
			for i := range nodes {
				p := dial(t, kind, s.at.XDS, fmt.Sprintf("node-%05d", i))
				settle(t, p, len(world()))
				proxies = append(proxies, p)
			}
			before := s.usage()
			// What came twice would stand in the way of the change after it.
			s.change(proxies, 2, []string{"b"}, nil, []string{"a", "b"})
			s.change(proxies, 3, []string{"a", "c"}, nil, []string{"a", "b", "c"})
			s.change(proxies, 0, nil, []string{"a"}, []string{"b", "c"})
			s.change(proxies, 4, []string{"a"}, []string{"b", "none"}, []string{"a", "c"})
			after := s.usage()
			if after.Streams != nodes || after.AllocBytes <= before.AllocBytes || after.Mallocs <= before.Mallocs ||
				after.HeapLiveBytes == 0 || after.Goroutines <= nodes || after.Requests <= before.Requests {
				t.Errorf("usage is %+v with %d nodes, before the changes it was %+v", after, nodes, before)
			}
		})
	}
}

// change makes one change of clusters, waits until it is with all proxies, and
// makes sure that each has acknowledged what came before it.
func (p *process) change(proxies []proxy, n int64, changed, removed, held []string) {
	p.t.Helper()
	var messages []proto.Message
	for _, name := range changed {
		messages = append(messages, cluster(name, n))
	}
	query := url.Values{}
	for _, name := range removed {
		query.Add("remove", servedTypes[0]+"/"+name)
	}
	p.ask(http.StatusOK, "POST", "/change?"+query.Encode(), messages...)
	if !strings.HasPrefix(p.kind, "floor") && p.kind != "tcp" { // they tell what they were told
		removed = slices.DeleteFunc(slices.Clone(removed), func(name string) bool { return name == "none" })
	}
	for _, proxy := range proxies {
		expect(p.t, proxy, n, changed, removed, held)
	}
}

func TestEverySideServesThoseWhoCameBeforeItsState(t *testing.T) {
	for _, kind := range kindNames() {
		t.Run(kind, func(t *testing.T) {
			s := startProcess(t, kind)
			p := dial(t, kind, s.at.XDS, "early")
			for s.usage().Streams == 0 {
				runtime.Gosched()
			}
			s.ask(http.StatusNoContent, "PUT", "/resources", world()...)
			settle(t, p, len(world()))
		})
	}
}
