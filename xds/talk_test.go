package xds

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// talker is one incremental client on an aggregated stream, word for word.
type talker struct {
	t      *testing.T
	store  store
	view   *view.View
	talk   *conversation
	now    time.Time
	nonces map[resource.Type]string
}

func newTalker(t *testing.T, envoy bool) *talker {
	k := &talker{t: t, now: time.Unix(0, 0), nonces: map[resource.Type]string{}}
	shared := &common{patience: 15 * time.Second, drain: 5 * time.Second, maxNames: 100, maxNamesInAll: 100}
	k.talk = &conversation{common: shared, delta: true, envoy: envoy, observe: func(Event) {}}
	k.view = view.New(k.store.commit(), []string{deltaplane.DefaultNamespace})
	k.talk.show(k.view, k.view.Version(), false)
	return k
}

func (k *talker) commit() {
	k.view = k.view.At(k.store.commit())
	k.talk.show(k.view, k.view.Version(), false)
}

func (k *talker) says(q request) {
	k.t.Helper()
	if _, err := k.talk.receive(q); err != nil {
		k.t.Fatal(err)
	}
}

func (k *talker) subscribes(typ resource.Type, names ...string) {
	k.t.Helper()
	k.says(request{typeURL: typ.URL(), subscribe: names})
}

func (k *talker) accepts(typ resource.Type) {
	k.t.Helper()
	k.says(request{typeURL: typ.URL(), nonce: k.nonces[typ]})
}

// hears fails unless what comes next is as told, such as "Cluster +a -b", or
// nothing.
func (k *talker) hears(want string) {
	k.t.Helper()
	got := ""
	if s := k.talk.next(k.now); s != nil {
		k.nonces[s.lane.typ] = s.response.Nonce
		words := []string{s.lane.typ.Short()}
		for _, u := range s.plan.Upserts {
			words = append(words, "+"+u.Name())
		}
		for _, name := range slices.Concat(s.plan.Removed, s.plan.Missing) {
			words = append(words, "-"+name)
		}
		got = strings.Join(words, " ")
	}
	if got != want {
		k.t.Fatalf("heard %q, want %q", got, want)
	}
}

// settles accepts everything until nothing comes.
func (k *talker) settles() {
	k.t.Helper()
	for s := k.talk.next(k.now); s != nil; s = k.talk.next(k.now) {
		k.nonces[s.lane.typ] = s.response.Nonce
		k.accepts(s.lane.typ)
	}
}
