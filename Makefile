# The front door: `make help` lists what can be done. Every target works in a fresh clone.

VENV ?= .venv
BASE_PYTHON ?= $(shell command -v python3.11 || command -v python3)
PYTHON := $(VENV)/bin/python
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help venv hooks test test-quick test-editors pictures vsix lint format types check bench ci demo clean distclean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-12s %s\n", $$1, $$2 }'
	@echo "  another environment than $(VENV): make test VENV=/path/to/venv"

venv: $(READY)  ## an environment (.venv) with the package (editable) and everything the tests need

$(READY): pyproject.toml
	test -x $(PYTHON) || $(BASE_PYTHON) -m venv $(VENV)
	$(PYTHON) -m pip install torch==2.13.0
	$(PYTHON) -m pip install -e '.[test]'
	touch $@

hooks: venv  ## run lint, format and types before every commit (needs pre-commit)
	$(PYTHON) -m pip install pre-commit
	$(BIN)/pre-commit install

test: venv  ## the whole test suite
	$(PYTHON) -m pytest -n 2

test-quick: venv  ## the part of the suite that takes seconds
	$(PYTHON) -m pytest -n 2 -m 'not slow' -x

EDITORS ?= $(CURDIR)/.editors

test-editors: venv  ## the plugins in real VS Code and Neovim, and Emacs; all fetched into .editors first
	$(PYTHON) -m pip install --quiet -e '.[editors]'
	tests/editors/fetch.sh $(EDITORS)
	tests/editors/emacs/fetch_emacs.sh $(EDITORS)
	CWM_EDITORS=$(EDITORS) $(PYTHON) -m pytest tests/editors

pictures: test-editors  ## the documents' pictures of the editors, anew
	$(PYTHON) tests/editors/pictures.py

vsix:  ## the VS Code extension as a package (editors/vscode/*.vsix), with a wheel of the server in it
	cd editors/vscode && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	rm -rf editors/vscode/bundled && $(BASE_PYTHON) -m pip wheel --quiet --no-deps --wheel-dir editors/vscode/bundled .
	cd editors/vscode && npm run --silent package

lint: venv  ## ruff: rules and formatting, nothing is changed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: venv  ## ruff: format, and fix what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: venv  ## mypy, strict
	$(BIN)/mypy

check: lint types test-quick  ## lint, types and the quick tests: before every commit

bench: venv  ## measure decoding and the language server (JSON on stdout; bench/LOG.md tells the history)
	$(PYTHON) bench/decode.py
	$(PYTHON) bench/server.py

demo: venv  ## predict the strawberry trace and hold it against a real run
	$(PYTHON) -m cwm_lsp trace examples/strawberry.py --check

ci:  ## what CI runs: a new environment, lint, types, the README's test command
	.ci/run

clean:  ## remove caches and build outputs
	rm -rf build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -prune -exec rm -rf {} +

distclean: clean  ## clean, and remove the environment
	rm -rf $(VENV)
