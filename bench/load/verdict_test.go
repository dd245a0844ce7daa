package load

import (
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

func ofMedian(v float64) Figure { return Figure{Median: v, Least: v, Most: v, Turns: 1} }

// sideOf takes so many ms to the last proxy, P50 and P99, and of CPU.
func sideOf(kind Kind, resources int, last float64) Side {
	d := histogram.Distribution{Count: 10, P50: last, P99: 2 * last}
	return Side{Kind: kind, Resources: resources, Changes: Course{Call: Reach{First: d, Last: d}, CPU: ofMedian(last)}}
}

func demanded(all []Demand, what, unit string) (found []Demand) {
	for _, d := range all {
		if strings.HasPrefix(d.What, what) && strings.HasPrefix(d.Unit, unit) {
			found = append(found, d)
		}
	}
	return found
}

func TestADemandIsMetUpToWhatIsAsked(t *testing.T) {
	for last, met := range map[float64]bool{10: true, 13: true, 13.2: false} {
		ours := sideOf(Deltaplane, 100, last+0.5)
		ours.Changes.Etcd = ofMedian(0.5) // which does not count
		got := demanded(demands([]Side{ours, sideOf(Floor, 100, 10)}), "to the last proxy, P50", "")
		if len(got) != 1 || got[0].Met != met || got[0].Asked != 1.3 {
			t.Errorf("%g ms against 10: %+v, want met: %v", last, got, met)
		}
	}
}

func TestWhatWasNotMeasuredIsNotJudged(t *testing.T) {
	if got := demands([]Side{sideOf(Deltaplane, 100, 1)}); got != nil {
		t.Errorf("without a floor: %+v", got)
	}
	all := demands([]Side{sideOf(Deltaplane, 100, 1), sideOf(Floor, 100, 1)})
	for _, what := range []string{"reconnect", "at a rate", "a change that concerns"} {
		if got := demanded(all, what, ""); got != nil {
			t.Errorf("%+v", got)
		}
	}
}

func TestSeveralNumbersOfResourcesAreComparedWithEachOther(t *testing.T) {
	all := demands([]Side{sideOf(Deltaplane, 100_000, 12), sideOf(Floor, 100_000, 10), sideOf(Deltaplane, 1000, 11), sideOf(Floor, 1000, 10)})
	got := demanded(all, "to the last proxy, P50", "times that of 1000")
	if len(got) != 1 || got[0].Resources != 100_000 || !got[0].Met || got[0].Got < 1.09 || got[0].Got > 1.1 {
		t.Errorf("%+v", got)
	}
}

func TestAPlaneWithoutAnyChangeMissesItsSLA(t *testing.T) {
	ours, floor := sideOf(Deltaplane, 100, 20), sideOf(Floor, 100, 500)
	if got := verdict([]Side{floor, ours}, 50*time.Millisecond); !got.Met || got.Side != Deltaplane || got.P99 != 40 {
		t.Errorf("%+v", got)
	}
	if got := verdict([]Side{ours}, 39*time.Millisecond); got.Met {
		t.Errorf("%+v", got)
	}
	if got := verdict([]Side{{Kind: Deltaplane}}, time.Second); got.Met {
		t.Errorf("%+v", got)
	}
}

func TestAFigureIsTheMedianWithItsSpread(t *testing.T) {
	for _, test := range []struct {
		of   samples
		want Figure
	}{
		{nil, Figure{}},
		{samples{3}, Figure{3, 3, 3, 1}},
		{samples{9, 1, 2}, Figure{2, 1, 9, 3}},
		{samples{9, 1, 2, 4}, Figure{3, 1, 9, 4}},
	} {
		if got := test.of.figure(); got != test.want {
			t.Errorf("%v: %+v, want %+v", test.of, got, test.want)
		}
	}
}
