"""
`make bench`: the measurements in one run, as ratios where there is a peer; `bench/results.json` and a table.

Those that are named instead, if any are: `deployed` takes a stack of its own and ten minutes, `audit_export` as long for a
million events, and both are not among the others.
What is not measured this time stays as it was.
"""

import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import (
    analysis,
    api_keys,
    audit,
    audit_export,
    authorizer,
    decisions,
    deployed,
    encryption,
    token_endpoint,
    tokens,
)

RESULTS = Path(__file__).with_name("results.json")
BENCHES: dict[str, Callable[[], dict[str, Any]]] = {
    "decisions": decisions.run,
    "analysis": analysis.run,
    "authorizer": authorizer.run,
    "api_keys": api_keys.run,
    "tokens": tokens.run,
    "token_endpoint": token_endpoint.run,
    "audit": audit.run,
    "encryption": encryption.run,
}
ALONE: dict[str, Callable[[], dict[str, Any]]] = {"deployed": deployed.run, "audit_export": audit_export.run}  # long


def main() -> None:
    """Run them, and show them."""
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["machine"] = {"python": platform.python_version(), "architecture": platform.machine()}
    for name in sys.argv[1:] or BENCHES:
        started = time.monotonic()
        results[name] = (BENCHES | ALONE)[name]()
        print(f"\n{name} ({time.monotonic() - started:.0f} s)")
        for figure, value in results[name].items():
            rows = value if isinstance(value, list) else [value]
            for row in rows:
                print(f"  {figure:44} {json.dumps(row) if isinstance(row, dict) else row}")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nwritten to {RESULTS.relative_to(RESULTS.parents[1])}")


if __name__ == "__main__":
    main()
