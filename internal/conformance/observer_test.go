package conformance

import (
	"slices"
	"testing"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestARefusalIsReportedWithItsReason(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("cluster/good", "cluster/bad"))
			s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
			r := s.take(s.client, resource.Cluster)
			s.must(s.client.Nack(t.Context(), r, "bad TLS context"))
			e := s.events.await(t, "the refusal", func(e xds.Event) bool { return e.Kind == xds.Refused })
			if e.Detail != "bad TLS context" || e.Type != resource.Cluster || e.Node.GetId() != "envoy-1" {
				t.Errorf("reported was %q about %s of %s", e.Detail, e.Type, e.Node.GetId())
			}
			if !slices.Contains(e.Resources, "bad") || !slices.Contains(e.Resources, "good") {
				t.Errorf("the response held bad and good; reported were %v", e.Resources)
			}
		})
	}
}

// currentOf reports whether e says that t is current, by itself or with all
// other types.
func currentOf(e xds.Event, t resource.Type) bool {
	return e.Kind == xds.Current && (e.Type == t || e.Type == "")
}

func TestATypeIsReportedCurrentOnlyAfterItsAcknowledgement(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("cluster/a"))
			s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
			r := s.take(s.client, resource.Cluster)
			s.must(s.client.Ack(t.Context(), r))
			var order []xds.Kind
			s.events.await(t, "the state", func(e xds.Event) bool {
				order = append(order, e.Kind)
				return currentOf(e, resource.Cluster) && e.Version == 1
			})
			if acked := slices.Index(order, xds.Acked); acked < 0 || acked < slices.Index(order, xds.Sent) {
				t.Errorf("the order of events was %v", order)
			}
		})
	}
}

func TestWhatIsRefusedIsReportedWithheldAsVersionsGoOn(t *testing.T) {
	for _, v := range Variants {
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("cluster/bad", "cluster/good"))
			s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
			s.must(s.client.Nack(t.Context(), s.take(s.client, resource.Cluster), "no"))
			withheld := func(version deltaplane.Version) func(xds.Event) bool {
				return func(e xds.Event) bool { return e.Kind == xds.Withheld && e.Version == version }
			}
			s.events.await(t, "what is withheld of the refused version", withheld(1))
			s.commit("secret/unrelated")
			s.events.await(t, "what is withheld of the next version", withheld(2))

			s.commit("cluster/bad=2")
			s.must(s.client.Ack(t.Context(), s.take(s.client, resource.Cluster)))
			s.events.await(t, "the state after the fix", func(e xds.Event) bool {
				if e.Kind == xds.Acked && e.Standing {
					t.Error("after the fix a refusal is said to stand")
				}
				return e.Kind == xds.Current && e.Version == 3
			})
		})
	}
}

func TestARefusedTypeIsNotReportedCurrent(t *testing.T) {
	for _, v := range Variants {
		if !v.Aggregated {
			continue // the barrier needs another type
		}
		t.Run(v.String(), func(t *testing.T) {
			s := newScene(t, v, specs("cluster/a"))
			s.must(s.client.Subscribe(t.Context(), resource.Cluster, "*"))
			s.must(s.client.Nack(t.Context(), s.take(s.client, resource.Cluster), "no"))
			s.must(s.client.Barrier(t.Context(), s.world))
			s.client.Close()
			s.events.await(t, "the end", func(e xds.Event) bool {
				if currentOf(e, resource.Cluster) {
					t.Errorf("clusters were reported current at version %d", e.Version)
				}
				return e.Kind == xds.Closed
			})
		})
	}
}
