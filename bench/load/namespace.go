package load

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/deltaplane/deltaplane/bench/plane"
	"github.com/deltaplane/deltaplane/bench/swarm/fixture"
)

// What the bench puts into a control plane stands apart from everything else:
// in namespaces which only its own proxies get, by fleets that select their
// cluster. The names are also those of the clusters.
const (
	benchNamespace     = plane.FleetPrefix
	concernedNamespace = "deltaplane-bench-concerned" // of proxies that alone get some changes
)

// addFleets has the bench's proxies get its namespaces, and leaves all others
// with what they have.
func (d *deltaplane) addFleets(ctx context.Context) error {
	listed, err := d.get(ctx, "/v1/resources?type=Fleet")
	if err != nil {
		return err
	}
	d.fleets, err = plane.Fleets([]byte(listed), plane.Fleet{Name: benchNamespace, Namespaces: []string{benchNamespace}},
		plane.Fleet{Name: concernedNamespace, Namespaces: []string{benchNamespace, concernedNamespace}})
	if err != nil {
		return err
	}
	_, err = d.apply(ctx, []byte(d.fleets), benchNamespace)
	return err
}

// unload removes what the bench has put there: the fleets first, so that no
// proxy is between.
func (d *deltaplane) unload(ctx context.Context, set fixture.Set) error {
	remove := func(namespace string, documents []byte) error {
		_, err := d.post(ctx, "/v1/delete", url.Values{"namespace": {namespace}, "ignore_not_found": {"true"}, "allow_shrink": {"true"}}, documents)
		return err
	}
	if err := remove(benchNamespace, []byte(d.fleets)); err != nil {
		return fmt.Errorf("fleets: %w", err)
	}
	if d.overridden {
		var body bytes.Buffer
		if err := document(&body, set, fixture.Cluster, 0, 0); err != nil {
			return err
		}
		if err := remove(concernedNamespace, body.Bytes()); err != nil {
			return err
		}
	}
	return eachChunk(set, func(documents []byte) error { return remove(benchNamespace, documents) })
}

// override makes the cluster that is the first of the set another one for
// those proxies that are concerned.
func (d *deltaplane) override(ctx context.Context, set fixture.Set, change int) (made, error) {
	var body bytes.Buffer
	if err := document(&body, set, fixture.Cluster, 0, change); err != nil {
		return made{}, err
	}
	d.overridden = true
	return d.apply(ctx, body.Bytes(), concernedNamespace)
}

// post sends documents to the API.
func (d *deltaplane) post(ctx context.Context, path string, query url.Values, documents []byte) (http.Header, error) {
	query.Set("author", "bench")
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+path+"?"+query.Encode(), bytes.NewReader(documents))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/yaml")
	header, _, err := answer(&d.http, req)
	return header, err
}
