# Needs Python 3.11 or newer (with venv), git and make; everything else is installed into .venv by the first target run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# torchvision and timm give the tests their networks. Published torchvision wheels ask for one exact torch, so they come
# without their dependencies, after the torch that constraints.txt pins; Pillow is what torchvision imports besides.
MODEL_ZOOS := torchvision timm pillow
# transformers builds models from configurations; with what it imports for that, and without its command line's click.
TRANSFORMERS := transformers anyio h11 httpcore2 httpx2 huggingface_hub idna regex safetensors tokenizers truststore
# The lower bounds of pyproject.toml, each as the one version to install, and the tests that need nothing else. Left out of
# the folders: what compares with PyTorch or runs it, and what is loaded, for older typers import rich whatever is asked.
OLDEST_VENV := .venv-min
OLDEST = import tomllib; found = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]; \
	print(*(each.replace(">=", "==") for each in found), sep="\n")
FUZZ_VENV := .venv-fuzz
# Fuzzing reads files with the core alone. atheris has wheels for Linux and Pythons up to its own release's.
FUZZER := atheris==3.0.0
MINUTES ?= 1
AUDIT_VENV := .venv-audit
AUDITOR := pip-audit==2.10.1
# Advisories without a fixed version in every database; docs/security.md answers each.
ANSWERED := PYSEC-2026-139 CVE-2026-4538 PYSEC-2025-194 CVE-2025-3000 GHSA-rrmf-rvhw-rf47
CORE_TESTS := tests/test_units.py tests/test_located.py tests/located tests/graph/test_graph.py tests/graph/test_cost.py \
	tests/sources/spec tests/sources/onnx tests/analysis/test_analyze.py tests/analysis/test_memory.py \
	tests/analysis/test_saved.py tests/weights/test_spectra.py tests/reports/test_text.py tests/reports/test_escape.py \
	tests/reports/test_query.py tests/reports/test_comparison.py tests/reports/test_analysis.py \
	tests/cli/test_analyze.py tests/cli/test_compare.py tests/cli/test_check.py tests/cli/test_explain.py \
	tests/cli/test_gate.py tests/cli/test_diff.py tests/cli/test_init.py tests/cli/test_failure.py
NOT_CORE := --ignore=tests/sources/onnx/test_onnx_exports.py --ignore=tests/sources/onnx/test_onnx_fourier.py \
	-k 'not agrees_with_torch and not model_prints and not costs_alone_load_nothing'
NETWORK := sample_configs/onnx/mobilenet_v2.onnx

.DEFAULT_GOAL := help
.PHONY: help demo test test-min check fix fuzz audit bench bench-zoo bench-conformance bench-memory clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/core.stamp ## analyze a real network, compare one convolution, check a budget (installs the core only)
	$(BIN)/convcost analyze $(NETWORK) --top 10
	$(BIN)/convcost compare --spec sample_configs/layer.yaml
	$(BIN)/convcost check $(NETWORK) --max macs=320M --max params=3.6M

test: check ## everything a change has to pass; installs all extras and tools first

# Hypothesis without deadlines and with fixed examples: the gate gives one answer on any machine. Plain pytest explores.
check: $(VENV)/dev.stamp ## the same, by the name CONTRIBUTING uses: lint, format, types, docs in step, tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python docs/generate.py --check
	$(BIN)/python docs/literature.py --check
	$(BIN)/convcost check --config .ci/convcost.yaml --quiet
	$(BIN)/python -m pytest -n 2 --hypothesis-profile=ci

test-min: $(OLDEST_VENV)/stamp ## the tests of the core, with the oldest versions that pyproject.toml allows
	$(OLDEST_VENV)/bin/python -m pytest --hypothesis-profile=ci $(NOT_CORE) $(CORE_TESTS)

fix: $(VENV)/dev.stamp ## format the code, mend what the linter can, write the generated docs again
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/literature.py

fuzz: $(FUZZ_VENV)/stamp ## fuzz whatever reads a stranger's file, MINUTES=1 each; findings go to build/fuzz
	$(FUZZ_VENV)/bin/python -m fuzz --minutes $(MINUTES) $(DOORS)

audit: $(AUDIT_VENV)/stamp ## ask PyPI for known faults of what constraints.txt pins; a package it cannot tell of is an error
	$(AUDIT_VENV)/bin/pip-audit --strict --requirement constraints.txt --disable-pip --no-deps $(ANSWERED:%=--ignore-vuln %)

bench: $(VENV)/dev.stamp ## measure start-up, reading, capture, false differences; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks

bench-zoo: $(VENV)/dev.stamp ## count every torchvision and timm model beside torch's own counter; goes on where it stopped
	$(BIN)/python -m benchmarks.zoo

bench-conformance: $(VENV)/dev.stamp ## every conformance case beside the installed peers; writes docs/conformance.md
	$(BIN)/python -m benchmarks.conformance

bench-memory: $(VENV)/dev.stamp ## peak memory of twenty models beside what torch tracks; writes docs/memory.md
	$(BIN)/python -m benchmarks.peak_memory

clean: ## remove .venv and every cache
	rm -rf $(VENV) $(OLDEST_VENV) $(FUZZ_VENV) $(AUDIT_VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: convcost needs Python 3.11 or newer, and $(PYTHON) is not"; \
	  echo "hint: name another one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(OLDEST_VENV)/stamp: pyproject.toml
	$(PYTHON) -m venv --clear $(OLDEST_VENV)
	@$(PYTHON) -c '$(OLDEST)' > $(OLDEST_VENV)/oldest.txt
	$(OLDEST_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint $(OLDEST_VENV)/oldest.txt --editable . pytest hypothesis jsonschema
	@touch $@

$(FUZZ_VENV)/stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv --clear $(FUZZ_VENV)
	$(FUZZ_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	  --constraint constraints.txt --editable . $(FUZZER)
	@touch $@

$(AUDIT_VENV)/stamp: Makefile
	$(PYTHON) -m venv --clear $(AUDIT_VENV)
	$(AUDIT_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(AUDITOR)
	@touch $@

$(VENV)/core.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) torch --editable '.[dev]'
	$(PIP_INSTALL) --no-deps $(MODEL_ZOOS) $(TRANSFORMERS)
	@touch $(VENV)/core.stamp $@
