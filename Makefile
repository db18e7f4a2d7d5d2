# signmill. `make` lists what can be made.

GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 1m
SEEDS ?= 500

.DEFAULT_GOAL := help
.PHONY: help build test race lint fmt conformance fuzz chaos crash drains connection-chaos soak status-shots bench tracing-cost quota-bench quota-processes redis-test chart-test chart-golden image image-test ci

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## Build bin/signmill, static and stripped
	CGO_ENABLED=0 go build -trimpath -ldflags='-s -w' -o bin/signmill ./cmd/signmill

test: ## Run the tests
	go test ./...

race: ## Run the tests under the race detector
	go test -race -timeout 15m ./...

lint: ## Run golangci-lint, which runs go vet
	go run $(GOLANGCI) run

fmt: ## Format the sources
	go run $(GOLANGCI) fmt

conformance: ## Run the Azure SDK's own live tests against the local broker
	go test -tags conformance -run TestConformance -count 1 -timeout 60m -v ./queue/localbus

fuzz: ## Fuzz each decoder for FUZZTIME (1m)
	.ci/fuzz $(FUZZTIME)

chaos: ## Check the promises in SEEDS (500) simulated runs with faults
	GOGC=400 go test -run TestSimulation -count 1 -v -timeout 60m ./worker -seeds=$(SEEDS)

crash: KILLS ?= 1000
crash: ## Kill a real worker KILLS (1000) times, at each boundary of a job
	go test -run TestCrashMatrix -count 1 -v -timeout 2h ./cmd/signmill -crash.kills=$(KILLS)

drains: N ?= 500
drains: ## Send SIGTERM to a real worker N (500) times while it is busy
	go test -run TestDrains -count 1 -v -timeout 2h ./cmd/signmill -drain.count=$(N)

connection-chaos: ITEMS ?= 500000
connection-chaos: ## Cut every connection each second while ITEMS (500000) are signed
	go test -run TestConnectionChaos -count 1 -v -timeout 6h ./worker -cuts.items=$(ITEMS)

status-shots: DIR ?= $(CURDIR)/bin/status
status-shots: ## Look at the status page in Chromium in each state, and put pictures into DIR (bin/status)
	@command -v chromium chromium-browser google-chrome chrome >/dev/null || { echo "Chromium is not on PATH, so nothing was looked at"; exit 1; }
	go test -run TestStatusShots -count 1 -v -timeout 15m ./cmd/signmill -shots=$(DIR)

soak: MINUTES ?= 10
soak: ## Watch heap, goroutines and descriptors for MINUTES (10)
	go test -run TestSoak -count 1 -v -timeout 24h ./worker -soak.for=$(MINUTES)m

bench: ## Measure the worker against a bare loop of the two SDKs
	go test -run '^$$' -bench . -benchtime 5s -timeout 20m ./worker

tracing-cost: ROUNDS ?= 50
tracing-cost: ## Measure what spans and metrics cost, over ROUNDS (50) x 2,000 items with and without
	go test -run '^$$' -bench BenchmarkTracing -benchtime $(ROUNDS)x -timeout 2h ./cmd/signmill

quota-bench: SEEDS = 5
quota-bench: FILTER ?= steady/fixed/uniform/|(steady|halve|scale)/(fixed|log|tenth)/(uniform|mixed)/.*/(dns|redis)$$|(cross|skew|outage|crash|vaults)/fixed/uniform/K=10/
quota-bench: ## Compare rate controls: SEEDS (5) runs of each cell that matches FILTER
	@cd signer/quota/quotabench && GOGC=1000 GOMEMLIMIT=8GiB go test -run 'TestMatrix|TestMarks' -count 1 -timeout 24h -quotabench.marks -quotabench.seeds=$(SEEDS) '-quotabench.filter=$(FILTER)'

redis-test: ## Test the store's script against a real redis-server (and valkey-server, if it is there)
	@command -v redis-server >/dev/null || { echo "redis-server is not on PATH, so nothing was tested"; exit 1; }
	go test -count 1 -v -run Real -bench . ./signer/quota/redisshare

quota-processes: WINDOWS ?= 6
quota-processes: ## Run three real workers at one real vault for WINDOWS (6) of 10 s
	go test -run TestFleet -count 1 -v -timeout 60m ./cmd/signmill -fleet.windows=$(WINDOWS)

chart-test: ## Test the Helm chart: lint, schemas, Pod Security, snapshots, KEDA's own code
	cd charts/test && go vet ./... && go test -count 1 -timeout 30m ./...
	cd charts/test/keda && ./get-source && go vet . && go test -count 1 -timeout 60m .
	.ci/chart-sum --write

chart-golden: ## Write the chart's snapshots and the tables of its README anew
	cd charts/test && go test -count 1 -timeout 30m ./... -update

image: VERSION ?= devel
image: ## Build the image signmill:VERSION (devel), with docker, podman or buildah
	@builder=$$(for b in docker podman buildah; do command -v $$b && break; done) && \
	$$builder build --build-arg VERSION=$(VERSION) --tag signmill:$(VERSION) .

image-test: ## Build the image twice and run it, with buildah and podman and without a registry
	.ci/image-test

ci: ## Do what CI does
	.ci/run
