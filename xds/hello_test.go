package xds

import (
	"encoding/binary"
	"errors"
	"testing"
	"time"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"golang.org/x/net/http2"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
)

// begin opens a stream on a connection of its own and sends the beginning of a
// request, but for some bytes at its end.
func (x *target) begin(t *testing.T, without int) (framer *http2.Framer, rest []byte) {
	t.Helper()
	m, err := proto.Marshal(&discoveryv3.DeltaDiscoveryRequest{TypeUrl: resource.Cluster.URL(), ResourceNamesSubscribe: []string{"c"}})
	if err != nil {
		t.Fatal(err)
	}
	message := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(m))), m...)
	_, framer = x.raw(t)
	err = errors.Join(framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: open(t), EndHeaders: true}),
		framer.WriteData(1, false, message[:len(message)-without]))
	if err != nil {
		t.Fatal(err)
	}
	return framer, message[len(message)-without:]
}

// answered reads until the server answers with data, or ends the stream.
func answered(framer *http2.Framer) (bool, error) {
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return false, err
		}
		switch f := frame.(type) {
		case *http2.DataFrame:
			return true, nil
		case *http2.HeadersFrame:
			if f.StreamEnded() {
				return false, nil
			}
		case *http2.RSTStreamFrame:
			return false, nil
		}
	}
}

func TestARequestThatIsStillArrivingWhenTheTimeForSilenceIsOverIsAnswered(t *testing.T) {
	x := newTarget(t, Config{HelloTimeout: time.Second})
	framer, rest := x.begin(t, 5)
	x.conn = x.dial(t)
	if got := x.client(t, "silent").code(); got != codes.DeadlineExceeded { // which was opened later
		t.Fatalf("a silent stream ended with %s, want DeadlineExceeded", got)
	}
	if err := framer.WriteData(1, false, rest); err != nil {
		t.Fatal(err)
	}
	if ok, err := answered(framer); !ok || err != nil {
		t.Errorf("the stream was ended (%v), want an answer", err)
	}
}

func TestAClientThatDripsIsTurnedAway(t *testing.T) {
	x := newTarget(t, Config{HelloTimeout: 100 * time.Millisecond})
	x.serves(t)
	framer, rest := x.begin(t, 60)
	drip := time.NewTicker(50 * time.Millisecond)
	defer drip.Stop()
	ended := make(chan error, 1)
	go func() {
		ok, err := answered(framer)
		if ok {
			err = errors.New("it was answered")
		}
		ended <- err
	}()
	for drops := 0; ; drops++ {
		select {
		case <-drip.C:
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
			x.serves(t)
			return
		}
		if drops == len(rest) {
			t.Fatal("a request was taken whose parts came one after the other")
		}
		if err := framer.WriteData(1, false, rest[drops:drops+1]); err != nil {
			t.Fatal(err)
		}
	}
}
