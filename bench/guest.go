package bench

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	controlapi "github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/bench/clock"
	"github.com/deltaplane/deltaplane/bench/hops"
	"github.com/deltaplane/deltaplane/bench/plane"
)

// ErrLeft is why a run has failed that could not remove what it had put into
// a control plane elsewhere; its text has what to do.
var ErrLeft = errors.New("the bench has left something behind")

// guest is a side's place in a control plane that others use, too.
type guest struct {
	api       *api
	namespace string
	cluster   string // of its Envoys; its fleet's name, too
	owner     string // begins those of all that it puts there; no other run has it

	clock *clock.Worst // nil: not read yet
}

func newGuest(a *api, namespace string) *guest {
	cluster := namespace
	if !strings.HasPrefix(cluster, plane.FleetPrefix) {
		cluster = plane.FleetPrefix + "-" + namespace
	}
	return &guest{api: a, namespace: namespace, cluster: cluster, owner: fmt.Sprintf("deltaplane-bench-%s/", rand.Text()[:8])}
}

// check is an error unless the namespace is empty, and no fleet's.
func (g *guest) check(ctx context.Context) error {
	held, err := g.list(ctx, url.Values{"namespace": {g.namespace}, "limit": {"1"}})
	if err != nil {
		return err
	}
	if len(held) > 0 {
		return fmt.Errorf("%w: namespace %q is not empty: %s %q of owner %q is there; name another one with --namespace. %s",
			ErrConfig, g.namespace, held[0].Type, held[0].Name, held[0].Owner, g.remedy())
	}
	fleets, err := g.list(ctx, url.Values{"type": {"Fleet"}, "content": {"true"}})
	if err != nil {
		return err
	}
	for _, f := range fleets {
		if f.Name == g.cluster {
			return fmt.Errorf("%w: fleet %q is there, of owner %q: another bench runs in namespace %q, or was killed. %s", ErrConfig, f.Name, f.Owner, g.namespace, g.remedy())
		}
		var content struct{ Namespaces []string }
		if err := json.Unmarshal(f.Content, &content); err != nil {
			return fmt.Errorf("fleet %q: %w", f.Name, err)
		}
		for _, namespace := range content.Namespaces {
			if namespace == g.namespace {
				return fmt.Errorf("%w: fleet %q gives namespace %q to its proxies: name another one with --namespace", ErrConfig, f.Name, namespace)
			}
		}
	}
	return nil
}

// enter has the bench's Envoys, and nobody else, get the namespace. Call leave
// after it, even if it fails.
func (g *guest) enter(ctx context.Context) error {
	listed, err := g.api.get(ctx, "/v1/resources?type=Fleet")
	if err != nil {
		return err
	}
	fleets, err := plane.Fleets(listed, plane.Fleet{Name: g.cluster, Namespaces: []string{g.namespace}})
	if err != nil {
		return err
	}
	_, err = g.api.commit(ctx, call{"/v1/apply", url.Values{"owner": {"fleets"}}, []byte(fleets)}, hops.Trace{})
	return err
}

// leaveTries is how often leave looks: an interrupted call may be carried out
// after its caller has gone.
const leaveTries = 3

// leave removes, as one commit, what this run has put there, whatever became
// of its calls.
func (g *guest) leave(ctx context.Context) (err error) {
	for range leaveTries {
		var documents []byte
		if documents, err = g.own(ctx); err == nil && len(documents) == 0 {
			return nil
		}
		if err == nil {
			err = g.remove(ctx, documents)
		}
	}
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w, in namespace %q of %s: %w. %s", ErrLeft, g.namespace, g.api.url, err, g.remedy())
}

// remedy is how people remove what a bench has left.
func (g *guest) remedy() string {
	return fmt.Sprintf(`This removes what a killed bench has left:
  deltaplane get -n %[1]s -o yaml | deltaplane delete -f - -n %[1]s --take-ownership --allow-shrink
  deltaplane delete fleet %[2]s --take-ownership
  deltaplane delete fleet %[2]s-rest --take-ownership`, g.namespace, g.cluster)
}

func (g *guest) remove(ctx context.Context, documents []byte) error {
	query := url.Values{"namespace": {g.namespace}, "author": {"bench"}, "take_ownership": {"true"}, "ignore_not_found": {"true"}, "allow_shrink": {"true"}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.api.url+"/v1/delete?"+query.Encode(), bytes.NewReader(documents))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/yaml")
	_, _, err = g.api.do(req)
	return err
}

// own are this run's resources, as documents.
func (g *guest) own(ctx context.Context) ([]byte, error) {
	var documents []byte
	for _, query := range []url.Values{{"type": {"Fleet"}}, {"namespace": {g.namespace}}} {
		query.Set("content", "true")
		all, err := g.list(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, r := range all {
			if strings.HasPrefix(r.Owner, g.owner) {
				documents = fmt.Appendf(documents, "---\n%s\n", r.Content)
			}
		}
	}
	return documents, nil
}

// list reads all pages of what is stored.
func (g *guest) list(ctx context.Context, query url.Values) (all []controlapi.Resource, err error) {
	for {
		text, err := g.api.get(ctx, "/v1/resources?"+query.Encode())
		if err != nil {
			return nil, err
		}
		var page controlapi.Resources
		if err := json.Unmarshal(text, &page); err != nil {
			return nil, fmt.Errorf("the list of resources at %s: %w; is it a control plane of this version?", g.api.url, err)
		}
		all = append(all, page.Resources...)
		if page.Next == "" || query.Get("limit") != "" {
			return all, nil
		}
		query.Set("after", page.Next)
	}
}

// readClock compares the control plane's clock with this machine's, and keeps
// the worse of all readings. Times of its commits are corrected by the first.
func (g *guest) readClock(ctx context.Context) error {
	reading, err := clock.Measure(ctx, clock.API(g.api.url, &g.api.http))
	if err != nil {
		return err
	}
	if g.api.clock == nil {
		g.api.clock = &reading
	}
	g.clock = clock.WorseOf(g.clock, reading)
	return nil
}

// worse reports whether the guest's clock stood further off than another one.
func (g *guest) worse(than *clock.Worst) bool {
	off := func(w *clock.Worst) float64 { return max(w.Offset, -w.Offset) + w.Error }
	return g.clock != nil && off(g.clock) > off(than)
}

// leavePatience is how long it may take to remove what the bench has put into
// a control plane.
const leavePatience = time.Minute
