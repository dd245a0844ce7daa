package examples

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/deltaplane/deltaplane/internal/envoytest"
	"github.com/deltaplane/deltaplane/internal/traffic"
)

func TestTheEdgeChecksTokensAndRedirects(t *testing.T) {
	documents, listeners := read(t, "edge")
	documents = strings.Replace(documents, "port_value: 9001", fmt.Sprint("port_value: ", envoytest.Backend(t, "orders").Port()), 1)
	e := show(t, documents, listeners)
	certificate, err := os.ReadFile("edge/certificate.pem")
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile("edge/token.txt")
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(certificate)
	secure := envoytest.Client(t, e.WaitListener("https"), &tls.Config{RootCAs: pool, ServerName: "example.test"})
	plain := envoytest.Client(t, e.WaitListener("http"), nil)
	for _, c := range []struct {
		client *traffic.Client
		path   string
		token  string
		want   int
	}{
		{secure, "/healthz", "", http.StatusOK},
		{secure, "/api/orders", "", http.StatusUnauthorized},
		{secure, "/api/orders", "Bearer nonsense", http.StatusUnauthorized},
		{secure, "/api/orders", "Bearer " + strings.TrimSpace(string(token)), http.StatusOK},
		{plain, "/", "", http.StatusMovedPermanently},
	} {
		r := traffic.Request{Host: "example.test", Path: c.path, Header: http.Header{"Authorization": {c.token}}}
		if c.token == "" {
			r.Header = nil
		}
		answer, err := c.client.Do(envoytest.Context(t), r)
		if err != nil || answer.Status != c.want {
			t.Errorf("%s with token %.10q: status %d, error %v, want %d", c.path, c.token, answer.Status, err, c.want)
		}
	}
}
