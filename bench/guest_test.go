package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	controlapi "github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/bench/clock"
	"github.com/deltaplane/deltaplane/bench/hops"
)

// shelf is a control plane that holds resources by their name: those without a
// namespace are fleets. Its commits make what the body says, or remove it.
type shelf struct {
	t    *testing.T
	held []controlapi.Resource

	late     []controlapi.Resource // appear after the first removal
	statuses []int                 // of the next removals, if not 200
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		s.t.Error(err)
	}
	switch r.URL.Path {
	case "/v1/resources":
		s.list(w, query)
	case "/v1/apply":
		for name := range strings.SplitSeq(strings.TrimPrefix(string(body), "---\n"), "---\n") {
			s.held = append(s.held, controlapi.Resource{Type: "Fleet", Name: name, Owner: query.Get("owner"), Content: []byte(`{"namespaces":["n"]}`)})
		}
		w.Header().Set("Server-Timing", "ack;dur=0")
		fmt.Fprint(w, `{"version":1}`)
	case "/v1/delete":
		if len(s.statuses) > 0 {
			w.WriteHeader(s.statuses[0])
			s.statuses = s.statuses[1:]
			return
		}
		s.held = slices.DeleteFunc(s.held, func(r controlapi.Resource) bool { return strings.Contains(string(body), string(r.Content)) })
		s.held, s.late = append(s.held, s.late...), nil
		fmt.Fprint(w, "{}")
	}
}

// list answers with pages of two.
func (s *shelf) list(w http.ResponseWriter, query url.Values) {
	var page controlapi.Resources
	after := query.Get("after")
	for _, r := range s.held {
		switch {
		case query.Get("type") == "Fleet" && r.Namespace != "", query.Get("type") == "" && r.Namespace != query.Get("namespace"):
		case after != "":
			if r.Name == after {
				after = ""
			}
		case len(page.Resources) == 2:
			page.Next = page.Resources[1].Name
		default:
			page.Resources = append(page.Resources, r)
		}
	}
	_ = json.NewEncoder(w).Encode(page)
}

// in makes a resource; a fleet without a namespace.
func in(namespace, name, owner string) controlapi.Resource {
	return controlapi.Resource{Namespace: namespace, Name: name, Owner: owner, Content: fmt.Appendf(nil, `{"name":%q,"namespaces":["edge"]}`, namespace+"/"+name)}
}

func TestABenchIsNoGuestWhereSomebodyElseIs(t *testing.T) {
	for name, test := range map[string]struct {
		held []controlapi.Resource
		want string // "" if it may enter
	}{
		"empty":               {nil, ""},
		"others elsewhere":    {[]controlapi.Resource{in("default", "web", "cli"), in("", "edge", "cli")}, ""},
		"a resource":          {[]controlapi.Resource{in("n", "web", "cli")}, `"web" of owner "cli"`},
		"another bench":       {[]controlapi.Resource{in("", "deltaplane-bench-n", "other")}, "another bench"},
		"a fleet that has it": {[]controlapi.Resource{in("", "a", ""), in("", "b", ""), {Name: "c", Content: []byte(`{"namespaces":["x","n"]}`)}}, `fleet "c" gives`},
	} {
		g := newGuest(plainAPI(t, (&shelf{t: t, held: test.held}).ServeHTTP), "n")
		err := g.check(t.Context())
		if (err == nil) != (test.want == "") || err != nil && (!errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: error is %v, want one with %q", name, err, test.want)
		}
	}
}

func TestAGuestRemovesWhatIsItsOwnHoweverOftenThatTakes(t *testing.T) {
	others := []controlapi.Resource{in("default", "web", "cli"), in("n", "web", "cli"), in("", "edge", "cli")}
	s := &shelf{t: t, held: slices.Clone(others), statuses: []int{http.StatusServiceUnavailable}}
	g := newGuest(plainAPI(t, s.ServeHTTP), "n")
	g.api.namespace, g.api.owner = g.namespace, g.owner
	if err := g.enter(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		s.held = append(s.held, in("n", fmt.Sprint("own-", i), g.owner+"bench"))
	}
	s.late = []controlapi.Resource{in("n", "late", g.owner+"bench")}
	if len(s.held) < 9 || s.held[3].Owner != g.owner+"fleets" {
		t.Fatalf("entered with %v", s.held)
	}
	if err := g.leave(t.Context()); err != nil {
		t.Error(err)
	}
	if len(s.held) != len(others) {
		t.Errorf("left %v", s.held)
	}
	s.held, s.statuses = append(s.held, in("n", "own", g.owner)), []int{503, 503, 503}
	if err := g.leave(t.Context()); !errors.Is(err, ErrLeft) || !strings.Contains(err.Error(), "deltaplane delete -f - -n n") {
		t.Errorf("error is %v, want ErrLeft with what to do", err)
	}
}

func TestAChangeElsewhereIsTheBenchsOwnAndKeepsItsTimes(t *testing.T) {
	stored := time.Now().Truncate(time.Microsecond)
	status, body := http.StatusOK, `{"version":9}`
	a := plainAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); q.Get("namespace") != "n" || q.Get("owner") != "run/me" {
			t.Errorf("asked for %s", r.URL)
		}
		w.Header().Set("Server-Timing", "commit;dur=1, ack;dur=2")
		w.Header().Set(controlapi.CommittedAt, stored.Add(time.Hour).Format(time.RFC3339Nano))
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
	a.namespace, a.owner, a.clock = "n", "run/", &clock.Reading{Offset: time.Hour}
	commit := func() (done, error) {
		return a.commit(t.Context(), call{"/v1/apply", url.Values{"owner": {"me"}}, nil}, hops.Trace{})
	}
	d, err := commit()
	if err != nil || !d.committed.Equal(stored) || d.version != 9 || d.acked.IsZero() {
		t.Errorf("%+v, error %v; want it stored at %v", d, err, stored)
	}
	// Other proxies may refuse what they get: the change is made all the same.
	status, body = http.StatusGatewayTimeout, `{"error":"edge-7 refuses","code":"unacknowledged","plan":{"version":10}}`
	if d, err = commit(); err != nil || d.version != 10 || !d.acked.IsZero() || !d.committed.Equal(stored) {
		t.Errorf("not acknowledged: %+v, error %v", d, err)
	}
	body = `{"error":"too late"}`
	if _, err = commit(); err == nil || !strings.Contains(err.Error(), "504") {
		t.Errorf("without a plan: error %v", err)
	}
}

func TestWhatOthersDoMeanwhileIsNoPartOfAChange(t *testing.T) {
	before, after := cost{shared: true, sent: counters{commits: 3}}, cost{shared: true, sent: counters{commits: 4, etcd: 0.5}}
	if took, ok := after.etcdSince(before); !ok || took != 500*time.Millisecond {
		t.Errorf("one commit took %v, %v", took, ok)
	}
	after.sent.commits = 5
	if _, ok := after.etcdSince(before); ok {
		t.Error("etcd's part of two commits is that of one")
	}
	p := newPlan(table{labels: &labels{}, backends: backends(t), routes: 1, hosts: 1}, Route)
	if p.guest = true; p.committed(812) != nil || p.version != firstVersion+1 {
		t.Errorf("after another's commits the next version is %d", p.version)
	}
}

func TestTheReportSaysWhatAControlPlaneElsewhereDoesNotTell(t *testing.T) {
	s := &side{guest: &guest{namespace: "n", clock: &clock.Worst{}}, changes: effectsUnacknowledged(), files: newEffects()}
	r := run{cfg: Config{Server: &Server{URL: "http://cp:1"}, Load: &Load{}}, sides: []*side{s}}
	text := strings.Join(r.elsewhere().facts(), "\n")
	for _, want := range []string{"http://cp:1; the bench was in n", "corrected by", "cp_dispatch_us", "its CPU and memory, which", "etcd's part of 1 change", "when 1 change had been acknowledged"} {
		if !strings.Contains(text, want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	s.counters.rss, s.changes, r.cfg.Load = 1, effectsOf(time.Millisecond), nil
	if text = strings.Join(r.elsewhere().facts(), "\n"); strings.Contains(text, "left out") {
		t.Errorf("everything is known:\n%s", text)
	}
	if (&run{}).elsewhere() != nil {
		t.Error("a control plane of the bench's own is elsewhere")
	}
}

// effectsUnacknowledged are of one change during which others made some, and
// which not all proxies have acknowledged.
func effectsUnacknowledged() *effects {
	e := newEffects()
	now := time.Now()
	e.record(watched{sent: now, done: done{stored: now}}, cost{shared: true}, cost{shared: true, sent: counters{commits: 2}})
	return e
}

func TestARunningControlPlaneNeedsBothAddressesAndANamespaceOfItsOwn(t *testing.T) {
	for _, s := range []Server{
		{URL: "http://a:1"}, {XDS: "a:2"}, {URL: "a:1", XDS: "a:2"}, {URL: "ftp://a:1", XDS: "a:2"}, {URL: "http://a:1", XDS: "a:2", Namespace: "default"},
	} {
		if _, err := (Config{Server: &s}).withDefaults(); !errors.Is(err, ErrConfig) {
			t.Errorf("%+v: error is %v", s, err)
		}
	}
	given := Server{URL: "http://a:1/", XDS: "a:2"}
	c, err := Config{Server: &given, Shapes: []Shape{Plain, Split}}.withDefaults()
	if err != nil || c.Server.URL != "http://a:1" || c.namespaceOf(Plain) != "deltaplane-bench-envoys-plain" || given.Namespace != "" {
		t.Errorf("config %+v, error %v", c.Server, err)
	}
	if g := newGuest(&api{}, "edge"); g.cluster != "deltaplane-bench-edge" || g.owner == newGuest(&api{}, "edge").owner {
		t.Errorf("%+v: another run is the same", g)
	}
}
