package api

import (
	"regexp"
	"testing"
)

func TestAnAnswerTellsHowLongCommitAndAcknowledgementsTook(t *testing.T) {
	w := newWorld(t)
	for query, want := range map[string]string{
		"":         `^commit;dur=\d+\.\d{3}$`,
		"?wait=5s": `^commit;dur=\d+\.\d{3}, ack;dur=\d+\.\d{3}$`,
	} {
		got := w.ask(200, "POST", "/v1/apply"+query, webCluster, nil).Header().Get("Server-Timing")
		if !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("apply%s: Server-Timing is %q, want %s", query, got, want)
		}
	}
}
