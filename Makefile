# Two commands for a new user: `make demo` and `make test`. Both set up what they need in .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
LAB_INSTALLED := $(VENV)/.lab-installed
SPARK_INSTALLED := $(VENV)/.spark-installed

.PHONY: help demo test test-all fuzz lint docs lab clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(INSTALLED): requirements.txt pyproject.toml
	@echo "Setting up $(VENV) (once; a few minutes)"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(LAB_INSTALLED): $(INSTALLED) requirements-lab.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-lab.txt
	@touch $@

$(SPARK_INSTALLED): $(INSTALLED) requirements-spark.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --requirement requirements-spark.txt
	@touch $@

demo: $(INSTALLED)  ## simulate a registry, train, score, and render reports/out/demo.html
	$(BIN)/riskml demo

test: $(INSTALLED)  ## lint and the tests that take minutes
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow" --numprocesses 2 --dist loadfile

test-all: $(SPARK_INSTALLED)  ## the heavier tests as well: real data, large simulations, Apache Spark
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

fuzz: $(INSTALLED)  ## search for new counterexamples to the property tests
	$(BIN)/python -m pytest tests/unit tests/spec --hypothesis-profile=fuzz --numprocesses 2 --dist loadfile

lint: $(INSTALLED)  ## style and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

docs: $(INSTALLED)  ## render again the pages of docs/ that follow from code
	$(BIN)/python -m riskml.registry.docs docs/registry.md
	$(BIN)/python -m riskml.features.docs features docs/catalogue.md
	$(BIN)/python -m riskml.features.spec_page tests/spec docs/spec.md
	$(BIN)/python -m riskml.instruments.docs models/instruments docs/instruments.md
	$(BIN)/python -m riskml.simulation.pages docs/simulation.md
	$(BIN)/python -m riskml.fatality.coding.form_page docs/fatality_form.md

lab: $(LAB_INSTALLED)  ## JupyterLab on the analysts' first notebook
	$(BIN)/jupyter lab notebooks/first_look.ipynb

clean:  ## remove what the workspace produced; keeps sources and the environment
	rm -rf registry.db* histories bundles reports/out mlflow.db* mlartifacts mlruns
