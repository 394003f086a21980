# Everything here runs from a clean clone: each target first makes sure of Node.js 24 and the npm packages.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
NODE_DIR = $(or $(shell test/up/ensure-node.sh),$(error Node.js 24 is missing, see above))
NODE = PATH="$(NODE_DIR):$$PATH"

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

node_modules/.package-lock.json: package-lock.json package.json
	@$(NODE) npm ci --no-progress --loglevel=error >&2
	@touch $@

.PHONY: setup
setup: node_modules/.package-lock.json ## Install Node.js 24 (if need be) and the npm packages

.PHONY: up
up: setup ## Build everything, start a cluster, install the chart, chat with a first OpenClaw (CLUSTER=current: your own cluster)
	@$(NODE) node test/up/main.ts up

.PHONY: env
env: setup ## Print export lines for the running system: eval "$(make -s env)"
	@$(NODE) node test/up/main.ts env

.PHONY: status
status: setup ## Show cluster, pods and instances
	@$(NODE) node test/up/main.ts status

.PHONY: logs
logs: setup ## Show the logs of operator, API, model gateway and Postgres (LOGS_OF=operator|api|model-gateway|postgres|<instance>)
	@$(NODE) node test/up/main.ts logs $(LOGS_OF)

.PHONY: down
down: setup ## Stop what is up, without a trace but caches; of your own cluster's, only the release (CLUSTER=local|current: that one)
	@$(NODE) node test/up/main.ts down

.PHONY: generate
generate: setup ## Write the generated files: CRDs, chart templates, reference pages
	@$(NODE) node crds/generate/main.ts
	@$(NODE) node api/openapi/generate.ts

.PHONY: verify-generated
verify-generated: setup ## Fail when a generated file is not what its source gives
	@$(NODE) node crds/generate/main.ts --check
	@$(NODE) node api/openapi/generate.ts --check

.PHONY: fmt
fmt: setup ## Format the sources
	@$(NODE) npx --no-install biome check --write .

.PHONY: lint
lint: setup ## Check format and lint rules, type-aware ones included
	@$(NODE) npx --no-install biome check .
	@$(NODE) npx --no-install oxlint --type-aware

.PHONY: typecheck
typecheck: setup ## Check the types
	@$(NODE) npx --no-install tsc --noEmit

.PHONY: bundle
bundle: setup ## Bundle the processes into dist/
	@$(NODE) node bundle.ts

.PHONY: images
images: setup ## Build the container images (cached by the hash of their inputs)
	@$(NODE) node test/images/cli.ts build

.PHONY: test
test: setup ## Run everything: format, lint, types, generated files, unit, charts, integration, faults, e2e
	@$(NODE) node test/run.ts

.PHONY: test-unit
test-unit: setup ## Run the unit tests only (no cluster, no root)
	@$(NODE) npx --no-install vitest run --project unit

.PHONY: test-charts
test-charts: setup ## Run the tests of the chart (the first run compiles helm)
	@$(NODE) npx --no-install vitest run --project charts

.PHONY: test-integration
test-integration: setup ## Run the tests on a real etcd and kube-apiserver
	@$(NODE) npx --no-install vitest run --project integration

.PHONY: test-contract
test-contract: setup ## Hold every answer of a running API against its OpenAPI document, by made-up calls (CONTRACT="--examples 200 --seed 7")
	@$(NODE) node test/contract/main.ts $(CONTRACT)

.PHONY: test-faults
test-faults: setup ## Run the operator through crashes, broken watches, a silent apiserver, two leaders and clocks that jump
	@$(NODE) npx --no-install vitest run --project faults

.PHONY: test-outages
test-outages: setup ## Stop what the API depends on, and its replicas, under open streams
	@$(NODE) npx --no-install vitest run --project outages

.PHONY: soak
soak: setup ## Run what takes long: 5 minutes without the apiserver or Postgres, 10 idle ones, 10,000 creations and deletions; needs root (SOAK="--silence 20 --outage 20 --instances 50 --idle 20 --cycles 100")
	@$(NODE) node test/faults/soak/main.ts $(SOAK)
	@$(NODE) node test/contract/main.ts --examples 200

.PHONY: test-e2e
test-e2e: setup ## Run the tests on a real cluster with real OpenClaw pods
	@$(NODE) npx --no-install vitest run --project cluster --project rest --project e2e

.PHONY: bench-operator
bench-operator: setup ## Measure the operator on a real apiserver; needs root (BENCH="--instances 100,1000 --contender FILE", BENCH=--help)
	@$(NODE) node test/bench/operator/main.ts $(BENCH)

.PHONY: bench-api
bench-api: setup ## Measure the API as a proxy beside nginx and configurable-http-proxy; needs root and two cores (BENCH="--connections 1,10 --seconds 5", BENCH=--help)
	@$(NODE) node test/bench/api/main.ts $(BENCH)
