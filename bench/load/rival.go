package load

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"time"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
	"github.com/deltaplane/deltaplane/internal/child"
)

// rival is a process of the rivals' binary (bench/rivals), which serves in one
// of the ways that are compared.
type rival struct {
	xds, control string // host:port, URL
	process      *child.Process
	stdin        io.Closer // the process ends when it is closed
	http         http.Client
}

// stopGrace is how long a child may take to end.
const stopGrace = 5 * time.Second

// startRival runs one kind. The caller must call stop.
func startRival(ctx context.Context, binary, kind string) (*rival, error) {
	cmd := exec.Command(binary, "--kind", kind)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer out.Close()
	cmd.Stdout = in
	r := &rival{stdin: stdin}
	r.process, err = child.Start(cmd, nil)
	if err = errors.Join(err, in.Close()); err != nil {
		return nil, err
	}
	line, err := firstLine(ctx, out)
	var where struct{ XDS, Control string }
	if err == nil {
		err = json.Unmarshal(line, &where)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s --kind %s does not say where it listens: %w", binary, kind, err), r.stop())
	}
	r.xds, r.control = where.XDS, where.Control
	return r, nil
}

// firstLine reads one, unless ctx ends before.
func firstLine(ctx context.Context, out *os.File) ([]byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = out.SetReadDeadline(time.Now()) })
	defer stop()
	return bufio.NewReader(out).ReadBytes('\n')
}

// load makes the set what is served.
func (r *rival) load(ctx context.Context, set fixture.Set) error {
	var body bytes.Buffer
	for _, k := range loadOrder {
		for i := range set[k] {
			if _, err := protodelim.MarshalTo(&body, set.Any(k, i, 0)); err != nil {
				return fmt.Errorf("%s: %w", set.Name(k, i), err)
			}
		}
	}
	_, err := r.send(ctx, http.MethodPut, "/resources", &body)
	return err
}

// change makes resource i of a kind what a change makes it. What a rival
// stores is stored when it has the request.
func (r *rival) change(ctx context.Context, set fixture.Set, k fixture.Kind, i, change int) (made, error) {
	var body bytes.Buffer
	if _, err := protodelim.MarshalTo(&body, set.Any(k, i, change)); err != nil {
		return made{}, fmt.Errorf("%s: %w", set.Name(k, i), err)
	}
	now := time.Now()
	_, err := r.send(ctx, http.MethodPost, "/change", &body)
	return made{now, now}, err
}

// usage is what the process says.
func (r *rival) usage(ctx context.Context, collected bool) (u usage, err error) {
	path := "/usage"
	if collected {
		path += "?gc=1"
	}
	text, err := r.send(ctx, http.MethodGet, path, nil)
	if err != nil {
		return u, err
	}
	var said struct {
		Allocated  float64 `json:"alloc_bytes"`
		Objects    float64 `json:"mallocs"`
		Heap       float64 `json:"heap_live_bytes"`
		Stacks     float64 `json:"stack_bytes"`
		Goroutines float64 `json:"goroutines"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return u, fmt.Errorf("usage %.100q: %w", text, err)
	}
	return usage{allocated: said.Allocated, objects: said.Objects, heap: said.Heap, stacks: said.Stacks, goroutines: said.Goroutines}, nil
}

func (r *rival) send(ctx context.Context, method, path string, body io.Reader) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, r.control+path, body)
	if err != nil {
		return nil, err
	}
	_, text, err := answer(&r.http, req)
	return text, err
}

// stop ends the process and waits for it.
func (r *rival) stop() error {
	r.http.CloseIdleConnections()
	_ = r.stdin.Close() // it may have ended
	select {
	case <-r.process.Done():
	case <-time.After(stopGrace):
	}
	return r.process.Stop(stopGrace)
}
