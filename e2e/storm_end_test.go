package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/resource"
)

// dumps are the parts of Envoy's own dump that show what it uses, and the
// names of the fields with the resources.
var dumps = map[string]string{
	"dynamic_active_clusters":      "cluster",
	"dynamic_listeners":            "listener",
	"dynamic_route_configs":        "route_config",
	"dynamic_scoped_route_configs": "scoped_route_configs",
}

// holds waits until Envoy has exactly what the newest commit says. What is
// being drained goes by itself.
func (s *tempest) holds() {
	s.t.Helper()
	want := map[string]string{}
	documents, problems := resource.Decoder{}.Decode("storm", []byte(s.world.Documents()))
	if len(problems) > 0 {
		s.t.Fatal(problems)
	}
	for _, d := range documents {
		switch d.Resource.Type() {
		case resource.Endpoint, resource.Secret: // Envoy dumps them in another form
		default:
			want[d.Resource.Type().Short()+" "+d.Resource.Name()] = d.Resource.Digest().String()
		}
	}
	envoytest.Eventually(s.t, "Envoy to have the last commit", func(ctx context.Context) error {
		got := map[string]string{}
		for part, field := range dumps {
			if err := s.dump(ctx, part, field, got); err != nil {
				return err
			}
		}
		return errors.Join(differ(got, want), s.endpoints(ctx), s.warming(ctx))
	})
}

// dump adds what one part of the dump shows to got.
func (s *tempest) dump(ctx context.Context, part, field string, got map[string]string) error {
	body, err := s.envoy.ConfigDump(ctx, part, "")
	if err != nil {
		return err
	}
	var dump struct {
		Configs []map[string]json.RawMessage `json:"configs"`
	}
	if err := json.Unmarshal(body, &dump); err != nil {
		return err
	}
	for _, config := range dump.Configs {
		if state, ok := config["active_state"]; ok {
			if err := json.Unmarshal(state, &config); err != nil {
				return err
			}
		}
		for _, text := range list(config[field]) {
			documents, problems := resource.Decoder{}.Decode("dump.json", text)
			if len(problems) > 0 {
				return fmt.Errorf("%s: %w", part, problems)
			}
			for _, d := range documents {
				got[d.Resource.Type().Short()+" "+d.Resource.Name()] = d.Resource.Digest().String()
			}
		}
	}
	return nil
}

// list is what a JSON list has, or the value itself.
func list(value json.RawMessage) []json.RawMessage {
	var values []json.RawMessage
	if json.Unmarshal(value, &values) != nil && value != nil {
		return []json.RawMessage{value}
	}
	return values
}

// differ says what got has that want lacks, or the other way round.
func differ(got, want map[string]string) error {
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got[name] != want[name] {
			errs = append(errs, fmt.Errorf("%s is %q, want %q", name, got[name], want[name]))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(got)) {
		if _, wanted := want[name]; !wanted {
			errs = append(errs, fmt.Errorf("%s is stale", name))
		}
	}
	return errors.Join(errs...)
}

// endpoints compares Envoy's clusters with the world's, and where they lead.
func (s *tempest) endpoints(ctx context.Context) error {
	body, err := s.envoy.Get(ctx, "/clusters?format=json")
	if err != nil {
		return err
	}
	var all struct {
		Statuses []struct {
			Name  string `json:"name"`
			Hosts []struct {
				Address struct {
					Socket struct {
						Address string `json:"address"`
						Port    int    `json:"port_value"`
					} `json:"socket_address"`
				} `json:"address"`
			} `json:"host_statuses"`
		} `json:"cluster_statuses"`
	}
	if err := json.Unmarshal(body, &all); err != nil {
		return err
	}
	got, want := map[string]string{}, map[string]string{}
	for _, c := range all.Statuses {
		got[c.Name] = ""
		for _, h := range c.Hosts {
			got[c.Name] += net.JoinHostPort(h.Address.Socket.Address, strconv.Itoa(h.Address.Socket.Port))
		}
	}
	delete(got, "xds")
	for name, port := range s.world.Endpoints() {
		want[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	}
	return differ(got, want)
}

// warming reports what still warms, or is drained.
func (s *tempest) warming(ctx context.Context) error {
	stats, err := s.envoy.Stats(ctx, "^(cluster_manager.warming_clusters|listener_manager.total_(listeners|filter_chains)_(warming|draining))$")
	if err != nil {
		return err
	}
	for name, n := range stats {
		if n > 0 {
			return fmt.Errorf("%s is %d", name, n)
		}
	}
	return nil
}
