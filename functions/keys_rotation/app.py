"""Gives token signing keys their successors, by a schedule; withdraws one at once, by an operator: `{"withdraw": kid}`."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("keys_rotation", counted=("made",))
def handler(event: dict[str, object], request_id: str) -> dict[str, object]:
    return {"made": bootstrap.rotate_signing_keys(event, request_id)}
