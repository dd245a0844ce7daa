package shapefuzz

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// entry is what an access log says of one request.
type entry map[string]any

// text is a field, "" if Envoy had nothing to say.
func (e entry) text(name string) string {
	s, _ := e[name].(string)
	return s
}

// entries reads the access log of a listener with a port: its entries by id. What Envoy refused before it
// had read the headers has none.
func entries(path, port string) (map[string]entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all := map[string]entry{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var e entry
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return nil, fmt.Errorf("access log %s: %w", path, err)
		}
		if id := e.text("id"); id != "" {
			delete(e, "id")
			if e["code"] == float64(http.StatusSwitchingProtocols) || e.text("method") == http.MethodConnect && e["code"] == float64(http.StatusOK) {
				delete(e, "details") // both ends close at the same time
				delete(e, "flags")
			}
			for _, name := range []string{"authority", "path"} {
				if text := e.text(name); text != "" {
					e[name] = strings.ReplaceAll(text, ":"+port, ownPort)
				}
			}
			all[id] = e
		}
	}
	return all, lines.Err()
}
