package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/deltaplane/deltaplane/resource"
)

// A walk makes random requests against random commits. When everything has
// come to rest, the client must hold exactly what the model says: what exists
// and is subscribed to. rapid prints the seed of a failing walk.

func TestAClientAtRestHoldsExactlyTheConfiguration(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { newWalk(rt, v, false).play(t.Context()) })
		})
	}
}

func TestAClientThatRefusesRecoversOnceEverythingChanged(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { newWalk(rt, v, true).play(t.Context()) })
		})
	}
}

// universe are the names of each type that commits and requests draw from.
var universe = map[resource.Type][]string{
	resource.Cluster:         {"a", "b", "c", "d"},
	resource.Endpoint:        {"a", "b", "c", "d"},
	resource.Listener:        {"l", "m"},
	resource.Route:           {"r", "s", "t"},
	resource.ScopedRoute:     {"x", "y"},
	resource.Secret:          {"k", "n"},
	resource.ExtensionConfig: {"f", "g"},
	resource.VirtualHost:     {"v/a", "v/b", "w/a"},
}

// references are what a resource of the type may point to.
var references = map[resource.Type][]string{
	resource.Cluster:     {"", "a", "b", "c"},
	resource.Listener:    {"", "r", "s"},
	resource.Route:       {"", "a", "b", "vhds"},
	resource.ScopedRoute: {"r", "s"},
	resource.VirtualHost: {"", "a"},
}

type walk struct {
	*rapid.T
	Variant
	refuses bool
	types   []resource.Type
	world   *World
	client  *Client
	stored  map[string]Spec // by kind/name
	log     []string
}

func newWalk(t *rapid.T, v Variant, refuses bool) *walk {
	w := &walk{T: t, Variant: v, refuses: refuses, world: NewWorld(), stored: map[string]Spec{}}
	w.client = NewClient(v, "walker", NewRules())
	for _, typ := range resource.Served() {
		if universe[typ] != nil && (v.Delta || typ != resource.VirtualHost) {
			w.types = append(w.types, typ)
		}
	}
	return w
}

func (w *walk) play(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*patience)
	defer cancel()
	defer w.world.Close()
	defer w.client.Close()
	w.connect("cp-1")
	for range rapid.IntRange(3, 25).Draw(w.T, "steps") {
		w.step(ctx)
	}
	if w.refuses {
		w.touch()
		w.drain(ctx, Accept)
		w.commit()
	}
	w.drain(ctx, Accept)
	w.compare()
}

func (w *walk) step(ctx context.Context) {
	typ := rapid.SampledFrom(w.types).Draw(w.T, "type")
	name := rapid.SampledFrom(universe[typ]).Draw(w.T, "name")
	if rapid.IntRange(0, 5).Draw(w.T, "all") == 0 && typ != resource.VirtualHost {
		name = "*"
	}
	switch rapid.IntRange(0, 9).Draw(w.T, "step") {
	case 0, 1, 2:
		w.commit()
	case 3, 4:
		w.note("subscribe %s %s", kindOf(typ), name)
		w.must(w.client.Subscribe(ctx, typ, name))
	case 5:
		w.unsubscribe(ctx, typ, name)
	case 6, 7:
		w.note("drain")
		w.drain(ctx, w.verdict)
	case 8:
		w.note("answer")
		w.must(w.client.AnswerAll(ctx, w.verdict))
	case 9:
		w.reconnect(ctx)
	}
}

// unsubscribe waits for rest on both sides in state of the world. A name
// dropped and wanted again while a response is on its way was never dropped
// for the server: both requests bear a stale nonce, and the client has
// forgotten a resource that the server has no reason to send.
func (w *walk) unsubscribe(ctx context.Context, typ resource.Type, name string) {
	if !w.client.topic(typ).names[name] {
		return
	}
	if !w.Delta {
		w.drain(ctx, w.verdict)
		defer w.drain(ctx, w.verdict)
	}
	w.note("unsubscribe %s %s", kindOf(typ), name)
	w.must(w.client.Unsubscribe(ctx, typ, name))
}

func (w *walk) reconnect(ctx context.Context) {
	server := rapid.SampledFrom([]string{"cp-1", "cp-2"}).Draw(w.T, "server")
	// What a client refused it may hold in part: only a walk without refusals
	// can say truly which versions it has.
	with := rapid.Bool().Draw(w.T, "with versions") && !w.refuses
	if rapid.Bool().Draw(w.T, "restart") {
		w.note("restart %s", server)
		w.client.Close()
		w.world.Stop(server)
	}
	w.note("reconnect to %s, with versions: %v", server, with)
	w.client.Close()
	w.connect(server)
	w.must(w.client.Resume(ctx, with))
}

func (w *walk) connect(name string) {
	server, err := w.world.Server(name)
	w.must(err)
	w.client.Connect(server.Conn)
}

func (w *walk) commit() {
	var put, remove []Spec
	for range rapid.IntRange(1, 5).Draw(w.T, "changes") {
		typ := rapid.SampledFrom(w.types).Draw(w.T, "type")
		spec := Spec{
			Namespace: "default", Type: typ,
			Name:    rapid.SampledFrom(universe[typ]).Draw(w.T, "name"),
			Content: rapid.IntRange(1, 3).Draw(w.T, "content"),
		}
		if references[typ] != nil {
			spec.Reference = rapid.SampledFrom(references[typ]).Draw(w.T, "reference")
		}
		key := kindOf(typ) + "/" + spec.Name
		if rapid.IntRange(0, 3).Draw(w.T, "remove") == 0 {
			w.note("remove %s", key)
			remove = append(remove, spec)
			continue
		}
		w.note("put %s>%s", spec.Token(), spec.Reference)
		put = append(put, spec)
	}
	w.must(w.world.Commit(put, remove))
	for _, spec := range remove {
		delete(w.stored, kindOf(spec.Type)+"/"+spec.Name)
	}
	for _, spec := range put {
		w.stored[kindOf(spec.Type)+"/"+spec.Name] = spec
	}
}

// touch gives every resource there can be a content that it never had.
func (w *walk) touch() {
	var put []Spec
	for _, typ := range w.types {
		for _, name := range universe[typ] {
			spec := Spec{Namespace: "default", Type: typ, Name: name, Content: 9}
			if typ == resource.ScopedRoute {
				spec.Reference = "r"
			}
			put = append(put, spec)
			w.stored[kindOf(typ)+"/"+name] = spec
		}
	}
	w.note("touch everything")
	w.must(w.world.Commit(put, nil))
}

func (w *walk) verdict(*Response) string {
	if w.refuses && rapid.IntRange(0, 2).Draw(w.T, "verdict") == 0 {
		return "refused at random"
	}
	return ""
}

func (w *walk) drain(ctx context.Context, verdict func(*Response) string) {
	w.must(w.client.Drain(ctx, w.world, verdict))
}

// compare is the model: what exists and is wanted, and nothing else. In state
// of the world nothing can tell a client that a resource which is not a
// listener or cluster has ceased to exist: it may keep those.
func (w *walk) compare() {
	for _, typ := range w.types {
		t := w.client.topic(typ)
		var want []string
		for _, spec := range w.stored {
			if spec.Type == typ && t.wants(spec.Name) {
				want = append(want, spec.Token())
			}
		}
		slices.Sort(want)
		got := t.tokens()
		if !w.Delta && !typ.FullState() {
			got = slices.DeleteFunc(got, func(token string) bool {
				name, _, _ := strings.Cut(token, "=")
				_, exists := w.stored[name]
				return !exists
			})
		}
		if !slices.Equal(got, want) {
			w.Fatalf("%s: the client, subscribed to %v, holds %v; the configuration has %v\n%s",
				kindOf(typ), t.list(), got, want, strings.Join(w.log, "\n"))
		}
	}
}

func (w *walk) note(format string, args ...any) { w.log = append(w.log, fmt.Sprintf(format, args...)) }

func (w *walk) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatalf("%v\n%s", err, strings.Join(w.log, "\n"))
	}
}
