package main

import (
	"encoding/json"
	"net/http"
	"sync"
)

// control is how the bench leads a side:
//
//	PUT  /resources                   the initial state, as readResources reads it; 204 when it is served
//	POST /change?remove=TYPE_URL/NAME resources that replace those of their names, and removals; 200 when handed to every stream
//	GET  /usage?gc=1                  what the process has used so far, as JSON; with gc, after a collection
type control struct {
	side   side
	counts *counts

	mu sync.Mutex // one put or change at a time
}

func newControl(s side, c *counts) http.Handler {
	ctl := &control{side: s, counts: c}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /resources", ctl.put)
	mux.HandleFunc("POST /change", ctl.change)
	mux.HandleFunc("GET /usage", ctl.usage)
	return mux
}

func (c *control) put(w http.ResponseWriter, r *http.Request) {
	all, err := readResources(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.side.put(r.Context(), all); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (c *control) change(w http.ResponseWriter, r *http.Request) {
	changed, err := readResources(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	var removed []key
	for _, text := range r.URL.Query()["remove"] {
		k, err := parseKey(text)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		removed = append(removed, k)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.side.change(r.Context(), changed, removed); err != nil {
		http.Error(w, err.Error(), http.StatusUnprocessableEntity)
	}
}

func (c *control) usage(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	// An error here means that the client has gone.
	_ = json.NewEncoder(w).Encode(readUsage(c.counts, r.URL.Query().Get("gc") == "1"))
}
