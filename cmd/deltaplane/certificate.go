package main

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// certificate serves a TLS configuration from files and reads them again when
// they change. A change that cannot be read is logged, and the last good one
// stays. It is safe for concurrent handshakes.
type certificate struct {
	certFile, keyFile, clientCA string
	protocols                   []string
	log                         *slog.Logger

	mu      sync.Mutex // guards what follows
	changed [3]time.Time
	config  *tls.Config
}

// newCertificate reads the files for the first time; clientCA may be empty.
func newCertificate(certFile, keyFile, clientCA string, protocols []string, log *slog.Logger) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, clientCA: clientCA, protocols: protocols, log: log}
	c.changed = c.modified()
	config, err := c.read()
	c.config = config
	return c, err
}

// tlsConfig is for a listener.
func (c *certificate) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: c.protocols,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) {
			return c.current(), nil
		},
	}
}

// current costs three stats per handshake.
func (c *certificate) current() *tls.Config {
	c.mu.Lock()
	defer c.mu.Unlock()
	modified := c.modified()
	if modified == c.changed {
		return c.config
	}
	c.changed = modified
	config, err := c.read()
	if err != nil {
		c.log.Error("changed certificate is not usable; the last good one stays", "error", err)
		return c.config
	}
	c.log.Info("certificate read again", "file", c.certFile)
	c.config = config
	return config
}

func (c *certificate) modified() [3]time.Time {
	var times [3]time.Time
	for i, name := range []string{c.certFile, c.keyFile, c.clientCA} {
		if info, err := os.Stat(name); name != "" && err == nil {
			times[i] = info.ModTime()
		}
	}
	return times
}

func (c *certificate) read() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return nil, fmt.Errorf("--tls-cert: %w", err)
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: c.protocols, Certificates: []tls.Certificate{pair}}
	if c.clientCA == "" {
		return config, nil
	}
	if config.ClientCAs, err = readPool(c.clientCA); err != nil {
		return nil, fmt.Errorf("--tls-client-ca: %w", err)
	}
	config.ClientAuth = tls.RequireAndVerifyClientCert
	return config, nil
}
