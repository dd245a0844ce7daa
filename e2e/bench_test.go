package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/bench"
	"github.com/deltaplane/deltaplane/bench/histogram"
	"github.com/deltaplane/deltaplane/bench/profile"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// benchCommand is a small bench, with temporary files where the test sees
// whether any stay behind.
func benchCommand(t *testing.T, args ...string) (cmd *exec.Cmd, temporary string) {
	t.Helper()
	temporary = t.TempDir()
	cmd = exec.Command(envoytest.Binary(t), append([]string{"bench", "--routes=200", "--hosts=20", "--changes=3"}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	return cmd, temporary
}

// nothingOfBench checks that no process works in the bench's directory, and
// that it is empty.
func nothingOfBench(t *testing.T, temporary string) {
	t.Helper()
	processes, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range processes {
		line, err := os.ReadFile("/proc/" + p.Name() + "/cmdline")
		if err == nil && bytes.Contains(line, []byte(temporary)) {
			t.Errorf("process %s is still there: %q", p.Name(), line)
		}
	}
	files, err := os.ReadDir(temporary)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 0 {
		t.Errorf("the bench left %v", files)
	}
}

func exitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return 0
}

func TestABenchThatMissesItsSLAExitsWith1AndReportsAllTheSame(t *testing.T) {
	cmd, temporary := benchCommand(t, "--routes=600", "--compare=plain,split", "--files=1", "--sla=1ns", "-o=json")
	var out, progress bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &progress
	if err := cmd.Run(); exitCode(err) != 1 {
		t.Fatalf("%v, want exit code 1\n%s%s", err, progress.String(), out.String())
	}
	nothingOfBench(t, temporary)
	var report bench.Report
	decoder := json.NewDecoder(&out)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&report); err != nil {
		t.Fatalf("%v in %s", err, out.String())
	}
	if report.SLA.Met || report.SLA.Limit != 1e-6 || report.Pattern != bench.Route || report.Envoy == "" || len(report.Sides) != 2 || len(report.Ratios) == 0 {
		t.Errorf("report %+v", report)
	}
	for i, want := range []bench.Shape{bench.Plain, bench.Split} {
		expectMeasured(t, report.Sides[i], want)
	}
	// A table of 600 routes is split, unless that is switched off.
	if plain, split := report.Sides[0].Change.Bytes, report.Sides[1].Change.Bytes; split*2 > plain {
		t.Errorf("a change sends %v bytes of a plain table and %v of a split one", plain, split)
	}
}

// expectMeasured checks that a side has every figure, and lost no request.
func expectMeasured(t *testing.T, s bench.Side, shape bench.Shape) {
	t.Helper()
	if s.Shape != shape || s.File == nil || s.Change.Count != 3 || s.File.Count != 1 {
		t.Fatalf("%s: side %+v", shape, s)
	}
	for kind, e := range map[string]bench.Effects{"change": s.Change, "whole file": *s.File} {
		for name, d := range map[string]histogram.Distribution{
			"stored": e.Stored, "etcd": e.Etcd, "acked": e.Acked, "first request": e.FirstRequest, "without etcd": e.WithoutEtcd,
			"last old": e.LastOld, "last Envoy": e.LastEnvoy, "main CPU": e.MainCPU,
		} {
			if d.Count != int64(e.Count) || d.P50 <= 0 || d.Max < d.P99 || d.P99 < d.P50 {
				t.Errorf("%s, %s: %s is %+v", shape, kind, name, d)
			}
		}
		if e.FirstRequest.Max < e.FirstSent.Max || e.Stored.P50 > e.Acked.P50 {
			t.Errorf("%s, %s: what comes first takes longer: %+v", shape, kind, e)
		}
		if e.Bytes <= 0 || e.PlaneCPU <= 0 || e.Probes.Requests == 0 || e.Probes.Lost+e.Probes.Misrouted > 0 {
			t.Errorf("%s, %s: %+v", shape, kind, e)
		}
	}
	if s.Envoy.RSS <= 0 || s.Envoy.WorkerPerRequest <= 0 || s.Envoy.Start.Count == 0 || s.ControlPlane.RSS <= 0 {
		t.Errorf("%s: Envoy %+v, control plane %+v", shape, s.Envoy, s.ControlPlane)
	}
	if s.Requests.Requests == 0 || s.Requests.Lost+s.Requests.Misrouted > 0 {
		t.Errorf("%s: requests to all routes: %+v", shape, s.Requests)
	}
}

// expectFiles checks that a bench has written its page, and profiles of its
// last side.
func expectFiles(t *testing.T, page, profiles string) {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil || !bytes.HasPrefix(text, []byte("<!doctype html>")) || !bytes.Contains(text, []byte("Where the time went")) {
		t.Errorf("the page begins with %.50q, error %v", text, err)
	}
	found := map[string]bool{}
	err = filepath.WalkDir(profiles, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			info, err := d.Info()
			found[d.Name()] = err == nil && info.Size() > 0
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	for _, name := range []string{profile.CPUFile, profile.AllocsFile, profile.HeapFile, profile.MutexFile, profile.BlockFile, profile.TraceFile} {
		if !found[name] {
			t.Errorf("%s lacks %s: %v", profiles, name, found)
		}
	}
}

func TestABenchThatMeetsItsSLAExitsWith0(t *testing.T) {
	for _, args := range benchForms {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			page, profiles := filepath.Join(t.TempDir(), "report.html"), t.TempDir()
			cmd, temporary := benchCommand(t, append([]string{"--sla=1h", "--files=0", "--html", page, "--profile", profiles}, args...)...)
			output, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			nothingOfBench(t, temporary)
			expectFiles(t, page, profiles)
			for _, want := range []string{"SLA met", "allocated: ", "first request", " 0 lost, 0 misrouted"} {
				if !strings.Contains(string(output), want) {
					t.Errorf("the output lacks %q:\n%s", want, output)
				}
			}
			if strings.Count(string(output), " 0 lost, 0 misrouted") != strings.Count(string(output), " lost, ") {
				t.Errorf("requests were lost:\n%s", output)
			}
		})
	}
}

func TestABenchEndsOnInterruptAndLeavesNothing(t *testing.T) {
	cmd, temporary := benchCommand(t, "--changes=100000")
	progress, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := context.AfterFunc(envoytest.Context(t), func() { _ = cmd.Process.Kill() })
	var output strings.Builder
	for step := make([]byte, 1); ; {
		if _, err := io.ReadFull(progress, step); err != nil {
			break
		}
		output.Write(step)
		if strings.HasSuffix(output.String(), ": change\n") {
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}
	}
	if err := cmd.Wait(); exitCode(err) != 1 || !strings.Contains(output.String(), "interrupted") {
		t.Errorf("after an interrupt: %v\n%s", err, output.String())
	}
	if !stuck() {
		t.Errorf("the bench did not end within %v", envoytest.Patience)
	}
	nothingOfBench(t, temporary)
}

func TestWhatABenchCannotMeasureIsWrongUsage(t *testing.T) {
	for _, args := range [][]string{
		{"--pattern=chaos"}, {"--compare=plain,round"}, {"--compare=plain,plain"}, {"--plain", "--compare=plain,split"}, {"--hosts=201"}, {"--changes=0"},
		{"--sla=0s"}, {"-o=yaml"}, {"--rate=-5"}, {"--load", "--pattern=endpoint"},
	} {
		cmd, _ := benchCommand(t, args...)
		if output, err := cmd.CombinedOutput(); exitCode(err) != 2 {
			t.Errorf("bench %v: %v, want exit code 2\n%s", args, err, output)
		}
	}
}
