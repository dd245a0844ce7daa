#!/usr/bin/env bash
# Runs every fuzz target of the module for FUZZTIME, one after the other. Each
# package is built once for all of its targets. Inputs that are merely new are
# not minimized: that would take most of a short run.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
go=${GO:-go}
root=$PWD
built=$(mktemp -d)
trap 'rm -rf "$built"' EXIT
git grep -lE '^func Fuzz[A-Z]' -- '*_test.go' | xargs -n 1 dirname | sort -u | while read -r package; do
  "$go" test -c -fuzz . -o "$built/fuzz.test" "./$package"
  cd "$package"
  grep -hoE '^func Fuzz[A-Za-z0-9_]+' ./*_test.go | cut -c 6- | while read -r target; do
    echo "./$package $target"
    "$built/fuzz.test" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "${FUZZTIME:-10s}" -test.fuzzminimizetime 1x \
      -test.fuzzcachedir "$built/corpus" </dev/null
  done
  cd "$root"
done
