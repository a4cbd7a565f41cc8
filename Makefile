# Needs Python 3.11 or newer, pip, make and git; everything else comes into .venv and .tools.
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
# Where it is set each process compiles all that it reads, which takes longer than everything else at its start.
export PYTHONDONTWRITEBYTECODE :=
.PHONY: help setup run test browser demo check bench rolling drill simulate faults mutants db migration components advisories lock

FLASK := .venv/bin/python -m app
PIP := -m pip --disable-pip-version-check --no-input -qq
UV := 0.13.9
COMPILE := .tools/bin/uv pip compile -q --no-strip-extras --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"
PYTEST := .venv/bin/pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder --ignore=tests/browser

help: ## what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## .venv as locked, and a .env for the sandbox
	@test "$$(cat .venv/place 2>&1)" = "$(CURDIR) $$(.venv/bin/python -V 2>&1)" || rm -rf .venv
	@test -x .venv/bin/python || { \
	  for name in python3.11 python3 python3.12 python3.13; do \
	    "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && python=$$name && break; \
	  done; \
	  test -n "$$python" || { echo "Python 3.11 or newer is needed" >&2; exit 1; }; \
	  "$$python" -m venv .venv >/dev/null 2>&1 || { \
	    rm -rf .venv && "$$python" $(PIP) install --upgrade --target .tools virtualenv && \
	    PYTHONPATH=.tools "$$python" -m virtualenv -q .venv; } && \
	  echo "$(CURDIR) $$(.venv/bin/python -V)" > .venv/place; }
	@cat requirements.txt requirements-dev.txt | cmp -s - .venv/installed || { \
	  echo "installing what requirements.txt and requirements-dev.txt lock" && \
	  .venv/bin/python $(PIP) install --no-compile --require-hashes -r requirements.txt -r requirements-dev.txt && \
	  cat requirements.txt requirements-dev.txt > .venv/installed; }
	@test -f .env || .venv/bin/python -m config.local

run: setup ## everything up, with the sandbox and a synthetic district
	@$(FLASK) stack up

test: setup ## the tests; ARGS=… goes to pytest
	@$(PYTEST) $(ARGS)

browser: setup ## the tests that need a chromium
	@.venv/bin/pytest -n auto --maxprocesses 4 --dist loadfile tests/browser $(ARGS)

demo: setup ## the main job once, end to end
	@$(FLASK) demo run

check: setup ## format, lint, import contracts, tests
	@.venv/bin/ruff format --check -q .
	@.venv/bin/ruff check -q .
	@.venv/bin/lint-imports >.venv/contracts 2>&1 || { cat .venv/contracts; exit 1; }
	@$(PYTEST)

bench: setup ## figures as ratios; BENCH=name for one
	@$(FLASK) bench run $(BENCH)

rolling: setup ## 20 rolling restarts and an upgrade under load, behind nginx; RATE=200 RESTARTS=20 BEFORE=commit
	@.venv/bin/python -m bench.rolling --rate $(or $(RATE),200) --restarts $(or $(RESTARTS),20) $(if $(BEFORE),--before $(BEFORE))

simulate: setup ## a season from one seed, with kills and crashes; SEED=7 or 1-20, PAYMENTS=… of each, LANES=… at a time, YEARS=2: a second levy year opens
	@.venv/bin/python -m tests.simulate --seeds $(or $(SEED),1) --payments $(or $(PAYMENTS),300) --lanes $(or $(LANES),1) $(if $(filter 2,$(YEARS)),--two-years) --out out/simulate.json

drill: setup ## a server killed under load, its disk lost, restored, against the far sides' lists; SEED= SECONDS= HOW=latest|backup
	@.venv/bin/python -m tests.restore --seed $(or $(SEED),1) --seconds $(or $(SECONDS),60) --how $(or $(HOW),latest) --out out/drill.json

mutants: setup ## deliberate mistakes in the code that handles money; RANDOM=60 SEED=1: mistakes made by chance
	@.venv/bin/python -m tests.mutants $(if $(RANDOM),--random $(RANDOM) --seed $(or $(SEED),1)) $(ARGS)

faults: setup ## every fault of the catalogue at length, tables in out/; SEEDS="1 2 3" of the struck ones
	@mkdir -p out
	@.venv/bin/pytest tests/faults --rounds $(or $(ROUNDS),60) --fault-table out/faults.md
	@for seed in $(or $(SEEDS),1 2 3); do \
	  .venv/bin/python -m tests.faults --seed $$seed --table out/faults-struck-$$seed.md || exit 1; done

db: setup ## migrate the database to the newest
	@$(FLASK) db upgrade

migration: setup ## a new migration, name="what is new"
	@test -n "$(name)" || { echo 'make migration name="what is new"' >&2; exit 2; }
	@$(FLASK) db migration "$(name)"

components: setup ## every library, its version and licence, as a table
	@.venv/bin/pip-licenses --format=markdown --order=name

advisories: setup ## asks a public database what is known about them (docs/components.md)
	@.venv/bin/python -m config.advisories

lock: setup ## requirements*.txt from requirements*.in
	@test -x .tools/bin/uv || .venv/bin/python $(PIP) install --upgrade --target .tools uv==$(UV)
	@$(COMPILE) requirements.in -o requirements.txt
	@$(COMPILE) requirements-dev.in -o requirements-dev.txt
