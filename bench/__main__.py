"""`make bench`: every measurement in one run, as ratios where there is a peer; `bench/results.json` and a table."""

import json
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import analysis, api_keys, audit, authorizer, decisions, encryption, token_endpoint, tokens

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


def main() -> None:
    """Run them all, and show them."""
    results: dict[str, Any] = {
        "machine": {"python": platform.python_version(), "architecture": platform.machine()},
    }
    for name, run in BENCHES.items():
        started = time.monotonic()
        results[name] = run()
        print(f"\n{name} ({time.monotonic() - started:.0f} s)")
        for figure, value in results[name].items():
            rows = value if isinstance(value, list) else [value]
            for row in rows:
                print(f"  {figure:44} {json.dumps(row) if isinstance(row, dict) else row}")
    RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    print(f"\nwritten to {RESULTS.relative_to(RESULTS.parents[1])}")


if __name__ == "__main__":
    main()
