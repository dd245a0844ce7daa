package main

import (
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
		Args:              cobra.MaximumNArgs(2),
		ValidArgsFunction: completeType,
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
func (g *getFlags) one(ctx context.Context, kind, name, format string, v any) error {
	return g.call(ctx, request{method: http.MethodGet, path: []string{"resources", kind, name},
		query: map[string]string{"namespace": g.namespace, "version": g.version, "format": format}}, v)
}

func (t *terminal) getOne(ctx context.Context, g *getFlags, kind, name string) error {
	if g.output == "yaml" {
		var content []byte
		if err := g.one(ctx, kind, name, "yaml", &content); err != nil {
			return err
		}
		_, err := t.out.Write(content)
		return err
	}
	var found api.Resource
	if err := g.one(ctx, kind, name, "", &found); err != nil {
		return err
	}
	if g.output == "json" {
		return t.printJSON(found.Content)
	}
	t.printResources([]api.Resource{found}, g.output)
	return nil
}

func (t *terminal) getMany(ctx context.Context, g *getFlags, kind string) error {
	content := g.output == "yaml" || g.output == "json"
	all, err := g.list(ctx, kind, content)
	switch {
	case err != nil:
		return err
	case content:
		return t.printContents(all, g.output)
	}
	t.printResources(all, g.output)
	return nil
}

// list fetches all pages, at one version.
func (g *getFlags) list(ctx context.Context, kind string, content bool) ([]api.Resource, error) {
	var all []api.Resource
	for after := ""; ; {
		var page api.Resources
		err := g.call(ctx, request{method: http.MethodGet, path: []string{"resources"}, query: map[string]string{
			"namespace": g.namespace, "type": kind, "version": g.version, "after": after, "content": set(content)}}, &page)
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
func (t *terminal) printContents(all []api.Resource, output string) error {
	if output == "json" {
		contents := make([]json.RawMessage, len(all))
		for i, r := range all {
			contents[i] = r.Content
		}
		return t.printJSON(map[string]any{"resources": contents})
	}
	for i, r := range all {
		if i > 0 {
			fmt.Fprintln(t.out, "---")
		}
		text, err := yamlOf(r.Content)
		if err != nil {
			return err
		}
		if _, err := t.out.Write(text); err != nil {
			return err
		}
	}
	return nil
}

func (t *terminal) printResources(all []api.Resource, output string) {
	if output == "name" {
		for _, r := range all {
			fmt.Fprintln(t.out, visible(r.Type+"/"+r.Name))
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
