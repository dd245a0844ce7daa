// Command deltaplane is the control plane and its command line. This package
// is the only one that wires the others together.
package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() { os.Exit(mainCode()) }

// exitInterrupted is how a second signal ends the process, as shells have it.
const exitInterrupted = 130

// mainCode runs the command line until it ends or a signal comes. The first
// signal asks everything to end in order; a second one ends the process.
func mainCode() int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals, ended := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	var listening sync.WaitGroup
	listening.Go(func() {
		for asked := false; ; asked = true {
			select {
			case <-signals:
				if asked {
					os.Exit(exitInterrupted)
				}
				cancel()
			case <-ended:
				return
			}
		}
	})
	t := &terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	code := t.run(ctx, os.Args[1:])
	signal.Stop(signals)
	close(ended)
	listening.Wait()
	return code
}
