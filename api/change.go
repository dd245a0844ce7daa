package api

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// apply makes the store hold the body's resources, as one commit.
func (s *Server) apply(w http.ResponseWriter, r *http.Request) error {
	return s.change(w, r, func(q *query, o deltaplane.Options) (*deltaplane.Plan, error) {
		prune := q.flag("prune")
		if q.err != nil {
			return nil, q.err
		}
		docs, warnings, err := s.documents(r)
		if err != nil {
			return nil, err
		}
		plan, err := s.cfg.Store.Apply(r.Context(), docs, prune, o)
		return withWarnings(plan, warnings), err
	})
}

// deleteFile removes the resources that the body names by type and name; their
// content does not matter.
func (s *Server) deleteFile(w http.ResponseWriter, r *http.Request) error {
	return s.change(w, r, func(q *query, o deltaplane.Options) (*deltaplane.Plan, error) {
		ignoreMissing := q.flag("ignore_not_found")
		if q.err != nil {
			return nil, q.err
		}
		docs, warnings, err := s.documents(r)
		if err != nil {
			return nil, err
		}
		keys := make([]deltaplane.Key, len(docs))
		for i, d := range docs {
			keys[i] = deltaplane.KeyIn(o.Namespace, d.Resource.Type(), d.Resource.Name())
		}
		plan, err := s.cfg.Store.Delete(r.Context(), keys, ignoreMissing, o)
		return withWarnings(plan, warnings), err
	})
}

// deleteResource removes the one resource that the path names.
func (s *Server) deleteResource(w http.ResponseWriter, r *http.Request) error {
	return s.change(w, r, func(q *query, o deltaplane.Options) (*deltaplane.Plan, error) {
		ignoreMissing := q.flag("ignore_not_found")
		key, err := pathKey(r, o.Namespace)
		if err != nil {
			return nil, err
		}
		return s.cfg.Store.Delete(r.Context(), []deltaplane.Key{key}, ignoreMissing, o)
	})
}

// revert undoes what one commit changed.
func (s *Server) revert(w http.ResponseWriter, r *http.Request) error {
	return s.change(w, r, func(_ *query, o deltaplane.Options) (*deltaplane.Plan, error) {
		v, err := pathVersion(r, "version")
		if err != nil {
			return nil, err
		}
		return s.cfg.Store.Revert(r.Context(), v, o)
	})
}

// rollback restores a namespace, or with ?all everything, as it was.
func (s *Server) rollback(w http.ResponseWriter, r *http.Request) error {
	return s.change(w, r, func(q *query, o deltaplane.Options) (*deltaplane.Plan, error) {
		all := q.flag("all")
		v, err := pathVersion(r, "version")
		if err != nil {
			return nil, err
		}
		return s.cfg.Store.Rollback(r.Context(), v, all, o)
	})
}

// change is what all commits have in common: options before, the plan as the
// answer, and with ?wait the acknowledgements. The answer's header tells when
// it was stored, how long that took, and the acknowledgements after it.
func (s *Server) change(w http.ResponseWriter, r *http.Request, commit func(*query, deltaplane.Options) (*deltaplane.Plan, error)) error {
	q := &query{values: r.URL.Query()}
	o := q.options(r)
	wait, fields := q.duration("wait", 0), q.flag("fields")
	if q.err != nil {
		return q.err
	}
	timing := startTiming()
	done, err := commit(q, o)
	if q.err != nil {
		return q.err
	}
	if err != nil {
		return err
	}
	timing.committed(w.Header())
	plan := planOf(done, o, fields)
	if wait > 0 && !o.DryRun {
		finishBody(r)
		acks := s.wait(r.Context(), plan.Version, wait)
		timing.took("ack")
		timing.set(w.Header())
		if !acks.Done {
			return unacknowledged{plan, acks}
		}
		plan.Acks = &acks
	}
	writeJSON(w, http.StatusOK, plan)
	return nil
}

// finishBody reads what nobody has read of r's body, such as the end of a form.
// As long as there is some, net/http does not notice that the client goes.
// Its size and the time are bounded as the body's are.
func finishBody(r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // if it breaks off, the request's context ends
}

// wait asks for the acknowledgements of v, until the time is over or the
// server closes.
func (s *Server) wait(ctx context.Context, v deltaplane.Version, atMost time.Duration) Acks {
	ctx, cancel := context.WithTimeoutCause(ctx, atMost, fmt.Errorf("not all within %s", atMost))
	defer cancel()
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		select {
		case <-s.closing:
			cancel()
		case <-stop:
		}
	})
	missing, err := s.cfg.Waiter.Wait(ctx, v)
	close(stop)
	watching.Wait()
	acks := Acks{Version: v, Done: err == nil, Missing: missing}
	if err != nil {
		acks.Reason = err.Error()
	}
	for _, p := range s.cfg.Proxies.Proxies() {
		if p.Connected {
			acks.Waited++
		}
	}
	return acks
}

// pathKey is the key that the path's {type} and {name...} mean.
func pathKey(r *http.Request, namespace string) (deltaplane.Key, error) {
	t, err := resource.ParseType(r.PathValue("type"))
	if err != nil {
		return deltaplane.Key{}, badRequest(err.Error())
	}
	name := r.PathValue("name")
	if name == "" {
		return deltaplane.Key{}, badRequest(fmt.Sprintf("the path lacks the name of the %s", t.Short()))
	}
	if t != resource.VirtualHost {
		if name, err = resource.CanonicalName(name); err != nil {
			return deltaplane.Key{}, badRequest(fmt.Sprintf("%s %q: %v", t.Short(), name, err))
		}
	}
	return deltaplane.KeyIn(namespace, t, name), nil
}

func withWarnings(p *deltaplane.Plan, warnings resource.Problems) *deltaplane.Plan {
	if p != nil {
		p.Warnings = append(warnings, p.Warnings...)
	}
	return p
}
