# klero: `make demo` draws a panel, `make test` checks everything. `make` lists the rest.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test test-rust test-python bench install clean need-cargo need-rust-tools

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.klero-installed

# What the compiled part is built from. Python files are used in place, so they need no new build.
SOURCES := pyproject.toml Cargo.toml Cargo.lock $(shell find rust -name '*.rs' -o -name Cargo.toml)

# Cargo builds the bindings for the same interpreter as the package, and never against libpython (often absent).
export PYO3_PYTHON := $(CURDIR)/$(PY)
export PYO3_BUILD_EXTENSION_MODULE := 1

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(STAMP) ## install what is needed, draw a panel from example data and verify it
	$(VENV)/bin/klero demo

test: test-rust test-python ## run every check: format, lints, types, tests in Rust and Python

test-rust: $(STAMP) need-rust-tools
	cargo fmt --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo test --workspace --quiet

test-python: $(STAMP)
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	MYPYPATH=python $(PY) -m mypy.stubtest klero._native
	$(PY) -m pytest

bench: $(STAMP) ## measure speed and exactness on the cases in KLERO_DATA
	$(PY) benches/sortition/run.py

install: $(STAMP) ## build the package in release mode and install it into .venv

clean: ## remove what make built; lotteries and draws that you made stay
	rm -rf target $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .benchmarks
	rm -f python/klero/_native*.so
	find python tests benches -name __pycache__ -type d -prune -exec rm -rf {} +

# Two runs at the same time would build in one directory; make runs one after the other.
.NOTPARALLEL:

$(STAMP): $(SOURCES) | need-cargo $(PY)
	$(PY) -m pip install --quiet --disable-pip-version-check 'maturin>=1.9,<2'
	VIRTUAL_ENV=$(CURDIR)/$(VENV) $(VENV)/bin/maturin develop --release --locked --extras dev
	@touch $@

# The names in this list may be wrappers that fail, so each is run, not only looked for.
$(PY):
	@found=; \
	for p in python3.13 python3.12 python3.11 python3; do \
	  if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then found="$$p"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "klero needs Python 3.11 or newer: install it (Debian, Ubuntu: apt install python3 python3-venv)." >&2; exit 1; \
	fi; \
	if ! "$$found" -c 'import ensurepip, venv' >/dev/null 2>&1; then \
	  echo "$$found cannot make a virtual environment: install its venv module (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; \
	fi; \
	"$$found" -m venv $(VENV)

need-cargo:
	@if ! cargo --version >/dev/null 2>&1; then \
	  echo "klero's kernels are in Rust and cargo is missing: install Rust 1.89 or newer (https://rustup.rs)." >&2; exit 1; \
	fi
	@if ! command -v cc >/dev/null; then \
	  echo "Rust needs a C linker and cc is missing: install a C compiler (Debian, Ubuntu: apt install build-essential)." >&2; exit 1; \
	fi

need-rust-tools: need-cargo
	@for tool in fmt clippy; do \
	  if ! cargo $$tool --version >/dev/null 2>&1; then \
	    echo "make test needs cargo $$tool: rustup component add rustfmt clippy" >&2; exit 1; \
	  fi; \
	done
