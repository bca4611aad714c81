# Every target makes the virtual environment if it is missing, then calls `grid` or a tool.
# PYTHON=… chooses the interpreter, ONCE=1 ends `make demo` after one cycle,
# ONLY="name …" limits `make bench` to some results.
SHELL := /bin/sh
FITS := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
  $$p -c '$(FITS)' 2>/dev/null && echo $$p && break; done)
GRID := .venv/bin/grid
# If set, each of the hundreds of processes that tests start would compile the project again.
unexport PYTHONDONTWRITEBYTECODE
PARALLEL := -n auto --dist loadfile --no-loadscope-reorder

.PHONY: demo up down test check bench generate clean

demo: .venv/.ready
	@$(GRID) demo $(if $(ONCE),--once)

up: .venv/.ready
	@$(GRID) up

down: .venv/.ready
	@$(GRID) down

test: check
	@.venv/bin/pytest -m "not unit" $(PARALLEL)

check: .venv/.ready
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@.venv/bin/dg check defs
	@.venv/bin/pytest -q -m unit $(PARALLEL)

bench: .venv/.ready
	@.venv/bin/python -m bench$(foreach name,$(ONLY), --only $(name))

generate: .venv/.ready
	@.venv/bin/python -m grid_assets_tests.generate

.venv/.ready: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" && $(PYTHON) -c '$(FITS)' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; choose one with: make PYTHON=..."; exit 1; }
	@echo "Setting up .venv with $(PYTHON) (a few minutes the first time)"
	@$(PYTHON) -m venv .venv
	@.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch .venv/.ready
