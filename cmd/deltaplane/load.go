package main

import (
	"fmt"
	"strings"

	"github.com/deltaplane/deltaplane/api"
	"github.com/deltaplane/deltaplane/loadreport"
)

// loadOf shows what a node reported to the API.
func loadOf(l loadreport.Load) *api.Load {
	load := &api.Load{At: l.At, Rates: api.Rates(l.Total), Omitted: l.Omitted}
	for _, c := range l.Clusters {
		cluster := api.ClusterLoad{Cluster: c.Name, Interval: c.Interval.Seconds(), Rates: api.Rates(c.Rates())}
		for _, part := range c.Localities {
			locality := api.LocalityLoad{
				Region: part.Region, Zone: part.Zone, SubZone: part.SubZone, Priority: part.Priority, Rates: api.Rates(c.RatesOf(part.Requests)),
			}
			for _, e := range part.Endpoints {
				locality.Endpoints = append(locality.Endpoints, api.EndpointLoad{Address: e.Address, Rates: api.Rates(c.RatesOf(e.Requests))})
			}
			cluster.Localities = append(cluster.Localities, locality)
		}
		load.Clusters = append(load.Clusters, cluster)
	}
	return load
}

// printLoad prints what a proxy reported: a line for each cluster, and for
// each part of one that has several.
func (t *terminal) printLoad(l *api.Load) {
	if l == nil {
		return
	}
	fmt.Fprintf(t.out, "Requests per second, as reported %s ago:\n", age(l.At))
	var tab table
	tab.row(texts("CLUSTER", "ISSUED", "OK", "FAILED", "DROPPED", "IN PROGRESS")...)
	for _, c := range l.Clusters {
		tab.row(rateRow(c.Cluster, c.Rates)...)
		if len(c.Localities) == 1 && len(c.Localities[0].Endpoints) < 2 {
			continue
		}
		for _, part := range c.Localities {
			name := strings.Trim(part.Region+"/"+part.Zone+"/"+part.SubZone, "/")
			tab.row(rateRow(fmt.Sprintf("  %s priority %d", dash(name), part.Priority), part.Rates)...)
			for _, e := range part.Endpoints {
				tab.row(rateRow("    "+e.Address, e.Rates)...)
			}
		}
	}
	tab.print(t, t.out)
	if l.Omitted > 0 {
		fmt.Fprintf(t.out, "%d more were too many to keep\n", l.Omitted)
	}
}

// loadCells are a proxy's requests in all, and those that failed; "-" for one
// that reports none.
func loadCells(l *api.Load) []cell {
	if l == nil {
		return texts("-", "-")
	}
	return []cell{{text: rate(l.Issued)}, rateRow("", l.Rates)[3]}
}

// rateRow is one row; what failed or was dropped stands out.
func rateRow(name string, r api.Rates) []cell {
	row := texts(visible(name), rate(r.Issued), rate(r.Succeeded), rate(r.Failed), rate(r.Dropped), fmt.Sprint(r.InProgress))
	for column, bad := range map[int]float64{3: r.Failed, 4: r.Dropped} {
		if bad > 0 {
			row[column].colour = yellow
		}
	}
	return row
}

// rate is a number with one decimal, as long as that says something.
func rate(perSecond float64) string {
	if perSecond >= 100 {
		return fmt.Sprintf("%.0f", perSecond)
	}
	return fmt.Sprintf("%.1f", perSecond)
}
