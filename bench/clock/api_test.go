package clock

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/api"
)

// control is an API whose clock shows skew more than this one.
func control(t *testing.T, skew time.Duration) (url string, client *http.Client) {
	t.Helper()
	plane := api.New(api.Config{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		plane.ServeHTTP(answer, r)
		var stamps api.Clock
		if err := json.Unmarshal(answer.Body.Bytes(), &stamps); err != nil {
			t.Errorf("%s: %v", answer.Body, err)
		}
		_ = json.NewEncoder(w).Encode(api.Clock{Received: stamps.Received.Add(skew), Sent: stamps.Sent.Add(skew)})
	}))
	t.Cleanup(server.Close)
	return server.URL, server.Client()
}

func TestTheClockOfAControlPlaneIsReadThroughItsAPI(t *testing.T) {
	for _, skew := range []time.Duration{0, time.Minute, -time.Minute} {
		url, client := control(t, skew)
		r, err := Measure(t.Context(), API(url, client))
		if err != nil {
			t.Fatal(err)
		}
		if (r.Offset-skew).Abs() > r.Error || r.Error <= 0 {
			t.Errorf("skew %v is read as %v ±%v", skew, r.Offset, r.Error)
		}
		if skew != 0 && !errors.Is(r.Check(), ErrApart) {
			t.Errorf("skew %v is not refused", skew)
		}
	}
}

func TestWhatIsNoClockIsAnError(t *testing.T) {
	for want, answer := range map[string]http.HandlerFunc{
		"of this version": http.NotFound,
		"is no clock":     func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"time": 1}`)) },
	} {
		server := httptest.NewServer(answer)
		_, err := Measure(t.Context(), API(server.URL, server.Client()))
		server.Close()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error is %v, want one with %q", err, want)
		}
	}
	if _, err := API("http://[", http.DefaultClient)(t.Context()); err == nil {
		t.Error("no URL is no error")
	}
}
