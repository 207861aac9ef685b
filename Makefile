# Two commands: `make demo` shows the whole journey, `make test` passes all tests. Both install what they need into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
AGENT := .venv-agent
FETCH := $(BIN)/python -m pip --disable-pip-version-check download --quiet --no-deps --require-hashes
OURS := denpyo.py commands schema generators submit jobs

.PHONY: demo demo-clearml test coverage check agent format build lock pictures kills tamper fuzz clean

demo: $(VENV)/jobs.done
	$(BIN)/denpyo demo

# The same over ClearML: a stand-in for its server and a real agent, on this machine alone.
demo-clearml: $(VENV)/dev.done $(AGENT)/agent.done
	$(BIN)/python -m tests.standins.demo

test: check $(AGENT)/agent.done
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --cov --cov-report=term:skip-covered --cov-fail-under=85

# The same, and what runs in processes of their own counts too: half as long again.
coverage: $(VENV)/dev.done $(AGENT)/agent.done
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --cov --cov-config=tests/coverage_of_processes.toml \
		--cov-report=term:skip-covered --cov-fail-under=90

check: $(VENV)/dev.done
	$(BIN)/ruff format --check --quiet .
	$(BIN)/ruff check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/denpyo build --check
	$(BIN)/python -m requirements.audit
	$(BIN)/python -m pytest tests/test_house.py

# The real clearml-agent, which tests start; it pulls requests down, so it has an environment of its own.
agent: $(AGENT)/agent.done

format: $(VENV)/dev.done
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

build: $(VENV)/dev.done
	$(BIN)/denpyo build

# Needs uv. Everyone else only installs what the lock files say.
lock:
	requirements/lock

# 200 times kill -9, of jobs that only count their starts and of real training, and 1,000 times of what writes to the record: minutes. The
# tests have 50 of the first sort and 30 of the last.
kills: $(VENV)/dev.done
	KILLS=200 $(BIN)/python -m pytest tests/submit/test_kills.py
	$(BIN)/python -m benchmarks.kills
	$(BIN)/python -m benchmarks.ledger_kills

# What an insider may do to the record, 100 times each, and whether it is found: two minutes.
tamper: $(VENV)/dev.done
	$(BIN)/python -m benchmarks.tamper

# A million damaged workbooks: half an hour on two free cores. Killed, it goes on where it was; what it finds lies in fuzz.findings/.
fuzz: $(VENV)/dev.done
	$(BIN)/python -m benchmarks.fuzz

# The pictures of docs/. Needs LibreOffice, pdftoppm, Chromium and a Japanese font.
pictures: $(VENV)/dev.done
	$(BIN)/python -m docs.make_pictures

$(VENV)/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "denpyo needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/jobs.done: requirements/jobs.txt pyproject.toml | $(VENV)/bin/python
	$(PIP) --require-hashes --requirement requirements/jobs.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q $(OURS)
	touch $@

# The wheels are kept: the images are built from them in a test, without a network and without asking an index a second time.
$(VENV)/dev.done: requirements/dev.txt pyproject.toml | $(VENV)/bin/python
	rm -rf $(VENV)/wheels
	$(FETCH) --dest $(VENV)/wheels --requirement requirements/dev.txt
	$(PIP) --no-index --find-links $(VENV)/wheels --require-hashes --requirement requirements/dev.txt
	$(PIP) --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q $(OURS)
	touch $@

$(AGENT)/agent.done: requirements/agent.txt | $(VENV)/bin/python
	$(BIN)/python -m venv $(AGENT)
	rm -rf $(AGENT)/wheels
	$(FETCH) --dest $(AGENT)/wheels --requirement requirements/agent.txt
	$(AGENT)/bin/python -m pip --disable-pip-version-check install --quiet --no-index --find-links $(AGENT)/wheels --require-hashes \
		--requirement requirements/agent.txt
	touch $@

clean:
	rm -rf $(VENV) $(AGENT) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
