package relay

import "google.golang.org/protobuf/encoding/protowire"

// numbers are those of fields of the incremental protocol's messages
// (envoy.service.discovery.v3).
type numbers struct{ typeURL, nonce, failure protowire.Number }

var (
	responseFields = numbers{typeURL: 4, nonce: 5}             // DeltaDiscoveryResponse
	requestFields  = numbers{typeURL: 2, nonce: 6, failure: 7} // DeltaDiscoveryRequest
)

// fields reads what there is of a message's type, its nonce, and whether it
// tells of a failure. Of what is no such message, it reads what it can.
func fields(body []byte, of numbers) (typeURL, nonce string, failed bool) {
	for len(body) > 0 {
		number, kind, n := protowire.ConsumeTag(body)
		if n < 0 {
			return typeURL, nonce, failed
		}
		value := body[n:]
		n = protowire.ConsumeFieldValue(number, kind, value)
		if n < 0 {
			return typeURL, nonce, failed
		}
		if kind == protowire.BytesType {
			content, _ := protowire.ConsumeBytes(value)
			switch number {
			case of.typeURL:
				typeURL = string(content)
			case of.nonce:
				nonce = string(content)
			case of.failure:
				failed = true
			}
		}
		body = value[n:]
	}
	return typeURL, nonce, failed
}
