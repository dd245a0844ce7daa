package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/pflag"
	"go.uber.org/goleak"
)

// leakChecked is a testing.M that fails when goroutines are left.
type leakChecked struct{ *testing.M }

func (m leakChecked) Run() int {
	code := m.M.Run()
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Println(err)
		code = 1
	}
	return code
}

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"deltaplane": main})
}

// start runs a control plane in this process, on free ports.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	flags := pflag.NewFlagSet("serve", pflag.ContinueOnError)
	settingFlags(flags)
	all := append([]string{"--xds-address=127.0.0.1:0", "--api-address=127.0.0.1:0", "--data-dir=" + t.TempDir()}, args...)
	if err := flags.Parse(all); err != nil {
		t.Fatal(err)
	}
	s, err := readSettings(flags, "")
	if err != nil {
		t.Fatal(err)
	}
	srv, err := startServer(t.Context(), s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	return srv
}

// TestScripts runs the real command line of testdata against a real control
// plane. Beside testscript's own commands there are:
//
//	exits CODE COMMAND…      run a command that must exit with that code
//	envoy NODE [refuse]      connect a proxy that accepts, or refuses, every cluster
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			srv := start(env.T().(testing.TB))
			env.Setenv("DELTAPLANE_SERVER", srv.apiURL)
			env.Setenv("USER", "ana")
			env.Values["xds"] = srv.xdsAddress
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits,
			"envoy": connectEnvoy,
		},
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	})
}

func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	if failed, ok := errors.AsType[*exec.ExitError](err); ok {
		code = failed.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if code != want {
		ts.Fatalf("%v exits with %d, want %d", args[1:], code, want)
	}
}

func connectEnvoy(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: envoy NODE [refuse]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	p, err := dialProxy(ctx, ts.Value("xds").(string), args[0], len(args) > 1)
	if err != nil {
		cancel()
		ts.Fatalf("%v", err)
	}
	ts.Defer(func() {
		cancel()
		p.wait()
	})
}
