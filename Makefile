# make demo | build | test | bench | lint | format | sanitize | clean
#
# Needs Python >= 3.10, a C++20 compiler and make. Everything else is installed into .venv.
# With PYTHON=/path/to/python that interpreter is used as it is and nothing is installed.

SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -ec
.ONESHELL:
.DEFAULT_GOAL := help

BUILD := build
JOBS ?= $(shell nproc 2>/dev/null || echo 2)
SYSTEM_PYTHON ?= python3

ifdef PYTHON
  override PYTHON := $(shell command -v $(PYTHON))
  BUILD_VENV :=
  TEST_VENV :=
else
  PYTHON := $(CURDIR)/.venv/bin/python
  BUILD_VENV := .venv/build.stamp
  TEST_VENV := .venv/test.stamp
endif

# The interpreter's own cmake, ninja and ruff come before the system's.
export PATH := $(dir $(PYTHON)):$(PATH)
export PYTHONPATH := $(CURDIR)

.PHONY: help demo build test generated pytest conformance bench lint format sanitize clean

help:
	@sed -n '1,4s/^# \{0,1\}//p' Makefile

# ---- the environment ------------------------------------------------------------------------------------------------

.venv/bin/python:
	@$(SYSTEM_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || {
	  echo "rushlight needs Python >= 3.10; $(SYSTEM_PYTHON) is older. Try: make SYSTEM_PYTHON=python3.12 <target>" >&2
	  exit 1; }
	$(SYSTEM_PYTHON) -c 'import ensurepip, venv' || {
	  echo "Python's venv module is incomplete. On Debian and Ubuntu: apt install python3-venv" >&2
	  exit 1; }
	command -v c++ >/dev/null || command -v "$${CXX:-g++}" >/dev/null || {
	  echo "No C++ compiler was found. On Debian and Ubuntu: apt install g++" >&2
	  exit 1; }
	$(SYSTEM_PYTHON) -m venv .venv

.venv/build.stamp: pyproject.toml | .venv/bin/python
	@echo "Installing the build tools into .venv"
	$(PYTHON) tools/requirements.py build run | xargs -d '\n' $(PYTHON) -m pip install --quiet cmake ninja
	touch $@

.venv/test.stamp: .venv/build.stamp
	@echo "Installing the test tools into .venv (PyTorch, the oracle of the tests, is large)"
	$(PYTHON) tools/requirements.py test dev | xargs -d '\n' $(PYTHON) -m pip install --quiet
	touch $@

# ---- what users call ------------------------------------------------------------------------------------------------

ifeq ($(BUILD_VENV),)
demo: build
	@$(PYTHON) -m rushlight demo $(DEMO_ARGS)
else
demo: build
	@$(PYTHON) -m pip install --quiet --no-build-isolation -Cbuild-dir=$(BUILD) .
	cd $(BUILD) && env -u PYTHONPATH $(dir $(PYTHON))rushlight demo $(DEMO_ARGS)
endif

# In place: leaves rushlight/_core*.so and rushlight/lib/ in the source tree.
build: $(BUILD_VENV)
	@test -f $(BUILD)/build.ninja || cmake -G Ninja -S . -B $(BUILD) -DPython_EXECUTABLE=$(PYTHON) \
	  $(if $(CI),-DRUSHLIGHT_WERROR=ON) -DRUSHLIGHT_PACKAGE_DIR=$(CURDIR)/rushlight
	cmake --build $(BUILD) -j $(JOBS)

# Every step runs, whatever the ones before it said; pytest's closing line comes last.
test: $(TEST_VENV) build
	@failed=
	for step in lint generated conformance pytest; do
	  echo "== $$step"
	  $(MAKE) --no-print-directory $$step || failed="$$failed $$step"
	done
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

# What is read from the rows: the stubs and the reference.
generated: build
	@$(PYTHON) tools/make_stubs.py --check
	$(PYTHON) tools/make_reference.py --check

pytest: build
	@$(PYTHON) -m pytest $(PYTEST_ARGS) | tee $(BUILD)/pytest.log

conformance: build
	@$(PYTHON) tools/conformance.py

bench: build
	@$(PYTHON) -m benchmarks $(BENCH_ARGS)

lint: $(TEST_VENV)
	@ruff check .
	ruff format --check --quiet .
	find csrc -name '*.cpp' -o -name '*.h' -o -name '*.inc' | xargs -r clang-format --dry-run -Werror
	$(PYTHON) tools/check_layers.py

format: $(TEST_VENV)
	@ruff check --fix .
	ruff format .
	find csrc -name '*.cpp' -o -name '*.h' -o -name '*.inc' | xargs -r clang-format -i

# The tests once more, on a build that stops at the first bad read or undefined operation.
sanitize: $(TEST_VENV) build
	@tools/sanitize.sh $(PYTHON) $(JOBS) $(PYTEST_ARGS)

clean:
	rm -rf $(BUILD) dist rushlight/_core*.so rushlight/lib
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
