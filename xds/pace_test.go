package xds

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

func TestConnectionsThatFloodShareAPartOfTheProcessorAndOthersAreFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const floods, run, cost = 50, 60 * time.Second, 10 * time.Millisecond
		common := newCommonBucket(time.Now())
		var spent [floods]time.Duration
		end := time.Now().Add(run)
		done := make(chan bool)
		for i := range floods {
			go func() {
				p := pace{newBucket(ownShare, requestBurst, time.Now()), common}
				for time.Now().Before(end) {
					if p.admit(t.Context(), time.Now) != nil {
						break
					}
					p.spend(cost, time.Now())
					spent[i] += cost
				}
				done <- true
			}()
		}
		for range floods {
			<-done
		}
		var all time.Duration
		for _, s := range spent {
			all += s
		}
		bound := floods*(requestBurst+time.Duration(ownShare*float64(run))+cost) +
			time.Second + time.Duration(commonShare*float64(runtime.GOMAXPROCS(0))*float64(run)) + floods*cost
		if all > bound || all < bound/2 {
			t.Errorf("%d floods took %s of work in %s, want up to %s and not much less", floods, all, run, bound)
		}
		fresh := pace{newBucket(ownShare, requestBurst, time.Now()), common}
		for range 100 {
			before := time.Now()
			if err := fresh.admit(t.Context(), time.Now); err != nil || time.Since(before) > 0 {
				t.Fatalf("a client that just came waited %s", time.Since(before))
			}
			fresh.spend(cost, time.Now())
		}
	})
}
