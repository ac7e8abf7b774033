"""Witnesses of a tenant's choice, to whom the checkpoints of its logs are offered as they are made."""

from platforma.audit.witnesses.model import ChosenWitness, Offered
from platforma.audit.witnesses.offer import Offerer, offer_checkpoints

__all__ = ["ChosenWitness", "Offered", "Offerer", "offer_checkpoints"]
