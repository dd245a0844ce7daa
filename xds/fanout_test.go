package xds

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/view"
)

// Every request of such a client leads to a decision of its own, as large as
// all the names before it; nobody else will ever need it.
func TestAClientThatAsksNameByNameCostsLittleMemory(t *testing.T) {
	var s store
	v := view.New(s.commit(), []string{deltaplane.DefaultNamespace})
	shared := &common{patience: time.Hour, maxNames: 1 << 16, maxNamesInAll: 1 << 16}
	talk := &conversation{common: shared, delta: true, observe: func(Event) {}}
	talk.show(v, v.Version(), false)
	before := heapBytes()
	now := time.Unix(0, 0)
	for i := range 2000 {
		if _, err := talk.receive(request{typeURL: resource.Endpoint.URL(), subscribe: []string{fmt.Sprint("name-", i)}}); err != nil {
			t.Fatal(err)
		}
		talk.next(now) // the first answer is never acknowledged
		talk.plan(talk.lane(resource.Endpoint), false, now)
	}
	if mb := (heapBytes() - before) >> 20; mb > 180 {
		t.Errorf("2,000 names hold %d MB", mb)
	}
	runtime.KeepAlive(shared)
}

func heapBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A hundred clients may come before the first of them is served.
func TestWhatManyNeedAtOnceIsDecidedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var f fanout
		var decided atomic.Int32
		made := make(chan struct{})
		key := fanoutKey{typ: resource.Cluster, sub: new(view.Interner).Of(true, nil)}
		plans := make([]*plan, 100)
		var all sync.WaitGroup
		for i := range plans {
			all.Go(func() {
				plans[i] = f.plan(key, func() *plan {
					decided.Add(1)
					<-made
					return &plan{}
				})
			})
		}
		synctest.Wait()
		close(made)
		all.Wait()
		if n := decided.Load(); n != 1 {
			t.Errorf("%d decisions", n)
		}
		for _, p := range plans {
			if p == nil || p != plans[0] {
				t.Fatal("they do not share it")
			}
		}
		if len(f.made) != 0 {
			t.Error("a decision that is made is waited for")
		}
	})
}
