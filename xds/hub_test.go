package xds

import (
	"testing"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
)

// drowsy is a store that wakes nobody.
type drowsy struct {
	*store
	silence deltaplane.Publisher
}

func (d *drowsy) Watch() *deltaplane.Watch { return d.silence.Watch() }

func TestWhoAsksAfterACommitIsAnsweredFromIt(t *testing.T) {
	p := &plane{}
	p.store.put(t, cluster("old", 0))
	p.store.commit()
	p.serve(t, &drowsy{store: &p.store}, Config{})
	early := p.client(t, "early")
	early.say("early", resource.Cluster, "old")
	early.hear()

	p.store.put(t, cluster("new", 0))
	p.store.commit()
	for who, c := range map[string]client{"a new stream": p.client(t, "late"), "a stream that asks for more": early} {
		c.say("", resource.Cluster, "new")
		if r := c.hear(); len(r.Resources) != 1 || r.Resources[0].Name != "new" {
			t.Errorf("%s is answered %v, want the new cluster", who, r)
		}
	}
}
