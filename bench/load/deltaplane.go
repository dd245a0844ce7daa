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

	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// deltaplane is a control plane of ours, by its API.
type deltaplane struct {
	url  string
	http http.Client
}

// perApply is how many resources go into one commit at the start.
const perApply = 5000

// loadOrder is that in which references find what they name.
var loadOrder = [...]fixture.Kind{fixture.Cluster, fixture.Endpoint, fixture.Route, fixture.Listener}

// load makes the set what is served.
func (d *deltaplane) load(ctx context.Context, set fixture.Set) error {
	var body bytes.Buffer
	documents := 0
	apply := func() error {
		_, err := d.apply(ctx, body.Bytes(), nil)
		body.Reset()
		documents = 0
		return err
	}
	for _, k := range loadOrder {
		for i := range set[k] {
			if err := document(&body, set, k, i, 0); err != nil {
				return err
			}
			if documents++; documents == perApply {
				if err := apply(); err != nil {
					return err
				}
			}
		}
	}
	if documents == 0 {
		return nil
	}
	return apply()
}

// document writes a resource as the API takes it.
func document(to *bytes.Buffer, set fixture.Set, k fixture.Kind, i, change int) error {
	text, err := protojson.Marshal(set.Any(k, i, change))
	if err != nil {
		return fmt.Errorf("%s: %w", set.Name(k, i), err)
	}
	to.WriteString("---\n")
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
	return d.apply(ctx, body.Bytes(), nil)
}

// apply commits documents.
func (d *deltaplane) apply(ctx context.Context, documents []byte, query url.Values) (made, error) {
	if query == nil {
		query = url.Values{}
	}
	query.Set("author", "bench")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/v1/apply?"+query.Encode(), bytes.NewReader(documents))
	if err != nil {
		return made{}, err
	}
	req.Header.Set("Content-Type", "application/yaml")
	m := made{sent: time.Now()}
	header, _, err := answer(&d.http, req)
	if err != nil {
		return m, err
	}
	took, err := serverTiming(header, "commit")
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
func serverTiming(header http.Header, part string) (time.Duration, error) {
	text := header.Get("Server-Timing")
	for one := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(one), ";dur=")
		if name != part {
			continue
		}
		milliseconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("header Server-Timing %q: %w", text, err)
		}
		return time.Duration(milliseconds * float64(time.Millisecond)), nil
	}
	return 0, fmt.Errorf("the control plane does not tell how long its %s took: Server-Timing is %q", part, text)
}
