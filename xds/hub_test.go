package xds

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// drowsy is a store that wakes nobody.
type drowsy struct {
	*store
	silence deltaplane.Publisher
}

func (d *drowsy) Watch() *deltaplane.Watch { return d.silence.Watch() }

func TestWhoAsksAfterACommitIsAnsweredFromIt(t *testing.T) {
	p := &plane{}
	p.store.put(t, cluster("old", 0))
	p.store.commit()
	p.serve(t, &drowsy{store: &p.store}, Config{})
	early := p.client(t, "early")
	early.say("early", resource.Cluster, "old")
	early.hear()

	p.store.put(t, cluster("new", 0))
	p.store.commit()
	for who, c := range map[string]client{"a new stream": p.client(t, "late"), "a stream that asks for more": early} {
		c.say("", resource.Cluster, "new")
		if r := c.hear(); len(r.Resources) != 1 || r.Resources[0].Name != "new" {
			t.Errorf("%s is answered %v, want the new cluster", who, r)
		}
	}
}

func TestVersionsThatComeFasterThanPassesCanBringThemGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var source store
		source.put(t, cluster("a", 0))
		first := source.commit()
		var passes atomic.Int64
		h := newHub(first, &byFleet{}, time.Now, func(*deltaplane.Snapshot) { passes.Add(1) })
		ctx, cancel := context.WithCancel(t.Context())
		watch := source.Watch()
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.follow(ctx, &source, watch)
		}()
		commit := func() deltaplane.Version {
			source.put(t, cluster("a", int(source.version)))
			version := source.commit().Version()
			synctest.Wait()
			return version
		}
		newest := commit()
		if at := h.now.Load().snapshot.Version(); at != newest || passes.Load() != 1 {
			t.Fatalf("a single version: at %d after %d passes, want %d after one", at, passes.Load(), newest)
		}
		h.tempo.draw(passBurst+time.Second, time.Now(), true) // passes took that long
		if newest = commit(); h.now.Load().snapshot.Version() != newest {
			t.Error("a version waits although all clients have answered those before it")
		}
		passes.Store(1)
		slow := &stream{}
		h.roster.enter(slow)
		h.roster.begin() // a pass, which slow's client does not answer
		h.roster.next(make([]*stream, 0, 2))
		for range 100 {
			newest = commit()
		}
		if n := passes.Load() - 1; n != 0 {
			t.Errorf("%d passes while there was no time for any, want none", n)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if at := h.now.Load().snapshot.Version(); at != newest || passes.Load() != 2 {
			t.Errorf("then: at %d after %d passes, want %d after one more", at, passes.Load()-1, newest)
		}
		h.tempo.draw(time.Hour, time.Now(), true)
		if commit(); passes.Load() != 2 {
			t.Error("a version did not wait")
		}
		cancel() // a hub that waits ends with its context
		<-done
	})
}

func TestAnAcknowledgementAsksForNothing(t *testing.T) {
	for _, delta := range []bool{true, false} {
		var source store
		source.put(t, endpoints("a", 0), endpoints("b", 0))
		v := view.New(source.commit(), []string{deltaplane.DefaultNamespace})
		c := &conversation{common: &common{patience: time.Hour, maxNames: 100, maxNamesInAll: 100}, delta: delta, observe: func(Event) {}}
		c.show(v, v.Version(), false)
		ask := func(names []string, asked bool, nonce string) {
			t.Helper()
			q := request{typeURL: resource.Endpoint.URL(), names: names, nonce: nonce}
			if delta && asked {
				q.subscribe = names
			}
			if got, err := c.receive(q); err != nil || got != asked {
				t.Errorf("delta %v, %v after %q: asks %v, %v, want %v", delta, names, nonce, got, err, asked)
			}
		}
		ask([]string{"a"}, true, "")
		ask([]string{"a"}, false, c.next(time.Unix(0, 0)).response.Nonce)
		ask([]string{"a", "b"}, true, c.lanes[0].nonce)
		ask([]string{"a", "b"}, false, c.next(time.Unix(0, 0)).response.Nonce)
	}
}
