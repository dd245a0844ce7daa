package xds

import (
	"bytes"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"golang.org/x/net/http2"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

func newRoom(size int) *room {
	return &room{max: size, limit: size, log: slog.New(slog.DiscardHandler), metric: func() {}, all: map[*inbound]struct{}{}}
}

// take takes n bytes for in, or reports that in has been closed.
func (r *room) take(in *inbound, n int) error {
	if has := r.ask(in, n); has != nil {
		return r.await(in, has)
	}
	return nil
}

func TestRoomGoesToWhoeverHasWaitedLongest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(100)
		first, large, small := r.connect(nil), r.connect(nil), r.connect(nil)
		got := make(chan string, 2)
		wait := func(name string, in *inbound, n int) {
			go func() {
				if err := r.take(in, n); err != nil {
					t.Error(err)
				}
				got <- name
			}()
			synctest.Wait()
		}
		if err := r.take(first, 60); err != nil {
			t.Fatal(err)
		}
		wait("large", large, 90)
		wait("small", small, 30) // there would be room for it
		r.give(first, 60)
		synctest.Wait()
		if name := <-got; name != "large" || len(got) != 0 || r.taken() != 90 {
			t.Errorf("%s has room, %d bytes are taken, want the large one alone", name, r.taken())
		}
		r.leave(large)
		if name := <-got; name != "small" {
			t.Errorf("%s has room", name)
		}
	})
}

func TestAConnectionThatIsClosedWhileItWaitsTakesNoRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(100)
		first, second := r.connect(nil), r.connect(nil)
		if err := r.take(first, 60); err != nil {
			t.Fatal(err)
		}
		end := make(chan error, 1)
		go func() { end <- r.take(second, 60) }()
		synctest.Wait()
		second.close()
		if err := <-end; !errors.Is(err, errNoRoom) {
			t.Errorf("it got %v, want errNoRoom", err)
		}
		first.close()
		if r.taken() != 0 || len(r.queue) != 0 {
			t.Errorf("%d bytes are taken, %d wait", r.taken(), len(r.queue))
		}
	})
}

func TestNobodyHasToGoWhileRoomIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(100)
		slow, waits := r.connect(nil), r.connect(nil)
		if err := r.take(slow, 100); err != nil {
			t.Fatal(err)
		}
		end := make(chan error, 1)
		go func() { end <- r.take(waits, 100) }()
		for range 10 {
			time.Sleep(roomPatience - time.Millisecond) // of synctest's clock
			r.give(slow, 10)
		}
		if err := <-end; err != nil {
			t.Error(err)
		}
	})
}

// The end of the first and the beginning of the second are read together.
func TestARequestIsDecodedWhileTheNextOneOfItsStreamWaitsForRoom(t *testing.T) {
	x := newTarget(t, Config{MaxRequestBytesInAll: 2 * small})
	x.serves(t)
	conn, framer := x.raw(t)
	var wire bytes.Buffer
	writer := http2.NewFramer(&wire, nil)
	err := writer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: open(t), EndHeaders: true})
	for _, typ := range []resource.Type{resource.Cluster, resource.Endpoint, resource.Listener} {
		m, wrong := proto.Marshal(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: typ.URL(), ResourceNamesSubscribe: []string{"c", strings.Repeat("n", small-1), "d"}})
		message := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)
		err = errors.Join(err, wrong, writer.WriteData(1, false, message))
	}
	if _, wrong := conn.Write(wire.Bytes()); err != nil || wrong != nil {
		t.Fatal(err, wrong)
	}
	for range 3 {
		if ok, err := answered(framer); !ok || err != nil {
			t.Fatalf("the stream was ended (%v), want an answer", err)
		}
	}
	conn.Close()
	x.settles(t)
}
