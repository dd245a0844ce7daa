package clock

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/deltaplane/deltaplane/api"
)

// answerLimit is more than any answer of /v1/clock has, in bytes.
const answerLimit = 4 << 10

// API is the exchange with a control plane's API, at base, by GET /v1/clock.
// client adds whatever token is needed, and keeps connections open: a new one
// would be in the way of each exchange.
func API(base string, client *http.Client) Exchange {
	return func(ctx context.Context) (Stamps, error) {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v1/clock", nil)
		if err != nil {
			return Stamps{}, err
		}
		asked := time.Now()
		resp, err := client.Do(req)
		if err != nil {
			return Stamps{}, err
		}
		// Its monotonic part keeps the delay right if this clock is set meanwhile.
		answered := asked.Add(time.Since(asked))
		defer resp.Body.Close()
		body, err := io.ReadAll(io.LimitReader(resp.Body, answerLimit))
		if err != nil {
			return Stamps{}, fmt.Errorf("%s: %w", req.URL, err)
		}
		if resp.StatusCode != http.StatusOK {
			return Stamps{}, fmt.Errorf("%s: %s: %.200s; is it a control plane of this version?", req.URL, resp.Status, body)
		}
		var clock api.Clock
		if err := json.Unmarshal(body, &clock); err != nil || clock.Received.IsZero() {
			return Stamps{}, fmt.Errorf("%s: %.200q is no clock", req.URL, body)
		}
		return Stamps{Asked: asked, Received: clock.Received, Sent: clock.Sent, Answered: answered}, nil
	}
}
