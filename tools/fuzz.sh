#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME, one after the other. Inputs
# that are merely new are not minimized: that would take most of a short run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
git grep -lE '^func Fuzz[A-Z]' -- '*_test.go' | while read -r file; do
  package=./$(dirname "$file")
  grep -oE '^func Fuzz[A-Za-z0-9_]+' "$file" | cut -c 6- | while read -r target; do
    echo "$package $target"
    "$go" test -run '^$' -fuzz "^$target\$" -fuzztime "${FUZZTIME:-10s}" -fuzzminimizetime 1x "$package" </dev/null
  done
done
