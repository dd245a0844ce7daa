package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/deltaplane/deltaplane/api"
)

// watchStatus shows the status with each change until ctx ends: it redraws a
// terminal, and elsewhere prints one line per change of a proxy.
func (t *terminal) watchStatus(ctx context.Context, c *client, output string) error {
	var before *api.Status
	show := func(s *api.Status) error {
		defer func() { before = s }()
		switch {
		case output == "json":
			line, err := json.Marshal(s)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(t.out, string(line))
			return err
		case isTTY(t.out):
			fmt.Fprint(t.out, "\x1b[H\x1b[2J")
			t.printStatus(*s)
		default:
			t.printEvents(before, s)
		}
		return nil
	}
	for ctx.Err() == nil {
		if err := watchOnce(ctx, c, show); err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// watchOnce follows one stream of server-sent events until it ends.
func watchOnce(ctx context.Context, c *client, show func(*api.Status) error) error {
	answer, err := c.send(ctx, request{method: http.MethodGet, path: []string{"status"},
		query: map[string]string{"watch": "true", "timeout": "1h", "limit": "10000"}})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 64<<20)
	shown := 0
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var s api.Status
		if err := json.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("event of %s: %w", c.server, err)
		}
		if err := show(&s); err != nil {
			return err
		}
		shown++
	}
	if lines.Err() != nil || shown == 0 {
		return errors.New("the server ended the watch")
	}
	return nil
}

// printEvents prints what changed between two statuses, a line each.
func (t *terminal) printEvents(before, now *api.Status) {
	at := time.Now().Format(time.TimeOnly)
	if before == nil || before.Version != now.Version {
		fmt.Fprintf(t.out, "%s version %d\n", at, now.Version)
	}
	t.printSourceEvents(at, before, now)
	earlier := map[string]api.Proxy{}
	if before != nil {
		for _, p := range before.Proxies {
			earlier[p.Node] = p
		}
	}
	for _, p := range now.Proxies {
		old, known := earlier[p.Node]
		if known && old.State == p.State && old.Version == p.Version && old.Fleet == p.Fleet {
			continue
		}
		fmt.Fprintf(t.out, "%s %s %s version %d\n", at, onOneLine(p.Node), p.State, p.Version)
		t.printRefusals(p)
	}
}
