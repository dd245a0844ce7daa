package cost

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestAChangeSendsItsResourceAndNothingElse(t *testing.T) {
	const streams, changes = 20, 5
	const envelope = 500 // type URL three times, two digests of 64 characters, names, nonce
	var sent [2]int64
	for i, resources := range []int{100, 5000} {
		w := newWorld(t, xds.Config{}, many(resources, cluster)...)
		w.join(streams, 1, wildcards(resource.Cluster))
		responses, bodies, bytes := w.heard.responses.Load(), w.heard.resources.Load(), w.heard.bytes.Load()
		if bodies != streams*int64(resources) {
			t.Errorf("%d proxies have heard of %d resources, want all %d each", streams, bodies, resources)
		}
		for n := range changes {
			w.change(cluster(7, n+1), streams)
		}
		responses, bodies, bytes = w.heard.responses.Load()-responses, w.heard.resources.Load()-bodies, w.heard.bytes.Load()-bytes
		if responses != streams*changes || bodies != streams*changes || w.heard.removed.Load() != 0 {
			t.Errorf("%d responses with %d resources, want %d of one each", responses, bodies, streams*changes)
		}
		if most := int64(proto.Size(cluster(7, changes)) + envelope); bytes > responses*most {
			t.Errorf("%d bytes for each response, want at most %d", bytes/responses, most)
		}
		sent[i] = bytes
	}
	// Nonces count in base 36 and may differ by a digit.
	if sent[1] > sent[0]+streams*changes || sent[0] > sent[1]+streams*changes {
		t.Errorf("changes among 100 resources send %d bytes, among 5,000 %d", sent[0], sent[1])
	}
}
