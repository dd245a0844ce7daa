package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	bootstrapv3 "github.com/envoyproxy/go-control-plane/envoy/config/bootstrap/v3"
	"github.com/spf13/cobra"
	"google.golang.org/protobuf/encoding/protojson"

	"github.com/deltaplane/deltaplane/adopt"
	"github.com/deltaplane/deltaplane/resource"
)

// imports says what an import does with what it makes.
type imports struct {
	change            // for --apply
	bootstrap         bootstrapOptions
	decoder           resource.Decoder
	routes, endpoints string // how they go: "rds" or "keep", "eds" or "keep"
	dir, file         string
	apply             bool
}

func (t *terminal) importCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import BOOTSTRAP.yaml",
		Short: "Turn the static configuration of an Envoy into resources, and the bootstrap that then fits",
		Long: `Turn the static configuration of an Envoy into resources for apply, and the
bootstrap that then fits: listeners, clusters, secrets, inline routes, endpoints
and scopes, and what comes from files. What the bootstrap itself needs stays in
it; notes on standard error say what, and why.

Without -o the resources go to standard output, and with --bootstrap the
bootstrap to a file, or with "-" to standard output in place of the resources.
With -o they are DIR/resources/*.yaml and DIR/envoy.yaml. Both hold the keys
that the input holds.`,
		Example: `  deltaplane import envoy.yaml -o moved/
  deltaplane import envoy.yaml --apply --bootstrap new-envoy.yaml
  deltaplane import envoy.yaml --routes keep --bootstrap -`,
		Args: cobra.ExactArgs(1),
	}
	i := &imports{change: change{client: clientFlags(cmd), ifVersion: -1}}
	f := cmd.Flags()
	f.StringVarP(&i.dir, "output", "o", "", "write DIR/resources/*.yaml and DIR/envoy.yaml; DIR must be new or empty")
	f.StringVar(&i.file, "bootstrap", "", "write the bootstrap to this file")
	f.StringVar(&i.routes, "routes", "rds", "inline routes and scopes: rds moves them into resources, keep leaves them in the listeners")
	f.StringVar(&i.endpoints, "endpoints", "eds", "endpoints of STATIC clusters: eds moves them into resources, keep leaves them in the clusters")
	f.StringVar(&i.bootstrap.node, "node-id", "", "the proxy's own name, in place of the bootstrap's")
	f.StringVar(&i.bootstrap.cluster, "cluster", "", "the group that the proxy belongs to, in place of the bootstrap's")
	connectionFlags(f, &i.bootstrap)
	decoderFlags(cmd, &i.decoder)
	f.BoolVar(&i.apply, "apply", false, "apply the resources at once")
	f.StringVarP(&i.namespace, "namespace", "n", "default", "with --apply: where the resources live")
	f.StringVar(&i.owner, "owner", "cli", "with --apply: who may change what this writes")
	f.StringVarP(&i.message, "message", "m", "", "with --apply: why, for the history")
	f.BoolVar(&i.dryRun, "dry-run", false, "with --apply: show what would change, field by field, and store nothing")
	f.BoolVar(&i.takeOwnership, "take-ownership", false, "with --apply: change what another owner has, and own it from now on")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		if err := i.check(); err != nil {
			return err
		}
		return t.importFile(cmd.Context(), i, args[0])
	})
	return cmd
}

func (i *imports) check() error {
	for _, choice := range []struct{ flag, value, other string }{{"--routes", i.routes, "rds"}, {"--endpoints", i.endpoints, "eds"}} {
		if choice.value != choice.other && choice.value != "keep" {
			return usageError{fmt.Sprintf("%s %s: expected %s or keep", choice.flag, choice.value, choice.other)}
		}
	}
	if i.dryRun && !i.apply {
		return usageError{"--dry-run goes with --apply: an import alone changes nothing"}
	}
	return i.bootstrap.checkConnection()
}

func (t *terminal) importFile(ctx context.Context, i *imports, name string) error {
	result, err := t.adopt(i, name)
	if err != nil {
		return err
	}
	files, err := resourceFiles(result.Resources)
	if err != nil {
		return err
	}
	bootstrap, err := bootstrapYAML(result.Bootstrap)
	if err != nil {
		return err
	}
	for _, n := range result.Notes {
		fmt.Fprintf(t.err, "%s %s: %s\n", t.paint(yellow, t.err, "note:"), n.Path, visible(n.Message))
	}
	if err := t.writeImport(i, files, bootstrap); err != nil {
		return err
	}
	if !i.apply {
		return nil
	}
	body, contentType, err := upload(files)
	if err != nil {
		return err
	}
	return t.commit(ctx, &i.change, request{method: http.MethodPost, path: []string{"apply"}, query: i.query(nil), body: body, contentType: contentType})
}

// adopt reads a bootstrap and divides it.
func (t *terminal) adopt(i *imports, name string) (*adopt.Result, error) {
	data, err := t.readOne(name)
	if err != nil {
		return nil, err
	}
	var bootstrap bootstrapv3.Bootstrap
	problems := i.decoder.ReadMessage(name, data, &bootstrap)
	if errs := t.printProblems(problems); errs > 0 {
		return nil, fmt.Errorf("%s in %s", count(errs, "error", "errors"), name)
	}
	cluster, err := i.bootstrap.xdsCluster()
	if err != nil {
		return nil, err
	}
	result, err := adopt.Bootstrap(&bootstrap, adopt.Config{
		ControlPlane: cluster, ADS: i.bootstrap.ads(), Node: i.bootstrap.node, Cluster: i.bootstrap.cluster,
		KeepRoutes: i.routes == "keep", KeepEndpoints: i.endpoints == "keep",
		ReadFile: os.ReadFile, Decoder: i.decoder,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return result, nil
}

// readOne reads a file, or with "-" the standard input.
func (t *terminal) readOne(name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(t.in)
	}
	return os.ReadFile(name)
}

// writeImport puts the parts where the flags say.
func (t *terminal) writeImport(i *imports, files []inputFile, bootstrap []byte) error {
	if i.dir != "" {
		if err := emptyDir(i.dir); err != nil {
			return err
		}
		for _, f := range append(slices.Clone(files), inputFile{"envoy.yaml", bootstrap}) {
			path := filepath.Join(i.dir, f.name)
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return err
			}
			if err := os.WriteFile(path, f.data, 0o600); err != nil {
				return err
			}
		}
	}
	if i.file == "-" {
		_, err := t.out.Write(bootstrap)
		return err
	}
	if i.file != "" {
		if err := os.WriteFile(i.file, bootstrap, 0o600); err != nil {
			return err
		}
	}
	if i.dir != "" || i.apply {
		return nil
	}
	for n, f := range files {
		if n > 0 {
			fmt.Fprintln(t.out, "---")
		}
		if _, err := t.out.Write(f.data); err != nil {
			return err
		}
	}
	return nil
}

// emptyDir refuses a directory with something in it: what was left of an
// earlier import would be applied with the new.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("-o %s: it is not empty; name a new directory", dir)
	}
	return nil
}

// resourceFiles are the resources as files for apply, one for each type.
func resourceFiles(resources []*resource.Resource) ([]inputFile, error) {
	var files []inputFile
	var last resource.Type
	for _, r := range resources {
		text, err := resource.ToYAML(r, false)
		if err != nil {
			return nil, err
		}
		if r.Type() != last {
			last = r.Type()
			files = append(files, inputFile{name: "resources/" + strings.ToLower(last.Short()) + "s.yaml", data: text})
			continue
		}
		f := &files[len(files)-1]
		f.data = bytes.Join([][]byte{f.data, text}, []byte("---\n"))
	}
	return files, nil
}

// bootstrapYAML is a bootstrap as Envoy reads it.
func bootstrapYAML(bootstrap *bootstrapv3.Bootstrap) ([]byte, error) {
	if err := bootstrap.ValidateAll(); err != nil {
		return nil, err
	}
	asJSON, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(bootstrap)
	if err != nil {
		return nil, err
	}
	return yamlOf(asJSON)
}
