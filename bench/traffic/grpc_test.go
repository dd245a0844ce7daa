package traffic

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"
)

func TestAMessageIsWhatItsFrameHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		message := rapid.SliceOf(rapid.Byte()).Draw(t, "message")
		framed := frame(message)
		if got, err := unframe(framed); err != nil || !bytes.Equal(got, message) {
			t.Fatalf("%v, error %v", got, err)
		}
		if _, err := unframe(framed[:rapid.IntRange(0, len(framed)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("a frame that is cut off is one")
		}
		framed[0] = 1
		if _, err := unframe(framed); err == nil {
			t.Fatal("a compressed message is read")
		}
	})
}
