package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"os"

	"github.com/deltaplane/deltaplane/resource"
)

// maxFiles bounds the parts of one multipart body.
const maxFiles = 10_000

// file is one file of an input, with the name that messages use.
type file struct {
	name string
	data []byte
}

// documents reads and decodes the body: multipart/form-data is many files with
// their names, anything else is one file, named by ?file. Problems that are
// not warnings are the error.
func (s *Server) documents(r *http.Request) ([]resource.Document, resource.Problems, error) {
	release, err := s.reserve(r)
	if err != nil {
		return nil, nil, err
	}
	defer release()
	files, err := bodyFiles(r)
	if err != nil {
		return nil, nil, err
	}
	for _, slots := range s.slots(files) {
		select {
		case slots <- struct{}{}:
			defer func() { <-slots }()
		case <-r.Context().Done():
			return nil, nil, context.Cause(r.Context())
		}
	}
	end := s.validating(r.Context())
	docs, problems, err := s.decode(files)
	end(err)
	return docs, problems, err
}

// largeInput is from how many bytes on an input is parsed while no other such
// is: it may take a hundred times as much memory, until it is a resource.
const largeInput = 4 << 20

// slots are what the parsing of files needs one of each.
func (s *Server) slots(files []file) []chan struct{} {
	size := 0
	for _, f := range files {
		size += len(f.data)
	}
	if size < largeInput {
		return []chan struct{}{s.decoding}
	}
	return []chan struct{}{s.large, s.decoding}
}

// decode reads and checks files. Problems that are not warnings are the error.
func (s *Server) decode(files []file) (docs []resource.Document, problems resource.Problems, err error) {
	for _, f := range files {
		some, wrong := s.cfg.Decoder.Decode(f.name, f.data)
		docs, problems = append(docs, some...), append(problems, wrong...)
	}
	switch {
	case refused(problems):
		return nil, nil, problems
	case len(docs) == 0:
		// With ?prune it would remove everything: most likely a file that
		// could not be generated.
		return nil, nil, badRequest("no resource in the input")
	}
	return docs, problems, nil
}

// bodiesInMemory is how many bodies of the largest size fit into memory at a
// time; others wait. Smaller ones count as what they are.
const bodiesInMemory = 4

// reserve waits for memory to read the body of r into.
func (s *Server) reserve(r *http.Request) (release func(), err error) {
	size := s.cfg.MaxBody
	if r.ContentLength >= 0 {
		size = min(r.ContentLength, size)
	}
	if err := s.bodies.Acquire(r.Context(), size); err != nil {
		return nil, fmt.Errorf("too many bodies at a time: %w", context.Cause(r.Context()))
	}
	return func() { s.bodies.Release(size) }, nil
}

func bodyFiles(r *http.Request) ([]file, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err == nil && media == "multipart/form-data" {
		return partFiles(r.Body, params["boundary"])
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, unread(err)
	}
	name := r.URL.Query().Get("file")
	return []file{{name, data}}, nil
}

// partFiles reads a multipart body. The names keep their directories, which
// Part.FileName would cut off: they are never opened.
func partFiles(body io.Reader, boundary string) ([]file, error) {
	if boundary == "" {
		return nil, badRequest("multipart/form-data without a boundary")
	}
	var files []file
	for parts := multipart.NewReader(body, boundary); ; {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, unread(err)
		}
		if len(files) == maxFiles {
			return nil, badRequest(fmt.Sprintf("more than %d files in one request", maxFiles))
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, unread(err)
		}
		_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil {
			return nil, badRequest("multipart body: " + err.Error())
		}
		files = append(files, file{params["filename"], data})
	}
}

// unread is the error of a body that can't be read to its end, or does not have
// the form that it says: its sender's.
func unread(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return refusal{http.StatusRequestTimeout, "timeout", "the body did not arrive in time"}
	}
	return badRequest("the body cannot be read to its end: " + err.Error())
}

func bodyTooLarge(limit int64) string {
	return fmt.Sprintf("the body is larger than %d bytes; split it, or own large route tables in parts (VirtualHost documents)", limit)
}
