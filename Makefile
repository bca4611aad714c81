# Every target sets up what it needs if that is missing, then calls `grid` or a tool.
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

# A command that Ctrl-C ends exits with 130, and make, which gets the signal too, ends by it: that is
# no error. (Nor is make sent it here: while it waits for a command that ends, it may trip over it.)
quietly = i=; trap i=1 INT; $(1) || { s=$$?; [ "$$i$$s" = 1130 ] || exit $$s; }

.PHONY: help demo up down chronos test check lint unit pytest bench generate clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /make \1|/p' Makefile | \
	  while IFS='|' read -r target words; do printf '  %-14s %s\n' "$$target" "$$words"; done

demo: .venv/.ready ## the whole product on recorded data; ONCE=1 ends it after one cycle
	@$(call quietly,$(GRID) demo$(if $(ONCE), --once))

up: .venv/.ready ## the whole product on live data
	@$(call quietly,$(GRID) up)

down: .venv/.ready ## stop whatever is still running
	@$(GRID) down

chronos: .venv/.ready-chronos ## install torch, to train and to run other models

# Beside each other, because most of lint is mypy, which uses one core.
test: .venv/.ready-dev ## all tests
	@echo "Running all tests: 20 minutes on two cores (make check: one or two)"
	@$(MAKE) --no-print-directory --jobs=2 lint pytest

# Of Dagster's, only the definitions are wanted: no telemetry, no notices, no search for updates.
DG := DAGSTER_HOME=$(CURDIR)/.venv/dagster VIRTUAL_ENV=$(CURDIR)/.venv \
  DAGSTER_DG_UPDATE_CHECK_ENABLED=0 .venv/bin/dg

# For the edge function; install.py has filled .venv/deno, so that nothing is downloaded here.
FUNCTION := supabase/functions/forecast-on-telemetry
DENO := DENO_DIR=$(CURDIR)/.venv/deno DENO_NO_UPDATE_CHECK=1 $(CURDIR)/.venv/bin/deno

check: .venv/.ready-dev ## lint, types, import rules, definitions and unit tests
	@$(MAKE) --no-print-directory --jobs=2 lint unit

lint: .venv/.ready-dev ## what make check does beside the unit tests
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports
	@cd $(FUNCTION) && $(DENO) fmt --quiet --check && $(DENO) lint --quiet && \
	  $(DENO) check --quiet --frozen --cached-only index.ts
	@mkdir -p .venv/dagster
	@printf 'telemetry: {enabled: false}\nnux: {enabled: false}\n' > .venv/dagster/dagster.yaml
	@$(DG) check defs

unit: .venv/.ready-dev ## the unit tests
	@.venv/bin/pytest -q -m unit $(PARALLEL)

pytest: .venv/.ready-dev ## what make test does beside lint
	@.venv/bin/pytest $(PARALLEL)

bench: .venv/.ready-dev ## the benchmarks; ONLY="name …" for some of them
	@.venv/bin/python -m bench$(foreach name,$(ONLY), --only $(name))

generate: .venv/.ready-dev ## write the files that are generated from the catalogue
	@.venv/bin/python -m grid_assets_tests.generate

clean: ## remove .venv and what tools have left; data in .grid stay
	@[ ! -x $(GRID) ] || $(GRID) down
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .import_linter_cache build dist *.egg-info

.venv/.ready: NEEDS := base
.venv/.ready-chronos: NEEDS := chronos
.venv/.ready-dev: NEEDS := dev
.venv/.ready-dev: supabase/functions/forecast-on-telemetry/deno.lock
.venv/.ready .venv/.ready-chronos .venv/.ready-dev: install.py pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; choose one with: make PYTHON=..."; exit 1; }
	@$(call quietly,$(PYTHON) install.py $(NEEDS))
