"""Where an exact answer would take more than it is worth."""

from platforma.kernel.errors import Unprocessable


class TooComplex(Unprocessable):
    """An exact answer would take too long; none is given, rather than a guess."""

    code = "too_complex"
    public = "These rules are too many, or too entangled, to be compared exactly."
