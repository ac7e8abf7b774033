"""
Globs: `*` is any run of characters, `?` any one character, all else itself. There is no escape.

Matching never backtracks: after each literal piece the leftmost place it fits is kept (an atomic group), which is right for
`*` and bounds the work by the product of the two lengths.
"""

import re
from functools import lru_cache

MAX_GLOB = 256


def is_literal(glob: str) -> bool:
    """Whether *glob* matches itself alone."""
    return "*" not in glob and "?" not in glob


def literal_prefix(glob: str) -> str:
    """What everything that *glob* matches begins with."""
    ends = [at for at in (glob.find("*"), glob.find("?")) if at >= 0]
    return glob[: min(ends)] if ends else glob


@lru_cache(maxsize=65536)
def compile_glob(glob: str) -> re.Pattern[str]:
    """The expression whose `fullmatch` is the glob's match."""
    first, *pieces = (re.escape(piece).replace(r"\?", ".") for piece in glob.split("*"))
    if not pieces:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{piece})" for piece in pieces[:-1] if piece)
    return re.compile(f"{first}{middle}.*{pieces[-1]}", re.DOTALL)
