package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/internal/gateway"
)

// api changes configuration as any user would: over HTTP.
type api struct {
	url  string // without a slash at its end
	http http.Client
}

// post sends body and returns the version that the store is at then.
func (a *api) post(ctx context.Context, path, contentType string, body []byte) (deltaplane.Version, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.url+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := a.http.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s: %s", path, resp.Status, bytes.TrimSpace(answer))
	}
	var plan struct {
		Version deltaplane.Version `json:"version"`
	}
	if err := json.Unmarshal(answer, &plan); err != nil {
		return 0, fmt.Errorf("%s: %w", path, err)
	}
	return plan.Version, nil
}

// apply commits the whole gateway.
func (a *api) apply(ctx context.Context, g gateway.Gateway) error {
	var documents bytes.Buffer
	if err := g.Write(&documents); err != nil {
		return err
	}
	_, err := a.post(ctx, "/v1/apply?author=demo&message=the+gateway&file=gateway.yaml", "application/yaml", documents.Bytes())
	return err
}

// flip points one route of one host to a cluster.
func (a *api) flip(ctx context.Context, g gateway.Gateway, f flip) (deltaplane.Version, error) {
	return a.post(ctx, "/v1/patch/VirtualHost/"+g.HostResource(f.host)+"?author=demo&message=flip", "application/yaml", g.Patch(f.route, f.to))
}

// close ends the idle connections.
func (a *api) close() { a.http.CloseIdleConnections() }
