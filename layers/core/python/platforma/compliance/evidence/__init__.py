"""What is gathered live, each piece with the moment at which it was seen."""

from platforma.compliance.evidence.gather import GATHERED, gather
from platforma.compliance.evidence.sources import Sources

__all__ = ["GATHERED", "Sources", "gather"]
