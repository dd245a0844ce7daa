package load

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"
	"google.golang.org/protobuf/types/known/anypb"

	"github.com/deltaplane/deltaplane/bench/plane"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// asked is what a server was asked for.
type asked struct{ method, path, token, body string }

// record answers every request the same, and keeps them.
func record(t *testing.T, header http.Header, body string) (url string, all *[]asked) {
	t.Helper()
	all = &[]asked{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		*all = append(*all, asked{r.Method, r.URL.String(), r.Header.Get("Authorization"), string(text)})
		for name, values := range header {
			w.Header()[name] = values
		}
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	return server.URL, all
}

func TestAChangeIsStoredWhenTheTimeOfItsCommitHasPassed(t *testing.T) {
	url, all := record(t, http.Header{"Server-Timing": {"parse;dur=1, commit;dur=2.5"}}, "{}")
	d := &deltaplane{url: url, http: http.Client{Transport: plane.Transport("secret", nil)}}
	defer d.http.CloseIdleConnections()
	m, err := d.change(t.Context(), fixture.New(100), fixture.Endpoint, 3, 7)
	if err != nil || m.stored.Sub(m.sent) != 2500*time.Microsecond {
		t.Fatalf("stored after %v, error %v", m.stored.Sub(m.sent), err)
	}
	got := (*all)[0]
	if got.path != "/v1/apply?author=bench&namespace=deltaplane-bench" || got.token != "Bearer secret" ||
		!strings.Contains(got.body, "cluster-000003") || fixture.Newest([]byte(got.body)) != 7 {
		t.Errorf("asked for %+v", got)
	}
}

func TestARunningControlPlaneKeepsItsFleetsAndIsLeftAsItWas(t *testing.T) {
	url, all := record(t, http.Header{"Server-Timing": {"commit;dur=1"}}, `{"resources":[]}`)
	d := &deltaplane{url: url}
	defer d.http.CloseIdleConnections()
	set := fixture.New(perCommit + 100)
	if err := d.load(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	added := slices.Clone(*all)
	if n := len(added); n != 4 || !strings.Contains(added[n-1].body, "deltaplane-bench-rest") {
		t.Fatalf("%d requests, the last %.300v; want resources in two, and fleets with one for all others", n, added[n-1])
	}
	*all = nil
	if err := d.unload(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	removed := *all
	if len(removed) != 3 || removed[0].body != added[3].body || removed[1].body != added[0].body || removed[2].body != added[1].body {
		t.Errorf("removed otherwise than added")
	}
	for _, r := range removed {
		if !strings.HasPrefix(r.path, "/v1/delete?") || !strings.Contains(r.path, "namespace=deltaplane-bench") {
			t.Errorf("asked for %s", r.path)
		}
	}
}

func TestWhereThereAreFleetsNobodyElsesChange(t *testing.T) {
	url, all := record(t, http.Header{"Server-Timing": {"commit;dur=1"}}, `{"resources":[{"name":"edge"}]}`)
	d := &deltaplane{url: url}
	defer d.http.CloseIdleConnections()
	if err := d.addFleets(t.Context()); err != nil {
		t.Fatal(err)
	}
	if last := (*all)[len(*all)-1]; strings.Contains(last.body, "deltaplane-bench-rest") || !strings.Contains(last.body, "deltaplane-bench-concerned") {
		t.Errorf("applied %s", last.body)
	}
}

func TestARivalGetsEveryResourceInAnAny(t *testing.T) {
	url, all := record(t, nil, `{"alloc_bytes": 5, "heap_live_bytes": 6, "goroutines": 7}`)
	r := &rival{control: url}
	defer r.http.CloseIdleConnections()
	set := fixture.New(50)
	if err := r.load(t.Context(), set); err != nil {
		t.Fatal(err)
	}
	in, read := bufio.NewReader(strings.NewReader((*all)[0].body)), 0
	for {
		var m anypb.Any
		err := protodelim.UnmarshalFrom(in, &m)
		if errors.Is(err, io.EOF) {
			break
		}
		if _, ok := fixture.KindOf(m.TypeUrl); err != nil || !ok {
			t.Fatalf("resource %d is %v, error %v", read, &m, err)
		}
		read++
	}
	if read != set.Len() {
		t.Errorf("%d resources, want %d", read, set.Len())
	}
	if u, err := r.usage(t.Context(), true); err != nil || u.allocated != 5 || u.heap != 6 || u.goroutines != 7 || (*all)[1].path != "/usage?gc=1" {
		t.Errorf("usage %+v, error %v, of %+v", u, err, (*all)[1])
	}
}

func TestAProgramThatIsNoRivalIsAnError(t *testing.T) {
	for _, binary := range []string{"/no/such/binary", "true"} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		if r, err := startRival(ctx, binary, "floor"); err == nil || r != nil {
			t.Errorf("%s: error is %v", binary, err)
		}
		cancel()
	}
}

func TestTheMemoryOfAControlPlaneIsThatBeforeItsPageWasMade(t *testing.T) {
	url, all := record(t, nil, "go_goroutines 7\nheap profile: 1: 2 [3: 4]\n# Alloc = 9\n# HeapAlloc = 12345678\n# Stack = 4096 / 8192\n")
	d := &deltaplane{url: url}
	defer d.http.CloseIdleConnections()
	u, err := d.usage(t.Context(), true)
	if err != nil || u.heap != 12345678 || u.stacks != 4096 || u.goroutines != 7 || !strings.Contains((*all)[1].path, "gc=1&debug=1") {
		t.Errorf("usage %+v, error %v, of %+v", u, err, *all)
	}
}

func TestMetricsThatAreMissingAreAnError(t *testing.T) {
	const text = "# HELP a b\na 1.5\nb{x=\"y\"} 2\nc nothing\n"
	var a float64
	if err := readMetrics(text, map[string]*float64{"a": &a}); err != nil || a != 1.5 {
		t.Errorf("a is %v, error %v", a, err)
	}
	for _, name := range []string{"b", "c", "d"} {
		if err := readMetrics(text, map[string]*float64{name: &a}); err == nil {
			t.Errorf("%s is found", name)
		}
	}
}

func TestConfigsThatMeanNothingAreRefused(t *testing.T) {
	whole := Config{Command: "deltaplane", Proxies: 3}
	if _, err := whole.withDefaults(); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Config){
		"no command":                  func(c *Config) { c.Command = "" },
		"no proxies":                  func(c *Config) { c.Proxies = 0 },
		"a side without the rivals":   func(c *Config) { c.Sides = []Kind{Deltaplane, Floor} },
		"a side twice":                func(c *Config) { c.Sides = []Kind{Deltaplane, Deltaplane} },
		"an unknown side":             func(c *Config) { c.Sides = []Kind{"istio"} },
		"an unknown pattern":          func(c *Config) { c.Pattern = "weight" },
		"more concerned than proxies": func(c *Config) { c.Concerned = 4 },
		"too few resources":           func(c *Config) { c.Resources = []int{100, 1} },
		"an API without xDS":          func(c *Config) { c.Server = "http://localhost:1" },
	} {
		c := whole
		spoil(&c)
		if _, err := c.withDefaults(); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: error is %v", name, err)
		}
	}
}
