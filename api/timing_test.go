package api

import (
	"regexp"
	"testing"
	"time"
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

func TestAnAnswerTellsWhenTheChangeWasStored(t *testing.T) {
	w := newWorld(t)
	before := time.Now()
	header := w.ask(200, "POST", "/v1/apply?wait=5s", webCluster, nil).Header()
	at, err := time.Parse(time.RFC3339Nano, header.Get(CommittedAt))
	if err != nil || at.Before(before) || at.After(time.Now()) {
		t.Errorf("stored at %q, between %v and now; error %v", header.Get(CommittedAt), before, err)
	}
}
