package shapefuzz

import (
	"flag"
	"testing"
	"time"
)

var (
	firstSeed  = flag.Uint64("seed", 1, "of the first table, the others have the numbers after it; 0 takes the time")
	lasting    = flag.Duration("for", 0, "how long to go on after -tables")
	tableCount = flag.Int("tables", enough, "how many tables to compare")
)

// What one Envoy is given, and how many tables make 20,000 pairs.
const (
	perEnvoy = 10  // tables
	perTable = 280 // requests
	enough   = 60  // tables
	searches = 2000
)

func TestSplitTablesRouteAsWholeOnes(t *testing.T) {
	seed := *firstSeed
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("the first table has seed %d", seed)
	var sum Result
	until := time.Now().Add(*lasting)
	for left := *tableCount; (left > 0 || time.Now().Before(until)) && len(sum.Differences) == 0; left -= perEnvoy {
		var cases []*Case
		for range perEnvoy {
			if left > 0 && len(cases) == left {
				break
			}
			c, err := NewCase(seed)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Search(searches); err != nil {
				sum.Differences = append(sum.Differences, err)
			}
			cases = append(cases, c)
			seed++
		}
		if len(sum.Differences) == 0 {
			sum.add(Compare(t, cases, perTable))
		}
	}
	const shown = 5
	for i, d := range sum.Differences {
		if i == shown {
			t.Errorf("and %d more", len(sum.Differences)-shown)
			break
		}
		t.Error(d)
	}
	t.Logf("%d pairs; of %d requests %d found a route, %d were judged by the model, too", sum.Pairs, sum.Requests, sum.Routed, sum.Judged)
	if *tableCount >= enough && !t.Failed() && (sum.Pairs < 20_000 || sum.Routed < sum.Requests*55/100 || sum.Requests-sum.Routed < sum.Requests/5 || sum.Judged < sum.Requests/2) {
		t.Error("these are too few")
	}
}
