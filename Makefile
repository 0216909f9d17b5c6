# Two commands: `make repro` runs the pipeline, `make test` tests the code.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
# Processes that share the default tests; every one computes in a single thread.
TEST_WORKERS ?= 2
READY := $(VENV)/.ready
UV_VERSION := 0.13.8
# Stages and hooks call `python`, `dvc` and `graft`: put the environment's own first.
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export VIRTUAL_ENV := $(CURDIR)/$(VENV)
# uv does not read pip's find-links, which may point to a local CPU build of torch.
export UV_FIND_LINKS ?= $(PIP_FIND_LINKS)
# No telemetry. The pipeline contacts the Hub only if a configuration names it.
export HF_HUB_DISABLE_TELEMETRY := 1
export MLFLOW_DISABLE_TELEMETRY := true

.DEFAULT_GOAL := help
.PHONY: help install repro verify stack test test-portable test-slow rehearse check lock clean

help: ## show this help
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' Makefile

repro: $(READY) ## run the complete pipeline (dvc repro) and print a summary
	@dvc repro
	@graft summary

verify: $(READY) ## compare the results of `make repro` with expected scores and with README
	@python scripts/check_pipeline.py
	@python scripts/check_readme.py

stack: $(READY) ## run MLflow, PostgreSQL, S3, the API and its monitoring until Ctrl-C
	@python scripts/stack.py

test: $(READY) ## run the default tests
	@pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

test-portable: $(READY) ## repeat the numerical tests as on a processor without AVX-512
	@ATEN_CPU_CAPABILITY=default ONEDNN_MAX_CPU_ISA=AVX2 \
	  pytest tests/training tests/exporting tests/evaluation

test-slow: $(READY) ## run the slow tests (minutes each)
	@pytest -m 'slow and not gpu'

rehearse: $(READY) ## plant faults in what is served, and measure how soon they are taken back
	@python scripts/rehearse.py

check: $(READY) ## check formatting, types, import contracts and configs
	@pre-commit run --all-files
	@mypy
	@lint-imports

install: $(READY) ## create .venv with the locked requirements

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

clean: ## remove the outputs of the pipeline and its runs (not .venv, not the DVC cache)
	rm -rf data/profile.parquet data/{code,preflight,converted,clean,tokenized,splits,rejects,review} models/adapter \
	  predictions evaluation curves dvc_plots reports/*.{html,md} checkpoints mlflow.db mlruns mlartifacts .graft
