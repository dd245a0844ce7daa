package deltaplane

import (
	"bytes"
	"flag"
	"fmt"
	"testing"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	tlsv3 "github.com/envoyproxy/go-control-plane/envoy/extensions/transport_sockets/tls/v3"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/deltaplane/deltaplane/resource"
)

// modelChecks is how many lives of a store TestAStoreDoesWhatPlainMapsDo makes
// up, unless -rapid.checks says so: each takes a tenth of a second and more.
const modelChecks = "25"

func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		if err := checks.Value.Set(modelChecks); err != nil {
			panic(err)
		}
	}
	goleak.VerifyTestMain(m)
}

// cluster is a resource whose content depends on n.
func cluster(t testing.TB, name string, n int) *resource.Resource {
	t.Helper()
	r, err := resource.New(&clusterv3.Cluster{Name: name, ConnectTimeout: durationpb.New(time.Duration(n+1) * time.Millisecond)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// largeSecret is a resource of one segment with n bytes.
func largeSecret(t testing.TB, n int) *resource.Resource {
	t.Helper()
	r, err := resource.New(&tlsv3.Secret{Name: "big", Type: &tlsv3.Secret_GenericSecret{GenericSecret: &tlsv3.GenericSecret{
		Secret: &corev3.DataSource{Specifier: &corev3.DataSource_InlineBytes{InlineBytes: bytes.Repeat([]byte("0123456789abcdef"), n/16)}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func clusterKey(name string) Key { return Key{DefaultNamespace, resource.Cluster, name} }

// put is a change that sets clusters, all to n.
func put(t testing.TB, n int, names ...string) func(*Batch) error {
	var rs []*resource.Resource
	for _, name := range names {
		rs = append(rs, cluster(t, name, n))
	}
	return func(b *Batch) error {
		b.Author, b.Message = "test", fmt.Sprintf("put %d", n)
		for _, r := range rs {
			b.Put(clusterKey(r.Name()), Entry{Resource: r, Owner: "test"})
		}
		return nil
	}
}

func open(t testing.TB, cfg Config) *Store {
	t.Helper()
	if cfg.DataDir == "" {
		cfg.DataDir = t.TempDir()
	}
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shut(t, s) })
	return s
}

// shut closes s.
func shut(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

func commit(t testing.TB, s *Store, change func(*Batch) error) Version {
	t.Helper()
	v, err := s.Commit(t.Context(), change)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestCommitsOutliveTheStore(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{DataDir: dir})
	for i := range 5 {
		if v := commit(t, s, put(t, i, "a", fmt.Sprint("c", i))); v != Version(i+1) {
			t.Fatalf("commit %d made version %d", i, v)
		}
	}
	was := s.Latest()
	shut(t, s)
	is := open(t, Config{DataDir: dir}).Latest()
	if is.Version() != was.Version() || is.Tree().Hash() != was.Tree().Hash() || !is.Time().Equal(was.Time()) {
		t.Fatalf("after a restart: version %d, tree %s; want %d, %s", is.Version(), is.Tree().Hash(), was.Version(), was.Tree().Hash())
	}
	for path, e := range was.Tree().All() {
		got, ok := is.Tree().Get(path)
		if !ok || string(got.Resource.Bytes()) != string(e.Resource.Bytes()) || got.Since != e.Since || got.Owner != e.Owner {
			t.Errorf("%s is %+v, want %+v", KeyOf(path), got, e)
		}
	}
}

func TestACommitOfTenThousandResourcesFitsAStockEtcd(t *testing.T) {
	dir := t.TempDir()
	s := open(t, Config{DataDir: dir})
	var names []string
	for i := range 10_000 {
		names = append(names, fmt.Sprint("cluster-", i))
	}
	if v := commit(t, s, put(t, 1, names...)); v != 1 {
		t.Fatal(v)
	}
	hash := s.Latest().Tree().Hash()
	shut(t, s)
	if s = open(t, Config{DataDir: dir}); s.Latest().Tree().Hash() != hash {
		t.Fatal("not the same after a restart")
	}
}
