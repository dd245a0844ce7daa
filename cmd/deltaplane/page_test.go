package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestARefusalDoesNotWaitForTheBodyForever(t *testing.T) {
	refuse := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusForbidden) })
	server := httptest.NewServer(bodiesWithin(10*time.Millisecond, refuse))
	defer server.Close()
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /v1/apply HTTP/1.1\r\nHost: elsewhere\r\nContent-Length: 500\r\n\r\nabc"); err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(30 * time.Second)) // only if it never answers
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("the client that sends no body was not answered: %v", err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusForbidden || !answer.Close {
		t.Errorf("status %d, connection to be closed: %t; expected 403 and the end of the connection", answer.StatusCode, answer.Close)
	}
}
