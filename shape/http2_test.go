package shape_test

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// sendHTTP2 returns the status and headers of the answer to one HTTP/2 request
// of these headers, name after name with its value, and its leaf.
func sendHTTP2(t *testing.T, address string, headers ...string) answer {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(envoytest.Patience))
	var block bytes.Buffer
	e := hpack.NewEncoder(&block)
	for i := 0; i < len(headers); i += 2 {
		_ = e.WriteField(hpack.HeaderField{Name: headers[i], Value: headers[i+1]})
	}
	framer := http2.NewFramer(conn, conn)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	if _, err := conn.Write([]byte(http2.ClientPreface)); err != nil {
		t.Fatal(err)
	}
	_ = framer.WriteSettings()
	_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: headers[1] != http.MethodConnect})
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return answer{text: "the connection ended"}
		}
		switch f := frame.(type) {
		case *http2.RSTStreamFrame:
			return answer{text: fmt.Sprint("reset: ", f.ErrCode)}
		case *http2.GoAwayFrame:
			return answer{text: fmt.Sprint("go away: ", f.ErrCode)}
		case *http2.MetaHeadersFrame:
			a := answer{}
			for _, h := range f.Fields {
				switch h.Name {
				case "x-leaf":
					a.leaf = h.Value
				case "x-seen":
					a.seen = append(a.seen, h.Value)
				case "date", "x-envoy-upstream-service-time":
				default:
					a.text += h.Name + ": " + h.Value + "\n"
				}
			}
			return a
		}
	}
}

// http2Requests are the headers of odd HTTP/2 requests. Those without a valid
// authority or path are none: Envoy ends their connection.
func http2Requests() (all [][]string) {
	for _, authority := range []string{"alpha.test", "ALPHA.test", "metric.test.", "[::1]", "[::1]:80", "%odd'):1%", "unknown"} {
		for _, path := range []string{"/a/b", "/x", "/", "/é", "/\xff", "/a#b"} {
			all = append(all, []string{":method", "GET", ":scheme", "http", ":authority", authority, ":path", path})
		}
	}
	return append(all,
		[]string{":method", "CONNECT", ":authority", "alpha.test:1"},
		[]string{":method", "CONNECT", ":authority", "Metric.test"},
		[]string{":method", "CONNECT", ":authority", "alpha.test", ":protocol", "websocket", ":scheme", "http", ":path", "/ws"},
		[]string{":method", "CONNECT", ":authority", "unknown", ":protocol", "connect-udp", ":scheme", "http", ":path", "/.well-known/masque/udp/a/1/"},
		[]string{":method", "GET", ":scheme", "http", ":path", "/a/b", "host", "alpha.test"},
	)
}
