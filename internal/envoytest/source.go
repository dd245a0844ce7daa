package envoytest

import (
	"context"
	"fmt"
	"net/http"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/source"
)

// Sources is how the watched sources stand.
func (p *Plane) Sources(ctx context.Context) ([]source.Status, error) {
	var list api.SourceList
	err := p.call(ctx, http.MethodGet, "/v1/sources", "", &list)
	return list.Sources, err
}

// WaitSource waits until the only source is in the given state.
func (p *Plane) WaitSource(state source.State) source.Status {
	p.t.Helper()
	var status source.Status
	Eventually(p.t, "the source to be "+string(state), func(ctx context.Context) error {
		sources, err := p.Sources(ctx)
		if err != nil {
			return err
		}
		if len(sources) != 1 || sources[0].State != state {
			return fmt.Errorf("there are %+v", sources)
		}
		status = sources[0]
		return nil
	})
	return status
}
