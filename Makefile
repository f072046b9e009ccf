# What a newcomer needs: `make demo`, then `make test`.
PYTHON ?= python3
ARGS ?=
# test processes: many tests wait for chains and gateways, so one more than two cores
WORKERS ?= 3
BENCH ?= chain
VENV := .venv/bin
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help install demo test mutants invariants slither halmos proofs test-ray test-spark screenshots bench check format artifacts clean

help:        ## this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

install:     ## virtual environment, locked Python and Node packages
	@$(PYTHON) scripts/install.py

demo: install ## three carriers settle October 2026 on a local chain, then a desk page stays open (ARGS=--exit ends by itself)
	@$(VENV)/python -m scripts.demo $(ARGS)

test: install check ## every check and every test
	@$(VENV)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS)

mutants: install ## plant every fault in the contracts; at least 95 % must die of a test
	@$(VENV)/python -m tests.contracts.mutants $(ARGS)

invariants: install ## the long run: 320,000 random steps through the months against a second book, where forge is installed
	@$(VENV)/python -m tests.contracts.forge --long

slither: install ## known kinds of faults in the contracts, with slither from requirements-proofs.lock (.venv-proofs)
	@$(VENV)/python -m scripts.slither

halmos: install ## symbolic proofs of what moves an amount, and that each bites, with halmos from the same lock
	@$(VENV)/python -m scripts.proofs $(ARGS)

proofs: slither halmos ## slither and halmos; docs/proofs.md says what they prove

test-ray: install ## a Ray cluster of two workers says what this machine alone says (.venv-engines)
	@$(VENV)/python -m scripts.engine_tests ray

test-spark: install ## and so does Spark, where Java is installed
	@$(VENV)/python -m scripts.engine_tests spark

screenshots: install ## a picture of every page of the desk, into docs/images/desk (needs Chromium)
	@$(VENV)/python -m scripts.screenshots $(ARGS)

bench: install ## measure one part: BENCH=chain, BENCH=usage, BENCH=match, BENCH=detectors or BENCH=desk
	@$(VENV)/python -m scripts.bench.$(BENCH) $(ARGS)

check: install ## ruff, mypy --strict, import floors, drift of generated files, glossary
	@$(VENV)/ruff check .
	@$(VENV)/ruff format --check .
	@$(VENV)/mypy
	@$(VENV)/lint-imports
	@$(VENV)/python -m scripts.check_glossary
	@$(VENV)/python -m deploy.artifacts --check

format: install ## rewrite the sources in the house style
	@$(VENV)/ruff check --fix .
	@$(VENV)/ruff format .

artifacts: install ## recompile the contracts and regenerate the bindings
	@$(VENV)/python -m deploy.artifacts

clean:       ## forget the demo's carriers and chain
	@rm -rf .demo
