package main

import (
	"context"
	"fmt"
	"net/http"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/deltaplane/deltaplane/api"
)

// change holds the flags that all commands have which commit.
type change struct {
	*client
	namespace     string
	owner         string
	message       string
	ifVersion     int64
	dryRun        bool
	takeOwnership bool
	allowShrink   bool
	strictRefs    bool
	wait          time.Duration
	output        string
}

func changeFlags(cmd *cobra.Command) *change {
	c := &change{client: clientFlags(cmd)}
	f := cmd.Flags()
	f.StringVarP(&c.namespace, "namespace", "n", "default", "where the resources live; fleets belong to none")
	f.StringVar(&c.owner, "owner", "cli", "who may change what this writes")
	f.StringVarP(&c.message, "message", "m", "", "why, for the history")
	f.Int64Var(&c.ifVersion, "if-version", -1, "only if this is still the newest version")
	f.BoolVar(&c.dryRun, "dry-run", false, "show what would change, field by field, and store nothing")
	f.BoolVar(&c.takeOwnership, "take-ownership", false, "change what another owner has, and own it from now on")
	f.BoolVar(&c.allowShrink, "allow-shrink", false, "allow the removal of more than 20 % and more than ten listeners or clusters")
	f.BoolVar(&c.strictRefs, "strict-refs", false, "refuse references to what does not exist, instead of warning")
	f.DurationVar(&c.wait, "wait", 0, "return when every connected Envoy concerned has acknowledged; otherwise exit with 1 and say who did not")
	f.Lookup("wait").NoOptDefVal = "30s"
	f.StringVarP(&c.output, "output", "o", "", "json: the answer as the API gives it")
	return c
}

// query is the flags as query parameters, with more added.
func (c *change) query(more map[string]string) map[string]string {
	q := map[string]string{
		"namespace": c.namespace, "owner": c.owner, "message": c.message, "author": author(),
		"dry_run": set(c.dryRun), "fields": set(c.dryRun), "take_ownership": set(c.takeOwnership),
		"allow_shrink": set(c.allowShrink), "strict_refs": set(c.strictRefs),
	}
	if c.ifVersion != -1 { // the server refuses other negative ones
		q["if_version"] = strconv.FormatInt(c.ifVersion, 10)
	}
	if c.wait > 0 {
		q["wait"] = c.wait.String()
	}
	for name, value := range more {
		q[name] = value
	}
	return q
}

// set is a flag as a query parameter; false is left out.
func set(b bool) string {
	if b {
		return "true"
	}
	return ""
}

// author is who is told to the history when no token names somebody.
func author() string {
	if name := envOr("USER", ""); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

// commit sends a change and prints its plan.
func (t *terminal) commit(ctx context.Context, c *change, req request) (err error) {
	ctx, end, err := t.traced(ctx, req)
	if err != nil {
		return err
	}
	defer func() { end(err) }()
	if c.output != "" && c.output != "json" {
		return usageError{fmt.Sprintf("-o %s: a change prints text, or json", c.output)}
	}
	if c.output == "json" {
		var raw []byte
		if err := c.call(ctx, req, &raw); err != nil {
			return err
		}
		_, err := t.out.Write(raw)
		return err
	}
	var plan api.Plan
	if err := c.call(ctx, req, &plan); err != nil {
		return err
	}
	t.printPlan(&plan)
	return nil
}

// commitFiles is commit with files as the body.
func (t *terminal) commitFiles(ctx context.Context, c *change, path string, paths []string, more map[string]string) error {
	files, err := t.readInput(paths)
	if err != nil {
		return err
	}
	body, contentType, err := upload(files)
	if err != nil {
		return err
	}
	return t.commit(ctx, c, request{method: http.MethodPost, path: []string{path}, query: c.query(more), body: body, contentType: contentType})
}

func (t *terminal) applyCommand() *cobra.Command {
	var prune bool
	cmd := &cobra.Command{
		Use:   "apply -f FILE|DIR|-",
		Short: "Make the store hold the given resources, as one commit",
		Long: `Make the store hold the given resources, as one atomic commit.

Input is Envoy's own format: resources with @type, one per YAML document or
under "resources:", as YAML or JSON. A route configuration may be given in
parts: VirtualHost documents named <route configuration>/<host>.`,
		Example: `  deltaplane apply -f gateway.yaml -m "timeout for pay"
  deltaplane apply -f conf.d/ --prune --dry-run
  generate | deltaplane apply -f - --wait=10s`,
		Args: cobra.NoArgs,
	}
	files, c := inputFlags(cmd), changeFlags(cmd)
	cmd.Flags().BoolVar(&prune, "prune", false, "remove what this owner has in the namespace and the input lacks")
	cmd.RunE = action(func(cmd *cobra.Command, _ []string) error {
		return t.commitFiles(cmd.Context(), c, "apply", *files, map[string]string{"prune": set(prune)})
	})
	return cmd
}

func (t *terminal) deleteCommand() *cobra.Command {
	var ignoreMissing bool
	cmd := &cobra.Command{
		Use:   "delete {-f FILE|DIR|- | TYPE NAME}",
		Short: "Remove resources, as one commit",
		Example: `  deltaplane delete cluster pay
  deltaplane delete -f old.yaml --ignore-not-found`,
		Args:              cobra.MaximumNArgs(2),
		ValidArgsFunction: completeType,
	}
	files, c := inputFlags(cmd), changeFlags(cmd)
	cmd.Flags().BoolVar(&ignoreMissing, "ignore-not-found", false, "a name that does not exist is not an error")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		more := map[string]string{"ignore_not_found": set(ignoreMissing)}
		switch {
		case len(*files) > 0 && len(args) == 0:
			return t.commitFiles(cmd.Context(), c, "delete", *files, more)
		case len(*files) == 0 && len(args) == 2:
			return t.commit(cmd.Context(), c, request{method: http.MethodDelete, path: []string{"resources", args[0], args[1]}, query: c.query(more)})
		}
		return usageError{"expected either -f FILE or TYPE NAME"}
	})
	return cmd
}

// restoreFlags are changeFlags for commands that bring back what was.
func restoreFlags(cmd *cobra.Command) *change {
	c := changeFlags(cmd)
	cmd.Flags().Lookup("owner").Usage = "who acts: what others own conflicts"
	cmd.Flags().Lookup("take-ownership").Usage = "change also what another owner has; owners become what they were"
	return c
}

func (t *terminal) revertCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "revert VERSION",
		Short: "Undo what one commit changed, as a new commit",
		Long: `Undo what one commit changed, as a new commit. It conflicts where something
changed since; see also rollback.`,
		Example: `  deltaplane revert 41 --wait`,
		Args:    cobra.ExactArgs(1),
	}
	c := restoreFlags(cmd)
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		return t.commit(cmd.Context(), c, request{method: http.MethodPost, path: []string{"versions", args[0], "revert"}, query: c.query(nil)})
	})
	return cmd
}

func (t *terminal) rollbackCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "rollback VERSION",
		Short: "Restore a namespace as it was at a version, as a new commit",
		Example: `  deltaplane rollback 38 --namespace edge --dry-run
  deltaplane rollback 38 --all`,
		Args: cobra.ExactArgs(1),
	}
	c := restoreFlags(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "restore all namespaces and the fleets")
	cmd.RunE = action(func(cmd *cobra.Command, args []string) error {
		return t.commit(cmd.Context(), c, request{method: http.MethodPost, path: []string{"versions", args[0], "rollback"},
			query: c.query(map[string]string{"all": set(all)})})
	})
	return cmd
}
