package load

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/bench/histogram"
)

// articleReport is a report of full pushes at 218 and 430 ms and 100 ms of CPU,
// and of ours at what is given.
func articleReport(mean, p99, cpu float64) *Report {
	of := func(kind Kind, mean, p99, cpu, bytes float64) Side {
		call := Reach{Any: histogram.Distribution{P99: p99}, AnyMean: mean}
		return Side{Kind: kind, Changes: Course{Call: call, CPU: ofMedian(cpu), Bytes: ofMedian(bytes)}}
	}
	return &Report{Sides: []Side{of(Snapshot, articleFullMean, articleFullP99, 100, 2e6), of(Deltaplane, mean, p99, cpu, 1e6)}}
}

func TestTheArticlesVerdictIsMetWhereAllOfItsRatiosAre(t *testing.T) {
	for _, c := range []struct {
		mean, p99, cpu float64
		met            bool
	}{
		{32, 47, 62, true},
		{1, 1, 1, true},
		{32.1, 47, 62, false},
		{32, 47.1, 62, false},
		{32, 47, 62.1, false},
	} {
		a := newArticle(1000, 10_000, articleReport(c.mean, c.p99, c.cpu))
		if a.Met != c.met || math.Abs(a.Faster*c.mean-articleFullMean) > 1e-9 || math.Abs(a.CPUSaved-(1-c.cpu/100)) > 1e-9 {
			t.Errorf("ours at %v is judged %+v, want met %t", c, a, c.met)
		}
	}
}

func TestTheArticlesTableStatesBothItsRatiosAndOurs(t *testing.T) {
	var text strings.Builder
	newArticle(1000, 10_000, articleReport(16, 40, 80)).Print(&text)
	got := strings.Join(strings.Fields(text.String()), " ")
	for _, want := range []string{
		"1000 nodes, 10000 routes", "full push 218.0 ms 430.0 ms 100.0 ms 2.0 MB", "deltaplane 16.0 ms 40.0 ms 80.0 ms 1.0 MB",
		"better by 13.6 × 10.8 × 20 % 2.0 ×", "the article 6.8 × 9.1 × 38 %", "as the article says: missed",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the table lacks %q:\n%s", want, text.String())
		}
	}
}

func TestAnArticleWithoutRoutesIsRefused(t *testing.T) {
	if _, err := RunArticle(context.Background(), Config{Proxies: 1}, 0); !errors.Is(err, ErrConfig) {
		t.Errorf("RunArticle said %v", err)
	}
}
