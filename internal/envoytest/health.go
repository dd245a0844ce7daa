package envoytest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
)

// History is the newest commits, at most limit.
func (p *Plane) History(ctx context.Context, limit int) (api.Versions, error) {
	var page api.Versions
	return page, p.call(ctx, http.MethodGet, "/v1/versions?limit="+strconv.Itoa(limit), "", &page)
}

// Readiness is what /readyz says, whatever its status code.
func (p *Plane) Readiness(ctx context.Context) (ready bool, store deltaplane.Health, err error) {
	body, err := p.get(ctx, "/readyz")
	if err != nil {
		return false, store, err
	}
	var answer struct {
		Ready bool
		Store deltaplane.Health
	}
	err = json.Unmarshal(body, &answer)
	return answer.Ready, answer.Store, err
}

// Metric is the value of a metric without labels.
func (p *Plane) Metric(ctx context.Context, name string) (float64, error) {
	body, err := p.get(ctx, "/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(body)) {
		if text, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(strings.TrimSpace(text), 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}

func (p *Plane) get(ctx context.Context, path string) ([]byte, error) {
	_, body, err := p.Page(ctx, path)
	return body, err
}

// Page is what a path of the API's address answers, whatever its status code.
func (p *Plane) Page(ctx context.Context, path string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.API+path, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}
