package deltaplane

import (
	"crypto/tls"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Config says where a Store keeps its data. The zero value of each field
// takes its default.
type Config struct {
	DataDir    string                // embedded etcd and the disk snapshot; default "./deltaplane-data"
	Endpoints  []string              // external etcd cluster; empty: embedded
	TLS        *tls.Config           // for Endpoints
	Prefix     string                // of all keys in etcd; default "/deltaplane/"
	MaxCommits int                   // history kept; default 1,000
	MaxAge     time.Duration         // history kept; default 30 days
	QuotaBytes int64                 // etcd's quota; default 2 GiB; history takes at most a quarter
	LeafDrain  time.Duration         // parts of split tables outlive listeners that lead to them; default 15 minutes (package shape)
	Logger     *slog.Logger          // default: discard
	Registerer prometheus.Registerer // default: none
	Tracer     Tracer                // default: none
}

func (c Config) withDefaults() Config {
	if c.DataDir == "" {
		c.DataDir = "deltaplane-data"
	}
	if c.Prefix == "" {
		c.Prefix = "/deltaplane/"
	}
	if !strings.HasSuffix(c.Prefix, "/") {
		c.Prefix += "/"
	}
	if c.MaxCommits == 0 {
		c.MaxCommits = 1000
	}
	if c.MaxAge == 0 {
		c.MaxAge = 30 * 24 * time.Hour
	}
	if c.QuotaBytes == 0 {
		c.QuotaBytes = 2 << 30
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
