package envoy

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// admin is without keep-alive: connections would outlive the Envoy that they
// lead to, and the leak checks of tests would see them.
var admin = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// AdminAddress is host:port of the admin interface.
func (p *Process) AdminAddress() string { return p.admin }

// Get asks the admin interface; path may have a query.
func (p *Process) Get(ctx context.Context, path string) ([]byte, error) {
	return p.ask(ctx, http.MethodGet, path)
}

// Post has the admin interface change something; path may have a query.
func (p *Process) Post(ctx context.Context, path string) ([]byte, error) {
	return p.ask(ctx, http.MethodPost, path)
}

// ask is one request, whose answer must be 200.
func (p *Process) ask(ctx context.Context, method, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+p.admin+path, nil)
	if err != nil {
		return nil, err
	}
	resp, err := admin.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("envoy admin %s: %w", path, err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("envoy admin %s: %s: %s", path, resp.Status, strings.TrimSpace(string(body)))
	}
	return body, nil
}

// Ready is nil once Envoy has its first configuration and its listeners accept.
func (p *Process) Ready(ctx context.Context) error {
	_, err := p.Get(ctx, "/ready")
	return err
}

// Stats are the counters and gauges whose names match the regular expression.
// Ask narrowly: all of a large Envoy's statistics stall its main thread for
// 100 ms and more.
func (p *Process) Stats(ctx context.Context, filter string) (map[string]uint64, error) {
	body, err := p.Get(ctx, "/stats?filter="+url.QueryEscape(filter))
	if err != nil {
		return nil, err
	}
	stats := map[string]uint64{}
	for line := range strings.Lines(string(body)) {
		name, text, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			continue
		}
		if value, err := strconv.ParseUint(text, 10, 64); err == nil {
			stats[name] = value
		}
	}
	return stats, nil
}

// ConfigDump is Envoy's own view of one part of its configuration, by the
// admin interface's resource and mask parameters: "dynamic_active_clusters",
// "dynamic_listeners", "dynamic_route_configs" …
func (p *Process) ConfigDump(ctx context.Context, resource, mask string) ([]byte, error) {
	query := url.Values{"resource": {resource}}
	if mask != "" {
		query.Set("mask", mask)
	}
	return p.Get(ctx, "/config_dump?"+query.Encode())
}

// Listeners maps the names of the listeners that accept to host:port, so that
// a listener may have port 0 in its configuration.
func (p *Process) Listeners(ctx context.Context) (map[string]string, error) {
	body, err := p.Get(ctx, "/listeners?format=json")
	if err != nil {
		return nil, err
	}
	var dump struct {
		Statuses []struct {
			Name  string `json:"name"`
			Local struct {
				Socket struct {
					Address string `json:"address"`
					Port    int    `json:"port_value"`
				} `json:"socket_address"`
			} `json:"local_address"`
		} `json:"listener_statuses"`
	}
	if err := json.Unmarshal(body, &dump); err != nil {
		return nil, fmt.Errorf("envoy admin /listeners: %w", err)
	}
	listeners := map[string]string{}
	for _, l := range dump.Statuses {
		listeners[l.Name] = net.JoinHostPort(l.Local.Socket.Address, strconv.Itoa(l.Local.Socket.Port))
	}
	return listeners, nil
}
