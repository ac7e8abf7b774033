#!/usr/bin/env bash
# Locks every requirements.in beside its requirements.txt, with hashes, for every platform and Python >= 3.11.
set -euo pipefail
cd "$(dirname "$0")/.."
uv=${UV:-.venv/bin/uv}
lock() { "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --upgrade "$1" -o "$2" "${@:3}"; }
lock requirements/dev.in requirements/dev.txt
for layer in runtime passwords pages columnar saml scim acme; do lock layers/$layer/requirements.in layers/$layer/requirements.txt -c requirements/dev.txt; done
for tool in sam ministack checkov acme2certifier; do lock requirements/$tool.in requirements/$tool.txt; done
