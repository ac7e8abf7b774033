# Everything from a fresh checkout: Python >= 3.11 and make are all that must be there.
PYTHON ?= python3
TOOLS = @$(PYTHON) -I infra/local/tools.py
PY = .venv/bin/python
SAM = .tools/sam/bin/sam
export PYTHONPYCACHEPREFIX = $(CURDIR)/.tools/pycache
PYTEST = $(PY) -m pytest

.PHONY: help run stop clean sample test test-unit fuzz test-integration conformance check format bench bench-deployed bench-export deploy deploy-state lock

help:
	@echo "make run     start the whole system on this machine and play its main job once"
	@echo "make stop    end it, keep its data            make clean   end it, forget its data"
	@echo "make test    every test                       make check   format, lint, types, templates, security"
	@echo "make bench   measure                          make deploy  deploy to an AWS account (docs/operations.md)"
	@echo "make bench-deployed  from request to locked bucket, on a whole system of its own; ten minutes"
	@echo "make fuzz    the decision engine and its analysis against slower ways, for longer"
	@echo "make conformance  the OpenID Connect conformance cases against the deployed system"
	@echo "make sample  put an API of somebody else's behind the authorizer of the running system"

run:
	$(TOOLS) sam ministack
	@$(PY) -m infra.local up

stop:
	$(TOOLS)
	@$(PY) -m infra.local stop

clean:
	$(TOOLS)
	@$(PY) -m infra.local clean

sample:
	$(TOOLS) sam ministack
	@$(PY) -m infra.local sample

test: test-unit test-integration

test-unit:
	$(TOOLS) acme2certifier
	$(PYTEST) -n auto tests/unit tests/contract $(wildcard tests/security)

# The decision engine against the reference and Cedar for longer: FUZZ times the hundred thousand decisions of `make test`.
FUZZ ?= 20
fuzz:
	$(TOOLS)
	PLATFORMA_FUZZ=$(FUZZ) $(PYTEST) -n auto tests/unit/policy/test_policy_reference.py tests/unit/policy/test_policy_cedar.py \
		tests/unit/policy/test_policy_analysis.py

test-integration:
	$(TOOLS) sam ministack peers
	$(PYTEST) tests/integration tests/browser tests/conformance

# The OpenID Foundation's conformance cases (tests/conformance) against the deployed system, as tables.
conformance:
	$(TOOLS) sam ministack peers
	$(PYTEST) tests/conformance

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
	@PYTHONPATH=layers/core/python $(PY) -m bench

bench-deployed:
	$(TOOLS) sam ministack
	@PYTHONPATH=layers/core/python $(PY) -m bench deployed

bench-export:
	$(TOOLS)
	@PYTHONPATH=layers/core/python $(PY) -m bench audit_export

# For real: the layers are built by the locked uv for AWS's Python and machine, whatever this one is; parameters are in
# samconfig.toml. --cached keeps to a cache of its own, since it would not notice that a layer is for another machine.
deploy: deploy-state
	UV="$(CURDIR)/.venv/bin/uv" SAM_CLI_TELEMETRY=0 $(SAM) build --cached --cache-dir .aws-sam/cache --parallel
	SAM_CLI_TELEMETRY=0 $(SAM) deploy
	SAM_CLI_TELEMETRY=0 $(SAM) deploy --config-env observability

# The tables, buckets, keys and secrets alone: a first deployment fills the secrets before there are functions that need them.
deploy-state:
	$(TOOLS) sam
	SAM_CLI_TELEMETRY=0 $(SAM) deploy --config-env state

lock:
	$(TOOLS)
	UV=.venv/bin/uv requirements/lock.sh
