package cost

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

// committer changes the configuration of a control plane through its API. Any
// goroutine may use it.
type committer struct {
	api       string // URL
	resources int
	count     atomic.Int64
}

// documents are resources as users write them.
func documents(resources ...proto.Message) (string, error) {
	var b strings.Builder
	for _, m := range resources {
		wrapped, err := anypb.New(m)
		if err != nil {
			return "", err
		}
		text, err := protojson.Marshal(wrapped)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&b, "---\n%s\n", text)
	}
	return b.String(), nil
}

// call sends documents to an endpoint of the API.
func (c *committer) call(ctx context.Context, path string, resources ...proto.Message) error {
	body, err := documents(resources...)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.api+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %s", path, resp.Status, bytes.TrimSpace(answer))
	}
	return err
}

// change makes the n-th commit: a cluster or its endpoint has changed, a table
// has, or a cluster comes and goes.
func (c *committer) change(ctx context.Context, n int) error {
	const fresh = 500_000     // apart from the names of those that stay
	guest := fresh + n/20%100 // a few, as one may be overtaken by its removal
	i := n * 7919 % (c.resources * 9 / 20)
	switch n % 20 {
	case 0:
		return c.call(ctx, "/v1/apply", table(n/20%(c.resources/20), n))
	case 1:
		return c.call(ctx, "/v1/apply", cluster(guest, n))
	case 11:
		return c.call(ctx, "/v1/delete?ignore_not_found=true", cluster(guest, 0))
	case 2, 4, 6, 8, 10, 12, 14, 16:
		return c.call(ctx, "/v1/apply", endpoint(i, n))
	}
	return c.call(ctx, "/v1/apply", cluster(i, n))
}

// run commits at each tick, until ctx ends.
func (c *committer) run(ctx context.Context, tick <-chan time.Time) error {
	for {
		select {
		case <-tick:
		case <-ctx.Done():
			return nil
		}
		n := int(c.count.Add(1))
		if err := c.change(ctx, n); err != nil && ctx.Err() == nil {
			return fmt.Errorf("commit %d: %w", n, err)
		}
	}
}
