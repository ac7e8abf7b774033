"""Witnesses of a tenant's choice, to whom the checkpoints of its logs are offered as they are made."""

from platforma.audit.witnesses.change import choose_witness, dismiss_witness, list_witnesses, read_witness
from platforma.audit.witnesses.model import ChosenWitness, Offered, status_of
from platforma.audit.witnesses.offer import Offerer, offer_checkpoints

__all__ = [
    "ChosenWitness",
    "Offered",
    "Offerer",
    "choose_witness",
    "dismiss_witness",
    "list_witnesses",
    "offer_checkpoints",
    "read_witness",
    "status_of",
]
