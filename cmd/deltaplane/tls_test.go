package main

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/internal/envoytest"
)

// pair writes a self-signed certificate and its key, and returns their paths.
func pair(t *testing.T, dir, name string) (cert, key string) {
	t.Helper()
	certificate, private := envoytest.Certificate(t, name)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, text := range map[string]string{cert: certificate, key: private} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

func pool(t *testing.T, path string) *x509.CertPool {
	t.Helper()
	p, err := readPool(path)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// handshake connects and returns the server's certificate; the server's
// verdict on ours comes with the first read.
func handshake(address string, config *tls.Config) (*x509.Certificate, error) {
	conn, err := tls.Dial("tcp", address, config)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }() // what matters was read
	if _, err := conn.Read(make([]byte, 1)); err != nil {
		return nil, err
	}
	return conn.ConnectionState().PeerCertificates[0], nil
}

func TestXDSWantsACertificateOfTheClient(t *testing.T) {
	cert, key := pair(t, t.TempDir(), "localhost")
	clientCert, clientKey := pair(t, t.TempDir(), "edge-1")
	otherCert, otherKey := pair(t, t.TempDir(), "edge-1")
	srv := start(t, "--tls-cert="+cert, "--tls-key="+key, "--tls-client-ca="+clientCert)
	for name, test := range map[string]struct {
		cert, key string
		accepted  bool
	}{
		"none": {}, "of another authority": {otherCert, otherKey, false}, "right": {clientCert, clientKey, true},
	} {
		config := &tls.Config{RootCAs: pool(t, cert), ServerName: "localhost", NextProtos: []string{"h2"}}
		if test.cert != "" {
			pair, err := tls.LoadX509KeyPair(test.cert, test.key)
			if err != nil {
				t.Fatal(err)
			}
			config.Certificates = []tls.Certificate{pair}
		}
		if _, err := handshake(srv.xdsAddress, config); (err == nil) != test.accepted {
			t.Errorf("certificate %s: %v, want it accepted: %v", name, err, test.accepted)
		}
	}
}

func TestAChangedCertificateIsServedWithoutARestart(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, dir, "localhost")
	srv := start(t, "--tls-cert="+cert, "--tls-key="+key)
	config := &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}} // the certificate itself is compared
	first, err := handshake(srv.xdsAddress, config)
	if err != nil {
		t.Fatal(err)
	}

	// Half of a change is no change.
	if err := os.WriteFile(cert, []byte("not a certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	touch(t, time.Hour, cert)
	if same, err := handshake(srv.xdsAddress, config); err != nil || !same.Equal(first) {
		t.Errorf("with a broken file: %v, want the last good certificate", err)
	}
	pair(t, dir, "localhost")
	touch(t, 2*time.Hour, cert, key)
	if second, err := handshake(srv.xdsAddress, config); err != nil || second.Equal(first) {
		t.Errorf("after the change: %v, want the new certificate", err)
	}
}

// touch moves the files' times on, as coarse clocks may not.
func touch(t *testing.T, ahead time.Duration, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Chtimes(path, time.Time{}, time.Now().Add(ahead)); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheCommandLineSpeaksTLSWithTokens(t *testing.T) {
	dir := t.TempDir()
	cert, key := pair(t, dir, "localhost")
	tokens, input := filepath.Join(dir, "tokens"), filepath.Join(dir, "web.yaml")
	for path, text := range map[string]string{
		tokens: "# who deploys\ndeployer: 0123456789abcdef0123\n",
		input:  "'@type': type.googleapis.com/envoy.config.cluster.v3.Cluster\nname: web\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	srv := start(t, "--tls-cert="+cert, "--tls-key="+key, "--token-file="+tokens)
	at, err := url.Parse(srv.apiURL)
	if err != nil || at.Scheme != "https" {
		t.Fatalf("API at %q, %v: want https", srv.apiURL, err)
	}
	server := "--server=https://localhost:" + at.Port()
	run := func(args ...string) (code int, out, problem string) {
		var stdout, stderr bytes.Buffer
		term := &terminal{in: strings.NewReader(""), out: &stdout, err: &stderr}
		code = term.run(t.Context(), append(args, server))
		return code, stdout.String(), stderr.String()
	}
	if code, _, problem := run("apply", "-f", input, "--token-file="+tokens); code != exitDiffer || !strings.Contains(problem, "certificate") {
		t.Errorf("without --ca: %d %s", code, problem)
	}
	if code, _, problem := run("apply", "-f", input, "--ca="+cert); code != exitDiffer || !strings.Contains(problem, "--token-file") {
		t.Errorf("without a token: %d %s", code, problem)
	}
	if code, out, problem := run("apply", "-f", input, "--ca="+cert, "--token-file="+tokens); code != exitFine {
		t.Fatalf("with both: %d %s%s", code, out, problem)
	}
	t.Setenv("DELTAPLANE_TOKEN", "0123456789abcdef0123")
	code, out, problem := run("show", "1", "-o", "json", "--ca="+cert)
	var commit api.Commit
	if err := json.Unmarshal([]byte(out), &commit); code != exitFine || err != nil || commit.Author != "deployer" {
		t.Errorf("%d %+v %v %s: want the token's name as the author", code, commit, err, problem)
	}
	for _, page := range []string{"/debug/pprof/heap", "/v1/resources"} {
		c := &client{server: "https://localhost:" + at.Port(), ca: cert}
		t.Setenv("DELTAPLANE_TOKEN", "")
		transport, err := c.transport()
		if err != nil {
			t.Fatal(err)
		}
		hr, err := c.httpRequest(t.Context(), request{method: "GET"})
		if err != nil {
			t.Fatal(err)
		}
		hr.URL.Path = page
		answer, err := transport.RoundTrip(hr)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		if answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s without a token answers %d, want 401", page, answer.StatusCode)
		}
	}
}

func TestTheAPISpeaksHTTP2OverTLS(t *testing.T) {
	cert, key := pair(t, t.TempDir(), "localhost")
	srv := start(t, "--tls-cert="+cert, "--tls-key="+key)
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: pool(t, cert), ServerName: "localhost"},
		ForceAttemptHTTP2: true,
	}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get(srv.apiURL + "/v1/versions")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.ProtoMajor != 2 {
		t.Errorf("%s over %s, want 200 over HTTP/2", answer.Status, answer.Proto)
	}
}
