package e2e

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoy"
	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/otlptest"
)

// One apply with the real command line makes one trace, from the command to
// the answers of Envoys at both replicas.
func TestOneApplyIsOneTraceOnAllReplicas(t *testing.T) {
	receiver := otlptest.Start(t)
	etcd := envoytest.Etcd(t)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "100")
	first := envoytest.StartPlane(t, "--etcd-endpoints", etcd, "--otlp-endpoint", receiver.HTTP)
	second := envoytest.StartPlane(t, "--etcd-endpoints", etcd, "--otlp-endpoint", receiver.HTTP)
	for _, plane := range []*envoytest.Plane{first, second} {
		startEnvoy(t, plane, envoy.DeltaADS)
		envoytest.Eventually(t, "Envoy to have asked for listeners", func(ctx context.Context) error {
			proxy, err := plane.Status(ctx, node)
			if err == nil && len(proxy.Types) < 2 {
				err = fmt.Errorf("it asked for %v", proxy.Types)
			}
			return err
		})
	}
	backend := envoytest.Backend(t, "blue")
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.HTTP)
	cmd := exec.Command(envoytest.Binary(t), "apply", "-f", "-", "--wait", "--server", first.API)
	cmd.Stdin = strings.NewReader(documents(envoy.DeltaADS,
		listener("web", rds("table"), ""), table("table", to("one")), cluster("one"), endpoints("one", backend.Port())))
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("apply: %v\n%s", err, output)
	}
	second.WaitInSync(node, 1)

	all := receiver.Wait(t, func(all otlptest.Trace) bool {
		return len(all.Named("deliver")) == 2 && len(all.Named("deltaplane apply")) == 1
	})
	defer func() {
		if t.Failed() {
			t.Logf("the spans:\n%s", all)
		}
	}()
	if others := len(all) - len(all.Of(all[0].Trace)); others > 0 {
		t.Errorf("%d spans are in other traces", others)
	}
	command := one(t, all.Named("deltaplane apply"))
	request := one(t, all.Below(command))
	expectNames(t, "the request", all.Below(request), "validate", "commit")
	commit := one(t, all.Below(request).Named("commit"))
	one(t, all.Below(commit).Named("store"))
	for _, deliver := range all.Below(commit).Named("deliver") {
		expectDelivery(t, all, commit, deliver)
	}
	for _, s := range all {
		if s.End.Before(s.Start) || s.Start.Before(command.Start) || s.Start.After(command.End.Add(envoytest.Patience)) || s.Failed {
			t.Errorf("%s goes from %s to %s (failed: %t)", s.Name, s.Start, s.End, s.Failed)
		}
	}
	if request.About["process.pid"] == command.About["process.pid"] {
		t.Error("the request is told of by the command itself")
	}
}

// expectDelivery checks what one replica did with a commit of one resource
// each of four types.
func expectDelivery(t *testing.T, all otlptest.Trace, commit, deliver otlptest.Span) {
	t.Helper()
	here := all.Made(deliver.About["process.pid"])
	one(t, here.Below(commit).Named("publish"))
	if acked := deliver.Attrs["deltaplane.push.acked"]; acked != "4" {
		t.Errorf("%s pushes were acknowledged, want 4", acked)
	}
	derive := one(t, here.Below(deliver).Named("derive"))
	for _, typ := range []string{"Cluster", "Endpoint", "Listener", "Route"} {
		below := here.Below(deliver).With("deltaplane.type", typ)
		expectNames(t, typ, below, "diff", "encode", "push")
		push := one(t, below.Named("push"))
		expectNames(t, typ, here.Below(push), "send", "ack")
		if push.Attrs["deltaplane.node"] != node {
			t.Errorf("the push of %s went to %q", typ, push.Attrs["deltaplane.node"])
		}
		// In their order, each when the one before is over.
		way := []otlptest.Span{derive, below.Named("diff").Last(), one(t, below.Named("encode")), one(t, here.Below(push).Named("send")), one(t, here.Below(push).Named("ack"))}
		for i, s := range way[1:] {
			if s.Start.Before(way[i].End) {
				t.Errorf("%s: %s begins at %s, %s ends at %s", typ, s.Name, s.Start, way[i].Name, way[i].End)
			}
		}
		if push.End.After(deliver.End) || push.Start.Before(deliver.Start) {
			t.Errorf("the push of %s is not within the delivery", typ)
		}
	}
}

func one(t *testing.T, spans otlptest.Trace) otlptest.Span {
	t.Helper()
	if len(spans) != 1 {
		t.Fatalf("there are %d spans where there should be one:\n%s", len(spans), spans)
	}
	return spans[0]
}

// expectNames checks which names, in any number, the spans have.
func expectNames(t *testing.T, what string, spans otlptest.Trace, names ...string) {
	t.Helper()
	var got []string
	for _, s := range spans {
		got = append(got, s.Name)
	}
	slices.Sort(got)
	slices.Sort(names)
	if got = slices.Compact(got); !slices.Equal(got, names) {
		t.Errorf("%s: the spans are called %q, want %q", what, got, names)
	}
}
