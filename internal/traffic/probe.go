package traffic

import (
	"context"
	"fmt"
	"time"
)

// probeEvery paces Until: fine enough to date a change, and light enough to
// leave the proxy's worker to the traffic.
const probeEvery = 500 * time.Microsecond

// Until repeats a request until its answer is body with status 200, and
// returns that answer. When ctx is done before, the error says what the last
// answer was.
func (c *Client) Until(ctx context.Context, r Request, body string) (Answer, error) {
	return c.UntilFunc(ctx, r, func(a Answer) bool { return a.Status == 200 && a.Body == body })
}

// UntilFunc is Until for any condition.
func (c *Client) UntilFunc(ctx context.Context, r Request, accept func(Answer) bool) (Answer, error) {
	tick := time.NewTicker(probeEvery)
	defer tick.Stop()
	last := "no answer yet"
	for {
		answer, err := c.Do(ctx, r)
		switch {
		case err == nil && accept(answer):
			return answer, nil
		case err == nil:
			last = fmt.Sprintf("%d %.200q", answer.Status, answer.Body)
		case ctx.Err() == nil:
			last = err.Error()
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return Answer{}, fmt.Errorf("%s%s: %w; the last answer was: %s", r.Host, r.Path, context.Cause(ctx), last)
		}
	}
}
