package e2e

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// pid finds the Envoy that a demo says it has started.
var pid = regexp.MustCompile(`\(pid (\d+),`)

// demo is the demo's command line, with temporary files where the test sees
// whether any stay behind.
func demo(t *testing.T, args ...string) (cmd *exec.Cmd, temporary string) {
	t.Helper()
	temporary = t.TempDir()
	cmd = exec.Command(envoytest.Binary(t), append([]string{"demo"}, args...)...)
	cmd.Env = append(os.Environ(), "TMPDIR="+temporary)
	return cmd, temporary
}

// nothingLeft checks that the demo's Envoy has ended and its files are gone.
func nothingLeft(t *testing.T, output, temporary string) {
	t.Helper()
	found := pid.FindStringSubmatch(output)
	if found == nil {
		t.Fatalf("the demo does not say which Envoy it started:\n%s", output)
	}
	n, err := strconv.Atoi(found[1])
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(n, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("Envoy %d is still there (%v)", n, err)
	}
	files, err := os.ReadDir(temporary)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 0 {
		t.Errorf("the demo left %v", files)
	}
}

func TestTheDemoFlipsRoutesOfAGatewayWith10000(t *testing.T) {
	for _, shape := range []string{"--plain=false", "--plain"} {
		t.Run(shape, func(t *testing.T) {
			cmd, temporary := demo(t, "--once", "--flips=10", shape)
			output, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, output)
			}
			for _, want := range []string{"10,000 routes", "10 flips, all of them arrived", " 0 failed"} {
				if !strings.Contains(string(output), want) {
					t.Errorf("the output lacks %q:\n%s", want, output)
				}
			}
			nothingLeft(t, string(output), temporary)
		})
	}
}

func TestTheDemoEndsOnInterruptAndLeavesNothing(t *testing.T) {
	cmd, temporary := demo(t, "--hosts=10", "--every=50ms")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stuck := context.AfterFunc(envoytest.Context(t), func() { _ = cmd.Process.Kill() })
	var output strings.Builder
	var interrupt sync.Once // a second one would end it at once
	for lines := bufio.NewScanner(out); lines.Scan(); {
		output.WriteString(lines.Text() + "\n")
		if strings.Contains(lines.Text(), "/service-") && strings.Contains(lines.Text(), " ms ") {
			interrupt.Do(func() {
				if err := cmd.Process.Signal(os.Interrupt); err != nil {
					t.Error(err)
				}
			})
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("after an interrupt: %v\n%s", err, output.String())
	}
	if !stuck() {
		t.Errorf("the demo did not end within %v", envoytest.Patience)
	}
	nothingLeft(t, output.String(), temporary)
}

func TestTheDemoSaysHowToGetAnEnvoy(t *testing.T) {
	cmd, _ := demo(t, "--once")
	cmd.Env = append(cmd.Env, "ENVOY=/no/such/envoy")
	output, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(output), "make envoy") {
		t.Errorf("error %v, want one with the hint `make envoy`:\n%s", err, output)
	}
}
