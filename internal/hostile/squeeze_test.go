package hostile

import (
	"bytes"
	"compress/gzip"
	"io"
	"testing"

	"google.golang.org/grpc/encoding"
)

// squeezer is gzip's name on the wire.
const squeezer = "gzip"

// squeezed is so many zeros, compressed.
func squeezed(t *testing.T, size int) payload {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	for range size >> 20 {
		if _, err := w.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// squeezes says that a payload is gzip, which it is already.
type squeezes struct{}

func init() { encoding.RegisterCompressor(squeezes{}) }

func (squeezes) Name() string { return squeezer }

func (squeezes) Compress(w io.Writer) (io.WriteCloser, error) { return open{w}, nil }

func (squeezes) Decompress(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }

type open struct{ io.Writer }

func (open) Close() error { return nil }
