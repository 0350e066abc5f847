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
NETWORK := sample_configs/onnx/mobilenet_v2.onnx

.DEFAULT_GOAL := help
.PHONY: help demo test check fix bench bench-zoo bench-conformance clean

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

fix: $(VENV)/dev.stamp ## format the code, mend what the linter can, write the generated docs again
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate.py
	$(BIN)/python docs/literature.py

bench: $(VENV)/dev.stamp ## measure start-up, reading, capture, false differences; writes docs/benchmarks.md
	$(BIN)/python -m benchmarks

bench-zoo: $(VENV)/dev.stamp ## count every torchvision and timm model beside torch's own counter; goes on where it stopped
	$(BIN)/python -m benchmarks.zoo

bench-conformance: $(VENV)/dev.stamp ## every conformance case beside the installed peers; writes docs/conformance.md
	$(BIN)/python -m benchmarks.conformance

clean: ## remove .venv and every cache
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "error: convcost needs Python 3.11 or newer, and $(PYTHON) is not"; \
	  echo "hint: name another one: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/core.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) --editable .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP_INSTALL) torch --editable '.[dev]'
	$(PIP_INSTALL) --no-deps $(MODEL_ZOOS) $(TRANSFORMERS)
	@touch $(VENV)/core.stamp $@
