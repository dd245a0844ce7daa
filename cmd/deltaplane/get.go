package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/api"
)

// getFlags are the flags of get.
type getFlags struct {
	*client
	namespace string
	version   string
	output    string
}

func (t *terminal) getCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "get [TYPE [NAME]]",
		Short: "Show what is stored, with secrets masked",
		Example: `  deltaplane get
  deltaplane get cluster
  deltaplane get route edge -o yaml
  deltaplane get cluster pay --version 41 -o json`,
		Args: cobra.MaximumNArgs(2),
	}
	g := &getFlags{client: clientFlags(cmd)}
	cmd.Flags().StringVarP(&g.namespace, "namespace", "n", "", "only this one (default: all; default for a name)")
	cmd.Flags().StringVar(&g.version, "version", "", "as it was at this version")
	cmd.Flags().StringVarP(&g.output, "output", "o", "", "yaml, json, wide or name")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		switch g.output {
		case "", "yaml", "json", "wide", "name":
		default:
			return usageError{fmt.Sprintf("-o %s: expected yaml, json, wide or name", g.output)}
		}
		if len(args) == 2 {
			return t.getOne(cmd.Context(), g, args[0], args[1])
		}
		kind := ""
		if len(args) == 1 {
			kind = args[0]
		}
		return t.getMany(cmd.Context(), g, kind)
	})
	return cmd
}

// one fetches a resource with its content.
func (g *getFlags) one(ctx context.Context, kind, name, namespace, format string, v any) error {
	return g.call(ctx, request{method: http.MethodGet, path: []string{"resources", kind, name},
		query: map[string]string{"namespace": namespace, "version": g.version, "format": format}}, v)
}

func (t *terminal) getOne(ctx context.Context, g *getFlags, kind, name string) error {
	switch g.output {
	case "yaml", "json":
		var content []byte
		if err := g.content(ctx, kind, name, g.namespace, &content); err != nil {
			return err
		}
		_, err := t.out.Write(content)
		return err
	}
	var found api.Resource
	if err := g.one(ctx, kind, name, g.namespace, "", &found); err != nil {
		return err
	}
	t.printResources([]api.Resource{found}, g.output)
	return nil
}

// content is a resource as a file that apply takes.
func (g *getFlags) content(ctx context.Context, kind, name, namespace string, content *[]byte) error {
	if g.output == "yaml" {
		return g.one(ctx, kind, name, namespace, "yaml", content)
	}
	var found api.Resource
	if err := g.one(ctx, kind, name, namespace, "", &found); err != nil {
		return err
	}
	var indented bytes.Buffer
	if err := json.Indent(&indented, found.Content, "", "  "); err != nil {
		return err
	}
	*content = append(indented.Bytes(), '\n')
	return nil
}

func (t *terminal) getMany(ctx context.Context, g *getFlags, kind string) error {
	all, err := g.list(ctx, kind)
	if err != nil {
		return err
	}
	switch g.output {
	case "yaml", "json":
		return t.printContents(ctx, g, all)
	}
	t.printResources(all, g.output)
	return nil
}

// list fetches all pages, at one version.
func (g *getFlags) list(ctx context.Context, kind string) ([]api.Resource, error) {
	var all []api.Resource
	for after := ""; ; {
		var page api.Resources
		err := g.call(ctx, request{method: http.MethodGet, path: []string{"resources"},
			query: map[string]string{"namespace": g.namespace, "type": kind, "version": g.version, "after": after}}, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page.Resources...)
		if page.Next == "" {
			return all, nil
		}
		after, g.version = page.Next, strconv.FormatUint(uint64(page.Version), 10)
	}
}

// printContents prints many resources as one file that apply takes: YAML
// documents, or {"resources": [...]}.
func (t *terminal) printContents(ctx context.Context, g *getFlags, all []api.Resource) error {
	resources := []json.RawMessage{}
	for i, r := range all {
		var content []byte
		if err := g.content(ctx, r.Type, r.Name, r.Namespace, &content); err != nil {
			return err
		}
		if g.output == "json" {
			resources = append(resources, content)
			continue
		}
		if i > 0 {
			fmt.Fprintln(t.out, "---")
		}
		if _, err := t.out.Write(content); err != nil {
			return err
		}
	}
	if g.output == "json" {
		return t.printJSON(map[string]any{"resources": resources})
	}
	return nil
}

func (t *terminal) printResources(all []api.Resource, output string) {
	if output == "name" {
		for _, r := range all {
			fmt.Fprintln(t.out, r.Type+"/"+r.Name)
		}
		return
	}
	if len(all) == 0 {
		fmt.Fprintln(t.err, "Nothing is stored here.")
		return
	}
	var tab table
	header := texts("NAMESPACE", "TYPE", "NAME", "VERSION", "OWNER")
	if output == "wide" {
		header = append(header, texts("BYTES", "HOSTS")...)
	}
	tab.row(header...)
	for _, r := range all {
		namespace := r.Namespace
		if namespace == "" {
			namespace = "-"
		}
		row := texts(namespace, r.Type, r.Name, fmt.Sprint(r.Since), r.Owner)
		if output == "wide" {
			row = append(row, texts(strconv.Itoa(r.Bytes), strconv.Itoa(r.Hosts))...)
		}
		tab.row(row...)
	}
	tab.print(t, t.out)
}
