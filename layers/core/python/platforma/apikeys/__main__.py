"""
`python -m platforma.apikeys scan FILES`: find API keys in files. Exit code 1 if there are any.

`python -m platforma.apikeys rule`: a rule for gitleaks that finds them, to be put into its configuration.
"""

import argparse
import sys

from platforma.apikeys.scan import gitleaks_rule, scan


def main(arguments: list[str] | None = None) -> int:
    """The exit code of the command line."""
    parser = argparse.ArgumentParser(prog="python -m platforma.apikeys", description="Tools for API keys, offline.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("scan", help="find API keys in files; exit 1 if there are any, 2 if a file is unreadable")
    command.add_argument("files", nargs="+", metavar="FILE")
    commands.add_parser("rule", help="print a rule for gitleaks")
    given = parser.parse_args(arguments)
    if given.command == "rule":
        sys.stdout.write(gitleaks_rule())
        return 0
    return scan(given.files, sys.stdout, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
