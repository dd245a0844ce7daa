package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/deltaplane/deltaplane/api"
)

func TestWhatProxiesSayCannotDriveTheTerminal(t *testing.T) {
	evil := "edge\x1b[2J\a\r"
	status := api.Status{Proxies: []api.Proxy{{Node: evil, Cluster: evil, Fleet: evil, State: api.Refused, Connected: true, Since: time.Now(),
		Types: []api.ProxyType{{Type: "Cluster", State: api.Refused, Refusal: &api.Refusal{Reason: evil + "\nmore", Resources: []string{evil}}}}}}}
	var out bytes.Buffer
	term := &terminal{out: &out, err: &out}
	term.printStatus(status)
	term.printNode(status.Proxies[0])
	term.printEvents(nil, &status)
	term.printMissing(api.Acks{Missing: status.Proxies})
	term.printPlan(&api.Plan{Steps: []api.Step{{Name: evil, Action: "changed", Fields: []api.Field{{Path: evil, Old: evil, New: evil}}}}})
	if strings.ContainsAny(out.String(), "\x1b\a\r") || strings.Count(out.String(), "edge") < 8 {
		t.Errorf("control characters, or names missing, in %q", out.String())
	}
}

func TestANameCannotPretendToBeFurtherRows(t *testing.T) {
	evil := "edge\n! forged"
	status := api.Status{Proxies: []api.Proxy{{Node: evil, Cluster: evil, Fleet: evil, State: api.Refused, Connected: true, Since: time.Now(),
		Types: []api.ProxyType{{Type: "Cluster", State: api.Refused, Refusal: &api.Refusal{Reason: "no", Resources: []string{evil}}}}}}}
	var out bytes.Buffer
	term := &terminal{out: &out, err: &out}
	term.printStatus(status)
	term.printNode(status.Proxies[0])
	term.printEvents(nil, &status)
	term.printMissing(api.Acks{Missing: status.Proxies})
	if strings.Contains(out.String(), "\n! forged") || strings.Count(out.String(), "! forged") < 8 {
		t.Errorf("rows that nobody printed, or names missing, in %q", out.String())
	}
}

func TestSpansAreShort(t *testing.T) {
	for span, want := range map[time.Duration]string{
		0: "0s", 59 * time.Second: "59s", 252 * time.Second: "4m12s", 185 * time.Minute: "3h5m", 52 * time.Hour: "2d4h", -time.Hour: "0s",
	} {
		if got := spanText(span); got != want {
			t.Errorf("%s is %q, want %q", span, got, want)
		}
	}
	if got := age(time.Time{}); got != "-" {
		t.Errorf("never is %q, want -", got)
	}
}
