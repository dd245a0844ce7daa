package swarm

import (
	"testing"

	corev3 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	"google.golang.org/protobuf/proto"
)

func TestSwarmsOfOtherNumbersAreOtherNodes(t *testing.T) {
	text, err := (&Config{First: 1000, Cluster: "bench"}).node(7)
	var n corev3.Node
	if err == nil {
		err = proto.Unmarshal(text, &n)
	}
	if err != nil || n.GetId() != NodeID(1007) {
		t.Errorf("the eighth proxy after a thousand others is %q, %v", n.GetId(), err)
	}
}
