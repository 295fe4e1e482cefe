# Two commands do everything from a bare python3: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
BIN := $(abspath $(VENV))/bin
READY := $(VENV)/.ready
# uv with pip's settings.
UV := python tests/tools/pip_settings.py uv
# Nothing of the user's own settings or home may change what the tests see.
export PATH := $(BIN):$(PATH)
# Byte code is kept in one place: a module process that compiles botocore anew takes a second longer.
export PYTHONPYCACHEPREFIX := $(abspath .cache)/pycache
# Container images often forbid byte code. Each of the hundreds of Pythons would then compile all that it imports.
export PYTHONDONTWRITEBYTECODE :=
# As many processes as there are processors. A worker that has no tests left takes some of another's, and tests of one
# file mostly stay together, because they share what is made once for the file.
WORKERS ?= logical
# The playbook tests wait as well, for AWS that hangs and for a desk that does not answer.
WAITING = $(if $(filter logical,$(WORKERS)),$(shell python -c 'import os; print(os.cpu_count() * 3 // 2)'),$(WORKERS))
PYTEST := python -m pytest --dist worksteal -n
# With ONLY, a few tests: their workers would take longer to start than they do.
SELECTED = $(if $(ONLY),0 -k '$(ONLY)',$(1))

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.PHONY: demo
demo: $(READY) ## Restore acme on an embedded AWS and desk (SCENARIO=manual, region-down, denied or deletion)
	@python -m tests.tools.demo $(SCENARIO)

.PHONY: sandbox
sandbox: $(READY) ## Open a shell on an embedded AWS and support desk, to try every command (docs/getting_started.md)
	@python -m tests.tools.sandbox

.PHONY: demo-reset
demo-reset: ## Put the demo back to its beginning: keys disabled, ticket open
	@rm -rf .demo

.PHONY: test
test: $(READY) ## Run every check and test, two at a time; the output of each comes in one piece
	@echo "== two parts at a time; each prints its output when it ends"
	@$(MAKE) --jobs 2 --output-sync=target tests

# The longest first, beside the others. The unit tests wait more than they work, so they come last, beside the playbooks.
.PHONY: tests
tests: playbooks molecule lint sanity package reference demo-test unit

.PHONY: lint
lint: $(READY) ## Format and lint: ruff, mypy, yamllint, ansible-lint
	@tests/tools/lint.sh

.PHONY: format
format: $(READY) ## Format the Python code
	@ruff check --fix . && ruff format .

.PHONY: package
package: $(READY) ## Build the collection and check it as Galaxy does
	@tests/tools/package.sh

.PHONY: reference
reference: $(READY) ## Build the collection's reference in .cache/reference; a warning is an error
	@python -m tests.tools.reference

.PHONY: sanity
sanity: $(READY) ## Run ansible-test sanity
	@tests/tools/sanity.sh

.PHONY: unit
unit: $(READY) ## Run the unit tests; those whose names hold a word take seconds (ONLY=window)
	@echo "== unit tests"
	@$(PYTEST) $(call SELECTED,$(WORKERS)) -rs tests/unit

.PHONY: playbooks
playbooks: $(READY) ## Run the real playbooks on the strict stand-ins
	@echo "== playbooks"
	@$(PYTEST) $(call SELECTED,$(WAITING)) tests/playbooks

.PHONY: faults
faults: $(READY) ## Run the whole fault matrix and runbook (eight minutes; make test runs a third of it)
	@echo "== faults"
	@$(PYTEST) $(WORKERS) -m slow tests/playbooks/test_faults.py tests/playbooks/test_runbook.py

.PHONY: histories
histories: $(READY) ## Live through a million histories of an organization by chance, and break each rule on purpose (hours)
	@echo "== histories"
	@CMK_HISTORIES=$(or $(HISTORIES),1000000) $(PYTEST) $(WORKERS) -m 'slow or not slow' tests/unit/model

.PHONY: molecule
molecule: $(READY) ## Run the scenarios on the strict stand-ins
	@tests/tools/molecule.sh

.PHONY: demo-test
demo-test: $(READY) ## Run the demo twice, from its beginning, and check what it says
	@echo "== demo"
	@python -m tests.tools.demo --check

.PHONY: versions
versions: $(READY) ## Test with each supported Python and ansible-core that is here (ten minutes or more), and say which are not
	@python -m tests.tools.versions $(CORES)

.PHONY: floor
floor: $(READY) ## Test with the oldest boto3, botocore and amazon.aws that are supported
	@python -m tests.tools.versions --floor

.PHONY: mutants
mutants: $(READY) ## Change the rules, a mutant at a time, and count what the unit tests notice (ten minutes; SAMPLE=0: all; WRITE=1: into docs/reliability.md)
	@python -m tests.tools.mutants --sample $(or $(SAMPLE),25) $(if $(WRITE),--write) $(RULES)

.PHONY: release
release: $(READY) ## Build the release in dist/, check it, install it, and run the demo from there
	@tests/tools/release.sh

.PHONY: bench
bench: $(READY) $(VENV)/aws-cli/bin/aws ## Measure a restoration beside other ways to enable the same keys (half an hour)
	@PATH="$$PATH:$(abspath $(VENV))/aws-cli/bin" python -m tests.bench

.PHONY: audit
audit: $(READY) ## Look for known vulnerabilities of the pinned packages
	@tests/tools/audit.sh

.PHONY: docs
docs: $(READY) ## Make the documentation that stands in the code
	@python -m tests.tools.docs
	@python -m tests.tools.evidence_doc
	@python -m tests.tools.results_doc
	@python -m tests.tools.runbook
	@python -m tests.tools.screenshots

.PHONY: setup
setup: $(READY) ## Only set up .venv

.PHONY: lock
lock: $(READY) ## Pin the newest versions that requirements/dev.in allows
	@$(UV) pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  requirements/dev.in -o requirements/dev.txt
	@$(UV) pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  requirements/bench.in -o requirements/bench.txt
	@$(UV) pip compile -q --upgrade --universal --python-version 3.12 --generate-hashes --no-header \
	  requirements/core-2.20.in -o requirements/core-2.20.txt
	@$(UV) pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  --overrides <(echo 'ansible-core==2.16.*') requirements/core-2.16.in -o requirements/core-2.16.txt
	@$(UV) pip compile -q --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	  requirements/core-2.18.in -o requirements/core-2.18.txt
	@$(UV) pip compile -q --upgrade --universal --python-version 3.13 --prerelease allow --generate-hashes --no-header \
	  requirements/core-2.22.in -o requirements/core-2.22.txt
	@$(UV) pip compile -q --upgrade --python-version 3.11 --generate-hashes --no-header \
	  requirements/floor.in -o requirements/floor.txt

.PHONY: clean
clean: ## Remove all that these targets made
	@rm -rf $(VENV) .cache .demo dist

$(READY): requirements/dev.txt requirements/uv.txt tests/tools/setup.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" tests/tools/setup.sh
	@touch $@

# Apart, since the AWS CLI holds botocore and docutils back.
$(VENV)/aws-cli/bin/aws: requirements/bench.txt $(READY)
	@uv venv -q --clear $(VENV)/aws-cli
	@$(UV) pip install -q --python $(VENV)/aws-cli/bin/python --require-hashes -r requirements/bench.txt
	@touch $@
