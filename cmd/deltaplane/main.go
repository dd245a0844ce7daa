// Command deltaplane is the control plane and its command line. This package
// is the only one that wires the others together.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() { os.Exit(mainCode()) }

// mainCode runs the command line until it ends or a signal comes. The first
// signal asks everything to end in order; a second one ends the process.
func mainCode() int {
	ctx, restore := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer restore()
	defer context.AfterFunc(ctx, restore)()
	t := &terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	return t.run(ctx, os.Args[1:])
}
