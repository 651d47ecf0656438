# Two commands do all the set-up: `make demo` and `make test`. Needs Python 3.11 or later and make.
SHELL := /bin/sh
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SIZE ?= 100000

.PHONY: help demo test test-long test-lts check query-page notebook-pages notebooks lock bench-pipeline bench-engine clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 18

$(VENV)/.installed: pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Entourage needs Python 3.11 or later; this is %s. Say which one to use: make PYTHON=python3.11" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

demo: $(VENV)/.installed ## The main job on a sample graph, then the API; ONCE=1 stops after printing
	$(BIN)/entourage demo $(if $(ONCE),--once)

check: $(VENV)/.installed ## Lint and types
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

test: check ## All tests against real embedded Neo4j servers, one for each of two processes
	$(BIN)/python -m pytest -m "not long" -n 2 --dist loadfile --no-loadscope-reorder

test-long: $(VENV)/.installed ## The slow forms of fault, property and contract tests
	$(BIN)/python -m pytest -m long -n 2 --dist loadfile --no-loadscope-reorder

test-lts: $(VENV)/.installed ## The store tests on the Neo4j 5.26 LTS line
	ENTOURAGE_NEO4J_VERSION=5.26.30 $(BIN)/python -m pytest tests/store

bench-pipeline: $(VENV)/.installed ## Import, analyse and publish SIZE follows, beside networkx + python-louvain
	$(BIN)/python -m bench.pipeline --follows $(SIZE)

bench-engine: $(VENV)/.installed ## Leiden and PageRank on SIZE follows, beside igraph and NetworKit; PLAIN=1 adds networkx
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'igraph>=0.11' 'networkit>=11.0'
	$(BIN)/python -m bench.engine --follows $(SIZE) $(if $(PLAIN),--plain)

query-page: $(VENV)/.installed ## Write docs/queries.md anew from the statements in cypher/explore and the sample
	$(BIN)/python -m tests.store.query_page

notebook-pages: $(VENV)/.installed ## Write docs/notebooks anew: the notebooks, run on the sample, with their pictures
	$(BIN)/python -m tests.store.notebook_pages

notebooks: $(VENV)/.installed ## Open the notebooks in JupyterLab
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'jupyterlab>=4.2'
	$(BIN)/jupyter lab notebooks

lock: ## Write requirements.lock anew from pyproject.toml (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --extra dev --no-header --no-emit-find-links --output-file requirements.lock pyproject.toml

clean: ## Remove the virtual environment and caches in the tree (no data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis
