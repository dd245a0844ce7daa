package relay

import "net"

// wayBytes is how much is read at once.
const wayBytes = 64 << 10

// carry has messages found in what arrives, hands it on, and tells passed, until
// either connection ends.
func carry(from, to *net.TCPConn, messages *reader, passed func()) {
	arrivals, err := newArrivals(from)
	if err != nil {
		return
	}
	buffer := make([]byte, wayBytes)
	for {
		n, at, err := arrivals.read(buffer)
		if err != nil || n == 0 {
			return
		}
		messages.take(buffer[:n], at)
		if _, err := to.Write(buffer[:n]); err != nil {
			return
		}
		passed()
	}
}
