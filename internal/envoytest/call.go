package envoytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
)

// Apply commits YAML documents and returns the plan.
func (p *Plane) Apply(documents string) *api.Plan {
	p.t.Helper()
	plan, err := p.Post("/v1/apply", nil, documents)
	if err != nil {
		p.t.Fatal(err)
	}
	return plan
}

// ApplyWait commits YAML documents and returns when every connected Envoy has
// acknowledged them.
func (p *Plane) ApplyWait(documents string) *api.Plan {
	p.t.Helper()
	plan, err := p.Post("/v1/apply", url.Values{"wait": {Patience.String()}}, documents)
	if err != nil {
		p.t.Fatal(err)
	}
	return plan
}

// Prune makes documents all that there is.
func (p *Plane) Prune(documents string) *api.Plan {
	p.t.Helper()
	plan, err := p.Post("/v1/apply", url.Values{"prune": {"true"}, "allow_shrink": {"true"}}, documents)
	if err != nil {
		p.t.Fatal(err)
	}
	return plan
}

// Delete removes one resource.
func (p *Plane) Delete(kind, name string) {
	p.t.Helper()
	path := "/v1/resources/" + kind + "/" + url.PathEscape(name)
	if err := p.call(Context(p.t), http.MethodDelete, path, "", new(api.Plan)); err != nil {
		p.t.Fatal(err)
	}
}

// Post calls one of the API's endpoints that answer with a plan.
func (p *Plane) Post(path string, query url.Values, body string) (*api.Plan, error) {
	// Longer than the wait that a query may ask for.
	ctx, cancel := context.WithTimeout(p.t.Context(), 2*Patience)
	defer cancel()
	plan := new(api.Plan)
	return plan, p.call(ctx, http.MethodPost, path+"?"+query.Encode(), body, plan)
}

// Status is what the control plane knows of one Envoy.
func (p *Plane) Status(ctx context.Context, node string) (api.Proxy, error) {
	var proxy api.Proxy
	return proxy, p.call(ctx, http.MethodGet, "/v1/status/"+node, "", &proxy)
}

// Shape is how a route configuration goes out to a fleet.
func (p *Plane) Shape(ctx context.Context, table, fleet string) (api.Shape, error) {
	var answer api.Shape
	return answer, p.call(ctx, http.MethodGet, "/v1/shapes/"+url.PathEscape(table)+"?fleet="+url.QueryEscape(fleet), "", &answer)
}

// WaitInSync waits until the node holds the store's newest version.
func (p *Plane) WaitInSync(node string, version deltaplane.Version) {
	p.t.Helper()
	Eventually(p.t, node+" to be in sync", func(ctx context.Context) error {
		proxy, err := p.Status(ctx, node)
		if err != nil {
			return err
		}
		if !proxy.Connected || proxy.State != api.InSync || proxy.Version < version {
			return fmt.Errorf("it is %+v", proxy)
		}
		return nil
	})
}

func (p *Plane) call(ctx context.Context, method, path, body string, answer any) error {
	req, err := http.NewRequestWithContext(ctx, method, p.API+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return errors.New(method + " " + path + ": " + resp.Status + ": " + string(bytes.TrimSpace(data)))
	}
	return json.Unmarshal(data, answer)
}
