package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
)

// inputFile is one file of -f, under the name that messages use.
type inputFile struct {
	name string
	data []byte
}

func inputFlags(cmd *cobra.Command) *[]string {
	return cmd.Flags().StringArrayP("file", "f", nil, "file, directory (all *.yaml, *.yml and *.json in it) or - for standard input; may be repeated")
}

// readInput reads all that -f names.
func (t *terminal) readInput(paths []string) ([]inputFile, error) {
	if len(paths) == 0 {
		return nil, usageError{"no input: name a file, a directory or - with -f"}
	}
	var files []inputFile
	for _, path := range paths {
		if path == "-" {
			data, err := io.ReadAll(t.in)
			if err != nil {
				return nil, fmt.Errorf("standard input: %w", err)
			}
			files = append(files, inputFile{"<stdin>", data})
			continue
		}
		found, err := readPath(path)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	return files, nil
}

func readPath(path string) ([]inputFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		return []inputFile{{path, data}}, nil
	}
	var files []inputFile
	err = filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !isConfiguration(name) {
			return err
		}
		data, err := os.ReadFile(name)
		files = append(files, inputFile{name, data})
		return err
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no *.yaml, *.yml or *.json file in it", path)
	}
	return files, nil
}

func isConfiguration(name string) bool {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".yaml", ".yml", ".json":
		return true
	}
	return false
}

// upload makes one multipart body of the files, so that their names reach the
// server's messages.
func upload(files []inputFile) (body io.Reader, contentType string, err error) {
	var buffer bytes.Buffer
	form := multipart.NewWriter(&buffer)
	for _, f := range files {
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition", multipart.FileContentDisposition("file", f.name))
		part, err := form.CreatePart(header)
		if err != nil {
			return nil, "", err
		}
		if _, err := part.Write(f.data); err != nil {
			return nil, "", err
		}
	}
	if err := form.Close(); err != nil {
		return nil, "", err
	}
	return &buffer, form.FormDataContentType(), nil
}
