# Every target sets up what it needs by itself; the second time that takes no noticeable time.
# Needs only git, make and Python 3.11 or newer.

PYTHON ?= python3
BIN := .venv/bin

# A stamp carries the checksum of what was installed, so a new checkout of the same locks is not installed again.
run_lock := $(shell cksum < requirements.lock | cut -d' ' -f1)
dev_lock := $(shell cksum < requirements-dev.lock | cut -d' ' -f1)
package := $(shell cat pyproject.toml kits/python/pyproject.toml | cksum | cut -d' ' -f1)
RUN_READY := .venv/.run-$(run_lock)
DEV_READY := .venv/.dev-$(dev_lock)
PACKAGE_READY := .venv/.package-$(package)

PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install -qq
# Python compiles what it uses when it first uses it: half the set-up time.
INSTALL := $(PIP) --no-compile --require-hashes
CODE := console tests wsgi.py kits examples
# Where it is switched off, every start compiles everything anew, which more than doubles its time.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test quick check format bench screens coverage audit lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: $(RUN_READY) $(PACKAGE_READY) ## Serve the demo on 127.0.0.1; PORT (8000) and VAR (var) are honoured
	@exec $(BIN)/sallyport demo --host 127.0.0.1 --port "$${PORT:-8000}" --var "$${VAR:-var}"

# Three workers for two cores: the first begins with the browser, which waits more than it computes.
test: check ## Everything a change must pass: check, then every test at once, the browser's among them
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m pytest -p no:randomly -n 3 --dist worksteal

quick: $(DEV_READY) $(PACKAGE_READY) ## The tests worth running while writing: no browser, nothing slow
	@$(BIN)/python -m pytest -p no:randomly -n 2 --dist worksteal -m "not browser and not slow"

# On a machine that is very busy mypy's workers may not meet in time, which is no fault of the code: then it goes alone.
check: $(DEV_READY) $(PACKAGE_READY) ## Format, lint, types and layers, under 30 s
	@$(BIN)/python -m ruff format --check --quiet --output-format concise $(CODE) || { echo "Mend with: make format"; exit 1; }
	@$(BIN)/python -m ruff check --quiet --output-format concise $(CODE)
	@$(BIN)/python -m mypy --no-error-summary || { test $$? -eq 2 && $(BIN)/python -m mypy --no-error-summary -n 0; }
	@$(BIN)/lint-imports --no-logo

format: $(DEV_READY) ## Format the code and mend what ruff can mend
	@$(BIN)/python -m ruff check --quiet --fix $(CODE) || true
	@$(BIN)/python -m ruff format $(CODE)

bench: $(DEV_READY) $(PACKAGE_READY) ## Measure each work item beside its floor in the same run
	@$(BIN)/python -m tests.bench

screens: $(DEV_READY) $(PACKAGE_READY) ## Take the screenshots of every page into build/screens/
	@$(BIN)/python -m tests.browser.chromium
	@$(BIN)/python -m tests.browser.screens

coverage: $(DEV_READY) $(PACKAGE_READY) ## Branch coverage of the inner rings, which must be whole
	@$(BIN)/python -m pytest -p no:randomly -n 2 -m "not browser" --cov --cov-report=term-missing:skip-covered

audit: $(DEV_READY) $(PACKAGE_READY) ## Slower readings: security lint, unused dependencies, template lint
	@$(BIN)/python -m bandit --quiet --severity-level medium --recursive console kits examples
	@$(BIN)/python -m deptry .
	@$(BIN)/python -m djlint templates examples --lint --quiet

lock: $(DEV_READY) ## Renew both lock files from pyproject.toml
	@$(BIN)/python -m uv pip compile pyproject.toml --universal --generate-hashes --no-strip-extras --quiet \
		--extra build --extra stripe -o requirements.lock $(LOCK)
	@$(BIN)/python -m uv pip compile pyproject.toml --universal --generate-hashes --no-strip-extras --quiet \
		--extra build --extra stripe --extra dev -c requirements.lock -o requirements-dev.lock $(LOCK)

clean: ## Remove what tools left behind; var/ and .venv/ stay
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage *.egg-info
	@find console tests kits examples -name __pycache__ -prune -exec rm -rf {} +

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
		|| { echo "Python 3.11 or newer is needed; name it: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Set-up 1/3: virtual environment in .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; echo "On Debian and Ubuntu: apt-get install python3-venv"; exit 1; }

$(RUN_READY): | .venv/bin/python
	@echo "Set-up 2/3: what the console runs on (first time only, about half a minute)"
	@$(INSTALL) -r requirements.lock
	@rm -f .venv/.run-* && touch $@

$(DEV_READY): | .venv/bin/python
	@echo "Set-up 2/3: what the console and its tests run on (first time only, one to two minutes)"
	@$(INSTALL) -r requirements-dev.lock
	@rm -f .venv/.run-* .venv/.dev-* && touch $@ $(RUN_READY)

# Built by the locked setuptools with no index, so nothing unlocked can slip in.
$(PACKAGE_READY): | .venv/bin/python
	@test -e $(RUN_READY) || $(MAKE) --no-print-directory $(RUN_READY)
	@echo "Set-up 3/3: the sallyport command and the product kit"
	@$(PIP) --no-index --no-deps --no-build-isolation --config-settings editable_mode=compat -e . -e kits/python
	@rm -f .venv/.package-* && touch $@
