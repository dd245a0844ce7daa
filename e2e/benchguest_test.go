package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// stored is what a control plane holds, by name.
func stored(t *testing.T, plane *envoytest.Plane) (names []string) {
	t.Helper()
	_, body, err := plane.Page(envoytest.Context(t), "/v1/resources")
	var page api.Resources
	if err == nil {
		err = json.Unmarshal(body, &page)
	}
	if err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	for _, r := range page.Resources {
		names = append(names, r.Namespace+"/"+r.Name)
	}
	return names
}

// A control plane that serves others keeps what it has, and gets a bench's
// resources for as long as that runs.
func TestABenchIsAGuestInAControlPlaneThatRuns(t *testing.T) {
	plane := envoytest.StartPlane(t)
	plane.Apply("'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: web\n")
	before := stored(t, plane)
	at := []string{"--server=" + plane.API, "--xds=" + plane.XDS}

	t.Run("load", func(t *testing.T) {
		cmd, temporary := benchCommand(t, append(at, "--load", "--relay", "--protocol=grpc", "--tls", "--pattern=cluster", "--requests=400", "--workers=20", "--sla=1h", "-o=json", "--body=some")...)
		var out, progress bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &progress
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v\n%s%s", err, progress.String(), out.String())
		}
		nothingOfBench(t, temporary)
		var report bench.Report
		if err := json.Unmarshal(out.Bytes(), &report); err != nil {
			t.Fatalf("%v in %s", err, out.String())
		}
		expectGuest(t, &report)
	})
	t.Run("interrupt", func(t *testing.T) { interruptGuest(t, plane, at) })

	if after := stored(t, plane); !slices.Equal(before, after) {
		t.Errorf("stored are %v, before the benches %v", after, before)
	}
}

// expectGuest checks that a load elsewhere has every figure that the bench can
// know, and no other.
func expectGuest(t *testing.T, r *bench.Report) {
	t.Helper()
	side := r.Sides[0]
	if l := side.Load; l == nil || l.Hops != nil || l.Unlabelled+l.Partial > 0 || l.Log.Lines != side.Requests.Requests || side.Requests.Lost+side.Requests.Misrouted > 0 {
		t.Fatalf("requests %+v, load %+v", side.Requests, l)
	}
	if r.Server == nil || r.Server.Clock == nil || r.Server.Clock.Error <= 0 {
		t.Fatalf("server %+v", r.Server)
	}
	if c := side.Change; c.Count == 0 || c.Acked.Count != int64(c.Count) || r.Server.Clock.Refused == "" && c.FromCommit.Count != c.FirstRequest.Count || side.ControlPlane.RSS <= 0 {
		t.Errorf("changes %+v, control plane %+v", c, side.ControlPlane)
	}
	if a := side.Change.Arrivals; a == nil || a.Received.Count != side.Change.FirstRequest.Count || a.Answered.Count < a.Received.Count || a.Answered.P50 <= 0 || a.Received.P50 > side.Change.Acked.P50 {
		t.Errorf("arrivals %+v of changes %+v", a, side.Change)
	}
}

// interruptGuest breaks a bench off in its changes, while another one is
// refused the same namespace.
func interruptGuest(t *testing.T, plane *envoytest.Plane, at []string) {
	cmd, temporary := benchCommand(t, append(at, "--changes=100000")...)
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var output strings.Builder
	for step := make([]byte, 1); !strings.HasSuffix(output.String(), ": change\n"); {
		if _, err := io.ReadFull(progress, step); err != nil {
			t.Fatalf("%v after\n%s", err, output.String())
		}
		output.Write(step)
	}
	if len(stored(t, plane)) < 5 {
		t.Errorf("the bench has put nothing there: %v", stored(t, plane))
	}
	second := exec.Command(envoytest.Binary(t), append([]string{"bench"}, at...)...)
	if text, err := second.CombinedOutput(); exitCode(err) != 2 || !strings.Contains(string(text), "is not empty") {
		t.Errorf("a second bench: %v\n%s", err, text)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
	rest, err := io.ReadAll(progress)
	if err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); exitCode(err) != 1 || !strings.Contains(string(rest), "interrupted") {
		t.Errorf("after an interrupt: %v\n%s", err, rest)
	}
	nothingOfBench(t, temporary)
}
