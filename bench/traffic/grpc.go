package traffic

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
)

// frameHead is what stands before a message of gRPC: whether it is compressed,
// and its length.
const frameHead = 5

// frame is a message as gRPC sends it, uncompressed.
func frame(message []byte) []byte {
	b := make([]byte, frameHead, frameHead+len(message))
	binary.BigEndian.PutUint32(b[1:], uint32(len(message)))
	return append(b, message...)
}

// errFrame is for what is no single, uncompressed message of gRPC.
var errFrame = errors.New("not one uncompressed message of gRPC")

// unframe is the message in b.
func unframe(b []byte) ([]byte, error) {
	if len(b) < frameHead || b[0] != 0 || uint64(binary.BigEndian.Uint32(b[1:])) != uint64(len(b)-frameHead) {
		return nil, errFrame
	}
	return b[frameHead:], nil
}

// callError is the failure that a call's trailers, or headers of an answer
// without a body, tell of; nil for none.
func callError(resp *http.Response) error {
	for _, from := range []http.Header{resp.Trailer, resp.Header} {
		switch status := from.Get("Grpc-Status"); status {
		case "":
		case "0":
			return nil
		default:
			return fmt.Errorf("grpc-status %s: %.80s", status, from.Get("Grpc-Message"))
		}
	}
	return errors.New("an answer without grpc-status")
}
