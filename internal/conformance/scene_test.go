package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

// recorder keeps what a server reports until a test asks for it.
type recorder chan xds.Event

func (r recorder) Observe(e xds.Event) { r <- e }

// await returns the next event that satisfies want; others before it are lost.
func (r recorder) await(t *testing.T, what string, want func(xds.Event) bool) xds.Event {
	t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case e := <-r:
			if want(e) {
				return e
			}
		case <-deadline:
			t.Fatalf("%s was not reported", what)
		}
	}
}

// scene is a world with one server and a client on it.
type scene struct {
	*testing.T
	world  *World
	client *Client
	events recorder
	ticks  int // commits made by commitSeen
}

// newScene makes first the commits, so that the server starts with them, then
// the server.
func newScene(t *testing.T, v Variant, commits ...func(*World) error) *scene {
	s := &scene{T: t, world: NewWorld(), events: make(recorder, 1<<16)}
	s.world.Config.Observer = s.events
	t.Cleanup(s.world.Close)
	for _, commit := range commits {
		s.must(commit(s.world))
	}
	s.client = s.connect(v, "envoy-1", "cp-1")
	return s
}

func (s *scene) connect(v Variant, id, server string) *Client {
	s.Helper()
	running, err := s.world.Server(server)
	s.must(err)
	c := NewClient(v, id, NewRules())
	c.Connect(running.Conn)
	s.Cleanup(c.Close)
	return c
}

func (s *scene) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// specs is a commit of what its arguments say, as in scripts.
func specs(words ...string) func(*World) error {
	return func(w *World) error { return (&player{world: w}).commit(words) }
}

// messages is a commit of resources that no Spec describes.
func messages(list ...proto.Message) func(*World) error {
	return func(w *World) error { return w.CommitMessages(list...) }
}

func (s *scene) commit(words ...string) {
	s.Helper()
	s.must(specs(words...)(s.world))
}

// commitSeen is commit, and returns when s.client has been told, so that
// streams opened from now on start with it.
func (s *scene) commitSeen(words ...string) {
	s.Helper()
	s.ticks++
	tick := fmt.Sprintf("secret/tick=%d", s.ticks)
	s.commit(append(words, tick)...)
	if s.ticks == 1 {
		s.must(s.client.Subscribe(s.Context(), resource.Secret, "tick"))
	}
	for !slices.Contains(s.client.Held(resource.Secret), tick) {
		s.accept(s.client, resource.Secret)
	}
}

// take waits for a response of one type to c.
func (s *scene) take(c *Client, typ resource.Type) *Response {
	s.Helper()
	r, err := c.Take(s.Context(), typ)
	s.must(err)
	return r
}

// accept takes a response and acknowledges it.
func (s *scene) accept(c *Client, typ resource.Type) *Response {
	s.Helper()
	r := s.take(c, typ)
	s.must(c.Ack(s.Context(), r))
	return r
}
