# `make` alone lists the targets. Each target that needs .venv makes it.
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: help setup demo test lint lowest bench acceptance fuzz attack peers clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	@touch $@

setup: $(STAMP) ## make .venv with econnlab and what its tests need
	@echo "ready: $(BIN)/econnlab --help"

demo: $(STAMP) ## from nothing to the article's two experiments on the screen (a minute)
	$(BIN)/econnlab sweep --sessions 20
	$(BIN)/econnlab maxconn

# Compiled modules are kept: the suite starts hundreds of processes, and each would compile the package anew.
test: $(STAMP) ## the whole suite
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest

lint: $(STAMP) ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# pip takes each library's lowest version as pyproject.toml has it. The tests start every process for real.
LOWEST := .venv-lowest
$(LOWEST)/.installed: pyproject.toml tests/lowest.py
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python tests/lowest.py >$(LOWEST)/constraints
	$(LOWEST)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[tls,tenacity]' \
		--constraint $(LOWEST)/constraints pytest pytest-timeout pytest-xdist hypothesis jsonschema
	@touch $@

lowest: $(LOWEST)/.installed ## every command on the lowest versions of the libraries allowed
	$(LOWEST)/bin/python tests/lowest.py --check
	ECONNLAB_COLD=1 $(LOWEST)/bin/python -m pytest $(shell $(PYTHON) tests/lowest.py --files)

bench: $(STAMP) ## the figures about speed, as ratios in one run (some minutes)
	$(BIN)/python -m tests.benchmarks

acceptance: $(STAMP) ## the long runs and their counts (an hour)
	$(BIN)/python -m tests.acceptance

fuzz: $(STAMP) ## damaged captures by the ten thousand, until one upsets the reader
	$(BIN)/python -m tests.fuzz

attack: $(STAMP) ## malformed requests, damaged files, kills at random moments, and what they left (an hour)
	$(BIN)/python -m tests.attack

peers: $(STAMP) ## install the real servers and clients that tests use
	sh tests/peers/install.sh

clean: ## remove what was built and installed here
	rm -rf $(VENV) $(LOWEST) .peers build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
