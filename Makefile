# `make` prints this menu; every target makes .venv first when it has to.
.DEFAULT_GOAL := menu
.PHONY: menu demo test check fmt lint types bench lock clean
unexport PYTHONDONTWRITEBYTECODE
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

menu:
	@echo "make demo    three releases of examples/orders, told as they happen (first time: a minute or two)"
	@echo "make test    every test: unit and functional first, then the rest on all cores"
	@echo "make check   what CI runs: format, lint, types, layers, then the tests"
	@echo "make fmt     format the code and mend what the linter can mend"
	@echo "make lint    format check, ruff, and the layers (import-linter)"
	@echo "make types   mypy, strict"
	@echo "make bench   the published figures, side by side with the peers they are compared to"
	@echo "make lock    resolve requirements.lock again from pyproject.toml"
	@echo "make clean   remove .venv and everything that was generated"

.venv/.ready: requirements.lock pyproject.toml scripts/bootstrap.sh
	@sh scripts/bootstrap.sh

demo: .venv/.ready
	@$(BIN)/python scripts/demo.py

test: .venv/.ready
	$(PYTEST) tests/unit tests/functional -n auto
	$(PYTEST) tests --ignore tests/unit --ignore tests/functional -n auto --dist loadfile

check: lint types test

fmt: .venv/.ready
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lint: .venv/.ready
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: .venv/.ready
	$(BIN)/mypy

bench: .venv/.ready
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/hooks.py
	$(BIN)/python benchmarks/runtime.py
	$(BIN)/python benchmarks/kills.py

lock: .venv/.ready
	$(BIN)/uv pip compile --quiet --upgrade --generate-hashes --no-emit-index-url --no-annotate --no-header \
		--universal --python-version 3.11 --extra dev pyproject.toml --output-file requirements.lock

clean:
	rm -rf .venv .demo .benchmarks .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
