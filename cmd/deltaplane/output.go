package main

import (
	"encoding/json"
	"fmt"
	"time"
)

// printJSON prints v indented.
func (t *terminal) printJSON(v any) error {
	encoder := json.NewEncoder(t.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	return encoder.Encode(v)
}

// age is how long ago something was, for people: "2s", "4m12s", "3h5m", "2d4h".
func age(since time.Time) string {
	if since.IsZero() {
		return "-"
	}
	d := max(time.Since(since), 0)
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%ds", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%dm%ds", int(d.Minutes()), int(d.Seconds())%60)
	case d < 24*time.Hour:
		return fmt.Sprintf("%dh%dm", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%dd%dh", int(d.Hours())/24, int(d.Hours())%24)
}
