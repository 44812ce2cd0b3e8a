# Each target does the set-up that it needs; the first time it installs, later it only compares a stamp.

PROJECT ?= sample_projects/tiny
ARGS ?=
WORKERS ?= 2
PYTHON_HERE = .venv/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test slow netboot check bench format lock frames schema clean

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 16

run: ## Open the workbench on a sample project (PROJECT=folder for another)
	@scripts/setup run
	@exec .venv/bin/boxwright --project $(PROJECT) $(ARGS)

test: ## Run all tests, with real machines (ARGS="-k ssh" and the like for some; WORKERS=2 at once)
	@scripts/setup test
	@exec $(PYTHON_HERE) -m pytest -n $(WORKERS) $(ARGS)

slow: ## Run the tests that take minutes: the Debian sample, a kill at every point of every command
	@scripts/setup test
	@exec $(PYTHON_HERE) -m pytest -m slow -o faulthandler_timeout=3600 $(ARGS)

netboot: ## Install Debian by its own installer, for half an hour and more
	@scripts/setup netboot
	@exec $(PYTHON_HERE) -m pytest -m netboot -s -o faulthandler_timeout=14400 $(ARGS)

check: ## Formatting, lint, types, layers, sizes, lock files
	@scripts/setup check
	@exec scripts/check

bench: ## Measure, beside the real Vagrant where it is named (ARGS=NAME for one)
	@scripts/setup bench
	@exec $(PYTHON_HERE) -m benchmarks $(ARGS)

format: ## Format the sources
	@scripts/setup check
	@$(PYTHON_HERE) -m ruff check --quiet --fix-only . ; $(PYTHON_HERE) -m ruff format .

lock: ## Pin the newest allowed versions (ARGS="--upgrade"), or only what pyproject.toml changed
	@test -x $(PYTHON_HERE) || scripts/setup check
	@exec scripts/lock $(ARGS)

frames: ## Write the frames and pictures of the workbench anew that its tests compare with
	@scripts/setup test
	@APPROVE=1 exec $(PYTHON_HERE) -m pytest -q tests/tui/test_frames.py

schema: ## Write docs/boxwright.schema.json and docs/settings.schema.json from the models
	@scripts/setup check
	@$(PYTHON_HERE) -m core.projects.schema docs/boxwright.schema.json
	@exec $(PYTHON_HERE) -m tui.settings docs/settings.schema.json

clean: ## Remove the virtual environment and everything that was generated
	rm -rf .venv .system-packages-declined dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find core tui tests benchmarks scripts -name __pycache__ -type d -prune -exec rm -rf {} +
