package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	clusterv3 "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/protobuf/types/known/anypb"
)

func TestASlowApplicationGetsTheNewestStateInOneUpdate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		goOn := make(chan struct{})
		lines, _ := following(t.Context(), t, s.stream, func(*Update[*clusterv3.Cluster]) { <-goOn })
		wire, _ := s.opened()
		wire.come <- have("0", "v0", 0, "a", "b")
		<-lines
		// The server does not wait for answers; more comes than may wait.
		taken := 0
		for ; ; taken++ {
			m := have(fmt.Sprint("n", taken), fmt.Sprint("v", taken+1), 0, "a")
			if taken == 5 {
				m.RemovedResources = []string{"b"}
			}
			select {
			case wire.come <- m:
			case <-time.After(time.Minute): // the stream is not read any more
			}
			if synctest.Wait(); s.stream.Status().Responses != uint64(taken+2) {
				break
			}
		}
		if taken != maxUnanswered-1 {
			t.Errorf("%d responses wait for the application, want %d", taken+1, maxUnanswered)
		}
		close(goOn)
		if q := <-wire.sent; q.ResponseNonce != "0" {
			t.Errorf("the first answer is %v", q)
		}
		if got, want := <-lines, fmt.Sprintf("+a=v%d -b ", taken); got != want {
			t.Errorf("the second update says %q, want %q", got, want)
		}
		for i := range taken {
			if q := <-wire.sent; q.ResponseNonce != fmt.Sprint("n", i) {
				t.Errorf("answer %d is %v", i, q)
			}
		}
		if got, want := <-lines, fmt.Sprintf("+a=v%d ", taken+1); got != want {
			t.Errorf("the third update says %q, want %q", got, want)
		}
		s.stream.Close()
	})
}

func TestWhatIsWrongWithAResponseIsRefusedAndTheRestTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		lines, _ := following(t.Context(), t, s.stream, nil)
		wire, _ := s.opened()
		m := have("1", "v1", 0, "good", "twice", "twice", "torn", "other", "")
		m.Resources[3].Resource.Value = []byte{0xff, 0xff}
		m.Resources[4].Resource = &anypb.Any{TypeUrl: typeURLPrefix + "envoy.config.listener.v3.Listener"}
		wire.come <- m
		if got := <-lines; got != "+good=v1 +twice=v1 " {
			t.Errorf("the application gets %q", got)
		}
		q := <-wire.sent
		for _, word := range []string{`"twice" comes twice`, "torn: it does not parse", `"other" is a envoy.config.listener.v3.Listener`, "no name"} {
			if !strings.Contains(q.GetErrorDetail().GetMessage(), word) {
				t.Errorf("the refusal lacks %q: %v", word, q)
			}
		}
		// All of it wrong: the application need not know.
		wire.come <- &discoveryv3.DeltaDiscoveryResponse{TypeUrl: clusterURL, Nonce: "2", Resources: m.Resources[3:4]}
		if q := <-wire.sent; q.ResponseNonce != "2" || q.ErrorDetail == nil {
			t.Errorf("the answer is %v", q)
		}
		wire.come <- have("3", "v2", 0, "torn")
		if got := <-lines; got != "+torn=v2 " {
			t.Errorf("the application gets %q", got)
		}
		s.stream.Close()
	})
}

func TestWhatWasNotAskedForIsNotAnswered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		lines, _ := following(t.Context(), t, s.stream, nil, "a")
		wire, _ := s.opened()
		other := have("1", "v1", 0, "a")
		other.TypeUrl = typeURLPrefix + "envoy.config.listener.v3.Listener"
		wire.come <- other // an answer would subscribe to all listeners
		stranger := have("2", "v1", 0, "a", "stranger")
		stranger.RemovedResources = []string{"nobody"}
		wire.come <- stranger
		if got := <-lines; got != "+a=v1 " {
			t.Errorf("the application gets %q", got)
		}
		if q := <-wire.sent; q.ResponseNonce != "2" {
			t.Errorf("the answer is %v", q)
		}
		s.stream.Close()
	})
}

func TestTheSameResponseTwiceIsAnsweredTwiceAndHandedOutOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		lines, _ := following(t.Context(), t, s.stream, nil)
		wire, _ := s.opened()
		for i := range 3 {
			wire.come <- have("same", "v1", 0, "a")
			if i == 0 {
				<-lines
			}
			if q := <-wire.sent; q.ResponseNonce != "same" || q.ErrorDetail != nil {
				t.Errorf("the answer is %v", q)
			}
		}
		// A version without a new content is none, a content without a new version is.
		changed := have("other", "v1", 0, "a")
		changed.Resources[0].Resource = have("", "v2", 0, "a").Resources[0].Resource
		wire.come <- changed
		if got := <-lines; got != "+a=v2 " {
			t.Errorf("the application gets %q", got)
		}
		s.stream.Close()
	})
}

// A refusal that the old stream was not told of must reach the new one.
func TestARefusalThatComesAfterTheStreamWasLostIsToldOnTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		verdict := make(chan error)
		lines, _ := following(t.Context(), t, s.stream, func(u *Update[*clusterv3.Cluster]) { u.Refuse(<-verdict, "a") }, "a")
		wire, _ := s.opened()
		wire.come <- have("1", "v1", 0, "a")
		<-lines
		verdict <- nil
		<-wire.sent
		wire.come <- have("2", "v2", 0, "a")
		<-lines
		wire.fail <- errTest
		_, hello := s.opened()
		if hello.InitialResourceVersions["a"] != "v2" {
			t.Errorf("while a at v2 is with the application, %v is said to be held", hello.InitialResourceVersions)
		}
		verdict <- errTest
		wire, hello = s.opened()
		if hello.InitialResourceVersions["a"] != "v1" {
			t.Errorf("after the refusal %v is said to be held", hello.InitialResourceVersions)
		}
		wire.come <- have("1'", "v2", 0, "a")
		<-lines
		verdict <- errTest
		if q := <-wire.sent; q.ResponseNonce != "1'" || q.GetErrorDetail().GetMessage() != "a: "+errTest.Error() {
			t.Errorf("the answer is %v", q)
		}
		s.stream.Close()
	})
}

func TestTypesOnOneStreamComeAndGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		first, err := NewWatcher[*clusterv3.Cluster](t.Context(), s.stream)
		if err != nil {
			t.Fatal(err)
		}
		wire, _ := s.opened()
		if _, err := NewWatcher[*clusterv3.Cluster](t.Context(), s.stream); !errors.Is(err, ErrWatched) {
			t.Errorf("a second watcher of the type: %v", err)
		}
		wire.come <- have("1", "v1", 0, "a")
		synctest.Wait()
		first.Close()
		if q := <-wire.sent; q.ResponseNonce != "1" {
			t.Errorf("the open response is answered by %v", q)
		}
		if q := <-wire.sent; !slices.Equal(q.ResourceNamesUnsubscribe, []string{"*"}) {
			t.Errorf("the end of the watch is told as %v", q)
		}
		wire.come <- have("2", "v2", 0, "a") // it crossed with that
		if q := <-wire.sent; q.ResponseNonce != "2" {
			t.Errorf("the answer is %v", q)
		}
		lines, _ := following(t.Context(), t, s.stream, nil, "b")
		if q := <-wire.sent; !slices.Equal(q.ResourceNamesSubscribe, []string{"b"}) || q.InitialResourceVersions != nil {
			t.Errorf("the second watch is told as %v", q)
		}
		wire.come <- have("3", "v1", 0, "b")
		if got := <-lines; got != "+b=v1 " {
			t.Errorf("the application gets %q", got)
		}
		s.stream.Close()
		if _, err := first.Next(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("Next after Close: %v", err)
		}
	})
}

func TestTheContextOfASharedWatchEndsItAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t.Context(), t)
		ctx, cancel := context.WithCancelCause(t.Context())
		w, err := NewWatcher[*clusterv3.Cluster](ctx, s.stream)
		if err != nil {
			t.Fatal(err)
		}
		wire, _ := s.opened()
		cancel(errTest)
		if q := <-wire.sent; !slices.Equal(q.ResourceNamesUnsubscribe, []string{"*"}) {
			t.Errorf("the end of the watch is told as %v", q)
		}
		if _, err := w.Next(t.Context()); !errors.Is(err, errTest) {
			t.Errorf("Next after the end: %v", err)
		}
		s.is(Subscribing)
		s.stream.Close()
	})
}
