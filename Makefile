# `make` lists the targets. Everything is installed into .venv and the toolchain cache; nothing else is touched.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# The tests start hundreds of processes: without its bytecode, each would compile the kit anew.
unexport PYTHONDONTWRITEBYTECODE

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; sys.exit(0 if (3, 11) <= v < (3, 14) else f"the kit needs Python 3.11 to 3.13, this is {v[0]}.{v[1]}; set PYTHON=…")'
	@echo "Installing Python packages (usually 1 minute) ..." >&2
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable . 2>/dev/null
	@touch $@

.PHONY: help setup up down test check bench matrix lock
help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: .venv/installed ## install packages and the Pulumi toolchain
	@sfoa toolchain ensure >/dev/null

up: setup ## land the landing zone and promote the sample release, on the emulators
	@python -m pipelines.local

down: ## stop the emulators
	@test ! -x $(BIN)/sfoa || sfoa emulators stop

test: setup ## run all tests
	@python -m pytest -q -n 3 --dist loadgroup --no-loadscope-reorder

check: setup ## format, lint and types
	@ruff format --check . && ruff check . && mypy

bench: setup ## measure against peers
	@python -m benchmarks

matrix: setup ## run sf, jsforce, simple-salesforce and cci against the emulated orgs; writes docs/clients.md
	@python -m tests.clients

lock: .venv/installed ## renew requirements.lock from pyproject.toml (needs uv)
	@uv pip compile pyproject.toml --extra dev --generate-hashes --no-emit-index-url --no-header \
		--python-version 3.11 --universal --quiet --output-file requirements.lock
