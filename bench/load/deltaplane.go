package load

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protojson"

	"github.com/deltaplane/deltaplane/bench/clock"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// deltaplane is a control plane of ours, by its API.
type deltaplane struct {
	url   string
	http  http.Client
	clock *clock.Reading // of one that runs elsewhere; nil: it has this machine's

	fleets     string // that were added
	overridden bool   // something stands in concernedNamespace
}

// load makes the set what the bench's proxies get.
func (d *deltaplane) load(ctx context.Context, set fixture.Set) error {
	err := eachChunk(set, func(documents []byte) error {
		_, err := d.apply(ctx, documents, benchNamespace)
		return err
	})
	if err != nil {
		return err
	}
	return d.addFleets(ctx)
}

// perCommit is how many resources go into one commit at the start.
const perCommit = 5000

// loadOrder is that in which references find what they name.
var loadOrder = [...]fixture.Kind{fixture.Cluster, fixture.Endpoint, fixture.Route, fixture.Listener}

// eachChunk writes a set in several documents of many resources.
func eachChunk(set fixture.Set, do func(documents []byte) error) error {
	var body bytes.Buffer
	written := 0
	for _, k := range loadOrder {
		for i := range set[k] {
			if err := document(&body, set, k, i, 0); err != nil {
				return err
			}
			if written++; written%perCommit != 0 && written < set.Len() {
				continue
			}
			if err := do(body.Bytes()); err != nil {
				return err
			}
			body.Reset()
		}
	}
	return nil
}

// document writes a resource as the API takes it.
func document(to *bytes.Buffer, set fixture.Set, k fixture.Kind, i, change int) error {
	text, err := protojson.Marshal(set.Any(k, i, change))
	if err != nil {
		return fmt.Errorf("%s: %w", set.Name(k, i), err)
	}
	to.Write(text)
	to.WriteByte('\n')
	return nil
}

// change makes resource i of a kind what a change makes it.
func (d *deltaplane) change(ctx context.Context, set fixture.Set, k fixture.Kind, i, change int) (made, error) {
	var body bytes.Buffer
	if err := document(&body, set, k, i, change); err != nil {
		return made{}, err
	}
	return d.apply(ctx, body.Bytes(), benchNamespace)
}

// apply commits documents. They are stored at the earliest when the time has
// passed that the commit took; elsewhere, when the server's clock says so.
func (d *deltaplane) apply(ctx context.Context, documents []byte, namespace string) (made, error) {
	m := made{sent: time.Now()}
	header, err := d.post(ctx, "/v1/apply", url.Values{"namespace": {namespace}}, documents)
	if err != nil {
		return m, err
	}
	if d.clock != nil {
		m.stored, err = d.storedAt(header)
		return m, err
	}
	took, err := serverTiming(header.Get("Server-Timing"), "commit")
	m.stored = m.sent.Add(took)
	return m, err
}

// answer sends a request and reads all of what comes back.
func answer(client *http.Client, req *http.Request) (http.Header, []byte, error) {
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", req.URL.Path, err)
	}
	if resp.StatusCode >= 300 {
		return nil, nil, fmt.Errorf("%s: %s: %.1000s", req.URL.Path, resp.Status, bytes.TrimSpace(body))
	}
	return resp.Header, body, nil
}

// serverTiming is one part of a Server-Timing header.
func serverTiming(header, part string) (time.Duration, error) {
	for one := range strings.SplitSeq(header, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(one), ";dur=")
		if name != part {
			continue
		}
		milliseconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("header Server-Timing %q: %w", header, err)
		}
		return time.Duration(milliseconds * float64(time.Millisecond)), nil
	}
	return 0, fmt.Errorf("the control plane does not tell how long its %s took: Server-Timing is %q", part, header)
}
