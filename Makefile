# make setup   the Python environment in .venv, made or brought up to date
# make demo    draw faces, preprocess, train, translate; ends with data/demo/demo.png
# make test    the tests
# make lint    ruff, mypy, and tach: which room may import which
# make clean   removes .venv, caches and the demo's files; your data/ stays
#
# PYTHON=python3.12 make demo   chooses the interpreter (3.10 to 3.13)

PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready
PY := $(VENV)/bin/python

.PHONY: setup demo test lint clean

setup: $(READY)

$(READY): requirements.txt requirements-dev.txt apps/phone/fetch_vendor.py
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "StarGAN-FE needs Python 3.10 to 3.13, and '$(PYTHON)' is not one: try 'make $(or $(MAKECMDGOALS),setup) PYTHON=python3.12'." >&2; exit 2; }
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing the requirements into $(VENV) (about 6 GB, a few minutes) ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-compile -r requirements-dev.txt
	@if command -v npm >/dev/null; then $(PY) -m apps.phone.fetch_vendor; \
		else echo "npm is not here: the phone web app will work less its mirror."; fi
	@touch $@

demo: $(READY)
	$(PY) demo.py

test: $(READY)
	$(PY) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(VENV)/bin/tach check

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache data/demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
