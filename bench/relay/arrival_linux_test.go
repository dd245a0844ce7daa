package relay

import (
	"net"
	"testing"
	"time"
)

// What is sent on loopback has arrived when the call that sends it returns,
// however late it is read. The kernel begins to date some time after it is
// asked to.
func TestWhatIsReadLateIsDatedWhenItArrived(t *testing.T) {
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listen.Close()
	out, err := net.Dial("tcp", listen.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := listen.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	a, err := newArrivals(in.(*net.TCPConn))
	if err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
		before := time.Now()
		if _, err := out.Write([]byte("some")); err != nil {
			t.Fatal(err)
		}
		written := time.Now()
		n, at, err := a.read(make([]byte, 100))
		if err != nil || n != 4 || at.Before(before.Round(0)) {
			t.Fatalf("%d bytes, %v after they were sent, error %v", n, at.Sub(before), err)
		}
		if !at.After(written) {
			return
		}
	}
	t.Error("the kernel does not say when bytes arrive")
}
