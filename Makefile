# Every target uses cargo's dev profile, which Cargo.toml optimizes: RocksDB is compiled once, and what is measured is what
# is tested. CARGO_TARGET_DIR says where, as everywhere with cargo.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo cli test lint house sim fuzz torture siege judges mutants guards core-guards vectors build bench release clean

help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

demo: ## publish, prove and verify claims about Assay itself on a node of your own; KEEP=1: show the pages until Ctrl-C
	@scripts/setup
	@KEEP="$(KEEP)" scripts/demo

cli: ## assay alone, in the target folder's debug/: a few minutes, and a C compiler is enough
	@scripts/setup cli
	cargo build --locked --package assay-cli

# Our own crates, optimized a little: with everything else as it is, that compiles in a third of the time.
test: export CARGO_PROFILE_DEV_OPT_LEVEL ?= 1
test: ## everything that CI runs: lint, then every test
	@scripts/setup test
	@$(MAKE) --no-print-directory lint
	@scripts/test

lint: ## formatting, clippy and links in docs with warnings as errors, licenses and duplicates of dependencies
	cargo fmt --all -- --check
	cargo clippy --workspace --features assay-sim/network --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --features assay-sim/network --no-deps --locked
	scripts/cargo-deny --locked -L error check licenses bans sources

house: ## what the source tree must look like: sizes, imports, what each crate may link and name
	cargo test --locked --package assay-house

SEEDS ?= 1000
sim: ## simulated federations: how soon a split view is known, and what holds on a bad network: SEEDS=10000 for more runs
	cargo run --locked --package assay-sim --features network -- $(SEEDS)

fuzz: SECONDS := 600
fuzz: ## every fuzz target under libFuzzer, each for SECONDS=600; needs a nightly toolchain and cargo-fuzz
	@scripts/fuzz $(SECONDS)

CYCLES ?= 1000
torture: ## kills, power cuts, errors of the disk and damaged files, CYCLES of each: prints a table (make test has a short form)
	@scripts/setup
	cargo build --locked --workspace --bins
	cargo run --locked --bin assay-torture -- $(CYCLES)

siege: SECONDS := 20
siege: ## hostile traffic against a node, each kind for SECONDS=20: prints a table (make test has a short form)
	@scripts/setup
	cargo build --locked --workspace --bins
	cargo run --locked --bin assay-siege -- $(SECONDS)

JUDGES ?=
judges: ## scanners of other projects beside ours, and with our VEX: prints a table; needs Go. JUDGES=grype for one
	@scripts/setup
	cargo build --locked --workspace --bins
	cargo run --locked --bin assay-judges -- $(JUDGES)

WORDS ?=
mutants: ## take guards away, one after the other, and see that a test fails: WORDS="a witness" for some of them
	@scripts/setup
	@scripts/mutants $(WORDS)

guards: export CARGO_PROFILE_DEV_OPT_LEVEL ?= 1
guards: ## the same for every guard of core and of a node, by the tests in which it fires: WORDS="node/src/page/" for some files
	@scripts/setup
	@scripts/guards $(WORDS)

vectors: ## bring the documents and vectors of other projects that tests read (7 MB), each with its hash pinned
	@scripts/vectors

core-guards: WORDS := core/
core-guards: ## guards of core alone, in minutes: WORDS="core/tlog" for some files
	@scripts/setup cli
	@scripts/guards $(WORDS)

build: ## the two programs, assay-node and assay, in the target folder's debug/
	@scripts/setup
	cargo build --locked --bin assay-node --bin assay

bench: ## the figures of docs/performance.md: prints a table, writes bench.json into target/
	@scripts/setup
	cargo build --locked --workspace --bins
	cargo run --locked --bin assay-bench

ADVISORIES ?=
release: ## tarballs, packages, SBOMs and checksums into dist/: ADVISORIES=a clone of RustSec's advisory-db, or none
	@scripts/setup release
	@scripts/release --advisories "$(ADVISORIES)"

clean: ## remove what was built in this clone (RocksDB takes 7 to 20 minutes to build again)
	cargo clean
