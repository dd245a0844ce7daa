package xds

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/deltaplane/deltaplane/resource"
)

// Fields of DeltaDiscoveryRequest; a test compares with the generated message.
const (
	typeURLOfDelta protowire.Number = 2
	nonceOfDelta   protowire.Number = 6
)

// servedURLs has the type URL of each type that is served by itself, to take a
// string for bytes without making one.
var servedURLs = func() map[string]string {
	urls := map[string]string{}
	for _, t := range resource.Served() {
		urls[t.URL()] = t.URL()
	}
	return urls
}()

// receipt is what an acknowledgement says: nearly all requests are one, as each
// proxy sends one for each response.
type receipt struct{ typeURL, nonce string }

// readReceipt reads data if it is an acknowledgement of a delta response of a
// type that is served and nothing else; ok is false if protobuf is to read it.
// It allocates the nonce alone.
func readReceipt(data []byte) (r receipt, ok bool) {
	for len(data) > 0 {
		number, kind, n := protowire.ConsumeTag(data)
		if n < 0 || kind != protowire.BytesType {
			return r, false
		}
		text, m := protowire.ConsumeBytes(data[n:])
		if m < 0 {
			return r, false
		}
		data = data[n+m:]
		switch {
		case number == typeURLOfDelta && r.typeURL == "":
			r.typeURL = servedURLs[string(text)]
		case number == nonceOfDelta && r.nonce == "" && utf8.Valid(text):
			r.nonce = string(text)
		default:
			return r, false
		}
	}
	return r, r.typeURL != "" && r.nonce != ""
}
