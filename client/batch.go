package client

import (
	"errors"
	"strings"

	discoveryv3 "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"
)

// batch is what one or more responses changed, merged: of each resource only
// its newest state. It is answered as a whole.
type batch struct {
	changes map[string]change
	nonces  []string // of the responses in it; none of those of an earlier stream
	faults  []error
	stale   bool // a later stream was told that the client holds it
}

// put makes c the newest state of its resource. That the application has
// something which is no longer held does not change with it.
func (b *batch) put(c change) {
	if b.changes == nil {
		b.changes = map[string]change{}
	}
	c.forced = c.forced || b.changes[c.name].forced
	b.changes[c.name] = c
}

// get is the batch's word about a resource. b may be nil.
func (b *batch) get(name string) (change, bool) {
	if b == nil {
		return change{}, false
	}
	c, ok := b.changes[name]
	return c, ok
}

// maxDetailBytes bounds the reasons in one refusal.
const maxDetailBytes = 4 << 10

// answer accepts a response, or with reasons refuses it (xDS protocol, "ACK",
// "NACK").
func answer(url, nonce string, reasons []error) *discoveryv3.DeltaDiscoveryRequest {
	q := &discoveryv3.DeltaDiscoveryRequest{TypeUrl: url, ResponseNonce: nonce}
	if len(reasons) > 0 {
		detail := errors.Join(reasons...).Error()
		if len(detail) > maxDetailBytes {
			detail = detail[:maxDetailBytes] + "…"
		}
		q.ErrorDetail = &status.Status{Code: int32(codes.InvalidArgument), Message: strings.ToValidUTF8(detail, "�")}
	}
	return q
}
