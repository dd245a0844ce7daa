package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
)

// errBusy says that a barrier met a response that nobody expected.
var errBusy = errors.New("a response that was not expected")

// Barrier returns when the server has seen the newest commit, has read all
// that the client sent before, and has sent all that follows from both until
// the client answers.
//
// It does not wait for silence. First a resource with a new name is committed
// and asked for: when it arrives, the stream has seen the commit. It is
// acknowledged, which releases what a server sends only after additions. Then
// something that no commit brings about is asked for: its answer proves that
// the stream has read that far, and a stream keeps its order. What arrives
// besides stays in the client's backlog; Barrier then returns errBusy.
func (c *Client) Barrier(ctx context.Context, w *World) error {
	w.barriers++
	news, proof := fmt.Sprintf("barrier-%d-new", w.barriers), fmt.Sprintf("barrier-%d-proof", w.barriers)
	types := c.barrierTypes()
	var put []Spec
	for _, typ := range types {
		put = append(put, w.barrierSpecs(typ, news)...)
		if !c.Delta && !c.topic(typ).wildcard() {
			put = append(put, w.barrierSpecs(typ, proof)...)
		}
	}
	if err := w.Commit(put, nil); err != nil {
		return err
	}
	for _, typ := range types {
		if err := c.ask(ctx, typ, news); err != nil {
			return err
		}
	}
	for _, typ := range types {
		// Delta tells of a missing name. Under a state-of-the-world wildcard no
		// request has a certain answer, but a further commit does, once the
		// first was acknowledged.
		if !c.Delta && c.topic(typ).wildcard() {
			if err := w.Commit(w.barrierSpecs(typ, proof), nil); err != nil {
				return err
			}
		}
		if err := c.ask(ctx, typ, proof); err != nil {
			return err
		}
	}
	if len(c.backlog) > 0 {
		return errBusy
	}
	return nil
}

// barrierTypes are the types to ask for on each open stream.
func (c *Client) barrierTypes() []resource.Type {
	if c.Aggregated {
		return []resource.Type{resource.Runtime}
	}
	var types []resource.Type
	for typ := range c.streams {
		types = append(types, typ)
	}
	slices.Sort(types)
	return types
}

// ask subscribes to a barrier's resource and accepts the response that brings
// word of it. A state-of-the-world wildcard brings it by itself.
func (c *Client) ask(ctx context.Context, typ resource.Type, barrier string) error {
	t, name := c.topic(typ), barrierSpec(typ, barrier).Name
	if c.Delta || !t.wildcard() {
		if err := c.Subscribe(ctx, typ, name); err != nil {
			return err
		}
	}
	for {
		if err := c.arrive(ctx, typ); err != nil {
			return fmt.Errorf("waiting for %s: %w", name, err)
		}
		r := c.backlog[len(c.backlog)-1]
		if r.Type != typ {
			continue
		}
		if !c.onlyBarriers(r) {
			return errBusy
		}
		c.backlog = c.backlog[:len(c.backlog)-1]
		e := t.effectOf(r, c.Delta)
		if err := c.Ack(ctx, r); err != nil {
			return err
		}
		if _, arrived := e.put[name]; arrived || e.removed[name] && isProof(name) {
			return nil
		}
	}
}

// isProof tells names that no commit brings in delta: word of their absence
// answers a request. That of others may only be early.
func isProof(name string) bool { return strings.Contains(name, "-proof") }

// barrierSpecs are the resource of that name in every namespace.
func (w *World) barrierSpecs(typ resource.Type, name string) []Spec {
	var list []Spec
	for ns := range w.namespaces {
		spec := barrierSpec(typ, name)
		spec.Namespace = ns
		list = append(list, spec)
	}
	return list
}

// barrierSpec has what a resource of the type needs to be valid and alone.
func barrierSpec(typ resource.Type, name string) Spec {
	s := Spec{Type: typ, Name: name, Content: 1}
	switch typ {
	case resource.ScopedRoute:
		s.Reference = "barrier"
	case resource.VirtualHost:
		s.Name += "-hosts/host" // of a route configuration that no barrier is
	}
	return s
}

// onlyBarriers reports whether accepting r would change nothing but barriers.
func (c *Client) onlyBarriers(r *Response) bool {
	e := c.topic(r.Type).effectOf(r, c.Delta)
	for name := range e.put {
		changed := c.Delta || e.changed[name]
		if changed && !strings.HasPrefix(name, "barrier-") {
			return false
		}
	}
	for name := range e.removed {
		if !strings.HasPrefix(name, "barrier-") {
			return false
		}
	}
	return len(e.unasked) == 0
}
