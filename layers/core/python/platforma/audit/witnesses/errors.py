"""What may go wrong with witnesses."""

from platforma.kernel.errors import Conflict, Unavailable


class Unanswered(Unavailable):
    """A witness did not answer, or not in size and time."""

    code = "witness_unanswered"


class TooManyWitnesses(Conflict):
    """The tenant has as many witnesses as it may."""

    code = "too_many_witnesses"


class WitnessChosenBefore(Conflict):
    """The tenant has a witness with this key."""

    code = "witness_exists"
    public = "There is a witness with this key."
