# Everything from a fresh checkout: Python >= 3.11 and make are all that must be there.
PYTHON ?= python3
TOOLS = @$(PYTHON) -I infra/local/tools.py
PY = .venv/bin/python
export PYTHONDONTWRITEBYTECODE = 1
PYTEST = $(PY) -m pytest

.PHONY: help run stop clean test test-unit test-integration check format bench deploy lock

help:
	@echo "make run     start the whole system on this machine and play its main job once"
	@echo "make stop    end it, keep its data            make clean   end it, forget its data"
	@echo "make test    every test                       make check   format, lint, types, templates, security"
	@echo "make bench   measure                          make deploy  deploy to an AWS account (docs/operations.md)"

run:
	$(TOOLS) sam ministack
	@$(PY) -m infra.local up

stop:
	$(TOOLS)
	@$(PY) -m infra.local stop

clean:
	$(TOOLS)
	@$(PY) -m infra.local clean

test: test-unit test-integration

test-unit:
	$(TOOLS)
	$(PYTEST) -n auto tests/unit tests/contract $(wildcard tests/security)

test-integration:
	$(TOOLS) sam ministack
	$(PYTEST) tests/integration

check:
	$(TOOLS) sam checkov
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	PYTHONPATH=layers/core/python .venv/bin/lint-imports
	.venv/bin/cfn-lint template.yaml infra/*.yaml infra/samples/*.yaml
	SAM_CLI_TELEMETRY=0 .tools/sam/bin/sam validate --lint --region eu-central-1 --template-file template.yaml
	.tools/checkov/bin/checkov --quiet --compact --framework cloudformation --file template.yaml infra/*.yaml infra/samples/*.yaml
	.venv/bin/bandit --quiet --recursive --severity-level medium layers/core functions infra bench

format:
	$(TOOLS)
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

bench:
	$(TOOLS) sam ministack
	@$(PY) -m bench

deploy:
	$(TOOLS) sam
	.tools/sam/bin/sam build --cached --parallel
	.tools/sam/bin/sam deploy --config-env state
	.tools/sam/bin/sam deploy
	.tools/sam/bin/sam deploy --config-env observability

lock:
	$(TOOLS)
	UV=.venv/bin/uv requirements/lock.sh
