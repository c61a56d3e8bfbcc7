# make help        this list; make alone prints it, too
# make setup       the Python environment in .venv, made or brought up to date, with the versions of the lock files
#                  NEWEST=1: the newest versions that the requirements allow instead
#                  APPS=1: only what the apps and test mode need
#                  CPU=1 TORCH_INDEX=ADDRESS: torch without CUDA, from that index (docs/installing.md)
# make demo        preprocess, train on, translate photo-like people; ends with data/demo/demo.png
#                  DRAWN=1: on drawn faces, from nothing; ends with data/demo_drawn/demo.png
# make test        the tests, but for the slow ones
# make test-slow   those: kills, many processes, every screen of both apps
# make quick       a part of the tests, in about a minute
# make lint        ruff, mypy, and tach: which package may import which
# make docs-check  every command of the documents is read and, where it works on data, carried out; links and licences
# make coverage    the tests, and which lines none of them reaches
# make lock        the lock files anew: the newest versions that go together, with their hashes
# make clean       removes .venv, caches and the demo's files; your data/ stays
#
# PYTHON=python3.12 make demo   chooses the interpreter (3.10 to 3.13)

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --no-compile
REQUIREMENTS := $(wildcard requirements*.txt requirements*.lock)

# For Python 3.10 to 3.13 on any system. uv serves this target only, so it is no requirement.
LOCK = $(VENV)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.10 --generate-hashes \
	--no-emit-index-url --no-annotate --custom-compile-command "make lock" --constraint lock-constraints.txt
# A torch without CUDA is there already: it and CUDA's packages are left out of the lock file.
WITHOUT_CUDA = awk '/^[a-z]/ {cuda = /^(torch|torchvision|triton|nvidia-|cuda-)/} !cuda'

# Compiled Python is kept, in .venv, even where the environment forbids it: or else every process compiles torch anew,
# which makes `python main.py --mode test` take twice as long.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/compiled

# What `make quick` runs: the algorithm, its files, and the documents; no server, no browser, no long training.
QUICK := test_documents test_house test_losses test_model test_checkpoint test_data_loader test_augment test_metrics \
	test_sources test_draw_faces test_feedback test_aihub

TESTS = $(PY) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo test test-slow quick lint lock docs-check coverage clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

ifdef APPS
setup: $(VENV)/.ready-apps
else
setup: $(READY)
endif

WANTED = requirements-$(if $(findstring apps,$(notdir $@)),apps,dev).$(if $(NEWEST),txt,lock)
$(VENV)/.ready-apps $(READY): $(REQUIREMENTS) apps/page/fetch_vendor.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "StarGAN-FE needs Python 3.10 to 3.13, and '$(PYTHON)' is not one: try 'make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12'." >&2; exit 2; }
ifdef CPU
	@test -n "$(TORCH_INDEX)" || { echo "CPU=1 needs TORCH_INDEX=ADDRESS, PyTorch's index of builds without CUDA: see docs/installing.md, or run 'make setup' alone." >&2; exit 2; }
endif
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
ifdef CPU
	@echo "Installing torch without CUDA from $(TORCH_INDEX) ..."
	@$(PIP) --index-url $(TORCH_INDEX) $$(awk '/^torch(vision)?==/ {print $$1}' requirements-dev.lock)
	@$(WITHOUT_CUDA) $(WANTED) >$(VENV)/without-cuda.txt && $(PIP) -r $(VENV)/without-cuda.txt
else
	@echo "Installing the requirements into $(VENV) (about 6 GB, a few minutes) ..."
	@$(PIP) -r $(WANTED)
endif
	@if command -v npm >/dev/null; then $(PY) -m apps.page.fetch_vendor; \
		else echo "npm is not here: the phone web app will work without its mirror."; fi
	@touch $@

demo: $(READY)
	$(PY) demo.py $(if $(DRAWN),--drawn)

test: $(READY)
	$(TESTS) -m "not slow"

test-slow: $(READY)
	$(TESTS) -m slow

quick: $(READY)
	$(PY) -m pytest --numprocesses 2 --dist loadfile $(QUICK:%=tests/%.py)

docs-check: $(READY)
	$(PY) docs/check.py --run

coverage: $(READY)
	$(PY) -m coverage erase
	$(PY) -m coverage run -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder
	$(PY) -m coverage combine --quiet
	$(PY) -m coverage report

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/tach check

lock:
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PIP) uv
	$(LOCK) requirements-dev.txt --output-file requirements-dev.lock
	$(LOCK) requirements-apps.txt --constraint requirements-dev.lock --output-file requirements-apps.lock

clean:
	rm -rf $(VENV) .coverage .coverage.* .pytest_cache .mypy_cache .ruff_cache data/demo data/demo_drawn
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
