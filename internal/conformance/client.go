package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc"

	"github.com/deltaplane/deltaplane/resource"
)

// Variant is one of the four forms of the transport protocol ("Four Variants").
type Variant struct{ Delta, Aggregated bool }

// Variants are all four.
var Variants = []Variant{{true, true}, {false, true}, {true, false}, {false, false}}

// String is v in scripts: "delta-ads", "sotw-typed".
func (v Variant) String() string {
	protocol, service := "sotw", "typed"
	if v.Delta {
		protocol = "delta"
	}
	if v.Aggregated {
		service = "ads"
	}
	return protocol + "-" + service
}

// Client keeps to the client's side of the protocol, and does nothing by
// itself: it neither acknowledges nor reconnects until it is told to. One
// goroutine may use it.
type Client struct {
	Variant
	Node *corev3.Node

	rules   *Rules
	conn    *grpc.ClientConn
	streams map[resource.Type]*Stream // under "" on ADS
	topics  map[resource.Type]*topic
	backlog []*Response // arrived and not yet taken, in order
	named   map[*Stream]bool
}

// NewClient is a client that is not connected yet.
func NewClient(v Variant, id string, rules *Rules) *Client {
	return &Client{
		Variant: v, Node: &corev3.Node{Id: id}, rules: rules,
		streams: map[resource.Type]*Stream{}, topics: map[resource.Type]*topic{}, named: map[*Stream]bool{},
	}
}

// Connect makes the client use conn for streams to come.
func (c *Client) Connect(conn *grpc.ClientConn) { c.conn = conn }

// Close ends every stream. What the client holds and wants stays.
func (c *Client) Close() {
	for key, s := range c.streams {
		s.Close()
		delete(c.streams, key)
		delete(c.named, s)
	}
	for _, t := range c.topics {
		t.disconnect()
	}
	c.backlog = nil
}

// Resume asks anew for everything that the client wanted, on new streams.
// Versions go with it if withVersions: in delta those of the resources held, in
// state of the world the last accepted one. A delta client that tells none
// begins a new session, with nothing.
func (c *Client) Resume(ctx context.Context, withVersions bool) error {
	for _, typ := range resource.Served() {
		t, ok := c.topics[typ]
		if !ok || (!t.legacy && len(t.names) == 0) {
			continue
		}
		if t.legacy && len(t.names) > 0 { // an empty list would no longer mean the wildcard
			t.legacy, t.names["*"] = false, true
		}
		r := Request{URL: typ.URL(), Names: t.list(), Subscribe: t.list()}
		switch {
		case withVersions:
			r.Version = t.accepted
			r.Versions = map[string]string{}
			for name, h := range t.held {
				r.Versions[name] = h.version
			}
		case c.Delta:
			clear(t.held)
		}
		if err := c.Raw(ctx, typ, r); err != nil {
			return err
		}
	}
	return nil
}

// Subscribe adds names; none at all is the legacy wildcard.
func (c *Client) Subscribe(ctx context.Context, typ resource.Type, names ...string) error {
	t := c.topic(typ)
	if len(names) == 0 && !t.asked {
		t.legacy = true
	}
	if len(names) > 0 && !c.Delta {
		t.legacy = false
	}
	for _, name := range names {
		t.names[name] = true
	}
	return c.Raw(ctx, typ, Request{
		URL: typ.URL(), Subscribe: names, Names: t.list(), Version: t.accepted, Nonce: c.spontaneous(t),
	})
}

// Unsubscribe takes names away.
func (c *Client) Unsubscribe(ctx context.Context, typ resource.Type, names ...string) error {
	t := c.topic(typ)
	for _, name := range names {
		delete(t.names, name)
		if name == "*" {
			t.legacy = false
		}
	}
	t.forget()
	return c.Raw(ctx, typ, Request{
		URL: typ.URL(), Unsubscribe: names, Names: t.list(), Version: t.accepted, Nonce: c.spontaneous(t),
	})
}

// spontaneous is the nonce of a request that answers no response: in delta it
// must be left out; in state of the world it is the newest one.
func (c *Client) spontaneous(t *topic) string {
	if c.Delta {
		return ""
	}
	return t.nonce
}

// Ack accepts r and makes its effect the client's state.
func (c *Client) Ack(ctx context.Context, r *Response) error {
	t := c.topic(r.Type)
	t.apply(t.effectOf(r, c.Delta))
	t.accepted = r.Version
	return c.answer(ctx, t, r, "")
}

// Nack refuses all of r.
func (c *Client) Nack(ctx context.Context, r *Response, reason string) error {
	return c.answer(ctx, c.topic(r.Type), r, reason)
}

func (c *Client) answer(ctx context.Context, t *topic, r *Response, reason string) error {
	t.nonce = r.Nonce
	t.unanswered = slices.DeleteFunc(t.unanswered, func(u *Response) bool { return u == r })
	return c.Raw(ctx, r.Type, Request{
		URL: r.Type.URL(), Names: t.list(), Version: t.accepted, Nonce: r.Nonce, Error: reason,
	})
}

// Raw sends r as it is on the stream for typ, which it opens if need be. The
// node goes with the first message of a stream only, unless r brings one.
func (c *Client) Raw(ctx context.Context, typ resource.Type, r Request) error {
	s, err := c.stream(ctx, typ)
	if err != nil {
		return err
	}
	if !c.named[s] {
		c.named[s] = true
		if r.Node == nil {
			r.Node = c.Node
		}
	}
	c.topic(typ).asked = true
	return s.Send(r)
}

// Take waits for the next response of one type; "" is any type. What else
// arrives meanwhile stays for later.
func (c *Client) Take(ctx context.Context, typ resource.Type) (*Response, error) {
	for {
		for i, r := range c.backlog {
			if typ == "" || r.Type == typ {
				c.backlog = slices.Delete(c.backlog, i, i+1)
				t := c.topic(r.Type)
				t.unanswered = append(t.unanswered, r)
				return r, nil
			}
		}
		if err := c.arrive(ctx, typ); err != nil {
			return nil, err
		}
	}
}

// arrive waits for one more response on the stream of typ.
func (c *Client) arrive(ctx context.Context, typ resource.Type) error {
	s, err := c.stream(ctx, typ)
	if err != nil {
		return err
	}
	r, err := s.Next(ctx)
	if err != nil {
		return err
	}
	if err := c.rules.Check(s, r); err != nil {
		return err
	}
	c.backlog = append(c.backlog, r)
	return nil
}

// Drain answers everything until nothing is on its way. refuse gives the
// reason to refuse a response, or "" to accept it.
func (c *Client) Drain(ctx context.Context, w *World, refuse func(*Response) string) error {
	for {
		err := c.Barrier(ctx, w)
		if err == nil || !errors.Is(err, errBusy) {
			return err
		}
		if err := c.AnswerAll(ctx, refuse); err != nil {
			return err
		}
	}
}

// AnswerAll answers what has arrived so far.
func (c *Client) AnswerAll(ctx context.Context, refuse func(*Response) string) error {
	for len(c.backlog) > 0 {
		r := c.backlog[0]
		c.backlog = c.backlog[1:]
		var err error
		if reason := refuse(r); reason != "" {
			err = c.Nack(ctx, r, reason)
		} else {
			err = c.Ack(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Accept is for Drain and AnswerAll: it refuses nothing.
func Accept(*Response) string { return "" }

// Held lists the tokens of what the client has of one type, sorted.
func (c *Client) Held(typ resource.Type) []string { return c.topic(typ).tokens() }

func (c *Client) topic(typ resource.Type) *topic {
	t, ok := c.topics[typ]
	if !ok {
		t = newTopic(typ)
		c.topics[typ] = t
	}
	return t
}

func (c *Client) stream(ctx context.Context, typ resource.Type) (*Stream, error) {
	key := typ
	if c.Aggregated {
		key = ""
	}
	if s, ok := c.streams[key]; ok {
		return s, nil
	}
	if key == "" && !c.Aggregated {
		return nil, errors.New("a client of typed services must say of which type")
	}
	s, err := Open(context.WithoutCancel(ctx), c.conn, key, c.Delta) // it lives until Close
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Node.Id, err)
	}
	c.streams[key] = s
	return s, nil
}
