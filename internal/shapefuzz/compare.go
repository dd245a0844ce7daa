package shapefuzz

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/deltaplane/deltaplane/shape"
)

// senders is how many connections there are at a time.
const senders = 4

// Result is what a comparison came to.
type Result struct {
	Pairs       int // answers of a split listener that were compared with those of the plain one
	Requests    int // of which there are two answers, or three
	Routed      int // of the requests found a route
	Judged      int // of the plain answers were compared with the model, too
	Differences []error
}

func (r *Result) add(other Result) {
	r.Pairs, r.Requests, r.Routed, r.Judged = r.Pairs+other.Pairs, r.Requests+other.Requests, r.Routed+other.Routed, r.Judged+other.Judged
	r.Differences = append(r.Differences, other.Differences...)
}

// Compare sends n requests of each case to its listeners in a real Envoy, and
// compares what becomes of them: status, headers both ways, body, mirrors and
// access log. The plain listener is compared with the model, too.
func Compare(t testing.TB, cases []*Case, n int) Result {
	t.Helper()
	s := serve(t, cases)
	requests := make([][]Request, len(cases))
	answers := make([]map[variant][]string, len(cases))
	type job struct {
		n       int
		v       variant
		address string
	}
	var jobs []job
	for i, c := range cases {
		a := c.requests()
		for range n {
			requests[i] = append(requests[i], a.request())
		}
		answers[i] = map[variant][]string{}
		for _, v := range c.variants() {
			answers[i][v] = make([]string, n)
			address := s.envoy.WaitListener(listenerName(i, v))
			_, s.ports[listenerName(i, v)], _ = strings.Cut(address, ":")
			jobs = append(jobs, job{i, v, address})
		}
	}
	queue := make(chan job)
	var running sync.WaitGroup
	for range senders {
		running.Go(func() {
			for j := range queue {
				c, c2 := &client{address: j.address}, &client2{address: j.address}
				for k, q := range requests[j.n] {
					if j.v == plain {
						q = q.without(shape.Header) // a client's is removed
					}
					send := c.send
					if q.Version == "2" {
						send = c2.send
					}
					answers[j.n][j.v][k] = send(q, id(j.n, j.v, k))
				}
				c.close()
				c2.close()
			}
		})
	}
	for _, j := range jobs {
		queue <- j
	}
	close(queue)
	running.Wait()
	s.envoy.WaitStat("cluster."+mirrorName+".upstream_rq_active", func(active uint64) bool { return active == 0 })
	if err := s.envoy.Stop(); err != nil { // which writes the access logs
		t.Fatal(err)
	}
	var sum Result
	for i := range cases {
		r, err := s.compare(i, requests[i], answers[i])
		if err != nil {
			t.Fatal(err)
		}
		sum.add(r)
	}
	return sum
}

// id is that of the k-th request of a case to a listener. All are equally long.
func id(n int, v variant, k int) string { return fmt.Sprintf("%s-%06d", listenerName(n, v), k) }

// compare judges all answers of a case.
func (s *served) compare(n int, requests []Request, answers map[variant][]string) (r Result, err error) {
	c, logs := s.cases[n], map[variant]map[string]entry{}
	for _, v := range c.variants() {
		if logs[v], err = entries(filepath.Join(s.dir, listenerName(n, v)+".log"), s.ports[listenerName(n, v)]); err != nil {
			return r, err
		}
	}
	model := NewModel(c.Table)
	r.Requests = len(requests)
	for k, q := range requests {
		whole := logs[plain][id(n, plain, k)]
		if whole.text("route") != "" {
			r.Routed++
		}
		judged, err := c.judge(model, q, whole)
		if judged {
			r.Judged++
		}
		if err != nil {
			r.Differences = append(r.Differences, err)
		}
		for _, v := range c.variants()[1:] {
			r.Pairs++
			other := logs[v][id(n, v, k)]
			want := outcome{answers[plain][k], whole, s.mirrored(n, plain, k)}
			got := outcome{answers[v][k], other, s.mirrored(n, v, k)}
			if !reflect.DeepEqual(want, got) {
				r.Differences = append(r.Differences, c.difference(q, "a listener of leaves does something else than the one of the whole table\n%s", want.against(got)))
			}
		}
	}
	return r, nil
}

// judge compares the route that the plain listener took with that of the model,
// where both have an opinion.
func (c *Case) judge(model *Model, q Request, e entry) (judged bool, err error) {
	route := e.text("route")
	if e == nil || route == "" && e.text("details") != "route_not_found" {
		return false, nil
	}
	s, ok := c.Mode.See(q)
	if !ok {
		return false, nil
	}
	want := model.Route(s)
	if want.Tree != "" {
		return false, nil
	}
	if want.Route != route {
		return true, c.difference(q, "the model is wrong: it leads %q %q to %+v, Envoy to %q, as %v", s.Authority, s.Path, want, route, e)
	}
	return true, nil
}

// outcome is what became of a request.
type outcome struct {
	answer  string
	log     entry
	mirrors []string
}

// against shows two outcomes that differ.
func (o outcome) against(other outcome) string {
	return fmt.Sprintf("whole: %s\nleaf:  %s", o, other)
}

func (o outcome) String() string {
	return fmt.Sprintf("%q\n       log %v\n       mirrored %q", o.answer, o.log, o.mirrors)
}

// mirrored is what the mirrors' backend has seen of a request.
func (s *served) mirrored(n int, v variant, k int) []string {
	var heads []string
	for _, head := range s.mirror.seen(id(n, v, k)) {
		heads = append(heads, strings.ReplaceAll(head, id(n, v, k), "ID"))
	}
	slices.Sort(heads)
	return heads
}
