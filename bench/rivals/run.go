package main

import (
	"encoding/json"
	"errors"
	"flag"
	"io"
	"net"
	"net/http"
	"strings"
	"time"
)

// addresses is the first line of output.
type addresses struct {
	XDS     string `json:"xds"`     // host:port
	Control string `json:"control"` // URL
}

// run serves the kind that args name until stdin ends.
func run(args []string, stdin io.Reader, stdout io.Writer) error {
	flags := flag.NewFlagSet("rivals", flag.ContinueOnError)
	kind := flags.String("kind", "", "what serves: "+strings.Join(kindNames(), ", "))
	if err := flags.Parse(args); err != nil {
		return err
	}
	c := &counts{}
	s, err := newSide(*kind, c)
	if err != nil {
		return err
	}
	xds, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	control, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		xds.Close()
		return err
	}
	stop := s.serve(xds)
	server := &http.Server{Handler: newControl(s, c), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(control) }()

	err = json.NewEncoder(stdout).Encode(addresses{XDS: xds.Addr().String(), Control: "http://" + control.Addr().String()})
	if err == nil {
		_, err = io.Copy(io.Discard, stdin)
	}
	err = errors.Join(err, server.Close())
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return errors.Join(err, stop())
}
