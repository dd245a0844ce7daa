// Gateway10k prints the configuration of a gateway with 1,000 hosts and ten
// routes each, as YAML documents to apply.
package main

import (
	"flag"
	"log"
	"os"

	"github.com/deltaplane/deltaplane/internal/gateway"
)

func main() {
	log.SetFlags(0)
	var g gateway.Gateway
	flag.IntVar(&g.Hosts, "hosts", 1000, "virtual hosts")
	flag.IntVar(&g.Routes, "routes", 10, "routes of each host")
	flag.IntVar(&g.Listen, "listen", 10000, "port of the gateway's listener on 127.0.0.1")
	flag.BoolVar(&g.Plain, "plain", false, "have the table go out as it is written")
	blue := flag.Int("blue", 9001, "port of the backend blue on 127.0.0.1")
	green := flag.Int("green", 9002, "port of the backend green on 127.0.0.1")
	flag.Parse()
	g.Clusters = []gateway.Cluster{{Name: "blue", Port: *blue}, {Name: "green", Port: *green}}
	if err := g.Write(os.Stdout); err != nil {
		log.Fatal(err)
	}
}
