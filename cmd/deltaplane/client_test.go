package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestTheAnswerToABodyThatIsTooLargeIsNotLost(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		_, _ = w.Write([]byte(`{"error": "split it", "code": "too_large"}`))
	}))
	defer server.Close()
	body := bytes.NewReader(make([]byte, 64<<20))
	c := client{server: server.URL}
	err := c.call(t.Context(), request{method: http.MethodPost, path: []string{"apply"}, body: body}, nil)
	if err == nil || !strings.Contains(err.Error(), "split it") {
		t.Errorf("error %v, want the server's own", err)
	}
	if body.Len() != 64<<20 {
		t.Errorf("%d bytes were sent that nobody wanted", 64<<20-body.Len())
	}
}
