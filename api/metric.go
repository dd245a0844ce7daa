package api

import (
	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	requests *prometheus.HistogramVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:                        "deltaplane_api_request_seconds",
			Help:                        "Time to answer a request of the admin API, by route and status code.",
			Buckets:                     prometheus.ExponentialBuckets(0.001, 4, 8),
			NativeHistogramBucketFactor: 1.1,
		}, []string{"route", "code"}),
	}
	if reg != nil {
		reg.MustRegister(m.requests)
	}
	return m
}
