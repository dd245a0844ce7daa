// Package plane runs control planes as child processes for benches, so that
// what a control plane costs is its own.
package plane

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/deltaplane/deltaplane/internal/child"
)

// stopGrace is how long a control plane may take to end.
const stopGrace = 5 * time.Second

// Plane is a control plane that runs.
type Plane struct {
	XDS     string // host:port
	API     string // URL
	Log     string // file
	Process *child.Process

	followed chan struct{} // closed when the log has ended
}

// Start runs `serve` of the binary on free ports, with its data and its log in
// dir, and returns when it serves. options are further ones of serve. The
// caller must call Stop.
func Start(ctx context.Context, binary, dir string, options ...string) (*Plane, error) {
	p := &Plane{Log: filepath.Join(dir, "serve.log"), followed: make(chan struct{})}
	log, err := os.Create(p.Log)
	if err != nil {
		return nil, err
	}
	out, in, err := os.Pipe()
	if err != nil {
		log.Close()
		return nil, err
	}
	cmd := exec.Command(binary, append([]string{"serve", "--log-format", "json", "--drain-timeout", "1s", "--max-resource-bytes", "134217728",
		"--data-dir", filepath.Join(dir, "data"), "--xds-address", "127.0.0.1:0", "--api-address", "127.0.0.1:0"}, options...)...)
	cmd.Env = environment(os.Environ(), slices.Contains(options, "--otlp-endpoint"))
	cmd.Stderr = in
	p.Process, err = child.Start(cmd, nil)
	in.Close()
	if err != nil {
		out.Close()
		log.Close()
		return nil, err
	}
	serving := make(chan struct{})
	go p.follow(out, log, serving)
	select {
	case <-serving:
		return p, nil
	case <-p.Process.Done():
		err = fmt.Errorf("the control plane ended at its start (%w); its log ends with:\n%s", p.Process.Err(), Tail(p.Log, 10))
	case <-ctx.Done():
		err = fmt.Errorf("the control plane does not serve yet: %w", context.Cause(ctx))
	}
	return nil, errors.Join(err, p.Stop())
}

// environment is an environment without settings for a control plane: those of
// the user's own must not lead the bench to their etcd, nor trace it. One that
// is traced by its options sends its spans soon.
func environment(environ []string, traced bool) []string {
	kept := slices.DeleteFunc(slices.Clone(environ), func(variable string) bool {
		return strings.HasPrefix(variable, "DELTAPLANE_") || traced && strings.HasPrefix(variable, "OTEL_")
	})
	if traced {
		return append(kept, "OTEL_BSP_SCHEDULE_DELAY=200")
	}
	return append(kept, "OTEL_SDK_DISABLED=true")
}

// follow copies the log into a file and closes serving when it has said where
// the control plane listens. It returns when the child has ended.
func (p *Plane) follow(out, log *os.File, serving chan<- struct{}) {
	defer close(p.followed)
	defer out.Close()
	defer log.Close()
	lines := bufio.NewReader(io.TeeReader(out, log))
	for {
		line, err := lines.ReadBytes('\n')
		var entry struct{ Msg, XDS, API string }
		if serving != nil && json.Unmarshal(line, &entry) == nil && entry.Msg == "serving" {
			p.XDS, p.API = entry.XDS, entry.API
			close(serving)
			serving = nil
		}
		if err != nil {
			return
		}
	}
}

// Stop ends the control plane and waits for it.
func (p *Plane) Stop() error {
	err := p.Process.Stop(stopGrace)
	<-p.followed
	if err != nil {
		return fmt.Errorf("the control plane ended by itself (%w); its log ends with:\n%s", err, Tail(p.Log, 10))
	}
	return nil
}

// Tail is the end of a file, for an error's text.
func Tail(path string, lines int) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
