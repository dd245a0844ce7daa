package telemetry

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/resource"
	"github.com/deltaplane/deltaplane/xds"
)

func TestAFanOutToAThousandProxiesHasFewSpansAndAllCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracing, spans := inMemory(t)
		commitTraced(t.Context(), tracing, 7)
		began := time.Now()
		for i := range 1000 {
			tracing.XDS().Pushed(push(xds.Sent, fmt.Sprint("node-", i), 7, began, began))
		}
		for i := range 1000 { // node-500 is the slowest, the others answer after 1 to 999 ms
			at := began.Add(time.Duration(i+1) * time.Millisecond)
			kind := xds.Acked
			switch {
			case i == 500:
				at = began.Add(3 * time.Second)
			case i >= 980:
				kind = xds.Refused
			}
			tracing.XDS().Pushed(push(kind, fmt.Sprint("node-", i), 7, began, at))
		}
		time.Sleep(5 * time.Second) // of the bubble: quiet enough to be over
		synctest.Wait()

		delivers := named(spans, "deliver")
		if len(delivers) != 1 {
			t.Fatalf("%d deliver spans before the end of the process, want 1", len(delivers))
		}
		want := map[string]string{
			"deltaplane.version": "7", "deltaplane.push.sent": "1000", "deltaplane.push.acked": "980", "deltaplane.push.refused": "20",
			"deltaplane.push.unanswered": "0", "deltaplane.push.merged": "0", "deltaplane.bytes": "100000", "deltaplane.ack.max_ms": "3000",
		}
		got := attributes(delivers[0])
		for key, value := range want {
			if got[key] != value {
				t.Errorf("%s is %s, want %s", key, got[key], value)
			}
		}
		for key, about := range map[string]float64{"deltaplane.ack.p50_ms": 490, "deltaplane.ack.p90_ms": 882, "deltaplane.ack.p99_ms": 971} {
			var value float64
			if fmt.Sscan(got[key], &value); value < about*0.98 || value > about*1.02 {
				t.Errorf("%s is %s, want about %g", key, got[key], about)
			}
		}
		shown := map[string]bool{}
		for _, s := range named(spans, "push") {
			shown[attributes(s)["deltaplane.node"]] = true
		}
		if n := len(named(spans, "push")); n != maxFirst+maxSlowest+maxRefused {
			t.Errorf("%d push spans, want %d", n, maxFirst+maxSlowest+maxRefused)
		}
		for _, node := range []string{"node-0", "node-500", "node-979", "node-980"} { // first, slowest, slow, refused
			if !shown[node] {
				t.Errorf("the push to %s has no span: %v", node, shown)
			}
		}
	})
}

func TestADeliveryWithoutAnswersEndsAndSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tracing, spans := inMemory(t)
		commitTraced(t.Context(), tracing, 1)
		tracing.XDS().Pushed(push(xds.Sent, "a", 1, time.Now(), time.Now()))
		time.Sleep(longest - time.Second)
		synctest.Wait()
		if n := len(named(spans, "deliver")); n != 0 {
			t.Fatal("the delivery is over although an answer may still come")
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		all := named(spans, "deliver")
		if len(all) != 1 || attributes(all[0])["deltaplane.push.unanswered"] != "1" {
			t.Errorf("%d deliveries have ended, want one with one push unanswered", len(all))
		}
	})
}

func TestAResponseThatBringsSeveralVersionsIsInTheTraceOfEach(t *testing.T) {
	tracing, spans := inMemory(t)
	traces := map[string]deltaplane.Version{}
	for v := range deltaplane.Version(4) {
		traces[commitTraced(t.Context(), tracing, v+1).String()] = v + 1
	}
	now := time.Now()
	for _, kind := range []xds.Kind{xds.Sent, xds.Acked} {
		e := push(kind, "a", 4, now, now)
		e.After = 2
		tracing.XDS().Pushed(e)
	}
	if err := tracing.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := map[deltaplane.Version]bool{}
	for _, s := range named(spans, "push") {
		in[traces[s.SpanContext().TraceID().String()]] = true
	}
	if len(in) != 2 || !in[3] || !in[4] {
		t.Errorf("the push is in the traces of versions %v, want 3 and 4", in)
	}
}

func TestOpenDeliveriesAreBounded(t *testing.T) {
	tracing, spans := inMemory(t)
	for v := range deltaplane.Version(maxOpen + 10) {
		commitTraced(t.Context(), tracing, v+1)
	}
	if n := len(tracing.board.now()); n > maxOpen {
		t.Errorf("%d deliveries are open, at most %d may be", n, maxOpen)
	}
	if n := len(named(spans, "deliver")); n < 10 {
		t.Errorf("%d deliveries have ended, want the 10 oldest", n)
	}
}

func TestWhatARefusalOfSecretsSaysIsInNoSpan(t *testing.T) {
	const quoted = "cannot parse -----BEGIN PRIVATE KEY----- MIIE"
	tracing, spans := inMemory(t)
	commitTraced(t.Context(), tracing, 1)
	now := time.Now()
	for _, typ := range []resource.Type{resource.Secret, resource.Cluster} {
		e := push(xds.Refused, "a", 1, now, now)
		e.Type, e.Detail = typ, quoted
		tracing.XDS().Pushed(e)
	}
	if err := tracing.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	var reasons []string
	for _, s := range named(spans, "nack") {
		reasons = append(reasons, s.Status().Description)
	}
	if len(reasons) != 2 || reasons[0] != "" || reasons[1] != quoted {
		t.Errorf("refusals of a secret and of a cluster give the reasons %q", reasons)
	}
}

func TestWhatIsNotSampledHasNoSpansNoLinkAndAllocatesNothing(t *testing.T) {
	tracing, spans := inMemory(t, sdk.WithSampler(sdk.NeverSample()))
	_, span := tracing.Store().Commit(t.Context())
	if span.Link() != nil {
		t.Error("the record of a commit that is not sampled has a link")
	}
	commitTraced(t.Context(), tracing, 1)
	pushes, now := tracing.XDS(), time.Now()
	e := push(xds.Acked, "a", 1, now, now)
	if n := testing.AllocsPerRun(100, func() {
		pushes.Pushed(e)
		pushes.Worked(xds.Work{Kind: xds.Diffed, Version: 1})
		pushes.Within(t.Context(), 1)
	}); n > 0 {
		t.Errorf("a push that is not sampled allocates %v times", n)
	}
	if all := spans.Ended(); len(all) > 0 {
		t.Errorf("%d spans were recorded, want none", len(all))
	}
}

func TestATransactionThatEtcdRefusesIsAFailedSpan(t *testing.T) {
	tracing, spans := inMemory(t)
	_, span := tracing.Store().Commit(t.Context())
	span.Stored(time.Now(), errors.New("etcdserver: mvcc: database space exceeded"))
	span.End(0, errors.New("what the caller is told, which may quote their input"))
	for name, reason := range map[string]string{"store": "etcdserver: mvcc: database space exceeded", "commit": ""} {
		all := named(spans, name)
		if len(all) != 1 || all[0].Status().Code != codes.Error || all[0].Status().Description != reason {
			t.Errorf("the %s spans are %v", name, all)
		}
	}
}

// What one replica samples, another need not.
func TestAReplicaThatDoesNotSampleKeepsNothingOfOthersTraces(t *testing.T) {
	other, _ := inMemory(t)
	_, span := other.Store().Commit(t.Context())
	here, spans := inMemory(t, sdk.WithSampler(sdk.NeverSample()))
	here.Store().Published(deltaplane.Publication{Version: 1, Link: span.Link()})
	if n := len(here.board.now()); n > 0 || len(spans.Ended()) > 0 {
		t.Errorf("%d deliveries go on, %d spans have ended", n, len(spans.Ended()))
	}
}

// Off is what nearly everybody runs.
func TestTracingThatIsOffGivesNobodyATracer(t *testing.T) {
	var off *Tracing
	if off.Store() != nil || off.API() != nil || off.XDS() != nil {
		t.Error("something is told to a Tracing that is off")
	}
	if err := off.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

func BenchmarkPush(b *testing.B) {
	now := time.Now()
	e := push(xds.Acked, "a", 1, now, now)
	for _, sampler := range []sdk.Sampler{sdk.NeverSample(), sdk.AlwaysSample()} {
		b.Run(sampler.Description(), func(b *testing.B) {
			tracing, _ := inMemory(b, sdk.WithSampler(sampler))
			commitTraced(b.Context(), tracing, 1)
			pushes := tracing.XDS()
			b.ReportAllocs()
			for b.Loop() {
				pushes.Pushed(e)
			}
		})
	}
}
