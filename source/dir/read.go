package dir

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/deltaplane/deltaplane/resource"
)

// cached is what a file held, as long as its identity is the same.
type cached struct {
	id       identity
	docs     []resource.Document
	problems resource.Problems
}

// cache is what is known of the content of files, by name.
type cache map[string]cached

// writers says who may be in the middle of writing a file.
type writers struct {
	open    string // a file that somebody has open for writing; "" for none
	unknown bool   // of some file it cannot be told
}

// probe reports whether somebody has a file open for writing, where the
// operating system tells.
type probe func(*os.File) (open, known bool)

// writers looks at the files that differ from what is known.
func (c cache) writers(now *listing, probe probe) writers {
	var w writers
	for _, f := range now.files {
		if known, ok := c[f.name]; ok && known.id == f.id {
			continue
		}
		opened, err := openRegular(f.name)
		if err != nil {
			continue // read tells why, or it has gone
		}
		open, known := probe(opened)
		opened.Close()
		w.unknown = w.unknown || !known
		if known && open {
			w.open = f.name
			return w
		}
	}
	return w
}

// read brings c in line with the listing: it reads and decodes the files that
// it does not know yet, and says which those are, for the history. Of a file
// with a problem nothing is known. Not ok means that a file is no longer the
// one that was listed.
func (c cache) read(now *listing, d resource.Decoder) (changed string, problems resource.Problems, ok bool) {
	listed := map[string]bool{}
	var names []string
	for _, f := range now.files {
		listed[f.name] = true
		if known, ok := c[f.name]; ok && known.id == f.id {
			continue
		}
		names = append(names, filepath.Base(f.name))
		data, id, err := readFile(f.name)
		if err == nil && id != f.id || os.IsNotExist(err) {
			return "", nil, false
		}
		if err != nil {
			delete(c, f.name)
			problems = append(problems, resource.Problem{File: f.name, Message: reason(err)})
			continue
		}
		docs, wrong := d.Decode(f.name, data)
		c[f.name] = cached{id, docs, wrong}
	}
	for name := range c {
		if !listed[name] {
			delete(c, name)
			names = append(names, filepath.Base(name)+" (removed)")
		}
	}
	return message(names), problems, true
}

// message names the first files that changed.
func message(names []string) string {
	const most = 5
	if more := len(names) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), more)
	}
	return strings.Join(names, ", ")
}

// openRegular opens a file for reading, and never waits for the other end of a
// pipe that has taken its place.
func openRegular(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &os.PathError{Op: "open", Path: name, Err: fmt.Errorf("is not a regular file")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// readFile reads a whole file and tells which it was after that.
func readFile(name string) ([]byte, identity, error) {
	f, err := openRegular(name)
	if err != nil {
		return nil, identity{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return nil, identity{}, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, identity{}, err
	}
	return data, identify(info), nil
}
