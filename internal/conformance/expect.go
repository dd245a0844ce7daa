package conformance

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/deltaplane/deltaplane/resource"
)

// wanted is what a client is to be told of one type.
type wanted struct {
	put     map[string]string // name → token
	removed map[string]bool
}

func (w wanted) done() bool { return len(w.put) == 0 && len(w.removed) == 0 }

func (p *player) expect(ctx context.Context, c *Client, first bool, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "none":
		return p.expectNone(ctx, c)
	case len(args) >= 2 && args[0] == "closed":
		return p.expectClosed(ctx, c, args[1:])
	case len(args) >= 2 && args[0] == "empty":
		return p.expectEmpty(ctx, c, args[1])
	case len(args) >= 2 && args[0] == "alive":
		return p.expectAlive(ctx, c, args[1:])
	case len(args) >= 2 && args[0] == "optional":
		return p.expectOptional(ctx, c, args[1:])
	}
	want, order, err := p.parseChanges(args)
	if err != nil {
		return err
	}
	for _, typ := range order {
		if err := p.expectType(ctx, c, typ, first, want[typ]); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) expectNone(ctx context.Context, c *Client) error {
	err := c.Barrier(ctx, p.world)
	if errors.Is(err, errBusy) {
		var list []string
		for _, r := range c.backlog {
			list = append(list, describe(r))
		}
		return fmt.Errorf("%w: %s", err, strings.Join(list, "; "))
	}
	return err
}

func (p *player) expectEmpty(ctx context.Context, c *Client, kind string) error {
	typ, err := typeOf(kind)
	if err != nil {
		return err
	}
	r, err := c.Take(ctx, typ)
	if err == nil && len(r.Resources)+len(r.Removed) > 0 {
		err = fmt.Errorf("%s came", describe(r))
	}
	return err
}

// expectAlive takes a response that tells nothing but that these resources,
// all of one kind, live on: in delta without their bodies.
func (p *player) expectAlive(ctx context.Context, c *Client, words []string) error {
	want := map[string]bool{}
	var typ resource.Type
	for _, word := range words {
		spec, err := ParseSpec(word)
		if err != nil {
			return err
		}
		typ, want[spec.Name] = spec.Type, true
	}
	t := c.topic(typ)
	r, err := c.Take(ctx, typ)
	if err != nil {
		return err
	}
	e := t.effectOf(r, p.Delta)
	if !p.Delta && r.Version == t.accepted {
		for name := range e.put {
			e.beats[name] = true
		}
	}
	if len(e.changed)+len(e.removed) > 0 || !maps.Equal(e.beats, want) {
		return fmt.Errorf("%s came", describe(r))
	}
	return c.Ack(ctx, r)
}

// expectOptional takes responses of some types that tell nothing new, if there
// are any: where the specification leaves it to the server whether to answer.
func (p *player) expectOptional(ctx context.Context, c *Client, words []string) error {
	err := c.Barrier(ctx, p.world)
	if !errors.Is(err, errBusy) {
		return err
	}
	for len(c.backlog) > 0 {
		r, err := c.Take(ctx, "")
		if err != nil {
			return err
		}
		if e := c.topic(r.Type).effectOf(r, p.Delta); !slices.Contains(words, kindOf(r.Type)) || len(e.changed) > 0 {
			return fmt.Errorf("%s came", describe(r))
		}
	}
	return nil
}

// expectClosed takes the code and, for typed services, the kind.
func (p *player) expectClosed(ctx context.Context, c *Client, args []string) error {
	var typ resource.Type
	if len(args) > 1 {
		var err error
		if typ, err = typeOf(args[1]); err != nil {
			return err
		}
	}
	r, err := c.Take(ctx, typ)
	if err == nil {
		return fmt.Errorf("the stream is open and brought %s", describe(r))
	}
	return ended(err, args[0])
}

func (p *player) parseChanges(args []string) (map[resource.Type]wanted, []resource.Type, error) {
	want, order := map[resource.Type]wanted{}, []resource.Type{}
	for _, word := range args {
		if word[0] != '+' && word[0] != '-' {
			return nil, nil, fmt.Errorf("%q: want +kind/name or -kind/name", word)
		}
		spec, err := ParseSpec(word[1:])
		if err != nil {
			return nil, nil, err
		}
		if word[0] == '-' && !p.Delta && !spec.Type.FullState() {
			continue // nothing can tell the client ("Deleting Resources")
		}
		w, ok := want[spec.Type]
		if !ok {
			w = wanted{map[string]string{}, map[string]bool{}}
			want[spec.Type] = w
			order = append(order, spec.Type)
		}
		if word[0] == '-' {
			w.removed[spec.Name] = true
		} else {
			w.put[spec.Name] = spec.Token()
		}
	}
	return want, order, nil
}

// expectType takes responses until everything wanted has come. It answers all
// of them but the last, since a server may divide a change as it likes.
func (p *player) expectType(ctx context.Context, c *Client, typ resource.Type, first bool, want wanted) error {
	if want.done() {
		return fmt.Errorf("nothing of %s is wanted", typ)
	}
	for {
		take := typ
		if first && c.Aggregated {
			take = ""
		}
		r, err := c.Take(ctx, take)
		if err != nil {
			return fmt.Errorf("still to come: %s: %w", want, err)
		}
		if r.Type != typ {
			return fmt.Errorf("%s came first", describe(r))
		}
		if err := p.settle(c.topic(typ), r, want); err != nil {
			return err
		}
		if want.done() {
			return nil
		}
		if err := c.Ack(ctx, r); err != nil {
			return err
		}
	}
}

// settle strikes from want what r brings, and refuses what was not wanted. An
// unchanged resource may ride along in state of the world.
func (p *player) settle(t *topic, r *Response, want wanted) error {
	e := t.effectOf(r, p.Delta)
	if len(e.unasked) > 0 {
		return fmt.Errorf("%s holds what nobody subscribed to", describe(r))
	}
	if len(e.beats) > 0 {
		return fmt.Errorf("%s was not expected", describe(r))
	}
	for name, h := range e.put {
		token, ok := want.put[name]
		switch {
		case isBarrier(name) || !ok && !p.Delta && !e.changed[name]:
		case !ok:
			return fmt.Errorf("%s was not expected in %s", h.token, describe(r))
		case token != h.token:
			return fmt.Errorf("%s instead of %s", h.token, token)
		}
		delete(want.put, name)
	}
	for name := range e.removed {
		if !want.removed[name] && !isBarrier(name) {
			return fmt.Errorf("removal of %s was not expected in %s", name, describe(r))
		}
		delete(want.removed, name)
	}
	return nil
}

// String lists w in the script's words.
func (w wanted) String() string {
	list := slices.Sorted(maps.Values(w.put))
	for _, name := range slices.Sorted(maps.Keys(w.removed)) {
		list = append(list, "-"+name)
	}
	return strings.Join(list, " ")
}

// describe is r in the script's words.
func describe(r *Response) string {
	var list []string
	for _, item := range r.Resources {
		if item.heartbeat() {
			list = append(list, "heartbeat of "+kindOf(r.Type)+"/"+item.Name)
			continue
		}
		if item.Body == nil {
			list = append(list, "-"+kindOf(r.Type)+"/"+item.Name)
			continue
		}
		_, content, _ := read(item.Body)
		list = append(list, "+"+Spec{Type: r.Type, Name: item.Name, Content: content, TTL: item.TTL}.Token())
	}
	for _, name := range r.Removed {
		list = append(list, "-"+kindOf(r.Type)+"/"+name)
	}
	if len(list) == 0 {
		return "an empty response of " + kindOf(r.Type)
	}
	return strings.Join(list, " ")
}
