# `make` alone lists what there is. Nothing but Python 3 and make is assumed: every target sets
# up what it needs. GNU make 3.81 or newer.

VENV ?= .venv
BIN = $(VENV)/bin
UV = sh .ci/setup.sh --uv

.DEFAULT_GOAL := help
.PHONY: help env paper report verify lab notebooks test lint ci hooks lock studies benchmark clean

# One step after the other, also under `make -j`; and a make that a test calls in a clone of its
# own inherits nothing from this one.
.NOTPARALLEL:
unexport MAKEFLAGS VENV PYTEST_ARGS STUDY_ARGS UPGRADE

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

env: $(VENV)/.ready ## Set up .venv from requirements.lock (nothing to do when it is up to date)

# The stamp is written last, so a set-up that failed is tried again.
$(VENV)/.ready: requirements.lock pyproject.toml .python-version
	@sh .ci/setup.sh '$(VENV)'

paper: env ## Make the paper: run every analysis, compare with the expected numbers, build the report
	$(BIN)/iesoresearch run --all
	$(BIN)/iesoresearch verify
	$(BIN)/iesoresearch report

report: env ## Build the report site from the runs that there are
	$(BIN)/iesoresearch report

verify: env ## Compare the runs that there are with the expected numbers
	$(BIN)/iesoresearch verify

lab: env ## Open the notebooks in JupyterLab
	$(BIN)/jupyter-lab --KernelManager.transport=ipc notebooks # ipc: no open port per kernel

notebooks: env ## Run the notebooks again, in place, with their default parameters
	$(BIN)/python .ci/notebooks.py

# loadfile: all cells of one notebook must meet the same kernel. In their order: by size, the test
# that makes the whole paper would come last, and one core would wait for it.
test: env ## Run all tests, those of the notebooks too (PYTEST_ARGS="-k ..." for some)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder --nbval --nbval-current-env $(PYTEST_ARGS) tests notebooks

lint: env ## Check style, formatting, which layer imports which, and what notebooks show
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/iesoresearch check-notebooks

ci: lint test ## What continuous integration runs: lint and test

hooks: ## Let git refuse notebooks whose outputs may come from patients' records
	git config core.hooksPath .ci/hooks

lock: ## Write requirements.lock and environment.yml from pyproject.toml (UPGRADE=1: newest versions)
	$(UV) pip compile --quiet --universal --generate-hashes --no-header --no-annotate \
	    --group dev --all-extras -p 3.12 $(if $(filter 1,$(UPGRADE)),--upgrade) \
	    pyproject.toml -o requirements.lock
	$(UV) run --quiet --no-project --python '>=3.12' .ci/environment.py

# The calibration is not among them: it changes the population that is drawn.
studies: env ## Run the long simulations again that tests rely on (STUDY_ARGS="--jobs 4")
	@for file in $$(grep -l 'STUDY\.main()' studies/[!_]*.py); do \
	    (set -x; $(BIN)/python "$$file" $(STUDY_ARGS)) || exit 1; \
	done

benchmark: .venv-bench/.ready ## Time the models beside other libraries (in .venv-bench)
	@for file in benchmarks/*.py; do (set -x; .venv-bench/bin/python "$$file") || exit 1; done

# The peers must not disturb .venv; what both need has the version of the lock.
.venv-bench/.ready: benchmarks/requirements.txt $(VENV)/.ready
	$(UV) venv --quiet --clear --python $(BIN)/python .venv-bench
	$(UV) pip install --python .venv-bench/bin/python --compile-bytecode \
	    -r benchmarks/requirements.txt -c requirements.lock
	$(UV) pip install --quiet --python .venv-bench/bin/python --no-deps -e .
	touch $@

clean: ## Remove results, caches and build products (the environment stays)
	rm -rf reports/out dist build .pytest_cache .hypothesis .ruff_cache .import_linter_cache
	find . -path './.venv*' -prune -o -path ./.uv -prune -o \
	    -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
