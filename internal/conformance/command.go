package conformance

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/grpc/status"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/resource/deltaplanev1"
)

// player carries out one script.
type player struct {
	Variant
	world   *World
	rules   *Rules
	clients map[string]*Client
}

func (p *player) run(ctx context.Context, words []string) error {
	verb, args := words[0], words[1:]
	switch verb {
	case "commit":
		return p.commit(args)
	case "fleet":
		return p.fleet(args)
	case "restart":
		p.world.Stop(args[0])
		return nil
	}
	if len(args) == 0 {
		return errors.New("which client?")
	}
	c, err := p.client(args[0])
	if err != nil {
		return err
	}
	args = args[1:]
	switch verb {
	case "subscribe", "unsubscribe", "request", "nack", "held":
		return p.ofType(ctx, verb, c, args)
	case "expect", "first":
		return p.expect(ctx, c, verb == "first", args)
	case "ack":
		return p.ack(ctx, c, args)
	case "disconnect":
		c.Close()
		return nil
	case "reconnect":
		return p.reconnect(ctx, c, args)
	}
	return fmt.Errorf("%q is not a command", verb)
}

// ofType runs the commands whose next argument is a kind.
func (p *player) ofType(ctx context.Context, verb string, c *Client, args []string) error {
	if len(args) == 0 {
		return errors.New("of which kind?")
	}
	typ, err := typeOf(args[0])
	if err != nil {
		return err
	}
	args = args[1:]
	switch verb {
	case "subscribe", "unsubscribe":
		names := slices.Clone(args)
		for i, name := range names {
			names[i] = spelled(typ, name)
		}
		if verb == "subscribe" {
			return c.Subscribe(ctx, typ, names...)
		}
		return c.Unsubscribe(ctx, typ, names...)
	case "request":
		return p.request(ctx, c, typ, args)
	case "nack":
		return p.nack(ctx, c, typ, args)
	}
	return p.held(c, typ, args)
}

// client finds or makes a client, connected to the server "cp-1".
func (p *player) client(name string) (*Client, error) {
	if c, ok := p.clients[name]; ok {
		return c, nil
	}
	server, err := p.world.Server("cp-1")
	if err != nil {
		return nil, err
	}
	c := NewClient(p.Variant, name, p.rules)
	c.Connect(server.Conn)
	p.clients[name] = c
	return c, nil
}

func (p *player) commit(args []string) error {
	var put, remove []Spec
	for _, word := range args {
		text, gone := strings.CutPrefix(word, "-")
		spec, err := ParseSpec(text)
		if err != nil {
			return err
		}
		if gone {
			remove = append(remove, spec)
		} else {
			put = append(put, spec)
		}
	}
	return p.world.Commit(put, remove)
}

func (p *player) fleet(args []string) error {
	if len(args) < 3 {
		return errors.New("want a name, a priority and a node")
	}
	priority, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	return p.world.CommitFleet(&deltaplanev1.Fleet{
		Name: args[0], Priority: int32(priority), Namespaces: args[3:],
		Selectors: []*deltaplanev1.Selector{{NodeIds: []string{args[2]}}},
	})
}

// request understands subscribe=a,b unsubscribe=a,b names=a,b version=V
// nonce=N error=E url=U node=ID have:NAME=VERSION. As a nonce, "last" is that
// of the newest response of the type that was taken, "answered" that of the
// last one answered.
func (p *player) request(ctx context.Context, c *Client, typ resource.Type, args []string) error {
	r := Request{URL: typ.URL()}
	t := c.topic(typ)
	t.legacy = t.legacy || !t.asked && len(t.names) == 0
	for _, arg := range args {
		key, value, _ := strings.Cut(arg, "=")
		list := strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
		switch key {
		case "subscribe":
			r.Subscribe = list
			t.legacy = t.legacy && t.asked
			for _, name := range list {
				t.names[name] = true
			}
		case "unsubscribe":
			r.Unsubscribe = list
			for _, name := range list {
				delete(t.names, name)
			}
		case "names":
			r.Names = list
			if !c.Delta {
				t.legacy = t.legacy && len(list) == 0
				clear(t.names)
				for _, name := range list {
					t.names[name] = true
				}
				t.forget()
			}
		case "version":
			r.Version = p.version(t, value)
		case "nonce":
			r.Nonce = p.nonce(t, value)
		case "error":
			r.Error = value
		case "url":
			r.URL = value
		case "node":
			r.Node = &corev3.Node{Id: value}
		default:
			name, ok := strings.CutPrefix(key, "have:")
			if !ok {
				return fmt.Errorf("%q is not a field of a request", key)
			}
			if r.Versions == nil {
				r.Versions = map[string]string{}
			}
			r.Versions[name] = value
		}
	}
	return c.Raw(ctx, typ, r)
}

// version knows the words "accepted", for the last one that was, and
// "refused", for that of the newest response taken.
func (p *player) version(t *topic, word string) string {
	switch {
	case word == "accepted":
		return t.accepted
	case word == "refused" && len(t.unanswered) > 0:
		return t.unanswered[len(t.unanswered)-1].Version
	}
	return word
}

func (p *player) nonce(t *topic, word string) string {
	switch {
	case word == "last" && len(t.unanswered) > 0:
		return t.unanswered[len(t.unanswered)-1].Nonce
	case word == "last" || word == "answered":
		return t.nonce
	}
	return word
}

func (p *player) ack(ctx context.Context, c *Client, args []string) error {
	types := resource.Served()
	if len(args) > 0 {
		types = nil
		for _, word := range args {
			typ, err := typeOf(word)
			if err != nil {
				return err
			}
			types = append(types, typ)
		}
	}
	for _, typ := range types {
		for _, r := range slices.Clone(c.topic(typ).unanswered) {
			if err := c.Ack(ctx, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *player) nack(ctx context.Context, c *Client, typ resource.Type, args []string) error {
	waiting := slices.Clone(c.topic(typ).unanswered)
	if len(waiting) == 0 || len(args) != 1 {
		return errors.New("want a reason, and a response that was expected before")
	}
	for _, r := range waiting {
		if err := c.Nack(ctx, r, args[0]); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) held(c *Client, typ resource.Type, args []string) error {
	want := []string{}
	for _, word := range args {
		spec, err := ParseSpec(word)
		if err != nil {
			return err
		}
		want = append(want, spec.Token())
	}
	slices.Sort(want)
	if got := c.Held(typ); !slices.Equal(got, want) {
		return fmt.Errorf("the client holds %v", got)
	}
	return nil
}

func (p *player) reconnect(ctx context.Context, c *Client, args []string) error {
	if len(args) < 2 || args[1] != "versions" || (args[0] != "with" && args[0] != "without") {
		return errors.New("want with or without versions")
	}
	name := "cp-1"
	if len(args) == 3 {
		name = args[2]
	}
	server, err := p.world.Server(name)
	if err != nil {
		return err
	}
	c.Close()
	c.Connect(server.Conn)
	return c.Resume(ctx, args[0] == "with")
}

// ended checks that the stream has ended with the code of that name.
func ended(err error, code string) error {
	if got := status.Code(err).String(); got != code {
		return fmt.Errorf("it ended with %s: %w", got, err)
	}
	return nil
}
