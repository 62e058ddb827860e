# nova-lite: everything a newcomer, a developer and CI type.
PYTHON ?= .venv/bin/python
PYTEST ?= $(PYTHON) -m pytest
# Paths or names of tests instead of all of a tier.
TESTS ?=
ARGS ?=
MINUTES ?= 10

.DEFAULT_GOAL := help
.PHONY: help run stop setup setup-test test unit contracts functional faults failpoints guards integration fuzz tempest \
        lint types genconfig docs lab-up lab-status lab-down benchmarks clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^##@/ {print "\n" substr($$0, 5)} /^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ The first minute
run: ## Install what is missing, start the embedded cloud, boot a server, show its login prompt
	@bin/nova-lite-setup run
	@bin/nova-lite-demo up $(ARGS)

stop: ## Stop everything that `make run` started
	@if [ -x $(PYTHON) ]; then bin/nova-lite-demo down; else echo "nothing was ever set up"; fi

setup: ## Only install what is missing (Debian packages, .venv)
	@bin/nova-lite-setup run

##@ Tests
test: setup-test ## Set up and run unit, contracts and functional tests
	$(PYTEST) tests/unit tests/contracts tests/functional $(ARGS)

setup-test:
	@bin/nova-lite-setup test

unit: setup-test ## Unit tests only (TESTS=tests/unit/cmd narrows them)
	$(PYTEST) $(or $(TESTS),tests/unit) $(ARGS)

contracts: setup-test ## Import contracts, sizes, tables, replayed samples
	$(PYTEST) $(or $(TESTS),tests/contracts) $(ARGS)

functional: setup-test ## The whole cloud in one process, on both concurrency backends
	NOVA_LITE_CONCURRENCY_BACKEND=threading $(PYTEST) $(or $(TESTS),tests/functional) $(ARGS)
	NOVA_LITE_CONCURRENCY_BACKEND=eventlet $(PYTEST) $(or $(TESTS),tests/functional) $(ARGS)

faults: setup-test ## The whole cloud under fault plans
	$(PYTEST) tests/faults $(ARGS)

failpoints: setup-test ## Every operation broken at every moment it passes (hours; ARGS="--operation boot --every 5 --jobs 2")
	$(PYTHON) -W ignore -m tests.harness.failpoints.matrix $(ARGS)

guards: setup-test ## Every guard taken out, one at a time: which test goes red (ARGS="--room journal")
	$(PYTHON) -W ignore -m tests.harness.guards --json tests/harness/guards/results.json $(ARGS)

integration: ## Real RabbitMQ, databases, Keystone, Glance and a guest that boots (starts the lab); stock tempest
	@bin/nova-lite-setup test run lab tempest
	$(PYTEST) tests/integration $(ARGS)

fuzz: setup-test ## Requests made of the OpenAPI document, right ones and wrong ones (MINUTES=10 ARGS="--seed 1")
	$(PYTHON) -W ignore -m tests.harness.fuzz --minutes $(MINUTES) $(ARGS)

tempest: ## Stock tempest against the embedded cloud (ARGS="--min-microversion 2.96 --only RESCUE")
	@bin/nova-lite-setup test tempest
	$(PYTHON) -m tests.harness.tempest $(ARGS)

lint: setup-test ## ruff
	$(PYTHON) -m ruff check .

types: setup-test ## mypy
	$(PYTHON) -m mypy

##@ The lab: separate daemons with real neighbours
lab-up: ## Start it (ARGS="--database postgresql --hosts 2 --driver fake")
	@bin/nova-lite-lab up $(ARGS)

lab-status: ## What runs, and where
	@bin/nova-lite-lab status

lab-down: ## Stop it
	@bin/nova-lite-lab down $(ARGS)

##@ Upkeep
docs: ## Everything that is generated: doc/reference, etc/nova-lite.conf, etc/policy.yaml.sample
	$(PYTHON) -m doc.generate

genconfig: docs ## The same: the sample configuration is one of them

benchmarks: ## Load, boot latency, scheduler, memory (tables and JSON)
	$(PYTHON) -m benchmarks $(ARGS)

clean: stop ## Stop, and remove state, caches and builds (not .venv)
	@if [ -x $(PYTHON) ]; then bin/nova-lite-lab down --purge; fi
	rm -rf .nova-lite .lab build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -path ./.venv -prune -o -name __pycache__ -type d -exec rm -rf {} +
