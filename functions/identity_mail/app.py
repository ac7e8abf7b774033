"""Mails the links by which people set their passwords, as a queue asks for them."""

from platforma import bootstrap
from platforma.edge.operator import operated


@operated("identity_mail", counted=("sent", "dropped"))
def handler(event: dict[str, list[dict[str, str]]], request_id: str) -> dict[str, int]:
    return bootstrap.mail_links([record["body"] for record in event["Records"]], request_id)
