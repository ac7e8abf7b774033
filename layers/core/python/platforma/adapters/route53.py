"""Proofs for certificate authorities in the zones of Route 53."""

from collections.abc import Sequence
from typing import Any, Literal

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from platforma.certificates.errors import Refused
from platforma.certificates.model import Proof
from platforma.kernel.errors import Unavailable

_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"max_attempts": 3, "mode": "standard"})
_TTL = 10


class Route53:
    """`DNS` for the hosted zones of these ids."""

    def __init__(self, zones: Sequence[str], client: Any = None) -> None:
        self._zones = zones
        self._client = client or boto3.client("route53", config=_CONFIG)
        self._names: dict[str, str] = {}

    def publish(self, proof: Proof) -> str:
        """Write the record, whatever was there (UPSERT)."""
        return str(self._change(self._zone_of(proof.name), "UPSERT", proof))

    def is_published(self, change: str) -> bool:
        """Whether Route 53 says INSYNC."""
        try:
            return bool(self._client.get_change(Id=change)["ChangeInfo"]["Status"] == "INSYNC")
        except (ClientError, BotoCoreError) as error:
            raise Unavailable("DNS gave no answer.", cause=type(error).__name__) from None

    def remove(self, proof: Proof) -> None:
        """Delete the record as it was written; another that took its place stays."""
        try:
            self._change(self._zone_of(proof.name), "DELETE", proof)
        except Refused:
            return

    def _change(self, zone: str, action: Literal["UPSERT", "DELETE"], proof: Proof) -> str:
        values = [{"Value": f'"{value}"'} for value in proof.values]
        record = {"Name": f"{proof.name}.", "Type": "TXT", "TTL": _TTL, "ResourceRecords": values}
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": record}]}
        try:
            answer = self._client.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
            return str(answer["ChangeInfo"]["Id"])
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "InvalidChangeBatch":
                raise Refused("The zone does not take the record.") from None
            raise Unavailable("DNS takes no change.", cause=type(error).__name__) from None
        except BotoCoreError as error:
            raise Unavailable("DNS takes no change.", cause=type(error).__name__) from None

    def _zone_of(self, name: str) -> str:
        """The zone with the longest name that *name* is in."""
        known = {zone: self._name_of(zone) for zone in self._zones}
        fitting = [zone for zone, apex in known.items() if name == apex or name.endswith(f".{apex}")]
        if not fitting:
            raise Refused(f"No zone of ours has {name.removeprefix('_acme-challenge.')}.", lasting=True)
        return max(fitting, key=lambda zone: len(known[zone]))

    def _name_of(self, zone: str) -> str:
        if zone not in self._names:
            try:
                self._names[zone] = str(self._client.get_hosted_zone(Id=zone)["HostedZone"]["Name"]).rstrip(".").lower()
            except (ClientError, BotoCoreError) as error:
                raise Unavailable("DNS does not tell its zones.", cause=type(error).__name__) from None
        return self._names[zone]
