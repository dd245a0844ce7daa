#!/usr/bin/env bash
# What a fleet costs a control plane, as docs/bench.md; progress goes to
# stderr. Ten minutes on two cores. etcd's files are where TMPDIR is.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -z ${TMPDIR:-} && -d /dev/shm ]]; then # disks differ more than control planes
  TMPDIR=$(mktemp -d /dev/shm/deltaplane-bench.XXXXXX)
  trap 'rm -r "$TMPDIR"' EXIT
  export TMPDIR
fi

module() { go -C bench/rivals list -mod=mod -m -f '{{.Path}} {{.Version}}' "$1"; }

part() { # part TITLE ARGUMENT...: a heading, the command, and what it prints
  local title=$1 out
  shift
  # It fails as well where it has measured that an SLA is missed.
  out=$(bin/deltaplane bench "$@") || [[ $out == *'measured in'* ]]
  printf '\n## %s\n\n    deltaplane bench %s\n\n```text\n%s\n```\n' "$title" "$*" "$out"
}

cat <<EOF
# What a fleet costs

\`make bench\` writes this file; [benchmarking.md](benchmarking.md) says what is measured, and how. Of what several turns measured, the
median stands there, and in brackets the least and the most.

- $(date -u +%Y-%m-%d), $(bin/deltaplane version | head -1), $(go env GOVERSION), $(module google.golang.org/grpc), $(module github.com/envoyproxy/go-control-plane)
- $(uname -sr), $(nproc) CPUs ($(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)), $(free -h | awk '/^Mem:/ {print $2}') of memory
- load average at the start: $(cut -d' ' -f1-3 /proc/loadavg)
EOF

part '1,000 proxies, 10,000 resources' \
  --proxies 1000 --resources 10000 --repetitions 2 --changes 20 --turn-limit 8s --concerned 10 \
  --compare deltaplane,floor,floor-tuned,tcp,linear
part 'The same, against go-control-plane with snapshots' \
  --proxies 1000 --resources 10000 --changes 10 --turn-limit 5s --compare deltaplane,delta,delta-per-node,snapshot
part '100 changes a second' \
  --proxies 1000 --resources 10000 --changes 5 --rate 100 --duration 60s --compare deltaplane,floor
part 'How it grows with resources' \
  --proxies 100 --resources 1000,100000 --repetitions 2 --changes 20 --compare deltaplane,floor
part '10,000 proxies' \
  --proxies 10000 --resources 1000 --changes 10 --compare deltaplane,floor

printf '\nLoad average at the end: %s. It took %d:%02d minutes.\n' "$(cut -d' ' -f1-3 /proc/loadavg)" $((SECONDS / 60)) $((SECONDS % 60))
