package deltaplane

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/radix"
)

func snapshotAt(v Version) *Snapshot {
	return NewSnapshot(v, time.Unix(int64(v), 0), radix.Tree[*Entry]{})
}

func TestTheZeroPublisherHoldsTheEmptySnapshot(t *testing.T) {
	var p Publisher
	if s := p.Latest(); s.Version() != 0 || s.Tree().Len() != 0 {
		t.Fatalf("it holds %+v", s)
	}
}

func TestAWatchMergesWhatItMissed(t *testing.T) {
	var p Publisher
	w := p.Watch()
	for v := range Version(5) {
		p.Publish(snapshotAt(v + 1))
	}
	if s, err := w.Next(t.Context()); err != nil || s.Version() != 5 {
		t.Fatalf("next is %v, %v", s, err)
	}
	select {
	case <-w.Changed():
		t.Fatal("there is nothing newer")
	default:
	}
	p.Publish(snapshotAt(6))
	<-w.Changed()
	if s, err := w.Next(t.Context()); err != nil || s.Version() != 6 {
		t.Fatalf("next is %v, %v", s, err)
	}
}

func TestAnOlderSnapshotIsNotPublished(t *testing.T) {
	var p Publisher
	p.Publish(snapshotAt(3))
	w := p.Watch()
	p.Publish(snapshotAt(2))
	p.Publish(snapshotAt(3))
	if p.Latest().Version() != 3 {
		t.Fatal(p.Latest().Version())
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if _, err := w.Next(ctx); !errors.Is(err, why) {
		t.Fatalf("error is %v", err)
	}
}

func TestEveryWatchSeesGrowingVersionsAndTheLastOne(t *testing.T) {
	const last = 2000
	var p Publisher
	var all sync.WaitGroup
	for range 4 {
		w := p.Watch()
		all.Go(func() {
			for seen := Version(0); seen < last; {
				s, err := w.Next(t.Context())
				if err != nil || s.Version() <= seen {
					t.Errorf("after %d: %v, %v", seen, s, err)
					return
				}
				seen = s.Version()
			}
		})
	}
	for v := range Version(last) {
		p.Publish(snapshotAt(v + 1))
	}
	all.Wait()
}
