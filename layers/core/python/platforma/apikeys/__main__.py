"""`python -m platforma.apikeys scan FILES`: find API keys in files. Exit code 1 if there are any."""

import argparse
import sys

from platforma.apikeys.scan import scan


def main(arguments: list[str] | None = None) -> int:
    """The exit code of the command line."""
    parser = argparse.ArgumentParser(prog="python -m platforma.apikeys", description="Tools for API keys, offline.")
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("scan", help="find API keys in files; exit 1 if there are any, 2 if a file is unreadable")
    command.add_argument("files", nargs="+", metavar="FILE")
    return scan(parser.parse_args(arguments).files, sys.stdout, sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
