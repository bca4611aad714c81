# Thin: every target makes the virtual environment if it is missing, then calls `grid` or the tools.
# PYTHON=… chooses the interpreter, ONCE=1 makes `make demo` end by itself.
SHELL := /bin/sh
PYTHON ?= $(shell command -v python3.11 || command -v python3)
GRID := .venv/bin/grid

.PHONY: demo up down test check bench clean

demo: .venv/.ready
	@$(GRID) demo $(if $(ONCE),--once)

up: .venv/.ready
	@$(GRID) up

down: .venv/.ready
	@$(GRID) down

test: check
	@.venv/bin/pytest

check: .venv/.ready
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/dg check defs

bench: .venv/.ready
	@.venv/bin/python -m bench

.venv/.ready: pyproject.toml constraints.txt
	@echo "Setting up .venv with $(PYTHON) (a few minutes the first time)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or later is needed; choose one with: make PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch .venv/.ready
