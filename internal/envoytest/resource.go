package envoytest

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/deltaplane/deltaplane"
	"github.com/deltaplane/deltaplane/api"
)

// Resources lists what the store holds at a version, or with 0 now, with
// content: up to one page of a type.
func (p *Plane) Resources(ctx context.Context, kind string, v deltaplane.Version) (api.Resources, error) {
	query := url.Values{"type": {kind}, "content": {"true"}}
	if v > 0 {
		query.Set("version", strconv.FormatUint(uint64(v), 10))
	}
	var page api.Resources
	err := p.call(ctx, http.MethodGet, "/v1/resources?"+query.Encode(), "", &page)
	return page, err
}
