"""
Policies compared exactly: what a change gives, what it takes, and which statements never decide anything.

The language is small enough to do without a solver. Each thing that a rule looks at is a dimension of the space of all
questions; `space` divides it into the classes that the rules can tell apart, with a value that stands for each, and a rule
is a box in it. `boxes` finds what lies in one and outside of others, `compare` asks it, the engine confirms what it finds.
"""

from platforma.policy.analysis.compare import Comparison, Witness
from platforma.policy.analysis.errors import TooComplex
from platforma.policy.analysis.useless import Useless, useless

__all__ = ["Comparison", "TooComplex", "Useless", "Witness", "useless"]
