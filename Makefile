# Two commands: `make repro` rebuilds the line, `make test` tests it.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
UV_VERSION := 0.13.8
# Stages and hooks call `python`, `dvc` and `graft`: the environment's own come first.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
# uv does not read pip's find-links; a local CPU build of torch may lie there.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
# The line needs no hub unless a config names one; say nothing to anyone.
export HF_HUB_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help install repro verify test test-portable test-slow check lock clean

help: ## show this
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

repro: $(READY) ## rebuild the whole line (dvc repro) and say what it made
	@dvc repro
	@graft summary

verify: $(READY) ## check what `make repro` made: what it learned, and what README shows
	@python scripts/check_pipeline.py
	@python scripts/check_readme.py

test: $(READY) ## run the default tests
	@pytest

test-portable: $(READY) ## the tests of numbers, as on a processor of few features
	@ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=AVX2 \
	  pytest tests/training tests/exporting tests/evaluation

test-slow: $(READY) ## the tests that take minutes
	@pytest -m 'slow and not gpu'

check: $(READY) ## lint, types, import contracts, configs
	@pre-commit run --all-files
	@mypy
	@lint-imports

install: $(READY) ## make .venv with the locked requirements

$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: $(PYTHON) is older than Python 3.11"; \
	  echo "  fix: install a newer one, then: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "error: $(PYTHON) cannot make a virtual environment"; \
	  echo "  fix: install its venv package (Debian: apt-get install python3-venv)"; exit 1; }
	@python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	uv pip install --quiet -r requirements.txt
	@uv pip install --quiet --no-deps -e .
	@touch $(READY)

lock: ## compile requirements.txt from pyproject.toml
	@uv pip compile --quiet --all-extras --python-version 3.11 --no-annotate \
	  --custom-compile-command "make lock" pyproject.toml \
	  | sed 's/+cpu$$//' > requirements.tmp && mv requirements.tmp requirements.txt

clean: ## remove what the pipeline made, and its runs (not .venv, not the DVC cache)
	rm -rf data/{code,preflight,converted,clean,tokenized,splits,rejects,review} models/adapter \
	  predictions curves dvc_plots reports/*.{html,md} checkpoints mlflow.db mlruns mlartifacts .graft
