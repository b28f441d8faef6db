# `make test` is for every commit; `make test-long` holds what takes longer. `make help` lists the rest.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
PYTHON ?= python3
TARGET := $(or $(CARGO_TARGET_DIR),$(CURDIR)/target)
DENY := $(CURDIR)/target/tools/bin/cargo-deny
MUTANTS := $(CURDIR)/target/tools/bin/cargo-mutants
TARPAULIN := $(CURDIR)/target/tools/bin/cargo-tarpaulin
# Where the tests of a run leave which conformance rows they showed.
RUN := $(TARGET)/conformance

.PHONY: help
help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/make \1\t\2/p' Makefile | expand -t 24

.PHONY: test
test: check-tools lint check-rows test-run simulate test-planted test-browser check-conformance test-demo ## everything a commit must pass

.PHONY: test-long
test-long: test sudden-death full-disk linearizability small-worlds simulate-long test-planted-scenes timing bench fuzz ## what takes longer than a commit may wait
	$(CARGO) test --workspace --all-features --release

.PHONY: sudden-death
sudden-death: ## kill a server 500 times under load; write docs/sudden-death.md
	PROOFKEY_KILLS=500 PROOFKEY_KILLS_REPORT=$(CURDIR)/docs/sudden-death.md \
	  $(CARGO) test --package proofkey-tests --test sudden_death

# In a release build: `proofkey simulate` plays the same worlds.
.PHONY: simulate
simulate: ## 200,000 simulated worlds and all small ones, none of which may break an invariant
	PROOFKEY_WORLDS=200000 PROOFKEY_SMALL_WORLDS=all \
	  $(CARGO) test --release --package proofkey-sim --test worlds --test exhaustive -- --nocapture

.PHONY: simulate-long
simulate-long: ## play a million other ones
	PROOFKEY_FIRST_WORLD=1000000000 PROOFKEY_WORLDS=1000000 \
	  $(CARGO) test --release --package proofkey-sim --test worlds -- --nocapture

PLANTED := RUSTFLAGS="$(RUSTFLAGS) --cfg proofkey_planted" CARGO_TARGET_DIR=$(CURDIR)/target/planted $(CARGO)

.PHONY: test-planted
test-planted: ## each planted defect is found by the simulator, and in the small worlds
	$(PLANTED) test --release --package proofkey-sim --test planted --test exhaustive_planted -- --nocapture

.PHONY: test-planted-scenes
test-planted-scenes: ## each planted defect shows beside the honest server
	$(PLANTED) test --release --package proofkey-tests --test planted

# A file system of its own, in a mount namespace of its own: where users may make one, no privileges are needed.
.PHONY: full-disk
full-disk: ## a server on a file system that is really full
	@mkdir -p $(TARGET)/small-disk
	$(CARGO) test --package proofkey-tests --test full_disk --no-run
	unshare --map-root-user --mount sh -c 'mount -t tmpfs -o size=16m tmpfs $(TARGET)/small-disk && \
	  PROOFKEY_SMALL_DISK=$(TARGET)/small-disk $(CARGO) test --package proofkey-tests --test full_disk -- --test-threads 1'

.PHONY: linearizability
linearizability: ## compare many histories of the stores with a register; write docs/linearizability.md
	PROOFKEY_HISTORIES=$${PROOFKEY_HISTORIES:-10000} PROOFKEY_HISTORIES_REPORT=$(CURDIR)/docs/linearizability.md \
	  $(CARGO) test --package proofkey --all-features --test linearizability

.PHONY: small-worlds
small-worlds: ## every order of two and three operations on one grant, with two faults
	$(CARGO) run --release --quiet --package proofkey-cli -- simulate --exhaustive

.PHONY: timing
timing: ## whether comparisons of secrets take the same time wherever they differ; write docs/timing.md
	$(CARGO) build --release --quiet --package proofkey-bench --bin proofkey-timing
	$(TARGET)/release/proofkey-timing --report docs/timing.md

.PHONY: fuzz
fuzz: ## a fuzzer at each target for FUZZ_SECONDS (60): docs/fuzzing.md
	@scripts/fuzz

.PHONY: demo
demo: ## set a server up on SQLite, walk through its flow, and keep serving
	@scripts/check-tools build
	@scripts/demo

.PHONY: test-demo
test-demo: ## the demo, once, from its beginning to its end
	@mkdir -p $(TARGET)
	DEMO_ONCE=1 DEMO_DATA=$(TARGET)/demo scripts/demo > $(TARGET)/demo.txt 2>&1 || { tail -n 60 $(TARGET)/demo.txt; exit 1; }

.PHONY: bench
bench: ## times of the core and the stores beside their floors: docs/benchmarks.md
	$(CARGO) build --release --quiet --package proofkey-cli --package proofkey-bench
	$(TARGET)/release/proofkey-bench

.PHONY: mutants
mutants: $(MUTANTS) ## change the state machine in every place, and see that a test notices: docs/mutation-testing.md
	scripts/mutants

.PHONY: coverage
coverage: $(TARPAULIN) ## which lines of the core its tests run: docs/coverage.md
	scripts/coverage

.PHONY: check-tools
check-tools: ## say which tools are missing, and how to get them
	@scripts/check-tools

.PHONY: lint
lint: $(DENY) ## formatting, lints, docs, bans and licences
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --all-features -- -D warnings
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --workspace --all-features --no-deps
	$(DENY) --workspace --all-features check bans licenses

# The version is pinned so that a new release cannot change what a commit must pass; unoptimised, it is built in a third of the time.
$(DENY):
	$(CARGO) install cargo-deny --version =0.18.9 --locked --debug --root $(CURDIR)/target/tools

$(MUTANTS):
	$(CARGO) install cargo-mutants --version =27.1.0 --locked --debug --root $(CURDIR)/target/tools

$(TARPAULIN):
	$(CARGO) install cargo-tarpaulin --version =0.37.5 --locked --debug --root $(CURDIR)/target/tools

.PHONY: check-rows
check-rows: ## the conformance rows and vectors are well-formed
	@mkdir -p $(TARGET)
	$(PYTHON) tests/conformance/check.py > $(TARGET)/conformance-check.txt || { tail -n 60 $(TARGET)/conformance-check.txt; exit 1; }

.PHONY: test-run
test-run: ## all tests, noting which conformance rows they show
	rm -rf $(RUN)
	mkdir -p $(RUN)
	PROOFKEY_CONFORMANCE=$(RUN) $(CARGO) test --workspace --all-features --no-fail-fast

.PHONY: test-browser
test-browser: ## the pages and the single-page application in Chromium
	@scripts/check-tools browser
	$(CARGO) build --quiet --package proofkey-cli --package proofkey-example-own-login --package proofkey-example-spa
	cd tests/browser && npm ci --silent
	cd tests/browser && PROOFKEY_CONFORMANCE=$(RUN) node --test --test-reporter=spec --test-concurrency=2

.PHONY: check-conformance
check-conformance: ## docs/conformance.md is what the last test-run and test-browser showed
	PROOFKEY_CONFORMANCE=$(RUN) $(CARGO) run --quiet --package proofkey-conformance -- --check

.PHONY: conformance
conformance: test-run test-browser ## write docs/conformance.md
	PROOFKEY_CONFORMANCE=$(RUN) $(CARGO) run --quiet --package proofkey-conformance

.PHONY: fmt
fmt: ## format the sources
	$(CARGO) fmt --all
