# Two commands: `make train` runs the main job, `make test` the fast tests. Both set everything up first.
PYTHON ?= python3
BIN = .venv/bin
READY = .venv/ready

train: $(READY)
	$(BIN)/ganvas train cgan-mnist

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -m "not slow" -n 2

test-slow: $(READY)
	$(BIN)/python -m pytest -q -m slow

docs: $(READY)
	$(BIN)/sphinx-build -c docs -b html -W --keep-going -q . build/site
	@echo "build/site/index.html"

docs-links: $(READY)
	$(BIN)/sphinx-build -c docs -b linkcheck -q . build/links

campaign: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/python bench/campaign.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt "torch==2.13.0"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[dev]"
	touch $(READY)

clean:
	rm -rf .venv

.PHONY: train test test-slow docs docs-links campaign lint clean
