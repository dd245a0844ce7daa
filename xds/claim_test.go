package xds

import (
	"fmt"
	"testing"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

// comesBack is the first request of a client that says it holds n names which
// nobody has; of different kinds no two are the same.
func comesBack(kind string, n int) request {
	had := map[string]string{}
	for i := range n {
		had[fmt.Sprint(kind, i)] = "1"
	}
	return request{typeURL: resource.Cluster.URL(), initial: had}
}

// join is another client of the same server.
func (k *talker) join() *conversation {
	talk := &conversation{common: k.talk.common, delta: true, observe: func(Event) {}}
	talk.show(k.view, k.view.Version(), false)
	return talk
}

func TestWhatThoseWhoComeBackSayIsBounded(t *testing.T) {
	k := newTalker(t, false)
	k.store.put(t, cluster("c", 0))
	k.commit()
	common := k.talk.common
	common.maxNamesInAll = 10
	first, second, third := k.join(), k.join(), k.join()
	if _, err := first.receive(comesBack("a", 6)); err != nil {
		t.Fatal(err)
	}
	if _, err := second.receive(comesBack("b", 6)); status.Code(err) != codes.ResourceExhausted {
		t.Errorf("six further names of ten: %v, want %s", err, codes.ResourceExhausted)
	}
	if second.close(); common.claims.total() != 6 {
		t.Errorf("%d names are held after one was refused, want 6", common.claims.total())
	}

	// An answer that is acknowledged makes room, one that is refused does not.
	answer := first.next(k.now)
	if answer == nil {
		t.Fatal("no answer")
	}
	refused := request{typeURL: resource.Cluster.URL(), nonce: answer.response.Nonce, refusal: status.New(codes.Internal, "no").Proto()}
	if _, err := first.receive(refused); err != nil || common.claims.total() != 6 {
		t.Errorf("after a refusal %d names are held, want 6 (%v)", common.claims.total(), err)
	}
	first.resync()
	if answer = first.next(k.now); answer == nil {
		t.Fatal("no answer after a resync")
	}
	if _, err := first.receive(request{typeURL: resource.Cluster.URL(), nonce: answer.response.Nonce}); err != nil || common.claims.total() != 0 {
		t.Errorf("after an acknowledgement %d names are held, want none (%v)", common.claims.total(), err)
	}
	if _, err := third.receive(comesBack("b", 6)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	third.close()
	first.close()
	if common.claims.total() != 0 || len(common.claims.lists) != 0 {
		t.Errorf("%d names in %d lists are held by nobody", common.claims.total(), len(common.claims.lists))
	}
}

func TestWhoIsInSyncHoldsNoClaim(t *testing.T) {
	k := newTalker(t, false)
	k.store.put(t, cluster("c", 0))
	k.commit()
	held, _ := k.view.Table(resource.Cluster).Get("c")
	k.says(request{typeURL: resource.Cluster.URL(), initial: map[string]string{"c": held.Digest().String()}})
	if s := k.talk.next(k.now); s != nil {
		t.Fatalf("something was sent to a client in sync: %v", s)
	}
	if n := k.talk.common.claims.total(); n != 0 {
		t.Errorf("%d names are held for it", n)
	}
}

func TestOneListOfManyCountsOnce(t *testing.T) {
	k := newTalker(t, false)
	k.talk.common.maxNamesInAll = 10
	in := newIntake(100, &k.talk.common.resumed)
	list, err := proto.Marshal(&discoveryv3.DeltaDiscoveryRequest{InitialResourceVersions: comesBack("a", 9).initial})
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		q := comesBack("a", 9)
		held, ok := in.resumed.Of(versionsIn(list))
		if !ok {
			t.Fatal("the list is not read")
		}
		q.resumed = &held
		if _, err := k.join().receive(q); err != nil {
			t.Fatal(err)
		}
	}
	if n := k.talk.common.claims.total(); n != 9 {
		t.Errorf("%d names are held, want the 9 of one list", n)
	}
}
